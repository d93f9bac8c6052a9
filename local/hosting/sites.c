/* Sites, their settings, and their domains: those that Hosting gives. */
#include "local/hosting/internal.h"

#include "common/file/file.h"

#include <string.h>

void site_list(struct call *call) {
    AUTO_LIST struct text_list ids = {0};
    struct json *sites = json_new_array();
    site_ids(call->hosting, &ids);
    for (size_t i = 0; i < ids.count; i++) {
        AUTO_JSON struct json *document = site_read(call->hosting, ids.items[i]);
        if (document)
            json_append(sites, site_show(call->hosting, ids.items[i], document));
    }
    call_page(call, "sites", sites, 10, 100);
}

/* Answers 404 when there is none. The caller releases. */
static struct json *need_site(struct call *call) {
    struct json *document = site_read(call->hosting, call->names[0]);
    if (!document)
        call_not_found(call);
    return document;
}

void site_get(struct call *call) {
    AUTO_JSON struct json *document = need_site(call);
    if (document)
        reply_json(call->reply, 200, site_show(call->hosting, call->names[0], document));
}

static void take_fields(struct call *call, const char *const *known, struct json *document) {
    for (size_t i = 0; known[i]; i++)
        if (json_get(call->body, known[i]))
            json_set(document, known[i], json_share(json_get(call->body, known[i])));
}

static const char *const site_fields[] = {"appId", "labels", NULL};

void site_create(struct call *call) {
    const char *id = request_query(call->request, "siteId");
    AUTO_LIST struct text_list ids = {0};
    struct error error = {0};
    site_ids(call->hosting, &ids);
    if (!id || !site_id_is_valid(id)) {
        reply_google_error(call->reply, 400,
                           "Invalid name: `%.60s` is no site id: it begins with a lower-case letter and holds at most "
                           "30 lower-case letters, digits and single hyphens",
                           id ? id : "");
    } else if (text_list_contains(&ids, id)) {
        reply_google_error(call->reply, 409, "Requested entity already exists");
    } else if (ids.count >= SITES_LIMIT) {
        reply_google_error(call->reply, 429, "Couldn't create site `%s`: site quota reached.", id);
    } else if (text_equal(request_query(call->request, "validateOnly"), "true")) {
        reply_json(call->reply, 200, site_show(call->hosting, id, NULL));
    } else if (site_make(call->hosting, id, "USER_SITE", &error) < 0) {
        call_fail(call, &error);
    } else {
        AUTO_JSON struct json *document = site_read(call->hosting, id);
        take_fields(call, site_fields, document);
        if (site_write(call->hosting, id, document, &error) < 0)
            call_fail(call, &error);
        else
            reply_json(call->reply, 200, site_show(call->hosting, id, document));
    }
}

void site_patch(struct call *call) {
    AUTO_JSON struct json *document = need_site(call);
    AUTO_LIST struct text_list fields = {0};
    struct error error = {0};
    if (!document || !call_mask(call, site_fields, &fields))
        return;
    for (size_t i = 0; i < fields.count; i++) {
        struct json *value = json_get(call->body, fields.items[i]);
        if (value)
            json_set(document, fields.items[i], json_share(value));
        else
            json_remove(document, fields.items[i]);
    }
    if (site_write(call->hosting, call->names[0], document, &error) < 0)
        call_fail(call, &error);
    else
        reply_json(call->reply, 200, site_show(call->hosting, call->names[0], document));
}

void site_delete(struct call *call) {
    AUTO_JSON struct json *document = need_site(call);
    AUTO_FREE char *path = text_format("%s/%s", call->hosting->root, call->names[0]);
    struct error error = {0};
    if (!document)
        return;
    if (text_equal(json_get_text(document, "type", NULL), "DEFAULT_SITE"))
        call_precondition(call, "Cannot delete the default site of a project.");
    else if (tree_remove(path, &error) < 0)
        call_fail(call, &error);
    else
        reply_json(call->reply, 200, json_new_object());
}

void site_config_get(struct call *call) {
    AUTO_JSON struct json *document = need_site(call);
    if (document)
        reply_json(call->reply, 200, json_copy_deep(json_get(document, "config")));
}

void site_config_patch(struct call *call) {
    static const char *const known[] = {"maxVersions", "cloudLoggingEnabled", NULL};
    AUTO_JSON struct json *document = need_site(call);
    AUTO_LIST struct text_list fields = {0};
    struct error error = {0};
    if (!document || !call_mask(call, known, &fields))
        return;
    struct json *config = json_get(document, "config");
    for (size_t i = 0; i < fields.count; i++) {
        struct json *value = json_get(call->body, fields.items[i]);
        if (!value)
            json_remove(config, fields.items[i]);
        else if (text_equal(fields.items[i], "maxVersions") && json_is_integer(value)) {
            AUTO_FREE char *number = text_format("%lld", (long long)json_number(value));
            json_set_text(config, "maxVersions", number);
        } else
            json_set(config, fields.items[i], json_share(value));
    }
    if (site_write(call->hosting, call->names[0], document, &error) < 0)
        call_fail(call, &error);
    else
        reply_json(call->reply, 200, json_copy_deep(config));
}

/* Names of one's own cannot point to this machine's loopback address: there are none. */
void domain_list(struct call *call) {
    AUTO_JSON struct json *document = need_site(call);
    if (document)
        reply_json(call->reply, 200, json_new_object());
}
