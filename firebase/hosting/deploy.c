#include "firebase/hosting/deploy.h"

#include "firebase/hosting/internal.h"

#include <string.h>

/* A label's value has at most 63 characters. */
enum { KEY_LENGTH = 40, FILL_ROUNDS = 2 };

struct deploying {
    struct hosting *hosting;
    const struct hosting_deployment *deployment;
    char key[KEY_LENGTH + 1];
    struct json *channel;
    struct json *version;
    struct hosting_outcome *outcome;
};

static void deploying_release(struct deploying *deploying) {
    json_release(&deploying->channel);
    json_release(&deploying->version);
}

/* The hash of everything that is served. Tags are left out: the revisions that they stand for are in `pins`. */
static void make_key(struct deploying *deploying) {
    const struct site_files *files = deploying->deployment->files;
    const char *pins = deploying->deployment->pins ? deploying->deployment->pins : "";
    AUTO_HASHER struct hasher *hasher = hasher_new();
    AUTO_JSON struct json *untagged = json_copy_deep(deploying->deployment->config);
    const struct json *rewrites = json_get(untagged, "rewrites");
    for (size_t i = 0; i < json_count(rewrites); i++)
        if (json_get(json_at(rewrites, i), "run"))
            json_remove(json_get(json_at(rewrites, i), "run"), "tag");
    AUTO_FREE char *config = json_format(untagged, JSON_CANONICAL);
    hasher_add(hasher, config, strlen(config) + 1);
    hasher_add(hasher, pins, strlen(pins) + 1);
    for (size_t i = 0; i < files->count; i++) {
        hasher_add(hasher, files->items[i].path, strlen(files->items[i].path) + 1);
        hasher_add(hasher, &files->items[i].packed, sizeof(files->items[i].packed));
    }
    struct digest digest = hasher_finish(hasher);
    memcpy(deploying->key, digest_format_hex(&digest).text, KEY_LENGTH);
    deploying->key[KEY_LENGTH] = '\0';
}

static bool is_ours(const struct deploying *deploying, const struct json *version) {
    return text_equal(json_get_text(json_get(version, "labels"), "pl-content", NULL), deploying->key);
}

static bool has_status(const struct json *version, const char *status) {
    return text_equal(json_get_text(version, "status", NULL), status);
}

/* ---- channel ---- */

static int evict_expired(struct hosting *hosting, size_t *count, struct error *error) {
    AUTO_JSON struct json *channels = NULL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (hosting_channel_list(hosting, &channels, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(channels); i++) {
        const struct json *channel = json_at(channels, i);
        const char *id = hosting_short_name(json_get_text(channel, "name", ""));
        struct timespec end;
        AUTO_FREE char *checked = hosting_channel_id(id, NULL);
        if (!checked || text_equal(id, "live") || !hosting_time(json_get_text(channel, "expireTime", ""), &end) ||
            end.tv_sec >= now.tv_sec)
            continue;
        bool missing;
        if (hosting_channel_delete(hosting, checked, &missing, error) < 0)
            return -1;
        progress_note(hosting->cloud->progress, "deleted channel %s, which expired on %.10s", checked,
                      json_get_text(channel, "expireTime", ""));
        ++*count;
    }
    return 0;
}

static int make_channel(struct deploying *deploying, struct error *error) {
    const struct hosting_deployment *deployment = deploying->deployment;
    struct hosting *hosting = deploying->hosting;
    bool full = false;
    size_t evicted = 0;
    if (hosting_channel_create(hosting, deployment->channel, deployment->ttl, &deploying->channel, &full, error) < 0)
        return -1;
    if (full && deployment->evict_expired) {
        if (evict_expired(hosting, &evicted, error) < 0)
            return error_wrap(error, "to make room for channel %s", deployment->channel);
        if (evicted && hosting_channel_create(hosting, deployment->channel, deployment->ttl, &deploying->channel, &full,
                                              error) < 0)
            return -1;
    }
    if (!full)
        return 0;
    return error_next(error, deployment->evict_expired
                                 ? "no channel has expired: delete one with --delete-channel ID"
                                 : "give --evict-expired, or delete a channel with --delete-channel ID");
}

/* After this deploying->channel is there; a preview ends `ttl` from now. */
static int open_channel(struct deploying *deploying, struct error *error) {
    const struct hosting_deployment *deployment = deploying->deployment;
    struct hosting *hosting = deploying->hosting;
    if (hosting_channel_get(hosting, deployment->channel, &deploying->channel, error) < 0)
        return -1;
    if (text_equal(deployment->channel, "live")) {
        if (!deploying->channel)
            deploying->channel = json_new_object();
        return 0;
    }
    if (!deploying->channel)
        return make_channel(deploying, error);
    AUTO_JSON struct json *prolonged = NULL;
    if (hosting_channel_set_ttl(hosting, deployment->channel, deployment->ttl, &prolonged, error) < 0)
        return -1;
    json_set_text(deploying->channel, "expireTime", json_get_text(prolonged, "expireTime", NULL));
    return 0;
}

/* ---- version ---- */

/* An earlier run of the same deployment may have got this far. Only versions newer than the one that is shown: so the
 * order of versions stays that of deployments, which --rollback goes by. */
static int find_version(struct deploying *deploying, struct error *error) {
    AUTO_JSON struct json *versions = NULL;
    struct timespec shown = {0};
    const struct json *current = hosting_channel_version(deploying->channel);
    if (current)
        hosting_time(json_get_text(current, "createTime", ""), &shown);
    if (hosting_version_list(deploying->hosting, &versions, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(versions); i++) {
        struct json *version = json_at(versions, i);
        struct timespec made;
        if (!is_ours(deploying, version) || !(has_status(version, "CREATED") || has_status(version, "FINALIZED")) ||
            !hosting_time(json_get_text(version, "createTime", ""), &made) || !hosting_is_later(&made, &shown))
            continue;
        if (!deploying->version || has_status(version, "FINALIZED")) {
            json_release(&deploying->version);
            deploying->version = json_share(version);
        }
    }
    deploying->outcome->resumed = deploying->version != NULL;
    return 0;
}

static int make_version(struct deploying *deploying, struct error *error) {
    AUTO_JSON struct json *labels = json_new_object();
    json_set_text(labels, "deployment-tool", "pl");
    json_set_text(labels, "pl-content", deploying->key);
    return hosting_version_create(deploying->hosting, deploying->deployment->config, labels, &deploying->version,
                                  error);
}

static int fill_version(struct deploying *deploying, struct error *error) {
    const struct hosting_deployment *deployment = deploying->deployment;
    AUTO_JSON struct json *config = json_copy_deep(deployment->config);
    const char *id;
    if (hosting_version_id(deploying->version, &id, error) < 0)
        return -1;
    for (int round = 1;; round++) {
        AUTO_JSON struct json *final = NULL;
        bool refused = false;
        if (content_fill(deploying->hosting, id, deployment->files, &deploying->outcome->content, error) < 0)
            return -1;
        if (round == 1 && deployment->complete && deployment->complete(deployment->context, id, config, error) < 0)
            return -1;
        if (hosting_version_finalize(deploying->hosting, id, config, &final, &refused, error) < 0)
            return -1;
        if (!refused) {
            json_release(&deploying->version);
            deploying->version = take_pointer(&final);
            return 0;
        }
        /* Something that was thought to be there is not: the second round asks again for everything. */
        if (round == FILL_ROUNDS)
            return -1;
    }
}

/* ---- all ---- */

int hosting_describe(struct hosting *hosting, const struct json *channel, struct hosting_outcome *outcome,
                     struct error *error) {
    const char *id;
    if (hosting_version_id(hosting_channel_version(channel), &id, error) < 0)
        return -1;
    outcome->version = text_copy(id);
    outcome->url = text_copy(json_get_text(channel, "url", NULL));
    outcome->expire_time = text_copy(json_get_text(channel, "expireTime", NULL));
    if (!outcome->url)
        outcome->url = text_format("https://%s.web.app", hosting->site);
    return 0;
}

/* Reads back what the channel shows. */
static int verify(struct deploying *deploying, struct error *error) {
    const char *wanted, *channel = deploying->deployment->channel;
    if (hosting_version_id(deploying->version, &wanted, error) < 0)
        return -1;
    json_release(&deploying->channel);
    if (hosting_channel_get(deploying->hosting, channel, &deploying->channel, error) < 0)
        return -1;
    const struct json *shown = hosting_channel_version(deploying->channel);
    if (shown && text_equal(hosting_short_name(json_get_text(shown, "name", "")), wanted))
        return hosting_describe(deploying->hosting, deploying->channel, deploying->outcome, error);
    error_set(error, ERROR_TEMPORARY, "channel %s of site %s does not show version %s, which was released", channel,
              deploying->hosting->site, wanted);
    return error_next(error, "somebody else may have released meanwhile; run the same command again");
}

static int deploy(struct deploying *deploying, struct error *error) {
    const struct hosting_deployment *deployment = deploying->deployment;
    if (open_channel(deploying, error) < 0)
        return -1;
    const struct json *shown = hosting_channel_version(deploying->channel);
    if (shown && is_ours(deploying, shown) && has_status(shown, "FINALIZED")) {
        deploying->outcome->unchanged = true;
        return hosting_describe(deploying->hosting, deploying->channel, deploying->outcome, error);
    }
    if (find_version(deploying, error) < 0 || (!deploying->version && make_version(deploying, error) < 0) ||
        (!has_status(deploying->version, "FINALIZED") && fill_version(deploying, error) < 0) ||
        hosting_release_create(deploying->hosting, deployment->channel, deploying->version, deployment->message,
                               error) < 0)
        return -1;
    return verify(deploying, error);
}

int hosting_deploy(struct hosting *hosting, const struct hosting_deployment *deployment,
                   struct hosting_outcome *outcome, struct error *error) {
    *outcome = (struct hosting_outcome){0};
    AUTO(deploying_release)
    struct deploying deploying = {.hosting = hosting, .deployment = deployment, .outcome = outcome};
    if (site_files_pack(deployment->files, hosting->site, hosting->cloud->progress, error) < 0)
        return -1;
    make_key(&deploying);
    return deploy(&deploying, error);
}

void hosting_outcome_release(struct hosting_outcome *outcome) {
    free(outcome->url);
    free(outcome->version);
    free(outcome->expire_time);
    *outcome = (struct hosting_outcome){0};
}
