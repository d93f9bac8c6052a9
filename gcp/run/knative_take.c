/* How each kind of member is read. */
#include "common/base/text.h"
#include "gcp/run/knative_internal.h"

#include <string.h>

/* ---- what all takers need ---- */

int knative_refuse(const struct knative_reading *reading, const char *place, const char *why) {
    return error_set(reading->error, ERROR_DATA, "%s: %s %s", reading->what, place, why);
}

static void put(struct json *to, const char *path, struct json *value) {
    const char *dot = strchr(path, '.');
    if (!dot) {
        json_set(to, path, value);
        return;
    }
    AUTO_FREE char *key = text_copy_length(path, (size_t)(dot - path));
    put(json_need_object(to, key), dot + 1, value);
}

int knative_take_members(struct knative_reading *reading, const struct knative_row *rows, const struct json *object,
                         struct json *to, const char *place) {
    if (!json_is_object(object))
        return knative_refuse(reading, place, "is no mapping");
    for (void *i = json_first(object); i; i = json_next(object, i)) {
        const struct knative_row *row = rows;
        AUTO_FREE char *inner = text_format("%s%s%s", place, *place ? "." : "", json_key(i));
        while (row->from && !text_equal(row->from, json_key(i)))
            row++;
        if (!row->from)
            return knative_refuse(reading, inner, "is nothing that a service of Cloud Run has");
        if (row->take && !json_is_null(json_value(i)) && row->take(reading, row, json_value(i), to, inner) < 0)
            return -1;
    }
    return 0;
}

/* ---- takers ---- */

int knative_take_same(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                      struct json *to, const char *place) {
    (void)reading, (void)place;
    put(to, row->to ? row->to : row->from, json_copy_deep(value));
    return 0;
}

/* Text: a number or a truth value in its place has lost its quotes. */
int knative_take_text(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                      struct json *to, const char *place) {
    if (!json_is_text(value))
        return knative_refuse(reading, place, "must be text; put it in quotes");
    return knative_take_same(reading, row, value, to, place);
}

int knative_take_object(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                        struct json *to, const char *place) {
    struct json *object = json_new_object();
    put(to, row->to ? row->to : row->from, object);
    return knative_take_members(reading, row->inner, value, object, place);
}

int knative_take_list(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                      struct json *to, const char *place) {
    if (!json_is_array(value))
        return knative_refuse(reading, place, "is no list");
    struct json *list = json_new_array();
    put(to, row->to ? row->to : row->from, list);
    for (size_t i = 0; i < json_count(value); i++) {
        AUTO_FREE char *inner = text_format("%s[%zu]", place, i);
        struct json *element = json_new_object();
        json_append(list, element);
        if (knative_take_members(reading, row->inner, json_at(value, i), element, inner) < 0)
            return -1;
    }
    return 0;
}

/* Members of `value` into `to` itself. */
int knative_take_inside(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                        struct json *to, const char *place) {
    return knative_take_members(reading, row->inner, value, to, place);
}

int knative_take_must_be(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                         struct json *to, const char *place) {
    (void)to;
    if (text_equal(json_text(value), row->to))
        return 0;
    AUTO_FREE char *why = text_format("must be %s", row->to);
    return knative_refuse(reading, place, why);
}

int knative_take_seconds(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                         struct json *to, const char *place) {
    uint64_t seconds = json_is_integer(value) && json_number(value) >= 0 ? (uint64_t)json_number(value) : 0;
    bool number = json_is_integer(value) ? json_number(value) >= 0
                                         : text_to_u64(json_text(value) ? json_text(value) : "", INT32_MAX, &seconds);
    if (!number)
        return knative_refuse(reading, place, "must be a number of seconds");
    AUTO_FREE char *text = text_format("%llus", (unsigned long long)seconds);
    put(to, row->to, json_new_text(text));
    return 0;
}

/* A number in quotes, as annotations have it. */
int knative_take_number_text(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                             struct json *to, const char *place) {
    uint64_t number = 0;
    if (!json_is_text(value) || !text_to_u64(json_text(value), INT32_MAX, &number))
        return knative_refuse(reading, place, "must be a number in quotes");
    put(to, row->to, json_new_integer((int64_t)number));
    return 0;
}

int knative_take_hours_text(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                            struct json *to, const char *place) {
    uint64_t hours = 0;
    if (!json_is_text(value) || !text_to_u64(json_text(value), 24 * 365, &hours))
        return knative_refuse(reading, place, "must be a number of hours in quotes");
    AUTO_FREE char *text = text_format("%llus", (unsigned long long)hours * 3600);
    put(to, row->to, json_new_text(text));
    return 0;
}

int knative_take_truth_text(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                            struct json *to, const char *place) {
    bool truth = text_equal(json_text(value), "true");
    if (!truth && !text_equal(json_text(value), "false"))
        return knative_refuse(reading, place, "must be 'true' or 'false', in quotes");
    put(to, row->to, json_new_bool(truth));
    return 0;
}

int knative_take_word(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                      struct json *to, const char *place) {
    AUTO_BUFFER struct buffer known = BUFFER(512);
    for (const char *const *pair = row->words; *pair; pair += 2) {
        if (text_equal(*pair, json_text(value))) {
            put(to, row->to, json_new_text(pair[1]));
            return 0;
        }
        buffer_append_format(&known, "%s%s", known.length ? ", " : "must be one of ", *pair);
    }
    return knative_refuse(reading, place, buffer_text(&known));
}

/* JSON in an annotation. */
static struct json *parse_inner(const struct knative_reading *reading, const struct json *value, const char *place) {
    AUTO_FREE char *what = text_format("%s: %s", reading->what, place);
    const char *text = json_text(value);
    if (text)
        return json_parse(text, strlen(text), what, reading->error);
    knative_refuse(reading, place, "must be JSON in quotes");
    return NULL;
}

int knative_take_json_list(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                           struct json *to, const char *place) {
    struct json *list = parse_inner(reading, value, place);
    if (!list)
        return -1;
    bool is_list = json_is_array(list);
    put(to, row->to, list);
    return is_list ? 0 : knative_refuse(reading, place, "must be a list in JSON");
}

/* ---- secrets ---- */

/* "alias:projects/P/secrets/S,…" */
int knative_take_aliases(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                         struct json *to, const char *place) {
    (void)row, (void)to;
    const char *text = json_text(value);
    AUTO_LIST struct text_list pairs = {0};
    if (!text)
        return knative_refuse(reading, place, "must be text");
    text_list_split(&pairs, text, ',');
    for (size_t i = 0; i < pairs.count; i++)
        if (*pairs.items[i] && !strchr(pairs.items[i], ':'))
            return knative_refuse(reading, place, "must be ALIAS:projects/PROJECT/secrets/SECRET,…");
    return 0;
}

/* The secret that a name stands for: itself, unless it is an alias. The caller frees. */
static char *secret_of(const struct knative_reading *reading, const char *name) {
    AUTO_LIST struct text_list pairs = {0};
    size_t length = strlen(name);
    if (json_text(reading->aliases))
        text_list_split(&pairs, json_text(reading->aliases), ',');
    for (size_t i = 0; i < pairs.count; i++)
        if (strncmp(pairs.items[i], name, length) == 0 && pairs.items[i][length] == ':')
            return text_copy(pairs.items[i] + length + 1);
    return text_copy(name);
}

int knative_take_secret_name(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                             struct json *to, const char *place) {
    if (!json_is_text(value))
        return knative_refuse(reading, place, "must be text");
    AUTO_FREE char *secret = secret_of(reading, json_text(value));
    put(to, row->to, json_new_text(secret));
    return 0;
}

/* ---- what annotations say about containers ---- */

int knative_take_for_containers(struct knative_reading *reading, const struct knative_row *row,
                                const struct json *value, struct json *to, const char *place) {
    (void)to;
    const struct json *containers = json_get(reading->template, "containers");
    for (size_t i = 0; i < json_count(containers); i++)
        if (knative_take_truth_text(reading, row, value, json_at(containers, i), place) < 0)
            return -1;
    return 0;
}

/* {"container": …} in JSON, each value for the container of that name. */
int knative_take_by_container(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                              struct json *to, const char *place) {
    (void)to;
    AUTO_JSON struct json *map = parse_inner(reading, value, place);
    const struct json *containers = json_get(reading->template, "containers");
    if (!map)
        return -1;
    for (void *i = json_first(map); i; i = json_next(map, i)) {
        struct json *named = json_count(containers) == 1 && !*json_key(i) ? json_at(containers, 0) : NULL;
        for (size_t j = 0; j < json_count(containers); j++)
            if (text_equal(json_get_text(json_at(containers, j), "name", NULL), json_key(i)))
                named = json_at(containers, j);
        if (!named)
            return knative_refuse(reading, place, "names a container that is not there");
        json_set(named, row->to, json_copy_deep(json_value(i)));
    }
    return json_is_object(map) ? 0 : knative_refuse(reading, place, "must be a mapping in JSON");
}

static struct json *need_list(struct json *object, const char *key) {
    if (!json_is_array(json_get(object, key)))
        json_set(object, key, json_new_array());
    return json_get(object, key);
}

/* "P:R:I,…": a volume of the template, mounted where Cloud SQL's sockets are looked for. */
int knative_take_cloudsql(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                          struct json *to, const char *place) {
    (void)row;
    AUTO_LIST struct text_list instances = {0};
    if (!json_is_text(value))
        return knative_refuse(reading, place, "must be text");
    text_list_split(&instances, json_text(value), ',');
    struct json *volume = json_new_object(), *list = json_new_array();
    json_set_text(volume, "name", "cloudsql");
    for (size_t i = 0; i < instances.count; i++)
        json_append_text(list, instances.items[i]);
    json_set(json_need_object(volume, "cloudSqlInstance"), "instances", list);
    json_append(need_list(to, "volumes"), volume);
    const struct json *containers = json_get(reading->template, "containers");
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *mount = json_new_object();
        json_set_text(mount, "name", "cloudsql");
        json_set_text(mount, "mountPath", "/cloudsql");
        json_append(need_list(json_at(containers, i), "volumeMounts"), mount);
    }
    return 0;
}

int knative_take_binary_authorization(struct knative_reading *reading, const struct knative_row *row,
                                      const struct json *value, struct json *to, const char *place) {
    (void)row;
    if (!json_is_text(value))
        return knative_refuse(reading, place, "must be text");
    if (text_equal(json_text(value), "default"))
        put(to, "binaryAuthorization.useDefault", json_new_bool(true));
    else
        put(to, "binaryAuthorization.policy", json_new_text(json_text(value)));
    return 0;
}

/* "a,b" */
int knative_take_words(struct knative_reading *reading, const struct knative_row *row, const struct json *value,
                       struct json *to, const char *place) {
    AUTO_LIST struct text_list words = {0};
    if (!json_is_text(value))
        return knative_refuse(reading, place, "must be text");
    struct json *list = json_new_array();
    text_list_split(&words, json_text(value), ',');
    for (size_t i = 0; i < words.count; i++)
        json_append_text(list, words.items[i]);
    put(to, row->to, list);
    return 0;
}
