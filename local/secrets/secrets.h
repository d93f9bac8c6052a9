/* Secret Manager of the local cloud, v1: secrets, their versions, and what they hold.
 *
 *   secrets/state.json (0600)   {"secrets": {NAME: {…as Google shows it, "versions": [{"number", "state", "createTime",
 *                               "data"}]}}}
 *
 * What is deleted or destroyed is gone from the file. A value has at most SECRET_LIMIT bytes, as at Google's. */
#ifndef LOCAL_SECRETS_SECRETS_H
#define LOCAL_SECRETS_SECRETS_H

#include "common/base/buffer.h"
#include "local/server/server.h"

struct local_cloud;
struct secrets;

enum { SECRET_LIMIT = 64 << 10 };

struct secrets *secrets_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
void secrets_close(struct secrets **secrets);

/* /v1/projects/P/secrets… */
bool secrets_is_path(const char *path);
void secrets_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* What a service is given. `secret` is a name or "projects/P/secrets/NAME", `version` a number or "latest" (the newest
 * one that is enabled). ERROR_NO_INPUT with Google's words. Append to `out`, which the caller wipes. */
int secrets_read(const struct local_cloud *cloud, const char *secret, const char *version, struct buffer *out,
                 struct error *error) MUST_CHECK;

#endif
