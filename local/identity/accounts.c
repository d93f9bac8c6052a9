/* Accounts: who signs in, who they are. */
#include "local/identity/internal.h"

#include "local/timestamp.h"

#include <string.h>
#include <time.h>

enum { FIELD_LIMIT = 2048 };

static void fail(struct ask *ask, const struct error *error) {
    if (error->kind == ERROR_TEMPORARY)
        ask_refuse(ask, error->text);
    else
        reply_google_error(ask->reply, 500, "%s", error->text);
}

/* Takes the document. */
static void reply_with_tokens(struct ask *ask, struct json *document, const char *id, const struct json *user) {
    struct error error = {0};
    AUTO_JSON struct json *owned = document;
    AUTO_FREE char *token = id_token_mint(ask->identity, id, user, user_signed_in_at(user), &error);
    AUTO_FREE char *refresh = token ? user_refresh_token_mint(ask->identity, id, &error) : NULL;
    if (!refresh) {
        fail(ask, &error);
        return;
    }
    json_set_text(document, "idToken", token);
    json_set_text(document, "refreshToken", refresh);
    json_set_text(document, "expiresIn", "3600");
    reply_json(ask->reply, 200, take_pointer(&owned));
}

/* Anonymous, or not at all: what a project has not switched on is refused with these words. */
void account_sign_up(struct ask *ask) {
    struct error error = {0};
    AUTO_FREE char *id = NULL;
    if (json_get(ask->body, "email") || json_get(ask->body, "password") || json_get(ask->body, "idToken")) {
        ask_refuse(ask, "OPERATION_NOT_ALLOWED");
        return;
    }
    if (user_make(ask->identity, &id, &error) < 0) {
        fail(ask, &error);
        return;
    }
    AUTO_JSON struct json *user = user_read(ask->identity, id);
    struct json *document = json_new_object();
    json_set_text(document, "kind", "identitytoolkit#SignupNewUserResponse");
    json_set_text(document, "localId", id);
    reply_with_tokens(ask, document, id, user);
}

static struct json *show(const char *id, const struct json *user) {
    struct json *shown = json_copy_deep(user);
    json_set_text(shown, "localId", id);
    return shown;
}

/* The user of the ID token, or NULL with an answer. *id is the caller's. */
static struct json *need_user(struct ask *ask, char **id) {
    const char *named = ask->is_admin ? json_get_text(ask->body, "localId", NULL) : NULL;
    *id = named ? text_copy(named) : id_token_check(ask->identity, json_get_text(ask->body, "idToken", NULL));
    struct json *user = *id ? user_read(ask->identity, *id) : NULL;
    if (!*id)
        ask_refuse(ask, json_get(ask->body, "idToken") ? "INVALID_ID_TOKEN" : "MISSING_ID_TOKEN");
    else if (!user)
        ask_refuse(ask, "USER_NOT_FOUND");
    return user;
}

void account_lookup(struct ask *ask) {
    struct json *users = json_new_array(), *document = json_new_object();
    const struct json *ids = ask->is_admin ? json_get(ask->body, "localId") : NULL;
    json_set_text(document, "kind", "identitytoolkit#GetAccountInfoResponse");
    if (ids) {
        for (size_t i = 0; i < json_count(ids); i++) {
            const char *id = json_text(json_at(ids, i));
            AUTO_JSON struct json *user = id ? user_read(ask->identity, id) : NULL;
            if (user)
                json_append(users, show(id, user));
        }
    } else {
        AUTO_FREE char *id = NULL;
        AUTO_JSON struct json *user = need_user(ask, &id);
        if (user)
            json_append(users, show(id, user));
    }
    if (json_count(users))
        json_set(document, "users", users);
    else
        json_release(&users);
    if (ask->reply->status)
        json_release(&document);
    else
        reply_json(ask->reply, 200, document);
}

/* The name and the picture; an anonymous user has no more. */
void account_update(struct ask *ask) {
    static const char *const fields[] = {"displayName", "photoUrl"};
    static const char *const others[] = {"email", "password", "phoneNumber", "linkProviderUserInfo"};
    struct error error = {0};
    AUTO_FREE char *id = NULL;
    AUTO_JSON struct json *user = need_user(ask, &id);
    if (!user)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (json_get(ask->body, others[i])) {
            ask_refuse(ask, "OPERATION_NOT_ALLOWED");
            return;
        }
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        const char *value = json_get_text(ask->body, fields[i], NULL);
        if (value && strlen(value) > FIELD_LIMIT) {
            ask_refuse(ask, "INVALID_PROFILE_ATTRIBUTE");
            return;
        }
        if (value)
            json_set_text(user, fields[i], value);
    }
    if (user_write(ask->identity, id, user, &error) < 0) {
        fail(ask, &error);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "kind", "identitytoolkit#SetAccountInfoResponse");
    json_set_text(document, "localId", id);
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        json_set_text(document, fields[i], json_get_text(user, fields[i], NULL));
    if (json_get_bool(ask->body, "returnSecureToken", false) && !ask->is_admin)
        reply_with_tokens(ask, document, id, user);
    else
        reply_json(ask->reply, 200, document);
}

void account_delete(struct ask *ask) {
    AUTO_FREE char *id = NULL;
    AUTO_JSON struct json *user = need_user(ask, &id);
    if (!user)
        return;
    user_remove(ask->identity, id);
    struct json *document = json_new_object();
    json_set_text(document, "kind", "identitytoolkit#DeleteAccountResponse");
    reply_json(ask->reply, 200, document);
}

/* All users, a page of them; expressions are not looked at. */
void account_query(struct ask *ask) {
    const char *limit_text = json_get_text(ask->body, "limit", "500"),
               *offset_text = json_get_text(ask->body, "offset", "0");
    uint64_t limit = 500, offset = 0;
    AUTO_LIST struct text_list ids = {0};
    if (json_get(ask->body, "expression") || !text_to_u64(limit_text, 500, &limit) ||
        !text_to_u64(offset_text, INT32_MAX, &offset)) {
        ask_refuse(ask, "INVALID_ARGUMENT");
        return;
    }
    user_ids(ask->identity, &ids);
    struct json *document = json_new_object(), *users = json_new_array();
    for (size_t i = offset; i < ids.count && i < offset + limit; i++) {
        AUTO_JSON struct json *user = user_read(ask->identity, ids.items[i]);
        if (user)
            json_append(users, show(ids.items[i], user));
    }
    AUTO_FREE char *count = text_format("%zu", json_count(users));
    json_set_text(document, "recordsCount", count);
    json_set(document, "userInfo", users);
    reply_json(ask->reply, 200, document);
}
