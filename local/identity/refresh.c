/* The token service: a refresh token for a new ID token (RFC 6749, section 6, in Google's form). */
#include "local/identity/internal.h"

#include "local/timestamp.h"

#include <string.h>

static void refuse(struct ask *ask, const char *message) {
    reply_google_error(ask->reply, 400, "%s", message);
}

static char *parameter(const struct ask *ask, const char *form_name, const char *json_name) {
    const char *value = json_get_text(ask->body, form_name, json_get_text(ask->body, json_name, NULL));
    return value ? text_copy(value) : form_value(buffer_text(&ask->request->body), form_name);
}

void token_refresh(struct ask *ask) {
    AUTO_FREE char *type = parameter(ask, "grant_type", "grantType");
    AUTO_FREE char *refresh = parameter(ask, "refresh_token", "refreshToken");
    struct error error = {0};
    if (!text_equal(type, "refresh_token")) {
        refuse(ask, text_is_empty(type) ? "MISSING_GRANT_TYPE" : "INVALID_GRANT_TYPE");
        return;
    }
    if (text_is_empty(refresh)) {
        refuse(ask, "MISSING_REFRESH_TOKEN");
        return;
    }
    AUTO_FREE char *id = user_refresh_token_check(ask->identity, refresh);
    AUTO_JSON struct json *user = id ? user_read(ask->identity, id) : NULL;
    if (id && !user) {
        refuse(ask, "USER_NOT_FOUND");
        return;
    }
    if (!user) {
        refuse(ask, "INVALID_REFRESH_TOKEN");
        return;
    }
    json_set_text(user, "lastRefreshAt", timestamp_format(timestamp_now()).text);
    AUTO_FREE char *token = id_token_mint(ask->identity, id, user, user_signed_in_at(user), &error);
    if (!token || user_write(ask->identity, id, user, &error) < 0) {
        reply_google_error(ask->reply, 500, "%s", error.text);
        return;
    }
    struct json *document = json_new_object();
    json_set_text(document, "access_token", token);
    json_set_text(document, "expires_in", "3600");
    json_set_text(document, "token_type", "Bearer");
    json_set_text(document, "refresh_token", refresh);
    json_set_text(document, "id_token", token);
    json_set_text(document, "user_id", id);
    json_set_text(document, "project_id", ask->cloud->number);
    reply_json(ask->reply, 200, document);
}
