#include "local/run/internal.h"

struct json *condition_new(const char *type, const char *state, const char *reason_key, const char *reason,
                           const char *message) {
    struct json *condition = json_new_object();
    AUTO_FREE char *full = text_format("CONDITION_%s", state);
    char now[40];
    run_time_now(now, sizeof(now));
    json_set_text(condition, "type", type);
    json_set_text(condition, "state", full);
    json_set_text(condition, "message", message);
    json_set_text(condition, "lastTransitionTime", now);
    if (reason_key)
        json_set_text(condition, reason_key, reason);
    return condition;
}

void condition_put(struct json *document, struct json *condition) {
    struct json *conditions = json_get(document, "conditions");
    if (!json_is_array(conditions)) {
        conditions = json_new_array();
        json_set(document, "conditions", conditions);
    }
    const char *type = json_get_text(condition, "type", NULL);
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), type)) {
            json_set_at(conditions, i, condition);
            return;
        }
    json_append(conditions, condition);
}
