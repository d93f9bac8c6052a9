#include "gcp/logging.h"

#include <string.h>

enum { LOG_LIMIT = 16 << 20, LINES_PER_ENTRY = 200 };

static struct json *make_query(const struct cloud *cloud, const struct logging_query *query) {
    struct json *body = json_new_object(), *names = json_new_array();
    AUTO_FREE char *resource = text_format("projects/%s", cloud->project);
    AUTO_BUFFER struct buffer filter = BUFFER(4096);
    buffer_append_format(&filter,
                         "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"%s\" AND "
                         "resource.labels.location=\"%s\"",
                         query->service, cloud->region);
    if (query->revision)
        buffer_append_format(&filter, " AND resource.labels.revision_name=\"%s\"", query->revision);
    if (query->from)
        buffer_append_format(&filter, " AND timestamp>=\"%s\"", query->from);
    json_append_text(names, resource);
    json_set(body, "resourceNames", names);
    json_set_text(body, "filter", buffer_text(&filter));
    json_set_text(body, "orderBy", "timestamp desc");
    json_set_integer(body, "pageSize", query->most);
    return body;
}

const char *logging_entry_text(const struct json *entry) {
    const char *text = json_get_text(entry, "textPayload", NULL);
    const struct json *structured = json_get(entry, "jsonPayload");
    if (!text && structured)
        text = json_get_text(structured, "message", NULL);
    return text ? text : json_get_text(json_get(json_get(entry, "protoPayload"), "status"), "message", NULL);
}

/* Asked for newest first, so that the last ones come, and turned round. */
int logging_entries(struct cloud *cloud, const struct logging_query *query, struct json **entries,
                    struct error *error) {
    AUTO_FREE char *url = text_format("%s/v2/entries:list", endpoint_url(ENDPOINT_LOGGING));
    AUTO_FREE char *what = text_format("cannot read the log of %s", query->revision ? query->revision : query->service);
    AUTO_JSON struct json *body = make_query(cloud, query);
    struct cloud_request request = {
        .method = "POST", .url = url, .body = body, .what = what, .idempotent = true, .response_limit = LOG_LIMIT};
    AUTO_JSON struct json *reply = NULL;
    if (cloud_call(cloud, &request, &reply, NULL, error) < 0)
        return -1;
    const struct json *found = json_get(reply, "entries");
    *entries = json_new_array();
    for (size_t i = json_count(found); i-- > 0;)
        json_append(*entries, json_share(json_at(found, i)));
    return 0;
}

int logging_revision_lines(struct cloud *cloud, const char *service, const char *revision, unsigned most,
                           struct text_list *lines, struct error *error) {
    const struct logging_query query = {.service = service, .revision = revision, .most = most};
    AUTO_JSON struct json *entries = NULL;
    AUTO_LIST struct text_list all = {0};
    if (logging_entries(cloud, &query, &entries, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(entries); i++) {
        const char *text = logging_entry_text(json_at(entries, i));
        AUTO_LIST struct text_list parts = {0};
        if (text)
            text_list_split(&parts, text, '\n');
        for (size_t j = 0; j < parts.count && j < LINES_PER_ENTRY; j++)
            if (*parts.items[j])
                text_list_add(&all, parts.items[j]);
    }
    for (size_t i = all.count > most ? all.count - most : 0; i < all.count; i++)
        text_list_add(lines, all.items[i]);
    return 0;
}
