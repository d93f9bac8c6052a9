/* A program that prints the identity token (AIP-4117, "pluggable"). A credentials file that runs programs must be
 * trusted, so it does only with GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1, as Google's libraries demand. */
#include "gcp/credentials/subject.h"

#include "common/file/file.h"
#include "common/process/process.h"

#include <string.h>
#include <time.h>

enum { TIMEOUT_MINIMUM = 5000, TIMEOUT_MAXIMUM = 120000, TIMEOUT = 30000, ARGUMENT_LIMIT = 100 };

#define ALLOW "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"

struct executable {
    struct text_list command;
    unsigned seconds;
    char *output_file; /* where it may keep its answer, or NULL */
};

static void release(void *self) {
    struct executable *executable = self;
    text_list_release(&executable->command);
    free(executable->output_file);
    free(executable);
}

/* Words divided by spaces; quotes hold one together. No shell has a say. */
static int split_command(const char *text, const char *path, struct text_list *words, struct error *error) {
    while (*(text += strspn(text, " \t"))) {
        AUTO_BUFFER struct buffer word = BUFFER(4096);
        char quote = 0;
        for (; *text && (quote || !strchr(" \t", *text)); text++) {
            if (quote ? *text == quote : *text == '"' || *text == '\'')
                quote = quote ? 0 : *text;
            else
                buffer_append_byte(&word, *text);
        }
        if (quote || word.failed || words->count == ARGUMENT_LIMIT)
            return error_set(error, ERROR_DATA, "%s: credential_source.executable.command is not understood%s", path,
                             quote ? ": a quote is not closed" : "");
        text_list_add(words, buffer_text(&word));
    }
    if (words->count && words->items[0][0] == '/')
        return 0;
    return error_set(error, ERROR_DATA, "%s: credential_source.executable.command must begin with an absolute path",
                     path);
}

static int refuse_to_run(const char *path, const struct text_list *command, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "%s wants to run %.200s, which is not allowed", path, command->items[0]);
    return error_next(error, "if you trust that file and that program: export " ALLOW "=1");
}

static void *open_source(const struct json *document, const char *path, struct error *error) {
    const struct json *given = json_get(document, "executable");
    const char *command;
    int64_t timeout = json_get_integer(given, "timeout_millis", TIMEOUT);
    if (json_need_text(given, "command", path, &command, error) < 0)
        return NULL;
    if (timeout < TIMEOUT_MINIMUM || timeout > TIMEOUT_MAXIMUM) {
        error_set(error, ERROR_DATA, "%s: credential_source.executable.timeout_millis is not from %d to %d", path,
                  TIMEOUT_MINIMUM, TIMEOUT_MAXIMUM);
        return NULL;
    }
    struct executable *executable = memory_allocate(1, sizeof(*executable));
    executable->seconds = (unsigned)((timeout + 999) / 1000);
    executable->output_file = text_copy(json_get_text(given, "output_file", NULL));
    if (split_command(command, path, &executable->command, error) == 0 &&
        (text_equal(getenv(ALLOW), "1") || refuse_to_run(path, &executable->command, error) == 0))
        return executable;
    release(executable);
    return NULL;
}

static int rubbish(const char *where, const char *how, struct error *error) {
    error_set(error, ERROR_DATA, "%s does not answer as an executable source must: %s", where, how);
    return error_next(error, "it prints {\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:"
                             "token-type:jwt\",\"id_token\":\"…\",\"expiration_time\":…}");
}

static int read_failure(const struct json *answer, const char *where, struct error *error) {
    const char *code = json_get_text(answer, "code", NULL), *message = json_get_text(answer, "message", NULL);
    if (!code || !message)
        return rubbish(where, "a failure without code or message", error);
    return error_set(error, ERROR_PERMISSION, "%s gives no identity token: %.300s (%.60s)", where, message, code);
}

static int read_answer(const struct json *answer, const struct subject_request *request, const char *where, bool kept,
                       struct buffer *token, struct error *error) {
    const struct json *success = json_get(answer, "success");
    if (json_get_integer(answer, "version", 0) != 1)
        return rubbish(where, "its version is not 1", error);
    if (!json_is_bool(success))
        return rubbish(where, "it does not say whether it has succeeded", error);
    if (!json_truth(success))
        return read_failure(answer, where, error);
    int64_t end = json_get_integer(answer, "expiration_time", 0);
    if (kept && !end)
        return rubbish(where, "no expiration_time, which goes with output_file", error);
    if (end && end <= time(NULL))
        return error_set(error, ERROR_PERMISSION, "%s gives an identity token that has ended", where);
    if (!text_equal(json_get_text(answer, "token_type", NULL), request->token_type))
        return rubbish(where, "its token_type is not the subject_token_type of the credentials file", error);
    const char *key = text_ends_with(request->token_type, ":saml2") ? "saml_response" : "id_token";
    const char *text = json_get_text(answer, key, NULL);
    if (text_is_empty(text))
        return rubbish(where, "no token in it", error);
    buffer_append_text(token, text);
    return buffer_check(token, where, error);
}

static void add_variable(struct text_list *environment, const char *name, const char *value) {
    if (value)
        text_list_add_format(environment, "GOOGLE_EXTERNAL_ACCOUNT_%s=%s", name, value);
}

static int run(const struct executable *executable, const struct subject_request *request, struct buffer *out,
               struct error *error) {
    AUTO_LIST struct text_list environment = {0};
    for (char **at = environ; at && *at; at++)
        text_list_add(&environment, *at);
    add_variable(&environment, "AUDIENCE", request->audience);
    add_variable(&environment, "TOKEN_TYPE", request->token_type);
    add_variable(&environment, "INTERACTIVE", "0");
    add_variable(&environment, "IMPERSONATED_EMAIL", request->account);
    add_variable(&environment, "OUTPUT_FILE", executable->output_file);
    struct process process = {.argv = (const char *const *)executable->command.items,
                              .environment = (const char *const *)environment.items,
                              .out = out,
                              .timeout = executable->seconds,
                              .lead_group = true};
    int status = 0;
    if (process_run(&process, &status, error) < 0) {
        if (error && error->kind == ERROR_TIMEOUT) {
            error_set(error, ERROR_CONFIGURATION, "%s gave no identity token within %u s and was ended",
                      executable->command.items[0], executable->seconds);
            error_next(error, "run it by hand; credential_source.executable.timeout_millis allows up to %d",
                       TIMEOUT_MAXIMUM);
        } else if (error && error->kind != ERROR_CANCELLED) {
            error->kind = ERROR_CONFIGURATION;
            error_next(error, "see credential_source.executable.command in the credentials file");
        }
        return -1;
    }
    if (status == 0)
        return buffer_check(out, executable->command.items[0], error);
    error_set(error, ERROR_PERMISSION, "%s, which should give the identity token, ended with %d",
              executable->command.items[0], status);
    return error_next(error, "run it by hand to see why");
}

/* What the program has kept from its last run, if it is still good. */
static bool read_kept(const struct executable *executable, const struct subject_request *request,
                      struct buffer *token) {
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(DOCUMENT_LIMIT);
    bool found = false;
    if (!executable->output_file || file_read(executable->output_file, &text, &found, NULL) < 0 || !found)
        return false;
    AUTO_JSON struct json *answer = json_parse_secret(buffer_text(&text), text.length, "", NULL);
    return answer && json_truth(json_get(answer, "success")) &&
           read_answer(answer, request, "", true, token, NULL) == 0;
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    const struct executable *executable = self;
    const char *where = executable->command.items[0];
    if (read_kept(executable, request, token))
        return 0;
    buffer_clear(token);
    AUTO_BUFFER struct buffer out = BUFFER_SECRET(DOCUMENT_LIMIT);
    if (run(executable, request, &out, error) < 0)
        return -1;
    AUTO_JSON struct json *answer = json_parse_secret(buffer_text(&out), out.length, where, NULL);
    return answer ? read_answer(answer, request, where, executable->output_file != NULL, token, error)
                  : rubbish(where, "no JSON", error);
}

static char *describe(const void *self) {
    return text_format("the program %s", ((const struct executable *)self)->command.items[0]);
}

const struct subject_source subject_executable = {
    .open = open_source, .read = read_token, .describe = describe, .release = release};
