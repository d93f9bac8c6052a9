/* --explain: why a step was found or made, by comparing its definition with the one that ran here last. */
#include "engine/step_internal.h"
#include "engine/tree.h"

#include <string.h>

enum { NAMED_FILES = 5 };

/* Names up to NAMED_FILES differing files of two tree objects. */
static void compare_trees(struct engine *engine, const char *old_text, const char *new_text, const char *name,
                          struct buffer *out) {
    struct digest old_digest, new_digest;
    AUTO_TREE struct tree old = {0}, new = {0};
    if (digest_parse(old_text, &old_digest, NULL) < 0 || digest_parse(new_text, &new_digest, NULL) < 0 ||
        tree_load(engine, &old_digest, &old, NULL) < 0 || tree_load(engine, &new_digest, &new, NULL) < 0) {
        buffer_append_format(out, "; %s changed", name);
        return;
    }
    size_t left = 0, right = 0, differences = 0;
    while (left < old.count || right < new.count) {
        const struct tree_entry *was = left < old.count ? &old.entries[left] : NULL;
        const struct tree_entry *is = right < new.count ? &new.entries[right] : NULL;
        int order = !was ? 1 : !is ? -1 : strcmp(was->path, is->path);
        const char *what = order < 0 ? "removed" : order > 0 ? "added" : NULL;
        if (order == 0 &&
            (was->type != is->type || !digest_equal(&was->digest, &is->digest) || !text_equal(was->target, is->target)))
            what = "changed";
        if (what && ++differences <= NAMED_FILES)
            buffer_append_format(out, "; %s %s", order < 0 ? was->path : is->path, what);
        left += order <= 0;
        right += order >= 0;
    }
    if (differences > NAMED_FILES)
        buffer_append_format(out, "; %zu more files", differences - NAMED_FILES);
}

static void compare_mount(struct engine *engine, const struct json *old, const struct json *new, struct buffer *out) {
    const char *name = json_get_text(new, "name", json_get_text(new, "target", "a mount"));
    const char *was = json_get_text(old, "tree", NULL), *is = json_get_text(new, "tree", NULL);
    if (was && is && !text_equal(was, is))
        compare_trees(engine, was, is, name, out);
    else if (!json_same(old, new))
        buffer_append_format(out, "; the mount at %s changed", json_get_text(new, "target", "?"));
}

static void compare_mounts(struct engine *engine, const struct json *old, const struct json *new, struct buffer *out) {
    if (json_count(old) != json_count(new))
        buffer_append_text(out, "; the mounts changed");
    for (size_t i = 0; i < json_count(new) && i < json_count(old); i++)
        compare_mount(engine, json_at(old, i), json_at(new, i), out);
}

static const char *title(const char *member) {
    static const char *const titles[][2] = {{"input", "the container before it changed"},
                                            {"argv", "the command changed"},
                                            {"environment", "the environment changed"},
                                            {"directory", "the working directory changed"},
                                            {"user", "the user changed"},
                                            {"epoch", "SOURCE_DATE_EPOCH changed"},
                                            {"network", "the network changed"},
                                            {"services", "a service changed"},
                                            {"stdin", "the standard input changed"},
                                            {"expected", "the expected exit codes changed"}};
    for (size_t i = 0; i < ARRAY_LENGTH(titles); i++)
        if (text_equal(titles[i][0], member))
            return titles[i][1];
    return NULL;
}

void step_compare(struct engine *engine, const struct json *old, const struct json *new, struct buffer *out) {
    for (void *at = json_first(new); at; at = json_next(new, at)) {
        const char *member = json_key(at);
        const struct json *was = json_get(old, member);
        if (was && json_same(was, json_value(at)))
            continue;
        if (text_equal(member, "mounts"))
            compare_mounts(engine, was, json_value(at), out);
        else if (text_equal(member, "content"))
            compare_mount(engine, was, json_value(at), out);
        else
            buffer_append_format(out, "; %s", title(member) ? title(member) : member);
    }
}

static struct json *earlier_definition(struct engine *engine, const char *name, struct json **holder) {
    char slot_key[DIGEST_HEX];
    AUTO_JSON struct json *slot = NULL;
    step_slot(engine, name, slot_key);
    if (store_name_read(engine->store, "slots", slot_key, &slot, NULL) < 0 || !slot ||
        store_name_read(engine->store, "steps", json_get_text(slot, "step", "-"), holder, NULL) < 0)
        return NULL;
    return json_get(*holder, "definition");
}

void step_explain(struct engine *engine, const char *name, const struct json *definition, bool found) {
    if (!engine->explain)
        return;
    if (found) {
        progress_note(engine->progress, "%s: found, nothing it sees has changed", name);
        return;
    }
    AUTO_JSON struct json *holder = NULL;
    const struct json *old = earlier_definition(engine, name, &holder);
    AUTO_BUFFER struct buffer reasons = BUFFER(8192);
    if (!old) {
        progress_note(engine->progress, "%s: made, no earlier one of this source is in the store", name);
        return;
    }
    step_compare(engine, old, definition, &reasons);
    const char *text = reasons.length > 2 ? buffer_text(&reasons) + 2
                       : engine->no_cache ? "--no-cache was given"
                                          : "its result is no longer in the store";
    progress_note(engine->progress, "%s: made, because %s", name, text);
}
