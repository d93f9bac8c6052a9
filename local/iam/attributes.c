/* The attribute mapping and the attribute condition of a provider: from the claims of a token to members that policies
 * name. */
#include "local/iam/internal.h"

#include "local/cel/cel.h"

#include <string.h>

enum { SUBJECT_BYTES = 127, ATTRIBUTE_LENGTH = 100, ATTRIBUTES_LIMIT = 50, MAPPING_LENGTH = 2048, GROUPS_LIMIT = 400 };

static const char custom[] = "attribute.";

/* The mapping that holds when none is given for google.subject. */
static const char *subject_mapping(const struct json *provider) {
    return json_get_text(json_get(provider, "attributeMapping"), "google.subject", NULL);
}

static int check_name(const char *name, struct error *error) {
    static const char *const known[] = {"google.subject", "google.groups", "google.display_name",
                                        "google.profile_photo", "google.posix_username"};
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (text_equal(name, known[i]))
            return 0;
    const char *rest = text_starts_with(name, custom) ? name + strlen(custom) : "";
    if (*rest && strlen(rest) <= ATTRIBUTE_LENGTH &&
        strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(rest))
        return 0;
    return error_set(error, ERROR_DATA, "Invalid mapped attribute key: %.150s", name);
}

int attributes_check(const struct json *provider, struct error *error) {
    const struct json *mapping = json_get(provider, "attributeMapping");
    const char *condition = json_get_text(provider, "attributeCondition", "");
    if (json_count(mapping) > ATTRIBUTES_LIMIT)
        return error_set(error, ERROR_DATA, "Invalid value at 'attributeMapping': more than %d", ATTRIBUTES_LIMIT);
    if (!subject_mapping(provider))
        return error_set(error, ERROR_DATA, "The attribute mapping must map google.subject");
    for (void *at = json_first(mapping); at; at = json_next(mapping, at)) {
        const char *text = json_text(json_value(at));
        if (check_name(json_key(at), error) < 0)
            return -1;
        if (!text || strlen(text) > MAPPING_LENGTH)
            return error_set(error, ERROR_DATA, "Invalid value at 'attributeMapping[%.100s]'", json_key(at));
        AUTO_CEL struct cel *expression = cel_compile(text, error);
        if (!expression)
            return error_wrap(error, "Error compiling the attribute mapping of %.100s", json_key(at));
    }
    AUTO_CEL struct cel *expression = *condition ? cel_compile(condition, error) : NULL;
    return *condition && !expression ? error_wrap(error, "Error compiling the attribute condition") : 0;
}

/* ---- the mapping ---- */

struct mapping {
    struct json *variables; /* assertion, google, attribute */
    struct error *error;
};

static struct json *evaluate(const struct mapping *mapping, const char *text) {
    AUTO_CEL struct cel *expression = cel_compile(text, mapping->error);
    return expression ? cel_evaluate(expression, mapping->variables, mapping->error) : NULL;
}

static int check_value(const char *name, const struct json *value, struct error *error) {
    bool many = text_equal(name, "google.groups") || text_starts_with(name, custom);
    bool is_list = many && json_is_array(value) && json_count(value) <= GROUPS_LIMIT;
    for (size_t i = 0; is_list && i < json_count(value); i++)
        is_list = json_is_text(json_at(value, i));
    bool is_text = json_is_text(value) && !text_equal(name, "google.groups");
    if (!is_text && !is_list)
        return error_set(error, ERROR_DATA, "The mapped attribute '%.100s' must be of type %s.", name,
                         text_equal(name, "google.groups") ? "list of strings" : "string");
    if (is_text && text_equal(name, "google.subject") && strlen(json_text(value)) > SUBJECT_BYTES)
        return error_set(error, ERROR_DATA, "The size of mapped attribute %s exceeds the %d bytes limit.", name,
                         SUBJECT_BYTES);
    return 0;
}

/* An attribute whose claim is not in the token is left out; only google.subject must be there. */
static int map_one(const struct mapping *mapping, const char *name, const char *text) {
    AUTO_JSON struct json *value = evaluate(mapping, text);
    if (!value || (json_is_text(value) && !*json_text(value))) {
        if (!text_equal(name, "google.subject"))
            return 0;
        return error_set(mapping->error, ERROR_DATA,
                         "Could not obtain a value for google.subject from the given credential.");
    }
    if (check_value(name, value, mapping->error) < 0)
        return -1;
    const char *dot = strchr(name, '.');
    AUTO_FREE char *space = text_copy_length(name, (size_t)(dot - name));
    json_set(json_get(mapping->variables, space), dot + 1, take_pointer(&value));
    return 0;
}

static int check_condition(const struct mapping *mapping, const char *condition) {
    struct error ignored = {0};
    struct mapping quiet = {mapping->variables, &ignored};
    AUTO_JSON struct json *value = *condition ? evaluate(&quiet, condition) : json_new_bool(true);
    if (json_truth(value))
        return 0;
    return error_set(mapping->error, ERROR_PERMISSION, "The given credential is rejected by the attribute condition.");
}

/* ---- members ---- */

static void add_members(struct text_list *members, const char *pool, const char *kind, const struct json *value) {
    static const char form[] = "principalSet://iam.googleapis.com/%s/%s/%s";
    if (json_is_text(value))
        text_list_add_format(members, form, pool, kind, json_text(value));
    for (size_t i = 0; json_is_array(value) && i < json_count(value); i++)
        text_list_add_format(members, form, pool, kind, json_text(json_at(value, i)));
}

static void collect_members(const struct json *variables, const char *pool, struct text_list *members) {
    const struct json *google = json_get(variables, "google"), *attributes = json_get(variables, "attribute");
    text_list_add_format(members, "principal://iam.googleapis.com/%s/subject/%s", pool,
                         json_get_text(google, "subject", ""));
    text_list_add_format(members, "principalSet://iam.googleapis.com/%s/*", pool);
    add_members(members, pool, "group", json_get(google, "groups"));
    for (void *at = json_first(attributes); at; at = json_next(attributes, at)) {
        AUTO_FREE char *kind = text_format("attribute.%s", json_key(at));
        add_members(members, pool, kind, json_value(at));
    }
}

int attributes_map(const struct json *provider, const struct json *claims, const char *pool, struct text_list *members,
                   struct error *error) {
    AUTO_JSON struct json *variables = json_new_object();
    struct mapping mapping = {variables, error};
    const struct json *rules = json_get(provider, "attributeMapping");
    json_set(variables, "assertion", json_copy_deep(claims));
    json_set(variables, "google", json_new_object());
    json_set(variables, "attribute", json_new_object());
    for (void *at = json_first(rules); at; at = json_next(rules, at))
        if (map_one(&mapping, json_key(at), json_text(json_value(at))) < 0)
            return -1;
    if (check_condition(&mapping, json_get_text(provider, "attributeCondition", "")) < 0)
        return -1;
    collect_members(variables, pool, members);
    return 0;
}
