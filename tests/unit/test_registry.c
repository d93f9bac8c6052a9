/* References, challenges and manifests as hostile or odd servers and people write them. */
#include "registry/challenge.h"
#include "registry/manifest.h"
#include "registry/reference.h"

#include "tests/unit/raw_server.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void references_are_completed_as_docker_does(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"python", "docker.io/library/python"},
        {"python:3.12-slim", "docker.io/library/python:3.12-slim"},
        {"me/app:v1", "docker.io/me/app:v1"},
        {"index.docker.io/me/app", "docker.io/me/app"},
        {"localhost/app", "localhost/app"},
        {"LOCALHOST:5000/a/b__c/d--e:T.1", "localhost:5000/a/b__c/d--e:T.1"},
        {"[::1]:5000/app", "[::1]:5000/app"},
        {"us-central1-docker.pkg.dev/p/r/n@sha256:" HEX, "us-central1-docker.pkg.dev/p/r/n@sha256:" HEX},
        {"h.example/n:t@sha256:" HEX, "h.example/n:t@sha256:" HEX},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        AUTO_REFERENCE struct reference reference = {0};
        assert_int_equal(reference_parse(pairs[i][0], &reference, NULL), 0);
        AUTO_FREE char *text = reference_format(&reference);
        assert_string_equal(text, pairs[i][1]);
    }
}

static void what_is_no_reference_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "Upper",
                                        "a//b",
                                        "a/",
                                        "/a",
                                        "a:b:c",
                                        "a:-x",
                                        "a..b",
                                        "a___b",
                                        "-a",
                                        "a@sha256:abc",
                                        ("a@sha512:" HEX),
                                        "h.example/../../x",
                                        "user@h.example/x",
                                        "h.example:99999/x",
                                        "a b",
                                        "a\nb",
                                        "a%2fb",
                                        "h.example?x/y"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct reference reference;
        struct error error = {0};
        if (reference_parse(wrong[i], &reference, &error) == 0)
            fail_msg("accepted: %s", wrong[i]);
        assert_int_equal(error.kind, ERROR_DATA);
    }
}

static void only_this_machine_is_spoken_to_without_tls(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"docker.io", "https://registry-1.docker.io"}, {"ghcr.io", "https://ghcr.io"},
        {"localhost:5000", "http://localhost:5000"},   {"127.0.0.1:5000", "http://127.0.0.1:5000"},
        {"[::1]:5000", "http://[::1]:5000"},           {"127.0.0.1.example", "https://127.0.0.1.example"}};
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        AUTO_FREE char *url = reference_registry_url(pairs[i][0]);
        assert_string_equal(url, pairs[i][1]);
    }
}

static struct challenge read_challenge(const char *header) {
    struct http_response response = {0};
    struct challenge challenge;
    text_list_add(&response.headers, "content-length: 0");
    text_list_add_format(&response.headers, "www-authenticate: %s", header);
    challenge_read(&response, &challenge);
    http_response_release(&response);
    return challenge;
}

static void challenges_are_read_however_they_are_written(void **state) {
    (void)state;
    AUTO_CHALLENGE struct challenge google =
        read_challenge("Bearer realm=\"https://h/v2/token\",service=\"h\",scope=\"repository:p/r:pull,push\"");
    assert_int_equal(google.scheme, CHALLENGE_BEARER);
    assert_string_equal(google.realm, "https://h/v2/token");
    assert_string_equal(google.service, "h");
    assert_string_equal(google.scope, "repository:p/r:pull,push");
    AUTO_CHALLENGE struct challenge many =
        read_challenge("Negotiate, BASIC realm=\"a, Bearer realm=x\" ,\tbEaReR  realm = plain , service=\"a\\\"b\"");
    assert_int_equal(many.scheme, CHALLENGE_BEARER);
    assert_string_equal(many.realm, "plain");
    assert_string_equal(many.service, "a\"b");
    AUTO_CHALLENGE struct challenge basic = read_challenge("Basic realm=\"unfinished");
    assert_int_equal(basic.scheme, CHALLENGE_BASIC);
    AUTO_CHALLENGE struct challenge none = read_challenge("Bearer service=\"no realm\", Digest x=y, =, \"\",,");
    assert_int_equal(none.scheme, CHALLENGE_NONE);
}

#define CONFIG "\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG "\",\"digest\":\"sha256:" HEX "\",\"size\":10}"
#define LAYER "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:" HEX "\",\"size\":5"

static int read_kind(const char *text, const char *type, struct error *error) {
    bool is_index = false;
    AUTO_JSON struct json *document = manifest_read(text, strlen(text), type, &is_index, error);
    return document ? is_index : -1;
}

static void a_manifest_means_one_thing(void **state) {
    (void)state;
    assert_int_equal(
        read_kind("{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "}]}", MEDIA_TYPE_OCI_MANIFEST, NULL), 0);
    assert_int_equal(read_kind("{\"schemaVersion\":2,\"manifests\":[]}", MEDIA_TYPE_OCI_INDEX "; charset=utf-8", NULL),
                     1);
    static const struct {
        const char *text, *type;
    } wrong[] = {
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", MEDIA_TYPE_OCI_INDEX},
        {"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX "\",\"manifests\":[]}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", NULL},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", "application/json"},
        {"{\"schemaVersion\":2," CONFIG "," CONFIG ",\"layers\":[]}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER ",\"urls\":[\"https://x\"]}]}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":{}}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2,\"layers\":[]}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":3," CONFIG ",\"layers\":[]}", MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"text/plain\",\"digest\":\"sha256:" HEX
         "\",\"size\":5}]}",
         MEDIA_TYPE_OCI_MANIFEST},
        {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"sha256:../../x\",\"size\":1}]}",
         MEDIA_TYPE_OCI_INDEX},
        {"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"sha256:" HEX "\",\"size\":-1}]}",
         MEDIA_TYPE_OCI_INDEX},
        {"[]", MEDIA_TYPE_OCI_INDEX},
        {"{", MEDIA_TYPE_OCI_INDEX},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct error error = {0};
        if (read_kind(wrong[i].text, wrong[i].type, &error) >= 0)
            fail_msg("accepted: %s", wrong[i].text);
        assert_int_equal(error.kind, ERROR_PROTOCOL);
    }
}

static void an_index_gives_the_entry_of_the_platform(void **state) {
    (void)state;
#define ENTRY(size, platform)                                                                                          \
    "{\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX "\",\"size\":" size                      \
    ",\"platform\":{" platform "}}"
    static const char text[] =
        "{\"schemaVersion\":2,\"manifests\":[" ENTRY("1", "\"os\":\"unknown\",\"architecture\":\"unknown\"") "," ENTRY(
            "2", "\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"") "," ENTRY("3", "\"os\":\"linux\","
                                                                                                  "\"architecture\":"
                                                                                                  "\"amd64\"") "]}";
    bool is_index = false;
    AUTO_JSON struct json *index = manifest_read(text, strlen(text), MEDIA_TYPE_OCI_INDEX, &is_index, NULL);
    assert_non_null(index);
    struct descriptor found;
    assert_int_equal(index_find(index, "linux/amd64", &found, NULL), 0);
    assert_int_equal(found.size, 3);
    assert_int_equal(index_find(index, "linux/arm64", &found, NULL), 0);
    assert_int_equal(found.size, 2);
    assert_int_equal(index_find(index, "linux/arm64/v8", &found, NULL), 0);
    struct error error = {0};
    assert_int_equal(index_find(index, "linux/s390x", &found, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_non_null(strstr(error.text, "linux/arm64, linux/amd64"));
}

/* ---- pulling from a server ---- */

static const char good_manifest[] = "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "}]}";
static char good_digest[DIGEST_TEXT];

static void answer_typed(int client, const char *type, const char *more, const char *body) {
    char headers[400];
    snprintf(headers, sizeof(headers), "Content-Type: %s\r\n%s", type, more);
    answer_text(client, 200, headers, body);
}

static void answer_index(int client, const char *digest, size_t size) {
    char index[600];
    snprintf(index, sizeof(index),
             "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}]}",
             MEDIA_TYPE_OCI_INDEX, digest, size);
    answer_typed(client, MEDIA_TYPE_OCI_INDEX, "", index);
}

static void serve_manifests(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)count;
    if (strstr(request, "/manifests/good ") || strstr(request, good_digest))
        answer_typed(client, MEDIA_TYPE_OCI_MANIFEST, "", good_manifest);
    else if (strstr(request, "/manifests/lies "))
        answer_typed(client, MEDIA_TYPE_OCI_MANIFEST, "Docker-Content-Digest: sha256:" HEX "\r\n", good_manifest);
    else if (strstr(request, "/manifests/sha256:" HEX))
        answer_typed(client, MEDIA_TYPE_OCI_MANIFEST, "", good_manifest);
    else if (strstr(request, "/manifests/index "))
        answer_index(client, good_digest, strlen(good_manifest));
    else if (strstr(request, "/manifests/size "))
        answer_index(client, good_digest, 7);
    else if (strstr(request, "/manifests/large "))
        say(client, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 4194305\r\n\r\n{", MEDIA_TYPE_OCI_INDEX);
    else
        answer_text(client, 404, "", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"none\"}]}");
}

static int pull(const struct server *server, const char *name, struct buffer *manifest, char **canonical,
                struct error *error) {
    AUTO_HTTP struct http *http = http_new(&(struct http_options){.deadline = 10});
    AUTO_REGISTRY struct registry *registry = registry_new(&(struct registry_options){.http = http});
    struct image_source source = registry_image_source(registry);
    AUTO_FREE char *reference = text_format("127.0.0.1:%d/a%s", server->port, name);
    return source.manifest(source.context, reference, "linux/amd64", manifest, canonical, error);
}

static void a_manifest_is_what_its_digest_says(void **state) {
    (void)state;
    struct server server;
    struct digest digest = digest_of(good_manifest, strlen(good_manifest));
    snprintf(good_digest, sizeof(good_digest), "%s", digest_format(&digest).text);
    server_start(&server, serve_manifests);
    static const char *const good[] = {":good", ":index"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        AUTO_BUFFER struct buffer manifest = BUFFER(REGISTRY_MANIFEST_LIMIT);
        AUTO_FREE char *canonical = NULL;
        AUTO_FREE char *wanted = text_format("127.0.0.1:%d/a@%s", server.port, good_digest);
        assert_int_equal(pull(&server, good[i], &manifest, &canonical, NULL), 0);
        assert_string_equal(canonical, wanted);
        assert_string_equal(buffer_text(&manifest), good_manifest);
    }
    static const struct {
        const char *name;
        enum error_kind kind;
    } wrong[] = {{":lies", ERROR_PROTOCOL},
                 {"@sha256:" HEX, ERROR_PROTOCOL},
                 {":size", ERROR_PROTOCOL},
                 {":absent", ERROR_DATA},
                 {":large", ERROR_PROTOCOL}};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        AUTO_BUFFER struct buffer manifest = BUFFER(REGISTRY_MANIFEST_LIMIT);
        AUTO_FREE char *canonical = NULL;
        struct error error = {0};
        assert_int_equal(pull(&server, wrong[i].name, &manifest, &canonical, &error), -1);
        assert_int_equal(error.kind, wrong[i].kind);
        assert_int_equal(manifest.length, 0);
    }
    server_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_completed_as_docker_does),
        cmocka_unit_test(what_is_no_reference_is_refused),
        cmocka_unit_test(only_this_machine_is_spoken_to_without_tls),
        cmocka_unit_test(challenges_are_read_however_they_are_written),
        cmocka_unit_test(a_manifest_means_one_thing),
        cmocka_unit_test(an_index_gives_the_entry_of_the_platform),
        cmocka_unit_test(a_manifest_is_what_its_digest_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
