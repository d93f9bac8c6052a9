#include "common/file/file.h"
#include "gcp/run/service.h"
#include "tools/pl-run-deploy/actions.h"

#include <string.h>

/* An image has a slash at least: HOST/REPOSITORY@sha256:…; a service's name has none. */
static bool is_image(const char *operand) {
    return strpbrk(operand, "/@:") != NULL;
}

const char *action_service(const struct command_context *context, const struct arguments *arguments) {
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
    const char *service = action_service(context, arguments);
    if (!service) {
        error_set(error, ERROR_USAGE, "which service?");
        error_next(error, "name it: pl-run-deploy SERVICE …");
        return NULL;
    }
    if (run_service_name_check(service, error) < 0 ||
        cloud_open(cloud, &arguments->credentials, context->progress, arguments->project, arguments->region, error) < 0)
        return NULL;
    return service;
}

/* A service first, then an image: anything else has been mixed up. */
static int check_operands(const struct command_context *context, const struct arguments *arguments, bool deploys,
                          struct error *error) {
    size_t services = action_first_image(context), images = context->operand_count - services;
    const char *service = action_service(context, arguments);
    if (images > 1 || services > 1)
        return error_set(error, ERROR_USAGE, "it takes one service and one image");
    if (images > 0 && !deploys)
        return error_set(error, ERROR_USAGE, "%s is an image; here it takes only the name of a service",
                         context->operands[services]);
    if (arguments->name && services > 0 && !text_equal(arguments->name, context->operands[0]))
        return error_set(error, ERROR_USAGE, "the service is named twice: %s and --name %s", context->operands[0],
                         arguments->name);
    return service ? run_service_name_check(service, error) : 0;
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct arguments *arguments = given;
    const struct {
        bool wanted;
        action *action;
    } actions[] = {{arguments->promote || arguments->rollback || arguments->traffic.count > 0, action_move},
                   {arguments->list || arguments->revisions || arguments->describe || arguments->export, action_show},
                   {arguments->delete_service, action_delete},
                   {arguments->logs, action_log},
                   {arguments->policy_check, action_policy}};
    action *chosen = action_deploy;
    for (size_t i = 0, count = 0; i < ARRAY_LENGTH(actions); i++) {
        if (!actions[i].wanted)
            continue;
        if (count++ > 0)
            return error_set(error, ERROR_USAGE,
                             "only one of --promote, --rollback, --traffic, --list, --revisions, "
                             "--describe, --export, --delete, --logs and --policy-check can be done at a time");
        chosen = actions[i].action;
    }
    if (check_operands(context, arguments, chosen == action_deploy || chosen == action_policy, error) < 0)
        return -1;
    int result = chosen(context, arguments, error);
    run_settings_release(&arguments->settings);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_run_deploy_command, run, argc, argv);
}
