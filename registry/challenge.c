#include "registry/challenge.h"

#include <string.h>
#include <strings.h>

enum { HEADER_LIMIT = 16384 };

static size_t token_length(const char *text) {
    return strcspn(text, " \t,=\"");
}

/* A quoted string or a token; moves *text behind it. The caller frees. */
static char *take_value(const char **text) {
    if (**text != '"') {
        size_t length = strcspn(*text, " \t,");
        char *value = text_copy_length(*text, length);
        *text += length;
        return value;
    }
    char *value = text_copy(*text + 1), *out = value;
    const char *at = *text + 1;
    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        *out++ = *at;
    }
    *out = 0;
    *text = *at ? at + 1 : at;
    return value;
}

static void set_parameter(struct challenge *challenge, const char *name, size_t length, char *value) {
    char **slot = NULL;
    if (length == 5 && !strncasecmp(name, "realm", length))
        slot = &challenge->realm;
    else if (length == 7 && !strncasecmp(name, "service", length))
        slot = &challenge->service;
    else if (length == 5 && !strncasecmp(name, "scope", length))
        slot = &challenge->scope;
    if (!slot || *slot) {
        free(value);
        return;
    }
    *slot = value;
}

static void keep_if_better(struct challenge *best, struct challenge *candidate) {
    bool usable = candidate->scheme == CHALLENGE_BASIC || (candidate->scheme == CHALLENGE_BEARER && candidate->realm);
    if (usable && candidate->scheme > best->scheme) {
        challenge_release(best);
        *best = *candidate;
        *candidate = (struct challenge){0};
    }
    challenge_release(candidate);
}

/* One header may hold several challenges: "Basic realm="a", Bearer realm="b",service="c"". */
static void read_header(const char *text, struct challenge *best) {
    struct challenge current = {0};
    while (*(text += strspn(text, " \t,"))) {
        size_t length = token_length(text);
        const char *after = text + length + strspn(text + length, " \t");
        if (length && *after == '=') {
            const char *value = after + 1 + strspn(after + 1, " \t");
            char *taken = take_value(&value);
            set_parameter(&current, text, length, taken);
            text = value;
        } else {
            keep_if_better(best, &current);
            if (length == 6 && !strncasecmp(text, "Bearer", length))
                current.scheme = CHALLENGE_BEARER;
            else if (length == 5 && !strncasecmp(text, "Basic", length))
                current.scheme = CHALLENGE_BASIC;
            text += length ? length : 1;
        }
    }
    keep_if_better(best, &current);
}

void challenge_read(const struct http_response *response, struct challenge *challenge) {
    static const char name[] = "www-authenticate: ";
    *challenge = (struct challenge){0};
    for (size_t i = 0; i < response->headers.count; i++) {
        const char *line = response->headers.items[i];
        if (text_starts_with(line, name) && strlen(line) <= HEADER_LIMIT)
            read_header(line + strlen(name), challenge);
    }
}

void challenge_release(struct challenge *challenge) {
    free(challenge->realm);
    free(challenge->service);
    free(challenge->scope);
    *challenge = (struct challenge){0};
}
