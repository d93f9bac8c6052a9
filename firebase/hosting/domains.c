#include "firebase/hosting/domains.h"

#include "firebase/hosting/internal.h"

#include <string.h>

static char *config_url(const struct hosting *hosting, const char *query) {
    return text_format("%s/admin/v2/projects/%s/config%s", endpoint_url(ENDPOINT_IDENTITY_TOOLKIT),
                       hosting->cloud->project, query);
}

/* "SITE--CHANNEL-HASH.web.app": no other host of a project begins like this. */
static bool is_preview(const struct hosting *hosting, const char *domain) {
    size_t length = strlen(hosting->site);
    return text_starts_with(domain, hosting->site) && text_starts_with(domain + length, "--");
}

static int list_hosts(struct hosting *hosting, struct text_list *hosts, struct error *error) {
    AUTO_JSON struct json *channels = NULL;
    if (hosting_channel_list(hosting, &channels, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(channels); i++) {
        char *host = url_host(json_get_text(json_at(channels, i), "url", ""));
        if (host)
            text_list_take(hosts, host);
    }
    return 0;
}

/* The list as it should be; *differs when that is not as it is. */
static int wanted_domains(struct hosting *hosting, const struct json *now, const char *host, struct json *wanted,
                          bool *differs, struct error *error) {
    AUTO_LIST struct text_list hosts = {0};
    bool listed = false, found = false;
    *differs = false;
    for (size_t i = 0; i < json_count(now); i++) {
        const char *domain = json_text(json_at(now, i));
        bool is_ours = text_equal(domain, host);
        found = found || is_ours;
        if (domain && !is_ours && is_preview(hosting, domain)) {
            if (!listed && list_hosts(hosting, &hosts, error) < 0)
                return -1;
            listed = true;
            if (!text_list_contains(&hosts, domain)) {
                *differs = true;
                continue;
            }
        }
        json_append(wanted, json_share(json_at(now, i)));
    }
    if (host && !found) {
        json_append_text(wanted, host);
        *differs = true;
    }
    return 0;
}

int hosting_domains_update(struct hosting *hosting, const char *url, struct error *error) {
    static const char what[] = "cannot authorize the preview's host for sign-in";
    /* 404: CONFIGURATION_NOT_FOUND, nobody can sign in anywhere. */
    static const long missing[] = {404, 0};
    AUTO_FREE char *read = config_url(hosting, ""), *write = config_url(hosting, "?updateMask=authorizedDomains");
    AUTO_FREE char *host = url ? url_host(url) : NULL;
    AUTO_JSON struct json *config = NULL, *body = json_new_object();
    struct json *wanted = json_new_array();
    bool differs;
    json_set(body, "authorizedDomains", wanted);
    struct cloud_request get = {.url = read, .what = what, .accept = missing};
    if (cloud_call(hosting->cloud, &get, &config, NULL, error) < 0 ||
        (config && wanted_domains(hosting, json_get(config, "authorizedDomains"), host, wanted, &differs, error) < 0))
        return -1;
    if (!config || !differs)
        return 0;
    struct cloud_request patch = {.method = "PATCH", .url = write, .body = body, .what = what, .idempotent = true};
    return cloud_call(hosting->cloud, &patch, NULL, NULL, error);
}
