#include "firebase/hosting/internal.h"

#include <string.h>

static const long missing_is_fine[] = {404, 0};

int hosting_channel_get(struct hosting *hosting, const char *id, struct json **channel, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/channels/%s", id);
    AUTO_FREE char *what = text_format("cannot read channel %s of site %s", id, hosting->site);
    struct cloud_request request = {
        .url = url, .what = what, .accept = missing_is_fine, .response_limit = HOSTING_LIST_LIMIT};
    return cloud_call(hosting->cloud, &request, channel, NULL, error);
}

static struct json *ttl_body(int64_t ttl) {
    struct json *body = json_new_object();
    AUTO_FREE char *seconds = text_format("%llds", (long long)ttl);
    json_set_text(body, "ttl", seconds);
    return body;
}

int hosting_channel_create(struct hosting *hosting, const char *id, int64_t ttl, struct json **channel, bool *full,
                           struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/channels?channelId=%s", id);
    AUTO_FREE char *what = text_format("cannot make channel %s of site %s", id, hosting->site);
    AUTO_JSON struct json *body = ttl_body(ttl);
    struct cloud_request request = {.method = "POST", .url = url, .body = body, .what = what};
    struct error failure = {0};
    long status = 0;
    *full = false;
    if (cloud_call(hosting->cloud, &request, channel, &status, &failure) == 0)
        return 0;
    /* Somebody else made it meanwhile. */
    if (status == 409 && hosting_channel_get(hosting, id, channel, NULL) == 0 && *channel)
        return 0;
    *full = status == 429 && strstr(failure.text, "channel quota");
    if (error)
        *error = failure;
    return *full ? 0 : -1;
}

int hosting_channel_set_ttl(struct hosting *hosting, const char *id, int64_t ttl, struct json **channel,
                            struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/channels/%s?updateMask=ttl", id);
    AUTO_FREE char *what = text_format("cannot set when channel %s of site %s ends", id, hosting->site);
    AUTO_JSON struct json *body = ttl_body(ttl);
    struct cloud_request request = {.method = "PATCH",
                                    .url = url,
                                    .body = body,
                                    .what = what,
                                    .idempotent = true,
                                    .response_limit = HOSTING_LIST_LIMIT};
    return cloud_call(hosting->cloud, &request, channel, NULL, error);
}

int hosting_channel_delete(struct hosting *hosting, const char *id, bool *missing, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/channels/%s", id);
    AUTO_FREE char *what = text_format("cannot delete channel %s of site %s", id, hosting->site);
    struct cloud_request request = {
        .method = "DELETE", .url = url, .what = what, .accept = missing ? missing_is_fine : NULL};
    long status = 0;
    if (cloud_call(hosting->cloud, &request, NULL, &status, error) < 0)
        return -1;
    if (missing)
        *missing = status == 404;
    return 0;
}

int hosting_channel_list(struct hosting *hosting, struct json **channels, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/channels");
    AUTO_FREE char *what = text_format("cannot list the channels of site %s", hosting->site);
    return hosting_list(hosting->cloud, url, "channels", what, channels, error);
}

const struct json *hosting_channel_version(const struct json *channel) {
    const struct json *release = json_get(channel, "release");
    if (text_equal(json_get_text(release, "type", NULL), "SITE_DISABLE"))
        return NULL;
    return json_get(release, "version");
}
