/* What a message of the Cloud Run Admin API v2 may hold, as tables, and bringing a client's JSON into the one form that
 * the local cloud keeps: unknown fields and wrong types are refused in Google's words, what only the server sets is
 * dropped, enums sent as numbers (Google's REST clients do) become names, and values that mean "not set" are left out.
 * The fields come from Google's discovery document run.v2. */
#ifndef LOCAL_RUN_MESSAGE_H
#define LOCAL_RUN_MESSAGE_H

#include "common/base/buffer.h"
#include "common/json/json.h"

enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_INTEGER, FIELD_DURATION, FIELD_ENUM, FIELD_MESSAGE, FIELD_ANY };

enum field_trait {
    FIELD_LIST = 1 << 0,
    FIELD_MAP = 1 << 1,    /* of texts */
    FIELD_OUTPUT = 1 << 2, /* set by the server: what a client sends is dropped */
    FIELD_KEEP = 1 << 3,   /* its zero value differs from its absence */
    FIELD_WIDE = 1 << 4,   /* int64: a JSON string */
};

struct message;
struct field {
    const char *name; /* NULL ends a table */
    enum field_kind kind;
    unsigned traits;
    const struct message *message;
    const char *const *choices; /* of an enum, by number; NULL-terminated */
};
struct message {
    const struct field *fields;
};

extern const struct message service_message, job_message;
extern const struct message run_job_message; /* the body of jobs:run */

/* In place. `path` is where the object lies in the request: "service". ERROR_DATA with Google's text. */
int message_normalise(const struct message *message, struct json *object, const char *path,
                      struct error *error) MUST_CHECK;

/* "template.containers", "labels" (also with under_scores) → the canonical path; false when there is no such field. */
bool message_has_path(const struct message *message, const char *path, struct buffer *canonical);

#endif
