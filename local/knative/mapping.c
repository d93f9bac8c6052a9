#include "local/knative/mapping.h"

#include "common/base/text.h"

#include <string.h>
#include <strings.h>

enum { SECONDS_OF_HOUR = 3600 };

const struct mapping_row *mapping_find(const struct mapping_row *rows, const char *key) {
    for (; rows->knative; rows++)
        if (text_equal(rows->knative, key))
            return rows;
    return NULL;
}

void json_set_path(struct json *object, const char *path, struct json *value) {
    const char *dot = strchr(path, '.');
    if (!value)
        return;
    if (!dot) {
        json_set(object, path, value);
        return;
    }
    AUTO_FREE char *key = text_copy_length(path, (size_t)(dot - path));
    json_set_path(json_need_object(object, key), dot + 1, value);
}

/* ---- to v2 ---- */

static struct json *list_of(const char *text) {
    struct json *list = json_new_array();
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, text, ',');
    for (size_t i = 0; i < parts.count; i++)
        if (*parts.items[i])
            json_append_text(list, parts.items[i]);
    return list;
}

static int word_to_run(const struct mapping_row *row, const char *text, struct json **value, struct error *error) {
    for (const struct mapping_word *word = row->words; word->knative; word++)
        if (strcasecmp(word->knative, text) == 0) {
            *value = json_new_text(word->run);
            return 0;
        }
    return error_set(error, ERROR_DATA, "Invalid value '%.100s'; must be like '%s'", text, row->words[0].knative);
}

static int number_to_run(const char *text, enum mapping_kind kind, struct json **value, struct error *error) {
    uint64_t number;
    if (!text_to_u64(text, INT32_MAX / SECONDS_OF_HOUR, &number))
        return error_set(error, ERROR_DATA, "Invalid value '%.100s'; must be a whole number", text);
    AUTO_FREE char *seconds = text_format("%llus", (unsigned long long)number * SECONDS_OF_HOUR);
    *value = kind == MAP_HOURS ? json_new_text(seconds) : json_new_integer((int64_t)number);
    return 0;
}

static int text_to_run(const struct mapping_row *row, const char *text, struct json **value, struct error *error) {
    switch (row->kind) {
    case MAP_BOOL:
        if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
            return error_set(error, ERROR_DATA, "Invalid value '%.100s'; must be 'true' or 'false'", text);
        *value = json_new_bool(strcasecmp(text, "true") == 0);
        return 0;
    case MAP_INTEGER:
    case MAP_HOURS:
        return number_to_run(text, row->kind, value, error);
    case MAP_WORD:
        return word_to_run(row, text, value, error);
    case MAP_LIST:
        *value = list_of(text);
        return 0;
    case MAP_JSON:
        *value = json_parse(text, strlen(text), "the annotation", error);
        return *value ? 0 : -1;
    default:
        *value = json_new_text(text);
        return 0;
    }
}

int mapping_to_run(const struct mapping_row *row, const struct json *value, struct json *run, struct error *error) {
    struct json *made = NULL;
    if (row->kind == MAP_OUTPUT || row->kind == MAP_KEPT)
        return 0;
    if (row->kind == MAP_SAME) {
        made = json_copy_deep(value);
    } else if (row->kind == MAP_SECONDS) {
        AUTO_FREE char *seconds = text_format("%llds", (long long)json_number(value));
        made = json_new_text(seconds);
    } else if (!json_is_text(value)) {
        return error_set(error, ERROR_DATA, "must be a text");
    } else if (text_to_run(row, json_text(value), &made, error) < 0) {
        return -1;
    }
    json_set_path(run, row->run, made);
    return 0;
}

int mapping_fields_to_run(const struct mapping_row *rows, const struct json *knative, struct json *run,
                          const char *where, struct error *error) {
    for (; rows->knative; rows++) {
        const struct json *value = json_get(knative, rows->knative);
        if (value && mapping_to_run(rows, value, run, error) < 0)
            return error_wrap(error, "%s.%s", where, rows->knative);
    }
    return 0;
}

/* ---- to v1 ---- */

static struct json *joined(const struct json *list) {
    AUTO_BUFFER struct buffer text = BUFFER(64 << 10);
    for (size_t i = 0; i < json_count(list); i++)
        buffer_append_format(&text, "%s%s", i ? "," : "", json_text(json_at(list, i)));
    return json_new_text(buffer_text(&text));
}

static struct json *word_to_knative(const struct mapping_row *row, const char *text) {
    for (const struct mapping_word *word = row->words; word->knative; word++)
        if (text_equal(word->run, text))
            return json_new_text(word->knative);
    return NULL;
}

static int64_t seconds_of(const struct json *duration) {
    const char *text = json_text(duration);
    return text ? strtoll(text, NULL, 10) : 0;
}

static struct json *value_to_knative(const struct mapping_row *row, const struct json *value) {
    switch (row->kind) {
    case MAP_SAME:
        return json_copy_deep(value);
    case MAP_BOOL:
        return json_new_text(json_truth(value) ? "true" : "false");
    case MAP_INTEGER: {
        AUTO_FREE char *number = text_format("%lld", (long long)json_number(value));
        return json_new_text(number);
    }
    case MAP_HOURS: {
        AUTO_FREE char *hours = text_format("%lld", (long long)seconds_of(value) / SECONDS_OF_HOUR);
        return json_new_text(hours);
    }
    case MAP_WORD:
        return json_is_text(value) ? word_to_knative(row, json_text(value)) : NULL;
    case MAP_LIST:
        return joined(value);
    case MAP_JSON: {
        AUTO_FREE char *text = json_format(value, JSON_CANONICAL);
        return json_new_text(text);
    }
    case MAP_SECONDS:
        return json_new_integer(seconds_of(value));
    case MAP_TEXT:
        return json_new_text(json_text(value));
    case MAP_KEPT:
    case MAP_OUTPUT:
        break;
    }
    return NULL;
}

void mapping_to_knative(const struct mapping_row *rows, const struct json *run, struct json *knative) {
    for (; rows->knative; rows++) {
        const struct json *value = rows->run ? json_get_path(run, rows->run) : NULL;
        struct json *made = value && !json_get(knative, rows->knative) ? value_to_knative(rows, value) : NULL;
        if (made)
            json_set(knative, rows->knative, made);
    }
}

/* ---- a change ---- */

static bool same_names(const struct json *left, const struct json *right) {
    bool same = json_is_array(left) && json_is_array(right) && json_count(left) == json_count(right);
    for (size_t i = 0; same && i < json_count(left); i++)
        same = json_is_object(json_at(left, i)) && json_is_object(json_at(right, i)) &&
               text_equal(json_get_text(json_at(left, i), "name", ""), json_get_text(json_at(right, i), "name", ""));
    return same;
}

static struct json *merge_lists(const struct json *base, const struct json *theirs, const struct json *mine) {
    struct json *merged = json_new_array();
    for (size_t i = 0; i < json_count(mine); i++)
        json_append(merged, json_merge_change(json_at(base, i), json_at(theirs, i), json_at(mine, i)));
    return merged;
}

static void merge_member(const struct json *base, const struct json *theirs, const struct json *mine, const char *key,
                         struct json *merged) {
    struct json *value = json_merge_change(json_get(base, key), json_get(theirs, key), json_get(mine, key));
    if (value)
        json_set(merged, key, value);
}

struct json *json_merge_change(const struct json *base, const struct json *theirs, const struct json *mine) {
    if (base == mine || (base && mine && json_same(base, mine)))
        return theirs ? json_copy_deep(theirs) : NULL;
    if (!mine)
        return NULL;
    if (same_names(theirs, mine) && same_names(base, mine))
        return merge_lists(base, theirs, mine);
    if (!json_is_object(theirs) || !json_is_object(mine))
        return json_copy_deep(mine);
    struct json *merged = json_new_object();
    for (void *i = json_first(theirs); i; i = json_next(theirs, i))
        merge_member(base, theirs, mine, json_key(i), merged);
    for (void *i = json_first(mine); i; i = json_next(mine, i))
        if (!json_get(theirs, json_key(i)))
            json_set(merged, json_key(i), json_copy_deep(json_value(i)));
    return merged;
}
