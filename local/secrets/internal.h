/* What the files of local/secrets share. */
#ifndef LOCAL_SECRETS_INTERNAL_H
#define LOCAL_SECRETS_INTERNAL_H

#include "local/cloud.h"
#include "local/secrets/secrets.h"

#include <pthread.h>

struct secrets {
    const struct local_cloud *cloud;
    char *root;
    pthread_mutex_t lock;
    struct json *state; /* "secrets" of the file */
};

/* The lock is held. */
int secrets_save(const struct secrets *secrets, struct error *error) MUST_CHECK;
/* A version by its number, or by "latest": the newest enabled one. Borrowed, or NULL. */
struct json *secret_version(const struct json *secret, const char *version);
bool secret_name_is_valid(const char *name);

#endif
