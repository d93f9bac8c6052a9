/* Where a chain begins: each kind of source in a file of its own. */
#ifndef TOOLS_PL_FROM_ORIGIN_H
#define TOOLS_PL_FROM_ORIGIN_H

#include "chain/artifact.h"
#include "chain/session.h"
#include "tools/pl-from/command.h"

struct origin {
    struct chain_session session;
    const struct arguments *arguments;
    const char *platform;
};

/* URL[#REF[:SUBDIRECTORY]]. */
bool origin_is_git(const char *source);
int origin_git(struct origin *origin, const char *source, struct artifact *artifact, struct error *error);
/* http(s)://…#sha256:HEX */
int origin_download(struct origin *origin, const char *source, struct artifact *artifact, struct error *error);

/* What the lock file says, borrowed, or NULL; with --update always NULL. ERROR_DATA with --locked when it says
 * nothing. */
int origin_find_locked(struct origin *origin, const char *source, const char *kind, const char **meaning,
                       struct error *error);
/* With --update: writes it. */
int origin_lock(struct origin *origin, const char *source, const char *kind, const char *meaning, struct error *error);

#endif
