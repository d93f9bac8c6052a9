#include "common/base/version.h"
#include "common/command/help.h"
#include "common/command/lines.h"
#include "common/command/run.h"

#include <fcntl.h>
#include <string.h>

/* A descriptor that the parent closed must not become a file of ours; writing to a closed output still fails. */
static void open_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

static int answer(const struct command *command, enum question question, struct error *error) {
    AUTO_FREE char *text = NULL;
    if (question == QUESTION_HELP) {
        text = help_text(command);
    } else if (question == QUESTION_VERSION) {
        text = text_format("%s (pl) %s\n", command->name, PL_VERSION);
    } else {
        AUTO_JSON struct json *json = help_json(command);
        text = json_format(json, JSON_PRETTY);
    }
    return write_output(text, strlen(text), error);
}

static bool terminal_can_draw(void) {
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && !text_is_empty(terminal) && !text_equal(terminal, "dumb");
}

static int choose_display(const struct run *run, const char *form, enum display_mode *mode, struct error *error) {
    if (text_equal(form, "tty") && !isatty(STDERR_FILENO)) {
        error_set(error, ERROR_USAGE, "--progress tty: standard error is not a terminal");
        return error_next(error, "leave the option out, or take --progress plain");
    }
    if (text_equal(form, "tty"))
        *mode = DISPLAY_TTY;
    else if (text_equal(form, "plain"))
        *mode = DISPLAY_PLAIN;
    else if (text_equal(form, "github") || run->context.in_github_actions)
        *mode = DISPLAY_GITHUB;
    else
        *mode = terminal_can_draw() ? DISPLAY_TTY : DISPLAY_PLAIN;
    return 0;
}

static enum output_mode choose_output(const char *form) {
    if (!form)
        return isatty(STDOUT_FILENO) ? OUTPUT_HUMAN : OUTPUT_JSON;
    return text_equal(form, "json") ? OUTPUT_JSON : text_equal(form, "ref") ? OUTPUT_REF : OUTPUT_HUMAN;
}

/* What --output says on a line that is wrong elsewhere: a failure must not end up in $(pl-x -o ref). */
static const char *output_on_line(int argc, char **argv) {
    const char *form = getenv("PL_OUTPUT");
    for (int i = 1; i < argc && !text_equal(argv[i], "--"); i++)
        if ((text_equal(argv[i], "-o") || text_equal(argv[i], "--output")) && i + 1 < argc)
            form = argv[++i];
        else if (text_starts_with(argv[i], "--output="))
            form = argv[i] + strlen("--output=");
        else if (text_starts_with(argv[i], "-o"))
            form = argv[i] + strlen("-o");
    return text_is_empty(form) ? NULL : form;
}

/* A wish for a terminal that is not the command line's own (PL_PROGRESS, pl.json) gives way where there is none. */
static const char *progress_form(struct settings *settings, const char *form) {
    const struct setting *setting = settings_find(settings, "progress", strlen("progress"));
    bool wished = setting && setting->source != SOURCE_LINE;
    return wished && text_equal(form, "tty") && !isatty(STDERR_FILENO) ? "auto" : form;
}

static int open_run(struct run *run, const struct common_arguments *common, struct error *error) {
    enum display_mode mode = DISPLAY_PLAIN;
    run->context.verbosity = common->quiet ? -1 : common->verbose || text_equal(getenv("RUNNER_DEBUG"), "1") ? 1 : 0;
    run->output = choose_output(common->output);
    run->output_is_named = common->output != NULL;
    if (choose_display(run, common->progress, &mode, error) < 0)
        return -1;
    run->display = display_open(run->context.command->name, mode, run->context.verbosity);
    run->context.progress = display_progress(run->display);
    return 0;
}

/* The reason that matters is why the work was stopped, not where it was when it stopped; how to go on is told, too. */
static void explain_cancelling(struct error *error) {
    AUTO_FREE char *next = text_copy(error->kind == ERROR_CANCELLED ? error->next : "");
    if (signals_caught()) {
        int exit_code = 128 + signals_caught();
        error_set(error, ERROR_CANCELLED, "stopped by a signal (%s)", sigabbrev_np(signals_caught()));
        error->exit_code = exit_code;
    } else if (output_is_abandoned()) {
        error_set(error, ERROR_CANCELLED, "stopped: the next command in the pipe exited");
    }
    if (*next)
        error_next(error, "%s", next);
}

static int finish_run(struct run *run, int result, struct error *error) {
    if (result == 0) {
        display_finish(run->display);
        if (run->context.verbosity > 0)
            report_log(run);
        return 0;
    }
    if (error->kind == ERROR_NONE)
        error_set(error, ERROR_INTERNAL, "it failed without saying why; this is a bug of pl");
    bool stopped = signals_caught() || output_was_abandoned();
    if (stopped || error->kind == ERROR_CANCELLED || error->kind == ERROR_CANNOT_WRITE)
        explain_cancelling(error);
    lines_clean_error(error);
    report_failure(run, error);
    return error_exit_code(error);
}

static int parse_and_run(struct run *run, struct settings *settings, struct common_arguments *common, command_run *work,
                         void *arguments, int argc, char **argv, struct error *error) {
    AUTO_LIST struct text_list operands = {0}, rest = {0};
    enum question question = QUESTION_NONE;
    if (settings_parse_line(settings, argc, argv, &operands, &rest, &question, error) < 0)
        return -1;
    if (question != QUESTION_NONE) {
        run->printed_text = true;
        return answer(run->context.command, question, error);
    }
    if (settings_complete(settings, error) < 0)
        return -1;
    common->progress = progress_form(settings, common->progress);
    if (open_run(run, common, error) < 0)
        return -1;
    run->context.operands = operands.items;
    run->context.operand_count = operands.count;
    run->context.rest = rest.items;
    run->context.rest_count = rest.count;
    return work(&run->context, arguments, error);
}

int command_main(const struct command *command, command_run *work, int argc, char **argv) {
    open_standard_descriptors();
    signals_open();
    struct run run = {
        .context = {.command = command, .in_github_actions = text_equal(getenv("GITHUB_ACTIONS"), "true")}};
    run.output = choose_output(output_on_line(argc, argv));
    struct common_arguments common = {0};
    AUTO_FREE void *arguments = memory_allocate(1, command->arguments_size);
    struct settings settings;
    settings_open(&settings, command, &common, arguments);
    struct error error = {0};
    int result = parse_and_run(&run, &settings, &common, work, arguments, argc, argv, &error);
    int status = finish_run(&run, result, &error);
    display_close(&run.display);
    settings_release(&settings);
    if (result < 0 && signals_caught())
        signals_raise();
    return status;
}
