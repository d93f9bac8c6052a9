#include "gcp/artifact_images.h"

#include "gcp/operation.h"

#include <string.h>
#include <time.h>

static char *repository_url(const struct cloud *cloud, const char *region, const char *repository) {
    return text_format("%s/v1/projects/%s/locations/%s/repositories/%s", endpoint_url(ENDPOINT_ARTIFACT_REGISTRY),
                       cloud->project, region, repository);
}

void artifact_images_release(struct artifact_images *images) {
    for (size_t i = 0; i < images->count; i++) {
        free(images->items[i].name);
        free(images->items[i].digest);
        free(images->items[i].time);
        text_list_release(&images->items[i].tags);
    }
    free(images->items);
    *images = (struct artifact_images){0};
}

/* ---- the list ---- */

/* ".../dockerImages/NAME@sha256:…": the slashes of NAME are written as %2F. False for what is none. */
static bool read_name(const char *full, struct artifact_image *image) {
    const char *begin = full ? strstr(full, "/dockerImages/") : NULL, *at = begin ? strchr(begin, '@') : NULL;
    if (!at)
        return false;
    begin += strlen("/dockerImages/");
    AUTO_BUFFER struct buffer name = BUFFER(1024);
    for (const char *c = begin; c < at; c++) {
        bool slash = strncasecmp(c, "%2f", 3) == 0;
        buffer_append_byte(&name, slash ? '/' : *c);
        c += slash ? 2 : 0;
    }
    image->name = buffer_take(&name);
    image->digest = text_copy(at + 1);
    return true;
}

static bool read_image(const struct json *document, struct artifact_image *image) {
    const struct json *tags = json_get(document, "tags");
    *image = (struct artifact_image){.time = text_copy(json_get_text(document, "uploadTime", ""))};
    if (!read_name(json_get_text(document, "name", NULL), image)) {
        free(image->time);
        return false;
    }
    text_to_u64(json_get_text(document, "imageSizeBytes", "0"), UINT64_MAX, &image->size);
    for (size_t i = 0; i < json_count(tags); i++)
        if (json_text(json_at(tags, i)))
            text_list_add(&image->tags, json_text(json_at(tags, i)));
    return true;
}

/* RFC 3339 in UTC sorts as text as far as the seconds. */
static int compare(const void *left, const void *right) {
    const struct artifact_image *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    order = order ? order : strcmp(b->time, a->time);
    return order ? order : strcmp(a->digest, b->digest);
}

int artifact_images_list(struct cloud *cloud, const char *region, const char *repository,
                         struct artifact_images *images, struct error *error) {
    AUTO_FREE char *base = repository_url(cloud, region, repository), *url = text_format("%s/dockerImages", base);
    AUTO_FREE char *what = text_format("cannot list the images of %s", repository);
    AUTO_JSON struct json *all = json_new_array();
    *images = (struct artifact_images){0};
    if (cloud_list(cloud, url, "dockerImages", what, all, error) < 0)
        return -1;
    images->items = memory_allocate(json_count(all) + 1, sizeof(*images->items));
    for (size_t i = 0; i < json_count(all); i++)
        images->count += read_image(json_at(all, i), &images->items[images->count]);
    qsort(images->items, images->count, sizeof(*images->items), compare);
    return 0;
}

/* ---- which are old ---- */

/* Seconds since 1970 of "2026-11-24T06:00:00.123Z"; INT64_MAX for what is no time: such an image is never old. */
static int64_t seconds_of(const char *text) {
    struct tm parts = {0};
    return strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) ? (int64_t)timegm(&parts) : INT64_MAX;
}

static bool has_kept_tag(const struct artifact_image *image, const struct text_list *prefixes) {
    for (size_t i = 0; i < image->tags.count; i++)
        for (size_t j = 0; j < prefixes->count; j++)
            if (text_starts_with(image->tags.items[i], prefixes->items[j]))
                return true;
    return false;
}

/* "HOST/P/R/NAME@DIGEST", "HOST/P/R/NAME:TAG" and "HOST/P/R/NAME" */
static bool is_used(const struct artifact_image *image, const struct text_list *used) {
    AUTO_FREE char *plain = text_format("/%s", image->name), *latest = text_format("/%s:latest", image->name);
    for (size_t i = 0; i < used->count; i++) {
        const char *reference = used->items[i];
        if (strstr(reference, image->digest))
            return true;
        for (size_t j = 0; j < image->tags.count; j++) {
            AUTO_FREE char *tagged = text_format("/%s:%s", image->name, image->tags.items[j]);
            bool untagged = text_equal(tagged, latest) && text_ends_with(reference, plain);
            if (untagged || text_ends_with(reference, tagged))
                return true;
        }
    }
    return false;
}

void artifact_images_judge(struct artifact_images *images, const struct artifact_retention *retention,
                           const struct text_list *used, int64_t now) {
    uint64_t newer = 0;
    for (size_t i = 0; i < images->count; i++) {
        struct artifact_image *image = &images->items[i];
        newer = i > 0 && text_equal(image->name, images->items[i - 1].name) ? newer + 1 : 0;
        int64_t time = seconds_of(image->time);
        image->verdict = is_used(image, used)                         ? ARTIFACT_IS_USED
                         : newer < retention->keep                    ? ARTIFACT_IS_NEW
                         : has_kept_tag(image, &retention->kept_tags) ? ARTIFACT_IS_TAGGED
                         : time > now - (int64_t)retention->seconds   ? ARTIFACT_IS_YOUNG
                                                                      : ARTIFACT_IS_OLD;
    }
}

/* ---- deleting ---- */

int artifact_image_delete(struct cloud *cloud, const char *region, const char *repository,
                          const struct artifact_image *image, bool *deleted, struct error *error) {
    /* 400 FAILED_PRECONDITION: an index refers to it; 404: it has gone meanwhile. */
    static const long stays[] = {400, 404, 0};
    AUTO_FREE char *base = repository_url(cloud, region, repository), *package = url_encode(image->name);
    AUTO_FREE char *url = text_format("%s/packages/%s/versions/%s?force=true", base, package, image->digest);
    AUTO_FREE char *what = text_format("cannot delete %s@%.19s", image->name, image->digest);
    AUTO_JSON struct json *operation = NULL;
    long status = 0;
    struct cloud_request request = {.method = "DELETE", .url = url, .what = what, .accept = stays};
    *deleted = false;
    if (cloud_call(cloud, &request, &operation, &status, error) < 0)
        return -1;
    if (status == 400 || status == 404)
        return 0;
    if (operation_wait(cloud, ENDPOINT_ARTIFACT_REGISTRY, what, &operation, error) < 0)
        return -1;
    *deleted = true;
    return 0;
}

/* ---- the clean-up policies ---- */

static struct json *policy_new(const char *id, const char *action) {
    struct json *policy = json_new_object();
    json_set_text(policy, "id", id);
    json_set_text(policy, "action", action);
    return policy;
}

static void put_policies(struct json *policies, const struct artifact_retention *retention) {
    struct json *old = policy_new("pl-old", "DELETE"), *keep = policy_new("pl-keep", "KEEP");
    AUTO_FREE char *seconds = text_format("%llus", (unsigned long long)retention->seconds);
    json_set_text(json_need_object(old, "condition"), "tagState", "ANY");
    json_set_text(json_need_object(old, "condition"), "olderThan", seconds);
    json_set_integer(json_need_object(keep, "mostRecentVersions"), "keepCount", (int64_t)retention->keep);
    json_set(policies, "pl-old", old);
    json_remove(policies, "pl-keep");
    json_remove(policies, "pl-tags");
    if (retention->keep > 0)
        json_set(policies, "pl-keep", keep);
    else
        json_release(&keep);
    if (retention->kept_tags.count == 0)
        return;
    struct json *tags = policy_new("pl-tags", "KEEP"), *prefixes = json_new_array();
    for (size_t i = 0; i < retention->kept_tags.count; i++)
        json_append_text(prefixes, retention->kept_tags.items[i]);
    json_set_text(json_need_object(tags, "condition"), "tagState", "TAGGED");
    json_set(json_need_object(tags, "condition"), "tagPrefixes", prefixes);
    json_set(policies, "pl-tags", tags);
}

int artifact_repository_set_retention(struct cloud *cloud, const char *region, const char *repository,
                                      const struct artifact_retention *retention, bool *changed, struct error *error) {
    AUTO_FREE char *url = repository_url(cloud, region, repository);
    AUTO_FREE char *patch = text_format("%s?updateMask=cleanupPolicies,cleanupPolicyDryRun", url);
    AUTO_FREE char *what = text_format("cannot set the clean-up policies of %s", repository);
    AUTO_JSON struct json *found = NULL, *body = json_new_object();
    struct cloud_request read = {.url = url, .what = what};
    if (cloud_call(cloud, &read, &found, NULL, error) < 0)
        return -1;
    const struct json *before = json_get(found, "cleanupPolicies");
    struct json *after = before ? json_copy_deep(before) : json_new_object();
    put_policies(after, retention);
    json_set(body, "cleanupPolicies", after);
    json_set_bool(body, "cleanupPolicyDryRun", false);
    *changed = !before || !json_same(before, after) || json_get_bool(found, "cleanupPolicyDryRun", false);
    struct cloud_request write = {.method = "PATCH", .url = patch, .body = body, .what = what, .idempotent = true};
    return *changed ? cloud_call(cloud, &write, NULL, NULL, error) : 0;
}
