/* common/xml: what is read, and what is refused by name. */
#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/xml/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int write_open(void *context, const char *name, const char *const *attributes, struct error *error) {
    struct buffer *out = context;
    if (text_equal(name, "forbidden"))
        return error_set(error, ERROR_DATA, "it is forbidden");
    buffer_append_format(out, "<%s", name);
    for (size_t i = 0; attributes[i]; i += 2)
        buffer_append_format(out, " %s=%s", attributes[i], attributes[i + 1]);
    buffer_append_text(out, ">");
    return 0;
}

static int write_close(void *context, const char *name, struct error *error) {
    (void)error;
    buffer_append_format(context, "</%s>", name);
    return 0;
}

static void write_text(void *context, const char *text, size_t length) {
    buffer_append(context, text, length);
}

/* Reads a document in pieces of `step` bytes; 0 when it was accepted. */
static int read_in_pieces(const char *text, size_t length, size_t step, uint64_t limit, struct buffer *out,
                          struct error *error) {
    struct xml_handler handler = {.context = out, .open = write_open, .close = write_close, .text = write_text};
    AUTO_XML struct xml_reader *reader = xml_reader_new("it.xml", limit, &handler);
    for (size_t at = 0; at < length; at += step)
        if (xml_feed(reader, text + at, length - at < step ? length - at : step, error) < 0)
            return -1;
    return xml_finish(reader, error);
}

static void is_read_as(const char *text, const char *wanted) {
    for (size_t step = 1; step < 100; step += 7) {
        AUTO_BUFFER struct buffer out = BUFFER(1 << 20);
        struct error error = {0};
        if (read_in_pieces(text, strlen(text), step, 1 << 20, &out, &error) < 0)
            fail_msg("%s", error.text);
        assert_string_equal(buffer_text(&out), wanted);
    }
}

static void is_refused(const char *text, size_t length, const char *why) {
    AUTO_BUFFER struct buffer out = BUFFER(64 << 20);
    struct error error = {0};
    assert_int_equal(read_in_pieces(text, length, 64 * 1024, 8 << 20, &out, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    if (!strstr(error.text, why))
        fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

static void elements_attributes_and_text(void **state) {
    (void)state;
    is_read_as(
        "<?xml version='1.0' encoding='utf-8'?><a x='1' y=\"&lt;2&#10;\">t&amp;\xC3\xA9<b/><![CDATA[<c>]]></a>\n",
        "<a x=1 y=<2\n>t&\xC3\xA9<b></b><c></a>");
    is_read_as("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>", "<a>\xC3\xA9</a>");
}

static void attributes_are_found_by_name(void **state) {
    (void)state;
    const char *const attributes[] = {"name", "value", "value", "other", NULL};
    assert_string_equal(xml_attribute(attributes, "value"), "other");
    assert_null(xml_attribute(attributes, "absent"));
}

static void nothing_can_be_expanded_or_fetched(void **state) {
    (void)state;
    static const char laughs[] = "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;'>"
                                 "<!ENTITY c '&b;&b;&b;&b;'>]><l>&c;</l>";
    static const char outside[] = "<!DOCTYPE l SYSTEM 'file:///etc/passwd'><l/>";
    static const char undeclared[] = "<l>&passwd;</l>";
    is_refused(laughs, strlen(laughs), "it.xml:1:34: a document type declaration is not accepted");
    is_refused(outside, strlen(outside), "document type");
    is_refused(undeclared, strlen(undeclared), "undefined entity");
}

static void what_is_not_well_formed_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "<a>",
                                        "<a></b>",
                                        "<a/><b/>",
                                        "<a x='1' x='2'/>",
                                        "<a b",
                                        "<a>\x1b</a>",
                                        "<a>\xFF</a>",
                                        "text",
                                        "<a>&#0;</a>",
                                        "<a>&",
                                        "<a b='<'/>",
                                        "<a>]]></a>\n",
                                        "<1/>",
                                        "<a><!-- -- --></a>",
                                        " <?xml version='1.0'?><a/>"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        is_refused(texts[i], strlen(texts[i]), "it.xml:1:");
    is_refused("<a>\n  <b></c></a>", strlen("<a>\n  <b></c></a>"), "it.xml:2:8: mismatched tag");
}

static void depth_is_limited(void **state) {
    (void)state;
    struct buffer text = BUFFER(1 << 20);
    for (int i = 0; i < XML_DEPTH_LIMIT + 1; i++)
        buffer_append_text(&text, "<a>");
    is_refused(buffer_text(&text), text.length, "nested too deep");
    buffer_release(&text);
}

static void a_tag_that_does_not_end_is_not_collected(void **state) {
    (void)state;
    size_t length = 4 << 20;
    char *text = memory_allocate(length, 1);
    memset(text, 'x', length);
    memcpy(text, "<a b='", 6);
    is_refused(text, length, "a tag or a comment is too long");
    memcpy(text, "<!-- x", 6);
    is_refused(text, length, "a tag or a comment is too long");
    free(text);
}

static void long_text_comes_in_pieces(void **state) {
    (void)state;
    size_t length = 4 << 20;
    char *text = memory_allocate(length, 1);
    memset(text, 'x', length);
    memcpy(text, "<a>", 3);
    memcpy(text + length - 4, "</a>", 4);
    AUTO_BUFFER struct buffer out = BUFFER(8 << 20);
    struct error error = {0};
    assert_int_equal(read_in_pieces(text, length, length, 8 << 20, &out, &error), 0);
    assert_int_equal(out.length, length);
    free(text);
}

static void a_document_over_its_limit_is_refused(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer out = BUFFER(1 << 20);
    struct error error = {0};
    assert_int_equal(read_in_pieces("<a>12345678</a>", 15, 1, 14, &out, &error), -1);
    assert_string_equal(error.text, "it.xml is larger than 14 bytes");
}

static void a_handler_ends_the_reading(void **state) {
    (void)state;
    AUTO_BUFFER struct buffer out = BUFFER(1 << 20);
    struct error error = {0};
    static const char text[] = "<a><forbidden/><b/></a>";
    assert_int_equal(read_in_pieces(text, strlen(text), 4096, 1 << 20, &out, &error), -1);
    assert_string_equal(error.text, "it is forbidden");
    assert_string_equal(buffer_text(&out), "<a>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_attributes_and_text),
        cmocka_unit_test(attributes_are_found_by_name),
        cmocka_unit_test(nothing_can_be_expanded_or_fetched),
        cmocka_unit_test(what_is_not_well_formed_is_refused_with_its_place),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_tag_that_does_not_end_is_not_collected),
        cmocka_unit_test(long_text_comes_in_pieces),
        cmocka_unit_test(a_document_over_its_limit_is_refused),
        cmocka_unit_test(a_handler_ends_the_reading),
    };
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
