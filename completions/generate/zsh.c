#include "completions/generate/generate.h"

#include <string.h>

/* Inside a specification in single quotes: brackets and colons are its syntax, and a quote ends it. */
static void append_text(struct buffer *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\'')
            buffer_append_text(out, "'\\'");
        else if (strchr("[]:\\", *text))
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, *text);
    }
}

static void append_action(struct buffer *out, enum option_kind kind, const char *const *choices) {
    if (kind == OPTION_CHOICE) {
        buffer_append_byte(out, '(');
        append_choices(out, choices);
        buffer_append_byte(out, ')');
    } else if (kind == OPTION_FILE) {
        buffer_append_text(out, "_files");
    } else if (kind == OPTION_DIRECTORY) {
        buffer_append_text(out, "_directories");
    } else {
        buffer_append_byte(out, ' ');
    }
}

static void append_names(struct buffer *out, const struct option *option) {
    bool value = option->kind != OPTION_FLAG, repeatable = option->traits & OPTION_REPEATABLE;
    if (repeatable)
        buffer_append_text(out, "'*'");
    else if (option->letter)
        buffer_append_format(out, "'(-%c --%s)'", option->letter, option->name);
    if (option->letter)
        buffer_append_format(out, "{-%c%s,--%s%s}'", option->letter, value ? "+" : "", option->name, value ? "=" : "");
    else
        buffer_append_format(out, "'--%s%s", option->name, value ? "=" : "");
}

static void append_option(void *context, const struct option *option) {
    struct buffer *out = context;
    buffer_append_text(out, "    ");
    append_names(out, option);
    buffer_append_byte(out, '[');
    append_text(out, option->help);
    buffer_append_byte(out, ']');
    if (option->kind != OPTION_FLAG) {
        buffer_append_byte(out, ':');
        append_text(out, option->value_name);
        buffer_append_byte(out, ':');
        append_action(out, option->kind, option->choices);
    }
    buffer_append_text(out, "' \\\n");
    if (option->traits & OPTION_NEGATABLE)
        buffer_append_format(out, "    '--no-%s[turn --%s off]' \\\n", option->name, option->name);
}

static void append_operands(struct buffer *out, const struct command *command) {
    if (is_front(command)) {
        buffer_append_text(out, "    '1:tool:(");
        append_tool_names(out);
        buffer_append_text(out, ")' \\\n    '*::argument:->argument'\n"
                                "if [[ $state == argument && $words[1] != help ]]; then\n"
                                "    words[1]=pl-${words[1]#pl-}\n"
                                "    _dispatch $words[1] $words[1]\n"
                                "fi\n");
    } else if (command->operands_maximum == 0) {
        buffer_append_text(out, "    '*: : '\n");
    } else {
        buffer_append_text(out, command->operand_kind == OPTION_CHOICE ? "    '1:operand:" : "    '*:operand:");
        append_action(out, command->operand_kind, command->operand_choices);
        buffer_append_text(out, "'\n");
    }
}

void write_zsh(const struct command *command, struct buffer *out) {
    buffer_append_format(out, "#compdef %s\n", command->name);
    if (is_front(command))
        buffer_append_text(out, "local state\n");
    buffer_append_format(out, "_arguments -s %s\\\n", is_front(command) ? "-C " : "-S ");
    help_each_option(command, append_option, out);
    buffer_append_text(out, "    '(- *)'{-h,--help}'[show the help]' \\\n"
                            "    '(- *)--version[show the version]' \\\n");
    append_operands(out, command);
}
