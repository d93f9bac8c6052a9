#include "chain/secret.h"

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "gcp/cloud.h"

#include <string.h>

enum { SECRET_LIMIT = 64 * 1024 };

static const char *const providers[] = {"env", "file", "cmd", "gcp"};

/* "env://NAME" is env:NAME; "file:///k" is file:/k. The caller frees. */
static char *plain_form(const char *source) {
    for (size_t i = 0; i < ARRAY_LENGTH(providers); i++) {
        size_t length = strlen(providers[i]);
        if (strncmp(source, providers[i], length) == 0 && text_starts_with(source + length, "://"))
            return text_format("%s:%s", providers[i], source + length + 3);
    }
    return text_copy(source);
}

/* "projects/P/secrets/S/versions/V": what may stand in the path of a URL. */
static int check_name(const char *name, struct error *error) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/:.";
    const char *secret = strstr(name, "/secrets/"), *version = strstr(name, "/versions/");
    if (text_starts_with(name, "projects/") && secret && version && secret < version && !strstr(name, "..") &&
        name[strspn(name, letters)] == '\0')
        return 0;
    error_set(error, ERROR_USAGE, "\"%.200s\" is no version of a secret", name);
    return error_next(error, "write gcp:projects/PROJECT/secrets/SECRET/versions/latest");
}

static int decode(const struct json *reply, const char *name, struct chain_secret *secret, struct error *error) {
    const char *data = json_get_text(json_get(reply, "payload"), "data", NULL);
    struct buffer content = BUFFER_SECRET(SECRET_LIMIT);
    int result = data ? base64_decode(BASE64_STANDARD, data, strlen(data), &content, error)
                      : error_set(error, ERROR_PROTOCOL, "Secret Manager gave no content of %s", name);
    if (result == 0)
        result = buffer_check(&content, name, error);
    if (result == 0) {
        secret->content = memory_allocate(content.length + 1, 1);
        memcpy(secret->content, buffer_text(&content), content.length);
        secret->length = content.length;
    }
    buffer_release(&content);
    return result;
}

static int read_from_google(struct chain_session *session, const char *name, struct chain_secret *secret,
                            struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *reply = NULL;
    if (check_name(name, error) < 0)
        return -1;
    const char *begin = name + strlen("projects/");
    AUTO_FREE char *id = text_copy_length(begin, strcspn(begin, "/"));
    AUTO_FREE char *url = text_format("%s/v1/%s:access", endpoint_url(ENDPOINT_SECRET_MANAGER), name);
    AUTO_FREE char *what = text_format("cannot read the secret %s", name);
    struct cloud_request request = {.url = url, .what = what, .idempotent = true};
    if (cloud_open(&cloud, session->login.options, session->context->progress, id, NULL, error) < 0 ||
        cloud_call(&cloud, &request, &reply, NULL, error) < 0)
        return -1;
    return decode(reply, name, secret, error);
}

int chain_secret_read(struct chain_session *session, const char *source, struct chain_secret *secret,
                      struct error *error) {
    AUTO_FREE char *plain = plain_form(source);
    *secret = (struct chain_secret){0};
    if (text_equal(plain, "-"))
        return error_set(error, ERROR_USAGE, "standard input is where the record comes from, not a secret");
    if (!text_starts_with(plain, "gcp:"))
        return command_secret_content(plain, &secret->content, &secret->length, error);
    if (read_from_google(session, plain + strlen("gcp:"), secret, error) < 0)
        return -1;
    return command_mask(session->context, secret->content, error);
}

void chain_secret_release(struct chain_secret *secret) {
    if (secret->content)
        memory_wipe(secret->content, secret->length);
    free(take_pointer(&secret->content));
}
