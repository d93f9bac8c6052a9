/* Field masks as Google's APIs take them: "displayName,oidc.issuer_uri". */
#ifndef LOCAL_FIELD_MASK_H
#define LOCAL_FIELD_MASK_H

#include "common/json/json.h"

/* "expire_time" is the same field as "expireTime". The caller frees. */
char *field_camel_case(const char *field);

/* Moves what the mask names from `source` to `target`, at most one level deep; a field that is absent in `source` is
 * removed. Without a mask (NULL or empty): every known field that `source` has. `known` ends with NULL and names
 * fields of the first level; another one is ERROR_DATA. */
int field_mask_apply(struct json *target, const struct json *source, const char *mask, const char *const *known,
                     struct error *error) MUST_CHECK;

#endif
