/* Changes of an image's config: instant, therefore never looked up. */
#include "engine/step_internal.h"

#include <string.h>

static void merge_environment(struct json *config, const struct json *change) {
    struct json *list = json_get(config, "Env");
    if (!json_is_array(list)) {
        json_set(config, "Env", json_new_array());
        list = json_get(config, "Env");
    }
    for (size_t i = 0; i < json_count(change); i++) {
        const char *entry = json_text(json_at(change, i));
        size_t length = entry ? strcspn(entry, "=") : 0, at = 0;
        for (; at < json_count(list); at++) {
            const char *old = json_text(json_at(list, at));
            if (old && entry && strncmp(old, entry, length) == 0 && old[length] == '=')
                break;
        }
        if (entry && !entry[length]) {
            if (at < json_count(list))
                json_remove_at(list, at);
        } else if (entry && at < json_count(list))
            json_set_at(list, at, json_new_text(entry));
        else if (entry)
            json_append_text(list, entry);
    }
}

static void merge_object(struct json *config, const char *name, const struct json *change) {
    struct json *object = json_need_object(config, name);
    for (void *at = json_first(change); at; at = json_next(change, at)) {
        if (json_is_null(json_value(at)))
            json_remove(object, json_key(at));
        else
            json_set(object, json_key(at), json_copy_deep(json_value(at)));
    }
}

static bool is_merged(const char *name) {
    return text_equal(name, "Labels") || text_equal(name, "ExposedPorts") || text_equal(name, "Volumes");
}

void step_change_config(struct json *image, const struct json *change) {
    struct json *config = json_need_object(image, "config");
    for (void *at = json_first(change); at; at = json_next(change, at)) {
        const char *name = json_key(at);
        if (json_is_null(json_value(at)))
            json_remove(config, name);
        else if (text_equal(name, "Env"))
            merge_environment(config, json_value(at));
        else if (is_merged(name))
            merge_object(config, name, json_value(at));
        else
            json_set(config, name, json_copy_deep(json_value(at)));
    }
}

int step_config(struct engine *engine, const struct container *input, const struct json *change, const char *created_by,
                struct container *output, struct error *error) {
    struct json *copy = json_copy_deep(input->config);
    step_change_config(copy, change);
    return step_append(engine, input, NULL, created_by, copy, output, error);
}
