/* What containers are given beside their images: the values of secrets, and volumes.
 *
 *   secret            files of the secret's versions, in memory
 *   emptyDir MEMORY   memory; one file system for all containers of the instance that mount it
 *   emptyDir DISK     a directory that ends with the instance; its size limit is not enforced
 *   gcs               the directory buckets/BUCKET of the cloud's state, made when it is missing
 *   nfs               the directory nfs/SERVER/PATH of the cloud's state, made when it is missing
 *   cloudSqlInstance  sockets that lead to a database of this machine (databases.h) */
#ifndef LOCAL_RUN_VOLUMES_H
#define LOCAL_RUN_VOLUMES_H

#include "local/run/container.h"

enum { VOLUME_MOUNTS_MOST = 64, VOLUMES_MOST = 32 };

/* ---- what the containers of an instance share: shared_volumes.c ---- */

/* Makes instance->volumes where there is something to share. -1 with *failure. */
int shared_volumes_make(struct instance *instance, const struct json *document, struct failure *failure);
void shared_volumes_release(struct shared_volumes **volumes);
/* The directory that stands for an emptyDir on the disk; borrowed. NULL: there is none. */
const char *shared_volumes_directory(const struct shared_volumes *volumes, const char *name);
/* A descriptor for one mount of a volume in memory, which the caller closes after the start; -1: it is not shared. */
int shared_volumes_memory(struct shared_volumes *volumes, const char *name);

/* ---- the mounts of one container: volumes.c ---- */

struct volumes {
    struct sandbox_mount mounts[VOLUME_MOUNTS_MOST];
    size_t count;
    struct buffer values[VOLUME_MOUNTS_MOST]; /* of the secrets, wiped at the end */
    struct text_list texts;                   /* sources and targets */
};

/* The mounts of the container `given` of a revision's document. -1 with *failure in Google's words. To be released
 * after success and failure. */
int volumes_prepare(const struct instance *instance, const struct json *document, const struct json *given,
                    struct volumes *volumes, struct failure *failure);
void volumes_release(struct volumes *volumes);
#define AUTO_VOLUMES AUTO(volumes_release)

/* The value of a variable: what it says, or that of its secret; NULL with *failure. The caller wipes and frees. */
char *variable_value(const struct run *run, const struct json *variable, struct failure *failure);

#endif
