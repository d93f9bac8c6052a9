#include "gcp/run/job.h"
#include "tools/pl-run-job/actions.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct run_operands operands_of(const struct command_context *context, const struct arguments *arguments) {
    return (struct run_operands){
        .context = context, .noun = "job", .tool = "pl-run-job", .given = arguments->name, .check = run_job_name_check};
}

const char *action_job(const struct command_context *context, const struct arguments *arguments) {
    const struct run_operands operands = operands_of(context, arguments);
    return run_operands_name(&operands);
}

const char *action_open(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                        struct error *error) {
    const struct run_operands operands = operands_of(context, arguments);
    return run_operands_open(&operands, &arguments->credentials, arguments->project, arguments->region, cloud, error);
}

static int check_execution(const struct arguments *arguments, struct error *error) {
    if (!arguments->execute && (arguments->no_wait || run_overrides_any(&arguments->overrides)))
        return error_set(error, ERROR_USAGE, "--no-wait, --with-… and --without-args go with --execute");
    if (arguments->wait_time >= 0 && !arguments->execute && !arguments->attach)
        return error_set(error, ERROR_USAGE, "--wait-time goes with --execute or --attach");
    if (arguments->no_wait && arguments->wait_time >= 0)
        return error_set(error, ERROR_USAGE, "--no-wait and --wait-time exclude each other");
    return run_overrides_check(&arguments->overrides, error);
}

/* Nothing can come from a terminal and from /dev/null; an empty pipe is a failure of what is before it, and executes
 * nothing. */
static bool awaits_image(const struct command_context *context) {
    struct stat input;
    bool given = run_operands_before_image(context) < context->operand_count;
    return given || (fstat(STDIN_FILENO, &input) == 0 && !S_ISCHR(input.st_mode));
}

static action *choose(const struct command_context *context, const struct arguments *arguments, struct error *error) {
    const struct {
        bool wanted;
        action *action;
    } actions[] = {{arguments->attach, action_execute},
                   {arguments->cancel, action_cancel},
                   {arguments->list || arguments->executions || arguments->describe || arguments->export, action_show},
                   {arguments->delete_job, action_delete},
                   {arguments->logging.logs, action_log}};
    bool as_it_is = arguments->execute && !arguments->update && !arguments->settings.job_file && !awaits_image(context);
    action *chosen = as_it_is ? action_execute : action_deploy;
    for (size_t i = 0, count = arguments->execute; i < ARRAY_LENGTH(actions); i++) {
        if (!actions[i].wanted)
            continue;
        if (count++ > 0) {
            error_set(error, ERROR_USAGE,
                      "only one of --execute, --attach, --cancel, --list, --executions, --describe, --export, --logs "
                      "and --delete can be done at a time");
            return NULL;
        }
        chosen = actions[i].action;
    }
    return chosen;
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct arguments *arguments = given;
    action *chosen = choose(context, arguments, error);
    const struct run_operands operands = operands_of(context, arguments);
    if (!chosen || run_operands_check(&operands, chosen == action_deploy && !arguments->update, error) < 0 ||
        check_execution(arguments, error) < 0)
        return -1;
    if (chosen != action_deploy && run_job_settings_any(&arguments->settings)) {
        error_set(error, ERROR_USAGE, "there are settings of the job on the line, and nothing that deploys them");
        return error_next(error, "add --update to change the job without an image");
    }
    int result = chosen(context, arguments, error);
    run_job_settings_release(&arguments->settings);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_run_job_command, run, argc, argv);
}
