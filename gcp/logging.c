#include "gcp/logging.h"

#include <string.h>
#include <time.h>

enum { LOG_LIMIT = 16 << 20, LINES_PER_ENTRY = 200, TAIL_MOST = 1000, TAIL_SEEN = 4000, LATE_SECONDS = 10 };

static struct json *make_query(const struct cloud *cloud, const struct logging_query *query) {
    struct json *body = json_new_object(), *names = json_new_array();
    AUTO_FREE char *resource = text_format("projects/%s", cloud->project);
    AUTO_BUFFER struct buffer filter = BUFFER(4096);
    if (query->job)
        buffer_append_format(&filter, "resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"%s\"",
                             query->job);
    else
        buffer_append_format(&filter, "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"%s\"",
                             query->service);
    buffer_append_format(&filter, " AND resource.labels.location=\"%s\"", cloud->region);
    if (query->execution)
        buffer_append_format(&filter, " AND labels.\"run.googleapis.com/execution_name\"=\"%s\"", query->execution);
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
    const char *name = query->job ? query->job : query->service;
    AUTO_FREE char *what = text_format("cannot read the log of %s", query->execution  ? query->execution
                                                                    : query->revision ? query->revision
                                                                                      : name);
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

const char *logging_entry_label(const struct json *entry, const char *label) {
    return json_get_text(json_get(entry, "labels"), label, NULL);
}

/* ---- asking again and again ---- */

void log_tail_release(struct log_tail *tail) {
    text_list_release(&tail->seen);
    *tail = (struct log_tail){0};
}

/* LATE_SECONDS before an RFC 3339 time; the fraction is dropped. False when it is none. */
static bool time_before(const char *time, char *text, size_t size) {
    struct tm parts = {0};
    if (!strptime(time, "%Y-%m-%dT%H:%M:%S", &parts))
        return false;
    time_t then = timegm(&parts) - LATE_SECONDS;
    gmtime_r(&then, &parts);
    return strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0;
}

/* Whether it has not been told yet; then it is remembered. */
static bool is_news(struct log_tail *tail, const struct json *entry) {
    const char *time = json_get_text(entry, "timestamp", "");
    AUTO_FREE char *id = text_format("%s %s", time, json_get_text(entry, "insertId", ""));
    if (text_list_contains(&tail->seen, id))
        return false;
    text_list_add(&tail->seen, id);
    if (strcmp(time, tail->newest) > 0)
        snprintf(tail->newest, sizeof(tail->newest), "%s", time);
    return true;
}

/* The older half, when there are too many. */
static void forget(struct log_tail *tail) {
    struct text_list kept = {0};
    if (tail->seen.count < TAIL_SEEN)
        return;
    for (size_t i = tail->seen.count - TAIL_SEEN / 2; i < tail->seen.count; i++)
        text_list_add(&kept, tail->seen.items[i]);
    text_list_release(&tail->seen);
    tail->seen = kept;
}

int log_tail_read(struct cloud *cloud, const struct logging_query *query, struct log_tail *tail, struct json **news,
                  struct error *error) {
    struct logging_query asked = *query;
    char from[40];
    AUTO_JSON struct json *entries = NULL;
    if (*tail->newest && time_before(tail->newest, from, sizeof(from))) {
        asked.from = query->from && strcmp(query->from, from) > 0 ? query->from : from;
        asked.most = TAIL_MOST;
    }
    if (logging_entries(cloud, &asked, &entries, error) < 0)
        return -1;
    *news = json_new_array();
    for (size_t i = 0; i < json_count(entries); i++)
        if (is_news(tail, json_at(entries, i)))
            json_append(*news, json_share(json_at(entries, i)));
    forget(tail);
    return 0;
}
