/* Steps: looked up by their key, carried out, recorded. */
#include "engine/step.h"
#include "engine/layer_internal.h"
#include "engine/step_internal.h"

#include <string.h>
#include <time.h>

struct epoch_text step_epoch(const struct engine *engine) {
    struct epoch_text out;
    time_t epoch = (time_t)engine->epoch;
    struct tm parts;
    if (!gmtime_r(&epoch, &parts) || strftime(out.text, sizeof(out.text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out.text, sizeof(out.text), "1970-01-01T00:00:00Z");
    return out;
}

/* ---- looking up and recording ---- */

static int lookup(struct engine *engine, const char *key, struct container *output, struct error *error) {
    AUTO_JSON struct json *found = NULL;
    struct digest digest;
    if (store_name_read(engine->store, "steps", key, &found, error) < 0)
        return -1;
    if (!found || digest_parse(json_get_text(found, "container", ""), &digest, NULL) < 0 ||
        !store_has(engine->store, &digest) || container_load(engine, &digest, output, NULL) < 0)
        return 0;
    if (layers_are_available(engine, output))
        return 1;
    container_release(output);
    return 0;
}

void step_key(const struct json *definition, char *key) {
    AUTO_FREE char *text = json_format(definition, JSON_CANONICAL);
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

int step_find(struct engine *engine, const struct json *definition, char *key, struct container *output,
              struct error *error) {
    step_key(definition, key);
    return engine->no_cache ? 0 : lookup(engine, key, output, error);
}

void step_slot(struct engine *engine, const char *name, char *key) {
    AUTO_FREE char *text = text_format("%s\n%s", engine->scope ? engine->scope : "", name);
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

static int point_slot(struct engine *engine, const char *name, const char *key, struct error *error) {
    char slot_key[DIGEST_HEX];
    AUTO_JSON struct json *slot = NULL;
    step_slot(engine, name, slot_key);
    if (store_name_read(engine->store, "slots", slot_key, &slot, NULL) == 0 && slot &&
        text_equal(json_get_text(slot, "step", ""), key) &&
        text_equal(json_get_text(slot, "scope", NULL), engine->scope))
        return 0;
    AUTO_JSON struct json *fresh = json_new_object();
    json_set_text(fresh, "step", key);
    json_set_text(fresh, "scope", engine->scope); /* for people: pl-cache tells where a step was last of use */
    return store_hint_write(engine->store, "slots", slot_key, fresh, error);
}

int step_write(struct engine *engine, const char *key, const struct json *definition, const char *name,
               struct json *value, struct error *error) {
    AUTO_JSON struct json *owned = value;
    json_set_text(owned, "name", name);
    json_set(owned, "definition", json_copy_deep(definition));
    if (store_name_write(engine->store, "steps", key, owned, error) < 0)
        return -1;
    return point_slot(engine, name, key, error);
}

int step_record(struct engine *engine, const char *key, const struct json *definition, const char *name,
                const char *member, struct json *result, struct error *error) {
    struct json *value = json_new_object();
    json_set(value, member, result);
    return step_write(engine, key, definition, name, value, error);
}

int step_record_container(struct engine *engine, const char *key, const struct json *definition, const char *name,
                          const struct container *output, struct error *error) {
    struct json *digest = json_new_text(digest_format(&output->digest).text);
    return step_record(engine, key, definition, name, "container", digest, error);
}

int step_append(struct engine *engine, const struct container *input, const struct digest *layer,
                const char *created_by, struct json *config, struct container *output, struct error *error) {
    struct json *copy = config ? config : json_copy_deep(input->config), *entry = json_new_object();
    struct json *history = json_get(copy, "history");
    if (!json_is_array(history)) {
        json_set(copy, "history", json_new_array());
        history = json_get(copy, "history");
    }
    json_set_text(copy, "created", step_epoch(engine).text);
    json_set_text(entry, "created", step_epoch(engine).text);
    json_set_text(entry, "created_by", created_by);
    if (layer)
        json_append_text(json_get_path(copy, "rootfs.diff_ids"), digest_format(layer).text);
    else
        json_set_bool(entry, "empty_layer", true);
    json_append(history, entry);
    return container_store(engine, copy, output, error);
}

struct json *step_definition(struct engine *engine, const char *operation, const struct container *input) {
    struct json *definition = json_new_object();
    json_set_integer(definition, "pl", 1);
    json_set_text(definition, "operation", operation);
    json_set_text(definition, "input", digest_format(&input->digest).text);
    json_set_integer(definition, "epoch", engine->epoch);
    return definition;
}

void step_tell_found(struct engine *engine, const char *name, const char *key) {
    /* It may have been made for another source directory. That this one cannot be noted is no failure. */
    (void)!point_slot(engine, name, key, NULL);
    progress_end(engine->progress, progress_begin(engine->progress, "%s", name), PROGRESS_CACHED);
    engine->steps_found++;
}

int step_lock(struct engine *engine, const char *key, const char *name, int *lock, struct error *error) {
    AUTO_FREE char *lock_name = text_format("step %s", key);
    return engine->no_cache ? 0 : store_lock(engine->store, lock_name, name, engine->progress, lock, error);
}
