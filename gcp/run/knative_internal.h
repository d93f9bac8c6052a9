/* How Knative's file is read: rows say what each member means, takers put it into the Service. */
#ifndef GCP_RUN_KNATIVE_INTERNAL_H
#define GCP_RUN_KNATIVE_INTERNAL_H

#include "common/json/json.h"

struct knative_reading {
    const char *what;           /* the file, for errors */
    struct json *template;      /* the template that is made */
    const struct json *aliases; /* the run.googleapis.com/secrets annotation, "alias:projects/P/secrets/S,…" */
    struct error *error;
};

struct knative_row;
/* Puts what `value` means into `to`, as the row says; `place` is where it stands ("spec.template"). */
typedef int knative_taker(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                          struct json *to, const char *place);
struct knative_row {
    const char *from;
    knative_taker *take;             /* NULL: it says nothing that a deployment needs */
    const char *to;                  /* a path, "scaling.minInstanceCount"; NULL: as `from` */
    const struct knative_row *inner; /* of an object, or of the objects of a list */
    const char *const *words;        /* pairs: the file's word, the API's */
};

#define KNATIVE_SAME(name)                                                                                             \
    { .from = name, .take = knative_take_same }
#define KNATIVE_TEXT(name)                                                                                             \
    { .from = name, .take = knative_take_text }
#define KNATIVE_IGNORED(name)                                                                                          \
    { .from = name }

/* Every member of an object by its row; one without a row is refused. The rows end with {0}. */
int knative_take_members(struct knative_reading *reading, const struct knative_row *rows, const struct json *object,
                         struct json *to, const char *place);
/* ERROR_DATA: "FILE: PLACE WHY" */
int knative_refuse(const struct knative_reading *reading, const char *place, const char *why);

knative_taker knative_take_same;
knative_taker knative_take_text;           /* refuses a number or a truth value: it has lost its quotes */
knative_taker knative_take_object;         /* by row->inner */
knative_taker knative_take_list;           /* of objects, by row->inner */
knative_taker knative_take_inside;         /* its members into `to` itself, by row->inner */
knative_taker knative_take_must_be;        /* the text row->to */
knative_taker knative_take_seconds;        /* 300, "300" -> "300s" */
knative_taker knative_take_number_text;    /* "3" -> 3 */
knative_taker knative_take_hours_text;     /* "2" -> "7200s" */
knative_taker knative_take_truth_text;     /* "true" -> true */
knative_taker knative_take_word;           /* by row->words */
knative_taker knative_take_words;          /* "a,b" -> ["a","b"] */
knative_taker knative_take_json_list;      /* a list as JSON in text */
knative_taker knative_take_by_container;   /* {"container": value} as JSON in text, into that container's row->to */
knative_taker knative_take_for_containers; /* a truth in text, into every container's row->to */
knative_taker knative_take_aliases;
knative_taker knative_take_secret_name; /* an alias becomes the secret that it stands for */
knative_taker knative_take_cloudsql;    /* "P:R:I,…": a volume, mounted at /cloudsql in every container */
knative_taker knative_take_binary_authorization;
knative_taker knative_take_labels;      /* without Google's own, which only tell what a resource has become */
knative_taker knative_take_annotations; /* Google's own by row->inner, the others as they are */

/* What services and jobs have in common. */
extern const struct knative_row knative_container_rows[], knative_volume_rows[], knative_selector_rows[];
extern const char *const knative_environments[], *const knative_egresses[];

#endif
