/* The last words of a run. */
#include "common/command/github.h"
#include "common/command/lines.h"
#include "common/command/run.h"
#include "common/file/file.h"

#include <stdarg.h>
#include <string.h>

/* Between the tools of a pipe the failure itself travels to the end of it. */
static bool writes_error_record(const struct run *run) {
    return run->context.command->writes && run->output == OUTPUT_JSON && !run->upstream_failed && !run->printed_text &&
           !isatty(STDOUT_FILENO);
}

void report_log(const struct run *run) {
    const char *log = display_log_path(run->display);
    AUTO_FREE char *path = log ? text_format("the full log: %s", log) : NULL;
    if (path)
        display_say(run->display, path);
}

/* The name and the last lines of the step that failed, unless they are what was printed last. */
static void say_step(struct run *run, const struct display_failure *failure) {
    if (failure->told)
        return;
    AUTO_FREE char *head = failure->line_total > failure->line_count
                               ? text_format("%s: failed; its last %zu of %zu lines:", failure->step,
                                             failure->line_count, failure->line_total)
                               : text_format("%s: failed%s", failure->step, failure->line_count ? ":" : "");
    display_say(run->display, head);
    for (size_t i = 0; i < failure->line_count; i++) {
        AUTO_FREE char *line = text_format("  │ %s", failure->lines[i]);
        display_say(run->display, line);
    }
}

static void say_error(struct run *run, const struct error *error) {
    AUTO_FREE char *what = text_format("%s: %s", run->context.command->name, error->text);
    display_say(run->display, what);
    if (error->next[0]) {
        AUTO_FREE char *next = text_format("  %s", error->next);
        display_say(run->display, next);
    }
}

void report_failure(struct run *run, const struct error *error) {
    struct display_failure failure;
    display_finish(run->display);
    bool has_step = !run->upstream_failed && run->display && display_failed_step(run->display, &failure);
    if (has_step) {
        say_step(run, &failure);
        report_log(run);
    }
    if (run->context.in_github_actions && !run->upstream_failed)
        github_failure(run->context.command->name, error, has_step ? &failure : NULL);
    say_error(run, error);
    if (writes_error_record(run) && record_write_error(STDOUT_FILENO, run->context.command->name, error) < 0)
        return;
}

void command_set_variable(struct command_context *context, const char *name, const char *value) {
    if (context->in_github_actions)
        github_set("GITHUB_ENV", name, value);
}

void command_set_output(struct command_context *context, const char *name, const char *value) {
    if (context->in_github_actions)
        github_set("GITHUB_OUTPUT", name, value);
}

int command_mask(struct command_context *context, const char *secret, struct error *error) {
    lines_hide(secret);
    return context->in_github_actions ? github_mask(secret, error) : 0;
}

void command_annotate(struct command_context *context, const struct command_annotation *annotation) {
    if (!context->in_github_actions)
        return;
    display_finish(run_of(context)->display);
    github_annotate(annotation);
}

void command_summary(struct command_context *context, const char *format, ...) {
    struct run *run = run_of(context);
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (context->in_github_actions)
        github_summary(context->command->name, text);
    if (context->verbosity < 0)
        return;
    AUTO_FREE char *line = text_format("%s: %s", context->command->name, text);
    display_finish(run->display);
    display_say(run->display, line);
}
