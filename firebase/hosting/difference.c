/* What a deployment would change. */
#include "firebase/hosting/deploy.h"

#include "gcp/run/plan.h"

#include <string.h>

enum { TEXT_LIMIT = 64 << 20 };

struct shown_file {
    char *path;
    struct digest hash;
};

struct shown {
    struct shown_file *items;
    size_t count, capacity;
};

static void shown_release(struct shown *shown) {
    for (size_t i = 0; i < shown->count; i++)
        free(shown->items[i].path);
    free(shown->items);
}

static int take_file(void *context, const char *path, const char *hash, struct error *error) {
    struct shown *shown = context;
    struct digest digest;
    if (*path != '/' || digest_parse_hex(hash, &digest, NULL) < 0)
        return error_set(error, ERROR_PROTOCOL, "Hosting lists a file \"%.200s\" with the hash \"%.80s\"", path, hash);
    if (shown->count == shown->capacity) {
        shown->capacity = shown->capacity ? shown->capacity + shown->capacity / 2 : 256;
        shown->items = memory_resize(shown->items, shown->capacity, sizeof(*shown->items));
    }
    shown->items[shown->count++] = (struct shown_file){text_copy(path + 1), digest};
    return 0;
}

static int compare_shown(const void *left, const void *right) {
    return strcmp(((const struct shown_file *)left)->path, ((const struct shown_file *)right)->path);
}

static void write_line(struct hosting_difference *difference, char sign, const char *path, size_t *count) {
    buffer_append_format(&difference->text, "%c /%s\n", sign, path);
    ++*count;
}

/* Both lists are sorted by the bytes of their paths. */
static void compare_files(const struct site_files *files, const struct shown *shown,
                          struct hosting_difference *difference) {
    size_t i = 0, j = 0;
    while (i < files->count || j < shown->count) {
        int order = i == files->count ? 1 : j == shown->count ? -1 : strcmp(files->items[i].path, shown->items[j].path);
        if (order < 0)
            write_line(difference, '+', files->items[i++].path, &difference->added);
        else if (order > 0)
            write_line(difference, '-', shown->items[j++].path, &difference->removed);
        else if (!digest_equal(&files->items[i++].packed, &shown->items[j++].hash))
            write_line(difference, '~', files->items[i - 1].path, &difference->changed);
    }
}

int hosting_deploy_dry(struct hosting *hosting, const struct hosting_deployment *deployment,
                       struct hosting_difference *difference, struct error *error) {
    *difference = (struct hosting_difference){.text = BUFFER(TEXT_LIMIT)};
    AUTO_JSON struct json *channel = NULL, *empty = json_new_object();
    AUTO(shown_release) struct shown shown = {0};
    if (site_files_pack(deployment->files, hosting->site, hosting->cloud->progress, error) < 0 ||
        hosting_channel_get(hosting, deployment->channel, &channel, error) < 0)
        return -1;
    const struct json *version = hosting_channel_version(channel);
    const char *id;
    if (version && (hosting_version_id(version, &id, error) < 0 ||
                    hosting_version_files(hosting, id, take_file, &shown, error) < 0))
        return -1;
    if (shown.count)
        qsort(shown.items, shown.count, sizeof(*shown.items), compare_shown);
    compare_files(deployment->files, &shown, difference);
    const struct json *config = json_get(version, "config");
    size_t before = difference->text.length;
    run_plan_difference(config ? config : empty, deployment->config, &difference->text);
    difference->config = difference->text.length > before;
    difference->foreign =
        version && !text_equal(json_get_text(json_get(version, "labels"), "deployment-tool", NULL), "pl");
    return buffer_check(&difference->text, "the difference", error);
}
