/* The HTTP client against a scripted server that writes raw bytes: redirects, retries, limits, secrets. */
#include "common/http/http.h"

#include "tests/unit/raw_server.h"

#include <signal.h>
#include <sys/wait.h>

static char *url_of(const struct server *server, const char *path) {
    static char url[256];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server->port, path);
    return url;
}

static int get(const struct http_options *options, struct http_request request, struct http_response *response,
               struct error *error) {
    AUTO_HTTP struct http *http = http_new(options);
    return http_perform(http, &request, response, error);
}

static void echo_method(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)count;
    char line[64] = "";
    sscanf(request, "%63[^\r]", line);
    answer_text(client, 200, "X-Thing:  a value \r\n", line);
}

static void a_request_and_its_answer_arrive_whole(void **state) {
    (void)state;
    struct server server;
    server_start(&server, echo_method);
    struct http_request request = {
        .method = "PUT", .url = url_of(&server, "/x?y=1"), .body = "hello", .body_length = 5, .content_type = "text/x"};
    AUTO_RESPONSE struct http_response response = {0};
    struct error error = {0};
    assert_int_equal(get(NULL, request, &response, &error), 0);
    server_stop(&server);
    assert_int_equal(response.status, 200);
    assert_string_equal(buffer_text(&response.body), "PUT /x?y=1 HTTP/1.1");
    assert_string_equal(http_header(&response, "x-thing"), "a value");
    assert_null(http_header(&response, "x-thin"));
    assert_non_null(strstr(server.last, "Content-Type: text/x\r\n"));
    assert_non_null(strstr(server.last, "\r\n\r\nhello"));
    assert_null(strstr(server.last, "Expect:"));
}

static void an_empty_post_has_a_length_and_no_type(void **state) {
    (void)state;
    struct server server;
    server_start(&server, echo_method);
    AUTO_RESPONSE struct http_response response = {0};
    assert_int_equal(get(NULL, (struct http_request){.method = "POST", .url = url_of(&server, "/")}, &response, NULL),
                     0);
    server_stop(&server);
    assert_non_null(strstr(server.last, "Content-Length: 0\r\n"));
    assert_null(strstr(server.last, "Content-Type"));
}

static void a_body_is_read_from_a_file_at_an_offset(void **state) {
    (void)state;
    struct server server;
    server_start(&server, echo_method);
    FILE *file = tmpfile();
    fputs("0123456789", file);
    fflush(file);
    struct http_request request = {.method = "PATCH",
                                   .url = url_of(&server, "/"),
                                   .has_body_fd = true,
                                   .body_fd = fileno(file),
                                   .body_offset = 3,
                                   .body_size = 4};
    AUTO_RESPONSE struct http_response response = {0};
    assert_int_equal(get(NULL, request, &response, NULL), 0);
    server_stop(&server);
    fclose(file);
    assert_string_equal(buffer_text(&response.body), "PATCH / HTTP/1.1");
    assert_non_null(strstr(server.last, "\r\n\r\n3456"));
    assert_null(strstr(server.last, "34567"));
}

static void fail_twice(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)request;
    answer_text(client, count < 3 ? 503 : 200, "Retry-After: 0\r\n", "busy");
}

static void a_busy_server_is_asked_again_if_that_is_safe(void **state) {
    (void)state;
    struct server server;
    server_start(&server, fail_twice);
    AUTO_RESPONSE struct http_response first = {0}, second = {0};
    assert_int_equal(get(NULL, (struct http_request){.method = "POST", .url = url_of(&server, "/")}, &first, NULL), 0);
    assert_int_equal(first.status, 503);
    assert_int_equal(server.count, 1);
    assert_int_equal(get(NULL, (struct http_request){.url = url_of(&server, "/")}, &second, NULL), 0);
    assert_int_equal(second.status, 200);
    server_stop(&server);
    assert_int_equal(server.count, 3);
}

static void ask_for_a_year(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)request;
    (void)count;
    answer_text(client, 429, "Retry-After: 1000000000\r\n", "later");
}

static void a_wait_behind_the_deadline_is_not_begun(void **state) {
    (void)state;
    struct server server;
    server_start(&server, ask_for_a_year);
    AUTO_RESPONSE struct http_response response = {0};
    assert_int_equal(get(NULL, (struct http_request){.url = url_of(&server, "/")}, &response, NULL), 0);
    server_stop(&server);
    assert_int_equal(response.status, 429);
    assert_int_equal(server.count, 1);
}

static void stop_in_the_middle_once(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)request;
    if (count == 1)
        say(client, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    else
        answer_text(client, 200, "", "0123456789");
}

static int keep(void *context, const char *data, size_t length, struct error *error) {
    (void)error;
    buffer_append(context, data, length);
    return 0;
}

static void start_over(void *context) {
    buffer_clear(context);
}

static void a_broken_download_starts_over(void **state) {
    (void)state;
    struct server server;
    server_start(&server, stop_in_the_middle_once);
    AUTO_BUFFER struct buffer got = BUFFER(100);
    struct http_request request = {
        .url = url_of(&server, "/"), .sink = keep, .sink_restart = start_over, .sink_context = &got, .sink_limit = 10};
    AUTO_RESPONSE struct http_response response = {0};
    assert_int_equal(get(NULL, request, &response, NULL), 0);
    server_stop(&server);
    assert_string_equal(buffer_text(&got), "0123456789");
}

static void break_off_then_go_on(struct server *server, int client, const char *request, int count) {
    char where[200];
    if (strstr(request, "GET /moved ")) {
        snprintf(where, sizeof(where), "Location: http://127.0.0.1:%d/signed\r\n", server->other_port);
        answer_text(client, 307, where, "");
    } else if (!strstr(request, "Range: bytes=3-\r\n"))
        say(client, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n%s", count < 4 ? "012" : "0123456789");
    else if (strstr(request, "GET /whole "))
        answer_text(client, 200, "", "0123456789");
    else if (strstr(request, "GET /refused "))
        answer_text(client, 416, "", "");
    else if (strstr(request, "GET /other "))
        answer_text(client, 206, "Content-Range: bytes 4-9/10\r\n", "456789");
    else if (strstr(request, "GET /long "))
        answer_text(client, 206, "Content-Range: bytes 3-10/11\r\n", "3456789X");
    else
        answer_text(client, 206, "Content-Range: bytes 3-9/10\r\n", "3456789");
}

static void a_broken_download_of_a_blob_goes_on(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int result, count;
    } cases[] = {{"/rest", 0, 2}, {"/whole", 0, 2}, {"/refused", 0, 5}, {"/other", -1, 2}, {"/long", -1, 2}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct server server;
        server_start(&server, break_off_then_go_on);
        AUTO_BUFFER struct buffer got = BUFFER(100);
        struct http_request request = {.url = url_of(&server, cases[i].path),
                                       .sink = keep,
                                       .sink_restart = start_over,
                                       .sink_context = &got,
                                       .sink_limit = 10,
                                       .resumable = true};
        AUTO_RESPONSE struct http_response response = {0};
        struct error error = {0};
        assert_int_equal(get(NULL, request, &response, &error), cases[i].result);
        server_stop(&server);
        assert_int_equal(server.count, cases[i].count);
        assert_int_equal(error.kind, cases[i].result ? ERROR_PROTOCOL : ERROR_NONE);
        if (cases[i].result == 0) {
            assert_int_equal(response.status, 200);
            assert_string_equal(buffer_text(&got), "0123456789");
        }
    }
}

static void a_retry_begins_before_the_redirect(void **state) {
    (void)state;
    struct server server, other;
    server_start(&server, break_off_then_go_on);
    server_start(&other, break_off_then_go_on);
    server.other_port = other.port;
    AUTO_BUFFER struct buffer got = BUFFER(100);
    struct http_request request = {.url = url_of(&server, "/moved"),
                                   .authorization = HTTP_BEARER,
                                   .secret = "s3cret",
                                   .follow_redirects = true,
                                   .sink = keep,
                                   .sink_restart = start_over,
                                   .sink_context = &got,
                                   .sink_limit = 10,
                                   .resumable = true};
    AUTO_RESPONSE struct http_response response = {0};
    assert_int_equal(get(NULL, request, &response, NULL), 0);
    server_stop(&server);
    server_stop(&other);
    assert_string_equal(buffer_text(&got), "0123456789");
    assert_int_equal(server.count, 2);
    assert_int_equal(other.count, 2);
    assert_non_null(strstr(server.last, "Authorization: Bearer s3cret\r\n"));
    assert_null(strstr(other.last, "s3cret"));
}

static void answer_much(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)count;
    char body[5001];
    memset(body, 'x', 5000);
    body[5000] = 0;
    answer_text(client, strstr(request, "/error") ? 404 : 200, "", body);
}

static void too_much_is_refused_and_an_error_text_is_cut(void **state) {
    (void)state;
    struct server server;
    server_start(&server, answer_much);
    struct error error = {0};
    AUTO_RESPONSE struct http_response first = {0}, second = {0}, third = {0};
    struct http_request request = {.url = url_of(&server, "/"), .response_limit = 4999};
    assert_int_equal(get(NULL, request, &first, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    request.url = url_of(&server, "/error");
    assert_int_equal(get(NULL, request, &second, &error), 0);
    assert_int_equal(second.status, 404);
    assert_int_equal(second.body.length, 4999);
    AUTO_BUFFER struct buffer got = BUFFER(100000);
    request = (struct http_request){.url = url_of(&server, "/"),
                                    .sink = keep,
                                    .sink_restart = start_over,
                                    .sink_context = &got,
                                    .sink_limit = 4999};
    assert_int_equal(get(NULL, request, &third, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    server_stop(&server);
    assert_int_equal(server.count, 3);
}

static void trickle(struct server *server, int client, const char *request, int count) {
    (void)server;
    (void)request;
    (void)count;
    say(client, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 60 && send(client, "x", 1, MSG_NOSIGNAL) == 1; i++)
        usleep(100000);
}

static void a_stall_and_a_time_limit_end_a_request(void **state) {
    (void)state;
    struct server server;
    server_start(&server, trickle);
    struct error error = {0};
    AUTO_RESPONSE struct http_response first = {0}, second = {0}, third = {0};
    struct http_request request = {.url = url_of(&server, "/"), .no_retry = true};
    assert_int_equal(get(&(struct http_options){.stall = 1}, request, &first, &error), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    request.timeout = 1;
    assert_int_equal(get(NULL, request, &second, &error), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    request = (struct http_request){.url = url_of(&server, "/")};
    assert_int_equal(get(&(struct http_options){.deadline = 1}, request, &third, &error), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    server_stop(&server);
}

static void redirect_by_path(struct server *server, int client, const char *request, int count) {
    (void)count;
    char where[200];
    if (strstr(request, "GET /loop "))
        answer_text(client, 302, "Location: /loop\r\n", "");
    else if (strstr(request, "GET /same "))
        answer_text(client, 307, "Location: end?x=1\r\n", "");
    else if (strstr(request, "GET /metadata "))
        answer_text(client, 307, "Location: http://169.254.169.254/computeMetadata\r\n", "");
    else if (strstr(request, "GET /mapped "))
        answer_text(client, 307, "Location: https://[::ffff:169.254.169.254]/\r\n", "");
    else if (strstr(request, "GET /private "))
        answer_text(client, 307, "Location: https://192.168.1.1/\r\n", "");
    else if (strstr(request, "GET /file "))
        answer_text(client, 307, "Location: file:///etc/passwd\r\n", "");
    else if (strstr(request, "GET /other ")) {
        snprintf(where, sizeof(where), "Location: http://127.0.0.1:%d/end\r\n", server->other_port);
        answer_text(client, 307, where, "");
    } else
        answer_text(client, 200, "", "end");
}

static int follow(const struct server *server, const char *path, struct http_response *response, struct error *error) {
    return get(
        NULL,
        (struct http_request){
            .url = url_of(server, path), .follow_redirects = true, .authorization = HTTP_BEARER, .secret = "s3cret"},
        response, error);
}

static void a_secret_stays_with_its_origin(void **state) {
    (void)state;
    struct server server, other;
    server_start(&server, redirect_by_path);
    server_start(&other, redirect_by_path);
    server.other_port = other.port;
    AUTO_RESPONSE struct http_response first = {0}, second = {0};
    assert_int_equal(follow(&server, "/same", &first, NULL), 0);
    assert_int_equal(first.status, 200);
    assert_non_null(strstr(first.url, "/end?x=1"));
    assert_non_null(strstr(server.last, "Authorization: Bearer s3cret\r\n"));
    assert_int_equal(follow(&server, "/other", &second, NULL), 0);
    assert_int_equal(second.status, 200);
    server_stop(&server);
    server_stop(&other);
    assert_int_equal(other.count, 1);
    assert_null(strcasestr(other.last, "authorization"));
    assert_null(strstr(other.last, "s3cret"));
}

static void a_redirect_to_elsewhere_is_refused(void **state) {
    (void)state;
    struct server server;
    server_start(&server, redirect_by_path);
    static const char *const paths[] = {"/loop", "/metadata", "/mapped", "/private", "/file"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        AUTO_RESPONSE struct http_response response = {0};
        struct error error = {0};
        assert_int_equal(follow(&server, paths[i], &response, &error), -1);
        assert_int_equal(error.kind, ERROR_PROTOCOL);
    }
    server_stop(&server);
}

static void a_url_that_a_server_named_is_as_a_redirect(void **state) {
    (void)state;
    struct server server;
    server_start(&server, redirect_by_path);
    struct http_request request = {.url = url_of(&server, "/"), .named_by = "https://registry.example/"};
    AUTO_RESPONSE struct http_response first = {0}, second = {0}, third = {0};
    struct error error = {0};
    assert_int_equal(get(NULL, request, &first, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    /* What only turns out to be loopback when it is connected to. */
    AUTO_FREE char *hidden = text_format("https://0x7f.1:%d/", server.port);
    request = (struct http_request){.url = hidden, .named_by = "https://registry.example/"};
    assert_int_equal(get(NULL, request, &second, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    request = (struct http_request){.url = url_of(&server, "/"), .named_by = "http://127.0.0.1:1/"};
    assert_int_equal(get(NULL, request, &third, &error), 0);
    server_stop(&server);
    assert_int_equal(server.count, 1);
}

static void plain_http_leaves_this_machine_only_by_name(void **state) {
    (void)state;
    AUTO_RESPONSE struct http_response response = {0};
    struct error error = {0};
    assert_int_equal(get(NULL, (struct http_request){.url = "http://registry.example/"}, &response, &error), -1);
    assert_int_equal(error.kind, ERROR_CONFIGURATION);
    assert_non_null(strstr(error.text, "without TLS"));
}

static void nobody_listening_is_said_at_once(void **state) {
    (void)state;
    struct server server;
    server_start(&server, echo_method);
    server_stop(&server);
    AUTO_RESPONSE struct http_response response = {0};
    struct error error = {0};
    assert_int_equal(get(NULL, (struct http_request){.url = url_of(&server, "/")}, &response, &error), -1);
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
}

static void a_header_cannot_be_smuggled(void **state) {
    (void)state;
    AUTO_LIST struct text_list headers = {0};
    text_list_add(&headers, "X: a\r\nY: b");
    AUTO_RESPONSE struct http_response first = {0}, second = {0};
    struct error error = {0};
    struct http_request request = {.url = "http://127.0.0.1:1/", .headers = &headers};
    assert_int_equal(get(NULL, request, &first, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    request = (struct http_request){.url = "http://127.0.0.1:1/", .authorization = HTTP_BEARER, .secret = "a\nb"};
    assert_int_equal(get(NULL, request, &second, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_null(strstr(error.text, "a\nb"));
}

struct chain {
    struct http *http;
    struct http_request *next;
    int done;
};

static void count_and_go_on(void *context, struct http_response *response, const struct error *failure) {
    struct chain *chain = context;
    assert_null(failure);
    assert_int_equal(response->status, 200);
    chain->done++;
    struct http_request *next = chain->next;
    chain->next = NULL;
    if (next)
        assert_int_equal(http_start(chain->http, next, count_and_go_on, chain, NULL), 0);
}

static void many_requests_run_and_may_start_more(void **state) {
    (void)state;
    struct server server;
    server_start(&server, echo_method);
    AUTO_HTTP struct http *http = http_new(NULL);
    struct http_request request = {.url = url_of(&server, "/")};
    struct chain chain = {.http = http, .next = &request};
    for (int i = 0; i < 10; i++)
        assert_int_equal(http_start(http, &request, count_and_go_on, &chain, NULL), 0);
    assert_int_equal(http_run(http, NULL), 0);
    server_stop(&server);
    assert_int_equal(chain.done, 11);
}

static bool always(void *context) {
    (void)context;
    return true;
}

static void a_cancelled_transfer_ends(void **state) {
    (void)state;
    struct server server;
    server_start(&server, trickle);
    struct progress progress = {.cancelled = always};
    AUTO_RESPONSE struct http_response response = {0};
    struct error error = {0};
    struct http_options options = {.progress = &progress};
    assert_int_equal(get(&options, (struct http_request){.url = url_of(&server, "/")}, &response, &error), -1);
    assert_int_equal(error.kind, ERROR_CANCELLED);
    server_stop(&server);
}

/* `openssl s_server` with a certificate of its own making; it takes TLS versions up to `highest`. */
static pid_t tls_server(const char *folder, int port, const char *highest) {
    AUTO_FREE char *make =
        text_format("exec openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                    "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/key "
                    "-out %s/cert 2> /dev/null",
                    folder, folder);
    AUTO_FREE char *serve = text_format("exec openssl s_server -www -quiet -accept 127.0.0.1:%d -key %s/key "
                                        "-cert %s/cert -cipher ALL:@SECLEVEL=0 %s > /dev/null 2>&1 < /dev/null",
                                        port, folder, folder, highest);
    AUTO_FREE char *both = text_format("[ -e %s/cert ] || (%s) || exit 1; %s", folder, make, serve);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", both, (char *)NULL);
        _exit(127);
    }
    return child;
}

static int get_tls(int port, struct http_response *response, struct error *error) {
    AUTO_FREE char *url = text_format("https://localhost:%d/", port);
    int result = -1;
    for (int tries = 0; tries < 100; tries++) {
        http_response_release(response);
        result = get(NULL, (struct http_request){.url = url, .no_retry = true, .timeout = 10}, response, error);
        if (result == 0 || !strstr(error->text, "connect to localhost"))
            break;
        usleep(50000);
    }
    return result;
}

static void end_server(pid_t child) {
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}

static void tls_is_verified_and_not_old(void **state) {
    (void)state;
    struct server server;
    server_start(&server, echo_method);
    server_stop(&server); /* its port is free now */
    char folder[] = "/tmp/pl-tls-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct error error = {0};
    AUTO_RESPONSE struct http_response first = {0}, second = {0}, third = {0};
    pid_t child = tls_server(folder, server.port, "");
    assert_int_equal(get_tls(server.port, &first, &error), -1);
    assert_non_null(strstr(error.next, "SSL_CERT_FILE"));
    AUTO_FREE char *certificate = text_format("%s/cert", folder);
    AUTO_FREE char *key = text_format("%s/key", folder);
    AUTO_FREE char *kept = text_copy(getenv("CURL_CA_BUNDLE"));
    setenv("CURL_CA_BUNDLE", certificate, 1);
    assert_int_equal(get_tls(server.port, &second, &error), 0);
    assert_int_equal(second.status, 200);
    end_server(child);
    child = tls_server(folder, server.port, "-tls1_1");
    assert_int_equal(get_tls(server.port, &third, &error), -1);
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_null(strstr(error.text, "connect to localhost"));
    end_server(child);
    if (kept)
        setenv("CURL_CA_BUNDLE", kept, 1);
    else
        unsetenv("CURL_CA_BUNDLE");
    unlink(certificate);
    unlink(key);
    rmdir(folder);
}

static void urls_are_read_strictly(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "ftp://h/",
                                        "http://",
                                        "https://user@h/",
                                        "https://h:0/",
                                        "https://h:65536/",
                                        "https://h:/",
                                        "https://h\\@x/",
                                        "https://h /",
                                        "https://h/\n",
                                        "https://[::1/",
                                        "https://[::1]x/"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_null(url_origin(wrong[i]));
    AUTO_FREE char *origin = url_origin("HTTPS://Example.COM/x?y"), *v6 = url_origin("http://[::1]:80/");
    assert_string_equal(origin, "https://example.com:443");
    assert_string_equal(v6, "http://[::1]:80");
    AUTO_FREE char *host = url_host("http://[::1]:80/");
    assert_string_equal(host, "::1");
    assert_true(url_is_loopback("http://127.9.9.9:1/"));
    assert_true(url_is_loopback("http://localhost/"));
    assert_true(url_is_loopback("http://tag---shop.localhost:8080/"));
    assert_false(url_is_loopback("http://127.0.0.1.example/"));
    assert_false(url_is_loopback("http://localhost.example/"));
    assert_false(url_is_loopback("http://notlocalhost/"));
    AUTO_FREE char *encoded = url_encode("a/b c~\xc3\xa9");
    assert_string_equal(encoded, "a%2Fb%20c~%C3%A9");
    AUTO_FREE char *resolved = url_resolve("https://h/a/b?c", "../d?e");
    assert_string_equal(resolved, "https://h/d?e");
    assert_null(url_resolve("https://h/a", "gopher://x/"));
    assert_null(url_resolve("https://h/a", "https://u:p@x/"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_and_its_answer_arrive_whole),
        cmocka_unit_test(an_empty_post_has_a_length_and_no_type),
        cmocka_unit_test(a_body_is_read_from_a_file_at_an_offset),
        cmocka_unit_test(a_busy_server_is_asked_again_if_that_is_safe),
        cmocka_unit_test(a_wait_behind_the_deadline_is_not_begun),
        cmocka_unit_test(a_broken_download_starts_over),
        cmocka_unit_test(a_broken_download_of_a_blob_goes_on),
        cmocka_unit_test(a_retry_begins_before_the_redirect),
        cmocka_unit_test(too_much_is_refused_and_an_error_text_is_cut),
        cmocka_unit_test(a_stall_and_a_time_limit_end_a_request),
        cmocka_unit_test(a_secret_stays_with_its_origin),
        cmocka_unit_test(a_redirect_to_elsewhere_is_refused),
        cmocka_unit_test(a_url_that_a_server_named_is_as_a_redirect),
        cmocka_unit_test(plain_http_leaves_this_machine_only_by_name),
        cmocka_unit_test(nobody_listening_is_said_at_once),
        cmocka_unit_test(a_header_cannot_be_smuggled),
        cmocka_unit_test(many_requests_run_and_may_start_more),
        cmocka_unit_test(a_cancelled_transfer_ends),
        cmocka_unit_test(tls_is_verified_and_not_old),
        cmocka_unit_test(urls_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
