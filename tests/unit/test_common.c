/* common/crypto, common/file, common/process, common/json. */
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/crypto/digest.h"
#include "common/file/file.h"
#include "common/json/json.h"
#include "common/process/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char *scratch;

static int make_scratch(void **state) {
    (void)state;
    char path[] = "/tmp/pl-unit.XXXXXX";
    scratch = text_copy(mkdtemp(path));
    return scratch ? 0 : -1;
}

static int remove_scratch(void **state) {
    (void)state;
    struct error error = {0};
    int result = tree_remove(scratch, &error);
    free(scratch);
    return result;
}

static void digest_text_is_exact(void **state) {
    (void)state;
    struct digest digest = digest_of("abc", 3);
    static const char expected[] = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_string_equal(digest_format(&digest).text, expected);
    struct digest parsed;
    struct error error = {0};
    assert_int_equal(digest_parse(expected, &parsed, &error), 0);
    assert_true(digest_equal(&digest, &parsed));
    static const char *const wrong[] = {
        "sha256:../../x",
        "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_int_equal(digest_parse(wrong[i], &parsed, &error), -1);
}

static void base64_round_trips_in_both_alphabets(void **state) {
    (void)state;
    static const unsigned char bytes[] = {0xFB, 0xFF, 0x00, 0x10, 0x83};
    for (size_t length = 0; length <= sizeof(bytes); length++)
        for (int alphabet = BASE64_STANDARD; alphabet <= BASE64_URL; alphabet++) {
            AUTO_BUFFER struct buffer text = BUFFER(64), back = BUFFER(64);
            struct error error = {0};
            base64_encode((enum base64_alphabet)alphabet, bytes, length, &text);
            assert_int_equal(
                base64_decode((enum base64_alphabet)alphabet, buffer_text(&text), text.length, &back, &error), 0);
            assert_int_equal(back.length, length);
            assert_memory_equal(buffer_text(&back), bytes, length);
            buffer_release(&back);
        }
    AUTO_BUFFER struct buffer out = BUFFER(64);
    assert_int_equal(base64_decode(BASE64_URL, "a b=", 4, &out, NULL), -1);
    assert_int_equal(base64_decode(BASE64_STANDARD, "-_==", 4, &out, NULL), -1);
}

static void atomic_write_replaces_and_leaves_no_temporary(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_FREE char *path = path_join(scratch, "file");
    assert_int_equal(file_write_atomic(path, "one", 3, 0600, &error), 0);
    assert_int_equal(file_write_atomic(path, "two", 3, 0600, &error), 0);
    AUTO_BUFFER struct buffer text = BUFFER(16);
    assert_int_equal(file_read(path, &text, NULL, &error), 0);
    assert_string_equal(buffer_text(&text), "two");
    AUTO_LIST struct text_list names = {0};
    assert_int_equal(directory_list(scratch, &names, &error), 0);
    assert_int_equal(names.count, 1);
    AUTO_FREE char *nowhere = path_join(scratch, "missing/file");
    assert_int_equal(file_write_atomic(nowhere, "x", 1, 0600, &error), -1);
}

static void read_has_a_limit_and_refuses_a_pipe(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_FREE char *path = path_join(scratch, "big"), *pipe = path_join(scratch, "fifo");
    assert_int_equal(file_write_atomic(path, "12345", 5, 0600, &error), 0);
    AUTO_BUFFER struct buffer text = BUFFER(4);
    assert_int_equal(file_read(path, &text, NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(file_read(pipe, &text, NULL, &error), -1);
    bool found = true;
    assert_int_equal(file_read("/nonexistent/x", &text, &found, &error), 0);
    assert_false(found);
}

static void remove_does_not_follow_links(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_FREE char *outside = path_join(scratch, "outside"), *inside = path_join(scratch, "a/b/c"),
                   *link = path_join(scratch, "a/b/link"), *top = path_join(scratch, "a"),
                   *kept = path_join(scratch, "outside/kept");
    assert_int_equal(directory_make(outside, 0700, &error), 0);
    assert_int_equal(file_write_atomic(kept, "x", 1, 0600, &error), 0);
    assert_int_equal(directory_make(inside, 0700, &error), 0);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(chmod(inside, 0), 0);
    assert_int_equal(tree_remove(top, &error), 0);
    assert_false(directory_exists(top));
    assert_true(file_exists(kept));
}

static void paths_below_a_root_are_recognised(void **state) {
    (void)state;
    static const char *const below[] = {"a", "a/b", "..a/b", "a/...", ".a"};
    static const char *const wrong[] = {"", "/a", "a//b", "../a", "a/..", "a/../b", "a/"};
    for (size_t i = 0; i < ARRAY_LENGTH(below); i++)
        assert_true(path_is_below(below[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(path_is_below(wrong[i]));
}

static void child_gets_its_input_and_gives_its_status(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_BUFFER struct buffer out = BUFFER(100), err = BUFFER(100);
    const char *argv[] = {"sh", "-c", "cat; echo problem >&2; exit 7", NULL};
    struct process process = {.argv = argv, .input = "given", .input_length = 5, .out = &out, .err = &err};
    int status = 0;
    assert_int_equal(process_run(&process, &status, &error), 0);
    assert_int_equal(status, 7);
    assert_string_equal(buffer_text(&out), "given");
    assert_int_equal(process_run_checked(&process, &error), -1);
    assert_int_equal(error.kind, ERROR_STEP);
    assert_non_null(strstr(error.text, "status 7: problem"));
}

static void child_has_no_foreign_descriptor_and_default_signals(void **state) {
    (void)state;
    struct error error = {0};
    int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    signal(SIGPIPE, SIG_IGN);
    AUTO_BUFFER struct buffer out = BUFFER(1000), status_text = BUFFER(1000);
    const char *list[] = {"ls", "/proc/self/fd", NULL}; /* it has its directory open as 3 */
    const char *ignored[] = {"grep", "SigIgn", "/proc/self/status", NULL};
    struct process listing = {.argv = list, .out = &out}, signals = {.argv = ignored, .out = &status_text};
    int status = 0;
    assert_int_equal(process_run(&listing, &status, &error), 0);
    assert_string_equal(buffer_text(&out), "0\n1\n2\n3\n");
    assert_int_equal(process_run(&signals, &status, &error), 0);
    /* Signals 32 and 33 belong to the C library, which lets nobody change what was inherited. */
    unsigned long long mask = ~0ULL;
    assert_int_equal(sscanf(buffer_text(&status_text), "SigIgn:%llx", &mask), 1);
    assert_int_equal(mask & ~(3ULL << 31), 0);
    signal(SIGPIPE, SIG_DFL);
    close(leaked);
}

static void child_that_takes_too_long_is_ended(void **state) {
    (void)state;
    struct error error = {0};
    const char *argv[] = {"sleep", "30", NULL};
    struct process process = {.argv = argv, .timeout = 1};
    int status = 0;
    assert_int_equal(process_run(&process, &status, &error), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
}

static void missing_program_is_a_configuration_error(void **state) {
    (void)state;
    struct error error = {0};
    const char *argv[] = {"pl-no-such-program", NULL};
    struct process process = {.argv = argv};
    int status = 0;
    assert_int_equal(process_run(&process, &status, &error), -1);
    assert_int_equal(error.kind, ERROR_CONFIGURATION);
}

static void json_refuses_what_is_ambiguous(void **state) {
    (void)state;
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    struct error error = {0};
    assert_null(json_parse(deep, sizeof(deep), "it", &error));
    static const char *const wrong[] = {"{\"a\":1,\"a\":2}", "{} x", "{\"a\":\"\\ud800\"}", "NaN", "",
                                        "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_null(json_parse(wrong[i], strlen(wrong[i]), "it", &error));
        assert_int_equal(error.kind, ERROR_DATA);
    }
}

static void the_nearest_name_is_suggested(void **state) {
    (void)state;
    static const char *const names[] = {"rewrites", "redirects", "headers", NULL};
    assert_string_equal(text_nearest("rewrite", names), "rewrites");
    assert_string_equal(text_nearest("redircets", names), "redirects");
    assert_string_equal(text_nearest("heder", names), "headers");
    assert_null(text_nearest("firestore", names));
}

static void json_with_secrets_is_not_quoted(void **state) {
    (void)state;
    static const char *const texts[] = {"{\"private_key\":\"s3cret",
                                        "{\"private_key\":\"s3cret\n\"}",
                                        "s3cret",
                                        "{} s3cret",
                                        "{\"a\":1,\"a\":\"s3cret\"}",
                                        "{\"s3cret\":1,\"s3cret\":2}",
                                        "{\"a\":\"s3cret\\x\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct error error = {0};
        assert_null(json_parse_secret(texts[i], strlen(texts[i]), "key.json", &error));
        assert_non_null(strstr(error.text, "key.json:1:"));
        assert_null(strstr(error.text, "s3cret"));
    }
}

static void json_values_are_found_in_their_text(void **state) {
    (void)state;
    static const char text[] = "{\n  \"a\": [1, {\"x\\u0041\": \"}\"},\n        {\"b\": null}],\n  \"c\": true\n}\n";
    struct json_step a = {.key = "a"}, first = {&a, .index = 1}, second = {&a, .index = 2};
    const struct {
        struct json_step step;
        unsigned line, column;
    } expected[] = {
        {{.key = "a"}, 2, 3},           {{&a, .index = 0}, 2, 9}, {{&first, .key = "xA"}, 2, 13},
        {{&second, .key = "b"}, 3, 10}, {{.key = "c"}, 4, 3},     {{&second, .key = "missing"}, 3, 9},
        {{.key = "missing"}, 1, 1},     {{&a, .index = 7}, 2, 3},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        struct json_place place = json_locate(text, strlen(text), &expected[i].step);
        assert_int_equal(place.line, expected[i].line);
        assert_int_equal(place.column, expected[i].column);
    }
    for (size_t length = 0; length < strlen(text); length++)
        assert_true(json_locate(text, length, &expected[3].step).line <= 3);
}

static void json_canonical_form_sorts_keys(void **state) {
    (void)state;
    struct error error = {0};
    static const char text[] = "{\"b\":[1,true,null],\"a\":{\"d\":\"\\u00e9\",\"c\":-5}}";
    AUTO_JSON struct json *value = json_parse(text, sizeof(text) - 1, "it", &error);
    assert_non_null(value);
    AUTO_FREE char *canonical = json_format(value, JSON_CANONICAL);
    assert_string_equal(canonical, "{\"a\":{\"c\":-5,\"d\":\"\xC3\xA9\"},\"b\":[1,true,null]}");
    AUTO_FREE char *compact = json_format(value, JSON_COMPACT_STYLE);
    assert_string_equal(compact, "{\"b\":[1,true,null],\"a\":{\"d\":\"\xC3\xA9\",\"c\":-5}}");
    assert_string_equal(json_text(json_get_path(value, "a.d")), "\xC3\xA9");
    assert_null(json_get_path(value, "a.x.y"));
    assert_int_equal(json_count(json_get(value, "b")), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_text_is_exact),
        cmocka_unit_test(base64_round_trips_in_both_alphabets),
        cmocka_unit_test_setup_teardown(atomic_write_replaces_and_leaves_no_temporary, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(read_has_a_limit_and_refuses_a_pipe, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(remove_does_not_follow_links, make_scratch, remove_scratch),
        cmocka_unit_test(paths_below_a_root_are_recognised),
        cmocka_unit_test(child_gets_its_input_and_gives_its_status),
        cmocka_unit_test(child_has_no_foreign_descriptor_and_default_signals),
        cmocka_unit_test(child_that_takes_too_long_is_ended),
        cmocka_unit_test(missing_program_is_a_configuration_error),
        cmocka_unit_test(json_refuses_what_is_ambiguous),
        cmocka_unit_test(json_canonical_form_sorts_keys),
        cmocka_unit_test(json_with_secrets_is_not_quoted),
        cmocka_unit_test(json_values_are_found_in_their_text),
        cmocka_unit_test(the_nearest_name_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
