/* generate FOLDER DOCS: writes FOLDER/{bash,zsh,fish,man,markdown}/ of the tables and of the pages in DOCS, and stops
 * at the first mistake in a table. */
#include "completions/generate/generate.h"

#include "common/file/file.h"

#include <string.h>

enum { TEXT_LIMIT = 1 << 20 };

static const struct {
    const char *folder;
    const char *prefix, *suffix; /* around the tool's name */
    void (*write)(const struct command *command, struct buffer *out);
} forms[] = {
    {"bash", "", "", write_bash},
    {"zsh", "_", "", write_zsh},
    {"fish", "", ".fish", write_fish},
    {"man", "", ".1", write_man},
    {"markdown", "", ".md", write_markdown},
};

bool is_front(const struct command *command) {
    return text_equal(command->name, "pl");
}

void append_tool_names(struct buffer *out) {
    buffer_append_text(out, "help");
    for (size_t i = 0; commands[i]; i++)
        if (!is_front(commands[i]))
            buffer_append_format(out, " %s", commands[i]->name + strlen("pl-"));
}

char *function_name(const struct command *command) {
    char *name = text_copy(command->name);
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : *at;
    return name;
}

void append_choices(struct buffer *out, const char *const *choices) {
    for (size_t i = 0; choices[i]; i++)
        buffer_append_format(out, "%s%s", i ? " " : "", choices[i]);
}

void append_escaped(struct buffer *out, const char *text, const char *special, const char *escape) {
    for (; *text; text++) {
        if (strchr(special, *text))
            buffer_append_text(out, escape);
        buffer_append_byte(out, *text);
    }
}

static int write_file(const char *folder, size_t form, const struct command *command, struct error *error) {
    AUTO_FREE char *path =
        text_format("%s/%s/%s%s%s", folder, forms[form].folder, forms[form].prefix, command->name, forms[form].suffix);
    AUTO_BUFFER struct buffer text = BUFFER(TEXT_LIMIT);
    forms[form].write(command, &text);
    if (buffer_check(&text, path, error) < 0)
        return -1;
    return file_write_atomic(path, buffer_text(&text), text.length, 0644, error);
}

/* The functions that are loaded by their names. */
static int write_functions(const char *folder, struct error *error) {
    static const struct {
        const char *path, *text;
    } functions[] = {{"zsh/_pl_values", zsh_values}, {"fish/__pl_values.fish", fish_values}};
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        AUTO_FREE char *path = path_join(folder, functions[i].path);
        if (file_write_atomic(path, functions[i].text, strlen(functions[i].text), 0644, error) < 0)
            return -1;
    }
    return 0;
}

static int generate(const char *folder, struct error *error) {
    for (size_t form = 0; form < ARRAY_LENGTH(forms); form++) {
        AUTO_FREE char *path = path_join(folder, forms[form].folder);
        if (directory_make(path, 0755, error) < 0)
            return -1;
        for (size_t i = 0; commands[i]; i++)
            if (write_file(folder, form, commands[i], error) < 0)
                return -1;
    }
    return write_functions(folder, error);
}

int main(int argc, char **argv) {
    struct error error = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: generate FOLDER DOCS\n");
        return 64;
    }
    for (size_t i = 0; commands[i]; i++) {
        AUTO_FREE char *fault = command_fault(commands[i]);
        if (fault) {
            fprintf(stderr, "%s\n", fault);
            return 1;
        }
    }
    if (generate(argv[1], &error) < 0 || write_pages(argv[1], argv[2], &error) < 0) {
        fprintf(stderr, "generate: %s\n", error.text);
        return error_exit_code(&error);
    }
    return 0;
}
