#include "gcp/google_error.h"

#include "gcp/endpoints.h"

#include <ctype.h>
#include <string.h>

enum { MESSAGE_LIMIT = 900 };

/* Which predefined role holds a permission; the first row whose prefix fits wins. */
static const struct {
    const char *permission;
    const char *role;
} roles[] = {
    {"iam.serviceaccounts.actas", "roles/iam.serviceAccountUser"},
    {"iam.serviceaccounts.getaccesstoken", "roles/iam.serviceAccountTokenCreator"},
    {"iam.serviceaccounts.", "roles/iam.serviceAccountTokenCreator"},
    {"run.services.setiampolicy", "roles/run.admin"},
    {"run.services.getiampolicy", "roles/run.admin"},
    {"run.", "roles/run.developer"},
    {"artifactregistry.repositories.uploadartifacts", "roles/artifactregistry.writer"},
    {"artifactregistry.repositories.create", "roles/artifactregistry.admin"},
    {"artifactregistry.", "roles/artifactregistry.reader"},
    {"firebasehosting.", "roles/firebasehosting.admin"},
    {"logging.", "roles/logging.viewer"},
    {"secretmanager.", "roles/secretmanager.secretAccessor"},
    {"serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer"},
};

const char *google_role(const char *permission) {
    for (size_t i = 0; i < ARRAY_LENGTH(roles); i++)
        if (!strncasecmp(permission, roles[i].permission, strlen(roles[i].permission)))
            return roles[i].role;
    return NULL;
}

const struct json *google_error_info(const struct json *status, const char *domain) {
    const struct json *details = json_get(status, "details");
    for (size_t i = 0; i < json_count(details); i++) {
        const struct json *detail = json_at(details, i);
        if (text_ends_with(json_get_text(detail, "@type", ""), "google.rpc.ErrorInfo") &&
            (!domain || text_equal(json_get_text(detail, "domain", NULL), domain)))
            return detail;
    }
    return NULL;
}

/* "Permission 'run.services.get' denied on …": the permission, when the details do not name it. */
static char *permission_of(const struct json *info, const char *message) {
    const char *named = json_get_text(json_get(info, "metadata"), "permission", NULL);
    if (text_is_plain_word(named))
        return text_copy(named);
    const char *begin = strstr(message, "ermission '");
    const char *end = begin ? strchr(begin + 11, '\'') : NULL;
    char *found = end ? text_copy_length(begin + 11, (size_t)(end - begin - 11)) : NULL;
    if (found && !text_is_plain_word(found)) {
        free(found);
        return NULL;
    }
    return found;
}

/* The e-mail in "… denied on service account X (or it may not exist)". */
static char *account_of(const char *message) {
    const char *begin = strstr(message, "service account ");
    if (!begin)
        return NULL;
    begin += strlen("service account ");
    char *account = text_copy_length(begin, strcspn(begin, " ,()"));
    if (text_is_plain_word(account) && strchr(account, '@'))
        return account;
    free(account);
    return NULL;
}

static void next_for_permission(struct error *error, const char *message, const struct json *info,
                                const struct google_subject *subject) {
    AUTO_FREE char *permission = permission_of(info, message);
    const char *role = permission ? google_role(permission) : NULL;
    const char *project = subject && text_is_plain_word(subject->project) ? subject->project : "PROJECT";
    const char *principal = subject && text_is_plain_word(subject->principal) ? subject->principal : "PRINCIPAL";
    const char *member = text_ends_with(principal, ".gserviceaccount.com") ? "serviceAccount:" : "";
    AUTO_FREE char *account =
        permission && !strncasecmp(permission, "iam.serviceaccounts.", 20) ? account_of(message) : NULL;
    if (account)
        error_next(error,
                   "gcloud iam service-accounts add-iam-policy-binding %s --member=%s%s --role=%s "
                   "(it takes up to 5 minutes to work)",
                   account, member, principal, role);
    else if (role)
        error_next(error,
                   "gcloud projects add-iam-policy-binding %s --member=%s%s --role=%s "
                   "(it takes up to 5 minutes to work)",
                   project, member, principal, role);
    else
        error_next(error, "ask an owner of project %s to grant %s what the message names", project, principal);
}

static void append_violations(const struct json *status, struct buffer *text) {
    const struct json *details = json_get(status, "details");
    for (size_t i = 0; i < json_count(details); i++) {
        const struct json *violations = json_get(json_at(details, i), "fieldViolations");
        for (size_t j = 0; j < json_count(violations) && j < 5; j++) {
            const struct json *violation = json_at(violations, j);
            const char *field = json_get_text(violation, "field", "");
            const char *description = json_get_text(violation, "description", "");
            if (!strstr(buffer_text(text), description) || !strstr(buffer_text(text), field))
                buffer_append_format(text, "; %.100s: %.200s", field, description);
        }
    }
}

static enum error_kind kind_of(int64_t code, const char *status, const char *reason) {
    if (text_equal(reason, "SERVICE_DISABLED"))
        return ERROR_CONFIGURATION;
    static const struct {
        int64_t code;
        const char *status;
        enum error_kind kind;
    } table[] = {
        {400, "INVALID_ARGUMENT", ERROR_DATA},
        {400, "FAILED_PRECONDITION", ERROR_CONFIGURATION},
        {401, "UNAUTHENTICATED", ERROR_PERMISSION},
        {403, "PERMISSION_DENIED", ERROR_PERMISSION},
        {404, "NOT_FOUND", ERROR_CONFIGURATION},
        {409, "ALREADY_EXISTS", ERROR_TEMPORARY},
        {409, "ABORTED", ERROR_TEMPORARY},
        {412, "FAILED_PRECONDITION", ERROR_TEMPORARY},
        {429, "RESOURCE_EXHAUSTED", ERROR_TEMPORARY},
        {503, "UNAVAILABLE", ERROR_TEMPORARY},
        {504, "DEADLINE_EXCEEDED", ERROR_UNAVAILABLE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (text_equal(status, table[i].status) && (code == table[i].code || code < 100))
            return table[i].kind;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (code == table[i].code)
            return table[i].kind;
    return code >= 500 ? ERROR_UNAVAILABLE : code < 100 ? ERROR_STEP : ERROR_PROTOCOL;
}

/* google.rpc.Code by number: an operation's error has no status name. */
static const char *const code_names[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

static void set_next(struct error *error, const struct json *status, int64_t code, const char *message,
                     const struct google_subject *subject) {
    const struct json *info = google_error_info(status, NULL);
    const char *reason = json_get_text(info, "reason", NULL);
    const char *project = subject && text_is_plain_word(subject->project) ? subject->project : "PROJECT";
    if (text_equal(reason, "SERVICE_DISABLED")) {
        const char *service = json_get_text(json_get(info, "metadata"), "service", NULL);
        bool ours = text_equal(service, endpoint_service(ENDPOINT_RUN)) ||
                    text_equal(service, endpoint_service(ENDPOINT_ARTIFACT_REGISTRY));
        error_next(error, "%sgcloud services enable %s --project=%s (it takes a minute to work)",
                   ours ? "add --enable-apis, or: " : "", text_is_plain_word(service) ? service : "SERVICE", project);
    } else if (error->kind == ERROR_PERMISSION && code == 401) {
        error_next(error, "make new credentials: gcloud auth application-default login, or for the local cloud: "
                          "eval \"$(pl-local env)\"");
    } else if (error->kind == ERROR_PERMISSION && strstr(message, "on 'locations/")) {
        error_next(error,
                   "is %s a region of Cloud Run? There are us-central1, europe-west1, asia-northeast1 and others",
                   subject && text_is_plain_word(subject->region) ? subject->region : "that");
    } else if (error->kind == ERROR_PERMISSION) {
        next_for_permission(error, message, info, subject);
    } else if (error->kind == ERROR_TEMPORARY) {
        error_next(error, "run the same command again");
    } else if (code == 404 || code == 5) {
        error_next(error, "check --project (%s) and --region (%s)", project,
                   subject && text_is_plain_word(subject->region) ? subject->region : "none");
    }
}

int google_status_set(struct error *error, const char *what, const struct json *status,
                      const struct google_subject *subject) {
    int64_t code = json_get_integer(status, "code", 0);
    const char *message = json_get_text(status, "message", "no message");
    const char *name = json_get_text(status, "status", NULL);
    if (!name && code >= 0 && code < (int64_t)ARRAY_LENGTH(code_names))
        name = code_names[code];
    AUTO_BUFFER struct buffer text = BUFFER(8192);
    buffer_append_format(&text, "%.*s", MESSAGE_LIMIT, message);
    append_violations(status, &text);
    const char *reason = json_get_text(google_error_info(status, NULL), "reason", NULL);
    error_set(error, kind_of(code, name, reason), "%s: %s (%lld %s)", what, buffer_text(&text), (long long)code,
              name ? name : "");
    struct error scratch;
    set_next(error ? error : &scratch, status, code, message, subject);
    return -1;
}

/* {"error":"invalid_grant","error_description":"…"} of a token endpoint. */
static int oauth_error_set(struct error *error, const char *what, long status, const struct json *document) {
    const char *code = json_get_text(document, "error", "");
    const char *description = json_get_text(document, "error_description", "no description");
    enum error_kind kind = status >= 500 ? ERROR_UNAVAILABLE : status == 429 ? ERROR_TEMPORARY : ERROR_PERMISSION;
    error_set(error, kind, "%s: %.*s (%ld %.60s)", what, MESSAGE_LIMIT, description, status, code);
    if (text_equal(json_get_text(document, "error_subtype", NULL), "invalid_rapt"))
        return error_next(error, "sign in again: gcloud auth application-default login");
    if (strstr(description, "iat and exp") || strstr(description, "reasonable timeframe"))
        return error_next(error, "compare this machine's clock with the true time: timedatectl");
    if (text_equal(code, "invalid_grant"))
        return error_next(error, "the key may have been deleted or disabled: make a new one, or for the local cloud: "
                                 "eval \"$(pl-local env)\"");
    return -1;
}

int google_error_set(struct error *error, const char *what, const struct http_response *response,
                     const struct google_subject *subject) {
    AUTO_JSON struct json *document =
        response->body.length ? json_parse(response->body.data, response->body.length, "the answer", NULL) : NULL;
    struct json *status = json_get(document, "error");
    if (json_is_text(status))
        return oauth_error_set(error, what, response->status, document);
    if (json_is_object(status)) {
        if (!json_is_integer(json_get(status, "code")))
            json_set_integer(status, "code", response->status);
        return google_status_set(error, what, status, subject);
    }
    AUTO_JSON struct json *made = json_new_object();
    json_set_integer(made, "code", response->status);
    AUTO_FREE char *body =
        text_copy_length(buffer_text(&response->body), response->body.length < 300 ? response->body.length : 300);
    AUTO_FREE char *clean = text_scrub(body, strlen(body), false);
    json_set_text(made, "message", text_is_empty(clean) ? "an empty answer" : clean);
    return google_status_set(error, what, made, subject);
}
