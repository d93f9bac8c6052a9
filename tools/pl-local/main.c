#include "tools/pl-local/command.h"

#include "local/control.h"
#include "local/federation.h"
#include "local/hosting/hosting.h"
#include "local/iam/iam.h"
#include "local/run/log.h"
#include "local/run/run.h"

#include <string.h>

static struct local_settings settings_of(const struct arguments *arguments) {
    return (struct local_settings){.state = arguments->state,
                                   .project = arguments->project,
                                   .port = arguments->port,
                                   .startup_time = arguments->startup_time,
                                   .idle_time = arguments->idle_time,
                                   .queue_time = arguments->queue_time,
                                   .databases = arguments->databases,
                                   .token_time = arguments->token_lifetime,
                                   .strict = arguments->strict};
}

static int print_environment(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(65536);
    if (arguments->unset)
        local_environment_unset(&text);
    else if (local_environment(arguments->state, &text, error) < 0)
        return -1;
    return command_print(context, buffer_text(&text), error);
}

static int start(struct command_context *context, const struct arguments *arguments, struct error *error) {
    struct local_settings settings = settings_of(arguments);
    bool started;
    if (local_start(&settings, &started, error) < 0)
        return -1;
    if (print_environment(context, arguments, error) < 0)
        return -1;
    AUTO_STATUS struct local_status status = {0};
    if (local_status(arguments->state, &status, error) < 0)
        return -1;
    command_summary(context, "the local cloud %s at http://127.0.0.1:%u (project %s)",
                    started ? "is ready" : "runs already", status.port, status.project);
    return 0;
}

static int print_status(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_STATUS struct local_status status = {0};
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    if (local_status(arguments->state, &status, error) < 0)
        return -1;
    if (!status.running) {
        error_set(error, ERROR_ANSWER_NO, "the local cloud does not run");
        return error_next(error, "start it: eval \"$(pl-local start)\"");
    }
    buffer_append_format(&text, "running\nurl      http://127.0.0.1:%u\nproject  %s\nprocess  %d\nstate    %s\n",
                         status.port, status.project ? status.project : "", (int)status.pid, status.state);
    run_list_services(status.state, &text);
    run_list_jobs(status.state, &text);
    hosting_list_sites(status.state, status.port, &text);
    iam_list(status.state, &text);
    return command_print(context, buffer_text(&text), error);
}

static int write_lines(void *given, const char *text, struct error *error) {
    struct command_context *context = given;
    AUTO_FREE char *clean = text_scrub(text, strlen(text), true);
    return command_print(context, clean, error);
}

static bool is_cancelled(void *given) {
    const struct command_context *context = given;
    return progress_cancelled(context->progress);
}

static int logs(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_STATUS struct local_status status = {0};
    if (local_status(arguments->state, &status, error) < 0)
        return -1;
    struct run_log_query query = {.state = status.state,
                                  .project = status.project ? status.project : "pl-local",
                                  .service = context->operands[1],
                                  .lines = (size_t)arguments->lines,
                                  .follow = arguments->follow,
                                  .cancelled = is_cancelled,
                                  .write = write_lines,
                                  .context = context};
    return run_log_show(&query, error);
}

static int federation(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(65536);
    struct federation_request request = {.state = arguments->state,
                                         .is_gitlab = text_equal(arguments->issuer, "gitlab"),
                                         .is_direct = arguments->direct,
                                         .repository = arguments->repository,
                                         .claims = &arguments->claims};
    if (federation_set_up(&request, &text, error) < 0)
        return -1;
    int result = command_print(context, buffer_text(&text), error);
    memory_wipe(text.data, text.length);
    if (result == 0)
        command_summary(context, "jobs of %s deploy %s, without a key", arguments->repository,
                        arguments->direct ? "as what they are" : "as deployer");
    return result;
}

static int stop(struct command_context *context, const struct arguments *arguments, struct error *error) {
    bool stopped;
    if (local_stop(arguments->state, &stopped, error) < 0)
        return -1;
    command_summary(context, stopped ? "the local cloud has stopped" : "the local cloud did not run");
    return 0;
}

static int reset(struct command_context *context, const struct arguments *arguments, struct error *error) {
    if (local_reset(arguments->state, error) < 0)
        return -1;
    command_summary(context, "the local cloud and its state are gone");
    return 0;
}

static int run(struct command_context *context, void *given, struct error *error) {
    const struct arguments *arguments = given;
    const char *word = context->operands[0];
    bool of_service = text_equal(word, "logs");
    if (of_service != (context->operand_count == 2))
        return error_set(error, ERROR_USAGE, of_service ? "logs of which service?" : "%s takes no operand", word);
    if (text_equal(word, "start"))
        return start(context, arguments, error);
    if (text_equal(word, "env"))
        return print_environment(context, arguments, error);
    if (text_equal(word, "status"))
        return print_status(context, arguments, error);
    if (of_service)
        return logs(context, arguments, error);
    if (text_equal(word, "federation"))
        return federation(context, arguments, error);
    if (text_equal(word, "stop"))
        return stop(context, arguments, error);
    if (text_equal(word, "reset"))
        return reset(context, arguments, error);
    return error_set(error, ERROR_USAGE, "there is no \"pl-local %s\"", word);
}

int main(int argc, char **argv) {
    if (argc > 1 && text_equal(argv[1], "--serve"))
        return local_serve(argc, argv);
    return command_main(&pl_local_command, run, argc, argv);
}
