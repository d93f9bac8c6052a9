/* IAM policies (google.iam.v1.Policy), wherever they hang: on the project, on service accounts, on Cloud Run services.
 *
 * Only predefined roles have permissions here, those of the table in roles.c: what pl and the clients that it is proved
 * with ask for. Other roles are kept and permit nothing. Conditions in bindings are refused. */
#ifndef LOCAL_IAM_POLICY_H
#define LOCAL_IAM_POLICY_H

#include "local/server/server.h"

/* Whether one of `members` ("serviceAccount:…", "principalSet://…") has a role in it that permits this; no members at
 * all: somebody who is not signed in. */
bool policy_permits(const struct json *policy, const struct text_list *members, const char *permission);
bool role_permits(const char *role, const char *permission);

/* As getIamPolicy answers; the caller releases. */
struct json *policy_shown(const struct json *policy);
/* The body {"policy":…} of setIamPolicy, checked, in place of *policy, with the next etag; false: it is answered with
 * what is wrong with it. */
bool policy_take(struct json **policy, const struct json *body, struct reply *reply);
/* Answers testIamPermissions: of those in `body` the ones that `permits` says yes to. */
void policy_test(const struct json *body, bool (*permits)(void *context, const char *permission), void *context,
                 struct reply *reply);

#endif
