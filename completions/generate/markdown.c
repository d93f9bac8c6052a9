#include "completions/generate/generate.h"

#include <string.h>

/* In a cell of a table: a bar would end it, and an angle bracket or a star might begin something. */
static void append_cell(struct buffer *out, const char *text) {
    append_escaped(out, text, "|<>*_`[]", "\\");
}

static void append_option(void *context, const struct option *option) {
    struct buffer *out = context;
    char names[160];
    AUTO_BUFFER struct buffer notes = BUFFER(8192);
    help_option_names(option, names, sizeof(names));
    help_option_notes(option, &notes);
    buffer_append_format(out, "| `%s` | ", names + strspn(names, " "));
    append_cell(out, option->help);
    buffer_append_text(out, " | ");
    append_cell(out, buffer_text(&notes));
    buffer_append_text(out, " |\n");
}

static void append_exit(struct buffer *out, int status, const char *meaning) {
    buffer_append_format(out, "| %d | ", status);
    append_cell(out, meaning);
    buffer_append_text(out, " |\n");
}

static void append_examples(struct buffer *out, const struct command *command) {
    if (!command->examples || !command->examples->line)
        return;
    buffer_append_text(out, "\n## Examples\n");
    for (const struct command_example *row = command->examples; row->line; row++)
        buffer_append_format(out, "\n%s:\n\n    %s\n", row->meaning, row->line);
}

static void append_words(struct buffer *out, const struct command *command) {
    if (!command->words)
        return;
    buffer_append_text(out, "\n## Words\n\n| word | meaning |\n|---|---|\n");
    for (const struct command_word *word = command->words; word->name; word++) {
        buffer_append_format(out, "| `%s` | ", word->name);
        append_cell(out, word->help);
        buffer_append_text(out, " |\n");
    }
}

void write_markdown(const struct command *command, struct buffer *out) {
    AUTO_BUFFER struct buffer usage = BUFFER(4096);
    help_usage(command, &usage);
    buffer_append_format(out, "# %s\n\n%s.\n\n    %s\n\n%s\n", command->name, command->summary, buffer_text(&usage),
                         command->description);
    if (command->reads || command->writes)
        buffer_append_format(out, "\nReads: %s. Writes: %s. See [records](../records.md).\n",
                             command->reads ? command->reads : "nothing",
                             command->writes ? command->writes : "nothing");
    append_words(out, command);
    buffer_append_text(out, "\n## Options\n\n| option | meaning | |\n|---|---|---|\n");
    help_each_option(command, append_option, out);
    buffer_append_text(out, "| `-h, --help` | the help; `--help=json`: the same for machines | |\n"
                            "| `--version` | the version | |\n"
                            "\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    append_exit(out, 0, "done");
    append_exit(out, 64, "the command line is wrong");
    for (const struct command_exit *row = command->exits; row && row->meaning; row++)
        append_exit(out, row->status, row->meaning);
    append_examples(out, command);
}
