#include "local/knative/job.h"

#include "common/base/text.h"
#include "local/knative/pod.h"

#include <string.h>

#define RUN "run.googleapis.com/"
#define GROUP "run.googleapis.com"

static const struct mapping_row template_rows[] = {
    {"parallelism", "parallelism", MAP_SAME, NULL}, {"taskCount", "taskCount", MAP_SAME, NULL}, {0}};
static const struct mapping_row token_rows[] = {{"startExecutionToken", "startExecutionToken", MAP_SAME, NULL},
                                                {"runExecutionToken", "runExecutionToken", MAP_SAME, NULL},
                                                {0}};
static const struct mapping_row client_rows[] = {
    {RUN "client-name", "client", MAP_TEXT, NULL}, {RUN "client-version", "clientVersion", MAP_TEXT, NULL}, {0}};
static const struct mapping_row override_rows[] = {
    {"taskCount", "taskCount", MAP_SAME, NULL}, {"timeoutSeconds", "timeout", MAP_SECONDS, NULL}, {0}};

static const char *last_part(const char *name) {
    const char *slash = name ? strrchr(name, '/') : NULL;
    return slash ? slash + 1 : name;
}

/* ---- to v2 ---- */

/* What is said of a service's instances between requests means nothing for a task. */
static void drop_processor(struct json *task) {
    const struct json *containers = json_get(task, "containers");
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *resources = json_get(json_at(containers, i), "resources");
        json_remove(resources, "cpuIdle");
        if (resources && json_count(resources) == 0)
            json_remove(json_at(containers, i), "resources");
    }
}

static int template_to_run(const struct json *knative, struct json *template, struct error *error) {
    const struct json *metadata = json_get(knative, "metadata"), *spec = json_get(knative, "spec");
    struct json *task = json_need_object(template, "template");
    if (pod_to_run(&execution_annotations, metadata, json_get_path(spec, "template.spec"),
                   "spec.template.spec.template.spec", task, template, error) < 0)
        return -1;
    drop_processor(task);
    const struct json *annotations = json_get(metadata, "annotations");
    for (const struct mapping_row *row = client_rows; row->knative; row++)
        if (json_get(annotations, row->knative) &&
            mapping_to_run(row, json_get(annotations, row->knative), template, error) < 0)
            return -1;
    return mapping_fields_to_run(template_rows, spec, template, "spec.template.spec", error);
}

struct json *job_to_run(const struct json *knative, struct error *error) {
    const struct json *spec = json_get(knative, "spec");
    AUTO_JSON struct json *job = json_new_object();
    if (!text_equal(json_get_text(knative, "kind", "Job"), "Job") ||
        !text_equal(json_get_text(knative, "apiVersion", GROUP "/v1"), GROUP "/v1")) {
        error_set(error, ERROR_DATA, "apiVersion: must be '" GROUP "/v1', of kind 'Job'");
        return NULL;
    }
    if (metadata_to_run(&job_annotations, json_get(knative, "metadata"), job, job, error) < 0 ||
        template_to_run(json_get(spec, "template"), json_need_object(job, "template"), error) < 0 ||
        mapping_fields_to_run(token_rows, spec, job, "spec", error) < 0)
        return NULL;
    return json_share(job);
}

struct json *overrides_to_run(const struct json *overrides) {
    const struct json *containers = json_get(overrides, "containerOverrides");
    if (!overrides)
        return NULL;
    struct json *made = json_new_object();
    struct error ignored;
    if (mapping_fields_to_run(override_rows, overrides, made, "overrides", &ignored) < 0)
        error_clear(&ignored);
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *container = json_copy_deep(json_at(containers, i));
        AUTO_JSON struct json *plain = container_to_run(container, NULL);
        if (json_get(plain, "env"))
            json_set(container, "env", json_share(json_get(plain, "env")));
        json_append(json_need_array(made, "containerOverrides"), container);
    }
    return made;
}

/* ---- to v1 ---- */

static struct json *object_new(const char *kind) {
    struct json *made = json_new_object();
    json_set_text(made, "apiVersion", GROUP "/v1");
    json_set_text(made, "kind", kind);
    return made;
}

/* int64 is a text in JSON. */
static void task_to_spec(const struct json *task, const struct json *labelled, struct json *metadata,
                         struct json *spec) {
    pod_to_knative(&execution_annotations, task, labelled, metadata, spec);
    json_remove(json_get(metadata, "annotations"), RUN "cpu-throttling");
    AUTO_FREE char *seconds = text_format("%lld", (long long)json_get_integer(spec, "timeoutSeconds", 0));
    if (json_get(spec, "timeoutSeconds"))
        json_set_text(spec, "timeoutSeconds", seconds);
}

static void describe(const struct json *document, const struct place *place, const char *collection,
                     struct json *metadata) {
    metadata_describe(document, place->number, place->region, GROUP, collection, metadata);
    struct json *annotations = json_get(metadata, "annotations");
    json_remove(annotations, "serving.knative.dev/creator");
    json_remove(annotations, "serving.knative.dev/lastModifier");
    json_set_text(annotations, RUN "creator", json_get_text(document, "creator", NULL));
    json_set_text(annotations, RUN "lastModifier", json_get_text(document, "lastModifier", NULL));
    json_set_text(json_get(metadata, "labels"), RUN "lastUpdatedTime", json_get_text(document, "updateTime", NULL));
}

static void set_observed(const struct json *document, struct json *status) {
    json_set_integer(status, "observedGeneration",
                     strtoll(json_get_text(document, "observedGeneration", "1"), NULL, 10));
}

static struct json *reference_to_knative(const struct json *latest) {
    static const struct {
        const char *run, *knative;
    } keys[] = {{"name", "name"},
                {"createTime", "creationTimestamp"},
                {"completionTime", "completionTimestamp"},
                {"completionStatus", "completionStatus"}};
    struct json *made = json_new_object();
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        json_set_text(made, keys[i].knative, json_get_text(latest, keys[i].run, NULL));
    return made;
}

struct json *job_to_knative(const struct json *document, const struct place *place) {
    struct json *made = object_new("Job");
    struct json *metadata = json_need_object(made, "metadata"), *spec = json_need_object(made, "spec");
    struct json *status = json_need_object(made, "status"), *template = json_need_object(spec, "template");
    struct json *execution = json_need_object(template, "spec"), *own = json_need_object(template, "metadata");
    const struct json *from = json_get(document, "template"), *latest = json_get(document, "latestCreatedExecution");
    metadata_to_knative(&job_annotations, document, document, metadata);
    describe(document, place, "jobs", metadata);
    json_set_text(json_get(metadata, "annotations"), RUN "operation-id", place->operation);
    mapping_to_knative(token_rows, document, spec);
    mapping_to_knative(template_rows, from, execution);
    task_to_spec(json_get(from, "template"), from, own,
                 json_need_object(json_need_object(execution, "template"), "spec"));
    mapping_to_knative(client_rows, from, json_need_object(own, "annotations"));
    set_observed(document, status);
    json_set(status, "conditions",
             conditions_to_knative(json_get(document, "terminalCondition"), json_get(document, "conditions"),
                                   json_get_bool(document, "reconciling", false)));
    if (json_get(document, "executionCount"))
        json_set_integer(status, "executionCount", json_get_integer(document, "executionCount", 0));
    if (latest)
        json_set(status, "latestCreatedExecution", reference_to_knative(latest));
    return made;
}

static void copy(const struct json *from, struct json *to, const char *const *keys) {
    for (; *keys; keys++)
        if (json_get(from, *keys))
            json_set(to, *keys, json_copy_deep(json_get(from, *keys)));
}

/* The one that gcloud takes for the state comes first. */
static struct json *own_conditions(const struct json *document) {
    return conditions_to_knative(NULL, json_get(document, "conditions"), false);
}

struct json *execution_to_knative(const struct json *document, const struct place *place) {
    static const char *const fields[] = {"startTime",      "completionTime", "runningCount",
                                         "succeededCount", "failedCount",    "cancelledCount",
                                         "retriedCount",   "logUri",         NULL};
    struct json *made = object_new("Execution");
    struct json *metadata = json_need_object(made, "metadata"), *spec = json_need_object(made, "spec");
    struct json *status = json_need_object(made, "status");
    mapping_to_knative(template_rows, document, spec);
    task_to_spec(json_get(document, "template"), document, metadata,
                 json_need_object(json_need_object(spec, "template"), "spec"));
    describe(document, place, "executions", metadata);
    json_set_text(json_get(metadata, "labels"), RUN "job", last_part(json_get_text(document, "job", NULL)));
    mapping_to_knative(client_rows, document, json_get(metadata, "annotations"));
    copy(document, status, fields);
    set_observed(document, status);
    json_set(status, "conditions", own_conditions(document));
    return made;
}

static const char *running_state(const struct json *document) {
    const struct json *condition = json_at(json_get(document, "conditions"), 0);
    const char *state = json_get_text(condition, "state", "");
    if (text_equal(json_get_text(condition, "executionReason", NULL), "CANCELLED"))
        return "Cancelled";
    return text_equal(state, "CONDITION_SUCCEEDED") ? "Succeeded"
           : text_equal(state, "CONDITION_FAILED")  ? "Failed"
           : json_get(document, "startTime")        ? "Running"
                                                    : "Pending";
}

struct json *task_to_knative(const struct json *document, const struct place *place) {
    static const char *const fields[] = {"startTime",         "completionTime", "index", "retried",
                                         "lastAttemptResult", "logUri",         NULL};
    struct json *made = object_new("Task");
    struct json *metadata = json_need_object(made, "metadata"), *spec = json_need_object(made, "spec");
    struct json *status = json_need_object(made, "status");
    task_to_spec(document, document, metadata, spec);
    describe(document, place, "tasks", metadata);
    struct json *labels = json_get(metadata, "labels");
    json_set_text(labels, RUN "job", last_part(json_get_text(document, "job", NULL)));
    json_set_text(labels, RUN "execution", last_part(json_get_text(document, "execution", NULL)));
    json_set_text(labels, RUN "runningState", running_state(document));
    copy(document, status, fields);
    set_observed(document, status);
    json_set(status, "conditions", own_conditions(document));
    return made;
}
