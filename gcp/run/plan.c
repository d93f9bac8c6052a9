#include "gcp/run/plan.h"

#include <string.h>

enum { DEPTH_LIMIT = 32, SHOWN_LIMIT = 200 };

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
    "executionCount",
    "latestCreatedExecution",
    "etag",
    "client",
    "clientVersion",
};

static struct json *without_outputs(const struct json *current) {
    struct json *resource = current ? json_copy_deep(current) : json_new_object();
    for (size_t i = 0; i < ARRAY_LENGTH(output_fields); i++)
        json_remove(resource, output_fields[i]);
    return resource;
}

struct json *run_service_writable(const struct json *current) {
    struct json *service = without_outputs(current);
    json_remove(json_get(service, "template"), "revision");
    return service;
}

/* Who wrote the template last is told by the job's own client, too. */
struct json *run_job_writable(const struct json *current) {
    struct json *job = without_outputs(current);
    json_remove(json_get(job, "template"), "client");
    json_remove(json_get(job, "template"), "clientVersion");
    return job;
}

struct json *run_serving_container(const struct json *template) {
    const struct json *containers = json_get(template, "containers");
    for (size_t i = 0; i < json_count(containers); i++)
        if (json_count(json_get(json_at(containers, i), "ports")) > 0)
            return json_at(containers, i);
    return json_at(containers, 0);
}

char *run_plan_mask(const struct json *before, const struct json *after) {
    AUTO_BUFFER struct buffer mask = BUFFER(4096);
    for (void *i = json_first(after); i; i = json_next(after, i))
        if (!json_same(json_value(i), json_get(before, json_key(i))))
            buffer_append_format(&mask, "%s%s", mask.length ? "," : "", json_key(i));
    for (void *i = json_first(before); i; i = json_next(before, i))
        if (!json_get(after, json_key(i)))
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
