/* common/base: errors, text, buffers. */
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void error_keeps_kind_and_gains_context(void **state) {
    (void)state;
    struct error error = {0};
    assert_int_equal(error_set_errno(&error, ENOSPC, "cannot write %s", "x"), -1);
    assert_int_equal(error.kind, ERROR_CANNOT_WRITE);
    error_next(&error, "free some space");
    error_wrap(&error, "store");
    assert_string_equal(error.text, "store: cannot write x: No space left on device");
    assert_string_equal(error.next, "free some space");
    assert_int_equal(error_exit_code(&error), 73);
    error.exit_code = 99;
    assert_int_equal(error_exit_code(&error), 99);
}

static void error_text_is_cut_not_overrun(void **state) {
    (void)state;
    struct error error = {0};
    char longer[4000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    error_set(&error, ERROR_DATA, "%s", longer);
    error_wrap(&error, "%s", longer);
    assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

static void numbers_are_strict(void **state) {
    (void)state;
    uint64_t value = 7;
    assert_true(text_to_u64("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "18446744073709551616", "1x", "0x1"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(text_to_u64(wrong[i], UINT64_MAX, &value));
    assert_false(text_to_u64("11", 10, &value));
}

static void scrub_replaces_what_a_terminal_obeys(void **state) {
    (void)state;
    static const char hostile[] = "a\x1b[31mb\nc\x9b"
                                  "d\xE2\x80\xAE"
                                  "e\xC3\xA9\x7f";
    AUTO_FREE char *clean = text_scrub(hostile, sizeof(hostile) - 1, false);
    assert_string_equal(clean, "a?[31mb c?d?e\xC3\xA9?");
}

static void buffer_stops_at_its_limit(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer buffer = BUFFER(8);
    struct error error = {0};
    buffer_append_text(&buffer, "12345678");
    assert_int_equal(buffer_check(&buffer, "it", &error), 0);
    buffer_append_byte(&buffer, '9');
    assert_int_equal(buffer_check(&buffer, "it", &error), -1);
    assert_string_equal(buffer_text(&buffer), "12345678");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_keeps_kind_and_gains_context),
        cmocka_unit_test(error_text_is_cut_not_overrun),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(scrub_replaces_what_a_terminal_obeys),
        cmocka_unit_test(buffer_stops_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
