/* The command line. No abbreviations of long names, options and operands in any order, "--" ends the options. */
#include "common/command/options.h"

#include <string.h>

struct line {
    struct settings *settings;
    char **argv;
    int argc, at;
    struct text_list *operands, *rest;
    bool ended; /* "--" was seen */
};

static int give_advice(const struct settings *settings, struct error *error) {
    return error_next(error, "see: %s --help", settings->command->name);
}

static int unknown_long(const struct settings *settings, const char *name, struct error *error) {
    const char *nearest = settings_suggest(settings, name);
    error_set(error, ERROR_USAGE, "unknown option --%s", name);
    return nearest ? error_next(error, "did you mean --%s? See: %s --help", nearest, settings->command->name)
                   : give_advice(settings, error);
}

static int put(struct line *line, struct setting *setting, const char *text, const char *origin, struct error *error) {
    if (setting->source == SOURCE_LINE && option_takes_value(setting->option) &&
        !(setting->option->traits & OPTION_REPEATABLE)) {
        error_set(error, ERROR_USAGE, "%s was given twice", origin);
        return give_advice(line->settings, error);
    }
    setting->source = SOURCE_LINE;
    if (setting_put(setting, text, origin, error) < 0)
        return error->next[0] ? -1 : give_advice(line->settings, error);
    return 0;
}

static int need_value(struct line *line, const struct option *option, const char *origin, const char **value,
                      struct error *error) {
    if (line->at + 1 < line->argc) {
        *value = line->argv[++line->at];
        return 0;
    }
    error_set(error, ERROR_USAGE, "%s needs a value: %s %s", origin, origin, option->value_name);
    return give_advice(line->settings, error);
}

static int parse_long(struct line *line, const char *argument, struct error *error) {
    const char *name = argument + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    AUTO_FREE char *origin = text_format("--%.*s", (int)length, name);
    struct setting *setting = settings_find(line->settings, name, length);
    bool negated = false;
    if (!setting && length > 3 && strncmp(name, "no-", 3) == 0) {
        setting = settings_find(line->settings, name + 3, length - 3);
        negated = setting && (setting->option->traits & OPTION_NEGATABLE);
        setting = negated ? setting : NULL;
    }
    if (!setting)
        return unknown_long(line->settings, origin + 2, error);
    if (!option_takes_value(setting->option)) {
        if (!equals)
            return put(line, setting, negated ? "false" : "true", origin, error);
        error_set(error, ERROR_USAGE, "%s takes no value", origin);
        return give_advice(line->settings, error);
    }
    const char *value = equals ? equals + 1 : NULL;
    if (!value && need_value(line, setting->option, origin, &value, error) < 0)
        return -1;
    return put(line, setting, value, origin, error);
}

static struct setting *find_letter(struct settings *settings, char letter) {
    for (size_t i = 0; i < settings->count; i++)
        if (settings->items[i].option->letter == letter)
            return &settings->items[i];
    return NULL;
}

/* "-abc", "-ofile", "-o file" */
static int parse_letters(struct line *line, const char *argument, struct error *error) {
    for (const char *at = argument + 1; *at; at++) {
        char origin[] = {'-', *at, '\0'};
        struct setting *setting = find_letter(line->settings, *at);
        if (!setting) {
            error_set(error, ERROR_USAGE, "unknown option %s", origin);
            return give_advice(line->settings, error);
        }
        if (!option_takes_value(setting->option)) {
            if (put(line, setting, "true", origin, error) < 0)
                return -1;
            continue;
        }
        const char *value = at[1] ? at + 1 : NULL;
        if (!value && need_value(line, setting->option, origin, &value, error) < 0)
            return -1;
        return put(line, setting, value, origin, error);
    }
    return 0;
}

static int parse_argument(struct line *line, struct error *error) {
    char *argument = line->argv[line->at];
    if (line->ended && line->settings->command->takes_rest) {
        text_list_add(line->rest, argument);
        return 0;
    }
    if (line->ended || argument[0] != '-' || !argument[1]) {
        text_list_add(line->operands, argument);
        return 0;
    }
    if (text_equal(argument, "--")) {
        line->ended = true;
        return 0;
    }
    return argument[1] == '-' ? parse_long(line, argument, error) : parse_letters(line, argument, error);
}

static enum question find_question(int argc, char **argv) {
    static const struct {
        const char *text;
        enum question question;
    } questions[] = {
        {"-h", QUESTION_HELP},
        {"--help", QUESTION_HELP},
        {"--help=json", QUESTION_HELP_JSON},
        {"--version", QUESTION_VERSION},
    };
    for (int i = 1; i < argc && !text_equal(argv[i], "--"); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(questions); j++)
            if (text_equal(argv[i], questions[j].text))
                return questions[j].question;
    return QUESTION_NONE;
}

static int check_operands(const struct command *command, const struct text_list *operands, struct error *error) {
    if (operands->count < command->operands_minimum) {
        error_set(error, ERROR_USAGE, "%s is missing", command->synopsis);
        return error_next(error, "see: %s --help", command->name);
    }
    if (operands->count > command->operands_maximum) {
        const char *surplus = operands->items[command->operands_maximum];
        if (command->operands_maximum == 0)
            error_set(error, ERROR_USAGE, "it takes no operand, but \"%s\" was given", surplus);
        else
            error_set(error, ERROR_USAGE, "\"%s\" is one operand too many", surplus);
        return error_next(error, "see: %s --help", command->name);
    }
    if (operands->count == 0 || command->operand_kind != OPTION_CHOICE)
        return 0;
    for (const struct command_word *word = command->words; word->name; word++)
        if (text_equal(word->name, operands->items[0]))
            return 0;
    error_set(error, ERROR_USAGE, "there is no \"%s %s\"", command->name, operands->items[0]);
    return error_next(error, "see: %s --help", command->name);
}

int settings_parse_line(struct settings *settings, int argc, char **argv, struct text_list *operands,
                        struct text_list *rest, enum question *question, struct error *error) {
    *question = find_question(argc, argv);
    if (*question != QUESTION_NONE)
        return 0;
    struct line line = {.settings = settings, .argv = argv, .argc = argc, .operands = operands, .rest = rest};
    for (line.at = 1; line.at < argc; line.at++)
        if (parse_argument(&line, error) < 0)
            return -1;
    return check_operands(settings->command, operands, error);
}

static int put_variable(struct settings *settings, struct setting *setting, struct error *error) {
    char name[128];
    option_variable(setting->option, name, sizeof(name));
    const char *text = name[0] ? getenv(name) : NULL;
    if (setting->source != SOURCE_NONE || text_is_empty(text))
        return 0;
    setting->source = SOURCE_ENVIRONMENT;
    AUTO_LIST struct text_list values = {0};
    if (setting->option->traits & OPTION_REPEATABLE) {
        text_list_split(&values, text, '\n');
    } else {
        text_list_add(&settings->owned, text);
        return setting_put(setting, settings->owned.items[settings->owned.count - 1], name, error);
    }
    for (size_t i = 0; i < values.count; i++)
        if (*values.items[i] && setting_put(setting, values.items[i], name, error) < 0)
            return -1;
    return 0;
}

static int put_fallback(struct setting *setting, struct error *error) {
    if (setting->source != SOURCE_NONE || !setting->option->fallback)
        return 0;
    setting->source = SOURCE_FALLBACK;
    return setting_put(setting, setting->option->fallback, setting->option->name, error);
}

static int check_required(const struct settings *settings, const struct setting *setting, struct error *error) {
    const struct option *option = setting->option;
    if (setting->source != SOURCE_NONE || !(option->traits & OPTION_REQUIRED))
        return 0;
    char variable[128];
    option_variable(option, variable, sizeof(variable));
    error_set(error, ERROR_USAGE, "--%s is missing: %s", option->name, option->help);
    return error_next(error, "add --%s %s%s%s; see: %s --help", option->name, option->value_name,
                      variable[0] ? " or set " : "", variable, settings->command->name);
}

int settings_complete(struct settings *settings, struct error *error) {
    for (size_t i = 0; i < settings->count; i++)
        if (put_variable(settings, &settings->items[i], error) < 0)
            return -1;
    if (settings_read_files(settings, error) < 0)
        return -1;
    for (size_t i = 0; i < settings->count; i++)
        if (put_fallback(&settings->items[i], error) < 0 || check_required(settings, &settings->items[i], error) < 0)
            return -1;
    return 0;
}
