/* common/glob: what each pattern accepts, as minimatch decides it, and that no pattern takes long. */
#include "common/base/text.h"
#include "common/glob/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool accepts(const char *pattern, unsigned flags, const char *path) {
    struct error error = {0};
    AUTO_GLOB struct glob *glob = glob_new(pattern, flags, &error);
    assert_non_null(glob);
    return glob_accepts(glob, path);
}

struct example {
    const char *pattern, *yes, *no; /* paths separated by spaces */
};

static void check(const struct example *example, unsigned flags) {
    for (int wanted = 1; wanted >= 0; wanted--) {
        AUTO_LIST struct text_list paths = {0};
        text_list_split(&paths, wanted ? example->yes : example->no, ' ');
        for (size_t i = 0; i < paths.count; i++)
            if (*paths.items[i] && accepts(example->pattern, flags, paths.items[i]) != wanted)
                fail_msg("\"%s\" %s \"%s\"", example->pattern, wanted ? "refuses" : "accepts", paths.items[i]);
    }
}

static void patterns_accept_what_minimatch_accepts(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"a", "a", "b aa a/a"},
        {"*", "a .a abc", "a/b"},
        {"*.js", "a.js .js", "a.jsx b/a.js js"},
        {"a?c",
         "abc a.c a\xc3\xa9"
         "c",
         "ac abbc"},
        {"**", "a a/b .a/.b/c", ""},
        {"**/*.js", "a.js x/a.js x/y/.z/a.js", "a.css"},
        {"**/.*", ".a x/.a x/y/.a .well-known", ".well-known/a x/.y/a"},
        {"**/node_modules/**", "node_modules/a x/node_modules/a/b", "node_modules x/node_modulesy/a"},
        {"a/**", "a/b a/b/c a/", "a b/a"},
        {"a/**/b", "a/b a/x/b a/x/y/b", "a/x a/xb"},
        {"**/a/**/b", "a/b x/a/y/a/z/b", "a b x/b"},
        {".firebase/*", ".firebase/a", ".firebase/a/b x/.firebase/a"},
        {"**/firebase-debug.*.log", "firebase-debug.1.log x/firebase-debug.a.log", "firebase-debug.log"},
        {"{a,b}.js", "a.js b.js", "c.js {a,b}.js"},
        {"{a,b{1..3},{x,y}}", "a b1 b3 x y", "b4 b"},
        {"{05..1..2}", "05 03 01", "5 04"},
        {"{c..a}", "a b c", "d"},
        {"{a}{,b}", "{a} {a}b", "a"},
        {"\\{a,b\\}", "{a,b}", "a"},
        {"@(a|b|.c)", "a b .c", "ab c"},
        {"*.@(jpg|jpeg|gif)", "a.jpg b.jpeg", "a.png jpg"},
        {"!(a|b)", "c ab .a", "a b"},
        {"!(*.js)", "a.css a", "a.js"},
        {"+(ab|c)", "ab ababc c", "a abd"},
        {"*(a)b", "b ab aab", "a"},
        {"?(a)b", "b ab", "aab"},
        {"@(+(a|b)c|d)", "abac ac d", "ab c"},
        {"[a-c]x", "ax cx", "dx a-x"},
        {"[!a-c]x", "dx", "ax"},
        {"[^a]", "b", "a"},
        {"[]a]", "] a", "b"},
        {"[[:digit:][:upper:]_]", "1 A _", "a"},
        {"*.[0-9a-f][0-9a-f].+(css|js)", "main.0f.js x.a9.css", "main.0g.js main.0f.map"},
        {"[a", "[a", "a"},
        {"+(a", "+(a", "a aa"},
        {"\\*", "*", "a"},
        {"a//b", "a/b", "a"},
        {"./a", "a", "b"},
        {"a/", "a/", "a"},
        {"/a", "/a", "a"},
        {"#a", "#a", "a"},
        {"!a", "!a", "b"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
        check(&examples[i], GLOB_DOT);
}

static void without_the_flag_a_dot_must_be_written(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"*", "a", ".a"},    {"?a", "aa", ".a"},        {"**", "a a/b", ".a a/.b .a/b"},
        {".*", ".a", "a"},   {"**/b", "a/b b", ".a/b"}, {"@(.a|b)", ".a b", ""},
        {"!(x)", "a", ".a"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
        check(&examples[i], 0);
}

static void what_is_too_large_is_refused(void **state) {
    (void)state;
    struct error error = {0};
    assert_null(glob_new("{1..100000}", 0, &error));
    assert_int_equal(error.kind, ERROR_DATA);
    assert_null(glob_new("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", 0, &error));
    AUTO_FREE char *braces = memory_allocate(GLOB_LENGTH_LIMIT + 2, 1);
    memset(braces, '{', GLOB_LENGTH_LIMIT + 1);
    assert_null(glob_new(braces, 0, &error));
    memset(braces, '(', GLOB_LENGTH_LIMIT - 1);
    braces[0] = '+';
    braces[GLOB_LENGTH_LIMIT - 1] = '\0';
    assert_false(accepts(braces, 0, "a"));
}

/* Each of these takes a backtracking matcher longer than the age of the earth. */
static void no_pattern_takes_long(void **state) {
    (void)state;
    char text[301];
    memset(text, 'a', 300);
    text[300] = '\0';
    assert_false(accepts("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", 0, text));
    assert_false(accepts("+(a|aa|a*)+(a|aa|a*)+(a|aa|a*)b", 0, text));
    assert_false(accepts("*(*(*(*(a))))b", 0, text));
    AUTO_FREE char *deep = memory_allocate(2000, 1);
    for (size_t i = 0; i < 900; i++)
        memcpy(deep + 2 * i, "a/", 2);
    assert_false(accepts("**/a/**/a/**/a/**/a/**/a/**/a/**/b", 0, deep));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_accept_what_minimatch_accepts),
        cmocka_unit_test(without_the_flag_a_dot_must_be_written),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(no_pattern_takes_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
