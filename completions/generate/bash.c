#include "completions/generate/generate.h"

#include <string.h>

static void append_action(struct buffer *out, enum option_kind kind, const char *const *choices) {
    if (kind == OPTION_CHOICE) {
        buffer_append_text(out, "mapfile -t COMPREPLY < <(compgen -W '");
        append_choices(out, choices);
        buffer_append_text(out, "' -- \"$word\")");
    } else if (kind == OPTION_FILE || kind == OPTION_DIRECTORY) {
        buffer_append_format(out, "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -%c -- \"$word\")",
                             kind == OPTION_FILE ? 'f' : 'd');
    } else {
        buffer_append_text(out, ":");
    }
}

static void append_value(void *context, const struct option *option) {
    struct buffer *out = context;
    if (option->kind == OPTION_FLAG)
        return;
    buffer_append_text(out, "        ");
    if (option->letter)
        buffer_append_format(out, "-%c | ", option->letter);
    buffer_append_format(out, "--%s) ", option->name);
    append_action(out, option->kind, option->choices);
    buffer_append_text(out, "; return ;;\n");
}

static void append_word(void *context, const struct option *option) {
    struct buffer *out = context;
    if (option->letter)
        buffer_append_format(out, "-%c ", option->letter);
    buffer_append_format(out, "--%s ", option->name);
    if (option->traits & OPTION_NEGATABLE)
        buffer_append_format(out, "--no-%s ", option->name);
}

static void append_front(struct buffer *out) {
    buffer_append_text(out, "    if [ \"$COMP_CWORD\" -gt 1 ] && [ \"${COMP_WORDS[1]}\" != help ]; then\n"
                            "        local tool=pl-${COMP_WORDS[1]#pl-}\n"
                            "        # shellcheck source=/dev/null\n"
                            "        declare -F \"_${tool//-/_}\" > /dev/null || . \"${BASH_SOURCE[0]%/*}/$tool\" 2> "
                            "/dev/null || return\n"
                            "        COMP_WORDS=(\"$tool\" \"${COMP_WORDS[@]:2}\")\n"
                            "        COMP_CWORD=$((COMP_CWORD - 1))\n"
                            "        \"_${tool//-/_}\"\n"
                            "        return\n"
                            "    fi\n");
}

static void append_operands(struct buffer *out, const struct command *command) {
    if (command->operands_maximum == 0)
        return;
    buffer_append_text(out, "    ");
    if (is_front(command)) {
        buffer_append_text(out, "mapfile -t COMPREPLY < <(compgen -W '");
        append_tool_names(out);
        buffer_append_text(out, "' -- \"$word\")");
    } else {
        append_action(out, command->operand_kind, command->operand_choices);
    }
    buffer_append_text(out, "\n");
}

void write_bash(const struct command *command, struct buffer *out) {
    AUTO_FREE char *function = function_name(command);
    buffer_append_format(out, "# bash completion for %s\n_%s() {\n", command->name, function);
    buffer_append_text(out, "    COMPREPLY=()\n");
    if (is_front(command))
        append_front(out);
    buffer_append_text(out, "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
                            "    if [ \"$word\" = = ]; then word=\n"
                            "    elif [ \"$previous\" = = ]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
                            "    case $previous in\n");
    help_each_option(command, append_value, out);
    buffer_append_text(out, "    esac\n"
                            "    if [[ $word == -* ]]; then\n"
                            "        mapfile -t COMPREPLY < <(compgen -W '");
    help_each_option(command, append_word, out);
    buffer_append_text(out, "-h --help --help=json --version' -- \"$word\")\n"
                            "        return\n"
                            "    fi\n");
    append_operands(out, command);
    buffer_append_format(out, "}\ncomplete -F _%s %s\n", function, command->name);
}
