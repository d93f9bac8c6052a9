/* common/record: what flows through the pipe, and what hostile input makes of it. */
#include "common/base/text.h"
#include "common/record/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX "6e398316742b98b1f1e1b3d1f3c0a2c58b1d4a7a6f0e9d8c7b6a594837261504"
#define OTHER "7e398316742b98b1f1e1b3d1f3c0a2c58b1d4a7a6f0e9d8c7b6a594837261504"
#define CONTAINER "container:sha256:" HEX
#define IMAGE "localhost:5000/demo/backend@sha256:" HEX

static struct error error;
static struct record_list list;

static int read_text(const char *text, unsigned accepted) {
    record_list_release(&list);
    error_clear(&error);
    return record_read_text(text, strlen(text), accepted, &list, NULL, &error);
}

static void refuses(const char *text, enum error_kind kind, const char *why) {
    assert_int_equal(read_text(text, RECORD_CONTAINER | RECORD_IMAGE), -1);
    assert_int_equal(error.kind, kind);
    if (!strstr(error.text, why))
        fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

static char *written(struct record_list *records) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(record_write_all(ends[1], records, &error), 0);
    close(ends[1]);
    char text[8192] = "";
    ssize_t got = read(ends[0], text, sizeof(text) - 1);
    assert_true(got >= 0);
    close(ends[0]);
    return text_copy(text);
}

static void a_record_survives_the_pipe(void **state) {
    (void)state;
    struct record_list out = {0};
    struct record record = record_new(RECORD_CONTAINER, CONTAINER);
    json_set_text(record.json, "name", "backend");
    json_set_text(record.json, "future", "kept");
    record_list_add(&out, record);
    record_list_add(&out, record_new(RECORD_CONTAINER, CONTAINER));
    AUTO_FREE char *text = written(&out);
    record_list_release(&out);
    assert_true(text_starts_with(text,
                                 "{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"digest\":\"sha256:" HEX
                                 "\",\"name\":\"backend\",\"future\":\"kept\",\"set\":\""));
    assert_int_equal(read_text(text, RECORD_CONTAINER), 0);
    assert_int_equal(list.count, 2);
    assert_string_equal(record_text(&list.items[0], "future"), "kept");
    assert_string_equal(record_ref(&list.items[1]), CONTAINER);
    assert_int_equal(json_get_integer(list.items[1].json, "of", 0), 2);
    record_list_release(&list);
}

static void bare_refs_are_typed_by_their_form(void **state) {
    (void)state;
    static const struct {
        const char *ref;
        enum record_type type;
    } cases[] = {
        {CONTAINER, RECORD_CONTAINER},
        {"directory:sha256:" HEX, RECORD_DIRECTORY},
        {"file:sha256:" HEX, RECORD_FILE},
        {IMAGE, RECORD_IMAGE},
        {"us-central1-docker.pkg.dev/p/r/shop@sha256:" HEX, RECORD_IMAGE},
        {"localhost/shop:1", RECORD_IMAGE},
        {"https://shop-abc.a.run.app", RECORD_SERVICE},
        {"http://127.0.0.1:8080", RECORD_SERVICE},
        {"projects/p/locations/r/jobs/migrate", RECORD_JOB},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct record record;
        assert_int_equal(record_parse(cases[i].ref, strlen(cases[i].ref), &record, &error), 0);
        assert_int_equal(record.type, cases[i].type);
        assert_string_equal(record_ref(&record), cases[i].ref);
        record_release(&record);
    }
    assert_int_equal(read_text("https://shop.web.app\n", RECORD_SITE), 0);
    assert_int_equal(list.items[0].type, RECORD_SITE);
    record_list_release(&list);
}

static void what_is_no_record_is_refused(void **state) {
    (void)state;
    refuses("", ERROR_NO_INPUT, "nothing arrived");
    refuses("\n \r\n\n", ERROR_NO_INPUT, "nothing arrived");
    refuses("hello\n", ERROR_DATA, "neither a record nor a ref");
    refuses("container:sha256:123\n", ERROR_DATA, "neither a record nor a ref");
    refuses("container:sha256:" HEX "/../x\n", ERROR_DATA, "neither a record nor a ref");
    refuses("/etc/passwd\n", ERROR_DATA, "neither a record nor a ref");
    refuses("a.b/x y\n", ERROR_DATA, "neither a record nor a ref");
    refuses("a.b/x\x1b[31m\n", ERROR_DATA, "neither a record nor a ref");
    refuses("{}\n", ERROR_DATA, "no \"pl\"");
    refuses("{\"pl\":\"1\",\"type\":\"container\"}\n", ERROR_DATA, "no \"pl\"");
    refuses("{\"pl\":0,\"type\":\"container\"}\n", ERROR_DATA, "no \"pl\"");
    refuses("{\"pl\":1}\n", ERROR_DATA, "no type");
    refuses("{\"pl\":1,\"type\":7}\n", ERROR_DATA, "no type");
    refuses("{\"pl\":1,\"type\":\"rocket\",\"ref\":\"x\"}\n", ERROR_DATA, "unknown type \"rocket\"");
    refuses("{\"pl\":1,\"type\":\"container\"}\n", ERROR_DATA, "no ref");
    refuses("{\"pl\":1,\"type\":\"container\",\"ref\":\"file:sha256:" HEX "\"}\n", ERROR_DATA,
            "not the ref of a container");
    refuses("{\"pl\":1,\"type\":\"image\",\"ref\":\"a.b/c d\"}\n", ERROR_DATA, "not the ref");
    refuses("{\"pl\":1,\"type\":\"image\",\"ref\":\"a.b/c\\u0000d\"}\n", ERROR_DATA, "not valid JSON");
    refuses("{\"pl\":1,\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\"}\n", ERROR_DATA, "uplicate");
    refuses("{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\"", ERROR_DATA, "cut off");
    refuses("{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\"} x\n", ERROR_DATA, "not valid JSON");
    refuses("{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"digest\":\"sha256:" OTHER "\"}\n", ERROR_DATA,
            "another digest than its ref");
    refuses("{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"digest\":5}\n", ERROR_DATA,
            "malformed digest");
    refuses("{\"pl\":1,\"type\":\"error\",\"message\":\"x\"}\n", ERROR_DATA, "error record lacks");
}

static void a_newer_major_is_refused_naming_both(void **state) {
    (void)state;
    refuses("{\"pl\":2,\"type\":\"container\",\"ref\":\"" CONTAINER "\"}\n", ERROR_DATA,
            "of version 2; this pl understands version 1");
}

static void length_and_count_are_limited(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer line = BUFFER(1 << 20);
    buffer_append_text(&line, "{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"name\":\"");
    while (line.length < RECORD_LIMIT - 3)
        buffer_append_byte(&line, 'x');
    buffer_append_text(&line, "\"}");
    assert_int_equal(line.length, RECORD_LIMIT - 1);
    assert_int_equal(read_text(buffer_text(&line), RECORD_CONTAINER), 0);
    line.data[line.length - 2] = 'x';
    line.data[line.length - 1] = '"';
    buffer_append_byte(&line, '}');
    refuses(buffer_text(&line), ERROR_DATA, "longer than 4096 bytes");
    buffer_clear(&line);
    for (int i = 0; i <= RECORD_COUNT_LIMIT; i++)
        buffer_append_text(&line, CONTAINER "\n");
    refuses(buffer_text(&line), ERROR_DATA, "more than 1000 records");
    record_list_release(&list);
}

#define NUMBERED(set, seq, of)                                                                                         \
    "{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"set\":\"" set "\",\"seq\":" seq ",\"of\":" of "}\n"

static void an_incomplete_set_is_refused(void **state) {
    (void)state;
    refuses(NUMBERED("a", "1", "2"), ERROR_DATA, "received 1 of 2 records");
    refuses(NUMBERED("a", "1", "2") NUMBERED("a", "1", "2"), ERROR_DATA, "record 1 of 2 arrived twice");
    refuses(NUMBERED("a", "1", "2") NUMBERED("a", "2", "3"), ERROR_DATA, "do not agree");
    refuses(NUMBERED("a", "3", "2"), ERROR_DATA, "number 3 of 2");
    refuses(NUMBERED("a", "0", "0"), ERROR_DATA, "number 0 of 0");
    refuses(NUMBERED("a", "1", "99999999999"), ERROR_DATA, "number 1 of 99999999999");
    refuses(NUMBERED("a", "1", "1") NUMBERED("b", "2", "2"), ERROR_DATA, "received 1 of 2 records");
    assert_int_equal(
        read_text(NUMBERED("a", "2", "2") NUMBERED("b", "1", "1") NUMBERED("a", "1", "2"), RECORD_CONTAINER), 0);
    assert_int_equal(list.count, 3);
    record_list_release(&list);
}

static void a_wrong_type_is_answered_with_the_missing_tool(void **state) {
    (void)state;
    assert_int_equal(
        read_text("{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"tool\":\"pl-build\"}\n", RECORD_IMAGE),
        -1);
    assert_string_equal(error.text, "got a container (from pl-build); put pl-push-image before it");
    assert_int_equal(read_text("directory:sha256:" HEX, RECORD_IMAGE), -1);
    assert_string_equal(error.text, "got a directory; it takes an image");
    assert_int_equal(
        read_text("{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"tool\":\"rm -rf\"}\n", RECORD_IMAGE),
        -1);
    assert_string_equal(error.text, "got a container; put pl-push-image before it");
}

static void an_upstream_failure_is_the_cause_and_keeps_its_code(void **state) {
    (void)state;
    struct error failure;
    error_set(&failure, ERROR_PERMISSION, "no \"way\"\n\x1b[31m");
    AUTO_FREE char *line = record_error_line("pl-build", &failure);
    assert_string_equal(line, "{\"pl\":1,\"type\":\"error\",\"stage\":\"pl-build\",\"code\":77,\"message\":\"no "
                              "\\\"way\\\" ?[31m\"}\n");
    AUTO_FREE char *input = text_format(NUMBERED("a", "1", "2") "garbage\n%s", line);
    struct record upstream = {0};
    error_clear(&error);
    assert_int_equal(record_read_text(input, strlen(input), RECORD_IMAGE, &list, &upstream, &error), -1);
    assert_string_equal(error.text, "not started: pl-build failed (77): no \"way\" ?[31m");
    assert_int_equal(error_exit_code(&error), 77);
    assert_int_equal(upstream.type, RECORD_ERROR);
    record_release(&upstream);
}

static void an_error_record_always_fits_one_line(void **state) {
    (void)state;
    struct error failure = {.kind = ERROR_STEP};
    for (size_t i = 0; i + 4 < sizeof(failure.text); i += 3)
        memcpy(failure.text + i, "\xE2\x80\xA6", 4);
    AUTO_FREE char *wide = record_error_line("pl-build", &failure);
    memset(failure.text, '"', sizeof(failure.text) - 1);
    failure.text[sizeof(failure.text) - 1] = '\0';
    AUTO_FREE char *quoted = record_error_line("pl-build", &failure);
    const char *const lines[] = {wide, quoted};
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        struct record record;
        assert_true(strlen(lines[i]) <= RECORD_LIMIT);
        assert_int_equal(record_parse(lines[i], strlen(lines[i]) - 1, &record, &error), 0);
        assert_true(strlen(record_text(&record, "message")) > 700);
        record_release(&record);
    }
}

static void a_record_that_is_too_long_is_not_written(void **state) {
    (void)state;
    char longer[RECORD_LIMIT];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    struct record_list out = {0};
    struct record record = record_new(RECORD_CONTAINER, CONTAINER);
    json_set_text(record.json, "name", longer);
    record_list_add(&out, record);
    assert_int_equal(record_write_all(STDOUT_FILENO, &out, &error), -1);
    assert_int_equal(error.kind, ERROR_INTERNAL);
    record_list_release(&out);
}

/* Whatever is damaged: refused or taken, and what is taken reads the same when it was written again. */
static void damaged_lines_never_do_harm(void **state) {
    (void)state;
    static const char line[] =
        "{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"digest\":\"sha256:" HEX
        "\",\"name\":\"b\\u00e9\",\"set\":\"a\",\"seq\":1,\"of\":1,\"from\":[\"x\",{\"y\":null}]}";
    static const char bytes[] = "{}[]\",:\\0199ae\n\r\0\xff\xc3 -.";
    uint64_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        char copy[sizeof(line)];
        memcpy(copy, line, sizeof(line));
        size_t length = sizeof(line) - 1;
        for (int changes = i % 4; changes >= 0; changes--) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            copy[(seed >> 33) % length] = bytes[(seed >> 20) % sizeof(bytes)];
        }
        if (i % 5 == 0)
            length = (seed >> 40) % length;
        struct record record, again;
        if (record_parse(copy, length, &record, &error) < 0)
            continue;
        AUTO_FREE char *text = json_format(record.json, JSON_COMPACT_STYLE);
        assert_int_equal(record_parse(text, strlen(text), &again, &error), 0);
        assert_true(json_same(record.json, again.json));
        record_release(&record);
        record_release(&again);
    }
}

static void the_version_is_first_whatever_order_it_came_in(void **state) {
    (void)state;
    static const char line[] = "{\"ref\":\"" CONTAINER "\",\"type\":\"container\",\"pl\":1}";
    struct record record;
    assert_int_equal(record_parse(line, strlen(line), &record, &error), 0);
    AUTO_FREE char *text = json_format(record.json, JSON_COMPACT_STYLE);
    assert_true(text_starts_with(text, "{\"pl\":1,\"ref\""));
    record_release(&record);
}

static void operands_are_checked_like_input(void **state) {
    (void)state;
    char *const good[] = {(char *)IMAGE}, *const wrong[] = {(char *)CONTAINER};
    assert_int_equal(record_read_operands(good, 1, RECORD_IMAGE, &list, &error), 0);
    assert_int_equal(list.count, 1);
    record_list_release(&list);
    assert_int_equal(record_read_operands(wrong, 1, RECORD_IMAGE, &list, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_survives_the_pipe),
        cmocka_unit_test(bare_refs_are_typed_by_their_form),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(a_newer_major_is_refused_naming_both),
        cmocka_unit_test(length_and_count_are_limited),
        cmocka_unit_test(an_incomplete_set_is_refused),
        cmocka_unit_test(a_wrong_type_is_answered_with_the_missing_tool),
        cmocka_unit_test(an_upstream_failure_is_the_cause_and_keeps_its_code),
        cmocka_unit_test(an_error_record_always_fits_one_line),
        cmocka_unit_test(a_record_that_is_too_long_is_not_written),
        cmocka_unit_test(damaged_lines_never_do_harm),
        cmocka_unit_test(the_version_is_first_whatever_order_it_came_in),
        cmocka_unit_test(operands_are_checked_like_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
