#include "firebase/config/config.h"

#include "common/file/file.h"
#include "firebase/config/internal.h"

#include <string.h>

static const char *const site_keys[] = {"public",
                                        "site",
                                        "target",
                                        "ignore",
                                        "rewrites",
                                        "redirects",
                                        "headers",
                                        "cleanUrls",
                                        "predeploy",
                                        "postdeploy",
                                        "trailingSlash",
                                        "i18n",
                                        "appAssociation",
                                        "source",
                                        "frameworksBackend",
                                        NULL};

/* The whole document, from which every way begins. */
static struct value document(const struct firebase_file *file) {
    return (struct value){.file = file, .json = file->json, .step = {.index = SIZE_MAX}};
}

/* ---- which site ---- */

static int find_hosting(const struct firebase_file *file, struct value *hosting, struct error *error) {
    struct value whole = document(file);
    if (!json_is_object(file->json))
        return error_set(error, ERROR_DATA, "%s: must be an object: { … }", file->shown);
    *hosting = value_member(&whole, "hosting");
    if (json_is_object(hosting->json) || (json_is_array(hosting->json) && json_count(hosting->json)))
        return 0;
    if (hosting->json)
        return value_wrong(hosting, error, "hosting must be an object, or a list of objects");
    static const char *const names[] = {"hosting", NULL};
    error_set(error, ERROR_DATA, "%s has no \"hosting\"", file->shown);
    for (void *i = json_first(file->json); i; i = json_next(file->json, i))
        if (text_nearest(json_key(i), names)) {
            struct value member = value_member(&whole, json_key(i));
            value_wrong(&member, error, "unknown key \"%s\"", json_key(i));
            return error_next(error, "did you mean \"hosting\"?");
        }
    return error_next(error, "see https://firebase.google.com/docs/hosting/full-config");
}

struct choice {
    const struct firebase_file *file;
    const struct json *rc;
    const struct config_wish *wish;
};

/* The public directory need not be there: what comes through a pipe was built elsewhere. */
static bool has_public(const struct choice *choice, const struct json *entry) {
    const char *public = json_get_text(entry, "public", NULL), *source = choice->wish->source;
    if (!public)
        return false;
    AUTO_FREE char *path = *public == '/' ? text_copy(public) : path_join(choice->file->directory, public);
    AUTO_FREE char *resolved = path_resolve(path, NULL);
    const char *shown = resolved ? resolved : path;
    if (choice->wish->public)
        return text_equal(shown, choice->wish->public);
    size_t length = source ? strlen(source) : 0;
    return length && text_starts_with(shown, source) && (!shown[length] || shown[length] == '/');
}

static bool fits(const struct choice *choice, const struct json *entry) {
    const char *site = json_get_text(entry, "site", NULL), *target = json_get_text(entry, "target", NULL);
    if (choice->wish->target)
        return text_equal(target, choice->wish->target);
    if (choice->wish->site)
        return text_equal(site, choice->wish->site) ||
               (target && firebaserc_connects(choice->rc, target, choice->wish->site));
    return has_public(choice, entry);
}

/* Neither the wish nor the directory tells: names them all. */
static int no_choice(const struct choice *choice, const struct json *hosting, size_t fitting, struct error *error) {
    AUTO_FREE const char **names = memory_allocate(json_count(hosting) + 1, sizeof(*names));
    AUTO_BUFFER struct buffer list = BUFFER(400);
    for (size_t i = 0; i < json_count(hosting); i++) {
        const struct json *entry = json_at(hosting, i);
        names[i] = json_get_text(entry, "site", json_get_text(entry, "target", ""));
        buffer_append_format(&list, "%s%s %s", i ? ", " : "", json_get(entry, "site") ? "site" : "target", names[i]);
    }
    const char *wanted = choice->wish->target ? choice->wish->target : choice->wish->site;
    if (!wanted) {
        error_set(error, ERROR_CONFIGURATION, "%s has %zu sites (%s)", choice->file->shown, json_count(hosting),
                  buffer_text(&list));
        return error_next(error, "say which: --site SITE or --target TARGET; --all-sites deploys all");
    }
    error_set(error, ERROR_CONFIGURATION, "%s has %s %s %s (it has %s)", choice->file->shown,
              fitting ? "several entries for" : "no", choice->wish->target ? "target" : "site", wanted,
              buffer_text(&list));
    const char *nearest = text_nearest(wanted, names);
    return nearest && !fitting ? error_next(error, "did you mean %s?", nearest) : -1;
}

static int check_entries(const struct value *hosting, struct error *error) {
    for (size_t i = 0; i < json_count(hosting->json); i++) {
        struct value entry = value_element(hosting, i);
        if (value_object(&entry, "an element of hosting", error) < 0)
            return -1;
        if (!json_get(entry.json, "site") && !json_get(entry.json, "target"))
            return value_wrong(&entry, error, "each of several sites needs \"site\" or \"target\"");
    }
    return 0;
}

int config_count(const struct firebase_file *file, size_t *count, struct error *error) {
    struct value hosting;
    if (find_hosting(file, &hosting, error) < 0)
        return -1;
    *count = json_is_object(hosting.json) ? 1 : json_count(hosting.json);
    return json_is_object(hosting.json) ? 0 : check_entries(&hosting, error);
}

int config_entry(const struct firebase_file *file, size_t entry, size_t *index, struct error *error) {
    struct value hosting;
    if (find_hosting(file, &hosting, error) < 0)
        return -1;
    *index = json_is_object(hosting.json) ? SIZE_MAX : entry;
    if (entry < (json_is_object(hosting.json) ? 1 : json_count(hosting.json)))
        return 0;
    return error_set(error, ERROR_DATA, "%s has changed meanwhile", file->shown);
}

int config_choose(const struct firebase_file *file, const struct json *rc, const struct config_wish *wish,
                  size_t *index, struct error *error) {
    struct choice choice = {file, rc, wish};
    const char *site = wish->site, *target = wish->target;
    struct value hosting;
    if (find_hosting(file, &hosting, error) < 0)
        return -1;
    *index = SIZE_MAX;
    if (json_is_object(hosting.json)) {
        const char *own = json_get_text(hosting.json, "target", NULL);
        if (!target || text_equal(target, own))
            return 0;
        error_set(error, ERROR_CONFIGURATION, "%s has no target %s", file->shown, target);
        return own ? error_next(error, "it has the target %s", own) : error_next(error, "leave --target out");
    }
    if (check_entries(&hosting, error) < 0)
        return -1;
    size_t fitting = 0, count = json_count(hosting.json);
    for (size_t i = 0; i < count; i++)
        if (fits(&choice, json_at(hosting.json, i))) {
            *index = i;
            fitting++;
        }
    if (!fitting && count == 1 && !site && !target) {
        *index = 0;
        fitting = 1;
    }
    return fitting == 1 ? 0 : no_choice(&choice, hosting.json, fitting, error);
}

/* ---- one site ---- */

static int read_ignore(const struct value *site, struct site_config *config, struct error *error) {
    struct value list = value_member(site, "ignore");
    if (value_array(&list, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(list.json); i++) {
        struct value element = value_element(&list, i);
        struct error failure = {0};
        const char *pattern;
        if (value_text(&element, &pattern, error) < 0)
            return -1;
        if (site_ignore_add(config->ignore, pattern, i, &failure) < 0)
            return value_wrong(&element, error, "%s", failure.text);
        text_list_add_format(&config->ignore_lines, "%s:%u: the pattern \"%.200s\"", site->file->shown,
                             firebase_file_line(site->file, &element.step), pattern);
    }
    return 0;
}

static int read_names(const struct value *site, struct site_config *config, struct error *error) {
    const struct {
        const char *key;
        char **into;
    } names[] = {{"site", &config->site}, {"target", &config->target}, {"public", &config->public}};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct value value = value_member(site, names[i].key);
        const char *text;
        if (value_text(&value, &text, error) < 0)
            return -1;
        *names[i].into = text_copy(text);
    }
    struct value target = value_member(site, "target"), source = value_member(site, "source");
    if (config->site && config->target)
        return value_wrong(&target, error, "a site has either \"site\" or \"target\", not both");
    if (!source.json)
        return 0;
    value_wrong(&source, error, "\"source\" (building a web framework) is not for pl-firebase-deploy");
    return error_next(error, "build it: pl-build DIR | pl-firebase-deploy; and write \"public\" instead");
}

static int read_choices(const struct value *site, struct site_config *config, struct error *error) {
    struct value clean = value_member(site, "cleanUrls"), slash = value_member(site, "trailingSlash");
    struct value association = value_member(site, "appAssociation"), i18n = value_member(site, "i18n");
    bool truth, given;
    const char *text;
    if (value_bool(&clean, &truth, &given, error) < 0)
        return -1;
    if (given)
        json_set_bool(config->serving, "cleanUrls", truth);
    if (value_bool(&slash, &truth, &given, error) < 0)
        return -1;
    if (given)
        json_set_text(config->serving, "trailingSlashBehavior", truth ? "ADD" : "REMOVE");
    if (value_text(&association, &text, error) < 0)
        return -1;
    if (text && !text_equal(text, "AUTO") && !text_equal(text, "NONE"))
        return value_wrong(&association, error, "appAssociation is AUTO or NONE, not \"%.40s\"", text);
    json_set_text(config->serving, "appAssociation", text);
    if (!i18n.json)
        return 0;
    static const char *const keys[] = {"root", NULL};
    struct value root = value_member(&i18n, "root");
    if (value_object(&i18n, "i18n", error) < 0 || value_check_keys(&i18n, "i18n", keys, error) < 0 ||
        value_text(&root, &text, error) < 0)
        return -1;
    if (!text)
        return value_wrong(&i18n, error, "i18n needs \"root\"");
    json_set(config->serving, "i18n", json_new_object());
    json_set_text(json_get(config->serving, "i18n"), "root", text);
    return 0;
}

static int read_hooks(const struct value *site, struct site_config *config, struct error *error) {
    struct value before = value_member(site, "predeploy"), after = value_member(site, "postdeploy");
    if (value_texts(&before, &config->predeploy, error) < 0)
        return -1;
    return value_texts(&after, &config->postdeploy, error);
}

int config_read(const struct firebase_file *file, size_t index, struct site_config *config, struct error *error) {
    struct value hosting, site;
    *config = (struct site_config){.ignore = site_ignore_new(), .serving = json_new_object()};
    if (find_hosting(file, &hosting, error) < 0)
        return -1;
    site = index == SIZE_MAX ? hosting : value_element(&hosting, index);
    if (value_check_keys(&site, "hosting", site_keys, error) < 0 || read_names(&site, config, error) < 0 ||
        read_ignore(&site, config, error) < 0 || rules_read(&site, config, error) < 0 ||
        read_choices(&site, config, error) < 0)
        return -1;
    return read_hooks(&site, config, error);
}

void site_config_release(struct site_config *config) {
    free(config->site);
    free(config->target);
    free(config->public);
    site_ignore_release(&config->ignore);
    text_list_release(&config->ignore_lines);
    text_list_release(&config->predeploy);
    text_list_release(&config->postdeploy);
    text_list_release(&config->destinations);
    json_release(&config->serving);
    for (size_t i = 0; i < config->service_count; i++) {
        free(config->services[i].pattern);
        free(config->services[i].name);
        free(config->services[i].region);
    }
    free(config->services);
    *config = (struct site_config){0};
}
