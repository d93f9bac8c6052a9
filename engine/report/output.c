#include "engine/report/output.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

void output_reader_open(struct output_reader *reader, const struct place_search *search, struct junit *findings) {
    *reader = (struct output_reader){
        .search = search, .findings = findings, .line = BUFFER(OUTPUT_LINE_LIMIT), .tail = BUFFER(OUTPUT_TAIL_LIMIT)};
}

void output_reader_release(struct output_reader *reader) {
    buffer_release(&reader->line);
    buffer_release(&reader->tail);
    free(reader->file);
    free(reader->previous);
    reader->file = reader->previous = NULL;
}

/* ---- findings ---- */

/* `name` is taken over. */
static void add_failure(struct output_reader *reader, char *name, const char *message, struct place place) {
    struct junit *findings = reader->findings;
    findings->tests++;
    findings->failed++;
    findings->bad++;
    if (findings->failure_count == JUNIT_FAILURES_KEPT) {
        free(name);
        free(place.file);
        return;
    }
    findings->failures = memory_resize(findings->failures, findings->failure_count + 1, sizeof(*findings->failures));
    findings->failures[findings->failure_count++] = (struct junit_failure){
        .name = name, .message = text_copy_length(message, strnlen(message, JUNIT_MESSAGE_LIMIT)), .place = place};
}

static void add_finding(struct output_reader *reader, const char *file, unsigned line, const char *message) {
    add_failure(reader, text_format("%s:%u", file, line), message, (struct place){text_copy(file), line});
}

/* Notes and warnings come with findings and are none. */
static bool is_finding(const char *message) {
    static const char *const harmless[] = {"note:", "warning", "info", "information"};
    for (size_t i = 0; i < ARRAY_LENGTH(harmless); i++)
        if (text_starts_with(message, harmless[i]))
            return false;
    return *message != '\0';
}

/* The message after "FILE:12", "FILE:12:5" or "FILE(12,5)". */
static const char *message_after(const char *text) {
    text += strspn(text, "0123456789,:");
    text += *text == ')';
    return text + strspn(text, ": -\t");
}

/* "FILE:12:5: message" at the begin of a line. */
static bool read_finding(struct output_reader *reader, const char *line) {
    const char *begin = line + strspn(line, " \t");
    for (const char *at = strpbrk(begin, ":("); at && at - begin < 1024; at = strpbrk(at + 1, ":(")) {
        uint64_t number;
        AUTO_FREE char *path = text_copy_length(begin, (size_t)(at - begin));
        AUTO_FREE char *file = isdigit((unsigned char)at[1]) ? place_file(reader->search, path) : NULL;
        AUTO_FREE char *digits = text_copy_length(at + 1, strspn(at + 1, "0123456789"));
        if (!file || !text_to_u64(digits, 10000000, &number) || number == 0)
            continue;
        const char *message = message_after(at + 1);
        if (is_finding(message))
            add_finding(reader, file, (unsigned)number, message);
        return true;
    }
    return false;
}

/* eslint: the file on a line of its own, then "  12:5  error  message  rule". */
static void read_grouped_finding(struct output_reader *reader, const char *line) {
    const char *at = line + strspn(line, " \t");
    size_t digits = strspn(at, "0123456789");
    char *file = at == line ? place_file(reader->search, line) : NULL;
    if (file) {
        free(reader->file);
        reader->file = file;
        return;
    }
    if (!reader->file || at == line || digits == 0 || digits > 7 || at[digits] != ':')
        return;
    const char *message = message_after(at);
    message += strspn(message, " ");
    if (text_starts_with(message, "error"))
        add_finding(reader, reader->file, (unsigned)strtoul(at, NULL, 10),
                    message + strlen("error") + strspn(message + strlen("error"), " "));
}

/* pip-audit: "Name Version ID Fix Versions", a line of dashes, then rows to an empty line; likewise "Name Skip Reason".
 */
static void read_table(struct output_reader *reader, const char *line) {
    size_t name = strcspn(line, " "), version = name + strspn(line + name, " ");
    const char *id = line + version + strcspn(line + version, " ");
    if (text_starts_with(line, "Name "))
        reader->table = strstr(line, " Skip Reason") ? OUTPUT_NOT_AUDITED
                        : strstr(line, " Version ")  ? OUTPUT_VULNERABLE
                                                     : OUTPUT_NO_TABLE;
    else if (name == 0 || version == name)
        reader->table = OUTPUT_NO_TABLE;
    else if (reader->table == OUTPUT_NOT_AUDITED && *line != '-')
        reader->findings->tests++, reader->findings->skipped++;
    else if (reader->table == OUTPUT_VULNERABLE && *line != '-')
        add_failure(reader,
                    text_format("%.*s %.*s", (int)name, line, (int)(id - line - (ptrdiff_t)version), line + version),
                    id + strspn(id, " "), (struct place){0});
}

/* npm audit: "lodash  <=4.17.20", then "Severity: high". */
static void read_advisory(struct output_reader *reader, const char *line) {
    if (text_starts_with(line, "Severity: ") && !text_is_empty(reader->previous))
        add_failure(reader, text_copy(reader->previous), line, (struct place){0});
    free(reader->previous);
    reader->previous = text_copy(line);
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
    if (!reader->findings || read_finding(reader, line))
        return;
    read_grouped_finding(reader, line);
    read_table(reader, line);
    read_advisory(reader, line);
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
}

/* ---- last words ---- */

bool output_last_place(const struct output_reader *reader, struct place *place) {
    const char *text = buffer_text(&reader->tail);
    const char *fatal = strstr(text, "Fatal Python error"), *interrupt = strstr(text, ": KeyboardInterrupt");
    struct place_search first = *reader->search;
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
