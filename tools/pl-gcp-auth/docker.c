/* --docker-login, and the protocol of docker's credential helpers (docker-credential-helpers): this program, called
 * docker-credential-pl, with get, store, erase or list. So docker, podman, skopeo and buildah get a token when they
 * need one, and none lies in a file. */
#include "common/file/file.h"
#include "common/process/process.h"
#include "tools/pl-gcp-auth/session.h"

#include <string.h>

enum { CONFIGURATION_LIMIT = 4 << 20, HOST_LIMIT = 4096 };

#define HELPER "pl"
#define PROGRAM "docker-credential-" HELPER
#define USER "oauth2accesstoken"
/* What docker takes for "there is no login", and not for a failure. */
#define NOT_FOUND "credentials not found in native keychain"

static char *configuration_path(void) {
    const char *directory = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    if (!text_is_empty(directory))
        return path_join(directory, "config.json");
    return text_is_empty(home) ? NULL : path_join(home, ".docker/config.json");
}

/* The file as it is, or an empty object. */
static struct json *read_configuration(const char *path, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(CONFIGURATION_LIMIT);
    bool found = false;
    if (file_read(path, &text, &found, error) < 0)
        return NULL;
    if (!found || !text.length)
        return json_new_object();
    struct json *document = json_parse_secret(text.data, text.length, path, error);
    if (document && !json_is_object(document)) {
        json_release(&document);
        error_set(error, ERROR_DATA, "%s is no JSON object", path);
    }
    return document;
}

static int write_configuration(const char *path, const struct json *document, struct error *error) {
    AUTO_FREE char *directory = text_copy_length(path, (size_t)(strrchr(path, '/') - path));
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(2 * CONFIGURATION_LIMIT);
    json_write(document, JSON_PRETTY, &text);
    if (directory_make(directory, 0700, error) < 0 || buffer_check(&text, path, error) < 0)
        return -1;
    return file_write_atomic(path, text.data, text.length, 0600, error);
}

static int check_host(const char *host, struct error *error) {
    if (registry_host_is_google(host))
        return 0;
    error_set(error, ERROR_USAGE, "--docker-login: %.200s is no registry of Google's", host);
    return error_next(error, "give one such as us-central1-docker.pkg.dev; for others: docker login %.100s", host);
}

/* A login that lies in the file would win over the helper. */
static void set_helper(struct json *document, const char *host) {
    struct json *helpers = json_get(document, "credHelpers");
    if (!json_is_object(helpers)) {
        helpers = json_new_object();
        json_set(document, "credHelpers", helpers);
    }
    json_set_text(helpers, host, HELPER);
    struct json *logins = json_get(document, "auths");
    if (json_get(logins, host))
        json_remove(logins, host);
}

static int need_program(struct error *error) {
    AUTO_FREE char *program = process_find(PROGRAM);
    if (program)
        return 0;
    error_set(error, ERROR_CONFIGURATION,
              "there is no " PROGRAM " in PATH, by which name docker and podman call "
              "pl-gcp-auth");
    return error_next(error, "ln -s \"$(command -v pl-gcp-auth)\" ~/.local/bin/" PROGRAM);
}

int docker_login_write(struct session *session, struct error *error) {
    const struct text_list *hosts = &session->arguments->docker_login;
    AUTO_FREE char *path = configuration_path();
    if (!path)
        return error_set(error, ERROR_CONFIGURATION,
                         "where is docker's configuration? Neither DOCKER_CONFIG nor HOME "
                         "is set");
    for (size_t i = 0; i < hosts->count; i++)
        if (check_host(hosts->items[i], error) < 0)
            return -1;
    AUTO_JSON struct json *document = need_program(error) == 0 ? read_configuration(path, error) : NULL;
    if (!document)
        return -1;
    for (size_t i = 0; i < hosts->count; i++)
        set_helper(document, hosts->items[i]);
    if (write_configuration(path, document, error) < 0)
        return -1;
    command_summary(session->context, "%s: docker and podman ask " PROGRAM " for %s%s", path, hosts->items[0],
                    hosts->count > 1 ? " and the others" : "");
    return 0;
}

/* ---- the helper ---- */

/* "https://HOST/v2/" or "HOST" to HOST. */
static char *read_host(struct error *error) {
    char line[HOST_LIMIT] = {0};
    size_t length = 0;
    ssize_t got;
    while (length < sizeof(line) - 1 && (got = read(STDIN_FILENO, line + length, sizeof(line) - 1 - length)) > 0)
        length += (size_t)got;
    line[strcspn(line, "\r\n")] = '\0';
    const char *host = strstr(line, "://") ? strstr(line, "://") + 3 : line;
    if (*host)
        return text_copy_length(host, strcspn(host, "/"));
    error_set(error, ERROR_NO_INPUT, "no registry came on standard input");
    return NULL;
}

static int print_json(struct session *session, const struct json *document, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(65536);
    json_write(document, JSON_COMPACT_STYLE, &text);
    buffer_append_byte(&text, '\n');
    return command_print(session->context, buffer_text(&text), error);
}

/* Docker shows what stands on standard output when the program fails. */
static int fail_in_words(struct session *session, struct error *error) {
    AUTO_FREE char *text = text_format("%s%s%s\n", error->text, error->next[0] ? "\n" : "", error->next);
    if (command_print(session->context, text, NULL) < 0)
        return -1;
    return -1;
}

static int get(struct session *session, struct error *error) {
    AUTO_FREE char *host = read_host(error);
    if (!host)
        return fail_in_words(session, error);
    if (!registry_host_is_google(host)) {
        error_set(error, ERROR_ANSWER_NO, NOT_FOUND);
        return fail_in_words(session, error);
    }
    const char *token =
        session_open(session, error) < 0 ? NULL : credentials_token(session->credentials, session->http, false, error);
    if (!token || command_mask(session->context, token, error) < 0)
        return fail_in_words(session, error);
    AUTO_JSON struct json *answer = json_new_object();
    json_set_text(answer, "ServerURL", host);
    json_set_text(answer, "Username", USER);
    json_set_text(answer, "Secret", token);
    return print_json(session, answer, error);
}

static int list(struct session *session, struct error *error) {
    AUTO_FREE char *path = configuration_path();
    AUTO_JSON struct json *document = path ? read_configuration(path, error) : NULL;
    if (!document)
        return fail_in_words(session, error);
    AUTO_JSON struct json *answer = json_new_object();
    const struct json *helpers = json_get(document, "credHelpers");
    for (void *i = json_first(helpers); i; i = json_next(helpers, i))
        if (text_equal(json_text(json_value(i)), HELPER))
            json_set_text(answer, json_key(i), USER);
    return print_json(session, answer, error);
}

int docker_helper(struct session *session, const char *verb, struct error *error) {
    if (text_equal(verb, "get"))
        return get(session, error);
    if (text_equal(verb, "list"))
        return list(session, error);
    /* store and erase: tokens are made when they are asked for, so there is nothing to keep or to forget. */
    return 0;
}
