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
    session->options = session->arguments->credentials;
    session->options.keep_document = session->keep_document;
    session->credentials = credentials_find(&session->options, session->http, session->context->progress, error);
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

static int check_arguments(const struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    unsigned modes = arguments->check + (arguments->print != NULL) + (arguments->docker_login.count > 0) +
                     (arguments->write_adc || arguments->cleanup) + (session->context->operand_count > 0);
    if (modes > 1)
        return error_set(error, ERROR_USAGE,
                         "--check, --print, --write-adc, --docker-login and the verbs of a credential "
                         "helper each stand alone");
    if (!arguments->check && (arguments->tools.count || arguments->repo))
        return error_set(error, ERROR_USAGE, "--for and --repo are for --check");
    if (arguments->print && text_equal(arguments->print, "id-token"))
        return 0;
    if (arguments->audience || arguments->include_email)
        return error_set(error, ERROR_USAGE, "--audience and --include-email are for --print id-token");
    return 0;
}

static int work(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    if (check_arguments(session, error) < 0)
        return -1;
    if (session->context->operand_count)
        return docker_helper(session, session->context->operands[0], error);
    if (arguments->docker_login.count)
        return docker_login_write(session, error);
    if (arguments->cleanup)
        return adc_cleanup(session, error);
    if (arguments->write_adc)
        return adc_write(session, error);
    if (arguments->check)
        return check_credentials(session, error);
    return arguments->print ? print_token(session, error) : tell(session, error);
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct session session = {.context = context, .arguments = given};
    /* Neither a core file nor a debugger of the same user: this process has nothing else than secrets. */
    prctl(PR_SET_DUMPABLE, 0);
    int result = work(&session, error);
    session_close(&session);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_gcp_auth_command, run, argc, argv);
}
