#include "engine/report/junit.h"

#include "common/base/text.h"

#include <string.h>

/* text_scrub has taken out what XML cannot hold. */
static void append_escaped(struct buffer *out, const char *text) {
    AUTO_FREE char *clean = text_scrub(text, strlen(text), true);
    for (const char *at = clean; *at; at++)
        if (strchr("<>&\"\n\r\t", *at))
            buffer_append_format(out, "&#%d;", *at);
        else
            buffer_append_byte(out, *at);
}

static void append_attribute(struct buffer *out, const char *name, const char *value) {
    buffer_append_format(out, " %s=\"", name);
    append_escaped(out, value);
    buffer_append_byte(out, '"');
}

static void append_failure(struct buffer *out, const struct junit_failure *failure) {
    const char *element = failure->is_error ? "error" : "failure";
    buffer_append_text(out, "<testcase");
    append_attribute(out, "name", failure->name);
    if (failure->place.file) {
        append_attribute(out, "file", failure->place.file);
        buffer_append_format(out, " line=\"%u\"", failure->place.line - 1);
    }
    buffer_append_format(out, "><%s", element);
    append_attribute(out, "message", failure->message);
    buffer_append_text(out, ">");
    if (failure->place.file) {
        append_escaped(out, failure->place.file);
        buffer_append_format(out, ":%u: ", failure->place.line);
    }
    append_escaped(out, failure->message);
    buffer_append_format(out, "</%s></testcase>\n", element);
}

void junit_write(const struct junit *junit, const char *suite, struct buffer *out) {
    buffer_append_text(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites>\n<testsuite");
    append_attribute(out, "name", suite);
    buffer_append_format(out, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" skipped=\"%llu\">\n",
                         (unsigned long long)junit->tests, (unsigned long long)junit->failed,
                         (unsigned long long)junit->errors, (unsigned long long)junit->skipped);
    for (size_t i = 0; i < junit->failure_count; i++)
        append_failure(out, &junit->failures[i]);
    if (junit->failure_count == 0) {
        buffer_append_text(out, "<testcase");
        append_attribute(out, "name", suite);
        buffer_append_text(out, "/>\n");
    }
    buffer_append_text(out, "</testsuite>\n</testsuites>\n");
}
