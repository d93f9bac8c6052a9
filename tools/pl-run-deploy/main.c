#include "common/file/file.h"
#include "gcp/run/service.h"
#include "tools/pl-run-deploy/actions.h"

#include <string.h>

static struct run_operands operands_of(const struct command_context *context, const struct arguments *arguments) {
    return (struct run_operands){.context = context,
                                 .noun = "service",
                                 .tool = "pl-run-deploy",
                                 .given = arguments->name,
                                 .check = run_service_name_check};
}

const char *action_service(const struct command_context *context, const struct arguments *arguments) {
    const struct run_operands operands = operands_of(context, arguments);
    return run_operands_name(&operands);
}

const char *action_open(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                        struct error *error) {
    const struct run_operands operands = operands_of(context, arguments);
    return run_operands_open(&operands, &arguments->credentials, arguments->project, arguments->region, cloud, error);
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct arguments *arguments = given;
    const struct {
        bool wanted;
        action *action;
    } actions[] = {{arguments->promote || arguments->rollback || arguments->traffic.count > 0 ||
                        arguments->set_tags.count > 0 || arguments->removed_tags.count > 0,
                    action_move},
                   {arguments->list || arguments->revisions || arguments->describe || arguments->export, action_show},
                   {arguments->delete_service, action_delete},
                   {arguments->logging.logs, action_log},
                   {arguments->policy_check, action_policy}};
    action *chosen = action_deploy;
    for (size_t i = 0, count = 0; i < ARRAY_LENGTH(actions); i++) {
        if (!actions[i].wanted)
            continue;
        if (count++ > 0)
            return error_set(
                error, ERROR_USAGE,
                "only one of --promote, --rollback, --traffic, --set-tag, --remove-tag, --list, --revisions, "
                "--describe, --export, --delete, --logs and --policy-check can be done at a time");
        chosen = actions[i].action;
    }
    const struct run_operands operands = operands_of(context, arguments);
    if (run_operands_check(&operands, chosen == action_deploy || chosen == action_policy, error) < 0)
        return -1;
    int result = chosen(context, arguments, error);
    run_settings_release(&arguments->settings);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_run_deploy_command, run, argc, argv);
}
