/* What Cloud Run refuses in a service, and what it fills in. */
#include "local/run/internal.h"
#include "local/run/reserved.h"

#include <string.h>

enum {
    TIMEOUT_MOST = 3600,
    CONCURRENCY_MOST = 1000,
    CONCURRENCY_DEFAULT = 80,
    INSTANCES_MOST = 1000,
    DESCRIPTION_MOST = 512,
    LABELS_MOST = 64,
    DEFAULT_PORT = 8080
};

/* ---- the subject of a request ---- */

static const char *const service_variables[] = {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", NULL};
const struct subject service_subject = {.request = "UpdateServiceRequest.service",
                                        .template = "template",
                                        .reserved = service_variables,
                                        .keeps_reserved = true,
                                        .serves = true};

int subject_refuse(const struct subject *subject, const char *field, struct error *error, const char *why) {
    return error_set(error, ERROR_DATA, "Violation in %s.%s: %s", subject->request, field, why);
}

static int refuse(const char *field, struct error *error, const char *why) {
    return subject_refuse(&service_subject, field, error, why);
}

/* ---- names and labels ---- */

/* "team", or, as Kubernetes has it, "example.com/team". */
static bool is_label_key(const char *key) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;
    return strlen(name) <= 63 && *name >= 'a' && *name <= 'z' && strspn(name, letters) == strlen(name) &&
           (!slash || (size_t)(slash - key) == strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789.-"));
}

int subject_check_labels(const struct subject *subject, const struct json *labels, const char *field, bool values,
                         struct error *error) {
    if (json_count(labels) > LABELS_MOST)
        return subject_refuse(subject, field, error, "too many labels");
    for (void *i = json_first(labels); i; i = json_next(labels, i)) {
        const char *key = json_key(i), *value = json_text(json_value(i));
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
        if (is_reserved_key(key) && subject->keeps_reserved)
            continue;
        if (is_reserved_key(key))
            return subject_refuse(
                subject, field, error,
                "labels and annotations with run.googleapis.com, cloud.googleapis.com, serving.knative.dev, or "
                "autoscaling.knative.dev namespaces are not supported in the v2 API");
        if (values && (!is_label_key(key) || strlen(value) > 63 || strspn(value, allowed) != strlen(value)))
            return subject_refuse(
                subject, field, error,
                "label keys and values may have 63 lower-case letters, digits, '-' and '_', and keys begin with "
                "a letter");
    }
    return 0;
}

/* ---- the rest ---- */

bool seconds_between(const char *text, long least, long most) {
    char *end = NULL;
    double value = strtod(text, &end);
    return end && text_equal(end, "s") && value >= (double)least && value <= (double)most;
}

static int check_scaling(const struct json *scaling, const char *field, struct error *error) {
    AUTO_FREE char *least_field = text_format("%s.min_instance_count", field);
    AUTO_FREE char *most_field = text_format("%s.max_instance_count", field);
    int64_t least = json_get_integer(scaling, "minInstanceCount", 0);
    int64_t most = json_get_integer(scaling, "maxInstanceCount", INSTANCES_MOST);
    if (least < 0)
        return refuse(least_field, error, "must be greater or equal than 0.");
    if (most < 1 || most > INSTANCES_MOST)
        return refuse(most_field, error, "must be between 1 and 1000.");
    return least > most ? refuse(most_field, error, "must be greater or equal than min_instance_count.") : 0;
}

/* Of the service itself. */
static int check_service_scaling(const struct json *scaling, struct error *error) {
    bool manual = text_equal(json_get_text(scaling, "scalingMode", NULL), "MANUAL");
    const struct json *count = json_get(scaling, "manualInstanceCount");
    if (manual && (!count || json_number(count) < 0 || json_number(count) > INSTANCES_MOST))
        return refuse("scaling.manual_instance_count", error, "must be between 0 and 1000 in manual scaling mode.");
    if (!manual && count)
        return refuse("scaling.manual_instance_count", error, "can only be set in manual scaling mode.");
    return check_scaling(scaling, "scaling", error);
}

/* What less than one CPU in all containers together forbids. */
static int check_processors(const struct json *template, struct error *error) {
    static const char field[] = "template.containers.resources.limits.cpu: Invalid value specified for cpu.";
    const struct json *containers = json_get(template, "containers");
    bool idles = true;
    for (size_t i = 0; i < json_count(containers); i++)
        idles = idles && json_get_bool(json_get(json_at(containers, i), "resources"), "cpuIdle", false);
    if (template_processors(template) >= 1000)
        return 0;
    if (json_get_integer(template, "maxInstanceRequestConcurrency", 1) > 1)
        return error_set(error, ERROR_DATA, "%s Total cpu < 1 is not supported with concurrency > 1.", field);
    if (!idles)
        return error_set(error, ERROR_DATA,
                         "%s Total cpu < 1 is not supported with cpu always allocated (unthrottled).", field);
    if (text_equal(json_get_text(template, "executionEnvironment", NULL), "EXECUTION_ENVIRONMENT_GEN2"))
        return error_set(error, ERROR_DATA, "%s Total cpu < 1 is not supported with gen2 execution environment.",
                         field);
    return 0;
}

static int check_template(const struct service *service, const struct json *template, const char *own_name,
                          struct error *error) {
    int64_t concurrency = json_get_integer(template, "maxInstanceRequestConcurrency", 1);
    const char *revision = json_get_text(template, "revision", NULL);
    const char *timeout = json_get_text(template, "timeout", "300s");
    AUTO_FREE char *prefix = text_format("%s-", own_name);
    if (!seconds_between(timeout, 1, TIMEOUT_MOST))
        return refuse("template.timeout", error,
                      seconds_between(timeout, 0, TIMEOUT_MOST) ? "must be at least one second."
                                                                : "maximum allowed time is one hour.");
    if (concurrency < 1 || concurrency > CONCURRENCY_MOST)
        return refuse("template.max_instance_request_concurrency", error, "must be between 1 and 1000");
    if (revision && *own_name &&
        (!text_starts_with(revision, prefix) || strlen(revision) > 63 ||
         strspn(revision, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(revision)))
        return refuse("template.revision", error,
                      "must be prefixed by the name of the Service, and have lower-case letters, digits and hyphens");
    if (revision && service && service_find_revision(service, revision) &&
        !json_same(template, json_get(service->document, "template")))
        return error_set(error, ERROR_CANNOT_WRITE,
                         "Revision named '%.63s' with different configuration already exists.", revision);
    if (check_scaling(json_get(template, "scaling"), "template.scaling", error) < 0 ||
        subject_check_labels(&service_subject, json_get(template, "labels"), "template.labels", true, error) < 0 ||
        subject_check_labels(&service_subject, json_get(template, "annotations"), "template.annotations", false,
                             error) < 0)
        return -1;
    if (subject_check_template(&service_subject, template, error) < 0)
        return -1;
    return check_processors(template, error);
}

/* One that there is, or that comes with this very change. */
static bool is_known_revision(const struct service *service, const char *revision, const char *coming) {
    const char *slash = strrchr(revision, '/');
    const char *name = slash ? slash + 1 : revision;
    return text_equal(name, coming) || (service && service_find_revision(service, name));
}

static bool is_tag(const char *tag) {
    size_t length = strlen(tag);
    return length > 0 && length <= 46 && tag[0] >= 'a' && tag[0] <= 'z' && tag[length - 1] != '-' &&
           strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static int check_target(const struct service *service, const struct json *target, const char *coming,
                        struct error *error) {
    const char *revision = json_get_text(target, "revision", NULL);
    bool latest = text_equal(json_get_text(target, "type", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"),
                             "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST");
    int64_t percent = json_get_integer(target, "percent", 0);
    const char *tag = json_get_text(target, "tag", NULL);
    if (latest == (revision != NULL))
        return refuse("traffic", error,
                      "a target of type LATEST has no revision, and one of type REVISION must name it");
    if (percent < 0 || percent > 100)
        return refuse("traffic", error, "percent must be between 0 and 100");
    if (tag && !is_tag(tag))
        return refuse(
            "traffic", error,
            "a tag has lower-case letters, digits and hyphens, begins with a letter, does not end with a hyphen "
            "and has at most 46 characters");
    if (!latest && !is_known_revision(service, revision, coming))
        return error_set(error, ERROR_DATA,
                         "Revision '%.63s' does not exist or is deleted. Update all traffic to route to currently "
                         "available revisions.",
                         revision);
    return 0;
}

static int check_traffic(const struct service *service, const struct json *traffic, const char *coming,
                         struct error *error) {
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(traffic); i++) {
        const char *tag = json_get_text(json_at(traffic, i), "tag", NULL);
        if (check_target(service, json_at(traffic, i), coming, error) < 0)
            return -1;
        sum += json_get_integer(json_at(traffic, i), "percent", 0);
        for (size_t j = 0; tag && j < i; j++)
            if (text_equal(json_get_text(json_at(traffic, j), "tag", NULL), tag))
                return refuse("traffic", error, "a tag is there twice");
    }
    return sum == 100 ? 0 : refuse("traffic", error, "the percentages must add up to 100");
}

int service_validate(const struct service *service, const struct json *document, struct error *error) {
    const struct json *template = json_get(document, "template");
    if (!template)
        return refuse("template", error, "required field not present.");
    if (strlen(json_get_text(document, "description", "")) > DESCRIPTION_MOST)
        return refuse("description", error, "must have at most 512 characters.");
    if (subject_check_labels(&service_subject, json_get(document, "labels"), "labels", true, error) < 0 ||
        subject_check_labels(&service_subject, json_get(document, "annotations"), "annotations", false, error) < 0 ||
        check_template(service, template, service ? service->name : "", error) < 0)
        return -1;
    if (check_service_scaling(json_get(document, "scaling"), error) < 0)
        return -1;
    return check_traffic(service, json_get(document, "traffic"), json_get_text(template, "revision", NULL), error);
}

/* ---- defaults ---- */

void fill_text(struct json *object, const char *key, const char *value) {
    if (!json_get(object, key))
        json_set_text(object, key, value);
}

static struct json *fill_object(struct json *object, const char *key) {
    if (!json_get(object, key))
        json_set(object, key, json_new_object());
    return json_get(object, key);
}

/* Of the container that takes requests: the only one, or one that names its port. */
static void fill_port(struct json *container, bool is_only) {
    if (!json_get(container, "ports") && is_only) {
        json_set(container, "ports", json_new_array());
        json_append(json_get(container, "ports"), json_new_object());
    }
    struct json *port = json_at(json_get(container, "ports"), 0);
    if (port)
        fill_text(port, "name", "http1");
    if (port && !json_get(port, "containerPort"))
        json_set_integer(port, "containerPort", DEFAULT_PORT);
}

static void fill_container(struct json *container, bool is_only) {
    bool given = json_get(container, "resources") != NULL;
    struct json *resources = fill_object(container, "resources"), *limits = fill_object(resources, "limits");
    fill_text(limits, "cpu", "1000m");
    fill_text(limits, "memory", "512Mi");
    /* Google: whoever says anything about resources decides about cpuIdle, too. */
    if (!given)
        json_set_bool(resources, "cpuIdle", true);
    fill_port(container, is_only);
}

void service_fill(const struct run *run, struct json *document) {
    struct json *template = json_get(document, "template");
    fill_text(document, "ingress", "INGRESS_TRAFFIC_ALL");
    fill_text(document, "launchStage", "GA");
    if (!json_get(document, "traffic")) {
        struct json *traffic = json_new_array(), *target = json_new_object();
        json_set_text(target, "type", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST");
        json_set_integer(target, "percent", 100);
        json_append(traffic, target);
        json_set(document, "traffic", traffic);
    }
    if (!template)
        return;
    fill_text(template, "timeout", "300s");
    fill_text(template, "serviceAccount", run->cloud->email);
    struct json *scaling = fill_object(template, "scaling");
    if (!json_get(scaling, "maxInstanceCount"))
        json_set_integer(scaling, "maxInstanceCount", 100);
    struct json *containers = json_get(template, "containers");
    for (size_t i = 0; i < json_count(containers); i++)
        fill_container(json_at(containers, i), json_count(containers) == 1);
    if (!json_get(template, "maxInstanceRequestConcurrency"))
        json_set_integer(template, "maxInstanceRequestConcurrency",
                         template_processors(template) < 1000 ? 1 : CONCURRENCY_DEFAULT);
}
