#include "local/secrets/internal.h"

#include "common/crypto/base64.h"
#include "common/file/file.h"

#include <string.h>

enum { STATE_LIMIT = 64 << 20 };

static char *state_path(const struct secrets *secrets) {
    return path_join(secrets->root, "state.json");
}

struct secrets *secrets_open(const struct local_cloud *cloud, struct error *error) {
    struct secrets *secrets = memory_allocate(1, sizeof(*secrets));
    secrets->cloud = cloud;
    secrets->root = path_join(cloud->state, "secrets");
    pthread_mutex_init(&secrets->lock, NULL);
    AUTO_FREE char *path = state_path(secrets);
    AUTO_JSON struct json *file = NULL;
    bool made = directory_make(secrets->root, 0700, error) == 0;
    if (made && file_exists(path) && !(file = json_parse_file(path, STATE_LIMIT, error))) {
        error_next(error, "remove this file, or all of the local cloud: pl-local reset");
        made = false;
    }
    secrets->state =
        json_is_object(json_get(file, "secrets")) ? json_share(json_get(file, "secrets")) : json_new_object();
    if (!made)
        secrets_close(&secrets);
    return secrets;
}

void secrets_close(struct secrets **secrets) {
    if (!*secrets)
        return;
    pthread_mutex_destroy(&(*secrets)->lock);
    json_release(&(*secrets)->state);
    free((*secrets)->root);
    free(*secrets);
    *secrets = NULL;
}

int secrets_save(const struct secrets *secrets, struct error *error) {
    AUTO_JSON struct json *file = json_new_object();
    AUTO_FREE char *path = state_path(secrets);
    json_set(file, "secrets", json_share(secrets->state));
    AUTO_FREE char *text = json_format(file, JSON_PRETTY);
    int result = file_write_atomic(path, text, strlen(text), 0600, error);
    memory_wipe(text, strlen(text));
    return result;
}

bool secret_name_is_valid(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length <= 255 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

struct json *secret_version(const struct json *secret, const char *version) {
    const struct json *versions = json_get(secret, "versions");
    uint64_t number = 0;
    bool latest = text_equal(version, "latest");
    if (!latest && !text_to_u64(version, INT32_MAX, &number))
        return NULL;
    for (size_t i = json_count(versions); i-- > 0;) {
        struct json *candidate = json_at(versions, i);
        bool is_enabled = text_equal(json_get_text(candidate, "state", NULL), "ENABLED");
        if (latest ? is_enabled : json_get_integer(candidate, "number", 0) == (int64_t)number)
            return candidate;
    }
    return NULL;
}

/* The last part of "projects/P/secrets/NAME"; of this project or another makes no difference: there is one. */
static const char *short_name(const char *secret) {
    const char *slash = strrchr(secret, '/');
    return slash ? slash + 1 : secret;
}

int secrets_read(const struct local_cloud *cloud, const char *secret, const char *version, struct buffer *out,
                 struct error *error) {
    struct secrets *secrets = cloud->secrets;
    int result = -1;
    pthread_mutex_lock(&secrets->lock);
    const struct json *found = secret_version(json_get(secrets->state, short_name(secret)), version);
    const char *data = json_get_text(found, "data", NULL), *state = json_get_text(found, "state", "");
    if (!found)
        error_set(error, ERROR_NO_INPUT, "Secret projects/%s/secrets/%.255s/versions/%.40s was not found",
                  cloud->number, short_name(secret), version);
    else if (!data || !text_equal(state, "ENABLED"))
        error_set(error, ERROR_NO_INPUT, "Secret projects/%s/secrets/%.255s/versions/%.40s is in %s state",
                  cloud->number, short_name(secret), version, state);
    else
        result = base64_decode(BASE64_STANDARD, data, strlen(data), out, error);
    pthread_mutex_unlock(&secrets->lock);
    return result;
}
