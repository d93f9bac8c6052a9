#include "chain/shell.h"

#include "common/command/terminal.h"
#include "engine/step.h"

#include <string.h>

/* ---- a visitor on the person's terminal ---- */

struct visitor {
    struct sandbox_visit *visit;
    int status;
};

static bool has_ended(void *context) {
    struct visitor *visitor = context;
    return sandbox_visit_ended(visitor->visit, &visitor->status);
}

int shell_run(struct terminal *terminal, struct sandbox_visit *visit, int *status, struct error *error) {
    struct visitor visitor = {.visit = visit};
    struct visit_terminal wanted = {.type = getenv("TERM")};
    AUTO_CLOSE int fd = -1;
    terminal_size(terminal, &wanted.rows, &wanted.columns);
    if (sandbox_visit_start(visit, &wanted, &fd, error) < 0)
        return -1;
    const struct terminal_peer peer = {
        .fd = fd, .wake = sandbox_visit_wake(visit), .ended = has_ended, .context = &visitor};
    int result = terminal_relay(terminal, &peer, error);
    *status = visitor.status;
    return result;
}

/* ---- in a step that has failed ---- */

/* As it would be typed, roughly: for recognising it. */
static char *command_text(const struct text_list *argv) {
    enum { SHOWN_LIMIT = 400 };
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    for (size_t i = 0; i < argv->count; i++) {
        bool is_plain = argv->items[i][strcspn(argv->items[i], " \t\n'\"$;&|<>()*")] == '\0' && *argv->items[i];
        buffer_append_format(&text, "%s%s%s%s", i ? " " : "", is_plain ? "" : "'", argv->items[i], is_plain ? "" : "'");
    }
    AUTO_FREE char *clean = text_scrub(buffer_text(&text), text.length, false);
    return strlen(clean) > SHOWN_LIMIT ? text_format("%.*s…", SHOWN_LIMIT, clean) : take_pointer(&clean);
}

static char *reason_text(const struct step_failure *failure) {
    if (failure->reason)
        return text_format("failed: %s", failure->reason->text);
    if (failure->status > 128)
        return text_format("was ended by signal %d (%s)", failure->status - 128, strsignal(failure->status - 128));
    return text_format("failed with exit code %d", failure->status);
}

static void introduce(struct terminal *terminal, const struct step_failure *failure) {
    AUTO_FREE char *command = command_text(failure->argv), *reason = reason_text(failure);
    terminal_say_lines(terminal, failure->step);
    terminal_say(terminal, "%s %s", failure->name, reason);
    terminal_say(terminal, "  command    %s", command);
    terminal_say(terminal, "  directory  %s", text_is_empty(failure->directory) ? "/" : failure->directory);
    terminal_say(terminal, "  user       %s", text_is_empty(failure->user) ? "root" : failure->user);
    terminal_say(terminal, "A shell in its container, as it is now. Nothing is kept. To leave it: exit, or Ctrl-D.");
}

static void tell_why_not(struct command_context *context, const struct error *why) {
    progress_note(context->progress, "--shell-on-failure: no shell is opened: %s", why->text);
    if (*why->next)
        progress_note(context->progress, "  %s", why->next);
}

static int open_shell(struct command_context *context, const struct step_failure *failure, struct sandbox_visit *visit,
                      struct error *error) {
    AUTO_TERMINAL struct terminal *terminal = NULL;
    int status = 0;
    if (terminal_open(context, &terminal, error) < 0)
        return -1;
    introduce(terminal, failure);
    int result = shell_run(terminal, visit, &status, error);
    if (result == 0)
        terminal_say(terminal, "The shell has ended; the step has failed, as without it.");
    return result;
}

static void visit_failed_step(void *context, const struct step_failure *failure, struct sandbox_visit *visit) {
    struct error why = {0};
    if (open_shell(context, failure, visit, &why) == 0 || why.kind == ERROR_CANCELLED)
        return;
    if (why.kind == ERROR_STEP) {
        error_wrap(&why, "the image has none");
        error_next(&why, SHELL_ADVICE);
    }
    tell_why_not(context, &why);
}

void shell_on_failure(struct engine *engine, struct command_context *context) {
    engine->failed = visit_failed_step;
    engine->failed_context = context;
}
