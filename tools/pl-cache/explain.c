/* pl-cache explain KEY. */
#include "engine/inventory.h"
#include "tools/pl-cache/show.h"

#include <string.h>
#include <time.h>

enum { TEXT_LIMIT = 8 * 1024 * 1024 };

static void add_field(struct buffer *out, const char *name, const char *value) {
    if (text_is_empty(value))
        return;
    AUTO_FREE char *clean = text_scrub(value, strlen(value), false);
    buffer_append_format(out, "%-10s %s\n", name, clean);
}

static void add_time(struct buffer *out, const char *name, int64_t seconds) {
    char stamp[32] = "";
    struct tm parts;
    time_t time = (time_t)seconds;
    AUTO_FREE char *age = age_text(seconds);
    if (seconds > 0 && gmtime_r(&time, &parts) && strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        buffer_append_format(out, "%-10s %s (%s%s)\n", name, stamp, age, text_equal(age, "now") ? "" : " ago");
}

static void add_list(struct buffer *out, const char *name, const struct json *list) {
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = json_at(list, i);
        const char *key = json_get_text(item, "key", ""), *title = json_get_text(item, "title", NULL);
        AUTO_FREE char *line = title ? text_format("%s  %s", key, title) : text_copy(key);
        add_field(out, i == 0 ? name : "", line);
    }
}

/* The command of a step in words, or its definition's members. */
static void add_definition(struct buffer *out, const struct json *definition) {
    for (void *at = json_first(definition); at; at = json_next(definition, at)) {
        const struct json *value = json_value(at);
        AUTO_FREE char *text = json_text(value) ? text_copy(json_text(value)) : json_format(value, JSON_COMPACT_STYLE);
        if (json_count(value) > 0 || json_text(value) || json_is_integer(value))
            add_field(out, text_equal(json_key(at), "pl") ? "format" : json_key(at), text);
    }
}

static void add_found(struct buffer *out, const struct json *found) {
    const char *missing = json_get_text(found, "missing", NULL), *latest = json_get_text(found, "latest_in", NULL),
               *later = json_get_text(found, "later", NULL);
    if (!found)
        return;
    AUTO_FREE char *text = missing ? text_format("a build makes it anew: %s", missing)
                           : latest
                               ? text_format("a build in %s finds it, as long as nothing that it sees changes", latest)
                               : text_copy("a build finds it whose step is defined just so");
    add_field(out, "found", text);
    if (!later || latest)
        return;
    AUTO_FREE char *other =
        text_format("%s, the latest of its name in %s, differs: %s", later, json_get_text(found, "later_in", "?"),
                    json_get_text(found, "difference", "in nothing that is told"));
    add_field(out, "", other);
}

static void add_names(struct buffer *out, const struct json *names) {
    for (size_t i = 0; i < json_count(names); i++) {
        const struct json *item = json_at(names, i);
        const char *kind = json_get_text(item, "kind", "");
        AUTO_FREE char *says = json_get(item, "says") ? json_format(json_get(item, "says"), JSON_COMPACT_STYLE) : NULL;
        add_time(out, "made", json_get_integer(item, "made", 0));
        add_time(out, "last use", json_get_integer(item, "used", 0));
        add_field(out, kind, says);
    }
}

static int print(struct command_context *context, const struct json *answer, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(TEXT_LIMIT);
    AUTO_FREE char *size = entry_size_text((uint64_t)json_get_integer(answer, "bytes", 0));
    AUTO_FREE char *layer =
        json_get(answer, "layer") ? json_format(json_get(answer, "layer"), JSON_COMPACT_STYLE) : NULL;
    add_field(&text, json_get_text(answer, "kind", "key"), json_get_text(answer, "key", ""));
    add_field(&text, "what", json_get_text(answer, "title", NULL));
    add_field(&text, "size", size);
    add_time(&text, "last use", json_get(answer, "names") ? 0 : json_get_integer(answer, "used", 0));
    add_names(&text, json_get(answer, "names"));
    add_field(&text, "layer", layer);
    add_definition(&text, json_get(answer, "definition"));
    add_field(&text, "result", json_get_text(answer, "container", NULL));
    add_definition(&text, json_get(answer, "outcome"));
    add_found(&text, json_get(answer, "found"));
    add_list(&text, "needs", json_get(answer, "needs"));
    add_list(&text, "needed by", json_get(answer, "needed_by"));
    return command_print_scrubbed(context, &text, "the explanation", error);
}

int explain_run(struct command_context *context, struct engine *engine, const struct arguments *arguments,
                struct error *error) {
    AUTO_JSON struct json *answer = NULL;
    if (context->operand_count != 2) {
        error_set(error, ERROR_USAGE, "explain needs one key");
        return error_next(error, "the keys are listed by: pl-cache list");
    }
    if (inventory_explain(engine, context->operands[1], &answer, error) < 0)
        return -1;
    return wants_json(arguments) ? print_json(context, answer, error) : print(context, answer, error);
}
