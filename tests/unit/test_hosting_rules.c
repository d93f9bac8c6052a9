/* local/hosting: redirects with captures, patterns from the root, times. */
#include "local/hosting/pattern.h"
#include "local/hosting/redirect.h"
#include "local/timestamp.h"

#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void apply(const char *glob, const char *regex, const char *location, const char *path, const char *wanted) {
    struct error error = {0};
    struct captures *captures = captures_compile(glob, regex, location, &error);
    assert_non_null(captures);
    bool matched;
    AUTO_FREE char *got = captures_apply(captures, path, &matched);
    captures_release(&captures);
    if (!text_equal(got, wanted))
        fail_msg("%s -> %s of %s: %s, not %s", glob ? glob : regex, location, path, got ? got : "nothing",
                 wanted ? wanted : "nothing");
}

static void locations_take_up_what_was_captured(void **state) {
    (void)state;
    static const struct {
        const char *glob, *location, *path, *wanted;
    } cases[] = {
        {"/a/:x", "/b/:x", "/a/1", "/b/1"},     {"/a/:x", "/b/:x", "/A/Q/", "/b/Q"},
        {"/a/:x", "/b/:x", "/a/1/2", NULL},     {"/a/:x*", "/b/:x*", "/a/1/2", "/b/1/2"},
        {"/a/:x*", "/b/:x", "/a", "/b"},        {"/a/:x+", "/b/:x", "/a", NULL},
        {"/a/:x?", "/b/:x?/c", "/a", "/b/c"},   {"/a/:x(\\d+)", "/b/:x", "/a/12", "/b/12"},
        {"/a/:x(\\d+)", "/b/:x", "/a/z", NULL}, {"/a/:x(", "/b/:x", "/a/z(", "/b/z"},
        {"/a/:x", "/b/:y", "/a/1", NULL},       {"/a/:x", "https://h:8080/:x", "/a/1", "https://h:8080/1"},
        {"/:x.html", "/:x", "/a.html", "/a"},   {"/a.b/:x", "/:x", "/aXb/1", NULL},
        {"/(en|de)/:x", "/:x", "/de/1", "/1"},  {"/a/:x/*", "/b/:x", "/a/1/2/3", "/b/1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        apply(cases[i].glob, NULL, cases[i].location, cases[i].path, cases[i].wanted);
    apply(NULL, "^/(\\d+)/(?P<rest>.*)$", "/:rest/:1", "/7/a/b", "/a/b/7");
    apply(NULL, "^/(\\d+)", "/:2", "/7", NULL);
}

static void what_takes_nothing_up_needs_no_captures(void **state) {
    (void)state;
    struct error error = {.kind = ERROR_DATA};
    assert_null(captures_compile("/a/:x", NULL, "https://h:8080/b", &error));
    assert_int_equal(error.kind, ERROR_NONE);
    assert_null(captures_compile("/a/:x([)", NULL, "/:x", &error));
    assert_int_equal(error.kind, ERROR_DATA);
}

static void locations_are_encoded_once(void **state) {
    (void)state;
    AUTO_FREE char *encoded = location_encode("/a b/\xc3\xbc%20%zz?x=1&y#z");
    assert_string_equal(encoded, "/a%20b/%C3%BC%20%25zz?x=1&y#z");
    AUTO_FREE char *split = location_encode("/a\r\nSet-Cookie: x");
    assert_string_equal(split, "/a%0D%0ASet-Cookie:%20x");
}

static void patterns_begin_at_the_root(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"a", "/a"},       {"/a//b", "/a/b"}, {"!a", "!/a"},        {"", "/"},
                                           {"/a/../b", "/b"}, {"../../a", "/a"}, {"/a/./b/", "/a/b/"}, {"**", "/**"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *rooted = pattern_root(cases[i][0]);
        assert_string_equal(rooted, cases[i][1]);
    }
}

static void times_are_googles(void **state) {
    (void)state;
    int64_t time = 0;
    assert_string_equal(timestamp_format(INT64_C(1769904000123456)).text, "2026-02-01T00:00:00.123456Z");
    assert_true(timestamp_parse("2026-02-01T00:00:00.123456Z", &time));
    assert_true(time == INT64_C(1769904000123456));
    assert_true(timestamp_parse("2026-02-01T02:00:00+02:00", &time));
    assert_true(time == INT64_C(1769904000000000));
    static const char *const wrong[] = {"",
                                        "today",
                                        "2026-02-01",
                                        "2026-02-01T00:00:00",
                                        "2026-02-01T00:00:00.Z",
                                        "1960-01-01T00:00:00Z",
                                        "2026-02-01T00:00:00+2",
                                        "2026-02-01T00:00:00Zx"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(timestamp_parse(wrong[i], &time));
    assert_true(duration_parse("1.5s", &time));
    assert_true(time == 1500000);
    static const char *const no_duration[] = {"", "s", "1", "-1s", "1m", "1.s", "999999999999999s", " 1s"};
    for (size_t i = 0; i < ARRAY_LENGTH(no_duration); i++)
        assert_false(duration_parse(no_duration[i], &time));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations_take_up_what_was_captured),
        cmocka_unit_test(what_takes_nothing_up_needs_no_captures),
        cmocka_unit_test(locations_are_encoded_once),
        cmocka_unit_test(patterns_begin_at_the_root),
        cmocka_unit_test(times_are_googles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
