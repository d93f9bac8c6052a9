/* common/regex: what RE2 takes and what it refuses, matches, groups, and that no match takes long. */
#include "common/regex/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool is_taken(const char *pattern) {
    struct error error = {0};
    AUTO_REGEX struct regex *regex = regex_compile(pattern, REGEX_RE2, &error);
    assert_int_equal(regex ? ERROR_NONE : ERROR_DATA, error.kind);
    return regex != NULL;
}

static bool matches(const char *pattern, const char *text) {
    struct error error = {0};
    AUTO_REGEX struct regex *regex = regex_compile(pattern, REGEX_RE2, &error);
    if (!regex)
        fail_msg("%s: %s", pattern, error.text);
    return regex_matches(regex, text);
}

static void what_re2_knows_is_taken(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "",
        "a|b",
        "(a)(?:b)",
        "(?P<name>a)",
        "(?<name>a)",
        "(?i)a",
        "(?i:a)b",
        "(?s-m)a",
        "(?U)a+",
        "a*?b+?c??",
        "a{2}b{2,}c{2,3}?",
        "a{,2}",
        "a{",
        "a{b}",
        "[a-z]",
        "[^]a]",
        "[]a]",
        "[[:alpha:]]",
        "[\\d\\-x]",
        "[(*+?]",
        "\\d\\D\\s\\S\\w\\W\\b\\B",
        "\\pL\\p{Lu}\\P{Greek}",
        "\\x41\\x{263A}",
        "\\101\\0",
        "\\Q(?=a)*+\\E",
        "\\.\\*\\[\\/",
        "\\A.\\z",
        "^$",
        "\\t\\n\\r\\f\\v\\a",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++)
        if (!is_taken(patterns[i]))
            fail_msg("refused: %s", patterns[i]);
}

static void what_only_pcre_knows_is_refused(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "(?=a)",   "(?!a)",      "(?<=a)", "(?<!a)",  "(?>a)", "(?|a|b)",   "(?#x)a", "(?R)",    "(?1)",
        "(?&n)",   "(?P=n)",     "(?P>n)", "(?'n'a)", "(?x)a", "(?(1)a|b)", "(a)\\1", "\\8",     "\\k<n>",
        "\\g1",    "\\Ka",       "\\Ra",   "\\h",     "\\N",   "\\X",       "\\Z",    "\\G",     "\\Ca",
        "a++",     "a*+",        "a?+",    "a**",     "a+*",   "a{2}{3}",   "a{2}+",  "a{1001}", "a{1,1001}",
        "(*UTF)a", "(*ACCEPT)",  "(a",     "a)",      "[a",    "*a",        "\\",     "[b-a]",   "[\\b]",
        "(?P<>a)", "(?P<a-b>a)", "(?P<n",  "(?",      "(?-)",  "\\_",       "\\y",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++)
        if (is_taken(patterns[i]))
            fail_msg("taken: %s", patterns[i]);
    AUTO_FREE char *large = memory_allocate(REGEX_LENGTH + 2, 1);
    memset(large, 'a', REGEX_LENGTH + 1);
    assert_false(is_taken(large));
    AUTO_FREE char *groups = memory_allocate(2 * (REGEX_GROUPS + 1) + 1, 1);
    for (size_t i = 0; i <= REGEX_GROUPS; i++)
        memcpy(groups + 2 * i, "()", 2);
    assert_false(is_taken(groups));
}

static void matches_are_re2s(void **state) {
    (void)state;
    assert_true(matches("oo", "/foo"));
    assert_false(matches("^oo", "/foo"));
    assert_false(matches("a$", "a\n"));
    assert_false(matches("a.b", "a\nb"));
    assert_true(matches("(?s)a.b", "a\nb"));
    assert_true(matches("^.$", "\xc3\xbc"));
    assert_false(matches("^\\w$", "\xc3\xbc"));
    assert_true(matches("(?i)^\xc3\x9c$", "\xc3\xbc"));
    assert_false(matches(".", "\xff"));
    assert_true(matches("\\Q(?=a)\\E", "x(?=a)y"));
    assert_true(matches("^a{,2}$", "a{,2}"));
    assert_false(matches("A", "a"));
}

static void groups_are_found(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_REGEX struct regex *regex = regex_compile("^/(?P<year>\\d+)(/x)?/(.*)$", REGEX_RE2, &error);
    assert_non_null(regex);
    AUTO(regex_groups_release) struct regex_groups groups = {0};
    assert_true(regex_find(regex, "/2026/a/b", &groups));
    assert_int_equal(groups.count, 4);
    assert_string_equal(groups.items[0], "/2026/a/b");
    assert_string_equal(groups.items[1], "2026");
    assert_null(groups.items[2]);
    assert_string_equal(groups.items[3], "a/b");
    assert_int_equal(regex_group_number(regex, "year"), 1);
    assert_int_equal(regex_group_number(regex, "month"), -1);
    struct regex_groups none;
    assert_false(regex_find(regex, "/x", &none));
    assert_int_equal(none.count, 0);
}

/* Each of these would take a matcher that tries everything longer than anybody waits: here they do not match. */
static void no_match_takes_long(void **state) {
    (void)state;
    char text[4001];
    memset(text, 'a', 4000);
    text[4000] = '\0';
    assert_false(matches("(a+)+$b", text));
    assert_false(matches("^(a|aa)+$b", text));
    assert_false(matches("(a*)*b", text));
    assert_false(matches("^(([a-z])+.)+[A-Z]([a-z])+$", text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_re2_knows_is_taken), cmocka_unit_test(what_only_pcre_knows_is_refused),
        cmocka_unit_test(matches_are_re2s),        cmocka_unit_test(groups_are_found),
        cmocka_unit_test(no_match_takes_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
