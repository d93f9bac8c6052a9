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

#endif
