/* The text of a policy, checked whole. */
#include "common/base/units.h"
#include "common/glob/glob.h"
#include "common/policy/internal.h"
#include "common/policy/quantity.h"
#include "common/regex/regex.h"

#include <stdarg.h>
#include <string.h>

struct reading {
    const char *origin, *text;
    size_t length;
    struct error *error;
};

/* ---- what is wrong, and where ---- */

static int refuse(const struct reading *reading, const struct json_step *step, const char *format, ...)
    PRINTF_LIKE(3, 4);
static int refuse(const struct reading *reading, const struct json_step *step, const char *format, ...) {
    struct json_place place = json_locate(reading->text, reading->length, step);
    char *what = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&what, format, arguments) < 0)
        what = NULL;
    va_end(arguments);
    error_set(reading->error, ERROR_CONFIGURATION, "%s:%u:%u: %s", reading->origin, place.line, place.column,
              what ? what : "");
    free(what);
    return -1;
}

/* The first key of an object that is none of `names`. */
static int check_keys(const struct reading *reading, const struct json *object, const struct json_step *step,
                      const char *what, const char *const *names) {
    for (void *i = json_first(object); i; i = json_next(object, i)) {
        const char *key = json_key(i);
        bool known = false;
        for (const char *const *name = names; *name; name++)
            known = known || text_equal(*name, key);
        if (known)
            continue;
        const struct json_step member = {step, .key = key};
        const char *nearest = text_nearest(key, names);
        refuse(reading, &member, "\"%.80s\" is %s", key, what);
        return nearest ? error_next(reading->error, "did you mean \"%s\"?", nearest)
                       : error_next(reading->error, "what there is: docs/policy.md");
    }
    return 0;
}

static int need_object(const struct reading *reading, const struct json *value, const struct json_step *step) {
    return json_is_object(value) ? 0 : refuse(reading, step, "this is an object: {…}");
}

/* ---- members ---- */

static int check_glob(const struct reading *reading, const char *text, const struct json_step *step) {
    struct error failure = {0};
    AUTO_GLOB struct glob *glob = glob_new(text, GLOB_DOT, &failure);
    return glob ? 0 : refuse(reading, step, "%s", failure.text);
}

static int check_pattern(const struct reading *reading, const char *text, const struct json_step *step) {
    struct error failure = {0};
    AUTO_REGEX struct regex *regex = text ? regex_compile(text, REGEX_RE2, &failure) : NULL;
    if (!text)
        return refuse(reading, step, "this is a regular expression in quotes");
    return regex ? 0 : refuse(reading, step, "%s", failure.text);
}

static const char *const suites[] = {"unit", "lint", "types", "audit", NULL};
static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

static bool is_one_of(const char *text, const char *const *words) {
    while (*words && !text_equal(*words, text))
        words++;
    return *words != NULL;
}

static int check_list(const struct reading *reading, const struct json *list, enum member_kind kind,
                      const struct json_step *step) {
    if (!json_is_array(list) || json_count(list) == 0)
        return refuse(reading, step, "this is a list of texts, and not an empty one: [\"…\"]");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json_step element = {step, .index = i};
        const char *text = json_text(json_at(list, i));
        if (text_is_empty(text))
            return refuse(reading, &element, "this is a text");
        if (kind == MEMBER_GLOBS && check_glob(reading, text, &element) < 0)
            return -1;
        if (kind == MEMBER_SUITES && !is_one_of(text, suites))
            return refuse(reading, &element, "\"%.80s\" is no suite of pl-test: unit, lint, types, audit", text);
    }
    return 0;
}

static int check_labels_of(const struct reading *reading, const struct json *map, const struct json_step *step) {
    static const char *const of_git[] = {"git:commit", "git:branch", "git:tag", NULL};
    if (!json_is_object(map) || json_count(map) == 0)
        return refuse(reading, step, "this is an object of texts: {\"name\": \"value\"}");
    for (void *i = json_first(map); i; i = json_next(map, i)) {
        const struct json_step member = {step, .key = json_key(i)};
        const char *text = json_text(json_value(i));
        if (text_is_empty(text))
            return refuse(reading, &member, "this is a text");
        if (text_starts_with(text, "git:") && !is_one_of(text, of_git))
            return refuse(reading, &member, "\"%.80s\" is not git:commit, git:branch or git:tag", text);
    }
    return 0;
}

static bool is_date(const char *text) {
    static const char form[] = "dddd-dd-dd";
    if (!text || strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return strncmp(text + 5, "01", 2) >= 0 && strncmp(text + 5, "12", 2) <= 0 && strncmp(text + 8, "01", 2) >= 0 &&
           strncmp(text + 8, "31", 2) <= 0;
}

static int check_member(const struct reading *reading, const struct json *value, enum member_kind kind,
                        const struct json_step *step) {
    const char *text = json_text(value);
    long long seconds;
    double number;
    switch (kind) {
    case MEMBER_TEXT:
        return !text_is_empty(text) ? 0 : refuse(reading, step, "this is a text");
    case MEMBER_TRUTH:
        return json_is_bool(value) ? 0 : refuse(reading, step, "this is true or false");
    case MEMBER_AMOUNT:
        return json_is_integer(value) && json_number(value) >= 0
                   ? 0
                   : refuse(reading, step, "this is a whole number, 0 or more");
    case MEMBER_PERCENT:
        return quantity_of(value, &number) && !text && number <= 100
                   ? 0
                   : refuse(reading, step, "this is a number from 0 to 100");
    case MEMBER_QUANTITY:
        return quantity_of(value, &number) ? 0 : refuse(reading, step, "this is a quantity: 2, \"500m\", \"512Mi\"");
    case MEMBER_DURATION:
        return text && parse_duration(text, &seconds) ? 0 : refuse(reading, step, "this is a time: \"90s\", \"5m\"");
    case MEMBER_DATE:
        return is_date(text) ? 0 : refuse(reading, step, "this is a date: \"2026-12-31\"");
    case MEMBER_SEVERITY:
        return text && is_one_of(text, severities)
                   ? 0
                   : refuse(reading, step, "this is one of: low, medium, high, critical");
    case MEMBER_PATTERN:
        return check_pattern(reading, text, step);
    case MEMBER_GLOBS:
    case MEMBER_SUITES:
        return check_list(reading, value, kind, step);
    case MEMBER_LABELS:
        return check_labels_of(reading, value, step);
    }
    return 0;
}

/* An object whose members `members` (ends with one without a name) describes; `what` it is called in an error. */
static int check_object(const struct reading *reading, const struct json *object, const struct json_step *step,
                        const struct member *members, const char *what) {
    const char *names[RULE_MEMBERS + 2] = {"why"};
    size_t count = 1;
    AUTO_FREE char *unknown = text_format("no member of %s", what);
    for (const struct member *member = members; member->name; member++)
        names[count++] = member->name;
    const struct json_step why = {step, .key = "why"};
    if (need_object(reading, object, step) < 0 || check_keys(reading, object, step, unknown, names) < 0 ||
        (json_get(object, "why") && check_member(reading, json_get(object, "why"), MEMBER_TEXT, &why) < 0))
        return -1;
    for (const struct member *member = members; member->name; member++) {
        const struct json_step at = {step, .key = member->name};
        const struct json *value = json_get(object, member->name);
        if (!value && member->is_needed)
            return refuse(reading, step, "%s needs \"%s\"", what, member->name);
        if (value && check_member(reading, value, member->kind, &at) < 0)
            return -1;
    }
    return 0;
}

/* ---- the parts of a policy ---- */

static int check_rules(const struct reading *reading, const struct json *rules, const struct json_step *step) {
    const char **names = memory_allocate(policy_rule_count + 1, sizeof(*names));
    for (size_t i = 0; i < policy_rule_count; i++)
        names[i] = policy_rules[i].name;
    int result = need_object(reading, rules, step);
    if (result == 0)
        result = check_keys(reading, rules, step, "no rule", names);
    for (size_t i = 0; i < policy_rule_count && result == 0; i++) {
        const struct json *value = json_get(rules, names[i]);
        const struct json_step at = {step, .key = names[i]};
        AUTO_FREE char *what = text_format("the rule \"%s\"", names[i]);
        if (value)
            result = check_object(reading, value, &at, policy_rules[i].members, what);
        if (value && result == 0 && json_count(value) == (json_get(value, "why") != NULL))
            result = refuse(reading, &at, "%s says nothing", what);
    }
    free(names);
    return result;
}

static int check_environment(const struct reading *reading, const struct json *environment,
                             const struct json_step *step) {
    static const char *const names[] = {"when", "rules", "why", NULL};
    static const struct member when_members[] = {{"projects", MEMBER_GLOBS, false}, {"regions", MEMBER_GLOBS, false},
                                                 {"names", MEMBER_GLOBS, false},    {"channels", MEMBER_GLOBS, false},
                                                 {"branches", MEMBER_GLOBS, false}, {.name = NULL}};
    const struct json_step when_step = {step, .key = "when"}, rules_step = {step, .key = "rules"};
    const struct json *when = json_get(environment, "when");
    if (need_object(reading, environment, step) < 0 ||
        check_keys(reading, environment, step, "no member of an environment", names) < 0)
        return -1;
    if (!when || !json_get(environment, "rules"))
        return refuse(reading, step, "an environment needs \"when\" and \"rules\"");
    if (check_object(reading, when, &when_step, when_members, "\"when\"") < 0)
        return -1;
    if (json_count(when) == (json_get(when, "why") != NULL))
        return refuse(reading, &when_step, "\"when\" says nothing: by projects, regions or names");
    return check_rules(reading, json_get(environment, "rules"), &rules_step);
}

static int check_environments(const struct reading *reading, const struct json *environments,
                              const struct json_step *step) {
    if (need_object(reading, environments, step) < 0)
        return -1;
    for (void *i = json_first(environments); i; i = json_next(environments, i)) {
        const struct json_step at = {step, .key = json_key(i)};
        if (check_environment(reading, json_value(i), &at) < 0)
            return -1;
    }
    return 0;
}

static int check_exceptions(const struct reading *reading, const struct json *exceptions,
                            const struct json_step *step) {
    static const struct member members[] = {{"rule", MEMBER_TEXT, true},       {"names", MEMBER_GLOBS, true},
                                            {"projects", MEMBER_GLOBS, false}, {"environment", MEMBER_TEXT, false},
                                            {"until", MEMBER_DATE, true},      {.name = NULL}};
    if (!json_is_array(exceptions))
        return refuse(reading, step, "this is a list: [{…}]");
    for (size_t i = 0; i < json_count(exceptions); i++) {
        const struct json *exception = json_at(exceptions, i);
        const struct json_step at = {step, .index = i}, rule = {&at, .key = "rule"};
        if (check_object(reading, exception, &at, members, "an exception") < 0)
            return -1;
        if (!json_get(exception, "why"))
            return refuse(reading, &at, "an exception needs \"why\"");
        bool known = false;
        for (size_t k = 0; k < policy_rule_count; k++)
            known = known || text_equal(policy_rules[k].name, json_get_text(exception, "rule", NULL));
        if (!known)
            return refuse(reading, &rule, "\"%.80s\" is no rule", json_get_text(exception, "rule", ""));
    }
    return 0;
}

static int check_policy(const struct reading *reading, const struct json *json) {
    static const char *const names[] = {"name",       "why", "rules", "environments", "require_environment",
                                        "exceptions", NULL};
    static const struct {
        const char *key;
        int (*check)(const struct reading *reading, const struct json *value, const struct json_step *step);
    } parts[] = {{"rules", check_rules}, {"environments", check_environments}, {"exceptions", check_exceptions}};
    static const struct {
        const char *key;
        enum member_kind kind;
    } members[] = {{"name", MEMBER_TEXT}, {"why", MEMBER_TEXT}, {"require_environment", MEMBER_TRUTH}};
    if (need_object(reading, json, NULL) < 0 || check_keys(reading, json, NULL, "no part of a policy", names) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        const struct json_step at = {NULL, .key = members[i].key};
        const struct json *value = json_get(json, members[i].key);
        if (value && check_member(reading, value, members[i].kind, &at) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        const struct json_step at = {NULL, .key = parts[i].key};
        const struct json *value = json_get(json, parts[i].key);
        if (value && parts[i].check(reading, value, &at) < 0)
            return -1;
    }
    if (!json_get(json, "rules") && !json_get(json, "environments"))
        return refuse(reading, NULL, "a policy has \"rules\" or \"environments\"");
    return 0;
}

int policy_parse(struct policy *policy, const char *origin, const char *text, size_t length, struct error *error) {
    const struct reading reading = {origin, text, length, error};
    AUTO_JSON struct json *json = json_parse(text, length, origin, error);
    if (!json) {
        if (error)
            error->kind = ERROR_CONFIGURATION;
        return -1;
    }
    if (check_policy(&reading, json) < 0)
        return -1;
    *policy = (struct policy){.origin = text_copy(origin), .json = take_pointer(&json)};
    return 0;
}
