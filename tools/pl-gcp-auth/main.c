#include "tools/pl-gcp-auth/session.h"

#include <string.h>
#include <sys/prctl.h>

enum { DEADLINE = 300 };

static void set_scopes(struct session *session) {
    const struct text_list *scopes = &session->arguments->scopes;
    AUTO_BUFFER struct buffer text = BUFFER(8192);
    for (size_t i = 0; i < scopes->count; i++)
        buffer_append_format(&text, "%s%s", i ? " " : "", scopes->items[i]);
    if (scopes->count)
        credentials_set_scope(session->credentials, buffer_text(&text));
}

int session_open(struct session *session, struct error *error) {
    if (endpoints_check(error) < 0)
        return -1;
    session->http = cloud_http_new(session->context->progress, DEADLINE);
    session->credentials =
        credentials_find(&session->arguments->credentials, session->http, session->context->progress, error);
    if (!session->credentials)
        return -1;
    set_scopes(session);
    return 0;
}

static void session_close(struct session *session) {
    credentials_release(&session->credentials);
    if (session->http)
        http_release(&session->http);
}

/* Who we are, as far as the credentials know. */
static int write_record(struct session *session, struct error *error) {
    struct credentials *credentials = session->credentials;
    const char *principal = credentials_principal(credentials);
    AUTO_FREE char *project = credentials_project(credentials, session->http, session->arguments->project, NULL);
    struct record_list out = {0};
    struct record record = record_new(RECORD_CREDENTIAL, principal ? principal : "unknown");
    json_set_text(record.json, "kind", credentials_type(credentials));
    json_set_text(record.json, "origin", credentials_origin(credentials));
    json_set_text(record.json, "project", project);
    json_set_integer(record.json, "expires_in", credentials_token_seconds(credentials));
    record_list_add(&out, record);
    int result = command_write_records(session->context, &out, error);
    record_list_release(&out);
    return result;
}

static int tell(struct session *session, struct error *error) {
    if (session_open(session, error) < 0 || !credentials_token(session->credentials, session->http, false, error) ||
        write_record(session, error) < 0)
        return -1;
    const char *principal = credentials_principal(session->credentials);
    command_summary(session->context, "%s, from %s",
                    principal ? principal : "somebody whom the credentials do not name",
                    credentials_origin(session->credentials));
    return 0;
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct session session = {.context = context, .arguments = given};
    /* Neither a core file nor a debugger of the same user: this process has nothing else than secrets. */
    prctl(PR_SET_DUMPABLE, 0);
    int result = session.arguments->print ? print_token(&session, error) : tell(&session, error);
    session_close(&session);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_gcp_auth_command, run, argc, argv);
}
