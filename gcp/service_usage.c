#include "gcp/service_usage.h"

#include "gcp/operation.h"

#include <string.h>

#define WHAT "cannot switch on the APIs"

int service_usage_find_off(struct cloud *cloud, const struct text_list *services, struct text_list *off,
                           struct error *error) {
    AUTO_BUFFER struct buffer url = BUFFER(8192);
    AUTO_JSON struct json *reply = NULL;
    if (services->count > SERVICE_USAGE_MOST)
        return error_set(error, ERROR_INTERNAL, "more than %d APIs at once", SERVICE_USAGE_MOST);
    buffer_append_format(&url, "%s/v1/projects/%s/services:batchGet", endpoint_url(ENDPOINT_SERVICE_USAGE),
                         cloud->project);
    for (size_t i = 0; i < services->count; i++)
        buffer_append_format(&url, "%cnames=projects/%s/services/%s", i == 0 ? '?' : '&', cloud->project,
                             services->items[i]);
    struct cloud_request request = {.url = buffer_text(&url), .what = WHAT};
    if (buffer_check(&url, WHAT, error) < 0 || cloud_call(cloud, &request, &reply, NULL, error) < 0)
        return -1;
    const struct json *list = json_get(reply, "services");
    for (size_t i = 0; i < services->count; i++) {
        bool on = false;
        for (size_t j = 0; j < json_count(list); j++) {
            const char *name = json_get_text(json_at(list, j), "name", ""), *slash = strrchr(name, '/');
            on = on || (slash && text_equal(slash + 1, services->items[i]) &&
                        text_equal(json_get_text(json_at(list, j), "state", NULL), "ENABLED"));
        }
        if (!on)
            text_list_add(off, services->items[i]);
    }
    return 0;
}

int service_usage_enable(struct cloud *cloud, const struct text_list *services, struct error *error) {
    AUTO_JSON struct json *body = json_new_object(), *operation = NULL;
    AUTO_FREE char *url =
        text_format("%s/v1/projects/%s/services:batchEnable", endpoint_url(ENDPOINT_SERVICE_USAGE), cloud->project);
    struct json *ids = json_new_array();
    for (size_t i = 0; i < services->count; i++)
        json_append_text(ids, services->items[i]);
    json_set(body, "serviceIds", ids);
    struct cloud_request request = {.method = "POST", .url = url, .body = body, .what = WHAT, .idempotent = true};
    if (cloud_call(cloud, &request, &operation, NULL, error) < 0 ||
        operation_wait(cloud, ENDPOINT_SERVICE_USAGE, WHAT, &operation, error) < 0)
        return -1;
    for (size_t i = 0; i < services->count; i++)
        progress_note(cloud->progress, "switched on %s in %s", services->items[i], cloud->project);
    return 0;
}
