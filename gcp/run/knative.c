#include "gcp/run/knative.h"
#include "common/base/text.h"
#include "gcp/run/knative_internal.h"

/* ---- the mapping ---- */

static const char *const ingresses[] = {"all",
                                        "INGRESS_TRAFFIC_ALL",
                                        "internal",
                                        "INGRESS_TRAFFIC_INTERNAL_ONLY",
                                        "internal-and-cloud-load-balancing",
                                        "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
                                        "none",
                                        "INGRESS_TRAFFIC_NONE",
                                        NULL};
const char *const knative_environments[] = {"gen1", "EXECUTION_ENVIRONMENT_GEN1", "gen2", "EXECUTION_ENVIRONMENT_GEN2",
                                            NULL};
const char *const knative_egresses[] = {"all-traffic",         "ALL_TRAFFIC",         "all", "ALL_TRAFFIC",
                                        "private-ranges-only", "PRIVATE_RANGES_ONLY", NULL};
static const char *const scaling_modes[] = {"automatic", "AUTOMATIC", "manual", "MANUAL", NULL};
static const char *const revocations[] = {"prevent-new", "PREVENT_NEW", "shut-down", "SHUTDOWN", NULL};
static const char *const mediums[] = {"Memory", "MEMORY", "MEMORY", "MEMORY", "Disk", "DISK", "DISK", "DISK", NULL};

static const struct knative_row header_rows[] = {KNATIVE_TEXT("name"), KNATIVE_TEXT("value"), {0}};
static const struct knative_row http_rows[] = {KNATIVE_TEXT("path"),
                                               KNATIVE_SAME("port"),
                                               {.from = "httpHeaders", .take = knative_take_list, .inner = header_rows},
                                               {0}};
static const struct knative_row tcp_rows[] = {KNATIVE_SAME("port"), {0}};
static const struct knative_row grpc_rows[] = {KNATIVE_SAME("port"), KNATIVE_TEXT("service"), {0}};
static const struct knative_row probe_rows[] = {KNATIVE_SAME("initialDelaySeconds"),
                                                KNATIVE_SAME("timeoutSeconds"),
                                                KNATIVE_SAME("periodSeconds"),
                                                KNATIVE_SAME("failureThreshold"),
                                                KNATIVE_IGNORED("successThreshold"),
                                                {.from = "httpGet", .take = knative_take_object, .inner = http_rows},
                                                {.from = "tcpSocket", .take = knative_take_object, .inner = tcp_rows},
                                                {.from = "grpc", .take = knative_take_object, .inner = grpc_rows},
                                                {0}};
static const struct knative_row secret_key_rows[] = {{.from = "name", .take = knative_take_secret_name, .to = "secret"},
                                                     {.from = "key", .take = knative_take_text, .to = "version"},
                                                     {0}};
static const struct knative_row value_from_rows[] = {
    {.from = "secretKeyRef", .take = knative_take_object, .inner = secret_key_rows}, {0}};
static const struct knative_row environment_rows[] = {
    KNATIVE_TEXT("name"),
    KNATIVE_TEXT("value"),
    {.from = "valueFrom", .take = knative_take_object, .to = "valueSource", .inner = value_from_rows},
    {0}};
static const struct knative_row port_rows[] = {
    KNATIVE_TEXT("name"), KNATIVE_SAME("containerPort"), KNATIVE_IGNORED("protocol"), {0}};
static const struct knative_row mount_rows[] = {
    KNATIVE_TEXT("name"), KNATIVE_TEXT("mountPath"), KNATIVE_TEXT("subPath"), KNATIVE_IGNORED("readOnly"), {0}};
static const struct knative_row resource_rows[] = {KNATIVE_SAME("limits"), KNATIVE_IGNORED("requests"), {0}};
const struct knative_row knative_container_rows[] = {
    KNATIVE_TEXT("name"),
    KNATIVE_TEXT("image"),
    KNATIVE_SAME("command"),
    KNATIVE_SAME("args"),
    KNATIVE_TEXT("workingDir"),
    {.from = "env", .take = knative_take_list, .inner = environment_rows},
    {.from = "resources", .take = knative_take_object, .inner = resource_rows},
    {.from = "ports", .take = knative_take_list, .inner = port_rows},
    {.from = "volumeMounts", .take = knative_take_list, .inner = mount_rows},
    {.from = "startupProbe", .take = knative_take_object, .inner = probe_rows},
    {.from = "livenessProbe", .take = knative_take_object, .inner = probe_rows},
    {.from = "readinessProbe", .take = knative_take_object, .inner = probe_rows},
    {0}};

static const struct knative_row item_rows[] = {
    {.from = "key", .take = knative_take_text, .to = "version"}, KNATIVE_TEXT("path"), KNATIVE_SAME("mode"), {0}};
static const struct knative_row secret_rows[] = {
    {.from = "secretName", .take = knative_take_secret_name, .to = "secret"},
    KNATIVE_SAME("defaultMode"),
    {.from = "items", .take = knative_take_list, .inner = item_rows},
    {0}};
static const struct knative_row memory_rows[] = {
    {.from = "medium", .take = knative_take_word, .to = "medium", .words = mediums}, KNATIVE_SAME("sizeLimit"), {0}};
static const struct knative_row bucket_rows[] = {
    {.from = "bucketName", .take = knative_take_text, .to = "bucket"},
    {.from = "mountOptions", .take = knative_take_words, .to = "mountOptions"},
    {0}};
static const struct knative_row driver_rows[] = {
    {.from = "driver", .take = knative_take_must_be, .to = "gcsfuse.run.googleapis.com"},
    KNATIVE_SAME("readOnly"),
    {.from = "volumeAttributes", .take = knative_take_inside, .inner = bucket_rows},
    {0}};
static const struct knative_row nfs_rows[] = {
    KNATIVE_TEXT("server"), KNATIVE_TEXT("path"), KNATIVE_SAME("readOnly"), {0}};
const struct knative_row knative_volume_rows[] = {
    KNATIVE_TEXT("name"),
    {.from = "secret", .take = knative_take_object, .inner = secret_rows},
    {.from = "emptyDir", .take = knative_take_object, .inner = memory_rows},
    {.from = "csi", .take = knative_take_object, .to = "gcs", .inner = driver_rows},
    {.from = "nfs", .take = knative_take_object, .inner = nfs_rows},
    {0}};
const struct knative_row knative_selector_rows[] = {
    {.from = "run.googleapis.com/accelerator", .take = knative_take_text, .to = "accelerator"}, {0}};
static const struct knative_row revision_rows[] = {
    {.from = "containerConcurrency", .take = knative_take_same, .to = "maxInstanceRequestConcurrency"},
    {.from = "timeoutSeconds", .take = knative_take_seconds, .to = "timeout"},
    {.from = "serviceAccountName", .take = knative_take_text, .to = "serviceAccount"},
    {.from = "nodeSelector", .take = knative_take_object, .inner = knative_selector_rows},
    {.from = "containers", .take = knative_take_list, .inner = knative_container_rows},
    {.from = "volumes", .take = knative_take_list, .inner = knative_volume_rows},
    {0}};

static const struct knative_row template_annotations[] = {
    {.from = "autoscaling.knative.dev/minScale", .take = knative_take_number_text, .to = "scaling.minInstanceCount"},
    {.from = "autoscaling.knative.dev/maxScale", .take = knative_take_number_text, .to = "scaling.maxInstanceCount"},
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
    {.from = "run.googleapis.com/sessionAffinity", .take = knative_take_truth_text, .to = "sessionAffinity"},
    {.from = "run.googleapis.com/cpu-throttling", .take = knative_take_for_containers, .to = "resources.cpuIdle"},
    {.from = "run.googleapis.com/startup-cpu-boost",
     .take = knative_take_for_containers,
     .to = "resources.startupCpuBoost"},
    {.from = "run.googleapis.com/encryption-key", .take = knative_take_text, .to = "encryptionKey"},
    {.from = "run.googleapis.com/post-key-revocation-action-type",
     .take = knative_take_word,
     .to = "encryptionKeyRevocationAction",
     .words = revocations},
    {.from = "run.googleapis.com/encryption-key-shutdown-hours",
     .take = knative_take_hours_text,
     .to = "encryptionKeyShutdownDuration"},
    {.from = "run.googleapis.com/secrets", .take = knative_take_aliases},
    {.from = "run.googleapis.com/container-dependencies", .take = knative_take_by_container, .to = "dependsOn"},
    {.from = "run.googleapis.com/base-images", .take = knative_take_by_container, .to = "baseImageUri"},
    {.from = "run.googleapis.com/gpu-zonal-redundancy-disabled",
     .take = knative_take_truth_text,
     .to = "gpuZonalRedundancyDisabled"},
    {.from = "run.googleapis.com/health-check-disabled", .take = knative_take_truth_text, .to = "healthCheckDisabled"},
    {.from = "run.googleapis.com/mesh", .take = knative_take_text, .to = "serviceMesh.mesh"},
    KNATIVE_IGNORED("run.googleapis.com/client-name"),
    KNATIVE_IGNORED("run.googleapis.com/client-version"),
    KNATIVE_IGNORED("client.knative.dev/user-image"),
    {0}};
static const struct knative_row service_annotations[] = {
    {.from = "run.googleapis.com/ingress", .take = knative_take_word, .to = "ingress", .words = ingresses},
    {.from = "run.googleapis.com/launch-stage", .take = knative_take_text, .to = "launchStage"},
    {.from = "run.googleapis.com/description", .take = knative_take_text, .to = "description"},
    {.from = "run.googleapis.com/minScale", .take = knative_take_number_text, .to = "scaling.minInstanceCount"},
    {.from = "run.googleapis.com/maxScale", .take = knative_take_number_text, .to = "scaling.maxInstanceCount"},
    {.from = "run.googleapis.com/scalingMode",
     .take = knative_take_word,
     .to = "scaling.scalingMode",
     .words = scaling_modes},
    {.from = "run.googleapis.com/manualInstanceCount",
     .take = knative_take_number_text,
     .to = "scaling.manualInstanceCount"},
    {.from = "run.googleapis.com/invoker-iam-disabled", .take = knative_take_truth_text, .to = "invokerIamDisabled"},
    {.from = "run.googleapis.com/default-url-disabled", .take = knative_take_truth_text, .to = "defaultUriDisabled"},
    {.from = "run.googleapis.com/iap-enabled", .take = knative_take_truth_text, .to = "iapEnabled"},
    {.from = "run.googleapis.com/custom-audiences", .take = knative_take_json_list, .to = "customAudiences"},
    {.from = "run.googleapis.com/binary-authorization", .take = knative_take_binary_authorization},
    {.from = "run.googleapis.com/binary-authorization-breakglass",
     .take = knative_take_text,
     .to = "binaryAuthorization.breakglassJustification"},
    KNATIVE_IGNORED("run.googleapis.com/client-name"),
    KNATIVE_IGNORED("run.googleapis.com/client-version"),
    KNATIVE_IGNORED("run.googleapis.com/ingress-status"),
    KNATIVE_IGNORED("run.googleapis.com/operation-id"),
    KNATIVE_IGNORED("run.googleapis.com/urls"),
    KNATIVE_IGNORED("serving.knative.dev/creator"),
    KNATIVE_IGNORED("serving.knative.dev/lastModifier"),
    KNATIVE_IGNORED("client.knative.dev/user-image"),
    {0}};

/* ---- metadata ---- */

static bool is_googles(const char *key) {
    static const char *const domains[] = {"run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/",
                                          "autoscaling.knative.dev/", "client.knative.dev/"};
    for (size_t i = 0; i < ARRAY_LENGTH(domains); i++)
        if (text_starts_with(key, domains[i]))
            return true;
    return false;
}

/* Google's own labels only tell what a service has become. */
int knative_take_labels(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                        struct json *to, const char *place) {
    for (void *i = json_first(value); i; i = json_next(value, i)) {
        if (!json_is_text(json_value(i)))
            return knative_refuse(reading, place, "must be text each; put it in quotes");
        if (!is_googles(json_key(i)))
            json_set_text(json_need_object(to, row->from), json_key(i), json_text(json_value(i)));
    }
    return json_is_object(value) ? 0 : knative_refuse(reading, place, "is no mapping");
}

/* Google's own by the rows, the others as they are. */
int knative_take_annotations(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                             struct json *to, const char *place) {
    AUTO_JSON struct json *googles = json_new_object();
    if (!json_is_object(value))
        return knative_refuse(reading, place, "is no mapping");
    for (void *i = json_first(value); i; i = json_next(value, i))
        if (is_googles(json_key(i)))
            json_set(googles, json_key(i), json_share(json_value(i)));
        else if (json_is_text(json_value(i)))
            json_set_text(json_need_object(to, "annotations"), json_key(i), json_text(json_value(i)));
        else
            return knative_refuse(reading, place, "must be text each; put it in quotes");
    return knative_take_members(reading, row->inner, googles, to, place);
}

static const struct knative_row template_metadata[] = {
    {.from = "name", .take = knative_take_text, .to = "revision"},
    {.from = "labels", .take = knative_take_labels},
    {.from = "annotations", .take = knative_take_annotations, .inner = template_annotations},
    KNATIVE_IGNORED("creationTimestamp"),
    {0}};
static const struct knative_row service_metadata[] = {
    KNATIVE_TEXT("name"),
    {.from = "labels", .take = knative_take_labels},
    {.from = "annotations", .take = knative_take_annotations, .inner = service_annotations},
    KNATIVE_IGNORED("namespace"),
    KNATIVE_IGNORED("generation"),
    KNATIVE_IGNORED("resourceVersion"),
    KNATIVE_IGNORED("selfLink"),
    KNATIVE_IGNORED("uid"),
    KNATIVE_IGNORED("creationTimestamp"),
    {0}};

/* ---- spec ---- */

/* Without the annotation a CPU is throttled in v1; in v2 it is not where resources are named and nothing is said of it.
 */
static void throttle(struct json *template) {
    const struct json *containers = json_get(template, "containers");
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *resources = json_get(json_at(containers, i), "resources");
        if (resources && !json_get(resources, "cpuIdle"))
            json_set_bool(resources, "cpuIdle", true);
    }
}

/* The revision before its metadata: annotations speak of containers. */
static int take_template(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                         struct json *to, const char *place) {
    static const struct knative_row parts[] = {KNATIVE_SAME("spec"), KNATIVE_SAME("metadata"), {0}};
    AUTO_JSON struct json *known = json_new_object();
    AUTO_FREE char *spec = text_format("%s.spec", place), *metadata = text_format("%s.metadata", place);
    (void)row;
    if (knative_take_members(reading, parts, value, known, place) < 0)
        return -1;
    reading->template = json_need_object(to, "template");
    reading->aliases = json_get(json_get_path(value, "metadata.annotations"), "run.googleapis.com/secrets");
    if (knative_take_members(reading, revision_rows, json_get(value, "spec"), reading->template, spec) < 0)
        return -1;
    if (json_get(value, "metadata") &&
        knative_take_members(reading, template_metadata, json_get(value, "metadata"), reading->template, metadata) < 0)
        return -1;
    throttle(reading->template);
    return 0;
}

static int take_traffic(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                        struct json *to, const char *place) {
    static const struct knative_row target_rows[] = {
        KNATIVE_SAME("percent"),
        KNATIVE_TEXT("tag"),
        {.from = "revisionName", .take = knative_take_text, .to = "revision"},
        KNATIVE_IGNORED("latestRevision"),
        KNATIVE_IGNORED("url"),
        {0}};
    const struct knative_row targets = {.from = row->from, .inner = target_rows};
    if (knative_take_list(reading, &targets, value, to, place) < 0)
        return -1;
    struct json *traffic = json_get(to, row->from);
    for (size_t i = 0; i < json_count(traffic); i++)
        json_set_text(json_at(traffic, i), "type",
                      json_get(json_at(traffic, i), "revision") ? "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
                                                                : "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST");
    return 0;
}

bool run_knative_is(const struct json *document) {
    return json_get(document, "apiVersion") != NULL;
}

struct json *run_knative_service(const struct json *document, const char *what, struct error *error) {
    static const struct knative_row spec_rows[] = {
        {.from = "template", .take = take_template}, {.from = "traffic", .take = take_traffic}, {0}};
    static const struct knative_row document_rows[] = {
        {.from = "apiVersion", .take = knative_take_must_be, .to = "serving.knative.dev/v1"},
        {.from = "kind", .take = knative_take_must_be, .to = "Service"},
        {.from = "metadata", .take = knative_take_inside, .inner = service_metadata},
        {.from = "spec", .take = knative_take_inside, .inner = spec_rows},
        KNATIVE_IGNORED("status"),
        {0}};
    AUTO_JSON struct json *service = json_new_object();
    struct knative_reading reading = {.what = what, .error = error};
    if (knative_take_members(&reading, document_rows, document, service, "") < 0)
        return NULL;
    if (!json_get_text(service, "name", NULL) || !json_count(json_get_path(service, "template.containers"))) {
        error_set(error, ERROR_DATA, "%s is no Service: it has no %s", what,
                  json_get_text(service, "name", NULL) ? "spec.template.spec.containers" : "metadata.name");
        return NULL;
    }
    return take_pointer(&service);
}
