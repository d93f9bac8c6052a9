#include "completions/generate/generate.h"

#include <string.h>

const char zsh_values[] =
    "#autoload\n"
    "# _pl_values KIND [COMMAND...]: what the pl beside the tool says there is (the table is in tools/pl/complete.h), "
    "and\n"
    "# what COMMAND (_files, _directories) offers. Values are only ever assigned, and compadd quotes them.\n"
    "local kind=$1 front=${commands[$words[1]]:-${(Q)words[1]/#\\~\\//$HOME/}} line value\n"
    "local -a ended joined folders known\n"
    "local -i result=1\n"
    "shift\n"
    "front=${front%/*}/pl\n"
    "if [[ -x $front ]]; then\n"
    "    for line in ${(f)\"$($front --complete $kind \"${(Q)PREFIX}\" ${words[1]:t} \"${(@Q)words[2,CURRENT-1]}\" \\\n"
    "            2> /dev/null < /dev/null)\"}; do\n"
    "        value=${line%%$'\\t'*}\n"
    "        line=${${value%/}//:/\\\\:}${line#$value}\n"
    "        case $value in\n"
    "        */) folders+=(${line/$'\\t'/:}) known+=(${value%/}) ;;\n"
    "        *[=:]) joined+=(${line/$'\\t'/:}) ;;\n"
    "        *) ended+=(${line/$'\\t'/:}) ;;\n"
    "        esac\n"
    "    done\n"
    "    (( $#folders )) && _describe -t values value folders -q -S / && result=0\n"
    "    (( $#joined )) && _describe -t values value joined -S '' && result=0\n"
    "    (( $#ended )) && _describe -t values value ended && result=0\n"
    "fi\n"
    "(( $# )) && \"$@\" -F known && result=0\n"
    "return result\n";

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

static void append_action(struct buffer *out, enum option_kind kind, const char *const *choices, const char *values) {
    const char *files = kind == OPTION_FILE ? "_files" : kind == OPTION_DIRECTORY ? "_directories" : "";
    if (values) {
        buffer_append_format(out, " _pl_values %s%s%s", values, *files ? " " : "", files);
    } else if (kind == OPTION_CHOICE) {
        buffer_append_byte(out, '(');
        append_choices(out, choices);
        buffer_append_byte(out, ')');
    } else {
        buffer_append_text(out, *files ? files : " ");
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
        append_action(out, option->kind, option->choices, option->values);
    }
    buffer_append_text(out, "' \\\n");
    if (option->traits & OPTION_NEGATABLE)
        buffer_append_format(out, "    '--no-%s[turn --%s off]' \\\n", option->name, option->name);
}

/* A text in single quotes, in an array for _describe: a colon ends the name. */
static void append_row(struct buffer *out, const char *name, const char *help) {
    buffer_append_format(out, "        '%s:", name);
    for (; *help; help++)
        buffer_append_text(out, *help == '\'' ? "'\\''" : (char[]){*help, '\0'});
    buffer_append_text(out, "'\n");
}

static void append_words(struct buffer *out, const struct command *command) {
    buffer_append_text(out, "    '1:word:->word' \\\n    '*:operand:->operand' && return\n"
                            "case $state in\nword)\n    local -a rows=(\n");
    for (const struct command_word *word = command->words; word->name; word++)
        append_row(out, word->name, word->help);
    buffer_append_text(out, "    )\n    _describe -t words word rows ;;\noperand)\n    case $line[1] in\n");
    for (const struct command_word *word = command->words; word->name; word++) {
        if (word->kind == OPTION_TEXT && !word->values)
            continue;
        buffer_append_format(out, "    %s) ", word->name);
        if (word->kind == OPTION_CHOICE) {
            buffer_append_text(out, "compadd ");
            append_choices(out, word->choices);
        } else {
            append_action(out, word->kind, NULL, word->values);
        }
        buffer_append_text(out, " ;;\n");
    }
    buffer_append_text(out, "    esac ;;\nesac\n");
}

static void append_front(struct buffer *out) {
    buffer_append_text(out, "    '1:tool:->tool' \\\n    '*::argument:->argument' && return\n"
                            "case $state in\ntool)\n    local -a rows=(\n");
    append_row(out, "help", "show the help of a tool");
    for (size_t i = 0; commands[i]; i++)
        if (!is_front(commands[i]))
            append_row(out, commands[i]->name + strlen("pl-"), commands[i]->summary);
    buffer_append_text(out, "    )\n    _describe -t tools tool rows -- -V tools\n    _pl_values tools ;;\nargument)\n"
                            "    if [[ $words[1] == help ]]; then\n        (( CURRENT == 2 )) && compadd ");
    append_tool_names(out);
    buffer_append_text(out, "\n    else\n        words[1]=pl-${words[1]#pl-}\n"
                            "        _dispatch $words[1] $words[1] -default-\n    fi ;;\nesac\n");
}

static void append_operands(struct buffer *out, const struct command *command) {
    if (is_front(command)) {
        append_front(out);
    } else if (command->operands_maximum == 0) {
        buffer_append_text(out, "    '*: : '\n");
    } else if (command->words) {
        append_words(out, command);
    } else {
        buffer_append_text(out, "    '*:operand:");
        append_action(out, command->operand_kind, NULL, command->operand_values);
        buffer_append_text(out, "'\n");
    }
}

void write_zsh(const struct command *command, struct buffer *out) {
    bool has_states = is_front(command) || command->words;
    buffer_append_format(out, "#compdef %s\n", command->name);
    if (has_states)
        buffer_append_text(out, "local state line\n");
    if (command->takes_rest)
        buffer_append_text(out, "if (( ${words[(i)--]} < CURRENT )); then\n    _files\n    return\nfi\n");
    buffer_append_format(out, "_arguments -s %s%s\\\n", has_states ? "-C " : "", is_front(command) ? "" : "-S ");
    help_each_option(command, append_option, out);
    buffer_append_text(out, "    '(- *)'{-h,--help}'[show the help]' \\\n"
                            "    '(- *)--version[show the version]' \\\n");
    append_operands(out, command);
}
