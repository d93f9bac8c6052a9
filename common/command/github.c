#include "common/command/github.h"

#include "common/command/lines.h"

#include "common/base/text.h"
#include "common/crypto/random.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>

enum { FILE_TEXT_LIMIT = 1 << 20, DISARM_LIMIT = 8 << 20 };

char *github_disarm(const char *text) {
    struct buffer out = BUFFER(DISARM_LIMIT);
    bool at_begin = true;
    for (const char *at = text; *at; at++) {
        if (at_begin && strncmp(at, "::", 2) == 0)
            buffer_append_byte(&out, '\\');
        buffer_append_byte(&out, *at);
        if (strncmp(at, "##[", 3) == 0) {
            buffer_append_text(&out, "#\\");
            at++;
        }
        at_begin = *at == '\n' || (at_begin && (*at == ' ' || *at == '\t'));
    }
    return buffer_take(&out);
}

/* The escapes of the runner's command syntax: data, and more of them in a property. */
static void append_escaped(struct buffer *out, const char *text, bool property) {
    for (; *text; text++)
        if (strchr(property ? "%\r\n:," : "%\r\n", *text))
            buffer_append_format(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            buffer_append_byte(out, *text);
}

/* Appends to a file of the runner's in one write, so that two tools never mix. A failure is not the tool's failure. */
static void append_to_file(const char *variable, const struct buffer *text) {
    const char *path = getenv(variable);
    if (text_is_empty(path) || text->failed)
        return;
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0 && fd_write_all(fd, buffer_text(text), text->length, NULL) < 0)
        return;
}

static void append_html(struct buffer *out, const char *text) {
    for (; *text; text++)
        switch (*text) {
        case '&':
            buffer_append_text(out, "&amp;");
            break;
        case '<':
            buffer_append_text(out, "&lt;");
            break;
        case '>':
            buffer_append_text(out, "&gt;");
            break;
        case '|':
            buffer_append_text(out, "&#124;");
            break;
        default:
            buffer_append_byte(out, *text);
        }
}

static void append_failure(const char *tool, const struct error *error, const struct display_failure *failure) {
    AUTO_BUFFER struct buffer text = BUFFER(FILE_TEXT_LIMIT);
    AUTO_FREE char *why = text_scrub(error->text, strlen(error->text), false);
    buffer_append_format(&text, "\n**%s failed**: ", tool);
    append_html(&text, why);
    buffer_append_text(&text, "\n");
    if (failure && failure->line_count) {
        buffer_append_text(&text, "\n<details><summary>");
        append_html(&text, failure->step);
        buffer_append_text(&text, "</summary><pre>\n");
        for (size_t i = 0; i < failure->line_count; i++) {
            append_html(&text, failure->lines[i]);
            buffer_append_byte(&text, '\n');
        }
        buffer_append_text(&text, "</pre></details>\n");
    }
    append_to_file("GITHUB_STEP_SUMMARY", &text);
}

/* The runner wants a path relative to the checkout; without one, to where we are. */
static const char *path_in_workspace(const char *path, const char *current) {
    const char *workspace = getenv("GITHUB_WORKSPACE");
    const char *const roots[] = {workspace, current};
    for (size_t i = 0; i < ARRAY_LENGTH(roots); i++) {
        size_t length = roots[i] ? strlen(roots[i]) : 0;
        if (length > 1 && strncmp(path, roots[i], length) == 0 && path[length] == '/')
            return path + length + 1;
    }
    return path;
}

/* "Dockerfile:7:3: …" names a file of the repository: the annotation is then shown at that line. */
static void append_place(struct buffer *out, const char *text) {
    size_t length = strcspn(text, ": \n"), digits = 0, column = 0;
    if (text[length] == ':')
        digits = strspn(text + length + 1, "0123456789");
    AUTO_FREE char *named = text_copy_length(text, length), *current = path_resolve(".", NULL);
    const char *path = path_in_workspace(named, current);
    const char *rest = text + length + 1 + digits;
    if (digits == 0 || digits > 9 || *rest != ':' || !path_is_below(path) || !file_exists(path))
        return;
    buffer_append_text(out, ",file=");
    append_escaped(out, path, true);
    buffer_append_format(out, ",line=%.*s", (int)digits, text + length + 1);
    column = strspn(rest + 1, "0123456789");
    if (column > 0 && column < 9 && rest[1 + column] == ':')
        buffer_append_format(out, ",col=%.*s", (int)column, rest + 1);
}

void github_failure(const char *tool, const struct error *error, const struct display_failure *failure) {
    AUTO_BUFFER struct buffer line = BUFFER(16384);
    AUTO_FREE char *why = text_scrub(error->text, strlen(error->text), true);
    AUTO_FREE char *next = text_scrub(error->next, strlen(error->next), true);
    buffer_append_text(&line, "::error title=");
    append_escaped(&line, tool, true);
    append_place(&line, error->text);
    buffer_append_text(&line, "::");
    append_escaped(&line, why, false);
    if (*next) {
        buffer_append_text(&line, "%0A");
        append_escaped(&line, next, false);
    }
    buffer_append_byte(&line, '\n');
    if (!line.failed && fd_write_all(STDERR_FILENO, line.data, line.length, NULL) < 0)
        return;
    append_failure(tool, error, failure);
}

/* What is escaped cannot be a command itself. */
void github_annotate(const struct command_annotation *annotation) {
    AUTO_BUFFER struct buffer line = BUFFER(16384);
    AUTO_FREE char *current = path_resolve(".", NULL);
    AUTO_FREE char *title = lines_clean(annotation->title, strlen(annotation->title), false, false);
    AUTO_FREE char *message = lines_clean(annotation->message, strlen(annotation->message), true, false);
    buffer_append_text(&line, "::error ");
    if (annotation->file) {
        buffer_append_text(&line, "file=");
        append_escaped(&line, path_in_workspace(annotation->file, current), true);
        if (annotation->line)
            buffer_append_format(&line, ",line=%u", annotation->line);
        buffer_append_byte(&line, ',');
    }
    buffer_append_text(&line, "title=");
    append_escaped(&line, title, true);
    buffer_append_text(&line, "::");
    append_escaped(&line, message, false);
    buffer_append_byte(&line, '\n');
    if (!line.failed && fd_write_all(STDERR_FILENO, line.data, line.length, NULL) < 0)
        return;
}

/* Whether the summary's last line is a row of our table, which the next one then continues. */
static bool summary_ends_in_row(void) {
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    AUTO_CLOSE int fd = text_is_empty(path) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return false;
    char tail[4096 + 1];
    off_t begin = status.st_size > 4096 ? status.st_size - 4096 : 0;
    ssize_t got = pread(fd, tail, 4096, begin);
    if (got < 2)
        return false;
    tail[got - 1] = '\0';
    const char *newline = strrchr(tail, '\n');
    return text_starts_with(newline ? newline + 1 : tail, "| `pl");
}

void github_summary(const char *tool, const char *text) {
    AUTO_BUFFER struct buffer row = BUFFER(16384);
    AUTO_FREE char *clean = text_scrub(text, strlen(text), false);
    if (!summary_ends_in_row())
        buffer_append_text(&row, "\n| tool | result |\n|---|---|\n");
    buffer_append_format(&row, "| `%s` | ", tool);
    append_html(&row, clean);
    buffer_append_text(&row, " |\n");
    append_to_file("GITHUB_STEP_SUMMARY", &row);
}

static void append_output(struct buffer *out, const char *name, const char *value) {
    char delimiter[33];
    if (text_is_empty(value))
        return;
    random_hex(delimiter, sizeof(delimiter));
    if (strpbrk(value, "\r\n"))
        buffer_append_format(out, "%s<<%s\n%s\n%s\n", name, delimiter, value, delimiter);
    else
        buffer_append_format(out, "%s=%s\n", name, value);
}

void github_set(const char *file_variable, const char *name, const char *value) {
    AUTO_BUFFER struct buffer text = BUFFER(FILE_TEXT_LIMIT);
    append_output(&text, name, value);
    append_to_file(file_variable, &text);
}

int github_mask(const char *secret, struct error *error) {
    AUTO_BUFFER struct buffer line = BUFFER_SECRET(FILE_TEXT_LIMIT);
    buffer_append_text(&line, "::add-mask::");
    append_escaped(&line, secret, false);
    buffer_append_byte(&line, '\n');
    if (buffer_check(&line, "the secret", error) < 0)
        return -1;
    return fd_write_all(STDERR_FILENO, line.data, line.length, error);
}

static void append_record(struct buffer *out, const struct record *record) {
    static const char *const keys[] = {"digest", "name", "revision", "version", "channel", "expires", "execution"};
    append_output(out, "ref", record_ref(record));
    append_output(out, record_type_name(record->type), record_ref(record));
    if (record->type == RECORD_SERVICE || record->type == RECORD_SITE)
        append_output(out, "url", record_ref(record));
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        append_output(out, keys[i], record_text(record, keys[i]));
}

void github_outputs(const struct record_list *list) {
    AUTO_BUFFER struct buffer out = BUFFER(FILE_TEXT_LIMIT);
    AUTO_BUFFER struct buffer lines = BUFFER(FILE_TEXT_LIMIT);
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buffer_append_byte(&lines, '\n');
        json_write(list->items[i].json, JSON_COMPACT_STYLE, &lines);
    }
    append_output(&out, "record", buffer_text(&lines));
    if (list->count == 1)
        append_record(&out, &list->items[0]);
    append_to_file("GITHUB_OUTPUT", &out);
}
