/* What Cloud Run refuses in the containers and volumes of a template. Google's own words begin with the field where
 * they are known; what it says about the rest is not. */
#include "local/run/internal.h"

#include <stdarg.h>
#include <string.h>

enum { ENVIRONMENT_MOST = 1000, ENVIRONMENT_BYTES = 32 << 10, DEFAULT_PORT = 8080 };

/* A container of a template that is checked. */
struct place {
    const struct subject *subject;
    const struct json *template, *container;
    size_t index;
};

/* "template.containers[0].FIELD: …" */
static int deny(const struct place *place, const char *field, struct error *error, const char *format, ...)
    PRINTF_LIKE(4, 5);
static int deny(const struct place *place, const char *field, struct error *error, const char *format, ...) {
    char why[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    return error_set(error, ERROR_DATA, "%s.containers[%zu].%s: %s", place->subject->template, place->index, field,
                     why);
}

/* "Violation in UpdateServiceRequest.service.template.containers[0].FIELD: …" */
static int violates(const struct place *place, const char *field, struct error *error, const char *why) {
    AUTO_FREE char *whole = text_format("%s.containers[%zu].%s", place->subject->template, place->index, field);
    return subject_refuse(place->subject, whole, error, why);
}

/* ---- names and dependencies ---- */

static bool is_container_name(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length < 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length &&
           !strchr(".-", name[0]) && !strchr(".-", name[length - 1]);
}

static const struct json *find_container(const struct json *containers, const char *name, size_t *index) {
    for (size_t i = 0; i < json_count(containers); i++)
        if (text_equal(json_get_text(json_at(containers, i), "name", ""), name)) {
            *index = i;
            return json_at(containers, i);
        }
    return NULL;
}

static int check_name(const struct place *place, struct error *error) {
    const struct json *containers = json_get(place->template, "containers");
    const char *name = json_get_text(place->container, "name", "");
    size_t first = place->index;
    if (json_count(containers) == 1 && !*name)
        return 0;
    if (!is_container_name(name))
        return deny(place, "name", error,
                    "Invalid container name '%.80s'. Must conform to RFC 1123: only lowercase letters, digits, "
                    "hyphens, and periods are allowed, must begin and end with a letter or digit, and be less than 64 "
                    "characters",
                    name);
    find_container(containers, name, &first);
    return first == place->index ? 0 : deny(place, "name", error, "Duplicate container name '%.63s'", name);
}

/* Whether the container at `from` waits, through any others, for the one at `to`. */
static bool waits_for(const struct json *containers, size_t from, size_t to, bool *seen) {
    const struct json *names = json_get(json_at(containers, from), "dependsOn");
    for (size_t i = 0; i < json_count(names); i++) {
        size_t next;
        if (!find_container(containers, json_text(json_at(names, i)), &next))
            continue;
        if (next == to)
            return true;
        if (!seen[next]) {
            seen[next] = true;
            if (waits_for(containers, next, to, seen))
                return true;
        }
    }
    return false;
}

static int check_dependencies(const struct place *place, struct error *error) {
    const struct json *containers = json_get(place->template, "containers");
    const struct json *names = json_get(place->container, "dependsOn");
    bool seen[CONTAINERS_MOST] = {false};
    for (size_t i = 0; i < json_count(names); i++) {
        size_t index;
        const char *name = json_text(json_at(names, i));
        const struct json *other = find_container(containers, name, &index);
        if (!other)
            return deny(place, "depends_on", error, "Container '%.63s' does not exist", name);
        if (index != place->index && !json_get(other, "startupProbe") && !json_get(other, "ports"))
            return deny(place, "depends_on", error, "Dependent container '%.63s' must have startup probe specified",
                        name);
    }
    return waits_for(containers, place->index, place->index, seen)
               ? deny(place, "depends_on", error, "Container dependencies form a cycle")
               : 0;
}

/* ---- image, ports, variables ---- */

static int check_image(const struct place *place, struct error *error) {
    const char *image = json_get_text(place->container, "image", "");
    if (!*image)
        return violates(place, "image", error, "required field not present.");
    if (strpbrk(image, " \t\n\"'") || text_starts_with(image, "http://") || text_starts_with(image, "https://"))
        return violates(place, "image", error,
                        "must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]");
    return 0;
}

static int check_ports(const struct place *place, struct error *error) {
    const struct json *ports = json_get(place->container, "ports");
    int64_t port = json_get_integer(json_at(ports, 0), "containerPort", DEFAULT_PORT);
    const char *protocol = json_get_text(json_at(ports, 0), "name", "http1");
    if (json_count(ports) > 1)
        return violates(place, "ports", error, "ports should contain 0 or 1 port.");
    if (port < 1 || port > 65535)
        return violates(place, "ports[0].container_port", error, "must be between 1 and 65535.");
    if (!text_equal(protocol, "http1") && !text_equal(protocol, "h2c"))
        return violates(place, "ports[0].name", error, "must be 'http1' or 'h2c'.");
    return 0;
}

static bool is_variable_name(const char *name) {
    return *name && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == strlen(name) &&
           !(name[0] >= '0' && name[0] <= '9');
}

static int check_variable(const struct place *place, const struct json *all, size_t index, struct error *error) {
    const struct json *variable = json_at(all, index);
    const char *name = json_get_text(variable, "name", "");
    for (size_t i = 0; place->subject->reserved[i]; i++)
        if (text_equal(name, place->subject->reserved[i]))
            return deny(place, "env", error,
                        "The following reserved env names were provided: %s. These values are automatically set by the "
                        "system.",
                        name);
    if (!is_variable_name(name))
        return violates(place, "env", error, "the name of an environment variable is missing or malformed");
    if (strlen(json_get_text(variable, "value", "")) > ENVIRONMENT_BYTES)
        return violates(place, "env", error, "the value of an environment variable may have at most 32768 bytes.");
    for (size_t i = 0; i < index; i++)
        if (text_equal(json_get_text(json_at(all, i), "name", NULL), name))
            return violates(place, "env", error, "an environment variable is there twice");
    return 0;
}

static int check_environment(const struct place *place, struct error *error) {
    const struct json *env = json_get(place->container, "env");
    if (json_count(env) > ENVIRONMENT_MOST)
        return violates(place, "env", error, "too many environment variables");
    for (size_t i = 0; i < json_count(env); i++)
        if (check_variable(place, env, i, error) < 0)
            return -1;
    return 0;
}

/* ---- processors and memory ---- */

static bool quantity_is(const char *text, const char *const *units) {
    size_t digits = strspn(text, "0123456789.");
    for (; digits > 0 && *units; units++)
        if (text_equal(text + digits, *units))
            return true;
    return false;
}

/* "1", "0.5", "1000m" → thousandths; -1: no such quantity */
static int64_t processors_of(const char *text) {
    static const char *const units[] = {"", "m", NULL};
    if (!quantity_is(text, units) || strlen(text) > 16)
        return -1;
    double value = strtod(text, NULL);
    return (int64_t)(text_ends_with(text, "m") ? value : value * 1000 + 0.5);
}

int64_t template_processors(const struct json *template) {
    const struct json *containers = json_get(template, "containers");
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(containers); i++) {
        const struct json *limits = json_get_path(json_at(containers, i), "resources.limits");
        int64_t own = processors_of(json_get_text(limits, "cpu", "1000m"));
        sum += own > 0 ? own : 0;
    }
    return sum;
}

/* Google's table of what goes together. */
static const struct shape {
    int64_t most_processors;
    uint64_t least, most;
    const char *least_text, *most_text;
} shapes[] = {
    {499, UINT64_C(128) << 20, UINT64_C(512) << 20, "128Mi", "512Mi"},
    {999, UINT64_C(128) << 20, UINT64_C(1) << 30, "128Mi", "1Gi"},
    {1000, UINT64_C(128) << 20, UINT64_C(4) << 30, "128Mi", "4Gi"},
    {2000, UINT64_C(128) << 20, UINT64_C(8) << 30, "128Mi", "8Gi"},
    {4000, UINT64_C(2) << 30, UINT64_C(16) << 30, "2Gi", "16Gi"},
    {6000, UINT64_C(4) << 30, UINT64_C(24) << 30, "4Gi", "24Gi"},
    {8000, UINT64_C(4) << 30, UINT64_C(32) << 30, "4Gi", "32Gi"},
};

static const struct shape *shape_of(int64_t processors) {
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++)
        if (processors == shapes[i].most_processors || (processors < 1000 && processors <= shapes[i].most_processors))
            return processors >= 80 ? &shapes[i] : NULL;
    return NULL;
}

static int check_memory(const struct place *place, const struct shape *shape, int64_t processors, const char *memory,
                        struct error *error) {
    static const char *const units[] = {"", "k", "M", "G", "Ki", "Mi", "Gi", NULL};
    if (!quantity_is(memory, units))
        return deny(place, "resources.limits.memory", error, "Could not parse Quantity '%.60s'.", memory);
    uint64_t bytes = memory_bytes(memory, 0);
    if (bytes >= shape->least && bytes <= shape->most)
        return 0;
    return deny(
        place, "resources.limits.memory", error,
        "Invalid value specified for container memory. For %.*f CPU, memory must be between %s and %s inclusive.\n"
        "For more troubleshooting guidance, see https://cloud.google.com/run/docs/configuring/memory-limits",
        processors % 1000 % 100 ? 2 : 1, (double)processors / 1000, shape->least_text, shape->most_text);
}

static int check_resources(const struct place *place, struct error *error) {
    const struct json *limits = json_get_path(place->container, "resources.limits");
    const char *cpu = json_get_text(limits, "cpu", "1000m");
    for (void *i = json_first(limits); i; i = json_next(limits, i))
        if (!text_equal(json_key(i), "memory") && !text_equal(json_key(i), "cpu") &&
            !text_equal(json_key(i), "nvidia.com/gpu"))
            return deny(place, "resources.limits", error,
                        "Only 'cpu', 'memory' and 'nvidia.com/gpu' limits are supported.");
    /* A GPU has shapes of its own. */
    if (json_get(limits, "nvidia.com/gpu"))
        return 0;
    int64_t processors = processors_of(cpu);
    const struct shape *shape = shape_of(processors);
    if (processors < 0)
        return deny(place, "resources.limits.cpu", error, "Could not parse Quantity '%.60s'.", cpu);
    if (!shape)
        return deny(
            place, "resources.limits.cpu", error,
            "Invalid value specified for container cpu. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0");
    return check_memory(place, shape, processors, json_get_text(limits, "memory", "512Mi"), error);
}

/* ---- probes ---- */

struct probe_rule {
    const char *name, *field;
    int64_t most; /* seconds of its delay */
};

static int check_probe(const struct place *place, const struct probe_rule *rule, struct error *error) {
    enum { PERIOD_MOST = 240, PERIOD_DEFAULT = 10, FAILURES_DEFAULT = 3 };
    const struct json *probe = json_get(place->container, rule->name);
    bool starts = text_equal(rule->name, "startupProbe");
    int64_t delay = json_get_integer(probe, "initialDelaySeconds", 0);
    int64_t timeout = json_get_integer(probe, "timeoutSeconds", 1);
    int64_t period = json_get_integer(probe, "periodSeconds", PERIOD_DEFAULT);
    int64_t failures = json_get_integer(probe, "failureThreshold", FAILURES_DEFAULT);
    int kinds = (json_get(probe, "httpGet") != NULL) + (json_get(probe, "tcpSocket") != NULL) +
                (json_get(probe, "grpc") != NULL);
    const char *path = json_get_text(json_get(probe, "httpGet"), "path", "/");
    if (!probe)
        return 0;
    if (kinds != 1)
        return deny(place, rule->field, error, "Probe should have exactly one of httpGet, tcpSocket and grpc.");
    if (!starts && json_get(probe, "tcpSocket"))
        return deny(place, rule->field, error, "Cloud Run currently does not support TCP socket in %s probe.",
                    text_equal(rule->name, "livenessProbe") ? "liveness" : "readiness");
    if (path[0] != '/')
        return deny(place, rule->field, error, "HTTP path must start with '/'.");
    if (delay < 0 || delay > rule->most)
        return deny(place, rule->field, error, "initial_delay_seconds must be between 0 and %lld.",
                    (long long)rule->most);
    if (period < 1 || period > rule->most)
        return deny(place, rule->field, error, "period_seconds must be between 1 and %lld.", (long long)rule->most);
    if (timeout < 1 || timeout > period)
        return deny(place, rule->field, error,
                    "timeout_seconds must be at least 1 and must not exceed period_seconds.");
    if (failures < 1 || (starts && period * failures > PERIOD_MOST))
        return deny(place, rule->field, error,
                    failures < 1 ? "failure_threshold must be at least 1."
                                 : "period_seconds * failure_threshold must not exceed 240 seconds.");
    return 0;
}

static int check_probes(const struct place *place, struct error *error) {
    static const struct probe_rule rules[] = {{"startupProbe", "startup_probe", 240},
                                              {"livenessProbe", "liveness_probe", 3600},
                                              {"readinessProbe", "readiness_probe", 300}};
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (check_probe(place, &rules[i], error) < 0)
            return -1;
    return 0;
}

/* ---- volumes ---- */

static const struct json *find_volume(const struct json *template, const char *name) {
    const struct json *volumes = json_get(template, "volumes");
    for (size_t i = 0; i < json_count(volumes); i++)
        if (text_equal(json_get_text(json_at(volumes, i), "name", NULL), name))
            return json_at(volumes, i);
    return NULL;
}

static int check_mounts(const struct place *place, struct error *error) {
    const struct json *mounts = json_get(place->container, "volumeMounts");
    for (size_t i = 0; i < json_count(mounts); i++) {
        const char *name = json_get_text(json_at(mounts, i), "name", "");
        const char *path = json_get_text(json_at(mounts, i), "mountPath", "");
        const struct json *volume = find_volume(place->template, name);
        AUTO_FREE char *field = text_format("volume_mounts[%zu]", i);
        if (!volume)
            return deny(place, field, error, "There is no volume named '%.63s'.", name);
        if (path[0] != '/' || strchr(path, ':'))
            return deny(place, field, error, "mount_path must be an absolute path without ':'.");
        if (json_get(volume, "cloudSqlInstance") && !text_equal(path, "/cloudsql"))
            return deny(place, field, error, "A Cloud SQL volume must be mounted at /cloudsql.");
        for (size_t j = 0; j < i; j++)
            if (text_equal(json_get_text(json_at(mounts, j), "mountPath", NULL), path))
                return deny(place, field, error, "mount_path '%.200s' is there twice.", path);
    }
    return 0;
}

/* What a volume of its kind must say. */
static const char *volume_fault(const struct json *volume) {
    static const char *const kinds[] = {"secret", "cloudSqlInstance", "emptyDir", "nfs", "gcs"};
    const struct json *nfs = json_get(volume, "nfs");
    int count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        count += json_get(volume, kinds[i]) != NULL;
    if (count != 1)
        return "exactly one of secret, cloud_sql_instance, empty_dir, nfs and gcs must be set.";
    if (json_get(volume, "secret") && text_is_empty(json_get_text(json_get(volume, "secret"), "secret", NULL)))
        return "secret.secret: required field not present.";
    if (json_get(volume, "gcs") && text_is_empty(json_get_text(json_get(volume, "gcs"), "bucket", NULL)))
        return "gcs.bucket: required field not present.";
    if (nfs && (text_is_empty(json_get_text(nfs, "server", NULL)) || json_get_text(nfs, "path", "")[0] != '/'))
        return "nfs: the server and an absolute path are required.";
    return NULL;
}

static int check_volumes(const struct subject *subject, const struct json *template, struct error *error) {
    const struct json *volumes = json_get(template, "volumes");
    for (size_t i = 0; i < json_count(volumes); i++) {
        const struct json *volume = json_at(volumes, i);
        const char *name = json_get_text(volume, "name", ""), *fault = volume_fault(volume);
        AUTO_FREE char *field = text_format("%s.volumes[%zu]", subject->template, i);
        if (!is_container_name(name))
            return subject_refuse(subject, field, error, "the name must have lower-case letters, digits and hyphens.");
        if (find_volume(template, name) != volume)
            return subject_refuse(subject, field, error, "a volume of this name is there twice.");
        if (fault)
            return subject_refuse(subject, field, error, fault);
    }
    return 0;
}

/* ---- the whole ---- */

static int check_container(const struct place *place, struct error *error) {
    if (check_name(place, error) < 0 || check_image(place, error) < 0 || check_ports(place, error) < 0 ||
        check_environment(place, error) < 0 || check_resources(place, error) < 0 || check_probes(place, error) < 0)
        return -1;
    return check_dependencies(place, error) < 0 ? -1 : check_mounts(place, error);
}

int subject_check_template(const struct subject *subject, const struct json *template, struct error *error) {
    const struct json *containers = json_get(template, "containers");
    size_t with_ports = 0;
    if (json_count(containers) == 0)
        return error_set(error, ERROR_DATA, "%s.containers: Revision template should have at least one container.",
                         subject->template);
    if (json_count(containers) > CONTAINERS_MOST)
        return error_set(error, ERROR_DATA, "%s.containers: Revision template should have at most %d containers.",
                         subject->template, CONTAINERS_MOST);
    if (check_volumes(subject, template, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(containers); i++) {
        struct place place = {subject, template, json_at(containers, i), i};
        if (check_container(&place, error) < 0)
            return -1;
        with_ports += json_get(place.container, "ports") != NULL;
    }
    if (subject->serves && with_ports != 1)
        return error_set(error, ERROR_DATA,
                         "%s.containers: Revision template should contain exactly one container with an exposed port.",
                         subject->template);
    return 0;
}
