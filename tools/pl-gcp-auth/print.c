/* --print: a token for programs that are not pl's. */
#include "tools/pl-gcp-auth/session.h"

#include <string.h>

static int refuse_terminal(const struct arguments *arguments, struct error *error) {
    if (arguments->force || !isatty(STDOUT_FILENO))
        return 0;
    error_set(error, ERROR_USAGE, "a token is not printed to a terminal, where it stays in the scrollback");
    return error_next(error, "use it where it is needed: \"$(pl-gcp-auth --print %s)\", or add --force",
                      arguments->print);
}

static int put(struct session *session, const char *token, struct error *error) {
    AUTO_BUFFER struct buffer line = BUFFER_SECRET(32768);
    buffer_append_text(&line, token);
    buffer_append_byte(&line, '\n');
    /* Whatever reads the token may print it. */
    return command_mask(session->context, token, error) < 0
               ? -1
               : command_print(session->context, buffer_text(&line), error);
}

static int print_id_token(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    char *token =
        credentials_id_token(session->credentials, session->http, arguments->audience, arguments->include_email, error);
    if (!token)
        return -1;
    int result = put(session, token, error);
    memory_wipe(token, strlen(token));
    free(token);
    return result;
}

static int check_options(const struct arguments *arguments, struct error *error) {
    bool identity = text_equal(arguments->print, "id-token");
    if (identity && !arguments->audience) {
        error_set(error, ERROR_USAGE, "an ID token is for somebody: --audience is missing");
        return error_next(error, "add --audience URL, such as the URL of the service that is called");
    }
    if (identity && arguments->scopes.count)
        return error_set(error, ERROR_USAGE, "--scope is for --print access-token: an ID token has an audience");
    return refuse_terminal(arguments, error);
}

int print_token(struct session *session, struct error *error) {
    if (check_options(session->arguments, error) < 0 || session_open(session, error) < 0)
        return -1;
    if (text_equal(session->arguments->print, "id-token"))
        return print_id_token(session, error);
    const char *token = credentials_token(session->credentials, session->http, false, error);
    return token ? put(session, token, error) : -1;
}
