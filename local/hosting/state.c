#include "local/hosting/internal.h"

#include "common/crypto/random.h"
#include "common/file/file.h"
#include "local/hosting/serve.h"

#include <ctype.h>
#include <string.h>

enum { SITE_LIMIT = 64 << 10, RESOURCE_LIMIT = 4 << 20, SITE_ID = 30, SUFFIX = 9 };
#define MICRO INT64_C(1000000)

struct hosting *hosting_open(const struct local_cloud *cloud, struct error *error) {
    struct hosting *hosting = memory_allocate(1, sizeof(*hosting));
    hosting->cloud = cloud;
    hosting->root = path_join(cloud->state, "hosting");
    hosting->operations = json_new_array();
    pthread_mutex_init(&hosting->lock, NULL);
    AUTO_JSON struct json *standard = site_read(hosting, cloud->project);
    if (directory_make(hosting->root, 0700, error) < 0 ||
        !(hosting->contents = contents_open(cloud->store, hosting->root, error)) ||
        (!standard && site_make(hosting, cloud->project, "DEFAULT_SITE", error) < 0))
        hosting_close(&hosting);
    return hosting;
}

void hosting_close(struct hosting **hosting) {
    if (!*hosting)
        return;
    served_release_all(*hosting);
    contents_close(&(*hosting)->contents);
    json_release(&(*hosting)->operations);
    pthread_mutex_destroy(&(*hosting)->lock);
    free((*hosting)->root);
    free(*hosting);
    *hosting = NULL;
}

/* ---- names ---- */

/* One label of a host name; "--" parts a site from its channel. */
bool site_id_is_valid(const char *id) {
    size_t length = strlen(id);
    return length >= 1 && length <= SITE_ID && islower((unsigned char)id[0]) && id[length - 1] != '-' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && !strstr(id, "--");
}

bool channel_id_is_valid(const char *id) {
    size_t length = strlen(id);
    return length >= 1 && length < ID_LIMIT && isalnum((unsigned char)id[0]) &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == length;
}

bool version_id_is_valid(const char *id) {
    return strlen(id) == 16 && strspn(id, "0123456789abcdef") == 16;
}

char *resource_path(const struct hosting *hosting, const char *site, const char *what, const char *id,
                    const char *extension) {
    return text_format("%s/%s/%s/%s%s", hosting->root, site, what, id, extension);
}

static char *site_file(const struct hosting *hosting, const char *site) {
    return text_format("%s/%s/site.json", hosting->root, site);
}

/* ---- reading and writing ---- */

static struct json *read_document(const char *path, size_t limit) {
    return file_exists(path) ? json_parse_file(path, limit, NULL) : NULL;
}

static int write_document(const char *path, const struct json *document, struct error *error) {
    AUTO_FREE char *text = json_format(document, JSON_COMPACT_STYLE);
    return file_write_atomic(path, text, strlen(text), 0600, error);
}

struct json *site_read(const struct hosting *hosting, const char *site) {
    AUTO_FREE char *path = site_file(hosting, site);
    return site_id_is_valid(site) ? read_document(path, SITE_LIMIT) : NULL;
}

/* A version that nobody finalized is given up after a while. */
struct json *version_read(const struct hosting *hosting, const char *site, const char *version) {
    if (!site_id_is_valid(site) || !version_id_is_valid(version))
        return NULL;
    AUTO_FREE char *path = resource_path(hosting, site, "versions", version, ".json");
    struct json *document = read_document(path, RESOURCE_LIMIT);
    int64_t made;
    if (text_equal(json_get_text(document, "status", NULL), "CREATED") &&
        timestamp_parse(json_get_text(document, "createTime", NULL), &made) &&
        timestamp_now() - made > ABANDONED_HOURS * 3600 * MICRO)
        json_set_text(document, "status", "ABANDONED");
    return document;
}

/* A channel whose time is over is gone. */
struct json *channel_read(const struct hosting *hosting, const char *site, const char *channel) {
    if (!site_id_is_valid(site) || !channel_id_is_valid(channel))
        return NULL;
    AUTO_FREE char *path = resource_path(hosting, site, "channels", channel, ".json");
    struct json *document = read_document(path, RESOURCE_LIMIT);
    int64_t end;
    if (timestamp_parse(json_get_text(document, "expireTime", NULL), &end) && timestamp_now() >= end) {
        json_release(&document);
        channel_remove(hosting, site, channel);
    }
    return document;
}

int site_write(const struct hosting *hosting, const char *site, const struct json *document, struct error *error) {
    AUTO_FREE char *path = site_file(hosting, site);
    return write_document(path, document, error);
}

int version_write(const struct hosting *hosting, const char *site, const char *version, const struct json *document,
                  struct error *error) {
    AUTO_FREE char *path = resource_path(hosting, site, "versions", version, ".json");
    return write_document(path, document, error);
}

int channel_write(const struct hosting *hosting, const char *site, const char *channel, const struct json *document,
                  struct error *error) {
    AUTO_FREE char *path = resource_path(hosting, site, "channels", channel, ".json");
    return write_document(path, document, error);
}

void channel_remove(const struct hosting *hosting, const char *site, const char *channel) {
    AUTO_FREE char *path = resource_path(hosting, site, "channels", channel, ".json");
    unlink(path);
}

void site_ids(const struct hosting *hosting, struct text_list *ids) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(hosting->root, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *path = site_file(hosting, names.items[i]);
        if (site_id_is_valid(names.items[i]) && file_exists(path))
            text_list_add(ids, names.items[i]);
    }
}

void resource_ids(const struct hosting *hosting, const char *site, const char *what, struct text_list *ids) {
    AUTO_FREE char *folder = text_format("%s/%s/%s", hosting->root, site, what);
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++)
        if (text_ends_with(names.items[i], ".json"))
            text_list_take(ids, text_copy_length(names.items[i], strlen(names.items[i]) - strlen(".json")));
}

static int make_live_channel(struct hosting *hosting, const char *site, struct error *error) {
    AUTO_JSON struct json *live = json_new_object();
    struct timestamp now = timestamp_format(timestamp_now());
    json_set_text(live, "createTime", now.text);
    json_set_text(live, "updateTime", now.text);
    json_set_integer(live, "retainedReleaseCount", 10);
    json_set(live, "releases", json_new_array());
    return channel_write(hosting, site, "live", live, error);
}

/* The site's own file comes last: what is cut off before is no site. */
int site_make(struct hosting *hosting, const char *site, const char *type, struct error *error) {
    AUTO_FREE char *channels = text_format("%s/%s/channels", hosting->root, site);
    AUTO_FREE char *versions = text_format("%s/%s/versions", hosting->root, site);
    AUTO_JSON struct json *document = json_new_object();
    json_set_text(document, "type", type);
    json_set(document, "config", json_new_object());
    if (directory_make(channels, 0700, error) < 0 || directory_make(versions, 0700, error) < 0 ||
        make_live_channel(hosting, site, error) < 0)
        return -1;
    return site_write(hosting, site, document, error);
}

/* ---- what is shown ---- */

struct json *acting_user(const char *email) {
    struct json *user = json_new_object();
    json_set_text(user, "email", email);
    return user;
}

static char *url_of_label(const struct hosting *hosting, const char *label) {
    return text_format("http://%s.localhost:%u", label, hosting->cloud->port);
}

struct json *site_show(const struct hosting *hosting, const char *site, const struct json *document) {
    struct json *shown = json_new_object();
    AUTO_FREE char *name = text_format("projects/%s/sites/%s", hosting->cloud->project, site);
    AUTO_FREE char *url = url_of_label(hosting, site);
    json_set_text(shown, "name", name);
    json_set_text(shown, "defaultUrl", url);
    json_set_text(shown, "type", json_get_text(document, "type", "USER_SITE"));
    json_set_text(shown, "appId", json_get_text(document, "appId", NULL));
    if (json_count(json_get(document, "labels")))
        json_set(shown, "labels", json_share(json_get(document, "labels")));
    return shown;
}

/* A label of a host name has at most 63 bytes: a long channel is cut, the suffix tells it apart. */
char *channel_label(const char *site, const char *channel, const struct json *document) {
    if (text_equal(channel, "live"))
        return text_copy(site);
    const char *suffix = json_get_text(document, "suffix", "");
    size_t room = 63 - strlen(site) - strlen("--") - strlen("-") - strlen(suffix);
    char *label = text_format("%s--%.*s-%s", site, (int)room, channel, suffix);
    for (char *at = label; *at; at++)
        *at = *at == '.' ? '-' : (char)tolower((unsigned char)*at);
    return label;
}

const struct json *channel_current(const struct json *document) {
    return json_at(json_get(document, "releases"), 0);
}

struct json *version_show(const struct call *call, const char *version, const struct json *document) {
    struct json *shown = json_new_object();
    AUTO_FREE char *name = text_format("%ssites/%s/versions/%s", call->prefix, call->names[0], version);
    json_set_text(shown, "name", name);
    for (void *at = json_first(document); at; at = json_next(document, at))
        json_set(shown, json_key(at), json_share(json_value(at)));
    return shown;
}

struct json *release_show(const struct call *call, const char *channel, const struct json *release) {
    struct json *shown = json_copy_deep(release);
    const char *version = json_get_text(release, "version", NULL);
    bool live = text_equal(channel, "live");
    AUTO_FREE char *name = text_format("%ssites/%s%s%s/releases/%s", call->prefix, call->names[0],
                                       live ? "" : "/channels/", live ? "" : channel, json_get_text(release, "id", ""));
    json_remove(shown, "id");
    json_set_text(shown, "name", name);
    if (version) {
        AUTO_JSON struct json *full = version_read(call->hosting, call->names[0], version);
        json_set(shown, "version", version_show(call, version, full));
    }
    return shown;
}

struct json *channel_show(const struct call *call, const char *channel, const struct json *document) {
    struct json *shown = json_copy_deep(document);
    AUTO_FREE char *name = text_format("%ssites/%s/channels/%s", call->prefix, call->names[0], channel);
    AUTO_FREE char *label = channel_label(call->names[0], channel, document);
    AUTO_FREE char *url = url_of_label(call->hosting, label);
    json_remove(shown, "suffix");
    json_remove(shown, "releases");
    json_set_text(shown, "name", name);
    json_set_text(shown, "url", url);
    if (channel_current(document))
        json_set(shown, "release", release_show(call, channel, channel_current(document)));
    return shown;
}

bool version_is_live(const struct hosting *hosting, const char *site, const char *version) {
    AUTO_LIST struct text_list channels = {0};
    bool live = false;
    resource_ids(hosting, site, "channels", &channels);
    for (size_t i = 0; i < channels.count && !live; i++) {
        AUTO_JSON struct json *document = channel_read(hosting, site, channels.items[i]);
        live = text_equal(json_get_text(channel_current(document), "version", NULL), version);
    }
    return live;
}

bool version_name_parse(const char *name, char **site, char **version) {
    AUTO_LIST struct text_list parts = {0};
    *site = *version = NULL;
    text_list_split(&parts, name ? name : "", '/');
    size_t at = parts.count == 6 && text_equal(parts.items[0], "projects") ? 2 : 0;
    if (parts.count != at + 4 || !text_equal(parts.items[at], "sites") ||
        !text_equal(parts.items[at + 2], "versions") || !site_id_is_valid(parts.items[at + 1]) ||
        !version_id_is_valid(parts.items[at + 3]))
        return false;
    *site = text_copy(parts.items[at + 1]);
    *version = text_copy(parts.items[at + 3]);
    return true;
}

bool channel_of_label(const struct hosting *hosting, const char *label, char **site, char **channel) {
    const char *dashes = strstr(label, "--");
    AUTO_FREE char *id = dashes ? text_copy_length(label, (size_t)(dashes - label)) : text_copy(label);
    AUTO_LIST struct text_list channels = {0};
    *site = *channel = NULL;
    AUTO_JSON struct json *document = site_read(hosting, id);
    if (!document)
        return false;
    if (!dashes)
        *channel = text_copy("live");
    else
        resource_ids(hosting, id, "channels", &channels);
    for (size_t i = 0; i < channels.count && !*channel; i++) {
        AUTO_JSON struct json *candidate = channel_read(hosting, id, channels.items[i]);
        AUTO_FREE char *own = candidate ? channel_label(id, channels.items[i], candidate) : NULL;
        if (own && text_equal(own, label))
            *channel = text_copy(channels.items[i]);
    }
    if (*channel)
        *site = take_pointer(&id);
    return *channel != NULL;
}

void hosting_list_sites(const char *state, unsigned port, struct buffer *out) {
    struct hosting hosting = {.root = path_join(state, "hosting")};
    AUTO_LIST struct text_list ids = {0};
    if (directory_exists(hosting.root))
        site_ids(&hosting, &ids);
    for (size_t i = 0; i < ids.count; i++) {
        AUTO_JSON struct json *live = channel_read(&hosting, ids.items[i], "live");
        if (channel_current(live))
            buffer_append_format(out, "site     %s  http://%s.localhost:%u\n", ids.items[i], ids.items[i], port);
    }
    free(hosting.root);
}
