#include "completions/generate/generate.h"

struct page {
    const struct command *command;
    struct buffer *out;
};

static void append_action(struct buffer *out, enum option_kind kind, const char *const *choices) {
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
    append_action(page->out, option->kind, option->choices);
    append_description(page->out, option->help);
    if (option->traits & OPTION_NEGATABLE)
        buffer_append_format(page->out, "complete -c %s -l no-%s -d 'turn --%s off'\n", page->command->name,
                             option->name, option->name);
}

static void append_operands(struct buffer *out, const struct command *command) {
    if (is_front(command)) {
        buffer_append_text(out, "complete -c pl -f\ncomplete -c pl -n __fish_use_subcommand -a '");
        append_tool_names(out);
        buffer_append_text(out, "'\ncomplete -c pl -n 'not __fish_use_subcommand' -a "
                                "'(complete -C (string replace -r \"^pl +(pl-)?\" \"pl-\" -- (commandline -cp)))'\n");
        return;
    }
    bool files = command->operands_maximum > 0 && command->operand_kind == OPTION_FILE;
    if (!files)
        buffer_append_format(out, "complete -c %s -f\n", command->name);
    if (command->operands_maximum > 0 && command->operand_kind == OPTION_CHOICE) {
        buffer_append_format(out, "complete -c %s -n __fish_use_subcommand -a '", command->name);
        append_choices(out, command->operand_choices);
        buffer_append_text(out, "'\n");
    } else if (command->operands_maximum > 0 && command->operand_kind == OPTION_DIRECTORY) {
        buffer_append_format(out, "complete -c %s -a '(__fish_complete_directories)'\n", command->name);
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
