#include "gcp/run/revision.h"

#include "gcp/run/service.h"

#include <string.h>

enum { REVISION_LIMIT = 4 << 20 };

bool run_is_revision_name(const char *name) {
    size_t length = name ? strlen(name) : 0;
    return length > 0 && length < 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

int run_revision_exists(struct cloud *cloud, const char *service_path, const char *name, bool *exists,
                        struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *path = text_format("%s/revisions/%s", service_path, name), *url = run_url(path);
    AUTO_FREE char *what = text_format("cannot read revision %s", name);
    AUTO_JSON struct json *revision = NULL;
    struct cloud_request request = {.url = url, .what = what, .accept = missing, .response_limit = REVISION_LIMIT};
    if (cloud_call(cloud, &request, &revision, NULL, error) < 0)
        return -1;
    *exists = revision != NULL;
    return 0;
}

/* Google lists the newest first; a server that does not is put right. Those of one moment stay as they came. */
static struct json *newest_first(const struct json *all) {
    struct json *list = json_new_array();
    size_t count = json_count(all);
    AUTO_FREE struct json **items = memory_allocate(count + 1, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        const char *time = json_get_text(json_at(all, i), "createTime", "");
        for (; at > 0 && strcmp(json_get_text(items[at - 1], "createTime", ""), time) < 0; at--)
            items[at] = items[at - 1];
        items[at] = json_at(all, i);
    }
    for (size_t i = 0; i < count; i++)
        json_append(list, json_share(items[i]));
    return list;
}

int run_revision_list(struct cloud *cloud, const char *service_path, struct json **revisions, struct error *error) {
    AUTO_JSON struct json *all = json_new_array();
    AUTO_FREE char *path = text_format("%s/revisions", service_path), *url = run_url(path);
    AUTO_FREE char *what = text_format("cannot list the revisions of service %s", run_short_name(service_path));
    if (cloud_list(cloud, url, "revisions", what, all, error) < 0)
        return -1;
    *revisions = newest_first(all);
    return 0;
}

int run_revision_get(struct cloud *cloud, const char *path, struct json **revision, struct error *error) {
    AUTO_FREE char *url = run_url(path);
    AUTO_FREE char *what = text_format("cannot read revision %s", run_short_name(path));
    struct cloud_request request = {.url = url, .what = what, .response_limit = REVISION_LIMIT};
    return cloud_call(cloud, &request, revision, NULL, error);
}
