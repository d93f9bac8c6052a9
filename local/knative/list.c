/* Answers of the Knative API: lists, and what went wrong. */
#include "local/knative/internal.h"
#include "local/run/resource.h"

#include <string.h>

enum { PAGE_MOST = 500 };

/* ---- label selectors: "a = b,c=d", "a" ---- */

static char *trimmed(const char *text, size_t length) {
    while (length && text[length - 1] == ' ')
        length--;
    size_t skipped = strspn(text, " ");
    return skipped < length ? text_copy_length(text + skipped, length - skipped) : text_copy("");
}

static bool term_matches(const char *term, const struct json *labels) {
    const char *equals = strchr(term, '=');
    if (!equals) {
        AUTO_FREE char *key = trimmed(term, strlen(term));
        return !*key || json_get(labels, key);
    }
    bool negated = equals > term && equals[-1] == '!';
    const char *text = equals + strspn(equals, "=");
    AUTO_FREE char *key = trimmed(term, (size_t)(equals - term) - negated);
    AUTO_FREE char *value = trimmed(text, strlen(text));
    return text_equal(json_get_text(labels, key, NULL), value) != negated;
}

static bool is_chosen(const char *selector, const struct json *object) {
    AUTO_LIST struct text_list terms = {0};
    bool chosen = true;
    if (selector)
        text_list_split(&terms, selector, ',');
    for (size_t i = 0; i < terms.count; i++)
        chosen = chosen && term_matches(terms.items[i], json_get_path(object, "metadata.labels"));
    return chosen;
}

static const char *api_version(const char *collection) {
    static const char *const of_run[] = {"jobs", "executions", "tasks"};
    for (size_t i = 0; i < ARRAY_LENGTH(of_run); i++)
        if (text_equal(collection, of_run[i]))
            return "run.googleapis.com/v1";
    return "serving.knative.dev/v1";
}

void reply_list(struct knative_call *call, const char *kind, struct json *all) {
    struct json *answer = json_new_object(), *items = json_new_array(), *metadata = json_new_object();
    const char *selector = request_query(call->request, "labelSelector");
    uint64_t limit = PAGE_MOST, from = 0, seen = 0;
    if (!text_to_u64(request_query(call->request, "limit"), PAGE_MOST, &limit) || limit == 0)
        limit = PAGE_MOST;
    text_to_u64(request_query(call->request, "continue"), INT32_MAX, &from);
    for (size_t i = 0; i < json_count(all); i++) {
        if (!is_chosen(selector, json_at(all, i)) || seen++ < from)
            continue;
        if (json_count(items) < limit)
            json_append(items, json_share(json_at(all, i)));
    }
    if (seen > from + limit) {
        AUTO_FREE char *next = text_format("%llu", (unsigned long long)(from + limit));
        json_set_text(metadata, "continue", next);
    }
    json_set_text(answer, "apiVersion", api_version(call->path->collection));
    json_set_text(answer, "kind", kind);
    json_set(answer, "metadata", metadata);
    json_set(answer, "items", items);
    json_release(&all);
    reply_json(call->reply, 200, answer);
}

void reply_success(struct reply *reply) {
    struct json *status = json_new_object();
    json_set_text(status, "status", "Success");
    reply_json(reply, 200, status);
}

/* ---- errors ---- */

static struct json *bad_request(const char *field, const char *description) {
    struct json *details = json_new_array(), *detail = json_new_object(), *violations = json_new_array();
    struct json *violation = json_new_object();
    json_set_text(violation, "field", field);
    json_set_text(violation, "description", description);
    json_append(violations, violation);
    json_set_text(detail, "@type", "type.googleapis.com/google.rpc.BadRequest");
    json_set(detail, "fieldViolations", violations);
    json_append(details, detail);
    return details;
}

/* "spec.template.spec.containers[0].env" */
static size_t field_length(const char *text) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]-");
    return text_starts_with(text + length, ": ") ? length : 0;
}

void reply_refusal(struct reply *reply, struct error *error) {
    refusal_to_knative(error);
    size_t length = error->kind == ERROR_DATA ? field_length(error->text) : 0;
    if (!length) {
        resource_refuse(reply, error);
        return;
    }
    AUTO_FREE char *field = text_copy_length(error->text, length);
    reply_google_status(reply, 400, "INVALID_ARGUMENT", bad_request(field, error->text + length + 2), "%s",
                        error->text);
}

void reply_nothing(struct knative_call *call, const char *kind) {
    reply_missing(call->reply, call->path, kind, call->path->name);
}
