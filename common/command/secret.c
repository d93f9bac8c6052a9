#include "common/command/command.h"
#include "common/command/lines.h"
#include "common/file/file.h"

#include <string.h>

enum { SECRET_LIMIT = 64 * 1024 };

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

static char *whole(struct buffer *text, const char *what, struct error *error) {
    if (memchr(buffer_text(text), '\0', text->length) || text->length == 0) {
        error_set(error, ERROR_CONFIGURATION, "%s %s", what, text->length ? "holds a NUL byte" : "is empty");
        memory_wipe(text->data, text->capacity);
        buffer_release(text);
        return NULL;
    }
    char *copy = text_copy(buffer_text(text));
    memory_wipe(text->data, text->capacity);
    buffer_release(text);
    drop_newline(copy);
    return copy;
}

static char *from_file(const char *path, struct error *error) {
    struct buffer text = BUFFER(SECRET_LIMIT);
    if (file_read(path, &text, NULL, error) < 0) {
        memory_wipe(text.data, text.capacity);
        buffer_release(&text);
        return NULL;
    }
    return whole(&text, path, error);
}

static char *from_standard_input(struct error *error) {
    struct buffer text = BUFFER(SECRET_LIMIT);
    char block[4096];
    ssize_t got;
    while ((got = read(STDIN_FILENO, block, sizeof(block))) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            buffer_append(&text, block, (size_t)got);
    }
    memory_wipe(block, sizeof(block));
    return whole(&text, "standard input", error);
}

static char *read_secret(const char *source, struct error *error) {
    if (text_starts_with(source, "env:") && source[4])
        return from_environment(source + 4, error);
    if (text_starts_with(source, "file:") && source[5])
        return from_file(source + 5, error);
    if (text_equal(source, "-"))
        return from_standard_input(error);
    error_set(error, ERROR_USAGE, "a secret is not taken from the command line, where others can read it");
    error_next(error, "give the place of it: env:NAME, file:PATH, or - for standard input");
    return NULL;
}

char *command_secret(const char *source, struct error *error) {
    char *value = read_secret(source, error);
    if (value)
        lines_hide(value);
    return value;
}
