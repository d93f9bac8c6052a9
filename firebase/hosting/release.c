#include "firebase/hosting/internal.h"

#include <string.h>
#include <time.h>

enum { TRIES = 4 };

/* Whether the channel shows this version now. */
static int is_released(struct hosting *hosting, const char *channel, const char *version, bool *released,
                       struct error *error) {
    AUTO_JSON struct json *now = NULL;
    if (hosting_channel_get(hosting, channel, &now, error) < 0)
        return -1;
    const char *shown = json_get_text(hosting_channel_version(now), "name", NULL);
    *released = shown && text_equal(hosting_short_name(shown), hosting_short_name(version));
    return 0;
}

static int wait_before(struct hosting *hosting, unsigned tries, struct error *error) {
    for (unsigned i = 0; i < 5U << tries; i++) {
        if (progress_cancelled(hosting->cloud->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return 0;
}

/* Nobody answered, or the answer does not tell whether it took place. */
static bool may_be_lost(const struct error *failure) {
    return failure->kind == ERROR_UNAVAILABLE || failure->kind == ERROR_TIMEOUT || failure->kind == ERROR_TEMPORARY ||
           failure->kind == ERROR_PROTOCOL;
}

int hosting_release_create(struct hosting *hosting, const char *channel, const struct json *version,
                           const char *message, struct error *error) {
    const char *name;
    if (json_need_text(version, "name", "the version", &name, error) < 0)
        return -1;
    AUTO_FREE char *encoded = url_encode(name);
    AUTO_FREE char *url = hosting_url(hosting, "/channels/%s/releases?versionName=%s", channel, encoded);
    AUTO_FREE char *what = text_format("cannot release version %s to channel %s of site %s", hosting_short_name(name),
                                       channel, hosting->site);
    AUTO_JSON struct json *body = json_new_object();
    json_set_text(body, "message", message);
    struct cloud_request request = {.method = "POST", .url = url, .body = body, .what = what};
    for (unsigned tries = 0;; tries++) {
        AUTO_JSON struct json *release = NULL;
        struct error failure = {0}, second = {0};
        if (cloud_call(hosting->cloud, &request, &release, NULL, &failure) == 0)
            return 0;
        bool released = false;
        if (may_be_lost(&failure) && is_released(hosting, channel, name, &released, &second) == 0 && released) {
            progress_note(hosting->cloud->progress, "the answer to the release was lost, but it took place");
            return 0;
        }
        if (!may_be_lost(&failure) || second.kind || tries + 1 == TRIES) {
            if (error)
                *error = failure;
            if (may_be_lost(&failure) || failure.kind == ERROR_CANCELLED)
                error_next(error, "whether the release took place is not known; run the same command again");
            return -1;
        }
        progress_note(hosting->cloud->progress, "%s; it did not take place: trying again", failure.text);
        if (wait_before(hosting, tries, error) < 0)
            return -1;
    }
}

int hosting_release_list(struct hosting *hosting, const char *channel, struct json **releases, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/channels/%s/releases?pageSize=100", channel);
    AUTO_FREE char *what = text_format("cannot list the releases of channel %s of site %s", channel, hosting->site);
    AUTO_JSON struct json *reply = NULL;
    struct cloud_request request = {.url = url, .what = what, .response_limit = HOSTING_LIST_LIMIT};
    if (cloud_call(hosting->cloud, &request, &reply, NULL, error) < 0)
        return -1;
    struct json *list = json_get(reply, "releases");
    *releases = json_is_array(list) ? json_share(list) : json_new_array();
    return 0;
}
