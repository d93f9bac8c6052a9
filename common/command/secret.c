#include "common/command/command.h"
#include "common/command/lines.h"
#include "common/file/file.h"
#include "common/process/process.h"

#include <string.h>

enum { SECRET_LIMIT = 64 * 1024, COMMAND_SECONDS = 120 };

static void drop_newline(char *text) {
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    if (length > 0 && text[length - 1] == '\r')
        text[length - 1] = '\0';
}

static char *from_environment(const char *name, struct error *error) {
    const char *value = getenv(name);
    if (text_is_empty(value)) {
        error_set(error, ERROR_CONFIGURATION, "the environment variable %s, which holds a secret, is not set", name);
        error_next(error, "set it: export %s=…", name);
        return NULL;
    }
    return text_copy(value);
}

/* Takes what was read over; the bytes are wiped where they were. */
static int take_content(struct buffer *text, const char *what, char **content, size_t *length, struct error *error) {
    int result = text->length ? 0 : error_set(error, ERROR_CONFIGURATION, "%s is empty", what);
    if (result == 0 && buffer_check(text, what, error) < 0)
        result = -1;
    if (result == 0) {
        *content = memory_allocate(text->length + 1, 1);
        memcpy(*content, text->data, text->length);
        *length = text->length;
    }
    buffer_release(text);
    return result;
}

static int from_file(const char *path, char **content, size_t *length, struct error *error) {
    struct buffer text = BUFFER_SECRET(SECRET_LIMIT);
    if (file_read(path, &text, NULL, error) < 0) {
        buffer_release(&text);
        return -1;
    }
    return take_content(&text, path, content, length, error);
}

static int from_standard_input(char **content, size_t *length, struct error *error) {
    struct buffer text = BUFFER_SECRET(SECRET_LIMIT);
    char block[4096];
    ssize_t got;
    while ((got = read(STDIN_FILENO, block, sizeof(block))) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            buffer_append(&text, block, (size_t)got);
    }
    memory_wipe(block, sizeof(block));
    return take_content(&text, "standard input", content, length, error);
}

/* What a command of the user's shell prints, without the newline at its end. */
static int from_command(const char *command, char **content, size_t *length, struct error *error) {
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    struct buffer text = BUFFER_SECRET(SECRET_LIMIT);
    AUTO_BUFFER struct buffer said = BUFFER(SECRET_LIMIT);
    struct process process = {.argv = argv, .out = &text, .err = &said, .timeout = COMMAND_SECONDS};
    int status = 1;
    int result = process_run(&process, &status, error);
    if (result == 0 && status != 0) {
        AUTO_FREE char *clean = text_scrub(buffer_text(&said), said.length, false);
        result = error_set(error, ERROR_CONFIGURATION, "the command that prints the secret ended with %d: %.200s",
                           status, clean);
    }
    if (result < 0) {
        buffer_release(&text);
        return -1;
    }
    if (text.length > 0 && text.data[text.length - 1] == '\n')
        text.data[--text.length] = '\0';
    return take_content(&text, "what the command printed", content, length, error);
}

int command_secret_content(const char *source, char **content, size_t *length, struct error *error) {
    *content = NULL;
    int result;
    if (text_starts_with(source, "env:") && source[4]) {
        *content = from_environment(source + 4, error);
        *length = *content ? strlen(*content) : 0;
        result = *content ? 0 : -1;
    } else if (text_starts_with(source, "file:") && source[5]) {
        result = from_file(source + 5, content, length, error);
    } else if (text_starts_with(source, "cmd:") && source[4]) {
        result = from_command(source + 4, content, length, error);
    } else if (text_equal(source, "-")) {
        result = from_standard_input(content, length, error);
    } else {
        error_set(error, ERROR_USAGE, "a secret is not taken from the command line, where others can read it");
        result = error_next(error, "give the place of it: env:NAME, file:PATH, cmd:COMMAND, or - for standard input");
    }
    if (result == 0)
        lines_hide(*content);
    return result;
}

char *command_secret(const char *source, struct error *error) {
    char *value;
    size_t length;
    if (command_secret_content(source, &value, &length, error) < 0)
        return NULL;
    if (strlen(value) < length) {
        error_set(error, ERROR_CONFIGURATION, "the secret of %s holds a NUL byte", source);
        memory_wipe(value, length);
        free(value);
        return NULL;
    }
    if (!text_starts_with(source, "env:"))
        drop_newline(value);
    return value;
}
