#include "local/knative/metadata.h"

#include "common/base/text.h"
#include "local/run/reserved.h"

#include <ctype.h>
#include <string.h>

/* ---- annotations and labels ---- */

static int refuse_annotation(const struct annotation_kind *kind, const char *key, struct error *error) {
    static const struct annotation_kind *const kinds[] = {&service_annotations, &revision_annotations, &job_annotations,
                                                          &execution_annotations};
    AUTO_BUFFER struct buffer others = BUFFER(256);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (mapping_find(kinds[i]->rows, key))
            buffer_append_format(&others, "%s%s", others.length ? ", " : " Supported kinds are: ", kinds[i]->name);
    return error_set(error, ERROR_DATA, "%s: Annotation '%.200s' is not supported on resources of kind '%s'.%s",
                     kind->where, key, kind->name, buffer_text(&others));
}

static int annotation_to_run(const struct annotation_kind *kind, const char *key, const struct json *value,
                             struct json *run, struct json *labelled, struct error *error) {
    const struct mapping_row *row = mapping_find(kind->rows, key);
    if (!row && is_reserved_key(key))
        return refuse_annotation(kind, key, error);
    if (!row || row->kind == MAP_KEPT)
        json_set(json_need_object(labelled, "annotations"), key, json_copy_deep(value));
    else if (row->run && mapping_to_run(row, value, run, error) < 0)
        return error_wrap(error, "%s: Annotation '%s'", kind->where, key);
    return 0;
}

/* "default" or the name of a policy. */
static void authorization_to_run(const struct json *annotations, struct json *run) {
    const char *policy = json_get_text(annotations, "run.googleapis.com/binary-authorization", NULL);
    if (!policy)
        return;
    struct json *authorization = json_need_object(run, "binaryAuthorization");
    if (text_equal(policy, "default"))
        json_set_bool(authorization, "useDefault", true);
    else
        json_set_text(authorization, "policy", policy);
}

int metadata_to_run(const struct annotation_kind *kind, const struct json *metadata, struct json *run,
                    struct json *labelled, struct error *error) {
    const struct json *annotations = json_get(metadata, "annotations"), *labels = json_get(metadata, "labels");
    for (void *i = json_first(annotations); i; i = json_next(annotations, i))
        if (annotation_to_run(kind, json_key(i), json_value(i), run, labelled, error) < 0)
            return -1;
    for (void *i = json_first(labels); i; i = json_next(labels, i))
        if (!is_reserved_key(json_key(i)))
            json_set(json_need_object(labelled, "labels"), json_key(i), json_copy_deep(json_value(i)));
    authorization_to_run(annotations, run);
    return 0;
}

static void authorization_to_knative(const struct json *run, struct json *annotations) {
    const struct json *authorization = json_get(run, "binaryAuthorization");
    const char *policy =
        json_get_bool(authorization, "useDefault", false) ? "default" : json_get_text(authorization, "policy", NULL);
    if (policy)
        json_set_text(annotations, "run.googleapis.com/binary-authorization", policy);
}

static void copy_members(const struct json *from, struct json *to) {
    for (void *i = json_first(from); i; i = json_next(from, i))
        json_set(to, json_key(i), json_copy_deep(json_value(i)));
}

void metadata_to_knative(const struct annotation_kind *kind, const struct json *run, const struct json *labelled,
                         struct json *metadata) {
    struct json *annotations = json_need_object(metadata, "annotations");
    copy_members(json_get(labelled, "annotations"), annotations);
    copy_members(json_get(labelled, "labels"), json_need_object(metadata, "labels"));
    mapping_to_knative(kind->rows, run, annotations);
    authorization_to_knative(run, annotations);
}

/* ---- what only the server says ---- */

char *etag_plain(const char *text) {
    size_t length = text ? strlen(text) : 0;
    bool quoted = length > 1 && text[0] == '"' && text[length - 1] == '"';
    return quoted ? text_copy_length(text + 1, length - 2) : text_copy(text);
}

void metadata_describe(const struct json *document, const char *number, const char *region, const char *group,
                       const char *collection, struct json *metadata) {
    const char *full = json_get_text(document, "name", ""), *slash = strrchr(full, '/');
    const char *name = slash ? slash + 1 : full;
    AUTO_FREE char *version = etag_plain(json_get_text(document, "etag", NULL));
    AUTO_FREE char *link = text_format("/apis/%s/v1/namespaces/%s/%s/%s", group, number, collection, name);
    json_set_text(metadata, "name", name);
    json_set_text(metadata, "namespace", number);
    json_set_text(metadata, "selfLink", link);
    json_set_text(metadata, "uid", json_get_text(document, "uid", NULL));
    json_set_text(metadata, "resourceVersion", version);
    json_set_integer(metadata, "generation", strtoll(json_get_text(document, "generation", "1"), NULL, 10));
    json_set_text(metadata, "creationTimestamp", json_get_text(document, "createTime", NULL));
    json_set_text(json_need_object(metadata, "labels"), "cloud.googleapis.com/location", region);
    struct json *annotations = json_need_object(metadata, "annotations");
    json_set_text(annotations, "serving.knative.dev/creator", json_get_text(document, "creator", NULL));
    json_set_text(annotations, "serving.knative.dev/lastModifier", json_get_text(document, "lastModifier", NULL));
}

/* ---- conditions ---- */

/* "HEALTH_CHECK_CONTAINER_ERROR" → "HealthCheckContainerError". The caller frees. */
static char *camel_case(const char *words) {
    char *text = text_copy(words);
    size_t used = 0;
    bool capital = true;
    for (const char *at = words; at && *at; at++) {
        if (*at != '_')
            text[used++] = capital ? *at : (char)tolower((unsigned char)*at);
        capital = *at == '_';
    }
    if (text)
        text[used] = '\0';
    return text;
}

static const char *status_of(const char *state) {
    return text_equal(state, "CONDITION_SUCCEEDED") ? "True"
           : text_equal(state, "CONDITION_FAILED")  ? "False"
                                                    : "Unknown";
}

static struct json *condition_to_knative(const struct json *condition, bool reconciling) {
    static const char *const reasons[] = {"reason", "revisionReason", "executionReason"};
    struct json *made = json_new_object();
    const char *status = reconciling ? "Unknown" : status_of(json_get_text(condition, "state", NULL));
    json_set_text(made, "type", json_get_text(condition, "type", ""));
    json_set_text(made, "status", status);
    for (size_t i = 0; i < ARRAY_LENGTH(reasons) && !text_equal(status, "True"); i++) {
        AUTO_FREE char *reason = camel_case(json_get_text(condition, reasons[i], NULL));
        if (reason)
            json_set_text(made, "reason", reason);
    }
    if (!text_equal(status, "True"))
        json_set_text(made, "message", json_get_text(condition, "message", NULL));
    json_set_text(made, "lastTransitionTime", json_get_text(condition, "lastTransitionTime", NULL));
    return made;
}

struct json *conditions_to_knative(const struct json *terminal, const struct json *conditions, bool reconciling) {
    struct json *made = json_new_array();
    const char *last = json_get_text(terminal, "type", NULL);
    if (terminal)
        json_append(made, condition_to_knative(terminal, reconciling));
    for (size_t i = 0; i < json_count(conditions); i++)
        if (!text_equal(json_get_text(json_at(conditions, i), "type", NULL), last))
            json_append(made, condition_to_knative(json_at(conditions, i), reconciling));
    return made;
}
