/* common/crypto/jwt: signing, verifying, what is refused. */
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/crypto/jwt.h"
#include "common/file/file.h"
#include "common/process/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct jwt_key *key;

static int setup(void **state) {
    (void)state;
    key = jwt_key_generate(NULL);
    return key ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    jwt_key_release(&key);
    return 0;
}

static struct json *some_claims(void) {
    struct json *claims = json_new_object();
    json_set_text(claims, "iss", "a@b.iam.gserviceaccount.com");
    json_set_text(claims, "aud", "https://oauth2.googleapis.com/token");
    json_set_integer(claims, "iat", 1000000);
    json_set_integer(claims, "exp", 1003600);
    return claims;
}

static void a_token_that_was_signed_verifies(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_JSON struct json *claims = some_claims();
    AUTO_FREE char *token = jwt_sign(key, "k1", claims, &error);
    assert_non_null(token);
    AUTO_JSON struct json *header = NULL, *read = NULL;
    assert_int_equal(jwt_read(token, &header, NULL, &error), 0);
    assert_string_equal(json_get_text(header, "kid", ""), "k1");
    AUTO_FREE char *pem = jwt_key_public_pem(key, &error);
    AUTO_JWT_KEY struct jwt_key *public = jwt_key_public(pem, strlen(pem), &error);
    assert_int_equal(jwt_verify(public, token, &read, &error), 0);
    assert_true(json_same(read, claims));
    token[strlen(token) - 10] ^= 1;
    AUTO_JSON struct json *none = NULL;
    assert_int_equal(jwt_verify(public, token, &none, &error), -1);
    assert_null(none);
}

static void openssl_verifies_what_we_sign(void **state) {
    (void)state;
    AUTO_FREE char *program = process_find("openssl");
    if (!program)
        skip();
    struct error error = {0};
    AUTO_JSON struct json *claims = some_claims();
    AUTO_FREE char *token = jwt_sign(key, NULL, claims, &error);
    AUTO_FREE char *pem = jwt_key_public_pem(key, &error);
    char directory[] = "/tmp/pl-jwt.XXXXXX";
    assert_non_null(mkdtemp(directory));
    AUTO_FREE char *pem_path = path_join(directory, "key.pem"), *signature_path = path_join(directory, "signature");
    AUTO_BUFFER struct buffer signature = BUFFER(1024);
    char *dot = strrchr(token, '.');
    assert_int_equal(base64_decode(BASE64_URL, dot + 1, strlen(dot + 1), &signature, &error), 0);
    assert_int_equal(file_write_atomic(pem_path, pem, strlen(pem), 0600, &error), 0);
    assert_int_equal(file_write_atomic(signature_path, signature.data, signature.length, 0600, &error), 0);
    const char *const argv[] = {program, "dgst", "-sha256", "-verify", pem_path, "-signature", signature_path, NULL};
    struct process process = {.argv = argv, .input = token, .input_length = (size_t)(dot - token), .timeout = 30};
    assert_int_equal(process_run_checked(&process, &error), 0);
    assert_int_equal(tree_remove(directory, &error), 0);
}

static void other_algorithms_are_refused(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_JSON struct json *claims = some_claims();
    AUTO_FREE char *token = jwt_sign(key, NULL, claims, &error);
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}", "{}",
                                          "{\"alg\":\"RS256\",\"crit\":[\"x\"]}"};
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++) {
        AUTO_BUFFER struct buffer forged = BUFFER(JWT_LIMIT);
        base64_encode(BASE64_URL, headers[i], strlen(headers[i]), &forged);
        buffer_append_text(&forged, strchr(token, '.'));
        struct json *read = NULL;
        assert_int_equal(jwt_verify(key, buffer_text(&forged), &read, &error), -1);
        assert_int_equal(error.kind, ERROR_PERMISSION);
        assert_null(read);
    }
}

static void what_is_no_token_is_refused(void **state) {
    (void)state;
    static const char *const tokens[] = {"", "a", "a.b", "a.b.c", "e30.e30.e30.e30", "..", "W10.W10.x", "e30 .e30.x"};
    for (size_t i = 0; i < ARRAY_LENGTH(tokens); i++) {
        struct error error = {0};
        struct json *read = NULL;
        assert_int_equal(jwt_verify(key, tokens[i], &read, &error), -1);
        assert_null(read);
    }
}

static void claims_are_checked(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_JSON struct json *claims = some_claims();
    const char *audience = "https://oauth2.googleapis.com/token";
    assert_int_equal(jwt_check_claims(claims, NULL, audience, 1000100, &error), 0);
    assert_int_equal(jwt_check_claims(claims, NULL, audience, 1003600 + JWT_LEEWAY + 1, &error), -1);
    assert_int_equal(jwt_check_claims(claims, NULL, audience, 1000000 - JWT_LEEWAY - 1, &error), -1);
    assert_int_equal(jwt_check_claims(claims, NULL, "x", 1000100, &error), -1);
    assert_int_equal(jwt_check_claims(claims, "x", NULL, 1000100, &error), -1);
    AUTO_JSON struct json *list = json_new_array();
    json_append_text(list, "x");
    json_set(claims, "aud", take_pointer(&list));
    assert_int_equal(jwt_check_claims(claims, NULL, "x", 1000100, &error), 0);
}

static void keys_survive_pem_and_others_are_refused(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_FREE char *pem = jwt_key_private_pem(key, &error);
    assert_true(text_starts_with(pem, "-----BEGIN PRIVATE KEY-----"));
    AUTO_JWT_KEY struct jwt_key *same = jwt_key_private(pem, strlen(pem), &error);
    AUTO_JSON struct json *left = jwt_key_jwk(key, "a", &error), *right = jwt_key_jwk(same, "a", &error);
    assert_true(json_same(left, right));
    assert_null(jwt_key_private("x", 1, &error));
    assert_int_equal(error.kind, ERROR_DATA);
    assert_null(jwt_key_public(pem, strlen(pem), &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_was_signed_verifies),
        cmocka_unit_test(openssl_verifies_what_we_sign),
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(claims_are_checked),
        cmocka_unit_test(keys_survive_pem_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
