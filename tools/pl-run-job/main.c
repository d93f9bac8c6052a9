#include "gcp/run/job.h"
#include "tools/pl-run-job/actions.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An image has a slash at least: HOST/REPOSITORY@sha256:…; a job's name has none. */
static bool is_image(const char *operand) {
    return strpbrk(operand, "/@:") != NULL;
}

const char *action_job(const struct command_context *context, const struct arguments *arguments) {
    if (arguments->name)
        return arguments->name;
    for (size_t i = 0; i < context->operand_count; i++)
        if (!is_image(context->operands[i]))
            return context->operands[i];
    return NULL;
}

size_t action_first_image(const struct command_context *context) {
    size_t first = 0;
    while (first < context->operand_count && !is_image(context->operands[first]))
        first++;
    return first;
}

const char *action_open(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                        struct error *error) {
    const char *job = action_job(context, arguments);
    if (!job) {
        error_set(error, ERROR_USAGE, "which job?");
        error_next(error, "name it: pl-run-job JOB …");
        return NULL;
    }
    if (run_job_name_check(job, error) < 0 ||
        cloud_open(cloud, &arguments->credentials, context->progress, arguments->project, arguments->region, error) < 0)
        return NULL;
    return job;
}

/* A job first, then an image: anything else has been mixed up. */
static int check_operands(const struct command_context *context, const struct arguments *arguments, bool deploys,
                          struct error *error) {
    size_t jobs = action_first_image(context), images = context->operand_count - jobs;
    const char *job = action_job(context, arguments);
    if (images > 1 || jobs > 1)
        return error_set(error, ERROR_USAGE, "it takes one job and one image");
    if (images > 0 && (!deploys || arguments->update))
        return error_set(error, ERROR_USAGE, "%s is an image; here it takes only the name of a job",
                         context->operands[jobs]);
    if (arguments->name && jobs > 0 && !text_equal(arguments->name, context->operands[0]))
        return error_set(error, ERROR_USAGE, "the job is named twice: %s and --name %s", context->operands[0],
                         arguments->name);
    return job ? run_job_name_check(job, error) : 0;
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
    bool given = action_first_image(context) < context->operand_count;
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
                   {arguments->logs, action_log}};
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
    if (!chosen || check_operands(context, arguments, chosen == action_deploy, error) < 0 ||
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
