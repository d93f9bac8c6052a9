/* What there is: services, revisions, one service in full; and deleting one. */
#include "gcp/run/plan.h"
#include "gcp/run/revision.h"
#include "gcp/run/service.h"
#include "gcp/run/traffic.h"
#include "tools/pl-run-deploy/actions.h"

#include <string.h>

enum { TEXT_LIMIT = 4 << 20 };

/* "2026-11-24T06:00:00.123456Z" → "2026-11-24 06:00:00" */
static void add_time(struct buffer *out, const char *time) {
    if (time && strlen(time) >= 19)
        buffer_append_format(out, "%.10s %.8s", time, time + 11);
    else
        buffer_append_text(out, "-");
}

static const char *digest_of(const struct json *revision) {
    const char *image = json_get_text(run_serving_container(revision), "image", "");
    const char *at = strstr(image, "@sha256:");
    return at ? at + strlen("@sha256:") : "-";
}

static const char *state_of(const struct json *resource) {
    const struct json *conditions = json_get(resource, "conditions");
    const struct json *ready = json_get(resource, "terminalCondition");
    for (size_t i = 0; !ready && i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), "Ready"))
            ready = json_at(conditions, i);
    const char *state = json_get_text(ready, "state", "");
    return text_equal(state, "CONDITION_SUCCEEDED") ? "ready" : text_equal(state, "CONDITION_FAILED") ? "failed" : "…";
}

/* ---- services ---- */

static int show_list(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *services = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    if (cloud_open(&cloud, &arguments->credentials, context->progress, arguments->project, arguments->region, error) <
            0 ||
        run_service_list(&cloud, &services, error) < 0)
        return -1;
    if (json_count(services) == 0)
        progress_note(context->progress, "no services in %s", cloud.region);
    for (size_t i = 0; i < json_count(services); i++) {
        const struct json *service = json_at(services, i);
        const char *serving = run_service_serving_revision(service);
        buffer_append_format(&out, "%-24s %-7s %-28s %s\n", run_short_name(json_get_text(service, "name", "")),
                             state_of(service), serving ? serving : "(divided)", json_get_text(service, "uri", ""));
    }
    return command_print_scrubbed(context, &out, "the list", error);
}

/* ---- revisions ---- */

static void add_tags(struct buffer *out, const struct json *service, const char *revision) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    const char *separator = "";
    for (size_t i = 0; i < json_count(statuses); i++) {
        const char *tag = json_get_text(json_at(statuses, i), "tag", NULL);
        if (!tag || !text_equal(run_traffic_tagged(service, tag), revision))
            continue;
        buffer_append_format(out, "%s%s", separator, tag);
        separator = ",";
    }
    if (!*separator)
        buffer_append_text(out, "-");
}

static int show_revisions(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *service = NULL, *revisions = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_service_path(&cloud, name) : NULL;
    if (!name || run_service_find(&cloud, path, &service, error) < 0 ||
        run_revision_list(&cloud, path, &revisions, error) < 0)
        return -1;
    buffer_append_format(&out, "%-28s %7s  %-7s %-12s  %-19s  %-28s  %s\n", "REVISION", "TRAFFIC", "STATE", "DIGEST",
                         "CREATED", "BY", "TAGS");
    for (size_t i = 0; i < json_count(revisions); i++) {
        const struct json *revision = json_at(revisions, i);
        const char *short_name = run_short_name(json_get_text(revision, "name", ""));
        buffer_append_format(&out, "%-28s %6u%%  %-7s %.12s  ", short_name, run_traffic_percent(service, short_name),
                             state_of(revision), digest_of(revision));
        add_time(&out, json_get_text(revision, "createTime", NULL));
        buffer_append_format(&out, "  %-28s  ", json_get_text(revision, "creator", "-"));
        add_tags(&out, service, short_name);
        buffer_append_byte(&out, '\n');
    }
    return command_print_scrubbed(context, &out, "the list", error);
}

/* ---- one service ---- */

static void add_traffic(struct buffer *out, const struct json *service) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    for (size_t i = 0; i < json_count(statuses); i++) {
        const struct json *status = json_at(statuses, i);
        const char *revision = json_get_text(status, "revision", NULL), *tag = json_get_text(status, "tag", NULL);
        buffer_append_format(out, "%s %3lld%%  %s", i == 0 ? "traffic " : "        ",
                             (long long)json_get_integer(status, "percent", 0),
                             revision ? run_short_name(revision) : "the latest revision");
        if (tag)
            buffer_append_format(out, "  tag %s: %s", tag, json_get_text(status, "uri", ""));
        buffer_append_byte(out, '\n');
    }
}

/* The variables by name: a value may be secret. */
static void add_container(struct buffer *out, const struct json *container) {
    const struct json *environment = json_get(container, "env"), *limits = json_get_path(container, "resources.limits");
    buffer_append_format(out, "image     %s\n", json_get_text(container, "image", ""));
    for (void *i = json_first(limits); i; i = json_next(limits, i))
        buffer_append_format(out, "%-9s %s\n", json_key(i), json_text(json_value(i)) ? json_text(json_value(i)) : "");
    for (size_t i = 0; i < json_count(environment); i++)
        buffer_append_format(out, "%s %s\n", i == 0 ? "env      " : "         ",
                             json_get_text(json_at(environment, i), "name", ""));
}

static int show_service(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *service = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_service_path(&cloud, name) : NULL;
    if (!name || run_service_find(&cloud, path, &service, error) < 0)
        return -1;
    const struct json *containers = json_get_path(service, "template.containers");
    const char *message = json_get_text(json_get(service, "terminalCondition"), "message", NULL);
    buffer_append_format(&out, "service   %s in %s (%s)\nurl       %s\n", name, cloud.region, state_of(service),
                         json_get_text(service, "uri", ""));
    if (message)
        buffer_append_format(&out, "          %s\n", message);
    add_traffic(&out, service);
    for (size_t i = 0; i < json_count(containers); i++)
        add_container(&out, json_at(containers, i));
    buffer_append_text(&out, "changed   ");
    add_time(&out, json_get_text(service, "updateTime", NULL));
    buffer_append_format(&out, " by %s\n", json_get_text(service, "lastModifier", "-"));
    return command_print_scrubbed(context, &out, "the list", error);
}

/* Every byte as it is: the text is for a file. */
static int export_service(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *service = NULL;
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_service_path(&cloud, name) : NULL;
    if (!name || run_service_find(&cloud, path, &service, error) < 0)
        return -1;
    AUTO_JSON struct json *writable = run_service_writable(service);
    AUTO_FREE char *text = json_format(writable, JSON_PRETTY);
    return command_print(context, text, error);
}

int action_show(struct command_context *context, struct arguments *arguments, struct error *error) {
    if (arguments->list + arguments->revisions + arguments->describe + arguments->export > 1)
        return error_set(error, ERROR_USAGE, "--list, --revisions, --describe and --export exclude each other");
    if (arguments->list && action_service(context, arguments))
        return error_set(error, ERROR_USAGE, "--list takes no service");
    return arguments->list        ? show_list(context, arguments, error)
           : arguments->revisions ? show_revisions(context, arguments, error)
           : arguments->export    ? export_service(context, arguments, error)
                                  : show_service(context, arguments, error);
}

/* ---- deleting ---- */

int action_delete(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    bool existed = false;
    const char *service = action_service(context, arguments);
    if (service && !text_equal(arguments->confirm, service)) {
        error_set(error, ERROR_USAGE, "deleting service %s takes its URL and all its revisions away for good", service);
        return error_next(error, "if that is meant: --delete --confirm %s", service);
    }
    if (!action_open(context, arguments, &cloud, error))
        return -1;
    AUTO_FREE char *path = run_service_path(&cloud, service);
    int step = progress_begin(context->progress, "delete %s in %s", service, cloud.region);
    int result = run_service_delete(&cloud, path, &existed, error);
    progress_end(context->progress, step, result < 0 ? PROGRESS_FAILED : PROGRESS_MADE);
    if (result == 0)
        command_summary(context, "service %s in %s %s", service, cloud.region,
                        existed ? "is deleted" : "did not exist");
    return result;
}
