/* gcp/credentials: names and addresses that come from outside, and what an identity token says. */
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "gcp/credentials/external_account.h"
#include "gcp/credentials/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define POOL "projects/123/locations/global/workloadIdentityPools/ci"

static void forget_environment(void) {
    unsetenv("PL_CLOUD_URL");
    unsetenv("PL_ENDPOINT_STS");
    unsetenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN");
}

static void providers_are_taken_in_each_form(void **state) {
    (void)state;
    static const char *const forms[] = {POOL "/providers/github", "//iam.googleapis.com/" POOL "/providers/github",
                                        "https://iam.googleapis.com/" POOL "/providers/github"};
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        AUTO_PROVIDER struct provider provider = {0};
        assert_int_equal(provider_parse(forms[i], "test", &provider, NULL), 0);
        AUTO_FREE char *audience = provider_audience(&provider);
        assert_string_equal(audience, "//iam.googleapis.com/" POOL "/providers/github");
    }
    AUTO_PROVIDER struct provider workforce = {0};
    assert_int_equal(provider_parse("locations/global/workforcePools/w/providers/p", "test", &workforce, NULL), 0);
    assert_null(workforce.project);
    AUTO_FREE char *principal = provider_principal(&workforce, "ann");
    assert_string_equal(principal, "principal://iam.googleapis.com/locations/global/workforcePools/w/subject/ann");
}

static void what_is_no_provider_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *next;
    } cases[] = {
        {"", "it looks like"},
        {"github", "it looks like"},
        {"//", "it looks like"},
        {"https://iam.googleapis.com", "it looks like"},
        {POOL, "--workload-identity-pool=ci"},
        {POOL "/", "it looks like"},
        {POOL "/providers", "it looks like"},
        {POOL "/providers/", "it looks like"},
        {POOL "/providers/a/b", "it looks like"},
        {POOL "/providers/a b", "it looks like"},
        {POOL "/provider/a", "it looks like"},
        {"projects/my-app/locations/global/workloadIdentityPools/ci/providers/github",
         "gcloud projects describe my-app"},
        {"projects/$(id)/locations/global/workloadIdentityPools/ci/providers/github",
         "gcloud projects describe PROJECT"},
        {"projects/1/locations/us/workloadIdentityPools/ci/providers/github", "it looks like"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_PROVIDER struct provider provider = {0};
        struct error error = {0};
        assert_int_equal(provider_parse(cases[i].text, "test", &provider, &error), -1);
        assert_int_equal(error.kind, ERROR_CONFIGURATION);
        if (!strstr(error.next, cases[i].next))
            fail_msg("%s: %s", cases[i].text, error.next);
    }
}

static bool is_taken(enum endpoint endpoint, const char *url) {
    AUTO_FREE char *taken = google_url(endpoint, url, "token_url", "file", NULL);
    return taken != NULL;
}

static void token_urls_must_be_googles(void **state) {
    (void)state;
    forget_environment();
    static const char *const right[] = {
        "https://sts.googleapis.com/v1/token",          "https://us-east1.sts.googleapis.com/v1/token",
        "https://sts.us-east1.googleapis.com/v1/token", "https://us-east1-sts.googleapis.com/v1/token",
        "https://sts.mtls.googleapis.com/v1/token",     "https://sts-xyz.p.googleapis.com/v1/token",
    };
    static const char *const wrong[] = {
        "http://sts.googleapis.com/v1/token",
        "https://sts.googleapis.com:444/v1/token",
        "https://sts.googleapis.com.evil.example/v1/token",
        "https://sts.googleapis.com@evil.example/v1/token",
        "https://evil.example/sts.googleapis.com/v1/token",
        "https://stsgoogleapis.com/v1/token",
        "https://badsts.googleapis.com/v1/token",
        "https://a.b.sts.googleapis.com/v1/token",
        "https://sts.a.b.googleapis.com/v1/token",
        "https://.sts.googleapis.com/v1/token",
        "https://-sts.p.googleapis.com/v1/token",
        "https://storage.googleapis.com/v1/token",
        "https://sts.googleapis.com\\@evil.example/v1/token",
        "https://sts.googleapis.com/v1/token#",
        "https://sts.googleapis.com/v1/token?x",
        " https://sts.googleapis.com/v1/token",
        "file:///etc/passwd",
        "//sts.googleapis.com/v1/token",
        "https://[::1]/v1/token",
        "http://127.0.0.1:8080/v1/token",
        "",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(right); i++)
        if (!is_taken(ENDPOINT_STS, right[i]))
            fail_msg("refused: %s", right[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        if (is_taken(ENDPOINT_STS, wrong[i]))
            fail_msg("taken: %s", wrong[i]);
    assert_false(is_taken(ENDPOINT_IAM_CREDENTIALS, right[0]));
    assert_true(is_taken(ENDPOINT_OAUTH2, "https://accounts.google.com/o/oauth2/token"));
    assert_false(is_taken(ENDPOINT_STS, "https://accounts.google.com/o/oauth2/token"));
}

static void endpoints_and_universes_move_them(void **state) {
    (void)state;
    forget_environment();
    setenv("PL_ENDPOINT_STS", "http://127.0.0.1:1234", 1);
    AUTO_FREE char *moved = google_url(ENDPOINT_STS, "https://sts.googleapis.com/v1/token", "token_url", "file", NULL);
    assert_string_equal(moved, "http://127.0.0.1:1234/v1/token");
    assert_true(is_taken(ENDPOINT_STS, "http://127.0.0.1:1234/v1/token"));
    assert_false(is_taken(ENDPOINT_STS, "http://127.0.0.1:12345/v1/token"));
    assert_false(is_taken(ENDPOINT_STS, "http://127.0.0.1:1234@evil.example/v1/token"));
    unsetenv("PL_ENDPOINT_STS");
    setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.test", 1);
    assert_string_equal(endpoint_url(ENDPOINT_RUN), "https://run.example.test");
    assert_string_equal(endpoint_url(ENDPOINT_METADATA), "http://metadata.google.internal");
    assert_true(is_taken(ENDPOINT_STS, "https://sts.example.test/v1/token"));
    assert_false(is_taken(ENDPOINT_STS, "https://sts.googleapis.com/v1/token"));
    forget_environment();
}

static char *token_of(const char *claims) {
    AUTO_BUFFER struct buffer token = BUFFER(16384);
    const char *header = "{\"alg\":\"RS256\"}";
    base64_encode(BASE64_URL, header, strlen(header), &token);
    buffer_append_byte(&token, '.');
    base64_encode(BASE64_URL, claims, strlen(claims), &token);
    buffer_append_text(&token, ".c2ln");
    return buffer_take(&token);
}

static void identity_tokens_are_looked_at_before_they_are_sent(void **state) {
    (void)state;
    long long now = time(NULL);
    static const struct {
        const char *claims; /* %lld: now and an offset */
        long long begin, end;
        const char *wrong;
    } cases[] = {
        {"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"iat\":%lld,\"exp\":%lld}", -10, 290, NULL},
        {"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"b\",\"a\"],\"iat\":%lld,\"exp\":%lld}", -10, 290, NULL},
        {"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"iat\":%lld,\"exp\":%lld}", -900, -600, "has ended"},
        {"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"iat\":%lld,\"exp\":%lld}", 600, 900, "of the future"},
        {"{\"iss\":\"i\",\"aud\":\"a\",\"iat\":%lld,\"exp\":%lld}", 0, 300, "no iss or no sub"},
        {"{\"iss\":\"i\",\"sub\":7,\"aud\":\"a\",\"iat\":%lld,\"exp\":%lld}", 0, 300, "no iss or no sub"},
        {"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"other\",\"iat\":%lld,\"exp\":%lld}", 0, 300, "not for the audience a"},
        {"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"iat\":%lld,\"exp\":\"%lld\"}", 0, 300, "has ended"},
        {"[%lld,%lld]", 0, 0, "is no JWT"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), cases[i].claims, now + cases[i].begin, now + cases[i].end);
#pragma GCC diagnostic pop
        AUTO_FREE char *token = token_of(text);
        AUTO_JSON struct json *claims = NULL;
        struct error error = {0};
        int result = identity_check(token, "a", &claims, &error);
        if (cases[i].wrong ? result == 0 || !strstr(error.text, cases[i].wrong) : result < 0)
            fail_msg("%s: %s", text, error.text);
    }
}

static void what_is_said_of_a_token_is_short(void **state) {
    (void)state;
    AUTO_JSON struct json *claims = json_new_object();
    char large[2000];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = 0;
    json_set_text(claims, "sub", large);
    json_set_text(claims, "iss", "i");
    AUTO_FREE char *text = identity_claims(claims);
    assert_true(strlen(text) < 200);
    assert_true(text_starts_with(text, "iss=i sub=xxx"));
}

static void who_is_granted_something(void **state) {
    (void)state;
    AUTO_PROVIDER struct provider provider = {0};
    assert_int_equal(provider_parse(POOL "/providers/github", "test", &provider, NULL), 0);
    AUTO_JSON struct json *claims = json_new_object();
    AUTO_FREE char *all = provider_member(&provider, claims);
    assert_string_equal(all, "principalSet://iam.googleapis.com/" POOL "/*");
    json_set_text(claims, "sub", "someone");
    AUTO_FREE char *one = provider_member(&provider, claims);
    assert_string_equal(one, "principal://iam.googleapis.com/" POOL "/subject/someone");
    json_set_text(claims, "repository", "octo/shop");
    AUTO_FREE char *repository = provider_member(&provider, claims);
    assert_string_equal(repository, "principalSet://iam.googleapis.com/" POOL "/attribute.repository/octo/shop");
}

static void secrets_in_answers_are_hidden(void **state) {
    (void)state;
    struct http_response response = {.body = BUFFER(1000)};
    buffer_append_text(&response.body, "a=s+c/r\"et12 b=s%2Bc%2Fr%22et12 c=s+c/r\\\"et12 s+c/r\"et12s+c/r\"et12");
    http_response_hide(&response, "s+c/r\"et12");
    http_response_hide(&response, "a");
    http_response_hide(&response, NULL);
    assert_string_equal(buffer_text(&response.body), "a=*** b=*** c=*** ******");
    assert_int_equal(response.body.length, strlen(response.body.data));
    buffer_release(&response.body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(providers_are_taken_in_each_form),
        cmocka_unit_test(what_is_no_provider_is_refused),
        cmocka_unit_test(token_urls_must_be_googles),
        cmocka_unit_test(endpoints_and_universes_move_them),
        cmocka_unit_test(identity_tokens_are_looked_at_before_they_are_sent),
        cmocka_unit_test(what_is_said_of_a_token_is_short),
        cmocka_unit_test(who_is_granted_something),
        cmocka_unit_test(secrets_in_answers_are_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
