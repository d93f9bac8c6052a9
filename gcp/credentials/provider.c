#include "gcp/credentials/provider.h"

#include "common/base/text.h"
#include "gcp/endpoints.h"

#include <string.h>

enum { PROVIDER_LIMIT = 500 };

static const char *without_host(const char *text) {
    if (text_starts_with(text, "https:"))
        text += strlen("https:");
    if (text_starts_with(text, "//")) {
        const char *slash = strchr(text + 2, '/');
        return slash ? slash + 1 : text;
    }
    return text;
}

static bool is_name(const char *text) {
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(text);
}

static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int refuse(const char *text, const char *what, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "%s: \"%.300s\" is no provider", what, text);
    return error_next(error, "it looks like projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/"
                             "PROVIDER; gcloud iam workload-identity-pools providers list --location=global "
                             "--workload-identity-pool=POOL --format='value(name)' prints yours");
}

static int refuse_pool(const char *text, const char *what, const char *pool, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "%s: \"%.300s\" is a pool, not a provider in it", what, text);
    return error_next(error,
                      "gcloud iam workload-identity-pools providers list --location=global "
                      "--workload-identity-pool=%.40s --format='value(name)'",
                      is_name(pool) ? pool : "POOL");
}

static int refuse_id(const char *text, const char *what, const char *id, struct error *error) {
    error_set(error, ERROR_CONFIGURATION, "%s: \"%.300s\" has the project's id \"%.60s\" where its number belongs",
              what, text, id);
    return error_next(error, "gcloud projects describe %.60s --format='value(projectNumber)'",
                      is_name(id) ? id : "PROJECT");
}

/* The parts behind the fixed words: "projects/N/locations/global/workloadIdentityPools/" and those of workforce. */
static int take(const struct text_list *parts, size_t at, const char *text, const char *what, struct provider *provider,
                struct error *error) {
    if (parts->count == at + 1)
        return refuse_pool(text, what, parts->items[at], error);
    if (parts->count != at + 3 || !text_equal(parts->items[at + 1], "providers") || !is_name(parts->items[at]) ||
        !is_name(parts->items[at + 2]))
        return refuse(text, what, error);
    provider->pool = text_copy(parts->items[at]);
    provider->name = text_copy(parts->items[at + 2]);
    return 0;
}

int provider_parse(const char *text, const char *what, struct provider *provider, struct error *error) {
    *provider = (struct provider){0};
    AUTO_LIST struct text_list parts = {0};
    if (strlen(text) > PROVIDER_LIMIT)
        return refuse(text, what, error);
    text_list_split(&parts, without_host(text), '/');
    char *const *items = parts.items;
    if (parts.count >= 4 && text_equal(items[0], "locations") && text_equal(items[2], "workforcePools"))
        return take(&parts, 3, text, what, provider, error);
    if (parts.count < 6 || !text_equal(items[0], "projects") || !text_equal(items[2], "locations") ||
        !text_equal(items[3], "global") || !text_equal(items[4], "workloadIdentityPools"))
        return refuse(text, what, error);
    if (!is_number(items[1]))
        return refuse_id(text, what, items[1], error);
    if (take(&parts, 5, text, what, provider, error) < 0)
        return -1;
    provider->project = text_copy(items[1]);
    return 0;
}

void provider_release(struct provider *provider) {
    free(provider->project);
    free(provider->pool);
    free(provider->name);
    *provider = (struct provider){0};
}

static char *pool_path(const struct provider *provider) {
    return provider->project
               ? text_format("iam.%s/projects/%s/locations/global/workloadIdentityPools/%s", endpoint_universe(),
                             provider->project, provider->pool)
               : text_format("iam.%s/locations/global/workforcePools/%s", endpoint_universe(), provider->pool);
}

char *provider_audience(const struct provider *provider) {
    AUTO_FREE char *pool = pool_path(provider);
    return text_format("//%s/providers/%s", pool, provider->name);
}

char *provider_principal(const struct provider *provider, const char *subject) {
    AUTO_FREE char *pool = pool_path(provider);
    return text_format("principal://%s/subject/%s", pool, subject);
}

char *provider_member(const struct provider *provider, const struct json *claims) {
    static const struct {
        const char *claim, *attribute;
    } usual[] = {{"repository", "repository"}, {"project_path", "project_path"}};
    AUTO_FREE char *pool = pool_path(provider);
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++) {
        const char *value = json_get_text(claims, usual[i].claim, NULL);
        if (value)
            return text_format("principalSet://%s/attribute.%s/%s", pool, usual[i].attribute, value);
    }
    const char *subject = json_get_text(claims, "sub", NULL);
    return subject ? text_format("principal://%s/subject/%s", pool, subject) : text_format("principalSet://%s/*", pool);
}

char *provider_flags(const struct provider *provider) {
    return provider->project ? text_format("%s --location=global --workload-identity-pool=%s --project=%s",
                                           provider->name, provider->pool, provider->project)
                             : text_format("%s --location=global --workforce-pool=%s", provider->name, provider->pool);
}
