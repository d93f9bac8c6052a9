#include "local/run/reserved.h"

#include "common/base/text.h"

static const char *const maps[] = {"labels", "annotations"};

bool is_reserved_key(const char *key) {
    static const char *const domains[] = {"run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/",
                                          "autoscaling.knative.dev/"};
    for (size_t i = 0; i < ARRAY_LENGTH(domains); i++)
        if (text_starts_with(key, domains[i]))
            return true;
    return false;
}

static bool has_reserved(const struct json *map) {
    for (void *i = json_first(map); i; i = json_next(map, i))
        if (is_reserved_key(json_key(i)))
            return true;
    return false;
}

int reserved_refuse(const struct json *document, struct error *error) {
    static const char *const places[] = {"labels", "annotations", "template.labels", "template.annotations"};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (has_reserved(json_get_path(document, places[i])))
            return error_set(
                error, ERROR_DATA,
                "Violation in UpdateServiceRequest.service.%s: labels and annotations with run.googleapis.com, "
                "cloud.googleapis.com, serving.knative.dev, or autoscaling.knative.dev namespaces are not supported "
                "in the v2 API",
                places[i]);
    return 0;
}

static void keep(const struct json *before, struct json *after) {
    for (size_t i = 0; i < ARRAY_LENGTH(maps); i++) {
        const struct json *map = json_get(before, maps[i]);
        for (void *j = json_first(map); j; j = json_next(map, j))
            if (is_reserved_key(json_key(j)))
                json_set(json_need_object(after, maps[i]), json_key(j), json_copy_deep(json_value(j)));
    }
}

void reserved_keep(const struct json *before, struct json *after) {
    keep(before, after);
    if (json_get(after, "template"))
        keep(json_get(before, "template"), json_get(after, "template"));
}

static void hide(struct json *document) {
    for (size_t i = 0; i < ARRAY_LENGTH(maps); i++) {
        const struct json *map = json_get(document, maps[i]);
        if (!has_reserved(map))
            continue;
        struct json *rest = json_new_object();
        for (void *j = json_first(map); j; j = json_next(map, j))
            if (!is_reserved_key(json_key(j)))
                json_set(rest, json_key(j), json_share(json_value(j)));
        if (json_count(rest))
            json_set(document, maps[i], rest);
        else {
            json_release(&rest);
            json_remove(document, maps[i]);
        }
    }
}

struct json *reserved_hide(const struct json *document) {
    struct json *shown = json_copy_deep(document);
    hide(shown);
    hide(json_get(shown, "template"));
    return shown;
}
