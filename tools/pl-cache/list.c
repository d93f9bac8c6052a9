/* pl-cache list: what is in the store, entry by entry. */
#include "engine/inventory.h"
#include "tools/pl-cache/show.h"

#include <string.h>

enum { USUAL_LIMIT = 40, TEXT_LIMIT = 64 * 1024 * 1024 };

/* Notes are small and many: they are listed when they are asked for. */
static bool is_wanted(const struct arguments *arguments, const struct inventory_entry *entry) {
    return arguments->kinds.count == 0 ? entry->kind != INVENTORY_NOTE
                                       : text_list_contains(&arguments->kinds, inventory_kind_name(entry->kind));
}

static void select_wanted(const struct arguments *arguments, struct inventory *inventory) {
    size_t kept = 0;
    for (size_t i = 0; i < inventory->count; i++)
        if (is_wanted(arguments, &inventory->entries[i])) {
            struct inventory_entry entry = inventory->entries[i];
            inventory->entries[i] = inventory->entries[kept];
            inventory->entries[kept++] = entry;
        }
    for (size_t i = kept; i < inventory->count; i++) {
        free(take_pointer(&inventory->entries[i].key));
        free(take_pointer(&inventory->entries[i].title));
        free(take_pointer(&inventory->entries[i].reason));
    }
    inventory->count = kept;
}

static struct json *entry_json(const struct inventory_entry *entry) {
    struct json *json = json_new_object();
    json_set_text(json, "kind", inventory_kind_name(entry->kind));
    json_set_text(json, "key", entry->key);
    json_set_text(json, "title", entry->title);
    json_set_text(json, "reason", entry->reason);
    json_set_integer(json, "bytes", (int64_t)entry->bytes);
    json_set_integer(json, "exclusive", (int64_t)entry->exclusive);
    json_set_integer(json, "shared", (int64_t)(entry->bytes - entry->exclusive));
    json_set_integer(json, "users", (int64_t)entry->users);
    json_set_integer(json, "used", entry->used);
    if (entry->made)
        json_set_integer(json, "made", entry->made);
    return json;
}

static int list_json(struct command_context *context, struct engine *engine, const struct inventory *inventory,
                     size_t shown, struct error *error) {
    AUTO_JSON struct json *json = json_new_object();
    struct json *entries = json_need_array(json, "entries");
    json_set_text(json, "store", store_path(engine->store));
    json_set_integer(json, "bytes", (int64_t)inventory->bytes);
    json_set_integer(json, "count", (int64_t)inventory->count);
    for (size_t i = 0; i < shown; i++)
        json_append(entries, entry_json(&inventory->entries[i]));
    return print_json(context, json, error);
}

/* As much of a key as tells it apart in practice; pl-cache explain takes it. */
static char *short_key(const char *key) {
    const char *hex = strrchr(key, ':') + 1;
    return text_format("%.*s%.12s", (int)(strcspn(key, ":") + 1), key, hex);
}

static void add_line(const struct inventory_entry *entry, struct buffer *out) {
    AUTO_FREE char *key = short_key(entry->key), *size = entry_size_text(entry->bytes),
                   *exclusive = entry_size_text(entry->exclusive), *age = age_text(entry->used),
                   *title = text_scrub(entry->title, strlen(entry->title), false),
                   *reason = text_scrub(entry->reason, strlen(entry->reason), false);
    buffer_append_format(out, "%-22s %9s %9s  %-10s  %s%s%s\n", key, size, exclusive, age, title, *title ? ": " : "",
                         reason);
}

static int list_text(struct command_context *context, const struct inventory *inventory, size_t shown, bool only_keys,
                     struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(TEXT_LIMIT);
    if (!only_keys && shown > 0)
        buffer_append_format(&text, "%-22s %9s %9s  %-10s  %s\n", "KEY", "SIZE", "ALONE", "LAST USE", "WHAT AND WHY");
    for (size_t i = 0; i < shown; i++)
        if (only_keys)
            buffer_append_format(&text, "%s\n", inventory->entries[i].key);
        else
            add_line(&inventory->entries[i], &text);
    if (!only_keys && shown < inventory->count)
        buffer_append_format(&text, "and %zu more: --limit 0 lists all\n", inventory->count - shown);
    return command_print_scrubbed(context, &text, "the list", error);
}

int list_run(struct command_context *context, struct engine *engine, const struct arguments *arguments,
             struct error *error) {
    AUTO_INVENTORY struct inventory inventory = {0};
    if (inventory_take(engine, &inventory, error) < 0)
        return -1;
    select_wanted(arguments, &inventory);
    inventory_sort(&inventory, !text_equal(arguments->sort, "age"));
    bool only_keys = text_equal(arguments->output, "ref");
    long long limit = arguments->limit >= 0 ? arguments->limit : wants_json(arguments) || only_keys ? 0 : USUAL_LIMIT;
    size_t shown = limit > 0 && (size_t)limit < inventory.count ? (size_t)limit : inventory.count;
    return wants_json(arguments) ? list_json(context, engine, &inventory, shown, error)
                                 : list_text(context, &inventory, shown, only_keys, error);
}
