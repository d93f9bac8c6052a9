/* engine/ignore: Docker's rules for .dockerignore. */
#include "common/base/text.h"
#include "engine/ignore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void glob_follows_dockers_rules(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "a/b", false},
        {"*", "a", true},
        {"*", "a/b", false},
        {"*.pyc", "x.pyc", true},
        {"*.pyc", "d/x.pyc", false},
        {"**/*.pyc", "x.pyc", true},
        {"**/*.pyc", "a/b/x.pyc", true},
        {"**", "a/b/c", true},
        {"a/**", "a/b/c", true},
        {"a/**/d", "a/d", true},
        {"a/**/d", "a/b/c/d", true},
        {"a/**/d", "a/b/c/e", false},
        {"**/b/**/d", "b/b/c/d", true},
        {"a?c", "abc", true},
        {"a?c", "a/c", false},
        {"[a-c]x", "bx", true},
        {"[^a-c]x", "bx", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"*a*b", "xaxxb", true},
        {"*a*b", "xaxxc", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (glob_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("%s against %s", cases[i].pattern, cases[i].path);
}

static void last_match_decides_and_covers_what_is_below(void **state) {
    (void)state;
    AUTO_IGNORE struct ignore *ignore = ignore_new();
    struct error error = {0};
    static const char *const lines[] = {"# comment", "/docs/", "!docs/README.md", "*.log", "", "./x//y"};
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
        assert_int_equal(ignore_add(ignore, lines[i], &error), 0);
    bool descend = false;
    assert_true(ignore_matches(ignore, "docs", &descend));
    assert_true(descend);
    assert_true(ignore_matches(ignore, "docs/a/b.md", NULL));
    assert_false(ignore_matches(ignore, "docs/README.md", NULL));
    assert_true(ignore_matches(ignore, "a.log", NULL));
    assert_false(ignore_matches(ignore, "d/a.log", NULL));
    assert_true(ignore_matches(ignore, "x/y", NULL));
}

static void malformed_patterns_are_refused(void **state) {
    (void)state;
    AUTO_IGNORE struct ignore *ignore = ignore_new();
    struct error error = {0};
    assert_int_equal(ignore_add(ignore, "[", &error), -1);
    assert_int_equal(ignore_add(ignore, "a\\", &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
}

static void exponential_pattern_stays_fast(void **state) {
    (void)state;
    char path[200];
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    clock_t begin = clock();
    for (int i = 0; i < 10000; i++)
        assert_false(glob_matches("**/*a*a*a*a*a*a*a*a*b", path));
    assert_true(clock() - begin < CLOCKS_PER_SEC * 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glob_follows_dockers_rules),
        cmocka_unit_test(last_match_decides_and_covers_what_is_below),
        cmocka_unit_test(malformed_patterns_are_refused),
        cmocka_unit_test(exponential_pattern_stays_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
