#include "common/command/options.h"

#include <ctype.h>
#include <string.h>

static const char *const output_choices[] = {"json", "ref", "human", NULL};
static const char *const progress_choices[] = {"auto", "tty", "plain", "github", NULL};

#define COMMON(name_) .offset = offsetof(struct common_arguments, name_)

const struct option common_options[] = {
    {.letter = 'o',
     .name = "output",
     .value_name = "FORM",
     .help = "what is written to standard output: records, refs alone, or a text for people; without it records "
             "in a pipe or file, and the ref on a terminal",
     .kind = OPTION_CHOICE,
     .choices = output_choices,
     COMMON(output)},
    {.name = "progress",
     .value_name = "FORM",
     .help = "how the work is told on standard error",
     .kind = OPTION_CHOICE,
     .choices = progress_choices,
     .fallback = "auto",
     COMMON(progress)},
    {.letter = 'q', .name = "quiet", .help = "tell only what fails", .kind = OPTION_FLAG, COMMON(quiet)},
    {.letter = 'v', .name = "verbose", .help = "tell more", .kind = OPTION_FLAG, COMMON(verbose)},
    {0},
};

bool common_option_applies(const struct command *command, const struct option *option) {
    return command->writes || !text_equal(option->name, "output");
}

bool option_takes_value(const struct option *option) {
    return option->kind != OPTION_FLAG;
}

void option_variable(const struct option *option, char *name, size_t size) {
    snprintf(name, size, "%s%s", option->variable ? "" : "PL_", option->variable ? option->variable : option->name);
    for (char *at = name; !option->variable && *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

void options_visit(const struct command *command, option_visit *visit, void *context) {
    for (const struct option *option = command->options; option && option->name; option++)
        visit(context, option, 0);
    for (const struct option_group *group = command->groups; group && group->options; group++)
        for (const struct option *option = group->options; option->name; option++)
            visit(context, option, group->offset);
}

static void add(struct settings *settings, const struct option *option, void *base) {
    void *member = (char *)base + option->offset;
    settings->items = memory_resize(settings->items, settings->count + 1, sizeof(*settings->items));
    settings->items[settings->count++] = (struct setting){.option = option, .member = member};
    if (option->traits & OPTION_REPEATABLE)
        *(struct text_list *)member = (struct text_list){0};
    else if (option->kind == OPTION_FLAG && (option->traits & OPTION_NEGATABLE))
        *(int *)member = -1;
    else if (option->kind == OPTION_NUMBER || option->kind == OPTION_DURATION || option->kind == OPTION_SIZE)
        *(long long *)member = -1;
}

struct opening {
    struct settings *settings;
    void *arguments;
};

static void add_own(void *context, const struct option *option, size_t base) {
    struct opening *opening = context;
    add(opening->settings, option, (char *)opening->arguments + base);
}

void settings_open(struct settings *settings, const struct command *command, struct common_arguments *common,
                   void *arguments) {
    *settings = (struct settings){.command = command};
    struct opening opening = {settings, arguments};
    options_visit(command, add_own, &opening);
    for (const struct option *option = common_options; option->name; option++)
        if (common_option_applies(command, option))
            add(settings, option, common);
}

void settings_release(struct settings *settings) {
    for (size_t i = 0; i < settings->count; i++)
        if (settings->items[i].option->traits & OPTION_REPEATABLE)
            text_list_release(settings->items[i].member);
    free(settings->items);
    text_list_release(&settings->owned);
    *settings = (struct settings){0};
}

struct setting *settings_find(struct settings *settings, const char *name, size_t length) {
    for (size_t i = 0; i < settings->count; i++) {
        const char *own = settings->items[i].option->name;
        if (strlen(own) == length && memcmp(own, name, length) == 0)
            return &settings->items[i];
    }
    return NULL;
}

const char *settings_suggest(const struct settings *settings, const char *name) {
    AUTO_FREE const char **names = memory_allocate(settings->count + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < settings->count; i++)
        if (!(settings->items[i].option->traits & OPTION_HIDDEN))
            names[count++] = settings->items[i].option->name;
    return text_nearest(name, names);
}

struct command_options {
    struct settings settings;
    struct common_arguments common;
};

struct command_options *command_options_read(const struct command *command, int argc, char **argv, void *arguments,
                                             struct error *error) {
    AUTO_LIST struct text_list operands = {0}, rest = {0};
    enum question question = QUESTION_NONE;
    AUTO_OPTIONS struct command_options *options = memory_allocate(1, sizeof(*options));
    settings_open(&options->settings, command, &options->common, arguments);
    if (settings_parse_line(&options->settings, argc, argv, &operands, &rest, &question, error) < 0 ||
        settings_complete(&options->settings, error) < 0)
        return NULL;
    return take_pointer(&options);
}

void command_options_release(struct command_options **options) {
    if (*options)
        settings_release(&(*options)->settings);
    free(*options);
    *options = NULL;
}
