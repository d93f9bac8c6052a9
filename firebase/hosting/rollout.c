#include "firebase/hosting/rollout.h"

#include "firebase/hosting/internal.h"

#include <string.h>

static int need_channel(struct hosting *hosting, const char *id, struct json **channel, struct error *error) {
    if (hosting_channel_get(hosting, id, channel, error) < 0)
        return -1;
    if (*channel)
        return 0;
    AUTO_JSON struct json *all = NULL;
    AUTO_BUFFER struct buffer list = BUFFER(400);
    error_set(error, ERROR_CONFIGURATION, "site %s has no channel %s", hosting->site, id);
    if (hosting_channel_list(hosting, &all, NULL) < 0)
        return -1;
    for (size_t i = 0; i < json_count(all); i++)
        buffer_append_format(&list, "%s%s", i ? ", " : "",
                             hosting_short_name(json_get_text(json_at(all, i), "name", "")));
    return error_next(error, "it has: %s", buffer_text(&list));
}

static bool same_version(const struct json *left, const struct json *right) {
    return left && right &&
           text_equal(hosting_short_name(json_get_text(left, "name", "")),
                      hosting_short_name(json_get_text(right, "name", "")));
}

/* Releases the version to the channel, unless it shows it, and describes the result. */
static int show(struct hosting *hosting, const char *id, const struct json *version, const char *message,
                struct hosting_outcome *outcome, struct error *error) {
    AUTO_JSON struct json *channel = NULL;
    const char *version_id;
    if (hosting_version_id(version, &version_id, error) < 0 || need_channel(hosting, id, &channel, error) < 0)
        return -1;
    outcome->unchanged = same_version(hosting_channel_version(channel), version);
    if (!outcome->unchanged) {
        if (hosting_release_create(hosting, id, version, message, error) < 0)
            return -1;
        json_release(&channel);
        if (need_channel(hosting, id, &channel, error) < 0)
            return -1;
    }
    if (same_version(hosting_channel_version(channel), version))
        return hosting_describe(hosting, channel, outcome, error);
    error_set(error, ERROR_TEMPORARY, "channel %s of site %s does not show version %s, which was released", id,
              hosting->site, version_id);
    return error_next(error, "somebody else may have released meanwhile; run the same command again");
}

int hosting_promote(struct hosting *hosting, const char *channel, const char *message, struct hosting_outcome *outcome,
                    struct error *error) {
    AUTO_JSON struct json *from = NULL;
    *outcome = (struct hosting_outcome){0};
    if (need_channel(hosting, channel, &from, error) < 0)
        return -1;
    const struct json *version = hosting_channel_version(from);
    if (!version)
        return error_set(error, ERROR_CONFIGURATION, "channel %s of site %s shows nothing", channel, hosting->site);
    return show(hosting, "live", version, message, outcome, error);
}

/* "5f3c…", "versions/5f3c…", "sites/S/versions/5f3c…" */
static int named_version(struct hosting *hosting, const char *name, struct json **version, struct error *error) {
    AUTO_JSON struct json *wrapped = json_new_object();
    const char *id;
    json_set_text(wrapped, "name", name);
    if (hosting_version_id(wrapped, &id, NULL) < 0)
        return error_set(error, ERROR_USAGE, "\"%.100s\" is no version", name);
    if (hosting_version_get(hosting, id, version, error) < 0)
        return -1;
    const char *status = json_get_text(*version, "status", "");
    if (*version && text_equal(status, "FINALIZED"))
        return 0;
    return error_set(error, ERROR_CONFIGURATION, "site %s has no version %s%s%s", hosting->site, id,
                     *version ? " that can be shown: it is " : "", status);
}

static int earlier_version(struct hosting *hosting, const char *channel_id, const struct json *current,
                           const struct json *releases, const struct json **found, struct error *error) {
    struct timespec limit = {0}, best = {0};
    hosting_time(json_get_text(current, "createTime", ""), &limit);
    *found = NULL;
    for (size_t i = 0; i < json_count(releases); i++) {
        const struct json *version = json_get(json_at(releases, i), "version");
        struct timespec made;
        if (!text_equal(json_get_text(version, "status", NULL), "FINALIZED") || same_version(version, current) ||
            !hosting_time(json_get_text(version, "createTime", ""), &made) || !hosting_is_later(&limit, &made))
            continue;
        if (!*found || hosting_is_later(&made, &best)) {
            *found = version;
            best = made;
        }
    }
    if (*found)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "channel %s of site %s showed no version that is older than the one it shows",
              channel_id, hosting->site);
    AUTO_BUFFER struct buffer list = BUFFER(400);
    for (size_t i = 0; i < json_count(releases); i++) {
        const struct json *version = json_get(json_at(releases, i), "version");
        const char *id = hosting_short_name(json_get_text(version, "name", ""));
        if (*id && !same_version(version, current) && !strstr(buffer_text(&list), id))
            buffer_append_format(&list, "%s%s", list.length ? ", " : "", id);
    }
    return list.length ? error_next(error, "name one: --rollback VERSION (it showed %s)", buffer_text(&list)) : -1;
}

int hosting_rollback(struct hosting *hosting, const char *channel_id, const char *name, const char *message,
                     struct hosting_outcome *outcome, struct error *error) {
    AUTO_JSON struct json *channel = NULL, *releases = NULL, *named = NULL;
    const struct json *version = NULL;
    *outcome = (struct hosting_outcome){0};
    if (name) {
        if (named_version(hosting, name, &named, error) < 0)
            return -1;
        return show(hosting, channel_id, named, message, outcome, error);
    }
    if (need_channel(hosting, channel_id, &channel, error) < 0)
        return -1;
    const struct json *current = hosting_channel_version(channel);
    if (!current)
        return error_set(error, ERROR_CONFIGURATION, "channel %s of site %s shows nothing", channel_id, hosting->site);
    if (hosting_release_list(hosting, channel_id, &releases, error) < 0 ||
        earlier_version(hosting, channel_id, current, releases, &version, error) < 0)
        return -1;
    return show(hosting, channel_id, version, message, outcome, error);
}
