/* Jobs as Knative's YAML has them: what differs from services. */
#include "common/base/text.h"
#include "gcp/run/knative.h"
#include "gcp/run/knative_internal.h"

static const struct knative_row task_rows[] = {
    KNATIVE_SAME("maxRetries"),
    {.from = "timeoutSeconds", .take = knative_take_seconds, .to = "timeout"},
    {.from = "serviceAccountName", .take = knative_take_text, .to = "serviceAccount"},
    {.from = "nodeSelector", .take = knative_take_object, .inner = knative_selector_rows},
    {.from = "containers", .take = knative_take_list, .inner = knative_container_rows},
    {.from = "volumes", .take = knative_take_list, .inner = knative_volume_rows},
    {0}};

/* Of the TaskTemplate. */
static const struct knative_row execution_annotations[] = {
    {.from = "run.googleapis.com/cloudsql-instances", .take = knative_take_cloudsql},
    {.from = "run.googleapis.com/vpc-access-connector", .take = knative_take_text, .to = "vpcAccess.connector"},
    {.from = "run.googleapis.com/vpc-access-egress",
     .take = knative_take_word,
     .to = "vpcAccess.egress",
     .words = knative_egresses},
    {.from = "run.googleapis.com/network-interfaces",
     .take = knative_take_json_list,
     .to = "vpcAccess.networkInterfaces"},
    {.from = "run.googleapis.com/execution-environment",
     .take = knative_take_word,
     .to = "executionEnvironment",
     .words = knative_environments},
    {.from = "run.googleapis.com/encryption-key", .take = knative_take_text, .to = "encryptionKey"},
    {.from = "run.googleapis.com/gpu-zonal-redundancy-disabled",
     .take = knative_take_truth_text,
     .to = "gpuZonalRedundancyDisabled"},
    {.from = "run.googleapis.com/secrets", .take = knative_take_aliases},
    KNATIVE_IGNORED("run.googleapis.com/client-name"),
    KNATIVE_IGNORED("run.googleapis.com/client-version"),
    KNATIVE_IGNORED("client.knative.dev/user-image"),
    {0}};
static const struct knative_row job_annotations[] = {
    {.from = "run.googleapis.com/launch-stage", .take = knative_take_text, .to = "launchStage"},
    {.from = "run.googleapis.com/binary-authorization", .take = knative_take_binary_authorization},
    {.from = "run.googleapis.com/binary-authorization-breakglass",
     .take = knative_take_text,
     .to = "binaryAuthorization.breakglassJustification"},
    KNATIVE_IGNORED("run.googleapis.com/client-name"),
    KNATIVE_IGNORED("run.googleapis.com/client-version"),
    KNATIVE_IGNORED("run.googleapis.com/creator"),
    KNATIVE_IGNORED("run.googleapis.com/lastModifier"),
    KNATIVE_IGNORED("run.googleapis.com/operation-id"),
    KNATIVE_IGNORED("client.knative.dev/user-image"),
    {0}};
static const struct knative_row job_metadata[] = {
    KNATIVE_TEXT("name"),
    {.from = "labels", .take = knative_take_labels},
    {.from = "annotations", .take = knative_take_annotations, .inner = job_annotations},
    KNATIVE_IGNORED("namespace"),
    KNATIVE_IGNORED("generation"),
    KNATIVE_IGNORED("resourceVersion"),
    KNATIVE_IGNORED("selfLink"),
    KNATIVE_IGNORED("uid"),
    KNATIVE_IGNORED("creationTimestamp"),
    {0}};

/* Google's own are about the task, the others are the execution's. */
static int take_annotations(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                            struct json *to, const char *place) {
    if (knative_take_annotations(reading, row, value, reading->template, place) < 0)
        return -1;
    struct json *own = json_get(reading->template, "annotations");
    if (own)
        json_set(to, "annotations", json_share(own));
    json_remove(reading->template, "annotations");
    return 0;
}

/* The task before the metadata: annotations speak of containers. */
static int take_template(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                         struct json *to, const char *place) {
    static const struct knative_row parts[] = {KNATIVE_SAME("spec"), KNATIVE_SAME("metadata"), {0}};
    static const struct knative_row template_rows[] = {
        {.from = "spec", .take = knative_take_inside, .inner = task_rows}, {0}};
    static const struct knative_row spec_rows[] = {
        KNATIVE_SAME("parallelism"),
        KNATIVE_SAME("taskCount"),
        {.from = "template", .take = knative_take_object, .inner = template_rows},
        {0}};
    static const struct knative_row metadata_rows[] = {
        {.from = "labels", .take = knative_take_labels},
        {.from = "annotations", .take = take_annotations, .inner = execution_annotations},
        KNATIVE_IGNORED("creationTimestamp"),
        {0}};
    AUTO_JSON struct json *known = json_new_object();
    AUTO_FREE char *spec = text_format("%s.spec", place), *metadata = text_format("%s.metadata", place);
    struct json *template = json_need_object(to, row->from);
    if (knative_take_members(reading, parts, value, known, place) < 0)
        return -1;
    reading->aliases = json_get(json_get_path(value, "metadata.annotations"), "run.googleapis.com/secrets");
    if (knative_take_members(reading, spec_rows, json_get(value, "spec"), template, spec) < 0)
        return -1;
    reading->template = json_need_object(template, "template");
    return json_get(value, "metadata")
               ? knative_take_members(reading, metadata_rows, json_get(value, "metadata"), template, metadata)
               : 0;
}

struct json *run_knative_job(const struct json *document, const char *what, struct error *error) {
    static const struct knative_row spec_rows[] = {{.from = "template", .take = take_template},
                                                   KNATIVE_TEXT("startExecutionToken"),
                                                   KNATIVE_TEXT("runExecutionToken"),
                                                   {0}};
    static const struct knative_row document_rows[] = {
        {.from = "apiVersion", .take = knative_take_must_be, .to = "run.googleapis.com/v1"},
        {.from = "kind", .take = knative_take_must_be, .to = "Job"},
        {.from = "metadata", .take = knative_take_inside, .inner = job_metadata},
        {.from = "spec", .take = knative_take_inside, .inner = spec_rows},
        KNATIVE_IGNORED("status"),
        {0}};
    AUTO_JSON struct json *job = json_new_object();
    struct knative_reading reading = {.what = what, .error = error};
    if (knative_take_members(&reading, document_rows, document, job, "") < 0)
        return NULL;
    if (!json_get_text(job, "name", NULL) || !json_count(json_get_path(job, "template.template.containers"))) {
        error_set(error, ERROR_DATA, "%s is no Job: it has no %s", what,
                  json_get_text(job, "name", NULL) ? "spec.template.spec.template.spec.containers" : "metadata.name");
        return NULL;
    }
    return take_pointer(&job);
}
