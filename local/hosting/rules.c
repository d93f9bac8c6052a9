#include "local/hosting/rules.h"

#include "local/hosting/pattern.h"
#include "local/hosting/redirect.h"
#include "local/hosting/services.h"

#include <ctype.h>
#include <string.h>

enum { VALUE_LIMIT = 4096, LOCATION_LIMIT = 4096 };

/* ---- what may stand where ---- */

enum field_type { FIELD_TEXT, FIELD_BOOL, FIELD_INTEGER, FIELD_OBJECT, FIELD_LIST };

struct field {
    const char *name;
    enum field_type type;
};

static const struct field config_fields[] = {{"redirects", FIELD_LIST},      {"rewrites", FIELD_LIST},
                                             {"headers", FIELD_LIST},        {"cleanUrls", FIELD_BOOL},
                                             {"appAssociation", FIELD_TEXT}, {"trailingSlashBehavior", FIELD_TEXT},
                                             {"i18n", FIELD_OBJECT},         {NULL, FIELD_TEXT}};
static const struct field redirect_fields[] = {{"glob", FIELD_TEXT},
                                               {"regex", FIELD_TEXT},
                                               {"location", FIELD_TEXT},
                                               {"statusCode", FIELD_INTEGER},
                                               {NULL, FIELD_TEXT}};
static const struct field rewrite_fields[] = {
    {"glob", FIELD_TEXT},  {"regex", FIELD_TEXT},          {"path", FIELD_TEXT},         {"function", FIELD_TEXT},
    {"run", FIELD_OBJECT}, {"functionRegion", FIELD_TEXT}, {"dynamicLinks", FIELD_BOOL}, {NULL, FIELD_TEXT}};
static const struct field header_fields[] = {
    {"glob", FIELD_TEXT}, {"regex", FIELD_TEXT}, {"headers", FIELD_OBJECT}, {NULL, FIELD_TEXT}};
static const struct field run_fields[] = {
    {"serviceId", FIELD_TEXT}, {"region", FIELD_TEXT}, {"tag", FIELD_TEXT}, {NULL, FIELD_TEXT}};
static const struct field i18n_fields[] = {{"root", FIELD_TEXT}, {NULL, FIELD_TEXT}};

static bool has_type(const struct json *value, enum field_type type) {
    switch (type) {
    case FIELD_TEXT:
        return json_is_text(value);
    case FIELD_BOOL:
        return json_is_bool(value);
    case FIELD_INTEGER:
        return json_is_integer(value);
    case FIELD_OBJECT:
        return json_is_object(value);
    case FIELD_LIST:
        return json_is_array(value);
    }
    return false;
}

static int check_fields(const struct json *object, const struct field *fields, const char *path, struct error *error) {
    if (!json_is_object(object))
        return error_set(error, ERROR_DATA, "Invalid value at '%s': an object is expected", path);
    for (void *at = json_first(object); at; at = json_next(object, at)) {
        const struct field *field = fields;
        while (field->name && !text_equal(field->name, json_key(at)))
            field++;
        if (!field->name)
            return error_set(error, ERROR_DATA,
                             "Invalid JSON payload received. Unknown name \"%.100s\" at '%s': Cannot find field.",
                             json_key(at), path);
        if (!has_type(json_value(at), field->type) && !json_is_null(json_value(at)))
            return error_set(error, ERROR_DATA, "Invalid value at '%s.%s'", path, field->name);
    }
    return 0;
}

/* ---- rules ---- */

static bool has_controls(const char *text) {
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

static int compile_redirect(struct redirect *redirect, const struct json *rule, const char *path, struct error *error) {
    const char *location = json_get_text(rule, "location", NULL), *glob = json_get_text(rule, "glob", NULL);
    int64_t status = json_get_integer(rule, "statusCode", 301);
    struct error captures_error = {0};
    if (check_fields(rule, redirect_fields, path, error) < 0 ||
        pattern_compile(&redirect->pattern, rule, path, PATTERN_ROOTED, error) < 0)
        return -1;
    if (text_is_empty(location) || strlen(location) > LOCATION_LIMIT || has_controls(location))
        return error_set(error, ERROR_DATA, "Invalid value at '%s.location'", path);
    if (status < 300 || status > 399)
        return error_set(error, ERROR_DATA, "Invalid value at '%s.statusCode': %lld is no 3xx status code", path,
                         (long long)status);
    AUTO_FREE char *full = glob ? pattern_root(glob) : NULL;
    redirect->captures = captures_compile(full, json_get_text(rule, "regex", NULL), location, &captures_error);
    if (!redirect->captures && captures_error.kind != ERROR_NONE) {
        *error = captures_error;
        return error_wrap(error, "Invalid value at '%s'", path);
    }
    redirect->location = text_copy(location);
    redirect->status = (unsigned)status;
    return 0;
}

static int compile_run(struct rewrite *rewrite, const struct json *run, const char *path, struct error *error) {
    AUTO_FREE char *below = text_format("%s.run", path);
    const char *service = json_get_text(run, "serviceId", NULL);
    if (check_fields(run, run_fields, below, error) < 0)
        return -1;
    if (text_is_empty(service) || strlen(service) > 63)
        return error_set(error, ERROR_DATA, "Invalid value at '%s.serviceId'", below);
    rewrite->service = text_copy(service);
    rewrite->region = text_copy(json_get_text(run, "region", "us-central1"));
    rewrite->tag = text_copy(json_get_text(run, "tag", NULL));
    return 0;
}

static int compile_rewrite(struct rewrite *rewrite, const struct json *rule, const char *path, struct error *error) {
    const char *file = json_get_text(rule, "path", NULL), *function = json_get_text(rule, "function", NULL);
    const struct json *run = json_get(rule, "run");
    bool links = json_get_bool(rule, "dynamicLinks", false);
    if (check_fields(rule, rewrite_fields, path, error) < 0 ||
        pattern_compile(&rewrite->pattern, rule, path, PATTERN_AS_IT_IS, error) < 0)
        return -1;
    if ((file != NULL) + (function != NULL) + (json_is_object(run)) + links != 1)
        return error_set(error, ERROR_DATA,
                         "Invalid value at '%s': one of path, run, function and dynamicLinks is expected", path);
    rewrite->kind = file ? REWRITE_PATH : function ? REWRITE_FUNCTION : links ? REWRITE_DYNAMIC_LINKS : REWRITE_RUN;
    if (file && (*file != '/' || strlen(file) > LOCATION_LIMIT || has_controls(file)))
        return error_set(error, ERROR_DATA, "Invalid value at '%s.path': it begins with `/`", path);
    rewrite->path = text_copy(file);
    return rewrite->kind == REWRITE_RUN ? compile_run(rewrite, run, path, error) : 0;
}

static bool is_token(const char *name) {
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("!#$%&'*+-.^_`|~", *at))
            return false;
    return *name && strlen(name) <= 256;
}

static int compile_header(struct header_rule *header, const struct json *rule, const char *path, struct error *error) {
    const struct json *headers = json_get(rule, "headers");
    if (check_fields(rule, header_fields, path, error) < 0 ||
        pattern_compile(&header->pattern, rule, path, PATTERN_ROOTED, error) < 0)
        return -1;
    if (json_count(headers) > HEADERS_LIMIT)
        return error_set(error, ERROR_DATA, "Invalid value at '%s.headers': more than %d", path, HEADERS_LIMIT);
    for (void *at = json_first(headers); at; at = json_next(headers, at)) {
        const char *value = json_text(json_value(at));
        if (!is_token(json_key(at)))
            return error_set(error, ERROR_DATA, "Invalid header name at '%s.headers': \"%.100s\"", path, json_key(at));
        if (!value || strlen(value) > VALUE_LIMIT || has_controls(value))
            return error_set(error, ERROR_DATA, "Invalid header value at '%s.headers[%s]'", path, json_key(at));
        text_list_add(&header->headers, json_key(at));
        text_list_add(&header->headers, value);
    }
    return 0;
}

/* ---- all of it ---- */

static int compile_lists(struct rules *rules, const struct json *config, struct error *error) {
    const struct json *redirects = json_get(config, "redirects"), *rewrites = json_get(config, "rewrites"),
                      *headers = json_get(config, "headers");
    if (json_count(redirects) > RULES_LIMIT || json_count(rewrites) > RULES_LIMIT || json_count(headers) > RULES_LIMIT)
        return error_set(error, ERROR_DATA, "Invalid value at 'version.config': more than %d rules of one kind",
                         RULES_LIMIT);
    rules->redirects = memory_allocate(json_count(redirects) + 1, sizeof(*rules->redirects));
    rules->rewrites = memory_allocate(json_count(rewrites) + 1, sizeof(*rules->rewrites));
    rules->headers = memory_allocate(json_count(headers) + 1, sizeof(*rules->headers));
    for (size_t i = 0; i < json_count(redirects); i++) {
        AUTO_FREE char *path = text_format("version.config.redirects[%zu]", i);
        if (compile_redirect(&rules->redirects[rules->redirect_count++], json_at(redirects, i), path, error) < 0)
            return -1;
    }
    for (size_t i = 0; i < json_count(rewrites); i++) {
        AUTO_FREE char *path = text_format("version.config.rewrites[%zu]", i);
        if (compile_rewrite(&rules->rewrites[rules->rewrite_count++], json_at(rewrites, i), path, error) < 0)
            return -1;
    }
    for (size_t i = 0; i < json_count(headers); i++) {
        AUTO_FREE char *path = text_format("version.config.headers[%zu]", i);
        if (compile_header(&rules->headers[rules->header_count++], json_at(headers, i), path, error) < 0)
            return -1;
    }
    return 0;
}

static int compile_choices(struct rules *rules, const struct json *config, struct error *error) {
    const char *slash = json_get_text(config, "trailingSlashBehavior", "TRAILING_SLASH_BEHAVIOR_UNSPECIFIED");
    const char *association = json_get_text(config, "appAssociation", "AUTO");
    const struct json *i18n = json_get(config, "i18n");
    if (!text_equal(slash, "ADD") && !text_equal(slash, "REMOVE") &&
        !text_equal(slash, "TRAILING_SLASH_BEHAVIOR_UNSPECIFIED"))
        return error_set(error, ERROR_DATA, "Invalid value at 'version.config.trailing_slash_behavior', \"%.60s\"",
                         slash);
    if (!text_equal(association, "AUTO") && !text_equal(association, "NONE"))
        return error_set(error, ERROR_DATA, "Invalid value at 'version.config.app_association', \"%.60s\"",
                         association);
    if (json_is_object(i18n)) {
        const char *root = json_get_text(i18n, "root", NULL);
        if (check_fields(i18n, i18n_fields, "version.config.i18n", error) < 0)
            return -1;
        if (text_is_empty(root) || strlen(root) > LOCATION_LIMIT)
            return error_set(error, ERROR_DATA, "Invalid value at 'version.config.i18n.root'");
        rules->i18n_root = text_copy(root);
    }
    rules->clean_urls = json_get_bool(config, "cleanUrls", false);
    rules->app_association = text_equal(association, "AUTO");
    rules->trailing_slash = text_equal(slash, "ADD")      ? SLASH_ADD
                            : text_equal(slash, "REMOVE") ? SLASH_REMOVE
                                                          : SLASH_AS_IT_IS;
    return 0;
}

struct rules *rules_compile(const struct json *config, struct error *error) {
    AUTO(rules_release) struct rules *rules = memory_allocate(1, sizeof(*rules));
    AUTO_JSON struct json *nothing = json_new_object();
    config = config ? config : nothing;
    if (check_fields(config, config_fields, "version.config", error) < 0 || compile_choices(rules, config, error) < 0 ||
        compile_lists(rules, config, error) < 0)
        return NULL;
    return take_pointer(&rules);
}

void rules_release(struct rules **rules) {
    struct rules *all = *rules;
    if (!all)
        return;
    for (size_t i = 0; i < all->redirect_count; i++) {
        pattern_release(&all->redirects[i].pattern);
        captures_release(&all->redirects[i].captures);
        free(all->redirects[i].location);
    }
    for (size_t i = 0; i < all->rewrite_count; i++) {
        pattern_release(&all->rewrites[i].pattern);
        free(all->rewrites[i].path);
        free(all->rewrites[i].service);
        free(all->rewrites[i].region);
        free(all->rewrites[i].tag);
    }
    for (size_t i = 0; i < all->header_count; i++) {
        pattern_release(&all->headers[i].pattern);
        text_list_release(&all->headers[i].headers);
    }
    free(all->redirects);
    free(all->rewrites);
    free(all->headers);
    free(all->i18n_root);
    free(all);
    *rules = NULL;
}

int rules_check_services(const struct rules *rules, const struct local_cloud *cloud, struct error *error) {
    for (size_t i = 0; i < rules->rewrite_count; i++) {
        const struct rewrite *rewrite = &rules->rewrites[i];
        unsigned port;
        if (rewrite->kind == REWRITE_RUN && !service_find(cloud, rewrite->region, rewrite->service, &port))
            return error_set(error, ERROR_ANSWER_NO, "Precondition check failed.");
    }
    return 0;
}
