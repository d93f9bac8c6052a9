#include "tools/pl-serve/terminal.h"

#include "chain/shell.h"
#include "common/command/terminal.h"
#include "engine/shell.h"

#include <string.h>

static int run_visitor(struct command_context *context, const struct sandbox *sandbox, int *status,
                       struct error *error) {
    AUTO_TERMINAL struct terminal *terminal = NULL;
    struct sandbox_visit *visit = NULL;
    if (terminal_open(context, &terminal, error) < 0) {
        error_wrap(error, "--terminal");
        return error_next(error, "run a command without one: … | pl-with exec -- COMMAND");
    }
    int result = sandbox_visit_open(sandbox, &visit, error);
    if (result == 0)
        result = shell_run(terminal, visit, status, error);
    sandbox_visit_close(&visit);
    return result;
}

static int tell_end(const char *program, int status, struct error *error) {
    if (status == 0)
        return 0;
    if (status > 128)
        error_set(error, ERROR_STEP, "%s was ended by signal %d (%s)", program, status - 128, strsignal(status - 128));
    else
        error_set(error, ERROR_STEP, "%s ended with exit code %d", program, status);
    error->exit_code = status;
    return -1;
}

int terminal_serve(struct command_context *context, struct served *service, struct error *error) {
    AUTO_SERVED_ROOT struct served_root root = {0};
    AUTO_SHELLS struct shells shells = {0};
    AUTO_LIST struct text_list command = {0};
    int status = 0;
    if (served_lay_out(service, &root, error) < 0)
        return -1;
    for (size_t i = 0; i < context->rest_count; i++)
        text_list_add(&command, context->rest[i]);
    shells_of(&service->artifact.container, &shells);
    root.sandbox.visitors = command.count ? &command : shells.argvs;
    root.sandbox.visitor_count = command.count ? 1 : shells.count;
    if (run_visitor(context, &root.sandbox, &status, error) == 0)
        return tell_end(command.count ? command.items[0] : "the shell", status, error);
    if (error->kind == ERROR_STEP && !command.count) {
        error_wrap(error, "the image has no shell");
        return error_next(error, SHELL_ADVICE);
    }
    return -1;
}
