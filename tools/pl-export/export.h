/* What the files of pl-export share. */
#ifndef TOOLS_PL_EXPORT_EXPORT_H
#define TOOLS_PL_EXPORT_EXPORT_H

#include "chain/artifact.h"
#include "chain/session.h"
#include "engine/tree.h"
#include "tools/pl-export/command.h"

struct exporting {
    struct chain_session session;
    const struct arguments *arguments;
    const char *destination; /* DEST, or NULL */
    struct artifact artifact;
};

/* disk.c: DEST gets the directory or the file. */
int export_directory(struct exporting *exporting, struct error *error);
int export_file(struct exporting *exporting, struct error *error);
/* image.c: --oci, --docker-archive, --load. */
int export_layout(struct exporting *exporting, struct error *error);
int export_archive(struct exporting *exporting, struct error *error);
int export_load(struct exporting *exporting, struct error *error);
/* show.c: --show. */
int export_show(struct exporting *exporting, struct error *error);

/* lay_out.c: the entries below an open directory; nothing that is reached through a link is written. `epoch` is the
 * time that files get, 0: now. */
int lay_out(struct engine *engine, const struct tree *tree, int root, int64_t epoch, struct error *error);
/* One file in an open directory, in the place of a file or link of this name. */
int lay_out_file(struct engine *engine, const struct tree_entry *file, int folder, const char *name, int64_t epoch,
                 struct error *error);

#endif
