#include "common/crypto/integrity.h"

#include "common/base/text.h"
#include "common/crypto/base64.h"

#include <openssl/evp.h>
#include <string.h>

enum { SHA512_SIZE = 64 };
static const char prefix[] = "sha512-";

struct integrity {
    EVP_MD_CTX *context;
    unsigned char expected[SHA512_SIZE];
};

/* The first "sha512-…" of a list, or NULL. *length is that of the base64. */
static const char *find_sha512(const char *text, size_t *length) {
    while (*text) {
        text += strspn(text, " \t\n");
        size_t word = strcspn(text, " \t\n");
        if (word >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0) {
            /* options may follow a question mark; none is defined */
            const char *mark = memchr(text, '?', word);
            *length = (mark ? (size_t)(mark - text) : word) - strlen(prefix);
            return text + strlen(prefix);
        }
        text += word;
    }
    return NULL;
}

void integrity_restart(struct integrity *integrity) {
    if (EVP_DigestInit_ex(integrity->context, EVP_sha512(), NULL) != 1)
        abort();
}

struct integrity *integrity_new(const char *text, struct error *error) {
    AUTO_BUFFER struct buffer bytes = BUFFER(2 * SHA512_SIZE);
    size_t length = 0;
    const char *base64 = text ? find_sha512(text, &length) : NULL;
    if (!base64) {
        error_set(error, ERROR_DATA, "no sha512 integrity: \"%.120s\"", text ? text : "");
        return NULL;
    }
    if (base64_decode(BASE64_STANDARD, base64, length, &bytes, error) < 0 || bytes.length != SHA512_SIZE) {
        error_set(error, ERROR_DATA, "not a sha512 integrity: \"%.120s\"", text);
        return NULL;
    }
    struct integrity *integrity = memory_allocate(1, sizeof(*integrity));
    memcpy(integrity->expected, bytes.data, SHA512_SIZE);
    integrity->context = EVP_MD_CTX_new();
    if (!integrity->context)
        abort();
    integrity_restart(integrity);
    return integrity;
}

void integrity_add(struct integrity *integrity, const void *data, size_t length) {
    if (EVP_DigestUpdate(integrity->context, data, length) != 1)
        abort();
}

int integrity_finish(struct integrity *integrity, struct error *error) {
    unsigned char found[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_DigestFinal_ex(integrity->context, found, &length) != 1)
        abort();
    if (length == SHA512_SIZE && memcmp(found, integrity->expected, SHA512_SIZE) == 0)
        return 0;
    AUTO_BUFFER struct buffer wanted = BUFFER(256), got = BUFFER(256);
    base64_encode(BASE64_STANDARD, integrity->expected, SHA512_SIZE, &wanted);
    base64_encode(BASE64_STANDARD, found, length, &got);
    return error_set(error, ERROR_PROTOCOL, "its integrity is sha512-%s, not sha512-%s", buffer_text(&got),
                     buffer_text(&wanted));
}

void integrity_release(struct integrity **integrity) {
    if (!*integrity)
        return;
    EVP_MD_CTX_free((*integrity)->context);
    free(*integrity);
    *integrity = NULL;
}
