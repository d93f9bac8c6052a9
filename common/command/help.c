/* The text of --help: examples first, options in one column, at most 80 columns wide. */
#include "common/command/help.h"
#include "common/command/options.h"

#include <string.h>

enum { WIDTH = 80, COLUMN = 28, MARGIN = 2, HELP_LIMIT = 256 * 1024 };

/* Characters on a line, not bytes. */
static size_t columns(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* Breaks `text` at spaces, and in words such as "auto|tty|plain" behind a bar; the first line begins at column `at`,
 * the following ones at `indent`. */
static void append_wrapped(struct buffer *out, const char *text, size_t at, size_t indent) {
    bool first = true, glued = false;
    while (*text) {
        size_t length = strcspn(text, " \n|"), space = first || glued ? 0 : 1;
        length += text[length] == '|';
        if (!first && at + space + columns(text, length) > WIDTH) {
            buffer_append_format(out, "\n%*s", (int)indent, "");
            at = indent;
            space = 0;
        }
        buffer_append_text(out, space ? " " : "");
        buffer_append(out, text, length);
        at += space + columns(text, length);
        text += length;
        glued = *text && *text != ' ' && *text != '\n';
        text += *text && !glued ? 1 : 0;
        first = false;
    }
    buffer_append_byte(out, '\n');
}

/* A command that a shell still understands: broken behind a bar of a pipe, else at a space with a backslash; at a
 * space between quotes never. */
static void append_command(struct buffer *out, const char *line) {
    size_t at = 2;
    buffer_append_text(out, "  ");
    for (const char *word = line; *word;) {
        size_t length = 0;
        for (char quote = '\0'; word[length] && (quote || word[length] != ' '); length++)
            if (quote ? word[length] == quote : strchr("'\"", word[length]) != NULL)
                quote = quote ? '\0' : word[length];
        bool is_first = word == line;
        /* An option and its value stay together. */
        const char *next = word + length + (word[length] == ' ');
        size_t value = *word == '-' && !strchr("-|", *next) ? 1 + columns(next, strcspn(next, " ")) : 0;
        if (!is_first && at + 1 + columns(word, length) + value + MARGIN > WIDTH) {
            buffer_append_format(out, "%s\n     ", word[-2] == '|' ? "" : " \\");
            at = 5;
        }
        buffer_append_text(out, is_first ? "" : " ");
        buffer_append(out, word, length);
        at += columns(word, length) + !is_first;
        word += length + strspn(word + length, " ");
    }
    buffer_append_byte(out, '\n');
}

static void append_description(struct buffer *out, const char *description) {
    AUTO_FREE char *copy = text_copy(description);
    for (char *at = copy; at && *at;) {
        char *end = strstr(at, "\n\n");
        if (end)
            *end = '\0';
        buffer_append_byte(out, '\n');
        append_wrapped(out, at, 0, 0);
        at = end ? end + 2 : NULL;
    }
}

void help_option_names(const struct option *option, char *text, size_t size) {
    bool negatable = option->traits & OPTION_NEGATABLE;
    char letter[] = {'-', option->letter, ',', ' ', '\0'};
    snprintf(text, size, "%s--%s%s%s%s", option->letter ? letter : "    ", negatable ? "[no-]" : "", option->name,
             option_takes_value(option) ? " " : "", option_takes_value(option) ? option->value_name : "");
}

/* "(required, repeatable; a, b or c; default x; PL_X)" */
void help_option_notes(const struct option *option, struct buffer *out) {
    struct text_list notes = {0};
    if (option->traits & OPTION_REQUIRED)
        text_list_add(&notes, "required");
    if (option->traits & OPTION_REPEATABLE)
        text_list_add(&notes, "repeatable");
    if (option->traits & OPTION_SECRET)
        text_list_add(&notes, "env:NAME, file:PATH or -");
    if (option->choices) {
        AUTO_BUFFER struct buffer all = BUFFER(1024);
        for (size_t i = 0; option->choices[i]; i++)
            buffer_append_format(&all, "%s%s", i ? "|" : "", option->choices[i]);
        text_list_add(&notes, buffer_text(&all));
    }
    if (option->fallback)
        text_list_add_format(&notes, "default %s", option->fallback);
    char variable[128];
    option_variable(option, variable, sizeof(variable));
    if (variable[0])
        text_list_add(&notes, variable);
    for (size_t i = 0; i < notes.count; i++)
        buffer_append_format(out, "%s%s", i ? "; " : "(", notes.items[i]);
    buffer_append_text(out, notes.count ? ")" : "");
    text_list_release(&notes);
}

static void append_row(struct buffer *out, const char *names, const char *text) {
    size_t wide = columns(names, strlen(names)) + 2;
    buffer_append_format(out, "  %s", names);
    if (wide + 2 > COLUMN)
        buffer_append_format(out, "\n%*s", COLUMN, "");
    else
        buffer_append_format(out, "%*s", (int)(COLUMN - wide), "");
    append_wrapped(out, text, COLUMN, COLUMN);
}

static void append_option(struct buffer *out, const struct option *option) {
    if (option->traits & OPTION_HIDDEN)
        return;
    char names[160];
    help_option_names(option, names, sizeof(names));
    AUTO_BUFFER struct buffer text = BUFFER(8192);
    buffer_append_format(&text, "%s ", option->help);
    help_option_notes(option, &text);
    append_row(out, names, buffer_text(&text));
}

void help_usage(const struct command *command, struct buffer *out) {
    buffer_append_format(out, "%s", command->name);
    for (const struct option *option = command->options; option && option->name; option++)
        if (option->traits & OPTION_REQUIRED)
            buffer_append_format(out, " --%s %s", option->name, option->value_name);
    buffer_append_format(out, " [OPTION...]%s%s", *command->synopsis ? " " : "", command->synopsis);
}

static void append_examples(struct buffer *out, const struct command *command) {
    if (!command->examples || !command->examples->line)
        return;
    buffer_append_text(out, "\nExamples\n");
    for (const struct command_example *example = command->examples; example->line; example++) {
        append_command(out, example->line);
        buffer_append_format(out, "%6s", "");
        append_wrapped(out, example->meaning, 6, 6);
    }
}

static void append_options(struct buffer *out, const struct command *command) {
    buffer_append_text(out, "\nOptions\n");
    for (const struct option *option = command->options; option && option->name; option++)
        append_option(out, option);
    for (const struct option *option = common_options; option->name; option++)
        if (common_option_applies(command, option))
            append_option(out, option);
    append_row(out, "-h, --help", "this text; --help=json: the same for machines");
    append_row(out, "    --version", "the version");
    for (const struct option_group *group = command->groups; group && group->options; group++) {
        buffer_append_format(out, "\n%s\n", group->title);
        for (const struct option *option = group->options; option->name; option++)
            append_option(out, option);
    }
}

static void append_exit(struct buffer *out, int status, const char *meaning) {
    buffer_append_format(out, "  %-3d  ", status);
    append_wrapped(out, meaning, 7, 7);
}

static void append_exits(struct buffer *out, const struct command *command) {
    buffer_append_text(out, "\nExit codes\n");
    append_exit(out, 0, "done");
    for (const struct command_exit *exits = command->exits; exits && exits->meaning; exits++)
        if (exits->status < 64)
            append_exit(out, exits->status, exits->meaning);
    append_exit(out, 64, "the command line is wrong");
    for (const struct command_exit *exits = command->exits; exits && exits->meaning; exits++)
        if (exits->status >= 64)
            append_exit(out, exits->status, exits->meaning);
}

char *help_text(const struct command *command) {
    struct buffer out = BUFFER(HELP_LIMIT);
    AUTO_BUFFER struct buffer usage = BUFFER(1024);
    buffer_append_format(&out, "%s: ", command->name);
    append_wrapped(&out, command->summary, strlen(command->name) + 2, 4);
    help_usage(command, &usage);
    buffer_append_text(&out, "\nUsage: ");
    append_wrapped(&out, buffer_text(&usage), 7, 7);
    if (command->reads)
        buffer_append_format(&out, "Reads: %s   ", command->reads);
    if (command->writes)
        buffer_append_format(&out, "Writes: %s", command->writes);
    if (command->reads || command->writes)
        buffer_append_byte(&out, '\n');
    append_examples(&out, command);
    append_description(&out, command->description);
    append_options(&out, command);
    append_exits(&out, command);
    for (size_t i = 0; command->see_also && command->see_also[i]; i++)
        buffer_append_format(&out, "%s%s", i ? ", " : "\nSee also: ", command->see_also[i]);
    if (command->see_also && command->see_also[0])
        buffer_append_byte(&out, '\n');
    return buffer_take(&out);
}
