#include "engine/dockerfile/parse.h"

#include "common/base/buffer.h"
#include "common/json/json.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

enum { TEXT_LIMIT = 1024 * 1024, HEREDOC_LIMIT = 16 };

/* Where the reader stands: lines are taken one after the other from a text that it does not own. */
struct reader {
    const char *at;
    unsigned line; /* of what was taken last */
};

static bool take_line(struct reader *reader, const char **begin, size_t *length) {
    if (!*reader->at)
        return false;
    const char *end = strchrnul(reader->at, '\n');
    *begin = reader->at;
    *length = (size_t)(end - reader->at);
    if (*length > 0 && end[-1] == '\r')
        (*length)--;
    reader->at = *end ? end + 1 : end;
    reader->line++;
    return true;
}

static const char *skip_space(const char *text) {
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

static size_t trimmed(const char *text, size_t length) {
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return length;
}

int dockerfile_error(const struct dockerfile *file, const struct instruction *instruction, struct error *error,
                     const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return error_set(error, ERROR_DATA, "%s:%u: %s", file->path, instruction->line, text);
}

/* "# escape=`" and "# syntax=…" may only stand before everything else. */
static void read_directives(const char *text, struct dockerfile *file) {
    struct reader reader = {.at = text};
    const char *line;
    size_t length;
    while (take_line(&reader, &line, &length)) {
        AUTO_FREE char *copy = text_copy_length(line, length);
        char name[32] = "", value[8] = "";
        if (sscanf(copy, " # %31[a-zA-Z] = %7s", name, value) != 2)
            return;
        if (strcasecmp(name, "escape") == 0 && text_equal(value, "`"))
            file->escape = '`';
    }
}

/* Joins continuation lines into `out`; comment lines between them are left out. */
static bool take_logical_line(struct reader *reader, char escape, struct buffer *out, unsigned *first) {
    const char *line;
    size_t length;
    bool begun = false;
    while (take_line(reader, &line, &length)) {
        const char *text = skip_space(line);
        size_t used = trimmed(line, length);
        bool blank = used == 0 || text >= line + used;
        if (blank || *text == '#')
            continue;
        if (!begun)
            *first = reader->line;
        bool continues = line[used - 1] == escape;
        const char *from = begun ? line : text;
        size_t end = continues ? used - 1 : length;
        buffer_append(out, from, (size_t)(line + end - from));
        begun = true;
        if (!continues)
            return true;
    }
    return begun;
}

/* The next "<<NAME", "<<-NAME" or "<<\"NAME\"" outside of quotes; returns behind it, or NULL. */
static const char *find_heredoc(const char *text, char *name, size_t size, bool *chomps, bool *expands) {
    char quote = '\0';
    for (; *text; text++) {
        if (quote) {
            quote = *text == quote ? '\0' : quote;
            continue;
        }
        if (*text == '\'' || *text == '"')
            quote = *text;
        if (text[0] != '<' || text[1] != '<' || text[2] == '<')
            continue;
        text += 2;
        *chomps = *text == '-';
        text += *chomps;
        char quoted = *text == '"' || *text == '\'' ? *text++ : '\0';
        size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
        if (length == 0 || length >= size || (quoted && text[length] != quoted)) {
            text--;
            continue;
        }
        snprintf(name, size, "%.*s", (int)length, text);
        *expands = !quoted;
        return text + length + (quoted != '\0');
    }
    return NULL;
}

static int take_heredoc_body(struct reader *reader, const char *name, bool chomps, struct buffer *body,
                             const struct dockerfile *file, const struct instruction *instruction,
                             struct error *error) {
    const char *line;
    size_t length;
    while (take_line(reader, &line, &length)) {
        const char *text = line;
        while (chomps && *text == '\t' && text < line + length)
            text++;
        size_t left = (size_t)(line + length - text);
        if (left == strlen(name) && memcmp(text, name, left) == 0)
            return 0;
        buffer_append(body, text, left);
        buffer_append_byte(body, '\n');
    }
    return dockerfile_error(file, instruction, error, "the here-document %s has no end", name);
}

static int take_heredocs(struct reader *reader, const struct dockerfile *file, struct instruction *instruction,
                         struct error *error) {
    char name[64];
    bool chomps, expands;
    for (const char *at = instruction->rest; (at = find_heredoc(at, name, sizeof(name), &chomps, &expands));) {
        if (instruction->heredoc_count == HEREDOC_LIMIT)
            return dockerfile_error(file, instruction, error, "more than %d here-documents", HEREDOC_LIMIT);
        AUTO_BUFFER struct buffer body = BUFFER(TEXT_LIMIT);
        if (take_heredoc_body(reader, name, chomps, &body, file, instruction, error) < 0 ||
            buffer_check(&body, "a here-document", error) < 0)
            return -1;
        instruction->heredocs =
            memory_resize(instruction->heredocs, instruction->heredoc_count + 1, sizeof(struct heredoc));
        instruction->heredocs[instruction->heredoc_count++] =
            (struct heredoc){text_copy(name), buffer_take(&body), expands};
    }
    return 0;
}

/* RUN ["a", "b"]: what is no JSON list of texts is taken as shell form, as Docker does. */
static void read_json_form(struct instruction *instruction) {
    if (*instruction->rest != '[')
        return;
    AUTO_JSON struct json *list = json_parse(instruction->rest, strlen(instruction->rest), "list", NULL);
    if (!json_is_array(list))
        return;
    for (size_t i = 0; i < json_count(list); i++) {
        const char *word = json_text(json_at(list, i));
        if (!word) {
            text_list_release(&instruction->words);
            return;
        }
        text_list_add(&instruction->words, word);
    }
    instruction->is_json = true;
}

static void split_words(struct instruction *instruction) {
    for (const char *at = skip_space(instruction->rest); *at; at = skip_space(at)) {
        size_t length = strcspn(at, " \t");
        text_list_take(&instruction->words, text_copy_length(at, length));
        at += length;
    }
}

static void split_instruction(const char *text, struct instruction *instruction) {
    size_t length = strcspn(text, " \t");
    instruction->name = text_copy_length(text, length);
    for (char *c = instruction->name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *at = skip_space(text + length);
    while (at[0] == '-' && at[1] == '-' && islower((unsigned char)at[2])) {
        size_t flag = strcspn(at, " \t");
        text_list_take(&instruction->flags, text_copy_length(at, flag));
        at = skip_space(at + flag);
    }
    instruction->rest = text_copy_length(at, trimmed(at, strlen(at)));
    read_json_form(instruction);
    if (!instruction->is_json)
        split_words(instruction);
}

static bool takes_heredocs(const char *name) {
    return text_equal(name, "RUN") || text_equal(name, "COPY") || text_equal(name, "ADD");
}

int dockerfile_parse(const char *path, const char *text, struct dockerfile *file, struct error *error) {
    *file = (struct dockerfile){.path = text_copy(path), .escape = '\\'};
    if (text_starts_with(text, "\xEF\xBB\xBF"))
        text += 3;
    read_directives(text, file);
    struct reader reader = {.at = text};
    for (;;) {
        AUTO_BUFFER struct buffer line = BUFFER(TEXT_LIMIT);
        unsigned first = 0;
        if (!take_logical_line(&reader, file->escape, &line, &first))
            break;
        if (buffer_check(&line, path, error) < 0)
            return -1;
        file->instructions = memory_resize(file->instructions, file->count + 1, sizeof(struct instruction));
        struct instruction *instruction = &file->instructions[file->count++];
        *instruction = (struct instruction){.line = first};
        split_instruction(buffer_text(&line), instruction);
        if (takes_heredocs(instruction->name) && take_heredocs(&reader, file, instruction, error) < 0)
            return -1;
    }
    if (file->count == 0)
        return error_set(error, ERROR_DATA, "%s is empty", path);
    return 0;
}

void dockerfile_release(struct dockerfile *file) {
    for (size_t i = 0; i < file->count; i++) {
        struct instruction *instruction = &file->instructions[i];
        for (size_t k = 0; k < instruction->heredoc_count; k++) {
            free(instruction->heredocs[k].name);
            free(instruction->heredocs[k].content);
        }
        free(instruction->heredocs);
        free(instruction->name);
        free(instruction->rest);
        text_list_release(&instruction->flags);
        text_list_release(&instruction->words);
    }
    free(file->instructions);
    free(file->path);
    *file = (struct dockerfile){0};
}
