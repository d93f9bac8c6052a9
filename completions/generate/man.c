#include "completions/generate/generate.h"

#include "common/base/version.h"

#include <ctype.h>
#include <string.h>

/* roff: a backslash is \e, a hyphen that is typed is \-, and a line may not begin with a dot or a quote. */
static void append_text(struct buffer *out, const char *text) {
    bool at_begin = true;
    for (; *text; text++) {
        if (at_begin && (*text == '.' || *text == '\''))
            buffer_append_text(out, "\\&");
        if (*text == '\\')
            buffer_append_text(out, "\\e");
        else if (*text == '-')
            buffer_append_text(out, "\\-");
        else
            buffer_append_byte(out, *text);
        at_begin = *text == '\n';
    }
}

static void append_section(struct buffer *out, const char *title) {
    buffer_append_format(out, ".SH %s\n", title);
}

static void append_bold_line(struct buffer *out, const char *text) {
    buffer_append_text(out, "\\fB");
    append_text(out, text);
    buffer_append_text(out, "\\fR");
}

static void append_option(void *context, const struct option *option) {
    struct buffer *out = context;
    char names[160];
    help_option_names(option, names, sizeof(names));
    buffer_append_text(out, ".TP\n");
    append_bold_line(out, names + strspn(names, " "));
    buffer_append_byte(out, '\n');
    AUTO_BUFFER struct buffer notes = BUFFER(8192);
    buffer_append_format(&notes, "%s ", option->help);
    help_option_notes(option, &notes);
    append_text(out, buffer_text(&notes));
    buffer_append_byte(out, '\n');
}

static void append_paragraphs(struct buffer *out, const char *description) {
    for (const char *at = description; *at;) {
        const char *end = strstr(at, "\n\n");
        AUTO_FREE char *paragraph = text_copy_length(at, end ? (size_t)(end - at) : strlen(at));
        append_text(out, paragraph);
        buffer_append_text(out, end ? "\n.PP\n" : "\n");
        at = end ? end + 2 : at + strlen(at);
    }
}

static void append_row(struct buffer *out, const char *head, const char *text) {
    buffer_append_text(out, ".TP\n");
    append_bold_line(out, head);
    buffer_append_byte(out, '\n');
    append_text(out, text);
    buffer_append_byte(out, '\n');
}

static void append_exits(struct buffer *out, const struct command *command) {
    append_section(out, "EXIT STATUS");
    append_row(out, "0", "done");
    append_row(out, "64", "the command line is wrong");
    for (const struct command_exit *row = command->exits; row && row->meaning; row++) {
        AUTO_FREE char *status = text_format("%d", row->status);
        append_row(out, status, row->meaning);
    }
}

static void append_examples(struct buffer *out, const struct command *command) {
    if (!command->examples || !command->examples->line)
        return;
    append_section(out, "EXAMPLES");
    for (const struct command_example *row = command->examples; row->line; row++)
        append_row(out, row->line, row->meaning);
}

static void append_see_also(struct buffer *out, const struct command *command) {
    append_section(out, "SEE ALSO");
    for (size_t i = 0; command->see_also && command->see_also[i]; i++) {
        append_bold_line(out, command->see_also[i]);
        buffer_append_text(out, "(1),\n");
    }
    append_pages(out);
}

static void append_words(struct buffer *out, const struct command *command) {
    if (command->words)
        append_section(out, "WORDS");
    for (const struct command_word *word = command->words; word && word->name; word++)
        append_row(out, word->name, word->help);
}

/* As --help shows them: the tool's own and the common ones, then each group under its title. */
static void append_options(struct buffer *out, const struct command *command) {
    struct command own = *command;
    own.groups = NULL;
    append_section(out, "OPTIONS");
    help_each_option(&own, append_option, out);
    append_row(out, "-h, --help", "show the help; --help=json: the same for machines");
    append_row(out, "--version", "show the version");
    for (const struct option_group *group = command->groups; group && group->options; group++) {
        buffer_append_format(out, ".SS %s\n", group->title);
        for (const struct option *option = group->options; option->name; option++)
            if (!(option->traits & OPTION_HIDDEN))
                append_option(out, option);
    }
}

static void append_title(struct buffer *out, const struct command *command) {
    AUTO_FREE char *title = text_copy(command->name);
    for (char *at = title; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    buffer_append_format(out, ".TH %s 1 \"%s\" \"pl %s\" \"pl\"\n", title, PL_DATE, PL_VERSION);
}

void write_man(const struct command *command, struct buffer *out) {
    append_title(out, command);
    append_section(out, "NAME");
    append_text(out, command->name);
    buffer_append_text(out, " \\- ");
    append_text(out, command->summary);
    buffer_append_text(out, "\n");
    append_section(out, "SYNOPSIS");
    AUTO_BUFFER struct buffer usage = BUFFER(4096);
    help_usage(command, &usage);
    append_bold_line(out, buffer_text(&usage));
    buffer_append_text(out, "\n");
    append_section(out, "DESCRIPTION");
    append_paragraphs(out, command->description);
    if (command->reads)
        append_row(out, "Reads", command->reads);
    if (command->writes)
        append_row(out, "Writes", command->writes);
    append_words(out, command);
    append_options(out, command);
    append_exits(out, command);
    append_section(out, "FILES");
    append_row(out, "pl.json, ~/.config/pl/config.json, /etc/pl/config.json",
               "options by tool, as {\"pl-run-deploy\": {\"region\": \"us-central1\"}}; the command line and the "
               "environment win over them, and the first of them over the next");
    append_row(out, "~/.local/state/pl/logs", "the full logs of the last runs");
    append_examples(out, command);
    append_see_also(out, command);
}
