/* An identity of AWS (AIP-4117, "aws1"): a signed GetCallerIdentity request, which Google sends in our place to learn
 * who signed it. The signature (AWS Signature Version 4) covers the audience, so that nobody else can use it. */
#include "gcp/credentials/subject.h"

#include "common/crypto/hmac.h"

#include <string.h>
#include <time.h>

struct aws_source {
    char *region_url;  /* …/placement/availability-zone; or NULL */
    char *role_url;    /* …/iam/security-credentials; or NULL */
    char *verify_url;  /* https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15 */
    char *session_url; /* of a metadata server that wants a session token; or NULL */
};

struct aws_keys {
    char *id, *secret, *token; /* token may be NULL */
};

static void release(void *self) {
    struct aws_source *source = self;
    free(source->region_url);
    free(source->role_url);
    free(source->verify_url);
    free(source->session_url);
    free(source);
}

static void forget(char **text) {
    if (*text)
        memory_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

static void keys_release(struct aws_keys *keys) {
    forget(&keys->id);
    forget(&keys->secret);
    forget(&keys->token);
}

/* Keys of AWS come from these addresses alone; a file that names others is not obeyed. */
static int check_metadata_url(const char *url, const char *key, const char *path, struct error *error) {
    if (!url)
        return 0;
    AUTO_FREE char *host = url_host(url);
    if (host && (text_equal(host, "169.254.169.254") || text_equal(host, "fd00:ec2::254") || url_is_loopback(url)))
        return 0;
    return error_set(error, ERROR_CONFIGURATION,
                     "%s: credential_source.%s is %.200s, which is not AWS's metadata server", path, key, url);
}

static void *open_source(const struct json *document, const char *path, struct error *error) {
    const char *region = json_get_text(document, "region_url", NULL), *role = json_get_text(document, "url", NULL),
               *session = json_get_text(document, "imdsv2_session_token_url", NULL), *verify;
    if (!text_equal(json_get_text(document, "environment_id", NULL), "aws1")) {
        error_set(error, ERROR_DATA, "%s: environment_id is \"%.40s\"; only aws1 is known", path,
                  json_get_text(document, "environment_id", ""));
        return NULL;
    }
    if (json_need_text(document, "regional_cred_verification_url", path, &verify, error) < 0 ||
        check_metadata_url(region, "region_url", path, error) < 0 || check_metadata_url(role, "url", path, error) < 0 ||
        check_metadata_url(session, "imdsv2_session_token_url", path, error) < 0)
        return NULL;
    struct aws_source *source = memory_allocate(1, sizeof(*source));
    source->region_url = text_copy(region);
    source->role_url = text_copy(role);
    source->verify_url = text_copy(verify);
    source->session_url = text_copy(session);
    return source;
}

/* ---- the metadata server ---- */

static char *ask(struct http *http, const char *method, const char *url, const char *header, struct error *error) {
    AUTO_RESPONSE struct http_response response = {0};
    AUTO_LIST struct text_list headers = {0};
    text_list_add(&headers, header ? header : "Accept: */*");
    struct http_request request = {
        .method = method, .url = url, .headers = &headers, .secret_response = true, .response_limit = DOCUMENT_LIMIT};
    if (http_perform(http, &request, &response, error) < 0) {
        error_wrap(error, "AWS's metadata server");
        return NULL;
    }
    if (response.status == 200 && response.body.length)
        return text_copy_length(buffer_text(&response.body), strcspn(buffer_text(&response.body), "\r\n"));
    error_set(error, ERROR_PERMISSION, "AWS's metadata server answers %ld at %.200s", response.status, url);
    error_next(error, "see whether the machine has a role, or set AWS_REGION, AWS_ACCESS_KEY_ID and "
                      "AWS_SECRET_ACCESS_KEY");
    return NULL;
}

/* "X-aws-ec2-metadata-token: …", NULL when none is wanted. */
static int read_session(const struct aws_source *source, struct http *http, char **header, struct error *error) {
    *header = NULL;
    if (!source->session_url)
        return 0;
    char *token = ask(http, "PUT", source->session_url, "X-aws-ec2-metadata-token-ttl-seconds: 300", error);
    if (!token)
        return -1;
    *header = text_format("X-aws-ec2-metadata-token: %s", token);
    forget(&token);
    return 0;
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return text_is_empty(value) ? NULL : value;
}

static char *read_region(const struct aws_source *source, struct http *http, const char *session, struct error *error) {
    const char *given = setting("AWS_REGION") ? setting("AWS_REGION") : setting("AWS_DEFAULT_REGION");
    if (given)
        return text_copy(given);
    if (!source->region_url) {
        error_set(error, ERROR_CONFIGURATION, "AWS's region is not known");
        error_next(error, "export AWS_REGION=us-east-1");
        return NULL;
    }
    char *zone = ask(http, "GET", source->region_url, session, error);
    if (zone && *zone)
        zone[strlen(zone) - 1] = '\0'; /* us-east-1b is a zone of us-east-1 */
    return zone;
}

static int read_keys(const struct aws_source *source, struct http *http, const char *session, struct aws_keys *keys,
                     struct error *error) {
    if (setting("AWS_ACCESS_KEY_ID") && setting("AWS_SECRET_ACCESS_KEY")) {
        *keys = (struct aws_keys){.id = text_copy(setting("AWS_ACCESS_KEY_ID")),
                                  .secret = text_copy(setting("AWS_SECRET_ACCESS_KEY")),
                                  .token = text_copy(setting("AWS_SESSION_TOKEN"))};
        return 0;
    }
    if (!source->role_url) {
        error_set(error, ERROR_CONFIGURATION, "there are no keys of AWS");
        return error_next(error, "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    }
    AUTO_FREE char *role = ask(http, "GET", source->role_url, session, error);
    AUTO_FREE char *url = role ? text_format("%s/%s", source->role_url, role) : NULL;
    AUTO_RESPONSE struct http_response response = {0};
    AUTO_LIST struct text_list headers = {0};
    text_list_add(&headers, session ? session : "Accept: */*");
    struct http_request request = {
        .url = url, .headers = &headers, .secret_response = true, .response_limit = DOCUMENT_LIMIT};
    if (!role || http_perform(http, &request, &response, error) < 0)
        return -1;
    AUTO_JSON struct json *answer = NULL;
    const char *id, *secret, *what = "the keys of AWS's metadata server";
    if (token_reply(&response, what, &answer, error) < 0 ||
        json_need_text(answer, "AccessKeyId", what, &id, error) < 0 ||
        json_need_text(answer, "SecretAccessKey", what, &secret, error) < 0)
        return -1;
    *keys = (struct aws_keys){
        .id = text_copy(id), .secret = text_copy(secret), .token = text_copy(json_get_text(answer, "Token", NULL))};
    return 0;
}

/* ---- the signature ---- */

struct signing {
    char host[256];
    char region[64];
    char service[64];
    char stamp[17]; /* 20260101T000000Z */
    const char *query;
    const char *audience;
    const struct aws_keys *keys;
};

static struct digest hmac_text(const struct digest *key, const char *text) {
    return hmac_sha256(key->bytes, sizeof(key->bytes), text, strlen(text));
}

/* The headers in the order of their names, as they are signed and sent. */
static void list_headers(const struct signing *signing, struct text_list *names, struct text_list *values) {
    text_list_add(names, "host");
    text_list_add(values, signing->host);
    text_list_add(names, "x-amz-date");
    text_list_add(values, signing->stamp);
    if (signing->keys->token) {
        text_list_add(names, "x-amz-security-token");
        text_list_add(values, signing->keys->token);
    }
    text_list_add(names, "x-goog-cloud-target-resource");
    text_list_add(values, signing->audience);
}

static void append_joined(struct buffer *out, const struct text_list *names) {
    for (size_t i = 0; i < names->count; i++)
        buffer_append_format(out, "%s%s", i ? ";" : "", names->items[i]);
}

static char *authorization(const struct signing *signing, const struct text_list *names,
                           const struct text_list *values) {
    AUTO_BUFFER struct buffer canonical = BUFFER_SECRET(FORM_LIMIT), joined = BUFFER(1024);
    append_joined(&joined, names);
    buffer_append_format(&canonical, "POST\n/\n%s\n", signing->query);
    for (size_t i = 0; i < names->count; i++)
        buffer_append_format(&canonical, "%s:%s\n", names->items[i], values->items[i]);
    struct digest empty = digest_of("", 0);
    buffer_append_format(&canonical, "\n%s\n%s", buffer_text(&joined), digest_format_hex(&empty).text);
    struct digest request = digest_of(canonical.data, canonical.length);
    AUTO_FREE char *day = text_copy_length(signing->stamp, 8);
    AUTO_FREE char *scope = text_format("%s/%s/%s/aws4_request", day, signing->region, signing->service);
    AUTO_FREE char *to_sign =
        text_format("AWS4-HMAC-SHA256\n%s\n%s\n%s", signing->stamp, scope, digest_format_hex(&request).text);
    char *first = text_format("AWS4%s", signing->keys->secret);
    struct digest key = hmac_sha256(first, strlen(first), day, strlen(day));
    forget(&first);
    key = hmac_text(&key, signing->region);
    key = hmac_text(&key, signing->service);
    key = hmac_text(&key, "aws4_request");
    struct digest signature = hmac_text(&key, to_sign);
    memory_wipe(&key, sizeof(key));
    return text_format("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", signing->keys->id, scope,
                       buffer_text(&joined), digest_format_hex(&signature).text);
}

static void append_header(struct json *array, const char *name, const char *value) {
    struct json *header = json_new_object();
    json_set_text(header, "key", name);
    json_set_text(header, "value", value);
    json_append(array, header);
}

/* {"url","method","headers"}, percent-encoded. */
static int write_token(const struct signing *signing, const char *url, struct buffer *token, struct error *error) {
    AUTO_LIST struct text_list names = {0}, values = {0};
    list_headers(signing, &names, &values);
    AUTO_JSON struct json *request = json_new_object();
    struct json *headers = json_new_array();
    AUTO_FREE char *signature = authorization(signing, &names, &values);
    append_header(headers, "Authorization", signature);
    for (size_t i = 0; i < names.count; i++)
        append_header(headers, names.items[i], values.items[i]);
    json_set_text(request, "url", url);
    json_set_text(request, "method", "POST");
    json_set(request, "headers", headers);
    char *text = json_format(request, JSON_COMPACT_STYLE), *encoded = url_encode(text);
    buffer_append_text(token, encoded);
    forget(&text);
    forget(&encoded);
    for (size_t i = 0; i < values.count; i++)
        memory_wipe(values.items[i], strlen(values.items[i]));
    return buffer_check(token, "AWS's signed request", error);
}

/* The verification URL with its region; its host's first label is the service. */
static char *fill_url(const struct aws_source *source, const char *region, struct signing *signing,
                      struct error *error) {
    const char *hole = strstr(source->verify_url, "{region}");
    char *url = hole ? text_format("%.*s%s%s", (int)(hole - source->verify_url), source->verify_url, region,
                                   hole + strlen("{region}"))
                     : text_copy(source->verify_url);
    AUTO_FREE char *host = url_host(url);
    const char *query = strchr(url, '?');
    if (!host || !text_starts_with(url, "https://") || !query || strlen(host) >= sizeof(signing->host) ||
        strlen(region) >= sizeof(signing->region) || strcspn(host, ".") >= sizeof(signing->service)) {
        error_set(error, ERROR_DATA, "AWS's verification URL is %.200s, which is no https URL with a query", url);
        free(url);
        return NULL;
    }
    snprintf(signing->host, sizeof(signing->host), "%s", host);
    snprintf(signing->region, sizeof(signing->region), "%s", region);
    snprintf(signing->service, sizeof(signing->service), "%.*s", (int)strcspn(host, "."), host);
    signing->query = query + 1;
    return url;
}

static int sign(const struct aws_source *source, const struct subject_request *request, const char *region,
                const struct aws_keys *keys, struct buffer *token, struct error *error) {
    struct signing signing = {.audience = request->audience, .keys = keys};
    AUTO_FREE char *url = fill_url(source, region, &signing, error);
    if (!url)
        return -1;
    time_t now = time(NULL);
    struct tm date;
    strftime(signing.stamp, sizeof(signing.stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &date));
    return write_token(&signing, url, token, error);
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    const struct aws_source *source = self;
    struct aws_keys keys = {0};
    char *session = NULL;
    bool needs_server = !(setting("AWS_REGION") || setting("AWS_DEFAULT_REGION")) ||
                        !(setting("AWS_ACCESS_KEY_ID") && setting("AWS_SECRET_ACCESS_KEY"));
    int result = needs_server ? read_session(source, request->http, &session, error) : 0;
    AUTO_FREE char *region = result == 0 ? read_region(source, request->http, session, error) : NULL;
    result = region ? read_keys(source, request->http, session, &keys, error) : -1;
    if (result == 0)
        result = sign(source, request, region, &keys, token, error);
    keys_release(&keys);
    forget(&session);
    return result;
}

static char *describe(const void *self) {
    (void)self;
    return text_copy("AWS");
}

const struct subject_source subject_aws = {
    .open = open_source, .read = read_token, .describe = describe, .release = release};
