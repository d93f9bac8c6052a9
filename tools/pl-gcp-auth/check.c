/* --check: each hop of the way to Google by name, and what may be done there. */
#include "gcp/google_error.h"
#include "gcp/permissions.h"
#include "tools/pl-gcp-auth/session.h"

#include <string.h>

enum { REPORT_LIMIT = 65536, COLUMN = 16 };

static void append_line(struct buffer *out, const char *name, const char *verdict, const char *text) {
    AUTO_FREE char *clean = text_scrub(text, strlen(text), false);
    buffer_append_format(out, "%-*s %-3s %s\n", COLUMN, name, verdict, clean);
}

static void append_claims(struct buffer *out, const struct json *claims) {
    for (void *i = json_first(claims); i; i = json_next(claims, i)) {
        const struct json *value = json_value(i);
        AUTO_FREE char *text =
            json_is_text(value) ? text_copy(json_text(value)) : json_format(value, JSON_COMPACT_STYLE);
        AUTO_FREE char *line = text_format("  %.60s = %.300s", json_key(i), text);
        append_line(out, "", "", line);
    }
}

static void append_hops(struct buffer *out, const struct hop_list *hops) {
    for (size_t i = 0; i < hops->count; i++) {
        const struct hop *hop = &hops->items[i];
        append_line(out, hop_name(hop->kind), hop->done ? "ok" : "NO", hop->subject);
        if (hop->kind == HOP_IDENTITY)
            append_claims(out, hops->claims);
    }
}

static bool is_wanted(const struct arguments *arguments, const struct permission_need *need) {
    return arguments->tools.count ? text_list_contains(&arguments->tools, need->tool) : !need->on_request;
}

/* The project's permissions; those of pushing on --repo's repository, when it is named. */
static int test_need(const struct session *session, struct cloud *cloud, const struct permission_need *need,
                     struct text_list *lacking, struct error *error) {
    const char *repository = session->arguments->repo;
    if (repository && text_equal(need->tool, "push-image"))
        return permissions_test_repository(cloud, repository, need->permissions, lacking, error);
    return permissions_test_project(cloud, need->permissions, lacking, error);
}

static char *grant_command(const struct session *session, const struct cloud *cloud, const char *tool,
                           const char *permission) {
    const char *role = google_role(permission), *repository = session->arguments->repo;
    AUTO_FREE char *member = credentials_member(cloud->credentials);
    const char *whom = text_is_plain_word(member) ? member : "MEMBER";
    if (repository && text_equal(tool, "push-image"))
        return text_format(
            "gcloud artifacts repositories add-iam-policy-binding %s --location=%s --project=%s --role=%s "
            "--member=%s",
            repository, cloud->region, cloud->project, role ? role : "ROLE", whom);
    return text_format("gcloud projects add-iam-policy-binding %s --role=%s --member=%s", cloud->project,
                       role ? role : "ROLE", whom);
}

/* One command for each role that is missing. */
static void append_grants(struct buffer *out, const struct session *session, const struct cloud *cloud,
                          const char *tool, const struct text_list *lacking, struct text_list *grants) {
    for (size_t i = 0; i < lacking->count; i++) {
        AUTO_FREE char *grant = grant_command(session, cloud, tool, lacking->items[i]);
        if (text_list_contains(grants, grant))
            continue;
        text_list_add(grants, grant);
        append_line(out, "", "", grant);
    }
}

static int check_need(const struct session *session, struct cloud *cloud, const struct permission_need *need,
                      struct buffer *out, struct text_list *grants, struct error *error) {
    AUTO_LIST struct text_list lacking = {0};
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    if (test_need(session, cloud, need, &lacking, error) < 0) {
        append_line(out, "API permission", "NO", need->tool);
        return error_wrap(error, "API permission");
    }
    buffer_append_format(&text, "pl-%s", need->tool);
    for (size_t i = 0; i < lacking.count; i++)
        buffer_append_format(&text, "%s%s", i ? ", " : ": may not ", lacking.items[i]);
    append_line(out, "API permission", lacking.count ? "NO" : "ok", buffer_text(&text));
    append_grants(out, session, cloud, need->tool, &lacking, grants);
    return 0;
}

static int check_permissions(const struct session *session, struct cloud *cloud, struct buffer *out,
                             struct error *error) {
    AUTO_LIST struct text_list grants = {0};
    cloud->project = credentials_project(session->credentials, session->http, session->arguments->project, error);
    if (!cloud->project)
        return -1;
    append_line(out, "project", "", cloud->project);
    for (const struct permission_need *need = permission_needs; need->tool; need++)
        if (is_wanted(session->arguments, need) && check_need(session, cloud, need, out, &grants, error) < 0)
            return -1;
    if (!grants.count)
        return 0;
    error_set(error, ERROR_PERMISSION, "API permission: %s may not do all that is needed in %s",
              credentials_principal(session->credentials) ? credentials_principal(session->credentials) : "the caller",
              cloud->project);
    return error_next(error, "%s%s", grants.items[0],
                      grants.count > 1 ? " (and what stands above)" : " (it takes up to 5 minutes to work)");
}

static int check(struct session *session, struct buffer *out, struct error *error) {
    struct cloud cloud = {.http = session->http,
                          .credentials = session->credentials,
                          .progress = session->context->progress,
                          .region = text_copy(session->arguments->region)};
    AUTO_FREE char *from =
        text_format("%s, from %s", credentials_type(session->credentials), credentials_origin(session->credentials));
    append_line(out, "credentials", "ok", from);
    bool minted = credentials_token(session->credentials, session->http, false, error) != NULL;
    append_hops(out, credentials_hops(session->credentials));
    int result = -1;
    if (minted) {
        AUTO_FREE char *end =
            text_format("lives %lld s, renewed by itself", (long long)credentials_token_seconds(session->credentials));
        const char *principal = credentials_principal(session->credentials);
        append_line(out, "access token", "ok", end);
        append_line(out, "principal", "", principal ? principal : "not named by the credentials");
        result = check_permissions(session, &cloud, out, error);
    }
    free(cloud.project);
    free(cloud.region);
    return result;
}

int check_credentials(struct session *session, struct error *error) {
    if ((session->arguments->repo || session->arguments->region) && region_check(session->arguments->region, error) < 0)
        return -1;
    if (session_open(session, error) < 0)
        return -1;
    AUTO_BUFFER struct buffer report = BUFFER(REPORT_LIMIT);
    int result = check(session, &report, error);
    return result == 0 ? command_print(session->context, buffer_text(&report), error)
           : command_print(session->context, buffer_text(&report), NULL) < 0 ? -1
                                                                             : result;
}
