/* Configuration files: {"pl-run-deploy": {"region": "us-central1", "env": ["A=1", "B=2"]}}. The nearest file wins. */
#include "common/command/options.h"
#include "common/file/file.h"
#include "common/json/json.h"

#include <string.h>

enum { CONFIG_LIMIT = 1 << 20 };

/* A JSON scalar as the text that one would type. */
static char *value_text(const struct json *value) {
    if (json_is_text(value))
        return text_copy(json_text(value));
    if (json_is_integer(value))
        return text_format("%lld", (long long)json_number(value));
    if (json_is_bool(value))
        return text_copy(json_truth(value) ? "true" : "false");
    return NULL;
}

static int put_value(struct settings *settings, struct setting *setting, const struct json *value, const char *origin,
                     struct error *error) {
    AUTO_FREE char *text = value_text(value);
    if (!text)
        return error_set(error, ERROR_CONFIGURATION, "%s: neither a text, a number nor true or false", origin);
    text_list_take(&settings->owned, take_pointer(&text));
    if (setting_put(setting, settings->owned.items[settings->owned.count - 1], origin, error) == 0)
        return 0;
    if (error)
        error->kind = ERROR_CONFIGURATION;
    return -1;
}

static int put_member(struct settings *settings, const char *path, const char *key, const struct json *value,
                      struct error *error) {
    struct setting *setting = settings_find(settings, key, strlen(key));
    if (!setting) {
        const char *nearest = settings_suggest(settings, key);
        error_set(error, ERROR_CONFIGURATION, "%s: %s has no option \"%s\"", path, settings->command->name, key);
        return nearest ? error_next(error, "did you mean \"%s\"?", nearest)
                       : error_next(error, "see: %s --help", settings->command->name);
    }
    if (setting->source != SOURCE_NONE)
        return 0;
    setting->source = SOURCE_FILE;
    AUTO_FREE char *origin = text_format("%s: %s", path, key);
    if (!json_is_array(value))
        return put_value(settings, setting, value, origin, error);
    if (!(setting->option->traits & OPTION_REPEATABLE))
        return error_set(error, ERROR_CONFIGURATION, "%s: takes one value, not a list", origin);
    for (size_t i = 0; i < json_count(value); i++)
        if (put_value(settings, setting, json_at(value, i), origin, error) < 0)
            return -1;
    return 0;
}

static int read_file(struct settings *settings, const char *path, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(CONFIG_LIMIT);
    bool found = false;
    if (!file_exists(path))
        return 0;
    if (file_read(path, &text, &found, error) < 0)
        return -1;
    if (!found)
        return 0;
    AUTO_JSON struct json *json = json_parse(buffer_text(&text), text.length, path, error);
    if (!json) {
        if (error)
            error->kind = ERROR_CONFIGURATION;
        return -1;
    }
    const struct json *own = json_get(json, settings->command->name);
    if (own && !json_is_object(own))
        return error_set(error, ERROR_CONFIGURATION, "%s: \"%s\" is not an object", path, settings->command->name);
    for (void *i = own ? json_first(own) : NULL; i; i = json_next(own, i))
        if (put_member(settings, path, json_key(i), json_value(i), error) < 0)
            return -1;
    return 0;
}

void command_config_files(struct text_list *paths) {
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    text_list_add(paths, "pl.json");
    if (!text_is_empty(config))
        text_list_add_format(paths, "%s/pl/config.json", config);
    else if (!text_is_empty(home))
        text_list_add_format(paths, "%s/.config/pl/config.json", home);
    text_list_add(paths, "/etc/pl/config.json");
}

int settings_read_files(struct settings *settings, struct error *error) {
    AUTO_LIST struct text_list paths = {0};
    command_config_files(&paths);
    for (size_t i = 0; i < paths.count; i++)
        if (read_file(settings, paths.items[i], error) < 0)
            return -1;
    return 0;
}
