#include "common/base/version.h"
#include "common/command/help.h"
#include "common/command/options.h"

struct showing {
    void (*each)(void *context, const struct option *option);
    void *context;
};

static void show(void *context, const struct option *option, size_t base) {
    struct showing *showing = context;
    (void)base;
    if (!(option->traits & OPTION_HIDDEN))
        showing->each(showing->context, option);
}

void help_each_option(const struct command *command, void (*each)(void *context, const struct option *option),
                      void *context) {
    struct showing showing = {each, context};
    options_visit(command, show, &showing);
    for (const struct option *option = common_options; option->name; option++)
        if (common_option_applies(command, option))
            each(context, option);
}

static const char *kind_name(enum option_kind kind) {
    static const char *const names[] = {
        [OPTION_FLAG] = "flag",           [OPTION_TEXT] = "text",     [OPTION_FILE] = "file",
        [OPTION_DIRECTORY] = "directory", [OPTION_NUMBER] = "number", [OPTION_DURATION] = "duration",
        [OPTION_SIZE] = "size",           [OPTION_CHOICE] = "choice"};
    return names[kind];
}

static struct json *choices_json(const char *const *choices) {
    struct json *array = json_new_array();
    for (size_t i = 0; choices[i]; i++)
        json_append_text(array, choices[i]);
    return array;
}

static void append_option(void *context, const struct option *option) {
    struct json *array = context, *object = json_new_object();
    char letter[] = {option->letter, '\0'}, variable[128];
    option_variable(option, variable, sizeof(variable));
    json_set_text(object, "name", option->name);
    if (option->letter)
        json_set_text(object, "letter", letter);
    json_set_text(object, "kind", kind_name(option->kind));
    json_set_text(object, "value", option->value_name);
    json_set_text(object, "help", option->help);
    if (variable[0])
        json_set_text(object, "variable", variable);
    json_set_text(object, "default", option->fallback);
    if (option->choices)
        json_set(object, "choices", choices_json(option->choices));
    json_set_text(object, "values", option->values);
    json_set_bool(object, "required", option->traits & OPTION_REQUIRED);
    json_set_bool(object, "repeatable", option->traits & OPTION_REPEATABLE);
    json_set_bool(object, "negatable", option->traits & OPTION_NEGATABLE);
    json_set_bool(object, "secret", option->traits & OPTION_SECRET);
    json_append(array, object);
}

static struct json *words_json(const struct command_word *words) {
    struct json *array = json_new_array();
    for (; words->name; words++) {
        struct json *object = json_new_object();
        json_set_text(object, "name", words->name);
        json_set_text(object, "help", words->help);
        json_set_text(object, "kind", kind_name(words->kind));
        if (words->choices)
            json_set(object, "choices", choices_json(words->choices));
        json_set_text(object, "values", words->values);
        json_append(array, object);
    }
    return array;
}

static struct json *operands_json(const struct command *command) {
    struct json *object = json_new_object();
    json_set_text(object, "synopsis", command->synopsis);
    json_set_integer(object, "minimum", (int64_t)command->operands_minimum);
    json_set_integer(object, "maximum", (int64_t)command->operands_maximum);
    json_set_text(object, "kind", kind_name(command->operand_kind));
    json_set_text(object, "values", command->operand_values);
    if (command->words)
        json_set(object, "words", words_json(command->words));
    return object;
}

static void append_exit(struct json *array, int status, const char *meaning) {
    struct json *object = json_new_object();
    json_set_integer(object, "status", status);
    json_set_text(object, "meaning", meaning);
    json_append(array, object);
}

struct json *help_json(const struct command *command) {
    struct json *object = json_new_object(), *options = json_new_array(), *exits = json_new_array(),
                *examples = json_new_array();
    json_set_text(object, "name", command->name);
    json_set_text(object, "version", PL_VERSION);
    json_set_text(object, "summary", command->summary);
    AUTO_BUFFER struct buffer usage = BUFFER(4096);
    help_usage(command, &usage);
    json_set_text(object, "usage", buffer_text(&usage));
    json_set_text(object, "description", command->description);
    json_set_text(object, "reads", command->reads);
    json_set_text(object, "writes", command->writes);
    json_set(object, "operands", operands_json(command));
    help_each_option(command, append_option, options);
    json_set(object, "options", options);
    for (const struct command_example *example = command->examples; example && example->line; example++) {
        struct json *row = json_new_object();
        json_set_text(row, "line", example->line);
        json_set_text(row, "meaning", example->meaning);
        json_append(examples, row);
    }
    json_set(object, "examples", examples);
    append_exit(exits, 0, "done");
    append_exit(exits, 64, "the command line is wrong");
    for (const struct command_exit *row = command->exits; row && row->meaning; row++)
        append_exit(exits, row->status, row->meaning);
    json_set(object, "exits", exits);
    if (command->see_also)
        json_set(object, "see_also", choices_json(command->see_also));
    return object;
}
