#include "gcp/run/traffic.h"

#include "gcp/run/service.h"

#include <string.h>

enum { TAG_MOST = 46, ALL = 100 };

#define LATEST "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
#define PREVIOUS "pl-previous-revision"
#define REVISION "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

static bool is_latest(const struct json *target) {
    return text_equal(json_get_text(target, "type", REVISION), LATEST);
}

static const char *latest_ready(const struct json *service) {
    return run_short_name(json_get_text(service, "latestReadyRevision", NULL));
}

/* The short name of the revision that a target means now, or NULL. */
static const char *meant(const struct json *service, const struct json *target) {
    return is_latest(target) ? latest_ready(service) : run_short_name(json_get_text(target, "revision", NULL));
}

static struct json *target_new(const char *revision, unsigned percent, const char *tag) {
    struct json *target = json_new_object();
    json_set_text(target, "type", revision ? REVISION : LATEST);
    json_set_text(target, "revision", revision);
    if (percent > 0)
        json_set_integer(target, "percent", percent);
    json_set_text(target, "tag", tag);
    return target;
}

/* What the service's traffic is; one that says nothing means the newest revision. */
static struct json *current(const struct json *service) {
    struct json *traffic = json_get(service, "traffic");
    if (json_count(traffic) > 0)
        return json_copy_deep(traffic);
    struct json *list = json_new_array();
    json_append(list, target_new(NULL, ALL, NULL));
    return list;
}

/* The tags alone, each on the revision that it names. */
static struct json *tags_only(const struct json *service) {
    AUTO_JSON struct json *traffic = current(service);
    struct json *list = json_new_array();
    for (size_t i = 0; i < json_count(traffic); i++) {
        const struct json *target = json_at(traffic, i);
        const char *tag = json_get_text(target, "tag", NULL), *revision = meant(service, target);
        if (tag && (is_latest(target) || revision))
            json_append(list, target_new(is_latest(target) ? NULL : revision, 0, tag));
    }
    return list;
}

/* In front of the tags, as Google's console shows it. */
static struct json *with_first(struct json *list, struct json *first) {
    struct json *all = json_new_array();
    json_append(all, first);
    for (size_t i = 0; i < json_count(list); i++)
        json_append(all, json_copy_deep(json_at(list, i)));
    json_release(&list);
    return all;
}

struct json *run_traffic_latest(const struct json *service) {
    AUTO_JSON struct json *now = current(service);
    for (size_t i = 0; i < json_count(now); i++)
        if (is_latest(json_at(now, i)) && json_get_integer(json_at(now, i), "percent", 0) == ALL)
            return take_pointer(&now);
    return with_first(tags_only(service), target_new(NULL, ALL, NULL));
}

struct json *run_traffic_pinned(const struct json *service) {
    struct json *traffic = current(service);
    const char *ready = latest_ready(service);
    for (size_t i = 0; ready && i < json_count(traffic); i++) {
        struct json *target = json_at(traffic, i);
        if (!is_latest(target))
            continue;
        json_set_text(target, "type", REVISION);
        json_set_text(target, "revision", ready);
    }
    return traffic;
}

struct json *run_traffic_all(const struct json *service, const char *revision) {
    const char *newest = run_short_name(json_get_text(service, "latestCreatedRevision", NULL));
    bool is_newest = text_equal(revision, newest) && text_equal(revision, latest_ready(service));
    return with_first(tags_only(service), target_new(is_newest ? NULL : revision, ALL, NULL));
}

/* What all others get together becomes 100 - percent; what rounding leaves goes to the largest of them. */
static void shrink_others(struct json *list, const struct json *others, unsigned percent) {
    int64_t sum = 0, given = 0;
    size_t largest = 0, first = json_count(list);
    for (size_t i = 0; i < json_count(others); i++)
        sum += json_get_integer(json_at(others, i), "percent", 0);
    for (size_t i = 0; sum > 0 && i < json_count(others); i++) {
        struct json *target = json_copy_deep(json_at(others, i));
        int64_t share = json_get_integer(target, "percent", 0) * (ALL - (int64_t)percent) / sum;
        json_set_integer(target, "percent", share);
        json_append(list, target);
        given += share;
        if (share > json_get_integer(json_at(list, first + largest), "percent", 0))
            largest = i;
    }
    struct json *target = json_at(list, first + largest);
    if (target)
        json_set_integer(target, "percent", json_get_integer(target, "percent", 0) + ALL - (int64_t)percent - given);
}

/* Targets with percents and without tags; what goes to `revision` is left out. */
static struct json *shares_of_others(const struct json *pinned, const char *revision) {
    struct json *others = json_new_array();
    for (size_t i = 0; i < json_count(pinned); i++) {
        const struct json *target = json_at(pinned, i);
        const char *name = run_short_name(json_get_text(target, "revision", NULL));
        int64_t percent = json_get_integer(target, "percent", 0);
        if (percent > 0 && percent <= ALL && !text_equal(name, revision))
            json_append(others, target_new(name, (unsigned)percent, NULL));
    }
    return others;
}

struct json *run_traffic_share(const struct json *service, const char *revision, unsigned percent) {
    AUTO_JSON struct json *pinned = run_traffic_pinned(service), *tags = tags_only(service);
    AUTO_JSON struct json *others = shares_of_others(pinned, revision);
    struct json *list = json_new_array();
    if (percent > 0)
        json_append(list, target_new(revision, percent, NULL));
    shrink_others(list, others, percent);
    for (size_t i = 0; i < json_count(tags); i++)
        json_append(list, json_copy_deep(json_at(tags, i)));
    return list;
}

/* ---- tags ---- */

void run_traffic_untag(struct json *traffic, const char *tag) {
    for (size_t i = json_count(traffic); i-- > 0;) {
        struct json *target = json_at(traffic, i);
        if (!text_equal(json_get_text(target, "tag", NULL), tag))
            continue;
        json_remove(target, "tag");
        if (json_get_integer(target, "percent", 0) == 0)
            json_remove_at(traffic, i);
    }
}

void run_traffic_tag(struct json *traffic, const char *tag, const char *revision) {
    run_traffic_untag(traffic, tag);
    json_append(traffic, target_new(revision, 0, tag));
}

int run_tag_check(const char *tag, const char *service, struct error *error) {
    size_t length = strlen(tag);
    if (length > 0 && tag[0] >= 'a' && tag[0] <= 'z' && tag[length - 1] != '-' &&
        strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && !strstr(tag, "---") &&
        length + strlen(service) <= TAG_MOST + 1)
        return 0;
    error_set(error, ERROR_USAGE, "\"%.80s\" is no tag for service %s", tag, service);
    return error_next(error, "give lower-case letters, digits and hyphens, beginning with a letter, at most %zu",
                      strlen(service) < TAG_MOST ? TAG_MOST + 1 - strlen(service) : 1);
}

static const struct json *status_of_tag(const struct json *service, const char *tag) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    for (size_t i = 0; i < json_count(statuses); i++)
        if (text_equal(json_get_text(json_at(statuses, i), "tag", NULL), tag))
            return json_at(statuses, i);
    return NULL;
}

const char *run_traffic_tagged(const struct json *service, const char *tag) {
    const struct json *status = status_of_tag(service, tag);
    return status ? meant(service, status) : NULL;
}

const char *run_traffic_tag_url(const struct json *service, const char *tag) {
    return json_get_text(status_of_tag(service, tag), "uri", NULL);
}

/* ---- what is ---- */

static int64_t percent_in(const struct json *service, const struct json *list, const char *revision) {
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(list); i++)
        if (text_equal(meant(service, json_at(list, i)), revision))
            sum += json_get_integer(json_at(list, i), "percent", 0);
    return sum;
}

unsigned run_traffic_percent(const struct json *service, const char *revision) {
    int64_t percent = percent_in(service, json_get(service, "trafficStatuses"), revision);
    return percent > 0 && percent <= ALL ? (unsigned)percent : 0;
}

bool run_traffic_holds(const struct json *service, const struct json *traffic) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    for (size_t i = 0; i < json_count(traffic); i++) {
        const char *revision = meant(service, json_at(traffic, i)),
                   *tag = json_get_text(json_at(traffic, i), "tag", NULL);
        if (!revision || percent_in(service, statuses, revision) != percent_in(service, traffic, revision))
            return false;
        if (tag && !text_equal(run_traffic_tagged(service, tag), revision))
            return false;
    }
    return json_count(traffic) > 0;
}

/* ---- "NAME=PERCENT" ---- */

static int parse_target(const struct json *service, const char *text, struct json *list, uint64_t *sum,
                        struct error *error) {
    const char *equals = strrchr(text, '=');
    uint64_t percent = 0;
    if (!equals || equals == text || !text_to_u64(equals + 1, ALL, &percent)) {
        error_set(error, ERROR_USAGE, "--traffic %.100s is no NAME=PERCENT", text);
        return error_next(error, "such as --traffic latest=90 --traffic old-tag=10");
    }
    AUTO_FREE char *name = text_copy_length(text, (size_t)(equals - text));
    const char *tagged = run_traffic_tagged(service, name), *revision = tagged ? tagged : name;
    const char *short_name = run_short_name(json_get_text(service, "name", ""));
    AUTO_FREE char *prefix = text_format("%s-", short_name);
    bool latest = text_equal(name, "latest");
    if (!latest && !tagged && !text_starts_with(name, prefix)) {
        error_set(error, ERROR_CONFIGURATION,
                  "--traffic %.100s: the service has no such tag, and no revision of it "
                  "is named so",
                  text);
        return error_next(error, "what there is: pl-run-deploy %s --revisions", short_name);
    }
    if (percent > 0)
        json_append(list, target_new(latest ? NULL : revision, (unsigned)percent, NULL));
    *sum += percent;
    return 0;
}

struct json *run_traffic_parse(const struct json *service, const struct text_list *targets, struct error *error) {
    AUTO_JSON struct json *list = json_new_array(), *tags = tags_only(service);
    uint64_t sum = 0;
    for (size_t i = 0; i < targets->count; i++)
        if (parse_target(service, targets->items[i], list, &sum, error) < 0)
            return NULL;
    if (sum != ALL) {
        error_set(error, ERROR_USAGE, "the percents of --traffic add up to %llu, not to 100", (unsigned long long)sum);
        return NULL;
    }
    for (size_t i = 0; i < json_count(tags); i++)
        json_append(list, json_copy_deep(json_at(tags, i)));
    return take_pointer(&list);
}

/* ---- the way back ---- */

const char *run_previous(const struct json *service) {
    return json_get_text(json_get(service, "annotations"), PREVIOUS, NULL);
}

void run_note_previous(struct json *service, const char *revision) {
    const struct json *annotations = json_get(service, "annotations");
    if (!revision && !json_get(annotations, PREVIOUS))
        return;
    json_set_text(json_need_object(service, "annotations"), PREVIOUS, revision);
}
