#include "local/knative/service.h"

#include "common/base/text.h"
#include "local/knative/pod.h"
#include "local/run/message.h"

#include <string.h>

#define SERVING "serving.knative.dev"
#define LATEST "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
#define TO_REVISION "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

static const char *last_part(const char *name) {
    const char *slash = name ? strrchr(name, '/') : NULL;
    return slash ? slash + 1 : name;
}

/* ---- to v2 ---- */

static struct json *target_to_run(const struct json *target) {
    struct json *made = json_new_object();
    const char *revision = json_get_text(target, "revisionName", NULL);
    json_set_text(made, "type", revision ? TO_REVISION : LATEST);
    json_set_text(made, "revision", revision);
    if (json_get_integer(target, "percent", 0))
        json_set_integer(made, "percent", json_get_integer(target, "percent", 0));
    json_set_text(made, "tag", json_get_text(target, "tag", NULL));
    return made;
}

static int traffic_to_run(const struct json *traffic, struct json *service, struct error *error) {
    struct json *made = json_new_array();
    json_set(service, "traffic", made);
    for (size_t i = 0; i < json_count(traffic); i++) {
        const struct json *target = json_at(traffic, i);
        if (json_get(target, "configurationName"))
            return error_set(error, ERROR_DATA, "spec.traffic[%zu].configurationName: must be empty", i);
        if (json_get_bool(target, "latestRevision", false) && json_get(target, "revisionName"))
            return error_set(error, ERROR_DATA,
                             "spec.traffic[%zu].latestRevision: must be false when revisionName is set", i);
        json_append(made, target_to_run(target));
    }
    if (json_count(made) == 0)
        json_remove(service, "traffic");
    return 0;
}

struct json *service_to_run(const struct json *knative, struct error *error) {
    const struct json *spec = json_get(knative, "spec"), *template = json_get(spec, "template");
    AUTO_JSON struct json *service = json_new_object();
    struct json *made = json_need_object(service, "template");
    if (!text_equal(json_get_text(knative, "kind", "Service"), "Service") ||
        !text_equal(json_get_text(knative, "apiVersion", SERVING "/v1"), SERVING "/v1")) {
        error_set(error, ERROR_DATA, "apiVersion: must be '" SERVING "/v1', of kind 'Service'");
        return NULL;
    }
    if (metadata_to_run(&service_annotations, json_get(knative, "metadata"), service, service, error) < 0 ||
        pod_to_run(&revision_annotations, json_get(template, "metadata"), json_get(template, "spec"),
                   "spec.template.spec", made, made, error) < 0 ||
        traffic_to_run(json_get(spec, "traffic"), service, error) < 0)
        return NULL;
    json_set_text(made, "revision", json_get_text(json_get(template, "metadata"), "name", NULL));
    /* What stood in annotations has not been looked at yet. */
    return message_normalise(&service_message, service, "service", error) < 0 ? NULL : json_share(service);
}

/* ---- to v1 ---- */

static struct json *target_to_knative(const struct json *target, const char *latest) {
    struct json *made = json_new_object();
    bool is_latest = !text_equal(json_get_text(target, "type", NULL), TO_REVISION);
    const char *revision = is_latest ? latest : last_part(json_get_text(target, "revision", NULL));
    json_set_text(made, "revisionName", revision);
    if (json_get_integer(target, "percent", 0))
        json_set_integer(made, "percent", json_get_integer(target, "percent", 0));
    if (is_latest)
        json_set_bool(made, "latestRevision", true);
    json_set_text(made, "tag", json_get_text(target, "tag", NULL));
    json_set_text(made, "url", json_get_text(target, "uri", NULL));
    return made;
}

/* `latest`: the revision that the newest one is now, or NULL in a spec. */
static struct json *traffic_to_knative(const struct json *targets, const char *latest) {
    struct json *made = json_new_array();
    for (size_t i = 0; i < json_count(targets); i++)
        json_append(made, target_to_knative(json_at(targets, i), latest));
    return made;
}

static struct json *template_to_knative(const struct json *template) {
    struct json *made = json_new_object();
    struct json *metadata = json_need_object(made, "metadata");
    json_set_text(metadata, "name", json_get_text(template, "revision", NULL));
    pod_to_knative(&revision_annotations, template, template, metadata, json_need_object(made, "spec"));
    return made;
}

static struct json *object_new(const char *kind) {
    struct json *made = json_new_object();
    json_set_text(made, "apiVersion", SERVING "/v1");
    json_set_text(made, "kind", kind);
    return made;
}

static int64_t number_of(const struct json *document, const char *key) {
    return strtoll(json_get_text(document, key, "0"), NULL, 10);
}

static void set_observed(const struct json *document, struct json *status) {
    if (number_of(document, "observedGeneration"))
        json_set_integer(status, "observedGeneration", number_of(document, "observedGeneration"));
}

static void set_conditions(const struct json *document, struct json *status) {
    json_set(status, "conditions",
             conditions_to_knative(json_get(document, "terminalCondition"), json_get(document, "conditions"),
                                   json_get_bool(document, "reconciling", false)));
}

static void set_revisions(const struct json *document, struct json *status) {
    json_set_text(status, "latestReadyRevisionName", last_part(json_get_text(document, "latestReadyRevision", NULL)));
    json_set_text(status, "latestCreatedRevisionName",
                  last_part(json_get_text(document, "latestCreatedRevision", NULL)));
}

static void set_routes(const struct json *document, struct json *status) {
    const char *latest = last_part(json_get_text(document, "latestReadyRevision", NULL));
    const char *uri = json_get_text(document, "uri", NULL);
    if (json_get(document, "trafficStatuses"))
        json_set(status, "traffic", traffic_to_knative(json_get(document, "trafficStatuses"), latest));
    json_set_text(status, "url", uri);
    json_set_text(json_need_object(status, "address"), "url", uri);
}

static void annotate_service(const struct json *document, const struct place *place, struct json *annotations) {
    AUTO_FREE char *urls = json_format(json_get(document, "urls"), JSON_COMPACT_STYLE);
    const char *ingress = json_get_text(annotations, "run.googleapis.com/ingress", NULL);
    if (json_get(document, "urls"))
        json_set_text(annotations, "run.googleapis.com/urls", urls);
    json_set_text(annotations, "run.googleapis.com/ingress-status", ingress);
    json_set_text(annotations, "run.googleapis.com/operation-id", place->operation);
}

struct json *service_to_knative(const struct json *document, const struct place *place) {
    struct json *made = object_new("Service");
    struct json *metadata = json_need_object(made, "metadata"), *spec = json_need_object(made, "spec");
    struct json *status = json_need_object(made, "status");
    metadata_to_knative(&service_annotations, document, document, metadata);
    metadata_describe(document, place->number, place->region, SERVING, "services", metadata);
    annotate_service(document, place, json_get(metadata, "annotations"));
    json_set(spec, "template", template_to_knative(json_get(document, "template")));
    json_set(spec, "traffic", traffic_to_knative(json_get(document, "traffic"), NULL));
    set_observed(document, status);
    set_conditions(document, status);
    set_revisions(document, status);
    set_routes(document, status);
    return made;
}

struct json *route_to_knative(const struct json *document, const struct place *place) {
    struct json *made = object_new("Route");
    struct json *status = json_need_object(made, "status");
    metadata_describe(document, place->number, place->region, SERVING, "routes", json_need_object(made, "metadata"));
    json_set(json_need_object(made, "spec"), "traffic", traffic_to_knative(json_get(document, "traffic"), NULL));
    set_observed(document, status);
    set_conditions(document, status);
    set_routes(document, status);
    return made;
}

struct json *configuration_to_knative(const struct json *document, const struct place *place) {
    struct json *made = object_new("Configuration");
    struct json *status = json_need_object(made, "status");
    metadata_describe(document, place->number, place->region, SERVING, "configurations",
                      json_need_object(made, "metadata"));
    json_set(json_need_object(made, "spec"), "template", template_to_knative(json_get(document, "template")));
    set_observed(document, status);
    set_conditions(document, status);
    set_revisions(document, status);
    return made;
}

/* ---- a revision ---- */

static bool is_served(const struct json *service, const char *name) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    const char *latest = last_part(json_get_text(service, "latestReadyRevision", NULL));
    for (size_t i = 0; i < json_count(statuses); i++) {
        const struct json *target = json_at(statuses, i);
        bool is_latest = text_equal(json_get_text(target, "type", NULL), LATEST);
        if (text_equal(is_latest ? latest : last_part(json_get_text(target, "revision", NULL)), name))
            return true;
    }
    return false;
}

static void add_active(const struct json *document, bool active, struct json *conditions) {
    struct json *condition = json_new_object();
    json_set_text(condition, "type", "Active");
    json_set_text(condition, "status", active ? "True" : "False");
    json_set_text(condition, "severity", "Info");
    if (!active)
        json_set_text(condition, "reason", "NoTraffic");
    json_set_text(condition, "lastTransitionTime", json_get_text(document, "updateTime", NULL));
    json_append(conditions, condition);
}

static void describe_revision(const struct json *document, const struct json *service, struct json *metadata) {
    const char *parent = last_part(json_get_text(service, "name", ""));
    struct json *labels = json_get(metadata, "labels"), *owners = json_new_array(), *owner = json_new_object();
    json_set_text(labels, SERVING "/service", parent);
    json_set_text(labels, SERVING "/configuration", parent);
    json_set_text(labels, SERVING "/route", parent);
    json_set_text(labels, SERVING "/configurationGeneration", json_get_text(document, "generation", "1"));
    json_set_text(labels, SERVING "/serviceUid", json_get_text(service, "uid", NULL));
    json_set_text(owner, "apiVersion", SERVING "/v1");
    json_set_text(owner, "kind", "Configuration");
    json_set_text(owner, "name", parent);
    json_set_text(owner, "uid", json_get_text(service, "uid", NULL));
    json_set_bool(owner, "controller", true);
    json_set_bool(owner, "blockOwnerDeletion", true);
    json_append(owners, owner);
    json_set(metadata, "ownerReferences", owners);
}

struct json *revision_to_knative(const struct json *document, const struct json *service, const struct place *place) {
    struct json *made = object_new("Revision");
    struct json *metadata = json_need_object(made, "metadata"), *spec = json_need_object(made, "spec");
    struct json *status = json_need_object(made, "status");
    const char *name = last_part(json_get_text(document, "name", ""));
    const char *image = json_get_text(json_at(json_get(document, "containers"), 0), "image", "");
    pod_to_knative(&revision_annotations, document, document, metadata, spec);
    metadata_describe(document, place->number, place->region, SERVING, "revisions", metadata);
    describe_revision(document, service, metadata);
    set_observed(document, status);
    set_conditions(document, status);
    add_active(document, is_served(service, name), json_get(status, "conditions"));
    json_set_text(status, "logUrl", json_get_text(document, "logUri", NULL));
    if (strstr(image, "@sha256:"))
        json_set_text(status, "imageDigest", image);
    return made;
}

/* ---- refusals ---- */

struct field_place {
    const char *run, *knative;
};

static bool replace_place(struct error *error, const char *prefix, const struct field_place *places) {
    if (!text_starts_with(error->text, prefix))
        return false;
    const char *field = error->text + strlen(prefix);
    for (; places->run; places++)
        if (text_starts_with(field, places->run)) {
            AUTO_FREE char *text = text_format("%s%s", places->knative, field + strlen(places->run));
            error_set(error, error->kind, "%s", text);
            return true;
        }
    return false;
}

void refusal_to_knative(struct error *error) {
    static const struct field_place of_service[] = {
        {"template.containers", "spec.template.spec.containers"},
        {"template.volumes", "spec.template.spec.volumes"},
        {"template.timeout", "spec.template.spec.timeout_seconds"},
        {"template.max_instance_request_concurrency", "spec.template.spec.container_concurrency"},
        {"template.scaling", "spec.template.metadata.annotations"},
        {"template.revision", "spec.template.metadata.name"},
        {"template.", "spec.template.metadata."},
        {"traffic", "spec.traffic"},
        {"", "metadata."},
        {0}};
    static const struct field_place of_job[] = {
        {"template.template.timeout", "spec.template.spec.template.spec.timeout_seconds"},
        {"template.template.", "spec.template.spec.template.spec."},
        {"template.task_count", "spec.template.spec.task_count"},
        {"template.parallelism", "spec.template.spec.parallelism"},
        {"template.", "spec.template.metadata."},
        {"", "metadata."},
        {0}};
    /* Some of v2's refusals begin with the field itself. */
    if (text_starts_with(error->text, "template.template."))
        replace_place(error, "", of_job);
    else if (text_starts_with(error->text, "template."))
        replace_place(error, "", of_service);
    else if (!replace_place(error, "Violation in UpdateServiceRequest.service.", of_service))
        replace_place(error, "Violation in UpdateJobRequest.job.", of_job);
}
