#include "engine/report/coverage.h"

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/xml/xml.h"

#include <math.h>
#include <string.h>

enum { XML_BEGIN = 64 * 1024, JSON_LIMIT = 4 << 20 };

static double percent_of(double value, double whole) {
    return isfinite(value) && value >= 0 && value <= whole ? (double)(int)(value / whole * 10000 + 0.5) / 100 : -1;
}

/* It is said in the first element: what follows is not read. */
static int on_element(void *context, const char *name, const char *const *attributes, struct error *error) {
    const char *rate = text_equal(name, "coverage") ? xml_attribute(attributes, "line-rate") : NULL;
    char *end = NULL;
    double value = rate ? strtod(rate, &end) : -1;
    if (end > rate && *end == '\0')
        *(double *)context = percent_of(value, 1);
    return error_set(error, ERROR_DATA, "enough");
}

static double read_xml(const struct buffer *text) {
    double percent = -1;
    struct xml_handler handler = {.context = &percent, .open = on_element};
    AUTO_XML struct xml_reader *reader = xml_reader_new("the coverage report", XML_BEGIN, &handler);
    struct error ignored;
    return xml_feed(reader, buffer_text(text), text->length, &ignored) < 0 ? percent : -1;
}

static double read_json(const struct buffer *text) {
    struct error ignored;
    AUTO_JSON struct json *summary = json_parse(buffer_text(text), text->length, "the coverage report", &ignored);
    return percent_of(json_get_real(json_get_path(summary, "total.lines"), "pct", -1), 100);
}

double coverage_read(int fd, const char *name) {
    bool is_json = text_ends_with(name, ".json");
    size_t limit = is_json ? JSON_LIMIT : XML_BEGIN;
    AUTO_BUFFER struct buffer text = BUFFER(limit);
    char block[16 * 1024];
    for (ssize_t got; text.length < limit && (got = read(fd, block, sizeof(block))) != 0;) {
        if (got < 0 && errno != EINTR)
            return -1;
        size_t room = limit - text.length;
        buffer_append(&text, block, got < 0 ? 0 : (size_t)got < room ? (size_t)got : room);
    }
    return is_json ? read_json(&text) : read_xml(&text);
}
