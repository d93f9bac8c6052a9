/* One field in Cloud Run's two dialects: the Knative API v1, where much is a text in an annotation, and the Admin API
 * v2, whose messages are what the local cloud keeps. A table of rows says how each is written in the other; the same
 * table is used in both directions, so that what one direction writes the other reads. */
#ifndef LOCAL_KNATIVE_MAPPING_H
#define LOCAL_KNATIVE_MAPPING_H

#include "common/base/error.h"
#include "common/json/json.h"

enum mapping_kind {
    MAP_SAME,    /* any JSON, as it is */
    MAP_TEXT,    /* a text; in v2 the same text */
    MAP_BOOL,    /* "true" (in any case: gcloud writes Python's) ↔ true */
    MAP_INTEGER, /* "3" ↔ 3 */
    MAP_WORD,    /* one of `words` */
    MAP_LIST,    /* "a,b" ↔ ["a","b"] */
    MAP_JSON,    /* the text of a JSON value ↔ the value */
    MAP_SECONDS, /* 300 ↔ "300s" */
    MAP_HOURS,   /* "24" ↔ "86400s" */
    MAP_KEPT,    /* v2 has no word for it: it stays where it is, hidden from clients of v2 */
    MAP_OUTPUT,  /* only the server says it: dropped when a client sends it */
};

struct mapping_word {
    const char *knative, *run; /* NULL ends a list */
};
struct mapping_row {
    const char *knative; /* a key; NULL ends a table */
    const char *run;     /* "vpcAccess.connector" */
    enum mapping_kind kind;
    const struct mapping_word *words; /* the first one for a v2 value is what is written back */
};

/* NULL when the table has no such key. */
const struct mapping_row *mapping_find(const struct mapping_row *rows, const char *key);
/* Sets the row's field in `run`. ERROR_DATA without a place: "must be true or false". */
int mapping_to_run(const struct mapping_row *row, const struct json *value, struct json *run,
                   struct error *error) MUST_CHECK;
/* Sets every field of the rows in `knative` that `run` has. */
void mapping_to_knative(const struct mapping_row *rows, const struct json *run, struct json *knative);
/* Every key of the rows that `knative` has; `where` is put before errors as refusals have it: "spec: must be …". */
int mapping_fields_to_run(const struct mapping_row *rows, const struct json *knative, struct json *run,
                          const char *where, struct error *error) MUST_CHECK;

/* "a.b.c": the object at a.b is made. Takes `value`; NULL changes nothing. */
void json_set_path(struct json *object, const char *path, struct json *value);

/* What a field of `mine` (after a change that was made by a client who saw `base`) means for `theirs`, from which
 * `base` was made and which has more in it: what the client left as it was stays as it is in `theirs`, what he changed
 * becomes his. Lists of the same length whose elements have the same names are merged element by element, others are
 * taken whole. The result is new. */
struct json *json_merge_change(const struct json *base, const struct json *theirs, const struct json *mine);

#endif
