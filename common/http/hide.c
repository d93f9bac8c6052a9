/* A server's answer may repeat what it was sent. */
#include "common/http/http.h"

#include "common/json/json.h"

#include <string.h>

enum { SHORTEST_SECRET = 6 };

static void hide(struct buffer *body, const char *secret) {
    size_t length = strlen(secret);
    if (length < SHORTEST_SECRET || !body->data)
        return;
    for (char *at = body->data; (at = memmem(at, body->length - (size_t)(at - body->data), secret, length)); at += 3) {
        char *end = body->data + body->length;
        memcpy(at, "***", 3);
        memmove(at + 3, at + length, (size_t)(end - at) - length + 1);
        body->length -= length - 3;
    }
}

static void forget(char *text) {
    memory_wipe(text, strlen(text));
    free(text);
}

void http_response_hide(struct http_response *response, const char *secret) {
    if (!secret)
        return;
    AUTO_JSON struct json *value = json_new_text(secret);
    char *encoded = url_encode(secret), *quoted = json_format(value, JSON_COMPACT_STYLE);
    quoted[strlen(quoted) - 1] = '\0';
    hide(&response->body, secret);
    hide(&response->body, encoded);
    hide(&response->body, quoted + 1);
    forget(encoded);
    forget(quoted);
}
