/* One exchange with a token endpoint. What is sent and what comes back are secrets. */
#include "gcp/credentials/type.h"

#include "common/crypto/jwt.h"
#include "gcp/google_error.h"

#include <string.h>
#include <time.h>

enum { TOKEN_LIFE_LIMIT = 365 * 86400 };

void form_add(struct buffer *form, const char *name, const char *value) {
    if (text_is_empty(value))
        return;
    char *encoded = url_encode(value);
    if (form->length)
        buffer_append_byte(form, '&');
    buffer_append_text(form, name);
    buffer_append_byte(form, '=');
    buffer_append_text(form, encoded);
    memory_wipe(encoded, strlen(encoded));
    free(encoded);
}

/* A captive portal, a company's proxy or a wrong port: something that is no Google answers. */
static bool is_page(const struct http_response *response) {
    const char *text = buffer_text(&response->body);
    return text[strspn(text, " \t\r\n")] == '<';
}

static int page_instead(const struct http_response *response, const char *what, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "%s: %s answered with a page of HTML (%ld) where a token was expected", what,
              response->url ? response->url : "the server", response->status);
    return error_next(error,
                      "look who answers there: a proxy (HTTPS_PROXY, NO_PROXY) or a sign-in page of the network");
}

int token_reply(struct http_response *response, const char *what, struct json **reply, struct error *error) {
    if (is_page(response))
        return page_instead(response, what, error);
    *reply = json_parse_secret(buffer_text(&response->body), response->body.length, what, error);
    if (json_is_object(*reply))
        return 0;
    json_release(reply);
    error_set(error, ERROR_PROTOCOL, "%s: the answer is no JSON object (%zu bytes)", what, response->body.length);
    return error_next(error, "run the same command again; if it stays so, see who answers at %.200s",
                      response->url ? response->url : "that address");
}

static int refuse(struct http_response *response, const struct token_request *request, struct json **reply,
                  struct error *error) {
    if (is_page(response) && response->status < 500)
        return page_instead(response, request->what, error);
    http_response_hide(response, request->secret);
    for (const char *const *secret = request->secrets; secret && *secret; secret++)
        http_response_hide(response, *secret);
    *reply = json_parse(buffer_text(&response->body), response->body.length, "the answer", NULL);
    struct google_subject subject = {.principal = request->principal, .project = request->project};
    google_error_set(error, request->what, response, &subject);
    if (response->status >= 500 && error) {
        error->kind = ERROR_TEMPORARY;
        return error_next(error, "run the same command again");
    }
    return -1;
}

int token_post(struct http *http, const struct token_request *request, struct json **reply, struct error *error) {
    *reply = NULL;
    AUTO_BUFFER struct buffer body = BUFFER_SECRET(FORM_LIMIT);
    if (request->json)
        json_write(request->json, JSON_COMPACT_STYLE, &body);
    else
        buffer_append(&body, buffer_text(request->form), request->form->length);
    if (buffer_check(&body, request->what, error) < 0)
        return -1;
    AUTO_RESPONSE struct http_response response = {0};
    struct http_request sent = {.method = "POST",
                                .url = request->url,
                                .authorization = request->authorization,
                                .secret = request->secret,
                                .content_type =
                                    request->json ? "application/json" : "application/x-www-form-urlencoded",
                                .body = buffer_text(&body),
                                .body_length = body.length,
                                .certificate = request->certificate,
                                .key = request->key,
                                .secret_response = true,
                                .idempotent = true};
    if (http_perform(http, &sent, &response, error) < 0)
        return error_wrap(error, "%s", request->what);
    return response.status == 200 ? token_reply(&response, request->what, reply, error)
                                  : refuse(&response, request, reply, error);
}

static int append(const struct json *reply, const char *key, const char *what, struct token *token,
                  struct error *error) {
    const char *text = json_get_text(reply, key, NULL);
    if (!text)
        return error_set(error, ERROR_PROTOCOL, "%s: the answer has no text \"%s\"", what, key);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return error_set(error, ERROR_PROTOCOL, "%s: the token has characters that no token has", what);
    if (!*text)
        return error_set(error, ERROR_PROTOCOL, "%s: the token is empty", what);
    buffer_append_text(&token->text, text);
    return buffer_check(&token->text, what, error);
}

static int check_life(const struct token *token, const char *what, struct error *error) {
    if (token->seconds > 0 && token->seconds <= TOKEN_LIFE_LIMIT)
        return 0;
    return error_set(error, ERROR_PROTOCOL, "%s: the answer does not say when the token ends", what);
}

int token_take(const struct json *reply, const char *key, const char *what, struct token *token, struct error *error) {
    return append(reply, key, what, token, error) < 0 ? -1 : check_life(token, what, error);
}

int token_take_access(const struct json *reply, const char *what, struct token *token, struct error *error) {
    token->seconds = json_get_integer(reply, "expires_in", 0);
    return token_take(reply, "access_token", what, token, error);
}

int token_take_id(const struct json *reply, const char *key, const char *what, struct token *token,
                  struct error *error) {
    AUTO_JSON struct json *claims = NULL;
    if (append(reply, key, what, token, error) < 0)
        return -1;
    if (jwt_read(buffer_text(&token->text), NULL, &claims, error) < 0)
        return error_wrap(error, "%s", what);
    token->seconds = json_get_integer(claims, "exp", 0) - time(NULL);
    return check_life(token, what, error);
}
