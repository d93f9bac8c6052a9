/* --write-adc and --cleanup: a credentials file, and the environment that names it, for programs that are not pl's. */
#include "common/file/file.h"
#include "tools/pl-gcp-auth/session.h"

#include <string.h>

/* What gcloud, terraform, Google's client libraries and google-github-actions read; the file's path, or the project. */
static const char *const path_variables[] = {"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
                                             "GOOGLE_GHA_CREDS_PATH"};
static const char *const project_variables[] = {"CLOUDSDK_CORE_PROJECT", "CLOUDSDK_PROJECT", "GCLOUD_PROJECT",
                                                "GCP_PROJECT", "GOOGLE_CLOUD_PROJECT"};

/* The directory of the file, absolute and without links; made when it is missing. */
static char *directory_of(const char *file, struct error *error) {
    const char *slash = strrchr(file, '/');
    AUTO_FREE char *parent = slash ? text_copy_length(file, (size_t)(slash - file)) : text_copy(".");
    const char *path = *parent ? parent : "/";
    return directory_make(path, 0700, error) < 0 ? NULL : path_resolve(path, error);
}

static bool is_within(const char *directory, const char *variable) {
    const char *value = getenv(variable);
    AUTO_FREE char *root = text_is_empty(value) ? NULL : path_resolve(value, NULL);
    size_t length = root ? strlen(root) : 0;
    return length > 1 && !strncmp(directory, root, length) && (!directory[length] || directory[length] == '/');
}

/* A work tree of git: what lies in it is committed, built into images and uploaded as an artifact sooner or later. */
static bool is_in_work_tree(const char *directory) {
    AUTO_FREE char *at = text_copy(directory);
    for (;;) {
        AUTO_FREE char *git = path_join(at, ".git");
        if (access(git, F_OK) == 0)
            return true;
        char *slash = strrchr(at, '/');
        if (!slash || slash == at)
            return false;
        *slash = '\0';
    }
}

static int check_place(const char *directory, const char *path, bool force, struct error *error) {
    if (is_within(directory, "GITHUB_WORKSPACE") || is_within(directory, "CI_PROJECT_DIR") ||
        is_in_work_tree(directory)) {
        error_set(error, ERROR_CONFIGURATION,
                  "%s lies in the workspace, from where credentials get into commits, images "
                  "and artifacts",
                  path);
        return error_next(error, "give a path outside of it, such as \"${RUNNER_TEMP:-$XDG_RUNTIME_DIR}/adc.json\"");
    }
    if (access(path, F_OK) < 0 || force)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "%s exists already", path);
    return error_next(error, "remove it with: pl-gcp-auth --cleanup --write-adc %s, or add --force", path);
}

static char *target_path(const struct session *session, struct error *error) {
    const char *file = session->arguments->write_adc;
    AUTO_FREE char *directory = directory_of(file, error);
    if (!directory)
        return NULL;
    AUTO_FREE char *path = path_join(directory, path_base(file));
    if (check_place(directory, path, session->arguments->force, error) < 0)
        return NULL;
    return take_pointer(&path);
}

static void append_quoted(struct buffer *out, const char *value) {
    buffer_append_byte(out, '\'');
    for (; *value; value++)
        if (*value == '\'')
            buffer_append_text(out, "'\\''");
        else
            buffer_append_byte(out, *value);
    buffer_append_byte(out, '\'');
}

static void set(struct session *session, struct buffer *out, const char *name, const char *value) {
    if (!value)
        return;
    command_set_variable(session->context, name, value);
    buffer_append_format(out, "export %s=", name);
    append_quoted(out, value);
    buffer_append_byte(out, '\n');
}

/* For the later steps of a job; elsewhere as lines for a shell's eval. */
static int hand_on(struct session *session, const char *path, const char *project, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(65536);
    for (size_t i = 0; session->arguments->export != 0 && i < ARRAY_LENGTH(path_variables); i++)
        set(session, &out, path_variables[i], path);
    for (size_t i = 0; session->arguments->export != 0 && i < ARRAY_LENGTH(project_variables); i++)
        set(session, &out, project_variables[i], project);
    command_set_output(session->context, "credentials_file_path", path);
    command_set_output(session->context, "project_id", project);
    return session->context->in_github_actions ? 0 : command_print(session->context, buffer_text(&out), error);
}

static int write_document(const char *path, const struct json *document, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(262144);
    json_write(document, JSON_COMPACT_STYLE, &text);
    if (buffer_check(&text, "the credentials file", error) < 0)
        return -1;
    return file_write_atomic(path, text.data, text.length, 0600, error);
}

int adc_write(struct session *session, struct error *error) {
    AUTO_FREE char *path = target_path(session, error);
    session->keep_document = true;
    if (!path || session_open(session, error) < 0)
        return -1;
    AUTO_JSON struct json *document = credentials_document(session->credentials, error);
    if (!document || write_document(path, document, error) < 0)
        return -1;
    AUTO_FREE char *project =
        credentials_project(session->credentials, session->http, session->arguments->project, NULL);
    if (hand_on(session, path, project, error) < 0)
        return -1;
    command_summary(session->context, "credentials of type %s are in %s; pl-gcp-auth --cleanup removes them",
                    json_get_text(document, "type", "?"), path);
    return 0;
}

/* Only a file of credentials is removed, whatever the variable says. */
static bool is_credentials_file(const char *path) {
    AUTO_JSON struct json *document = json_parse_file(path, 262144, NULL);
    const char *type = json_get_text(document, "type", NULL);
    static const char *const types[] = {"service_account", "authorized_user", "external_account",
                                        "external_account_authorized_user", "impersonated_service_account"};
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (text_equal(type, types[i]))
            return true;
    return false;
}

int adc_cleanup(struct session *session, struct error *error) {
    const char *given = session->arguments->write_adc, *path = given ? given : getenv("GOOGLE_GHA_CREDS_PATH");
    AUTO_BUFFER struct buffer out = BUFFER(4096);
    if (text_is_empty(path)) {
        command_summary(session->context, "there is no credentials file to remove: GOOGLE_GHA_CREDS_PATH is not set");
        return 0;
    }
    bool there = access(path, F_OK) == 0;
    if (there && !is_credentials_file(path)) {
        error_set(error, ERROR_DATA, "%s is no credentials file: it is left alone", path);
        return error_next(error, "see what it is, and remove it by hand");
    }
    if (there && unlink(path) < 0)
        return error_set_errno(error, errno, "cannot remove %s", path);
    for (size_t i = 0; i < ARRAY_LENGTH(path_variables); i++)
        buffer_append_format(&out, "unset %s\n", path_variables[i]);
    command_summary(session->context, "%s %s", path, there ? "is removed" : "was not there");
    return session->context->in_github_actions ? 0 : command_print(session->context, buffer_text(&out), error);
}
