#include "gcp/logging.h"

#include <string.h>
#include <time.h>

enum {
    LOG_LIMIT = 16 << 20,
    LINES_PER_ENTRY = 200,
    TAIL_MOST = 1000,
    TAIL_SEEN = 2 * 1000 * LOG_TAIL_PAGES,
    LATE_SECONDS = 10
};

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

/* One page, newest first; *next (owned) is where the following one begins, NULL when there is none. */
static int read_page(struct cloud *cloud, const struct logging_query *query, const char *token, struct json **entries,
                     char **next, struct error *error) {
    AUTO_FREE char *url = text_format("%s/v2/entries:list", endpoint_url(ENDPOINT_LOGGING));
    const char *name = query->job ? query->job : query->service;
    AUTO_FREE char *what = text_format("cannot read the log of %s", query->execution  ? query->execution
                                                                    : query->revision ? query->revision
                                                                                      : name);
    AUTO_JSON struct json *body = make_query(cloud, query);
    json_set_text(body, "pageToken", token);
    struct cloud_request request = {
        .method = "POST", .url = url, .body = body, .what = what, .idempotent = true, .response_limit = LOG_LIMIT};
    AUTO_JSON struct json *reply = NULL;
    if (cloud_call(cloud, &request, &reply, NULL, error) < 0)
        return -1;
    const char *token_of_next = json_get_text(reply, "nextPageToken", NULL);
    *entries = json_is_array(json_get(reply, "entries")) ? json_share(json_get(reply, "entries")) : json_new_array();
    *next = text_is_empty(token_of_next) ? NULL : text_copy(token_of_next);
    return 0;
}

static struct json *turned_round(const struct json *entries) {
    struct json *turned = json_new_array();
    for (size_t i = json_count(entries); i-- > 0;)
        json_append(turned, json_share(json_at(entries, i)));
    return turned;
}

/* Asked for newest first, so that the last ones come. */
int logging_entries(struct cloud *cloud, const struct logging_query *query, struct json **entries,
                    struct error *error) {
    AUTO_JSON struct json *page = NULL;
    AUTO_FREE char *next = NULL;
    if (read_page(cloud, query, NULL, &page, &next, error) < 0)
        return -1;
    *entries = turned_round(page);
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
    json_release(&tail->seen);
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
    tail->seen = tail->seen ? tail->seen : json_new_object();
    if (json_get(tail->seen, id))
        return false;
    json_set_bool(tail->seen, id, true);
    if (strcmp(time, tail->newest) > 0)
        snprintf(tail->newest, sizeof(tail->newest), "%s", time);
    return true;
}

/* When there are too many: those that were seen first. */
static void forget(struct log_tail *tail) {
    size_t excess = json_count(tail->seen) > TAIL_SEEN ? json_count(tail->seen) - TAIL_SEEN / 2 : 0;
    if (excess == 0)
        return;
    struct json *kept = json_new_object();
    for (void *i = json_first(tail->seen); i; i = json_next(tail->seen, i))
        if (excess > 0)
            excess--;
        else
            json_set_bool(kept, json_key(i), true);
    json_release(&tail->seen);
    tail->seen = kept;
}

/* Until an entry comes that was seen before this reading began. */
static int read_pages(struct cloud *cloud, const struct logging_query *query, bool all, struct log_tail *tail,
                      struct json *found, struct error *error) {
    AUTO_FREE char *token = NULL;
    bool old = false;
    for (int page = 0; page == 0 || (all && token && !old && page < LOG_TAIL_PAGES); page++) {
        AUTO_JSON struct json *entries = NULL;
        char *next = NULL;
        if (read_page(cloud, query, token, &entries, &next, error) < 0)
            return -1;
        free(token);
        token = next;
        for (size_t i = 0; i < json_count(entries); i++) {
            if (is_news(tail, json_at(entries, i)))
                json_append(found, json_share(json_at(entries, i)));
            else
                old = true;
        }
    }
    return 0;
}

int log_tail_read(struct cloud *cloud, const struct logging_query *query, struct log_tail *tail, struct json **news,
                  struct error *error) {
    struct logging_query asked = *query;
    AUTO_JSON struct json *found = json_new_array();
    char from[40];
    bool again = *tail->newest && time_before(tail->newest, from, sizeof(from)), all = again || query->most == 0;
    if (again)
        asked.from = query->from && strcmp(query->from, from) > 0 ? query->from : from;
    if (all)
        asked.most = TAIL_MOST;
    if (read_pages(cloud, &asked, all, tail, found, error) < 0)
        return -1;
    *news = turned_round(found);
    forget(tail);
    return 0;
}
