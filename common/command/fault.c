#include "common/command/options.h"

#include <string.h>

static bool is_name(const char *name) {
    size_t length = name ? strlen(name) : 0;
    return length > 1 && length <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
           name[0] != '-' && name[length - 1] != '-';
}

static bool is_phrase(const char *text) {
    return !text_is_empty(text) && !text_ends_with(text, ".") && !strchr(text, '\n');
}

static bool is_choice(const struct option *option) {
    for (size_t i = 0; option->choices[i]; i++)
        if (text_equal(option->choices[i], option->fallback))
            return true;
    return false;
}

static bool fallback_fits(const struct option *option) {
    long long number = 0;
    struct text_list list = {0};
    const char *text = NULL;
    int truth = 0;
    struct setting setting = {.option = option};
    setting.member = option->kind == OPTION_FLAG                                    ? (void *)&truth
                     : option->traits & OPTION_REPEATABLE                           ? (void *)&list
                     : option->kind >= OPTION_NUMBER && option->kind <= OPTION_SIZE ? (void *)&number
                                                                                    : (void *)&text;
    bool fits = setting_put(&setting, option->fallback, "", NULL) == 0;
    text_list_release(&list);
    return fits;
}

static const char *value_fault(const struct option *option) {
    bool flag = option->kind == OPTION_FLAG;
    if (flag != !option->value_name)
        return flag ? "a flag with a value name" : "no value name";
    if ((option->kind == OPTION_CHOICE) != (option->choices && option->choices[0]))
        return "choices and the kind choice go together";
    if (option->kind == OPTION_CHOICE && option->fallback && !is_choice(option))
        return "the default is none of the choices";
    if (option->fallback && !fallback_fits(option))
        return "the default does not fit the kind";
    if ((option->traits & OPTION_REPEATABLE) &&
        (flag || (option->kind >= OPTION_NUMBER && option->kind <= OPTION_SIZE)))
        return "only texts can be repeated";
    if ((option->traits & OPTION_NEGATABLE) && !flag)
        return "only a flag can be negated";
    return NULL;
}

static const char *option_fault(const struct option *option) {
    if (!is_name(option->name))
        return "the name is not lower case with dashes";
    if (text_equal(option->name, "help") || text_equal(option->name, "version") || option->letter == 'h')
        return "help and version belong to every tool";
    if (option->letter && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", option->letter))
        return "the letter is neither letter nor digit";
    if (!is_phrase(option->help))
        return "the help is empty, ends with a full stop or has several lines";
    if ((option->traits & OPTION_REQUIRED) && (option->fallback || (option->traits & OPTION_HIDDEN)))
        return "required, and yet with a default or hidden";
    if ((option->traits & OPTION_SECRET) && option->kind != OPTION_TEXT)
        return "a secret is a text";
    return value_fault(option);
}

/* Whether --no-NAME of a negatable flag is another row's own name. */
static bool negates(const struct option *option, const struct option *other) {
    return (option->traits & OPTION_NEGATABLE) && text_starts_with(other->name, "no-") &&
           text_equal(other->name + strlen("no-"), option->name);
}

static const char *clash(const struct option *option, const struct option *other) {
    if (text_equal(option->name, other->name))
        return "the name is there twice";
    if (negates(option, other) || negates(other, option))
        return "one of the two names is the other's negation";
    return option->letter && option->letter == other->letter ? "the letter is there twice" : NULL;
}

struct search {
    const struct command *command;
    const struct option *option; /* the one that is looked at, and those before it */
    bool reached;
    const char *fault;
    char *text;
};

static void compare(void *context, const struct option *other, size_t base) {
    struct search *search = context;
    (void)base;
    search->reached |= other == search->option;
    if (!search->reached && !search->fault)
        search->fault = clash(search->option, other);
}

static void look(void *context, const struct option *option, size_t base) {
    struct search *search = context;
    if (search->text)
        return;
    search->option = option;
    search->reached = false;
    search->fault = option_fault(option);
    options_visit(search->command, compare, search);
    for (const struct option *other = common_options; !search->fault && other->name; other++)
        search->fault = common_option_applies(search->command, other) ? clash(option, other) : NULL;
    if (!search->fault && base + option->offset >= search->command->arguments_size)
        search->fault = "its member lies outside of the arguments";
    if (search->fault)
        search->text = text_format("%s --%s: %s", search->command->name, option->name, search->fault);
}

static char *options_fault(const struct command *command) {
    struct search search = {.command = command};
    options_visit(command, look, &search);
    return search.text;
}

static const char *command_text_fault(const struct command *command) {
    if (!is_name(command->name) || (!text_starts_with(command->name, "pl-") && !text_equal(command->name, "pl")))
        return "the name is not pl-NAME";
    if (!is_phrase(command->summary))
        return "the summary is empty, ends with a full stop or has several lines";
    if (!command->synopsis)
        return "the synopsis is NULL";
    if (text_is_empty(command->description))
        return "there is no description";
    if (command->operands_minimum > command->operands_maximum)
        return "more operands are needed than allowed";
    if ((command->operands_maximum > 0) != (command->synopsis[0] != '\0'))
        return "the synopsis and the number of operands differ";
    if ((command->operand_kind == OPTION_CHOICE) != (command->words != NULL))
        return "words and the operands' kind choice go together";
    return NULL;
}

static const char *words_fault(const struct command *command) {
    for (const struct command_word *word = command->words; word && word->name; word++) {
        if (!is_name(word->name) || !is_phrase(word->help))
            return "a word is not lower case with dashes, or its help is empty or ends with a full stop";
        if ((word->kind == OPTION_CHOICE) != (word->choices != NULL))
            return "choices of a word and its kind choice go together";
    }
    return NULL;
}

static const char *rows_fault(const struct command *command) {
    for (const struct command_example *row = command->examples; row && row->line; row++)
        if (!is_phrase(row->meaning))
            return "an example has no meaning, or one with a full stop";
    int last = 0;
    for (const struct command_exit *row = command->exits; row && row->meaning; row++) {
        if (row->status <= last || row->status > 255 || row->status == 64 || !is_phrase(row->meaning))
            return "the exit codes are not in order, hold 0 or 64, or have no meaning";
        last = row->status;
    }
    return NULL;
}

char *command_fault(const struct command *command) {
    const char *fault = command_text_fault(command);
    if (!fault)
        fault = words_fault(command);
    if (!fault)
        fault = rows_fault(command);
    return fault ? text_format("%s: %s", command->name ? command->name : "(no name)", fault) : options_fault(command);
}
