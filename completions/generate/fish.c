#include "completions/generate/generate.h"

#include <string.h>

const char fish_values[] =
    "# __pl_values KIND: what the pl beside the tool says there is (the table is in tools/pl/complete.h). Values are "
    "only\n"
    "# ever printed, and fish quotes what it puts into the line.\n"
    "function __pl_values\n"
    "    set -l line (commandline -opc)\n"
    "    set -l tool (command -s -- (string replace -r '^~/' \"$HOME/\" -- $line[1]))\n"
    "    set -l front (string replace -r '[^/]*$' pl -- $tool)\n"
    "    set -l word (string replace -r -- '^--[a-z-]+=' '' (commandline -ct) | string replace -ra '[\"\\']' '')\n"
    "    test -x \"$front\"; and $front --complete $argv[1] \"$word\" (string replace -r '.*/' '' -- $line[1]) "
    "$line[2..-1] "
    "2>/dev/null </dev/null\n"
    "end\n";

struct page {
    const struct command *command;
    struct buffer *out;
};

static void append_values(struct buffer *out, const char *values) {
    buffer_append_format(out, " -a '(__pl_values \"%s\")'", values);
}

static void append_action(struct buffer *out, enum option_kind kind, const char *const *choices, const char *values) {
    if (kind == OPTION_CHOICE) {
        buffer_append_text(out, " -x -a '");
        append_choices(out, choices);
        buffer_append_byte(out, '\'');
    } else if (kind == OPTION_FILE) {
        buffer_append_text(out, " -r -F");
    } else if (kind == OPTION_DIRECTORY) {
        buffer_append_text(out, " -x -a '(__fish_complete_directories)'");
    } else if (kind != OPTION_FLAG) {
        buffer_append_text(out, " -x");
    }
    if (values)
        append_values(out, values);
}

static void append_description(struct buffer *out, const char *text) {
    buffer_append_text(out, " -d '");
    append_escaped(out, text, "'\\", "\\");
    buffer_append_text(out, "'\n");
}

static void append_option(void *context, const struct option *option) {
    struct page *page = context;
    buffer_append_format(page->out, "complete -c %s", page->command->name);
    if (option->letter)
        buffer_append_format(page->out, " -s %c", option->letter);
    buffer_append_format(page->out, " -l %s", option->name);
    append_action(page->out, option->kind, option->choices, option->values);
    append_description(page->out, option->help);
    if (option->traits & OPTION_NEGATABLE)
        buffer_append_format(page->out, "complete -c %s -l no-%s -d 'turn --%s off'\n", page->command->name,
                             option->name, option->name);
}

static void append_front(struct buffer *out) {
    /* Of two rows with the same name the later one is shown. */
    buffer_append_text(out, "complete -c pl -f\n"
                            "complete -c pl -n __fish_use_subcommand -a '(__pl_values tools)'\n"
                            "complete -c pl -n __fish_use_subcommand -a help -d 'show the help of a tool'\n");
    for (size_t i = 0; commands[i]; i++) {
        if (is_front(commands[i]))
            continue;
        buffer_append_format(out, "complete -c pl -n __fish_use_subcommand -a %s", commands[i]->name + strlen("pl-"));
        append_description(out, commands[i]->summary);
    }
    buffer_append_text(out, "complete -c pl -n '__fish_seen_subcommand_from help' -a '");
    append_tool_names(out);
    buffer_append_text(
        out, "'\ncomplete -c pl -n 'not __fish_use_subcommand; and not __fish_seen_subcommand_from help' -a "
             "'(complete -C (string replace -r \"^(\\\\S*?)pl +(pl-)?\" \"\\$1pl-\" -- (commandline -cp)))'\n");
}

/* "-n" of what stands behind a word: that is the first operand. */
static void append_words(struct buffer *out, const struct command *command) {
    for (const struct command_word *word = command->words; word->name; word++) {
        buffer_append_format(out, "complete -c %s -n __fish_use_subcommand -a %s", command->name, word->name);
        append_description(out, word->help);
    }
    for (const struct command_word *word = command->words; word->name; word++) {
        if (word->kind == OPTION_TEXT && !word->values)
            continue;
        buffer_append_format(out, "complete -c %s -n '__fish_seen_subcommand_from %s'", command->name, word->name);
        if (word->kind == OPTION_FILE)
            buffer_append_text(out, " -F");
        else if (word->kind == OPTION_DIRECTORY)
            buffer_append_text(out, " -a '(__fish_complete_directories)'");
        else if (word->kind == OPTION_CHOICE) {
            buffer_append_text(out, " -a '");
            append_choices(out, word->choices);
            buffer_append_byte(out, '\'');
        }
        if (word->values)
            append_values(out, word->values);
        buffer_append_byte(out, '\n');
    }
}

static void append_operands(struct buffer *out, const struct command *command) {
    const char *name = command->name;
    if (is_front(command)) {
        append_front(out);
        return;
    }
    bool takes_files = command->operands_maximum > 0 && command->operand_kind == OPTION_FILE;
    if (!takes_files || command->operand_values)
        buffer_append_format(out, "complete -c %s -f\n", name);
    /* Behind a colon fish would offer files of its own. */
    if (takes_files && command->operand_values)
        buffer_append_format(out, "complete -c %s -n 'not string match -q \"*:*\" -- (commandline -ct)' -F\n", name);
    if (command->takes_rest)
        buffer_append_format(out, "complete -c %s -n 'contains -- -- (commandline -opc)' -F\n", name);
    if (command->words)
        append_words(out, command);
    if (command->operands_maximum > 0 && command->operand_kind == OPTION_DIRECTORY)
        buffer_append_format(out, "complete -c %s -a '(__fish_complete_directories)'\n", name);
    if (command->operand_values) {
        buffer_append_format(out, "complete -c %s", name);
        append_values(out, command->operand_values);
        buffer_append_byte(out, '\n');
    }
}

void write_fish(const struct command *command, struct buffer *out) {
    struct page page = {command, out};
    buffer_append_format(out, "# fish completion for %s\n", command->name);
    append_operands(out, command);
    help_each_option(command, append_option, &page);
    buffer_append_format(out, "complete -c %s -s h -l help -d 'show the help'\n", command->name);
    buffer_append_format(out, "complete -c %s -l version -d 'show the version'\n", command->name);
}
