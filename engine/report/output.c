#include "engine/report/output.h"

#include "common/base/text.h"

#include <string.h>

void output_reader_open(struct output_reader *reader, const struct place_search *search, enum findings_kind kind,
                        struct junit *found) {
    *reader = (struct output_reader){.findings = {.kind = kind, .search = search, .found = found},
                                     .line = BUFFER(OUTPUT_LINE_LIMIT),
                                     .tail = BUFFER(OUTPUT_TAIL_LIMIT)};
}

void output_reader_release(struct output_reader *reader) {
    buffer_release(&reader->line);
    buffer_release(&reader->tail);
    findings_release(&reader->findings);
}

/* ---- lines ---- */

/* Colours and other control sequences: ESC [ … letter. */
static void drop_escapes(char *line) {
    char *to = line;
    for (const char *at = line; *at;) {
        if (at[0] == '\x1b' && at[1] == '[') {
            at += 2 + strspn(at + 2, "0123456789;?");
            at += *at != '\0';
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
}

static void keep_tail(struct output_reader *reader, const char *line) {
    struct buffer *tail = &reader->tail;
    size_t length = strlen(line);
    if (tail->length + length + 1 > OUTPUT_TAIL_LIMIT) {
        size_t kept = tail->length / 2;
        memmove(tail->data, tail->data + tail->length - kept, kept);
        tail->length = kept;
    }
    buffer_append(tail, line, length);
    buffer_append_byte(tail, '\n');
}

static void end_line(struct output_reader *reader) {
    AUTO_FREE char *line = buffer_take(&reader->line);
    reader->line = BUFFER(OUTPUT_LINE_LIMIT);
    drop_escapes(line);
    line[strcspn(line, "\r")] = '\0';
    keep_tail(reader, line);
    findings_read_line(&reader->findings, line);
}

void output_read(void *context, int stream, const char *data, size_t length) {
    struct output_reader *reader = context;
    (void)stream;
    while (length > 0) {
        const char *newline = memchr(data, '\n', length);
        size_t part = newline ? (size_t)(newline - data) : length;
        size_t room = OUTPUT_LINE_LIMIT - reader->line.length;
        buffer_append(&reader->line, data, part < room ? part : room);
        if (!newline)
            return;
        end_line(reader);
        data += part + 1;
        length -= part + 1;
    }
}

void output_end(struct output_reader *reader) {
    if (reader->line.length)
        end_line(reader);
    findings_end(&reader->findings);
}

/* ---- last words ---- */

bool output_last_place(const struct output_reader *reader, struct place *place) {
    const char *text = buffer_text(&reader->tail);
    const char *fatal = strstr(text, "Fatal Python error"), *interrupt = strstr(text, ": KeyboardInterrupt");
    struct place_search first = *reader->findings.search;
    /* "Current thread …: (most recent call first)" */
    first.order = PLACE_FIRST;
    if (fatal)
        return place_find(&first, NULL, fatal, place);
    if (!interrupt)
        return place_find(&first, NULL, "", place);
    while (interrupt > text && interrupt[-1] != '\n')
        interrupt--;
    return place_find(&first, NULL, interrupt, place);
}
