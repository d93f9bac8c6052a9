/* Private to common/command: from the option tables to the members of a tool's arguments. */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include "common/base/units.h"
#include "common/command/command.h"

/* What every tool has beside its own table. */
struct common_arguments {
    const char *output;
    const char *progress;
    bool quiet;
    bool verbose;
};

extern const struct option common_options[];
/* The tool's own rows, then those of its groups: `base` is where the row's offset counts from in its arguments. */
typedef void option_visit(void *context, const struct option *option, size_t base);
void options_visit(const struct command *command, option_visit *visit, void *context);
/* Rows of common_options that do not apply: a tool that writes no record has no --output. */
bool common_option_applies(const struct command *command, const struct option *option);

enum option_source { SOURCE_NONE, SOURCE_LINE, SOURCE_ENVIRONMENT, SOURCE_FILE, SOURCE_FALLBACK };

struct setting {
    const struct option *option;
    void *member;
    enum option_source source;
};

struct settings {
    const struct command *command;
    struct setting *items;
    size_t count;
    struct text_list owned; /* texts that no one else keeps alive */
};

enum question { QUESTION_NONE, QUESTION_HELP, QUESTION_HELP_JSON, QUESTION_VERSION };

/* Members get their "not given" values. */
void settings_open(struct settings *settings, const struct command *command, struct common_arguments *common,
                   void *arguments);
void settings_release(struct settings *settings);

/* The whole line: options, operands, and what follows "--" where the command takes it. A question anywhere before "--"
 * wins over every mistake. */
int settings_parse_line(struct settings *settings, int argc, char **argv, struct text_list *operands,
                        struct text_list *rest, enum question *question, struct error *error) MUST_CHECK;
/* What the line left open: environment, configuration files, fallbacks; then what is required. */
int settings_complete(struct settings *settings, struct error *error) MUST_CHECK;

/* Puts a text into a setting. `origin` names where it came from: "--port", "PL_PORT", "pl.json: port". */
int setting_put(struct setting *setting, const char *text, const char *origin, struct error *error) MUST_CHECK;
struct setting *settings_find(struct settings *settings, const char *name, size_t length);
/* The name of the option nearest to a mistyped one, or NULL when none is near. */
const char *settings_suggest(const struct settings *settings, const char *name);

/* The configuration files of design section 12. */
int settings_read_files(struct settings *settings, struct error *error) MUST_CHECK;

/* The environment variable of an option into `name`; empty when it has none. */
void option_variable(const struct option *option, char *name, size_t size);
bool option_takes_value(const struct option *option);

/* false when it is neither. */
bool parse_truth(const char *text, bool *truth);

#endif
