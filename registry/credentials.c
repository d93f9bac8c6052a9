#include "registry/credentials.h"

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/file/file.h"
#include "common/json/json.h"
#include "common/process/process.h"

#include <ctype.h>
#include <string.h>

enum { FILE_LIMIT = 1024 * 1024, HELPER_LIMIT = 65536, HELPER_TIMEOUT = 30 };

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return text_is_empty(value) ? NULL : value;
}

static void add_path(struct text_list *paths, const char *variable, const char *below_home, const char *rest) {
    const char *directory = variable ? setting(variable) : NULL, *home = setting("HOME");
    if (directory)
        text_list_add_format(paths, "%s%s", directory, rest);
    else if (below_home && home)
        text_list_add_format(paths, "%s/%s%s", home, below_home, rest);
}

static void find_files(struct text_list *paths) {
    add_path(paths, "REGISTRY_AUTH_FILE", NULL, "");
    add_path(paths, "DOCKER_CONFIG", ".docker", "/config.json");
    add_path(paths, "XDG_RUNTIME_DIR", NULL, "/containers/auth.json");
    add_path(paths, "XDG_CONFIG_HOME", ".config", "/containers/auth.json");
}

/* Whether a key of `auths` or `credHelpers` means this host: "HOST", "https://HOST", "https://HOST/v2/". */
static bool key_matches(const char *key, const char *host) {
    if (text_equal(host, "docker.io") && text_equal(key, "https://index.docker.io/v1/"))
        return true;
    if (text_starts_with(key, "https://"))
        key += 8;
    else if (text_starts_with(key, "http://"))
        key += 7;
    size_t length = strlen(host);
    if (strncasecmp(key, host, length))
        return false;
    const char *rest = key + length;
    return !*rest || text_equal(rest, "/") || text_equal(rest, "/v1/") || text_equal(rest, "/v2/") ||
           text_equal(rest, "/v1") || text_equal(rest, "/v2");
}

static struct json *find_member(const struct json *object, const char *host, const char **key) {
    for (void *i = json_first(object); i; i = json_next(object, i))
        if (key_matches(json_key(i), host)) {
            if (key)
                *key = json_key(i);
            return json_value(i);
        }
    return NULL;
}

static bool is_helper_name(const char *name) {
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at >= 128 || (!isalnum((unsigned char)*at) && !strchr("._-", *at)))
            return false;
    return *name != 0;
}

static int read_helper_answer(const struct buffer *out, const char *program, char **user, char **secret,
                              struct error *error) {
    AUTO_JSON struct json *answer = json_parse_secret(buffer_text(out), out->length, program, error);
    if (!answer)
        return error_set(error, ERROR_PERMISSION, "%s did not answer with JSON", program);
    const char *name = json_get_text(answer, "Username", NULL), *word = json_get_text(answer, "Secret", NULL);
    if (text_is_empty(name) || text_is_empty(word))
        return 0;
    *user = text_copy(name);
    *secret = text_copy(word);
    return 0;
}

/* Asks docker-credential-NAME for the login of `key`. */
static int ask_helper(struct docker_login *login, const char *name, const char *key, char **user, char **secret,
                      struct error *error) {
    if (login->no_helpers)
        return 0;
    if (!is_helper_name(name))
        return error_set(error, ERROR_DATA, "\"%.60s\" is no name of a credential helper", name);
    AUTO_FREE char *program = text_format("docker-credential-%s", name), *path = process_find(program);
    if (!path) {
        progress_note(login->progress, "%s is not installed: no login for %s from it", program, key);
        return 0;
    }
    AUTO_BUFFER struct buffer out = BUFFER(HELPER_LIMIT), err = BUFFER(HELPER_LIMIT);
    const char *const argv[] = {path, "get", NULL};
    int status = 0;
    struct process process = {.argv = argv,
                              .input = key,
                              .input_length = strlen(key),
                              .out = &out,
                              .err = &err,
                              .timeout = HELPER_TIMEOUT,
                              .lead_group = true};
    int result = process_run(&process, &status, error);
    if (result == 0 && status != 0) {
        bool has_none = strstr(buffer_text(&out), "not found") || strstr(buffer_text(&err), "not found");
        if (!has_none)
            result = error_set(error, ERROR_PERMISSION, "%s failed (%d): %.300s", program, status,
                               out.length ? buffer_text(&out) : buffer_text(&err));
    } else if (result == 0) {
        result = read_helper_answer(&out, program, user, secret, error);
    }
    if (out.data)
        memory_wipe(out.data, out.length);
    return result;
}

static int read_entry(const struct json *entry, char **user, char **secret, struct error *error) {
    const char *identity = json_get_text(entry, "identitytoken", NULL);
    if (!text_is_empty(identity)) {
        *user = text_copy(IDENTITY_TOKEN_USER);
        *secret = text_copy(identity);
        return 0;
    }
    const char *name = json_get_text(entry, "username", NULL), *word = json_get_text(entry, "password", NULL);
    if (!text_is_empty(name) && !text_is_empty(word)) {
        *user = text_copy(name);
        *secret = text_copy(word);
        return 0;
    }
    const char *encoded = json_get_text(entry, "auth", NULL);
    if (text_is_empty(encoded))
        return 0;
    AUTO_BUFFER struct buffer plain = BUFFER(HELPER_LIMIT);
    if (base64_decode(BASE64_STANDARD, encoded, strlen(encoded), &plain, NULL) < 0)
        return error_set(error, ERROR_DATA, "\"auth\" is no base64");
    const char *text = buffer_text(&plain), *colon = strchr(text, ':');
    if (colon && colon > text && colon[1]) {
        *user = text_copy_length(text, (size_t)(colon - text));
        *secret = text_copy(colon + 1);
    }
    if (plain.data)
        memory_wipe(plain.data, plain.length);
    return 0;
}

static int find_in_document(struct docker_login *login, const struct json *document, const char *host, char **user,
                            char **secret, struct error *error) {
    const char *key = host;
    const char *hub = text_equal(host, "docker.io") ? "https://index.docker.io/v1/" : host;
    const char *helper = json_text(find_member(json_get(document, "credHelpers"), host, &key));
    if (!text_is_empty(helper))
        return ask_helper(login, helper, key, user, secret, error);
    const char *store = json_get_text(document, "credsStore", NULL);
    if (!text_is_empty(store) && (ask_helper(login, store, hub, user, secret, error) < 0 || *user))
        return *user ? 0 : -1;
    return read_entry(find_member(json_get(document, "auths"), host, NULL), user, secret, error);
}

static int find(void *context, const char *host, int again, char **user, char **secret, struct error *error) {
    (void)again;
    *user = *secret = NULL;
    AUTO_LIST struct text_list paths = {0};
    find_files(&paths);
    for (size_t i = 0; i < paths.count && !*user; i++) {
        AUTO_BUFFER struct buffer text = BUFFER(FILE_LIMIT);
        bool found = false;
        int result = file_read(paths.items[i], &text, &found, error);
        if (result == 0 && found && text.length) {
            AUTO_JSON struct json *document = json_parse_secret(buffer_text(&text), text.length, paths.items[i], error);
            result = document ? find_in_document(context, document, host, user, secret, error) : -1;
            if (document && result < 0)
                error_wrap(error, "%s", paths.items[i]);
        }
        if (text.data)
            memory_wipe(text.data, text.length);
        if (result < 0)
            return -1;
    }
    return 0;
}

struct login_source docker_login_source(struct docker_login *login, const struct login_source *next) {
    return (struct login_source){.context = login, .find = find, .next = next};
}
