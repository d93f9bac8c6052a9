/* registry/npm and common/crypto/integrity: packages of npm's registry, checked. */
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/crypto/integrity.h"
#include "common/file/file.h"
#include "registry/npm.h"
#include "tests/unit/raw_server.h"

#include <openssl/evp.h>

static const char tarball[] = "the tarball";

/* ---- integrity ---- */

static char *integrity_of(const char *text) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    struct buffer out = BUFFER(256);
    assert_int_equal(EVP_Digest(text, strlen(text), bytes, &length, EVP_sha512(), NULL), 1);
    buffer_append_text(&out, "sha512-");
    base64_encode(BASE64_STANDARD, bytes, length, &out);
    return buffer_take(&out);
}

static int check(const char *integrity, const char *data, struct error *error) {
    AUTO_INTEGRITY struct integrity *it = integrity_new(integrity, error);
    if (!it)
        return -1;
    integrity_add(it, "thrown away", 11);
    integrity_restart(it);
    for (; *data; data++)
        integrity_add(it, data, 1);
    return integrity_finish(it, error);
}

static void integrity_is_sha512_or_nothing(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_FREE char *right = integrity_of("abc");
    assert_string_equal(
        right, "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==");
    assert_int_equal(check(right, "abc", &error), 0);
    AUTO_FREE char *list = text_format("sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0= %s?x sha512-AAAA", right);
    assert_int_equal(check(list, "abc", &error), 0);
    assert_int_equal(check(right, "abd", &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    static const char *const wrong[] = {"",
                                        "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
                                        "sha512-AAAA",
                                        "sha512-",
                                        "sha512",
                                        "sha512-!!!!",
                                        "md5-AAAA sha256-AAAA"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(check(wrong[i], "abc", &error), -1);
        assert_int_equal(error.kind, ERROR_DATA);
    }
    assert_null(integrity_new(NULL, &error));
}

/* ---- the registry ---- */

static struct server registry, other;
static char folder[] = "/tmp/pl-npm-XXXXXX";
static char requests[8][200]; /* the first lines, with the token where there was one */
static int request_count;

static void note(const char *request) {
    const char *token = strstr(request, "Authorization: ");
    if (request_count < 8)
        snprintf(requests[request_count++], sizeof(requests[0]), "%.*s%s%.*s", (int)strcspn(request, "\r\n"), request,
                 token ? " | " : "", token ? (int)strcspn(token, "\r\n") : 0, token ? token : "");
}

/* Metadata that names a tarball of this server or, for "away", of the other one. */
static void answer_metadata(struct server *server, int client, const char *request) {
    AUTO_FREE char *integrity = integrity_of(strstr(request, "/lying/") ? "something else" : tarball);
    AUTO_FREE char *body =
        text_format("{\"dist\":{\"tarball\":\"http://127.0.0.1:%d/%s/-/x-1.0.0.tgz\",\"integrity\":\"%s\"}}",
                    strstr(request, "/away/") ? server->other_port : server->port, "tool", integrity);
    answer_text(client, 200, "Content-Type: application/json\r\n", body);
}

static void answer(struct server *server, int client, const char *request, int count) {
    (void)count;
    note(request);
    if (strstr(request, "/missing"))
        answer_text(client, 404, "", "{\"error\":\"Not found\"}");
    else if (strstr(request, "/secret"))
        answer_text(client, 401, "", "{}");
    else if (strstr(request, "/weak/"))
        answer_text(client, 200, "", "{\"dist\":{\"tarball\":\"http://127.0.0.1/x\",\"shasum\":\"00\"}}");
    else if (strstr(request, "/busy/") && request_count == 1)
        answer_text(client, 503, "Retry-After: 0\r\n", "");
    else if (strstr(request, "/cut/") && request_count == 1)
        say(client, "HTTP/1.1 200 X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\nthe t", strlen(tarball));
    else if (strstr(request, ".tgz"))
        answer_text(client, 200, "", tarball);
    else
        answer_metadata(server, client, request);
}

static int begin(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    server_start(&other, answer);
    server_start(&registry, answer);
    registry.other_port = other.port;
    setenv("HOME", folder, 1);
    unsetenv("NPM_CONFIG_REGISTRY");
    return 0;
}

static int end(void **state) {
    (void)state;
    server_stop(&registry);
    server_stop(&other);
    return tree_remove(folder, NULL);
}

static void write_npmrc(const char *format, int port) {
    AUTO_FREE char *path = path_join(folder, ".npmrc"), *text = text_format("%s", format);
    struct buffer out = BUFFER(1000);
    for (const char *at = text; *at; at++)
        if (*at == '#')
            buffer_append_format(&out, "%d", port);
        else
            buffer_append_byte(&out, *at);
    assert_int_equal(file_write_atomic(path, buffer_text(&out), out.length, 0600, NULL), 0);
    buffer_release(&out);
}

/* Fetches a package of the registry at npm_config_registry, or of that in ~/.npmrc when `path` is NULL. */
static int fetch(const char *path, const char *name, const char *integrity, struct error *error) {
    AUTO_FREE char *url = path ? text_format("http://127.0.0.1:%d%s", registry.port, path) : NULL;
    AUTO_FREE char *place = path_join(folder, "store");
    AUTO_STORE struct store *store = store_open(place, error);
    AUTO_HTTP struct http *http = http_new(&(struct http_options){.deadline = 20});
    struct npm_registry npm = {.http = http};
    struct digest digest;
    request_count = 0;
    *error = (struct error){0};
    if (url)
        setenv("npm_config_registry", url, 1);
    else
        unsetenv("npm_config_registry");
    assert_non_null(store);
    int result = npm_tarball(&npm, name, "1.0.0", integrity, store, &digest, error);
    if (result == 0) {
        AUTO_BUFFER struct buffer content = BUFFER(1000);
        assert_int_equal(store_read(store, &digest, &content, error), 0);
        assert_string_equal(buffer_text(&content), tarball);
    }
    return result;
}

static void a_known_integrity_needs_no_metadata(void **state) {
    (void)state;
    struct error error;
    AUTO_FREE char *right = integrity_of(tarball), *wrong = integrity_of("another");
    assert_int_equal(fetch("/npm/", "tool", right, &error), 0);
    assert_int_equal(request_count, 1);
    assert_string_equal(requests[0], "GET /npm/tool/-/tool-1.0.0.tgz HTTP/1.1");
    assert_int_equal(fetch("", "tool", wrong, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    assert_true(text_starts_with(error.text, "tool@1.0.0: its integrity is sha512-"));
}

static void otherwise_the_registry_tells_it(void **state) {
    (void)state;
    struct error error;
    assert_int_equal(fetch("", "tool", NULL, &error), 0);
    assert_int_equal(request_count, 2);
    assert_string_equal(requests[0], "GET /tool/1.0.0 HTTP/1.1");
    assert_string_equal(requests[1], "GET /tool/-/x-1.0.0.tgz HTTP/1.1");
    assert_int_equal(fetch("/lying", "tool", NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    assert_int_equal(fetch("/weak", "tool", NULL, &error), -1);
    assert_non_null(strstr(error.text, "integrity"));
    assert_int_equal(request_count, 1);
}

static void refusals_have_their_kind(void **state) {
    (void)state;
    struct error error;
    assert_int_equal(fetch("", "missing", NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_non_null(strstr(error.text, "has no missing@1.0.0"));
    assert_int_equal(fetch("", "secret", NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_PERMISSION);
    assert_non_null(strstr(error.next, "~/.npmrc"));
    setenv("npm_config_registry", "http://127.0.0.1:1", 1);
}

static void what_breaks_off_or_is_busy_is_asked_again(void **state) {
    (void)state;
    struct error error;
    AUTO_FREE char *right = integrity_of(tarball);
    assert_int_equal(fetch("/busy", "tool", right, &error), 0);
    assert_int_equal(request_count, 2);
    assert_int_equal(fetch("/cut", "tool", right, &error), 0);
    assert_int_equal(request_count, 2);
}

static void npmrc_names_the_registry_and_its_token(void **state) {
    (void)state;
    struct error error;
    setenv("TEST_TOKEN", "abc123", 1);
    write_npmrc("; mine\nregistry = http://127.0.0.1:#/team/\n//127.0.0.1:#/team/:_authToken=${TEST_TOKEN}\n",
                registry.port);
    assert_int_equal(fetch(NULL, "tool", NULL, &error), 0);
    assert_string_equal(requests[0], "GET /team/tool/1.0.0 HTTP/1.1 | Authorization: Bearer abc123");
    assert_string_equal(requests[1], "GET /tool/-/x-1.0.0.tgz HTTP/1.1 | Authorization: Bearer abc123");
    /* The variable names another registry: the token is not for that. */
    assert_int_equal(fetch("/elsewhere", "tool", NULL, &error), 0);
    assert_string_equal(requests[0], "GET /elsewhere/tool/1.0.0 HTTP/1.1");
    /* A tarball on another host gets no token. */
    write_npmrc("registry=http://127.0.0.1:#/away\n//127.0.0.1:#/away/:_authToken=abc123\n", registry.port);
    assert_int_equal(fetch(NULL, "tool", NULL, &error), 0);
    assert_string_equal(requests[0], "GET /away/tool/1.0.0 HTTP/1.1 | Authorization: Bearer abc123");
    assert_string_equal(requests[1], "GET /tool/-/x-1.0.0.tgz HTTP/1.1");
    write_npmrc("", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integrity_is_sha512_or_nothing),
        cmocka_unit_test(a_known_integrity_needs_no_metadata),
        cmocka_unit_test(otherwise_the_registry_tells_it),
        cmocka_unit_test(refusals_have_their_kind),
        cmocka_unit_test(what_breaks_off_or_is_busy_is_asked_again),
        cmocka_unit_test(npmrc_names_the_registry_and_its_token),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
