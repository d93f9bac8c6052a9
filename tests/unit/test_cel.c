/* CEL as attribute mappings and conditions use it: what it gives, and what is refused by name. */
#include "local/cel/cel.h"

#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char claims[] =
    "{\"assertion\":{\"sub\":\"repo:shop/backend:ref:refs/heads/main\",\"repository\":\"shop/backend\",\"ref\":"
    "\"refs/heads/main\",\"groups\":[\"dev\",\"ops\"],\"number\":3,\"yes\":true,\"a:b\":\"colon\",\"empty\":\"\"},"
    "\"google\":{\"subject\":\"x\"},\"attribute\":{}}";

/* The value as compact JSON, or "error: …"; the caller frees. */
static char *value_of(const char *text) {
    struct error error = {0};
    AUTO_JSON struct json *variables = json_parse(claims, strlen(claims), "claims", NULL);
    AUTO_CEL struct cel *expression = cel_compile(text, &error);
    AUTO_JSON struct json *value = expression ? cel_evaluate(expression, variables, &error) : NULL;
    return value ? json_format(value, JSON_COMPACT_STYLE) : text_format("error: %s", error.text);
}

static void test_values(void **state) {
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"assertion.sub", "\"repo:shop/backend:ref:refs/heads/main\""},
        {"assertion['a:b']", "\"colon\""},
        {"assertion.repository == 'shop/backend'", "true"},
        {"assertion.repository != \"shop/backend\"", "false"},
        {"assertion.repository.startsWith('shop/') && assertion.ref == 'refs/heads/main'", "true"},
        {"assertion.ref in ['refs/heads/main', 'refs/heads/next']", "true"},
        {"'ops' in assertion.groups && !('root' in assertion.groups)", "true"},
        {"'sub' in assertion", "true"},
        {"has(assertion.environment) ? assertion.environment : 'none'", "\"none\""},
        {"has(assertion.ref) && !has(assertion.nothing)", "true"},
        {"assertion.sub.extract('repo:{name}:ref')", "\"shop/backend\""},
        {"assertion.sub.extract('ref:{rest}')", "\"refs/heads/main\""},
        {"assertion.sub.extract('branch:{rest}/')", "\"\""},
        {"'a::b' + '/' + assertion.repository", "\"a::b/shop/backend\""},
        {"assertion.repository.matches('^shop/[a-z]+$')", "true"},
        {"matches(assertion.repository, 'front')", "false"},
        {"assertion.repository.split('/')[0]", "\"shop\""},
        {"assertion.groups.join('+').upperAscii()", "\"DEV+OPS\""},
        {"'ABC'.lowerAscii().contains('bc')", "true"},
        {"'ref'.endsWith('f')", "true"},
        {"size(assertion.groups) == 2 && assertion.groups.size() == 2 && size('\xc3\xa4') == 1", "true"},
        {"string(assertion.number) + string(assertion.yes)", "\"3true\""},
        {"assertion.number + 1 >= 4 && 1 < 2 && 'a' <= 'a' && 2 > 1", "true"},
        {"false || true && false", "false"},
        {"r'a\\d' == 'a\\\\d'", "true"},
        {"assertion.empty == '' && null == null", "true"},
        /* What decides makes a missing claim on the other side irrelevant. */
        {"assertion.nothing == 'x' || true", "true"},
        {"true || assertion.nothing == 'x'", "true"},
        {"assertion.nothing == 'x' && false", "false"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *value = value_of(cases[i].text);
        if (!text_equal(value, cases[i].value))
            fail_msg("%s\n  got:  %s\n  want: %s", cases[i].text, value, cases[i].value);
    }
}

static void test_refused(void **state) {
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "ends too early"},
        {"assertion.", "a name must follow the dot"},
        {"assertion.sub ==", "ends too early"},
        {"assertion.sub = 'x'", "not understood here: \"=\""},
        {"request.time", "assertion, google and attribute only: \"request\""},
        {"assertion.groups.exists(g, g == 'x')", "does not know the function: \"exists\""},
        {"timestamp('2026-01-01T00:00:00Z')", "does not know the function: \"timestamp\""},
        {"startsWith('a', 'b')", "does not know the function: \"startsWith\""},
        {"'a'.startsWith()", "another number of arguments"},
        {"has(assertion)", "has() takes a member"},
        {"'open", "a text has no end"},
        {"'''three'''", "three quotes"},
        {"1.5 == 1", "only integers"},
        {"99999999999999999999 == 1", "only integers"},
        {"(assertion.sub", "ends too early"},
        {"[1, 2", "ends too early"},
        {"assertion.nothing", "there is no \"nothing\""},
        {"assertion.nothing == 'x'", "there is no \"nothing\""},
        {"assertion.groups[7]", "outside of its list"},
        {"assertion.number.startsWith('3')", "startsWith() has operands of other types"},
        {"assertion.sub && true", "not true or false"},
        {"assertion.number < 'x'", "< has operands of other types"},
        {"assertion.sub.matches('(')", ""},
        {"'a'.extract('x')", "one {name}"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *value = value_of(cases[i].text);
        if (!text_starts_with(value, "error: ") || !strstr(value, cases[i].part))
            fail_msg("%s\n  got:  %s\n  want: %s", cases[i].text, value, cases[i].part);
    }
}

static char *repeated(const char *part, size_t count, const char *middle, const char *after) {
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&text, part);
    buffer_append_text(&text, middle);
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&text, after);
    return buffer_take(&text);
}

static void test_limits(void **state) {
    static const struct {
        const char *before, *middle, *after;
        size_t count;
    } cases[] = {
        {"(", "true", ")", 1000},      {"!", "true", "", 1000},       {"[", "", "]", 1000},
        {"true ? ", "1", " : 2", 300}, {"true && ", "true", "", 400}, {"'aaaaaaaaaa' + ", "'b'", "", 5000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *text = repeated(cases[i].before, cases[i].count, cases[i].middle, cases[i].after);
        AUTO_FREE char *value = value_of(text);
        if (!text_starts_with(value, "error: "))
            fail_msg("taken: %.40s…", text);
    }
}

static void test_variables(void **state) {
    AUTO_CEL struct cel *constant = cel_compile("1 == 1 || 'a' in ['a']", NULL);
    AUTO_CEL struct cel *variable = cel_compile("1 == 1 || has(assertion.sub)", NULL);
    (void)state;
    assert_false(cel_uses_variables(constant));
    assert_true(cel_uses_variables(variable));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
