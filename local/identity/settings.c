/* The project's settings: which hosts pages may come from that sign in. Deploying a preview adds its host. */
#include "local/identity/internal.h"

#include "common/file/file.h"

#include <string.h>

enum { SETTINGS_LIMIT = 1 << 20, DOMAINS_LIMIT = 1000, DOMAIN_LIMIT = 300 };

static struct json *read_domains(const struct identity *identity) {
    AUTO_FREE char *path = path_join(identity->root, "config.json");
    AUTO_JSON struct json *config = file_exists(path) ? json_parse_file(path, SETTINGS_LIMIT, NULL) : NULL;
    struct json *domains = json_get(config, "authorizedDomains");
    if (json_is_array(domains))
        return json_share(domains);
    domains = json_new_array();
    AUTO_FREE char *app = text_format("%s.firebaseapp.com", identity->cloud->project);
    AUTO_FREE char *web = text_format("%s.web.app", identity->cloud->project);
    json_append_text(domains, "localhost");
    json_append_text(domains, app);
    json_append_text(domains, web);
    return domains;
}

void project_get(struct ask *ask) {
    struct json *document = json_new_object();
    json_set_text(document, "projectId", ask->cloud->number);
    json_set(document, "authorizedDomains", read_domains(ask->identity));
    reply_json(ask->reply, 200, document);
}

static struct json *show(const struct ask *ask, struct json *domains) {
    struct json *document = json_new_object(), *sign_in = json_new_object(), *anonymous = json_new_object();
    AUTO_FREE char *name = text_format("projects/%s/config", ask->cloud->number);
    json_set_text(document, "name", name);
    json_set_bool(anonymous, "enabled", true);
    json_set(sign_in, "anonymous", anonymous);
    json_set(document, "signIn", sign_in);
    json_set(document, "authorizedDomains", domains);
    json_set_text(document, "subtype", "FIREBASE_AUTH");
    return document;
}

void settings_get(struct ask *ask) {
    reply_json(ask->reply, 200, show(ask, read_domains(ask->identity)));
}

void settings_patch(struct ask *ask) {
    const char *mask = request_query(ask->request, "updateMask");
    mask = mask ? mask : request_query(ask->request, "update_mask");
    struct json *domains = json_get(ask->body, "authorizedDomains");
    struct error error = {0};
    bool right =
        json_is_array(domains) && json_count(domains) <= DOMAINS_LIMIT &&
        (text_is_empty(mask) || text_equal(mask, "authorizedDomains") || text_equal(mask, "authorized_domains"));
    for (size_t i = 0; right && i < json_count(domains); i++) {
        const char *domain = json_text(json_at(domains, i));
        right = !text_is_empty(domain) && strlen(domain) <= DOMAIN_LIMIT;
    }
    if (!right) {
        reply_google_error(ask->reply, 400, "INVALID_CONFIG : only authorizedDomains can be set in the local cloud");
        return;
    }
    AUTO_JSON struct json *config = json_new_object();
    json_set(config, "authorizedDomains", json_share(domains));
    AUTO_FREE char *text = json_format(config, JSON_PRETTY);
    AUTO_FREE char *path = path_join(ask->identity->root, "config.json");
    if (file_write_atomic(path, text, strlen(text), 0600, &error) < 0)
        reply_google_error(ask->reply, 500, "%s", error.text);
    else
        settings_get(ask);
}
