/* common/yaml: what is read as what, and what is refused by name. */
#include "common/base/text.h"
#include "common/yaml/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void is_read_as(const char *text, const char *wanted) {
    struct error error = {0};
    AUTO_JSON struct json *value = yaml_parse(text, strlen(text), "service.yaml", &error);
    if (!value)
        fail_msg("%s", error.text);
    AUTO_FREE char *found = json_format(value, JSON_COMPACT_STYLE);
    assert_string_equal(found, wanted);
}

static void is_refused(const char *text, size_t length, const char *why) {
    struct error error = {0};
    AUTO_JSON struct json *value = yaml_parse(text, length, "service.yaml", &error);
    assert_null(value);
    assert_int_equal(error.kind, ERROR_DATA);
    if (!strstr(error.text, why))
        fail_msg("\"%s\" is not in: %s", why, error.text);
    assert_null(yaml_parse(text, length, "service.yaml", NULL));
}

static void test_scalars(void **state) {
    (void)state;
    is_read_as("[1, -2, +3, 0x1F, 0o17, 0444, 0, 1.5, 1e3]", "[1,-2,3,31,15,292,0,1.5,1000.0]");
    is_read_as("[true, False, TRUE, yes, no, on, off]", "[true,false,true,\"yes\",\"no\",\"on\",\"off\"]");
    is_read_as("[null, ~, Null, '', \"\", ]", "[null,null,null,\"\",\"\"]");
    is_read_as("['1', \"true\", '~', 1_000, 12:30, 2026-11-24, 1.2.3, 0x, 08, 0b1, -, .]",
               "[\"1\",\"true\",\"~\",\"1_000\",\"12:30\",\"2026-11-24\",\"1.2.3\",\"0x\",\"08\",\"0b1\",\"-\",\".\"]");
    is_read_as("[9223372036854775807, 9223372036854775808]", "[9223372036854775807,\"9223372036854775808\"]");
    is_read_as("a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}");
}

static void test_collections(void **state) {
    (void)state;
    is_read_as("a:\n- b: 1\n  c: {d: [2]}\n- null\n", "{\"a\":[{\"b\":1,\"c\":{\"d\":[2]}},null]}");
    is_read_as("base: &base {a: 1}\nother: *base\n", "{\"base\":{\"a\":1},\"other\":{\"a\":1}}");
    is_read_as("# nothing but a comment\n", "null");
    is_read_as("{\"json\": [\"is YAML\"]}", "{\"json\":[\"is YAML\"]}");
}

static void test_what_is_refused(void **state) {
    (void)state;
#define REFUSED(text, why) is_refused(text, sizeof(text) - 1, why)
    REFUSED("a: 1\n---\nb: 2\n", "more than one YAML document");
    REFUSED("a: 1\na: 2\n", "service.yaml, line 2, column 1: a key that was there before");
    REFUSED("[a]: 1\n", "a key that is no text");
    REFUSED("a: &x {b: 1}\nc:\n  <<: *x\n", "a merge key");
    REFUSED("a: !!python/object:os.system b\n", "a tag");
    REFUSED("a: !own [1]\n", "a tag");
    REFUSED("a: !own {b: 1}\n", "a tag");
    REFUSED("a: [1\n", "service.yaml, line");
    REFUSED("a: b: c\n", "mapping values are not allowed");
    REFUSED("a: \xff\n", "service.yaml, line");
    REFUSED("a: \"\\0\"\n", "a NUL byte");
    REFUSED("? \"\\0\"\n: 1\n", "a key that is no text");
    REFUSED("a: *nothing\n", "undefined alias");
    REFUSED("a: &a [*a]\n", "too deep");
    AUTO_BUFFER struct buffer bomb = BUFFER(1 << 16);
    buffer_append_text(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++)
        buffer_append_format(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
                             i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    is_refused(buffer_text(&bomb), bomb.length, "too many values");
    AUTO_BUFFER struct buffer deep = BUFFER(1 << 16);
    for (int i = 0; i < 5000; i++)
        buffer_append_byte(&deep, '[');
    is_refused(buffer_text(&deep), deep.length, "service.yaml, line");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_collections),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
