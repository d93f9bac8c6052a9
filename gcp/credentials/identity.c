/* What an identity token says of who we are. */
#include "gcp/credentials/external_account.h"

#include "common/crypto/jwt.h"

#include <string.h>
#include <time.h>

static void append_claim(struct buffer *out, const struct json *claims, const char *name) {
    const struct json *value = json_get(claims, name);
    if (!value)
        return;
    AUTO_FREE char *text = json_is_text(value) ? text_copy(json_text(value)) : json_format(value, JSON_COMPACT_STYLE);
    buffer_append_format(out, "%s%s=%.160s", out->length ? " " : "", name, text);
}

char *identity_claims(const struct json *claims) {
    static const char *const names[] = {"iss", "sub", "aud", "repository", "ref", "environment", "project_path"};
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        append_claim(&text, claims, names[i]);
    return text_copy(buffer_text(&text));
}

static bool has_audience(const struct json *claims, const char *audience) {
    const struct json *value = json_get(claims, "aud");
    if (json_is_text(value))
        return text_equal(json_text(value), audience);
    for (size_t i = 0; i < json_count(value); i++)
        if (text_equal(json_text(json_at(value, i)), audience))
            return true;
    return false;
}

static int wrong_time(const char *how, int64_t seconds, struct error *error) {
    error_set(error, ERROR_PERMISSION, "the identity token %s (%lld s by this machine's clock)", how,
              (long long)seconds);
    return error_next(error, "take a fresh token; if it is fresh, this machine's clock is wrong: timedatectl");
}

int identity_check(const char *token, const char *audience, struct json **claims, struct error *error) {
    int64_t now = time(NULL);
    *claims = NULL;
    if (jwt_read(token, NULL, claims, NULL) < 0) {
        error_set(error, ERROR_DATA, "the identity token is no JWT: it has %zu bytes and is cut off or something else",
                  strlen(token));
        return error_next(error, "see what gives the token: a JWT has three parts, divided by dots");
    }
    int64_t end = json_get_integer(*claims, "exp", 0), begin = json_get_integer(*claims, "iat", now);
    if (end + JWT_LEEWAY < now)
        return wrong_time("has ended", now - end, error);
    if (begin > now + JWT_LEEWAY)
        return wrong_time("is of the future", begin - now, error);
    if (!json_get_text(*claims, "iss", NULL) || !json_get_text(*claims, "sub", NULL))
        return error_set(error, ERROR_DATA, "the identity token has no iss or no sub, which the exchange needs");
    if (audience && !has_audience(*claims, audience)) {
        AUTO_FREE char *said = identity_claims(*claims);
        error_set(error, ERROR_CONFIGURATION, "the identity token is not for the audience %.200s; it says: %.600s",
                  audience, said);
        return error_next(error, "give --federation-audience the one that the provider allows, or leave it out");
    }
    return 0;
}
