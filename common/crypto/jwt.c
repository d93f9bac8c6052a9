#include "common/crypto/jwt.h"

#include "common/base/text.h"
#include "common/crypto/base64.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

enum { KEY_BITS = 2048, KEY_BITS_MAXIMUM = 8192, PEM_LIMIT = 32768 };

struct jwt_key {
    EVP_PKEY *pkey;
};

static void cleanup_context(EVP_MD_CTX **context) {
    EVP_MD_CTX_free(*context);
}

static void cleanup_bio(BIO **bio) {
    BIO_free_all(*bio);
}

static void cleanup_bignum(BIGNUM **number) {
    BN_free(*number);
}

static int openssl_error(struct error *error, const char *what) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return error_set(error, ERROR_INTERNAL, "%s: %s", what, reason ? reason : "OpenSSL failed");
}

/* An encrypted PEM asks for a pass phrase: there is none, and OpenSSL must not ask the terminal. */
static int no_password(char *out, int size, int writing, void *context) {
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static struct jwt_key *key_take(EVP_PKEY *pkey, const char *what, struct error *error) {
    if (!pkey) {
        ERR_clear_error();
        error_set(error, ERROR_DATA, "the %s key is no PEM text of an unencrypted RSA key", what);
        return NULL;
    }
    int bits = EVP_PKEY_get_bits(pkey);
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || bits < KEY_BITS || bits > KEY_BITS_MAXIMUM) {
        EVP_PKEY_free(pkey);
        error_set(error, ERROR_DATA, "the %s key is not an RSA key of %d to %d bits", what, KEY_BITS, KEY_BITS_MAXIMUM);
        return NULL;
    }
    struct jwt_key *key = memory_allocate(1, sizeof(*key));
    key->pkey = pkey;
    return key;
}

struct jwt_key *jwt_key_private(const char *pem, size_t length, struct error *error) {
    AUTO(cleanup_bio) BIO *bio = length <= PEM_LIMIT ? BIO_new_mem_buf(pem, (int)length) : NULL;
    return key_take(bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL, "private", error);
}

struct jwt_key *jwt_key_public(const char *pem, size_t length, struct error *error) {
    AUTO(cleanup_bio) BIO *bio = length <= PEM_LIMIT ? BIO_new_mem_buf(pem, (int)length) : NULL;
    return key_take(bio ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL, "public", error);
}

struct jwt_key *jwt_key_generate(struct error *error) {
    EVP_PKEY *pkey = EVP_RSA_gen(KEY_BITS);
    if (!pkey) {
        openssl_error(error, "cannot make an RSA key");
        return NULL;
    }
    return key_take(pkey, "new", error);
}

void jwt_key_release(struct jwt_key **key) {
    if (*key) {
        EVP_PKEY_free((*key)->pkey);
        free(*key);
    }
    *key = NULL;
}

static char *bio_take(BIO *bio) {
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    return text_copy_length(data, (size_t)length);
}

char *jwt_key_private_pem(const struct jwt_key *key, struct error *error) {
    AUTO(cleanup_bio) BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
        openssl_error(error, "cannot write the private key");
        return NULL;
    }
    return bio_take(bio);
}

char *jwt_key_public_pem(const struct jwt_key *key, struct error *error) {
    AUTO(cleanup_bio) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1) {
        openssl_error(error, "cannot write the public key");
        return NULL;
    }
    return bio_take(bio);
}

static int set_number(struct json *jwk, const char *name, const EVP_PKEY *pkey, const char *parameter) {
    AUTO(cleanup_bignum) BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1)
        return -1;
    unsigned char bytes[KEY_BITS_MAXIMUM / 8];
    int length = BN_bn2bin(number, bytes);
    AUTO_BUFFER struct buffer text = BUFFER(2 * sizeof(bytes));
    base64_encode(BASE64_URL, bytes, (size_t)length, &text);
    json_set_text(jwk, name, buffer_text(&text));
    return 0;
}

struct json *jwt_key_jwk(const struct jwt_key *key, const char *key_id, struct error *error) {
    AUTO_JSON struct json *jwk = json_new_object();
    json_set_text(jwk, "kty", "RSA");
    json_set_text(jwk, "alg", "RS256");
    json_set_text(jwk, "use", "sig");
    json_set_text(jwk, "kid", key_id);
    if (set_number(jwk, "n", key->pkey, OSSL_PKEY_PARAM_RSA_N) < 0 ||
        set_number(jwk, "e", key->pkey, OSSL_PKEY_PARAM_RSA_E) < 0) {
        openssl_error(error, "cannot read the public key");
        return NULL;
    }
    return take_pointer(&jwk);
}

static BIGNUM *get_number(const struct json *jwk, const char *name) {
    const char *text = json_get_text(jwk, name, "");
    AUTO_BUFFER struct buffer bytes = BUFFER(KEY_BITS_MAXIMUM / 8);
    if (base64_decode(BASE64_URL, text, strlen(text), &bytes, NULL) < 0 || bytes.failed || !bytes.length)
        return NULL;
    return BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.length, NULL);
}

static void cleanup_builder(OSSL_PARAM_BLD **builder) {
    OSSL_PARAM_BLD_free(*builder);
}

static void cleanup_parameters(OSSL_PARAM **parameters) {
    OSSL_PARAM_free(*parameters);
}

static void cleanup_pkey_context(EVP_PKEY_CTX **context) {
    EVP_PKEY_CTX_free(*context);
}

struct jwt_key *jwt_key_from_jwk(const struct json *jwk, struct error *error) {
    AUTO(cleanup_bignum) BIGNUM *modulus = get_number(jwk, "n");
    AUTO(cleanup_bignum) BIGNUM *exponent = get_number(jwk, "e");
    AUTO(cleanup_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    AUTO(cleanup_pkey_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *pkey = NULL;
    if (!text_equal(json_get_text(jwk, "kty", NULL), "RSA") ||
        !text_equal(json_get_text(jwk, "alg", "RS256"), "RS256") || !modulus || !exponent || !builder || !context ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1) {
        error_set(error, ERROR_DATA, "the key is no JSON Web Key of RSA for RS256");
        return NULL;
    }
    AUTO(cleanup_parameters) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters);
    return key_take(pkey, "public", error);
}

static void append_part(struct buffer *token, const struct json *value) {
    char *text = json_format(value, JSON_COMPACT_STYLE);
    base64_encode(BASE64_URL, text, strlen(text), token);
    free(text);
}

int jwt_sign_bytes(const struct jwt_key *key, const void *data, size_t length, struct buffer *out,
                   struct error *error) {
    unsigned char signature[KEY_BITS_MAXIMUM / 8];
    size_t size = sizeof(signature);
    AUTO(cleanup_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey) != 1 ||
        EVP_DigestSign(context, signature, &size, data, length) != 1)
        return openssl_error(error, "cannot sign");
    buffer_append(out, signature, size);
    return buffer_check(out, "the signature", error);
}

char *jwt_sign(const struct jwt_key *key, const char *key_id, const struct json *claims, struct error *error) {
    AUTO_JSON struct json *header = json_new_object();
    json_set_text(header, "alg", "RS256");
    json_set_text(header, "typ", "JWT");
    json_set_text(header, "kid", key_id);
    AUTO_BUFFER struct buffer token = BUFFER(JWT_LIMIT);
    append_part(&token, header);
    buffer_append_byte(&token, '.');
    append_part(&token, claims);
    if (buffer_check(&token, "the token", error) < 0)
        return NULL;
    AUTO_BUFFER struct buffer signature = BUFFER(KEY_BITS_MAXIMUM / 8);
    if (jwt_sign_bytes(key, token.data, token.length, &signature, error) < 0)
        return NULL;
    buffer_append_byte(&token, '.');
    base64_encode(BASE64_URL, signature.data, signature.length, &token);
    if (buffer_check(&token, "the token", error) < 0)
        return NULL;
    return buffer_take(&token);
}

struct parts {
    const char *header, *claims, *signature;
    size_t header_length, claims_length, signature_length;
};

static int split(const char *token, struct parts *parts, struct error *error) {
    const char *first = token ? strchr(token, '.') : NULL;
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strlen(token) > JWT_LIMIT || strchr(second + 1, '.'))
        return error_set(error, ERROR_DATA, "not a JSON Web Token of three parts");
    *parts = (struct parts){.header = token,
                            .header_length = (size_t)(first - token),
                            .claims = first + 1,
                            .claims_length = (size_t)(second - first - 1),
                            .signature = second + 1,
                            .signature_length = strlen(second + 1)};
    return 0;
}

static struct json *part_parse(const char *text, size_t length, const char *what, struct error *error) {
    AUTO_BUFFER struct buffer plain = BUFFER(JWT_LIMIT);
    if (base64_decode(BASE64_URL, text, length, &plain, error) < 0 || buffer_check(&plain, what, error) < 0) {
        error_wrap(error, "%s", what);
        return NULL;
    }
    AUTO_JSON struct json *value = json_parse(buffer_text(&plain), plain.length, what, error);
    if (value && !json_is_object(value)) {
        error_set(error, ERROR_DATA, "%s is no JSON object", what);
        return NULL;
    }
    return take_pointer(&value);
}

int jwt_read(const char *token, struct json **header, struct json **claims, struct error *error) {
    struct parts parts;
    if (split(token, &parts, error) < 0)
        return -1;
    AUTO_JSON struct json *first = part_parse(parts.header, parts.header_length, "the token's header", error);
    AUTO_JSON struct json *second =
        first ? part_parse(parts.claims, parts.claims_length, "the token's claims", error) : NULL;
    if (!second)
        return -1;
    if (header)
        *header = take_pointer(&first);
    if (claims)
        *claims = take_pointer(&second);
    return 0;
}

int jwt_verify(const struct jwt_key *key, const char *token, struct json **claims, struct error *error) {
    AUTO_JSON struct json *header = NULL, *body = NULL;
    if (jwt_read(token, &header, &body, error) < 0)
        return -1;
    if (!text_equal(json_get_text(header, "alg", NULL), "RS256") || json_get(header, "crit"))
        return error_set(error, ERROR_PERMISSION, "the token is not signed with RS256");
    struct parts parts;
    AUTO_BUFFER struct buffer signature = BUFFER(KEY_BITS_MAXIMUM / 8);
    if (split(token, &parts, error) < 0 ||
        base64_decode(BASE64_URL, parts.signature, parts.signature_length, &signature, error) < 0 ||
        buffer_check(&signature, "the token's signature", error) < 0)
        return -1;
    AUTO(cleanup_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t signed_length = (size_t)(parts.signature - 1 - token);
    int right = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)buffer_text(&signature), signature.length,
                                 (const unsigned char *)token, signed_length) == 1;
    ERR_clear_error();
    if (!right)
        return error_set(error, ERROR_PERMISSION, "the token's signature is wrong");
    *claims = take_pointer(&body);
    return 0;
}

static int has_audience(const struct json *claims, const char *audience) {
    const struct json *value = json_get(claims, "aud");
    for (size_t i = 0; json_is_array(value) && i < json_count(value); i++)
        if (text_equal(json_text(json_at(value, i)), audience))
            return 1;
    return json_is_text(value) && text_equal(json_text(value), audience);
}

int jwt_check_claims(const struct json *claims, const char *issuer, const char *audience, int64_t now,
                     struct error *error) {
    int64_t expires = json_get_integer(claims, "exp", -1);
    int64_t begins = json_get_integer(claims, "nbf", 0);
    int64_t issued = json_get_integer(claims, "iat", 0);
    if (expires < now - JWT_LEEWAY)
        return error_set(error, ERROR_PERMISSION, "the token has ended: \"exp\" is %lld, now is %lld",
                         (long long)expires, (long long)now);
    if (begins > now + JWT_LEEWAY || issued > now + JWT_LEEWAY)
        return error_set(error, ERROR_PERMISSION,
                         "the token is not valid yet: \"%s\" is %lld, now is %lld; compare the clocks",
                         begins > now + JWT_LEEWAY ? "nbf" : "iat",
                         (long long)(begins > now + JWT_LEEWAY ? begins : issued), (long long)now);
    if (issuer && !text_equal(json_get_text(claims, "iss", NULL), issuer))
        return error_set(error, ERROR_PERMISSION, "the token's issuer is \"%s\", not \"%s\"",
                         json_get_text(claims, "iss", ""), issuer);
    if (audience && !has_audience(claims, audience))
        return error_set(error, ERROR_PERMISSION, "the token's audience is \"%s\", not \"%s\"",
                         json_get_text(claims, "aud", ""), audience);
    return 0;
}
