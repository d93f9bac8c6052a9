#include "local/identity/internal.h"

#include "common/crypto/random.h"
#include "common/file/file.h"
#include "local/timestamp.h"

#include <ctype.h>
#include <string.h>

enum { USER_LIMIT = 64 << 10, ID_LENGTH = 28 };

bool user_id_is_valid(const char *id) {
    size_t length = strlen(id);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)id[i]))
            return false;
    return length > 0 && length <= 128;
}

static char *user_path(const struct identity *identity, const char *id) {
    return text_format("%s/users/%s", identity->root, id);
}

struct json *user_read(const struct identity *identity, const char *id) {
    AUTO_FREE char *path = user_path(identity, id);
    return user_id_is_valid(id) && file_exists(path) ? json_parse_file(path, USER_LIMIT, NULL) : NULL;
}

int user_write(const struct identity *identity, const char *id, const struct json *user, struct error *error) {
    AUTO_FREE char *path = user_path(identity, id);
    AUTO_FREE char *text = json_format(user, JSON_COMPACT_STYLE);
    return file_write_atomic(path, text, strlen(text), 0600, error);
}

void user_remove(struct identity *identity, const char *id) {
    AUTO_FREE char *path = user_path(identity, id);
    if (unlink(path) == 0)
        identity->users--;
}

void user_ids(const struct identity *identity, struct text_list *ids) {
    AUTO_FREE char *folder = path_join(identity->root, "users");
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++)
        if (user_id_is_valid(names.items[i]))
            text_list_add(ids, names.items[i]);
}

int64_t user_signed_in_at(const struct json *user) {
    uint64_t milliseconds = 0;
    text_to_u64(json_get_text(user, "lastLoginAt", "0"), INT64_MAX, &milliseconds);
    return (int64_t)(milliseconds / 1000);
}

/* Letters and digits, each as likely. */
static char *random_id(void) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char id[ID_LENGTH + 1];
    for (size_t i = 0; i < ID_LENGTH;) {
        unsigned char byte;
        random_bytes(&byte, 1);
        if (byte < 4 * (sizeof(letters) - 1))
            id[i++] = letters[byte % (sizeof(letters) - 1)];
    }
    id[ID_LENGTH] = '\0';
    return text_copy(id);
}

int user_make(struct identity *identity, char **id, struct error *error) {
    AUTO_JSON struct json *user = json_new_object();
    AUTO_FREE char *new_id = random_id();
    if (identity->users >= USERS_LIMIT)
        return error_set(error, ERROR_TEMPORARY, "QUOTA_EXCEEDED : the local cloud has %d users already", USERS_LIMIT);
    AUTO_FREE char *now = text_format("%lld", (long long)(timestamp_now() / 1000));
    json_set_text(user, "createdAt", now);
    json_set_text(user, "lastLoginAt", now);
    json_set_text(user, "lastRefreshAt", timestamp_format(timestamp_now()).text);
    if (user_write(identity, new_id, user, error) < 0)
        return -1;
    identity->users++;
    *id = take_pointer(&new_id);
    return 0;
}
