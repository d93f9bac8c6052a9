/* Labels and annotations that belong to Google: clients of v2 neither set nor see them. The local cloud keeps in them
 * what only clients of v1 can say (local/knative). */
#ifndef LOCAL_RUN_RESERVED_H
#define LOCAL_RUN_RESERVED_H

#include "common/base/error.h"
#include "common/json/json.h"

/* run.googleapis.com/…, cloud.googleapis.com/…, serving.knative.dev/…, autoscaling.knative.dev/… */
bool is_reserved_key(const char *key);

/* Refuses one in a client's service, which is an ERROR_DATA in Google's words. */
int reserved_refuse(const struct json *document, struct error *error) MUST_CHECK;
/* Those of `before` (NULL: none) into `after`, and of their templates. */
void reserved_keep(const struct json *before, struct json *after);
/* A service or a revision without them. The caller releases. */
struct json *reserved_hide(const struct json *document);

#endif
