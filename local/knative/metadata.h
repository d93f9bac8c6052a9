/* The metadata of Knative objects: which annotations there are on which kind of resource (Google's list is in the
 * description of ObjectMeta in the discovery document run.v1), and what they are in v2. */
#ifndef LOCAL_KNATIVE_METADATA_H
#define LOCAL_KNATIVE_METADATA_H

#include "local/knative/mapping.h"

struct annotation_kind {
    const char *name;  /* as Google says it: "Service" */
    const char *where; /* "metadata.annotations" */
    const struct mapping_row *rows;
};
extern const struct annotation_kind service_annotations;
extern const struct annotation_kind revision_annotations; /* of a revision's template */
extern const struct annotation_kind job_annotations;
extern const struct annotation_kind execution_annotations; /* of an execution's template */

/* Annotations into the fields of `run` that they stand for; those that v2 does not have, too, and the labels, into
 * `labelled` (the v2 message with `labels` and `annotations`; the same as `run`, except for an execution). ERROR_DATA
 * "FIELD: why" for one that this kind of resource has not. */
int metadata_to_run(const struct annotation_kind *kind, const struct json *metadata, struct json *run,
                    struct json *labelled, struct error *error) MUST_CHECK;
void metadata_to_knative(const struct annotation_kind *kind, const struct json *run, const struct json *labelled,
                         struct json *metadata);

/* Of a service, a revision, a job …: name, namespace (the project's number), uid, generation, resourceVersion (the etag
 * without its quotes), creationTimestamp, selfLink, and the label with the region. `group` is "serving.knative.dev". */
void metadata_describe(const struct json *document, const char *number, const char *region, const char *group,
                       const char *collection, struct json *metadata);
/* `text` without quotes around it. The caller frees. */
char *etag_plain(const char *text);

/* Conditions of v2 as v1 writes them. `reconciling`: what was true before is not known now. */
struct json *conditions_to_knative(const struct json *terminal, const struct json *conditions, bool reconciling);

#endif
