#include "common/crypto/certificate.h"

#include "common/base/text.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void cleanup_certificate(X509 **certificate) {
    X509_free(*certificate);
}

static void cleanup_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}

static void cleanup_bio(BIO **bio) {
    BIO_free_all(*bio);
}

/* The key is not encrypted; OpenSSL must not ask the terminal. */
static int no_password(char *out, int size, int writing, void *context) {
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static bool add_extension(X509 *certificate, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *name, int64_t from, int64_t until) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), from) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)until) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "critical,clientAuth") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

char *certificate_self_signed(const char *private_pem, size_t length, const char *name, int64_t from, int64_t until,
                              struct error *error) {
    AUTO(cleanup_bio) BIO *in = length < INT32_MAX ? BIO_new_mem_buf(private_pem, (int)length) : NULL;
    AUTO(cleanup_key) EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;
    AUTO(cleanup_certificate) X509 *certificate = X509_new();
    AUTO(cleanup_bio) BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;
    if (!key || !certificate || !out || !fill(certificate, key, name, from, until) ||
        PEM_write_bio_X509(out, certificate) != 1) {
        ERR_clear_error();
        error_set(error, ERROR_INTERNAL, "cannot make a certificate");
        return NULL;
    }
    long size = BIO_get_mem_data(out, &data);
    return text_copy_length(data, (size_t)size);
}
