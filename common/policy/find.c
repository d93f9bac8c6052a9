/* Which policies bind, and where they come from. */
#include "common/command/command.h"
#include "common/crypto/digest.h"
#include "common/file/file.h"
#include "common/http/http.h"
#include "common/policy/internal.h"
#include "common/store/store.h"

#include <string.h>

enum { CONFIG_LIMIT = 1 << 20, FETCH_SECONDS = 30 };

struct finding {
    struct policies *policies;
    struct progress *progress;
};

/* Everything that goes wrong with a policy is a setting that is wrong. */
static int as_configuration(struct error *error) {
    if (error && (error->kind == ERROR_DATA || error->kind == ERROR_USAGE))
        error->kind = ERROR_CONFIGURATION;
    return -1;
}

static int add_text(struct finding *finding, const char *origin, const struct buffer *text, struct error *error) {
    struct policies *policies = finding->policies;
    if (buffer_check(text, origin, error) < 0)
        return as_configuration(error);
    for (size_t i = 0; i < policies->count; i++)
        if (text_equal(policies->items[i].origin, origin))
            return 0;
    if (policies->count == POLICY_FILES_LIMIT)
        return error_set(error, ERROR_CONFIGURATION, "more than %d policies", POLICY_FILES_LIMIT);
    if (policy_parse(&policies->items[policies->count], origin, buffer_text(text), text->length, error) < 0)
        return -1;
    policies->count++;
    return 0;
}

static int add_file(struct finding *finding, const char *path, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(POLICY_BYTES_LIMIT);
    AUTO_FREE char *absolute = path_resolve(path, error);
    if (!absolute || file_read(absolute, &text, NULL, error) < 0) {
        error_wrap(error, "the policy %s", path);
        return as_configuration(error);
    }
    return add_text(finding, absolute, &text, error);
}

/* ---- URLs ---- */

static int split_pin(const char *source, char **url, struct digest *digest, struct error *error) {
    const char *pin = strchr(source, '#');
    if (!pin || digest_parse(pin + 1, digest, NULL) < 0) {
        error_set(error, ERROR_CONFIGURATION, "the policy %s is not pinned: whoever serves it could change it", source);
        return error_next(error, "add the digest of what was reviewed: %.*s#sha256:…",
                          (int)(pin ? pin - source : (long)strlen(source)), source);
    }
    *url = text_copy_length(source, (size_t)(pin - source));
    return 0;
}

static int fetch(struct finding *finding, const char *url, struct buffer *text, struct error *error) {
    const struct http_options options = {.deadline = FETCH_SECONDS, .progress = finding->progress};
    AUTO_HTTP struct http *http = http_new(&options);
    AUTO_RESPONSE struct http_response response = {0};
    const struct http_request request = {
        .url = url, .idempotent = true, .follow_redirects = true, .response_limit = POLICY_BYTES_LIMIT};
    if (http_perform(http, &request, &response, error) < 0)
        return error_wrap(error, "cannot fetch the policy");
    if (response.status != 200)
        return error_set(error, ERROR_UNAVAILABLE, "cannot fetch the policy %s: status %ld", url, response.status);
    buffer_append(text, response.body.data, response.body.length);
    return 0;
}

static int check_pin(const char *url, const struct digest *wanted, const struct buffer *text, struct error *error) {
    struct digest got = digest_of(buffer_text(text), text->length);
    if (digest_equal(&got, wanted))
        return 0;
    error_set(error, ERROR_CONFIGURATION, "the policy %s has changed: it has %s, not %s", url, digest_format(&got).text,
              digest_format(wanted).text);
    return error_next(error, "review what changed, then pin the new digest");
}

/* Kept by its digest, so that it needs no network the next time; a store that cannot be used only costs that. */
static int add_url(struct finding *finding, const char *source, struct error *error) {
    AUTO_FREE char *url = NULL;
    AUTO_BUFFER struct buffer text = BUFFER(POLICY_BYTES_LIMIT);
    AUTO_STORE struct store *store = NULL;
    struct digest digest, stored;
    if (split_pin(source, &url, &digest, error) < 0)
        return -1;
    store = store_open(NULL, NULL);
    bool is_kept = store && store_has(store, &digest) && store_read(store, &digest, &text, NULL) == 0;
    if (!is_kept && (fetch(finding, url, &text, error) < 0 || check_pin(url, &digest, &text, error) < 0))
        return -1;
    if (store && !is_kept && store_put(store, buffer_text(&text), text.length, &stored, NULL) < 0)
        progress_note(finding->progress, "the policy is not kept in the store and will be fetched again");
    return add_text(finding, source, &text, error);
}

/* ---- where they are named ---- */

/* `beside`: the file that names it, or NULL for the working directory. */
static int add_source(struct finding *finding, const char *source, const char *beside, struct error *error) {
    if (strstr(source, "://"))
        return add_url(finding, source, error);
    const char *slash = beside ? strrchr(beside, '/') : NULL;
    if (*source == '/' || !slash)
        return add_file(finding, source, error);
    AUTO_FREE char *directory = text_copy_length(beside, (size_t)(slash - beside));
    AUTO_FREE char *path = path_join(*directory ? directory : "/", source);
    return add_file(finding, path, error);
}

static int add_member(struct finding *finding, const char *path, const struct json *member, struct error *error) {
    size_t count = json_is_array(member) ? json_count(member) : 1;
    for (size_t i = 0; i < count; i++) {
        const char *source = json_text(json_is_array(member) ? json_at(member, i) : member);
        if (text_is_empty(source))
            return error_set(error, ERROR_CONFIGURATION,
                             "%s: \"policy\" is the path or URL of a policy, or a list of them", path);
        if (add_source(finding, source, path, error) < 0)
            return error_wrap(error, "%s", path);
    }
    return 0;
}

static int add_of_config(struct finding *finding, const char *path, struct error *error) {
    AUTO_JSON struct json *json = NULL;
    if (!file_exists(path))
        return 0;
    json = json_parse_file(path, CONFIG_LIMIT, error);
    if (!json)
        return as_configuration(error);
    const struct json *member = json_get(json, "policy");
    return member ? add_member(finding, path, member, error) : 0;
}

int policies_read(struct policies *policies, struct progress *progress, struct error *error) {
    struct finding finding = {policies, progress};
    AUTO_LIST struct text_list configs = {0};
    const char *named = getenv("PL_POLICY");
    *policies = (struct policies){0};
    if (!text_is_empty(named) && add_source(&finding, named, NULL, error) < 0)
        return error_wrap(error, "PL_POLICY");
    command_config_files(&configs);
    for (size_t i = 0; i < configs.count; i++)
        if (add_of_config(&finding, configs.items[i], error) < 0)
            return -1;
    return 0;
}

void policies_release(struct policies *policies) {
    for (size_t i = 0; i < policies->count; i++) {
        free(policies->items[i].origin);
        json_release(&policies->items[i].json);
    }
    *policies = (struct policies){0};
}
