/* What every tool's main is made of: the option table, help, output rules, exit codes. Design section 12.
 *
 * A tool is a `const struct command` in tools/NAME/command.c (no code: completions/generate links all of them) and a
 * run function in tools/NAME/main.c:
 *
 *   int main(int argc, char **argv) { return command_main(&pl_build_command, run, argc, argv); }
 *
 * command_main parses the line, answers --help, --help=json, --version, sets up signals and progress, calls run, and
 * turns its error into the text on stderr, the error record on stdout and the exit code.
 *
 * Options come from the line, then from the environment (a repeatable one takes one value per line of its variable),
 * then from pl.json, $XDG_CONFIG_HOME/pl/config.json and /etc/pl/config.json ({"pl-build": {"name": "shop", "env":
 * ["A=1"]}}), then from the table. Every tool also has -o/--output (when it writes records), --progress, -q, -v.
 *
 * Progress (context->progress) may be called from any thread, also in a loop: it draws at most ten times a second. On a
 * terminal each step is a line with its time, the running ones with their last lines; elsewhere the lines of each step
 * are printed together behind the tool's name. SIGALRM is used for it, so system calls that are not restarted may end
 * with EINTR. What steps print is kept in full in ${XDG_STATE_HOME:-~/.local/state}/pl/logs (the last 50 runs). INT,
 * TERM and HUP make progress_cancelled() true, as does the end of whoever reads standard output; the run should then
 * end with ERROR_CANCELLED. In GitHub Actions the lines form a group, a failure is one ::error, and the runner's
 * ::add-mask:: and ::stop-commands:: are not needed: secrets are hidden here, and every line of a step begins with the
 * tool's name and holds no "##[", so that a tool of the same pipe keeps its own commands. */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/record/record.h"

#include <stddef.h>

enum option_kind {
    OPTION_FLAG,      /* bool */
    OPTION_TEXT,      /* const char * */
    OPTION_FILE,      /* const char *, completes files */
    OPTION_DIRECTORY, /* const char *, completes directories */
    OPTION_NUMBER,    /* long long, 0 or more; -1 while not given and without a fallback */
    OPTION_DURATION,  /* long long seconds: 90, 90s, 5m, 2h, 7d; -1 while not given */
    OPTION_SIZE,      /* long long bytes: 512, 512Ki, 512Mi, 2Gi, 2G; -1 while not given */
    OPTION_CHOICE,    /* const char *, one of `choices` */
};

enum option_trait {
    OPTION_REQUIRED = 1 << 0,
    OPTION_REPEATABLE = 1 << 1, /* the member is a struct text_list instead */
    OPTION_SECRET = 1 << 2,     /* takes env:NAME, file:PATH or -, never the value itself */
    OPTION_NEGATABLE = 1 << 3,  /* a flag that --no-NAME turns off; the member is an int: -1 not given, 0, 1 */
    OPTION_HIDDEN = 1 << 4,
};

struct option {
    char letter;            /* 0: none */
    const char *name;       /* lower case with dashes */
    const char *value_name; /* "DIR"; NULL for flags */
    const char *help;       /* a phrase, no full stop */
    enum option_kind kind;
    unsigned traits;
    const char *variable;       /* the environment variable that sets it, or NULL: "PL_" and the name in capitals */
    const char *fallback;       /* the value when nothing sets it, or NULL */
    const char *const *choices; /* NULL-terminated */
    const char *values;         /* for completion: the kind of value, as tools/pl/complete.h lists them */
    size_t offset;              /* INTO(member) of the tool's struct arguments */
};

#define INTO(member) .offset = offsetof(struct arguments, member)

/* Rows that several tools have in common: their offsets are in a struct of their own, which lies in each tool's
 * arguments. */
struct option_group {
    const char *title;            /* the heading in --help */
    const struct option *options; /* ends with a row whose name is NULL */
    size_t offset;                /* INTO(member) */
};

struct command_exit {
    int status;
    const char *meaning;
};

struct command_example {
    const char *line;
    const char *meaning;
};

/* A subcommand, such as pl-local's start and stop, and what its own operands are, for completion. */
struct command_word {
    const char *name;
    const char *help; /* a phrase, no full stop */
    enum option_kind kind;
    const char *const *choices; /* of OPTION_CHOICE */
    const char *values;         /* as an option's */
};

struct command {
    const char *name;        /* "pl-build" */
    const char *summary;     /* one line, no full stop */
    const char *synopsis;    /* operands: "[DIR]", "[REF...]"; "" for none */
    const char *description; /* paragraphs separated by an empty line */
    const char *reads;       /* the record types it reads, for `pl`: "container", or NULL */
    const char *writes;
    const struct option *options;      /* ends with a row whose name is NULL */
    const struct option_group *groups; /* come after `options`; ends with one whose options are NULL; may be NULL */
    const struct command_example *examples;
    const struct command_exit *exits; /* beside 0 and 64, which every tool has */
    const char *const *see_also;
    size_t operands_minimum, operands_maximum;
    bool takes_rest;                  /* what follows "--" is no operand: it is for a program that the tool runs */
    enum option_kind operand_kind;    /* for completion: OPTION_TEXT, _FILE, _DIRECTORY; OPTION_CHOICE of `words` */
    const char *operand_values;       /* for completion, as an option's */
    const struct command_word *words; /* what the first operand may be; ends with a row without name; or NULL */
    size_t arguments_size;            /* sizeof(struct arguments) */
};

struct command_context {
    const struct command *command;
    char *const *operands;
    size_t operand_count;
    char *const *rest; /* what followed "--", when the command takes it */
    size_t rest_count;
    struct progress *progress;
    int verbosity; /* -1 quiet, 0, 1 verbose; common option -q and -v */
    bool in_github_actions;
    /* Set by the tool, or NULL: told when the wait for piped records begins, and when there are some. */
    int (*on_wait)(void *context, bool waits, struct error *error);
    void *on_wait_context;
};

/* Returns 0, or -1 with *error; frees nothing of the arguments. */
typedef int command_run(struct command_context *context, void *arguments, struct error *error);
int command_main(const struct command *command, command_run *run, int argc, char **argv);

/* The tool's input: records from operands, or else from standard input. A terminal as standard input is ERROR_USAGE
 * with a short usage. Handles an upstream `error` record (it is forwarded and the run ends). While waiting, `preflight`
 * (may be NULL) is called once before the first read; its failure ends the tool early. */
int command_read_records(struct command_context *context, unsigned accepted, int (*preflight)(void *, struct error *),
                         void *preflight_context, struct record_list *list, struct error *error) MUST_CHECK;

/* Writes the tool's results by -o/--output json|ref|human and whether stdout is a terminal; the records gain "tool". In
 * GitHub Actions also $GITHUB_OUTPUT: record, and for a single one ref, its type's name, url, digest, name, revision,
 * version, channel, expires, execution. Returns when the next tool of the pipe has taken them, or after some seconds:
 * close the store that they are in afterwards. */
int command_write_records(struct command_context *context, struct record_list *list, struct error *error) MUST_CHECK;

/* Text that is the answer itself and no record (pl-local env, pl-build --plan, pl-cache): to stdout as it is. */
int command_print(struct command_context *context, const char *text, struct error *error) MUST_CHECK;
/* The same for a text with parts from outside: control characters in it are shown as '?'. `what` names it when it has
 * outgrown the buffer. */
int command_print_scrubbed(struct command_context *context, const struct buffer *text, const char *what,
                           struct error *error) MUST_CHECK;

/* Whether the answer was asked for as JSON: by --output or PL_OUTPUT, not because no terminal reads it. */
bool command_wants_json(const struct command_context *context);

/* One line for the end of the run on stderr, "NAME: TEXT"; in GitHub Actions also a row in the step summary. */
void command_summary(struct command_context *context, const char *format, ...) PRINTF_LIKE(2, 3);

/* In GitHub Actions: an environment variable of the job's later steps ($GITHUB_ENV), an output of this step
 * ($GITHUB_OUTPUT). Elsewhere they do nothing. */
void command_set_variable(struct command_context *context, const char *name, const char *value);
void command_set_output(struct command_context *context, const char *name, const char *value);

/* From now on this text is shown as *** in every line, log, error and record of an error; in GitHub Actions the runner
 * is told to do the same with what other programs print. */
int command_mask(struct command_context *context, const char *secret, struct error *error) MUST_CHECK;

/* One place where something is wrong, for the reader of a change: an ::error annotation in GitHub Actions, nothing
 * elsewhere. To be called when the work is done. */
struct command_annotation {
    const char *file; /* absolute, or NULL */
    unsigned line;    /* from 1; 0: none */
    const char *title, *message;
};
void command_annotate(struct command_context *context, const struct command_annotation *annotation);

/* The value of a `secret` option: env:NAME, file:PATH (a trailing newline is dropped), cmd:COMMAND (what the user's
 * shell makes of it prints; likewise) or - (standard input). The caller
 * wipes and frees. From then on it is shown as *** in every line, log, error and record of an error (if it has 6 bytes
 * or more). What looks like a secret itself is ERROR_USAGE and is not repeated in the message. */
char *command_secret(const char *source, struct error *error);

/* The same for a secret that is handed on as a file: what file:PATH and - give is left as it is, byte for byte (at most
 * 64 KiB). */
int command_secret_content(const char *source, char **content, size_t *length, struct error *error) MUST_CHECK;

/* The paths of the configuration files that there may be, the nearest first. */
void command_config_files(struct text_list *paths);

/* The options of a table out of a command line (without operands), the environment and the configuration files, as
 * command_main reads them, without running anything. What is in `arguments` lives until the release. NULL: the line is
 * wrong. */
struct command_options;
struct command_options *command_options_read(const struct command *command, int argc, char **argv, void *arguments,
                                             struct error *error) MUST_CHECK;
void command_options_release(struct command_options **options);
#define AUTO_OPTIONS AUTO(command_options_release)

/* A mistake in a table: NULL, or what is wrong with it (duplicate names or letters, help empty or with a full stop, a
 * default that is no choice, required with a default, a name with capitals...). The caller frees. Tests call it for
 * every tool. */
char *command_fault(const struct command *command);

#endif
