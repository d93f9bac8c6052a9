/* Releases: which version a channel shows, since when, and by whom. */
#include "local/hosting/internal.h"

#include <string.h>

enum { MESSAGE_LIMIT = 512, LIVE_RETAINED = 100 };

static const char *channel_of(const struct call *call) {
    return strstr(call->request->path, "/channels/") ? call->names[1] : "live";
}

static struct json *need_channel(struct call *call) {
    struct json *document = channel_read(call->hosting, call->names[0], channel_of(call));
    if (!document)
        call_not_found(call);
    return document;
}

void release_list(struct call *call) {
    AUTO_JSON struct json *document = need_channel(call);
    if (!document)
        return;
    struct json *releases = json_get(document, "releases"), *shown = json_new_array();
    for (size_t i = 0; i < json_count(releases); i++)
        json_append(shown, release_show(call, channel_of(call), json_at(releases, i)));
    call_page(call, "releases", shown, 100, 100);
}

void release_get(struct call *call) {
    AUTO_JSON struct json *document = need_channel(call);
    if (!document)
        return;
    const char *id = strstr(call->request->path, "/channels/") ? call->names[2] : call->names[1];
    struct json *releases = json_get(document, "releases");
    for (size_t i = 0; i < json_count(releases); i++)
        if (text_equal(json_get_text(json_at(releases, i), "id", NULL), id)) {
            struct json *release = json_at(releases, i);
            reply_json(call->reply, 200, release_show(call, channel_of(call), release));
            return;
        }
    call_not_found(call);
}

/* A finalized version of this site. Answers else. */
static bool check_version(struct call *call, char **version) {
    const char *name = request_query(call->request, "versionName");
    AUTO_FREE char *site = NULL;
    if (!version_name_parse(name, &site, version) || !text_equal(site, call->names[0])) {
        reply_google_error(call->reply, 400, "Invalid version name: `%.200s` is no version of the site `%s`",
                           name ? name : "", call->names[0]);
        return false;
    }
    AUTO_JSON struct json *document = version_read(call->hosting, site, *version);
    if (!document)
        call_not_found(call);
    else if (!text_equal(json_get_text(document, "status", NULL), "FINALIZED"))
        call_precondition(call, "Version `%s` is %s, not FINALIZED.", name, json_get_text(document, "status", ""));
    else
        return true;
    return false;
}

static bool was_released(const struct json *releases, const char *version) {
    for (size_t i = 0; i < json_count(releases); i++)
        if (text_equal(json_get_text(json_at(releases, i), "version", NULL), version))
            return true;
    return false;
}

/* The newest first, the others up to what the channel retains. */
static void put_first(struct json *channel, struct json *release, int64_t retained) {
    struct json *old = json_get(channel, "releases"), *releases = json_new_array();
    json_append(releases, release);
    for (size_t i = 0; i < json_count(old) && (int64_t)i < retained; i++)
        json_append(releases, json_share(json_at(old, i)));
    json_set(channel, "releases", releases);
}

static struct json *make_release(struct call *call, const char *type, const char *version, const char *message) {
    struct json *release = json_new_object();
    int64_t id = timestamp_now();
    id = id > call->hosting->last_release ? id : call->hosting->last_release + 1;
    call->hosting->last_release = id;
    AUTO_FREE char *id_text = text_format("%lld", (long long)id);
    json_set_text(release, "id", id_text);
    json_set_text(release, "type", type);
    json_set_text(release, "version", version);
    json_set_text(release, "message", text_is_empty(message) ? NULL : message);
    json_set_text(release, "releaseTime", call->now.text);
    json_set(release, "releaseUser", acting_user(call->user));
    return release;
}

/* maxVersions of the site: the oldest finalized ones that no channel shows lose their content. */
static void expire_versions(struct call *call) {
    AUTO_JSON struct json *site = site_read(call->hosting, call->names[0]);
    uint64_t most = 0;
    if (!text_to_u64(json_get_text(json_get(site, "config"), "maxVersions", "0"), INT32_MAX, &most) || !most)
        return;
    AUTO_LIST struct text_list ids = {0}, order = {0};
    resource_ids(call->hosting, call->names[0], "versions", &ids);
    for (size_t i = 0; i < ids.count; i++) {
        AUTO_JSON struct json *version = version_read(call->hosting, call->names[0], ids.items[i]);
        if (text_equal(json_get_text(version, "status", NULL), "FINALIZED"))
            text_list_add_format(&order, "%s %s", json_get_text(version, "finalizeTime", ""), ids.items[i]);
    }
    text_list_sort(&order);
    for (size_t i = 0; i + most < order.count; i++) {
        const char *id = strchr(order.items[i], ' ') + 1;
        AUTO_JSON struct json *version = version_read(call->hosting, call->names[0], id);
        AUTO_FREE char *files = resource_path(call->hosting, call->names[0], "versions", id, ".files");
        if (!version || version_is_live(call->hosting, call->names[0], id))
            continue;
        json_set_text(version, "status", "EXPIRED");
        if (version_write(call->hosting, call->names[0], id, version, NULL) == 0)
            unlink(files);
    }
}

void release_create(struct call *call) {
    AUTO_JSON struct json *channel = need_channel(call);
    const char *type = json_get_text(call->body, "type", "TYPE_UNSPECIFIED");
    const char *message = json_get_text(call->body, "message", NULL);
    bool disable = text_equal(type, "SITE_DISABLE"), live = text_equal(channel_of(call), "live");
    AUTO_FREE char *version = NULL;
    struct error error = {0};
    if (!channel)
        return;
    const struct json *current = channel_current(channel);
    if (message && strlen(message) > MESSAGE_LIMIT) {
        reply_google_error(call->reply, 400, "The message is longer than %d characters.", MESSAGE_LIMIT);
        return;
    }
    if (disable && (request_query(call->request, "versionName") || !live)) {
        reply_google_error(call->reply, 400, "A SITE_DISABLE release has no version and is for the live channel.");
        return;
    }
    if (!disable && !check_version(call, &version))
        return;
    if (version && text_equal(json_get_text(current, "version", NULL), version)) {
        /* Google's words, which clients look for. */
        call_precondition(call,
                          "Can't release to `projects/-/sites/%s/channels/%s`: supplied version "
                          "`projects/%s/sites/%s/versions/%s` is the current active version.",
                          call->names[0], channel_of(call), call->cloud->number, call->names[0], version);
        return;
    }
    if (!disable)
        type = was_released(json_get(channel, "releases"), version) ? "ROLLBACK" : "DEPLOY";
    struct json *release = make_release(call, type, version, message);
    put_first(channel, release, live ? LIVE_RETAINED : json_get_integer(channel, "retainedReleaseCount", 10));
    json_set_text(channel, "updateTime", call->now.text);
    if (channel_write(call->hosting, call->names[0], channel_of(call), channel, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    expire_versions(call);
    reply_json(call->reply, 200, release_show(call, channel_of(call), release));
}
