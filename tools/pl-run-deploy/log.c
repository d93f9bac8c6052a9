/* What the containers of a service printed. */
#include "gcp/run/service.h"
#include "tools/pl-run-deploy/actions.h"

static void add_revision(const struct json *entry, struct buffer *out) {
    buffer_append_text(out, json_get_text(json_get_path(entry, "resource.labels"), "revision_name", "-"));
}

int action_log(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *service = NULL;
    if (logging_options_check(&arguments->logging, error) < 0)
        return -1;
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_service_path(&cloud, name) : NULL;
    if (!name || run_service_find(&cloud, path, &service, error) < 0)
        return -1;
    const struct logging_view view = {
        .query = {.service = name}, .noun = "service", .name = name, .add_origin = add_revision};
    return logging_view_print(context, &cloud, &arguments->logging, &view, error);
}
