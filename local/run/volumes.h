/* What an instance is given beside its image: the values of secrets, and volumes. */
#ifndef LOCAL_RUN_VOLUMES_H
#define LOCAL_RUN_VOLUMES_H

#include "local/run/internal.h"

enum { VOLUME_MOUNTS_MOST = 64 };

struct volumes {
    struct sandbox_mount mounts[VOLUME_MOUNTS_MOST];
    size_t count;
    struct buffer values[VOLUME_MOUNTS_MOST]; /* of the secrets, wiped at the end */
    struct text_list targets;
};

/* The mounts of the first container of a revision's document. -1 with *failure in Google's words. To be released after
 * success and failure. */
int volumes_prepare(const struct run *run, const struct json *document, struct volumes *volumes,
                    struct failure *failure);
void volumes_release(struct volumes *volumes);
#define AUTO_VOLUMES AUTO(volumes_release)

/* The value of a variable: what it says, or that of its secret; NULL with *failure. The caller wipes and frees. */
char *variable_value(const struct run *run, const struct json *variable, struct failure *failure);

#endif
