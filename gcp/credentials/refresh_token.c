#include "gcp/credentials/refresh_token.h"

#include <string.h>

static void forget(char **secret) {
    if (*secret)
        memory_wipe(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static int copy_member(const struct json *document, const char *key, const char *path, char **copy,
                       struct error *error) {
    const char *text;
    if (json_need_text(document, key, path, &text, error) < 0 || member_check(text, key, path, error) < 0)
        return -1;
    *copy = text_copy(text);
    return 0;
}

int refresh_token_open(struct refresh_token *self, const struct json *document, const char *path, struct error *error) {
    if (copy_member(document, "client_id", path, &self->client_id, error) < 0 ||
        copy_member(document, "client_secret", path, &self->client_secret, error) < 0 ||
        copy_member(document, "refresh_token", path, &self->refresh_token, error) < 0) {
        refresh_token_release(self);
        return -1;
    }
    return 0;
}

void refresh_token_release(struct refresh_token *self) {
    free(self->url);
    free(self->client_id);
    forget(&self->client_secret);
    forget(&self->refresh_token);
    *self = (struct refresh_token){0};
}

static void take_rotated(struct refresh_token *self, const struct json *reply) {
    const char *rotated = json_get_text(reply, "refresh_token", NULL);
    if (text_is_empty(rotated) || text_equal(rotated, self->refresh_token))
        return;
    forget(&self->refresh_token);
    self->refresh_token = text_copy(rotated);
}

static int ask(struct refresh_token *self, const struct mint *mint, struct token *token, struct error *error) {
    const char *what = "cannot get a token with the refresh token";
    AUTO_BUFFER struct buffer form = BUFFER_SECRET(FORM_LIMIT), login = BUFFER_SECRET(FORM_LIMIT);
    AUTO_JSON struct json *reply = NULL;
    form_add(&form, "grant_type", "refresh_token");
    if (self->basic) {
        buffer_append_format(&login, "%s:%s", self->client_id, self->client_secret);
    } else {
        form_add(&form, "client_id", self->client_id);
        form_add(&form, "client_secret", self->client_secret);
    }
    form_add(&form, "refresh_token", self->refresh_token);
    const char *const secrets[] = {self->refresh_token, self->client_secret, NULL};
    struct token_request request = {.what = what,
                                    .secrets = secrets,
                                    .url = self->url,
                                    .form = &form,
                                    .authorization = self->basic ? HTTP_BASIC : HTTP_NO_AUTHORIZATION,
                                    .secret = self->basic ? buffer_text(&login) : NULL};
    if (token_post(mint->http, &request, &reply, error) < 0) {
        if (text_equal(json_get_text(reply, "error", NULL), "invalid_grant"))
            return error_next(error, "sign in again: gcloud auth application-default login");
        return -1;
    }
    take_rotated(self, reply);
    return token_take_access(reply, what, token, error);
}

int refresh_token_mint(struct refresh_token *self, const struct mint *mint, struct token *token, struct error *error) {
    if (mint->audience) {
        error_set(error, ERROR_CONFIGURATION, "a person's credentials give no ID token for an audience");
        return error_next(error, "give --impersonate-service-account EMAIL: service accounts have such tokens");
    }
    hop_begin(mint->hops, HOP_TOKEN, "the refresh token of client %.120s", self->client_id);
    if (ask(self, mint, token, error) < 0)
        return error_wrap(error, "%s", hop_name(HOP_TOKEN));
    hop_end(mint->hops);
    return 0;
}
