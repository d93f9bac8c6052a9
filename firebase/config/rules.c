/* rewrites, redirects, headers. */
#include "common/glob/glob.h"
#include "firebase/config/internal.h"
#include "firebase/config/regex.h"

#include <string.h>

enum { RULE_LIMIT = 10000 };

/* The pattern of a rule: "source" or "glob", or "regex". */
static int read_pattern(const struct value *rule, const char *what, struct json *out, const char **pattern,
                        struct error *error) {
    static const char *const kinds[] = {"source", "glob", "regex"};
    *pattern = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct value value = value_member(rule, kinds[i]);
        struct error failure = {0};
        const char *text;
        if (value_text(&value, &text, error) < 0)
            return -1;
        if (!text)
            continue;
        if (*pattern)
            return value_wrong(&value, error, "a %s takes one of source, glob and regex, not two", what);
        bool is_regex = text_equal(kinds[i], "regex");
        AUTO_GLOB struct glob *glob = is_regex ? NULL : glob_new(text, 0, &failure);
        if (is_regex ? regex_check(text, &failure) < 0 : !glob) {
            value_wrong(&value, error, "the %s \"%.200s\" is not one that Hosting takes: %s",
                        is_regex ? "regular expression" : "pattern", text, failure.text);
            return is_regex ? error_next(error, "see https://github.com/google/re2/wiki/Syntax") : -1;
        }
        json_set_text(out, is_regex ? "regex" : "glob", text);
        *pattern = text;
    }
    if (!*pattern)
        return value_wrong(rule, error, "a %s needs a pattern: source, glob or regex", what);
    return 0;
}

/* ---- rewrites ---- */

/* What "run" and "function" name. */
struct target {
    const char *name, *region;
    bool pin_tag;
};

static void add_service(struct site_config *config, const struct value *rule, size_t index, const char *pattern,
                        const struct target *target) {
    config->services = memory_resize(config->services, config->service_count + 1, sizeof(*config->services));
    config->services[config->service_count++] =
        (struct config_service){.rewrite = index,
                                .line = firebase_file_line(rule->file, &rule->step),
                                .pattern = text_copy(pattern),
                                .name = text_copy(target->name),
                                .region = text_copy(target->region),
                                .is_function = json_get(rule->json, "function") != NULL,
                                .pin_tag = target->pin_tag};
}

/* {"serviceId" or "functionId", "region", "pinTag"} */
static int read_target(const struct value *value, const char *id_key, struct target *target, struct error *error) {
    const char *keys[] = {id_key, "region", "pinTag", NULL};
    struct value id = value_member(value, id_key), region = value_member(value, "region");
    struct value pin = value_member(value, "pinTag");
    bool given;
    if (value_object(value, value->step.key, error) < 0 || value_check_keys(value, value->step.key, keys, error) < 0 ||
        value_text(&id, &target->name, error) < 0 || value_text(&region, &target->region, error) < 0 ||
        value_bool(&pin, &target->pin_tag, &given, error) < 0)
        return -1;
    if (!target->name)
        return value_wrong(value, error, "%s needs \"%s\"", value->step.key, id_key);
    return 0;
}

static int read_run(const struct value *rule, struct target *target, struct json *out, struct error *error) {
    struct value run = value_member(rule, "run");
    if (read_target(&run, "serviceId", target, error) < 0)
        return -1;
    struct json *to = json_new_object();
    json_set_text(to, "serviceId", target->name);
    json_set_text(to, "region", target->region ? target->region : "us-central1");
    json_set(out, "run", to);
    return 0;
}

/* As text with "region" beside it, or as an object. */
static int read_function(const struct value *rule, struct target *target, struct json *out, struct error *error) {
    struct value function = value_member(rule, "function"), region_value = value_member(rule, "region");
    const char *region;
    if (value_text(&region_value, &region, error) < 0)
        return -1;
    if (json_is_text(function.json)) {
        target->region = region;
        if (value_text(&function, &target->name, error) < 0)
            return -1;
    } else if (region) {
        return value_wrong(&region_value, error, "\"region\" belongs into \"function\", which is an object here");
    } else if (read_target(&function, "functionId", target, error) < 0) {
        return -1;
    }
    json_set_text(out, "function", target->name);
    json_set_text(out, "functionRegion", target->region);
    return 0;
}

static int read_destination(const struct value *rule, struct site_config *config, struct json *out,
                            struct error *error) {
    struct value value = value_member(rule, "destination");
    const char *destination;
    if (value_text(&value, &destination, error) < 0)
        return -1;
    json_set_text(out, "path", destination);
    text_list_add_format(&config->destinations, "%s:%u\n%s", rule->file->shown,
                         firebase_file_line(rule->file, &value.step), destination);
    return 0;
}

static int read_dynamic_links(const struct value *rule, struct json *out, struct error *error) {
    struct value value = value_member(rule, "dynamicLinks");
    bool truth, given;
    if (value_bool(&value, &truth, &given, error) < 0)
        return -1;
    if (!truth)
        return value_wrong(&value, error, "dynamicLinks can only be true");
    json_set_bool(out, "dynamicLinks", true);
    return 0;
}

/* Which of the four a rewrite leads to. */
static int check_one_kind(const struct value *rule, struct error *error) {
    static const char *const kinds[] = {"destination", "function", "run", "dynamicLinks"};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        count += json_get(rule->json, kinds[i]) != NULL;
    if (count != 1)
        return value_wrong(rule, error, "a rewrite needs one of destination, function, run and dynamicLinks%s",
                           count ? ", not more" : "");
    if (json_get(rule->json, "region") && !json_get(rule->json, "function"))
        return value_wrong(rule, error, "\"region\" belongs into \"run\"");
    return 0;
}

static int read_rewrite(const struct value *rule, size_t index, struct site_config *config, struct json *out,
                        struct error *error) {
    static const char *const keys[] = {"source", "glob",         "regex",  "destination", "function",
                                       "run",    "dynamicLinks", "region", NULL};
    struct target target = {0};
    const char *pattern;
    if (value_object(rule, "a rewrite", error) < 0 || value_check_keys(rule, "a rewrite", keys, error) < 0 ||
        read_pattern(rule, "rewrite", out, &pattern, error) < 0 || check_one_kind(rule, error) < 0)
        return -1;
    if (json_get(rule->json, "destination"))
        return read_destination(rule, config, out, error);
    if (json_get(rule->json, "dynamicLinks"))
        return read_dynamic_links(rule, out, error);
    if ((json_get(rule->json, "run") ? read_run : read_function)(rule, &target, out, error) < 0)
        return -1;
    add_service(config, rule, index, pattern, &target);
    return 0;
}

/* ---- redirects and headers ---- */

static int read_redirect(const struct value *rule, size_t index, struct site_config *config, struct json *out,
                         struct error *error) {
    static const char *const keys[] = {"source", "glob", "regex", "destination", "type", NULL};
    const char *pattern, *destination;
    struct value to = value_member(rule, "destination"), type = value_member(rule, "type");
    (void)index, (void)config;
    if (value_object(rule, "a redirect", error) < 0 || value_check_keys(rule, "a redirect", keys, error) < 0 ||
        read_pattern(rule, "redirect", out, &pattern, error) < 0 || value_text(&to, &destination, error) < 0)
        return -1;
    if (!destination)
        return value_wrong(rule, error, "a redirect needs \"destination\"");
    int64_t status = type.json ? json_number(type.json) : 301;
    if (!(type.json ? json_is_integer(type.json) : true) || status < 300 || status > 399)
        return value_wrong(&type, error, "type must be the number of a redirection: 301, 302, 303, 307 or 308");
    json_set_text(out, "location", destination);
    /* Without one Hosting takes 301. */
    if (type.json)
        json_set_integer(out, "statusCode", status);
    return 0;
}

/* RFC 9110: a token, and a value without control characters. */
static int check_header(const struct value *key, const struct value *text, const char *name, const char *value,
                        struct error *error) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (strspn(name, token) != strlen(name))
        return value_wrong(key, error, "\"%.100s\" cannot be the name of a header", name);
    if (strpbrk(value, "\r\n"))
        return value_wrong(text, error, "the value of the header %.100s has a line break", name);
    for (const char *at = value; *at; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 127)
            return value_wrong(text, error, "the value of the header %.100s has a control character", name);
    return 0;
}

static int read_pair(const struct value *pair, struct json *out, struct error *error) {
    static const char *const keys[] = {"key", "value", NULL};
    struct value key = value_member(pair, "key"), text = value_member(pair, "value");
    const char *name;
    if (value_object(pair, "a header", error) < 0 || value_check_keys(pair, "a header", keys, error) < 0 ||
        value_text(&key, &name, error) < 0)
        return -1;
    if (!name || !text.json)
        return value_wrong(pair, error, "a header needs \"key\" and \"value\"");
    if (!json_is_text(text.json))
        return value_wrong(&text, error, "value must be a text");
    if (check_header(&key, &text, name, json_text(text.json), error) < 0)
        return -1;
    json_set_text(out, name, json_text(text.json));
    return 0;
}

static int read_header(const struct value *rule, size_t index, struct site_config *config, struct json *out,
                       struct error *error) {
    static const char *const keys[] = {"source", "glob", "regex", "headers", NULL};
    const char *pattern;
    struct value list = value_member(rule, "headers");
    (void)index, (void)config;
    if (value_object(rule, "a rule of headers", error) < 0 ||
        value_check_keys(rule, "a rule of headers", keys, error) < 0 ||
        read_pattern(rule, "rule of headers", out, &pattern, error) < 0 || value_array(&list, error) < 0)
        return -1;
    if (!list.json)
        return value_wrong(rule, error, "a rule of headers needs \"headers\"");
    struct json *headers = json_new_object();
    json_set(out, "headers", headers);
    for (size_t i = 0; i < json_count(list.json); i++) {
        struct value pair = value_element(&list, i);
        if (read_pair(&pair, headers, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- lists ---- */

typedef int rule_reader(const struct value *rule, size_t index, struct site_config *config, struct json *out,
                        struct error *error);

static int read_list(const struct value *site, const char *key, rule_reader *read, struct site_config *config,
                     struct error *error) {
    struct value list = value_member(site, key);
    if (value_array(&list, error) < 0)
        return -1;
    if (!list.json)
        return 0;
    if (json_count(list.json) > RULE_LIMIT)
        return value_wrong(&list, error, "%zu %s are more than %d", json_count(list.json), key, RULE_LIMIT);
    struct json *rules = json_new_array();
    json_set(config->serving, key, rules);
    for (size_t i = 0; i < json_count(list.json); i++) {
        struct value rule = value_element(&list, i);
        struct json *out = json_new_object();
        json_append(rules, out);
        if (read(&rule, i, config, out, error) < 0)
            return -1;
    }
    return 0;
}

int rules_read(const struct value *site, struct site_config *config, struct error *error) {
    if (read_list(site, "rewrites", read_rewrite, config, error) < 0 ||
        read_list(site, "redirects", read_redirect, config, error) < 0)
        return -1;
    return read_list(site, "headers", read_header, config, error);
}
