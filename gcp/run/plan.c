#include "gcp/run/plan.h"

#include <ctype.h>
#include <string.h>

enum { MEBI = 1 << 20, GIBI = 1 << 30, DEPTH_LIMIT = 32, SHOWN_LIMIT = 200 };

/* What Google computes and refuses or ignores in a request. */
static const char *const output_fields[] = {
    "name",
    "uid",
    "generation",
    "createTime",
    "updateTime",
    "deleteTime",
    "expireTime",
    "creator",
    "lastModifier",
    "observedGeneration",
    "terminalCondition",
    "conditions",
    "latestReadyRevision",
    "latestCreatedRevision",
    "trafficStatuses",
    "uri",
    "urls",
    "satisfiesPzs",
    "reconciling",
    "threatDetectionEnabled",
    "etag",
    "client",
    "clientVersion",
};

static int check_range(const char *option, int64_t value, int64_t least, int64_t most, struct error *error) {
    if (value == -1 || (value >= least && value <= most))
        return 0;
    return error_set(error, ERROR_USAGE, "--%s is %lld; it can be %lld to %lld", option, (long long)value,
                     (long long)least, (long long)most);
}

static bool is_cpu(const char *cpu) {
    size_t digits = strspn(cpu, "0123456789.");
    return digits && digits <= 6 && cpu[0] != '.' && (!cpu[digits] || text_equal(cpu + digits, "m"));
}

static int check_pairs(const struct text_list *list, const char *option, bool is_label, struct error *error) {
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        size_t length = equals ? (size_t)(equals - list->items[i]) : 0;
        const char *allowed = is_label ? "abcdefghijklmnopqrstuvwxyz0123456789_-"
                                       : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
        if (!length || strspn(list->items[i], allowed) < length || isdigit((unsigned char)list->items[i][0]))
            return error_set(error, ERROR_USAGE, "--%s takes NAME=VALUE; its argument number %zu does not begin so",
                             option, i + 1);
        if (!is_label && length == 4 && !strncmp(list->items[i], "PORT", 4)) {
            error_set(error, ERROR_USAGE, "--env PORT: Cloud Run sets this variable itself");
            return error_next(error, "choose the port with --port");
        }
        if (is_label && (length > 63 || strlen(equals + 1) > 63 || strspn(equals + 1, allowed) < strlen(equals + 1)))
            return error_set(error, ERROR_USAGE, "--%s %.140s: lower-case letters, digits, - and _, at most 63 each",
                             option, list->items[i]);
    }
    return 0;
}

int run_settings_check(const struct run_settings *settings, struct error *error) {
    if (check_range("port", settings->port, 1, 65535, error) < 0 ||
        check_range("min-instances", settings->min_instances, 0, 1000, error) < 0 ||
        check_range("max-instances", settings->max_instances, 1, 1000, error) < 0 ||
        check_range("concurrency", settings->concurrency, 1, 1000, error) < 0 ||
        check_range("timeout", settings->timeout, 1, 3600, error) < 0)
        return -1;
    if (settings->memory != -1 && settings->memory < 128 * (int64_t)MEBI)
        return error_set(error, ERROR_USAGE, "--memory is less than 128Mi, the least that Cloud Run gives");
    if (settings->cpu && !is_cpu(settings->cpu))
        return error_set(error, ERROR_USAGE, "--cpu is \"%.20s\"; give a number such as 1, 2, 0.5 or 500m",
                         settings->cpu);
    if (settings->min_instances > 0 && settings->max_instances > 0 && settings->min_instances > settings->max_instances)
        return error_set(error, ERROR_USAGE, "--min-instances is more than --max-instances");
    return check_pairs(&settings->environment, "env", false, error) < 0 ||
                   check_pairs(&settings->labels, "label", true, error) < 0
               ? -1
               : 0;
}

struct json *run_service_writable(const struct json *current) {
    struct json *service = current ? json_copy_deep(current) : json_new_object();
    for (size_t i = 0; i < ARRAY_LENGTH(output_fields); i++)
        json_remove(service, output_fields[i]);
    json_remove(json_get(service, "template"), "revision");
    return service;
}

static struct json *member(struct json *object, const char *key) {
    if (!json_is_object(json_get(object, key)))
        json_set(object, key, json_new_object());
    return json_get(object, key);
}

/* The container that takes requests: the one with ports, else the first. */
static struct json *serving_container(struct json *template) {
    if (!json_is_array(json_get(template, "containers")) || json_count(json_get(template, "containers")) == 0) {
        json_set(template, "containers", json_new_array());
        json_append(json_get(template, "containers"), json_new_object());
    }
    struct json *containers = json_get(template, "containers");
    for (size_t i = 0; i < json_count(containers); i++)
        if (json_count(json_get(json_at(containers, i), "ports")) > 0)
            return json_at(containers, i);
    return json_at(containers, 0);
}

static void put_environment(struct json *container, const struct text_list *pairs) {
    if (!pairs->count)
        return;
    if (!json_is_array(json_get(container, "env")))
        json_set(container, "env", json_new_array());
    struct json *environment = json_get(container, "env");
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        AUTO_FREE char *name = text_copy_length(pairs->items[i], (size_t)(equals - pairs->items[i]));
        struct json *entry = NULL;
        for (size_t j = 0; !entry && j < json_count(environment); j++)
            if (text_equal(json_get_text(json_at(environment, j), "name", NULL), name))
                entry = json_at(environment, j);
        if (!entry) {
            json_append(environment, json_new_object());
            entry = json_at(environment, json_count(environment) - 1);
        }
        json_set_text(entry, "name", name);
        json_remove(entry, "valueSource");
        json_set_text(entry, "value", equals + 1);
    }
}

static void put_labels(struct json *object, const struct text_list *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        AUTO_FREE char *name = text_copy_length(pairs->items[i], (size_t)(equals - pairs->items[i]));
        json_set_text(member(object, "labels"), name, equals + 1);
    }
}

/* "2Gi", "512Mi", as people write it. */
static char *memory_text(int64_t bytes) {
    if (bytes % GIBI == 0)
        return text_format("%lldGi", (long long)(bytes / GIBI));
    if (bytes % MEBI == 0)
        return text_format("%lldMi", (long long)(bytes / MEBI));
    return text_format("%lld", (long long)bytes);
}

static void put_resources(struct json *container, const struct run_settings *settings) {
    if (!settings->cpu && settings->memory == -1)
        return;
    /* Without cpuIdle a service that names its resources is billed all the time. */
    if (!json_is_object(json_get(container, "resources")))
        json_set_bool(member(container, "resources"), "cpuIdle", true);
    struct json *limits = member(json_get(container, "resources"), "limits");
    if (settings->cpu)
        json_set_text(limits, "cpu", settings->cpu);
    if (settings->memory != -1) {
        AUTO_FREE char *text = memory_text(settings->memory);
        json_set_text(limits, "memory", text);
    }
}

static void put_port(struct json *container, int64_t number) {
    if (number == -1)
        return;
    if (json_count(json_get(container, "ports")) == 0) {
        json_set(container, "ports", json_new_array());
        json_append(json_get(container, "ports"), json_new_object());
    }
    json_set_integer(json_at(json_get(container, "ports"), 0), "containerPort", number);
}

struct json *run_service_plan(const struct json *current, const struct run_settings *settings) {
    struct json *service = run_service_writable(current);
    struct json *template = member(service, "template");
    struct json *container = serving_container(template);
    json_set_text(container, "image", settings->image);
    put_port(container, settings->port);
    put_resources(container, settings);
    put_environment(container, &settings->environment);
    if (settings->min_instances != -1)
        json_set_integer(member(template, "scaling"), "minInstanceCount", settings->min_instances);
    if (settings->max_instances != -1)
        json_set_integer(member(template, "scaling"), "maxInstanceCount", settings->max_instances);
    if (settings->concurrency != -1)
        json_set_integer(template, "maxInstanceRequestConcurrency", settings->concurrency);
    if (settings->timeout != -1) {
        AUTO_FREE char *text = text_format("%llds", (long long)settings->timeout);
        json_set_text(template, "timeout", text);
    }
    if (settings->service_account)
        json_set_text(template, "serviceAccount", settings->service_account);
    put_labels(service, &settings->labels);
    put_labels(template, &settings->labels);
    return service;
}

char *run_plan_mask(const struct json *before, const struct json *after) {
    AUTO_BUFFER struct buffer mask = BUFFER(4096);
    for (void *i = json_first(after); i; i = json_next(after, i))
        if (!json_same(json_value(i), json_get(before, json_key(i))))
            buffer_append_format(&mask, "%s%s", mask.length ? "," : "", json_key(i));
    return buffer_take(&mask);
}

static bool is_secret_path(const char *path) {
    return strstr(path, ".env[") && text_ends_with(path, ".value");
}

static void show_value(const char *path, const struct json *value, struct buffer *out) {
    if (is_secret_path(path)) {
        buffer_append_text(out, "(not shown)");
        return;
    }
    AUTO_FREE char *text = json_format(value, JSON_COMPACT_STYLE);
    buffer_append_format(out, "%.*s%s", SHOWN_LIMIT, text, strlen(text) > SHOWN_LIMIT ? "…" : "");
}

static void differ(const char *path, const struct json *before, const struct json *after, int depth,
                   struct buffer *out);

static void differ_objects(const char *path, const struct json *before, const struct json *after, int depth,
                           struct buffer *out) {
    for (void *i = json_first(before); i; i = json_next(before, i)) {
        AUTO_FREE char *inner = text_format("%s%s%s", path, *path ? "." : "", json_key(i));
        differ(inner, json_value(i), json_get(after, json_key(i)), depth + 1, out);
    }
    for (void *i = json_first(after); i; i = json_next(after, i)) {
        if (json_get(before, json_key(i)))
            continue;
        AUTO_FREE char *inner = text_format("%s%s%s", path, *path ? "." : "", json_key(i));
        differ(inner, NULL, json_value(i), depth + 1, out);
    }
}

static const struct json *find_named(const struct json *array, const char *name) {
    for (size_t i = 0; i < json_count(array); i++)
        if (text_equal(json_get_text(json_at(array, i), "name", NULL), name))
            return json_at(array, i);
    return NULL;
}

static bool all_named(const struct json *array) {
    for (size_t i = 0; i < json_count(array); i++)
        if (!json_get_text(json_at(array, i), "name", NULL))
            return false;
    return true;
}

static void differ_arrays(const char *path, const struct json *before, const struct json *after, int depth,
                          struct buffer *out) {
    bool named = all_named(before) && all_named(after);
    size_t most = json_count(before) > json_count(after) ? json_count(before) : json_count(after);
    for (size_t i = 0; !named && i < most; i++) {
        AUTO_FREE char *inner = text_format("%s[%zu]", path, i);
        differ(inner, i < json_count(before) ? json_at(before, i) : NULL,
               i < json_count(after) ? json_at(after, i) : NULL, depth + 1, out);
    }
    for (size_t i = 0; named && i < json_count(before); i++) {
        const char *name = json_get_text(json_at(before, i), "name", "");
        AUTO_FREE char *inner = text_format("%s[%s]", path, name);
        differ(inner, json_at(before, i), find_named(after, name), depth + 1, out);
    }
    for (size_t i = 0; named && i < json_count(after); i++) {
        const char *name = json_get_text(json_at(after, i), "name", "");
        AUTO_FREE char *inner = text_format("%s[%s]", path, name);
        if (!find_named(before, name))
            differ(inner, NULL, json_at(after, i), depth + 1, out);
    }
}

static void differ(const char *path, const struct json *before, const struct json *after, int depth,
                   struct buffer *out) {
    if (json_same(before, after) || (!before && !after))
        return;
    bool objects = (!before || json_is_object(before)) && (!after || json_is_object(after));
    bool arrays = (!before || json_is_array(before)) && (!after || json_is_array(after));
    if (depth < DEPTH_LIMIT && objects && json_count(before) + json_count(after) > 0) {
        differ_objects(path, before, after, depth, out);
    } else if (depth < DEPTH_LIMIT && arrays && json_count(before) + json_count(after) > 0) {
        differ_arrays(path, before, after, depth, out);
    } else {
        buffer_append_format(out, "%c %s: ", !before ? '+' : !after ? '-' : '~', path);
        if (before)
            show_value(path, before, out);
        if (before && after)
            buffer_append_text(out, " -> ");
        if (after)
            show_value(path, after, out);
        buffer_append_byte(out, '\n');
    }
}

void run_plan_difference(const struct json *before, const struct json *after, struct buffer *out) {
    differ("", before, after, 0, out);
}
