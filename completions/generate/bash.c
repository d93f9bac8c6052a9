/* Each tool's file is its table; what all of them do is in engine.bash, which stands at the beginning of pl's own. */
#include "completions/generate/generate.h"

#include <string.h>

static void append_action(struct buffer *out, enum option_kind kind, const char *const *choices, const char *values) {
    const char *separator = values ? "; " : "";
    if (values)
        buffer_append_format(out, "_pl_values '%s'", values);
    if (kind == OPTION_CHOICE) {
        buffer_append_format(out, "%s_pl_choose ", separator);
        append_choices(out, choices);
    } else if (kind == OPTION_FILE) {
        buffer_append_format(out, "%s_pl_files -f", separator);
    } else if (kind == OPTION_DIRECTORY) {
        buffer_append_format(out, "%s_pl_files -d", separator);
    }
}

static bool has_action(enum option_kind kind, const char *values) {
    return values || kind == OPTION_CHOICE || kind == OPTION_FILE || kind == OPTION_DIRECTORY;
}

static void append_value(void *context, const struct option *option) {
    struct buffer *out = context;
    if (!has_action(option->kind, option->values))
        return;
    buffer_append_text(out, "        ");
    if (option->letter)
        buffer_append_format(out, "-%c | ", option->letter);
    buffer_append_format(out, "--%s) ", option->name);
    append_action(out, option->kind, option->choices, option->values);
    buffer_append_text(out, "; return ;;\n");
}

static void append_names(struct buffer *out, const struct option *option) {
    if (option->letter)
        buffer_append_format(out, "-%c ", option->letter);
    buffer_append_format(out, "--%s ", option->name);
    if (option->traits & OPTION_NEGATABLE)
        buffer_append_format(out, "--no-%s ", option->name);
}

static void append_name(void *context, const struct option *option) {
    append_names(context, option);
}

static void append_valued(void *context, const struct option *option) {
    if (option->kind != OPTION_FLAG)
        append_names(context, option);
}

static void append_words(struct buffer *out, const struct command *command) {
    buffer_append_text(out, "    case ${_pl_operands[0]-} in\n        '') _pl_choose");
    for (const struct command_word *word = command->words; word->name; word++)
        buffer_append_format(out, " %s", word->name);
    buffer_append_text(out, " ;;\n");
    for (const struct command_word *word = command->words; word->name; word++) {
        if (!has_action(word->kind, word->values))
            continue;
        buffer_append_format(out, "        %s) ", word->name);
        append_action(out, word->kind, word->choices, word->values);
        buffer_append_text(out, " ;;\n");
    }
    buffer_append_text(out, "    esac\n");
}

static void append_operands(struct buffer *out, const struct command *command) {
    if (command->operands_maximum == 0)
        return;
    if (command->words) {
        append_words(out, command);
        return;
    }
    if (!has_action(command->operand_kind, command->operand_values))
        return;
    buffer_append_text(out, "    ");
    append_action(out, command->operand_kind, NULL, command->operand_values);
    buffer_append_byte(out, '\n');
}

static void append_front(struct buffer *out) {
    buffer_append_text(out, "    if ((COMP_CWORD > 1)) && [ \"${COMP_WORDS[1]}\" != help ]; then\n"
                            "        _pl_delegate\n"
                            "        return\n"
                            "    fi\n");
}

static void append_tools(struct buffer *out) {
    buffer_append_text(out, "    _pl_choose ");
    append_tool_names(out);
    buffer_append_text(out, "\n    _pl_values tools\n");
}

void write_bash(const struct command *command, struct buffer *out) {
    AUTO_FREE char *function = function_name(command);
    buffer_append_format(out, "# bash completion for %s\n# shellcheck disable=SC2034,SC2154\n", command->name);
    if (is_front(command))
        buffer_append_text(out, bash_engine);
    else
        buffer_append_text(out, "# shellcheck source=/dev/null\n"
                                "declare -F _pl_begin > /dev/null || . \"${BASH_SOURCE[0]%/*}/pl\"\n");
    buffer_append_format(out, "_%s() {\n", function);
    if (is_front(command))
        append_front(out);
    buffer_append_text(out, "    local _pl_word _pl_option _pl_head _pl_words=() _pl_operands=()\n    _pl_begin '");
    help_each_option(command, append_valued, out);
    buffer_append_text(out, "'\n    case $_pl_option in\n");
    help_each_option(command, append_value, out);
    buffer_append_text(out, "        -*) return ;;\n        rest) _pl_files -f; return ;;\n    esac\n"
                            "    case $_pl_word in -*) _pl_choose ");
    help_each_option(command, append_name, out);
    buffer_append_text(out, "-h --help --help=json --version; return ;; esac\n");
    if (is_front(command))
        append_tools(out);
    else
        append_operands(out, command);
    buffer_append_format(out, "}\ncomplete -F _%s %s\n", function, command->name);
}
