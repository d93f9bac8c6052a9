/* Cloud Logging's entries:list over what services and jobs printed. The filter language is read as far as people use it
 * for Cloud Run: comparisons joined by AND (or a new line); anything else is refused, not ignored. */
#include "local/run/jobs.h"

#include <string.h>

enum { PAGE_DEFAULT = 50, PAGE_MOST = 1000, FILTER_MOST = 20000, TERMS_MOST = 32, SKIP_MOST = 100000 };

struct term {
    char field[80];
    char operator[3];
    char value[256];
};

struct query {
    struct term terms[TERMS_MOST];
    size_t term_count;
    uint64_t size, skip; /* `skip` entries were on the pages before */
    char until[40];      /* when the first page was asked for: what came later is on no page */
    bool newest_first, more;
    struct json *found; /* array of entries, oldest first; those to be skipped among them */
    const struct local_cloud *cloud;
    const char *region, *name;
    bool of_job;
};

/* ---- the filter ---- */

static const char *skip_spaces(const char *at) {
    return at + strspn(at, " \t\r\n");
}

static bool read_value(const char **at, char *value, size_t size) {
    size_t used = 0;
    bool quoted = **at == '"';
    const char *text = *at + quoted;
    while (*text && (quoted ? *text != '"' : !strchr(" \t\r\n)", *text))) {
        if (*text == '\\' && text[1])
            text++;
        if (used + 1 >= size)
            return false;
        value[used++] = *text++;
    }
    value[used] = '\0';
    if (quoted && *text != '"')
        return false;
    *at = text + quoted;
    return used > 0;
}

/* resource.labels.location, labels."run.googleapis.com/execution_name" */
static bool read_field(const char **at, char *field, size_t size) {
    size_t used = 0;
    bool quoted = false;
    const char *text = *at;
    for (; *text && (quoted || !strchr("=<>!:( \t\r\n", *text)); text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (used + 1 < size)
            field[used++] = *text;
        else
            return false;
    }
    field[used] = '\0';
    *at = skip_spaces(text);
    return used > 0 && !quoted;
}

static bool read_term(const char **at, struct term *term) {
    if (!read_field(at, term->field, sizeof(term->field)))
        return false;
    size_t signs = strspn(*at, "=<>!");
    if (signs == 0 || signs > 2)
        return false;
    snprintf(term->operator, sizeof(term->operator), "%.*s", (int)signs, *at);
    *at = skip_spaces(*at + signs);
    return read_value(at, term->value, sizeof(term->value));
}

static bool read_filter(const char *text, struct query *query) {
    const char *at = skip_spaces(text);
    while (*at) {
        if (query->term_count == TERMS_MOST || !read_term(&at, &query->terms[query->term_count++]))
            return false;
        at = skip_spaces(at);
        if (text_starts_with(at, "AND") && strchr(" \t\r\n(", at[3]))
            at = skip_spaces(at + 3);
    }
    return true;
}

static bool compares(const char *operator, int order) {
    if (text_equal(operator, "="))
        return order == 0;
    if (text_equal(operator, "!="))
        return order != 0;
    if (text_equal(operator, ">="))
        return order >= 0;
    if (text_equal(operator, "<="))
        return order <= 0;
    return text_equal(operator, ">") ? order > 0 : order < 0;
}

/* The field's value in an entry, or NULL: no such field. */
static const char *field_value(const struct json *entry, const char *field) {
    const struct json *labels = json_get_path(entry, "resource.labels");
    if (text_starts_with(field, "resource.labels."))
        return json_get_text(labels, field + strlen("resource.labels."), "");
    if (text_equal(field, "resource.type"))
        return json_get_text(json_get(entry, "resource"), "type", "");
    if (text_starts_with(field, "labels."))
        return json_get_text(json_get(entry, "labels"), field + strlen("labels."), "");
    if (text_equal(field, "timestamp") || text_equal(field, "textPayload") || text_equal(field, "logName") ||
        text_equal(field, "severity") || text_equal(field, "insertId"))
        return json_get_text(entry, field, "DEFAULT");
    return NULL;
}

static bool is_known(const struct term *term) {
    AUTO_JSON struct json *nothing = json_new_object();
    return field_value(nothing, term->field) != NULL;
}

static bool matches(const struct query *query, const struct json *entry) {
    for (size_t i = 0; i < query->term_count; i++) {
        const struct term *term = &query->terms[i];
        if (!compares(term->operator, strcmp(field_value(entry, term->field), term->value)))
            return false;
    }
    return true;
}

/* ---- the entries ---- */

/* "migrate-x7k2p/0/1": the execution, the task, the attempt */
static void put_task_labels(struct json *own, const char *source) {
    static const char *const names[] = {"run.googleapis.com/execution_name", "run.googleapis.com/task_index",
                                        "run.googleapis.com/task_attempt"};
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, source, '/');
    for (size_t i = 0; i < ARRAY_LENGTH(names) && i < parts.count; i++)
        json_set_text(own, names[i], parts.items[i]);
}

static struct json *resource_new(const struct query *query, const char *source) {
    struct json *resource = json_new_object(), *labels = json_new_object();
    json_set_text(resource, "type", query->of_job ? "cloud_run_job" : "cloud_run_revision");
    json_set_text(labels, "project_id", query->cloud->project);
    json_set_text(labels, "location", query->region);
    json_set_text(labels, query->of_job ? "job_name" : "service_name", query->name);
    if (!query->of_job) {
        json_set_text(labels, "configuration_name", query->name);
        json_set_text(labels, "revision_name", source);
    }
    json_set(resource, "labels", labels);
    return resource;
}

static struct json *entry_new(const struct query *query, const struct json *line) {
    struct json *entry = json_new_object(), *own = json_new_object();
    AUTO_FREE char *log = text_format("projects/%s/logs/run.googleapis.com%%2Fstdout", query->cloud->project);
    const char *time = json_get_text(line, "time", ""), *source = json_get_text(line, "revision", "");
    json_set_text(own, "instanceId", json_get_text(line, "instance", ""));
    if (query->of_job)
        put_task_labels(own, source);
    if (json_get(line, "container"))
        json_set_text(own, "container_name", json_get_text(line, "container", ""));
    json_set_text(entry, "textPayload", json_get_text(line, "text", ""));
    AUTO_FREE char *id = text_format("%s-%.12s", time, json_get_text(line, "instance", ""));
    json_set_text(entry, "insertId", id);
    json_set(entry, "resource", resource_new(query, source));
    json_set_text(entry, "timestamp", time);
    json_set_text(entry, "receiveTimestamp", time);
    json_set(entry, "labels", own);
    json_set_text(entry, "logName", log);
    return entry;
}

/* Newest first keeps the last ones, oldest first the first. */
static bool take_line(void *context, const struct json *line) {
    struct query *query = context;
    struct json *entry = entry_new(query, line);
    bool later = strcmp(json_get_text(entry, "timestamp", ""), query->until) > 0;
    bool full = json_count(query->found) >= query->size + query->skip;
    if (later || !matches(query, entry)) {
        json_release(&entry);
        return true;
    }
    query->more = query->more || full;
    if (full && query->newest_first)
        json_remove_at(query->found, 0);
    if (!full || query->newest_first)
        json_append(query->found, entry);
    else
        json_release(&entry);
    return query->newest_first || !full;
}

/* The terms are joined by AND, so any lower bound of the time holds. */
static const char *since(const struct query *query) {
    for (size_t i = 0; i < query->term_count; i++)
        if (text_equal(query->terms[i].field, "timestamp") && query->terms[i].operator[0] == '>')
            return query->terms[i].value;
    return NULL;
}

/* The logs of all services, then of all jobs. */
static size_t list_logs(struct run *run, struct text_list *paths, struct text_list *names) {
    pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < run->service_count; i++) {
        const struct service *service = run->services[i];
        if (service->deleted)
            continue;
        text_list_take(paths, run_log_path(run->cloud->state, service->project, service->region, service->name));
        text_list_add(names, service->region);
        text_list_add(names, service->name);
    }
    size_t services = paths->count;
    for (size_t i = 0; i < run->job_count; i++) {
        const struct job *job = run->jobs[i];
        if (job->deleted)
            continue;
        AUTO_FREE char *log = text_format("jobs/%s", job->name);
        text_list_take(paths, run_log_path(run->cloud->state, job->project, job->region, log));
        text_list_add(names, job->region);
        text_list_add(names, job->name);
    }
    pthread_mutex_unlock(&run->lock);
    return services;
}

static void search(struct run *run, struct query *query) {
    AUTO_LIST struct text_list paths = {0}, names = {0};
    size_t services = list_logs(run, &paths, &names);
    for (size_t i = 0; i < paths.count; i++) {
        query->region = names.items[2 * i];
        query->name = names.items[2 * i + 1];
        query->of_job = i >= services;
        run_log_each(paths.items[i], since(query), take_line, query);
    }
}

/* "UNTIL SKIP", as next_page writes it. */
static bool read_page(const char *token, struct query *query) {
    run_time_now(query->until, sizeof(query->until));
    if (text_is_empty(token))
        return true;
    const char *space = strchr(token, ' ');
    if (!space || (size_t)(space - token) >= sizeof(query->until) || !text_to_u64(space + 1, SKIP_MOST, &query->skip))
        return false;
    snprintf(query->until, sizeof(query->until), "%.*s", (int)(space - token), token);
    return true;
}

static bool read_query(const struct json *body, struct query *query, struct reply *reply) {
    const char *filter = json_get_text(body, "filter", "");
    int64_t size = json_get_integer(body, "pageSize", PAGE_DEFAULT);
    if (strlen(filter) > FILTER_MOST || !read_filter(filter, query)) {
        reply_google_error(reply, 400, "Unparseable filter: the local cloud understands comparisons joined by AND");
        return false;
    }
    for (size_t i = 0; i < query->term_count; i++)
        if (!is_known(&query->terms[i])) {
            reply_google_error(reply, 400, "Unparseable filter: unknown field %s", query->terms[i].field);
            return false;
        }
    if (!read_page(json_get_text(body, "pageToken", ""), query)) {
        reply_google_error(reply, 400, "page_token is invalid");
        return false;
    }
    query->size = size < 1 || size > PAGE_MOST ? PAGE_DEFAULT : (uint64_t)size;
    query->newest_first = text_equal(json_get_text(body, "orderBy", ""), "timestamp desc");
    return true;
}

static struct json *answer_of(const struct query *query) {
    struct json *answer = json_new_object(), *entries = json_need_array(answer, "entries");
    size_t count = json_count(query->found);
    for (size_t i = (size_t)query->skip; i < count; i++)
        json_append(entries, json_share(json_at(query->found, query->newest_first ? count - 1 - i : i)));
    AUTO_FREE char *next =
        text_format("%s %llu", query->until, (unsigned long long)(query->skip + json_count(entries)));
    if (query->more && query->skip + query->size < SKIP_MOST)
        json_set_text(answer, "nextPageToken", next);
    return answer;
}

static void handle(void *context, struct request *request, struct reply *reply) {
    const struct local_cloud *cloud = context;
    AUTO_JSON struct json *body = json_parse(buffer_text(&request->body), request->body.length, "the request", NULL);
    struct query *query = memory_allocate(1, sizeof(*query));
    query->cloud = cloud;
    if (read_query(body, query, reply)) {
        query->found = json_new_array();
        search(cloud->run, query);
        reply_json(reply, 200, answer_of(query));
        json_release(&query->found);
    }
    free(query);
}

void run_entries_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    request->handle = handle;
    if (require_access(cloud, request, reply) && !request_may(cloud, request, "logging.logEntries.list"))
        reply_google_error(reply, 403, "Permission denied for all log views");
}
