#include "local/hosting/serve.h"

#include "local/hosting/redirect.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

enum { HEADER_LIMIT = 8192 };

/* ---- the request ---- */

static int hex_value(char c) {
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* "%41" becomes "A". "%2F" stays, or one part would become two; what is no escape stays too. NULL for "%00". */
static char *decode(const char *text, const char *kept) {
    char *out = text_copy(text), *to = out;
    for (const char *at = out; *at; at++) {
        int high = *at == '%' ? hex_value(at[1]) : -1, low = high >= 0 ? hex_value(at[2]) : -1;
        int byte = high >= 0 && low >= 0 ? high * 16 + low : -1;
        if (byte == 0) {
            free(out);
            return NULL;
        }
        bool decoded = byte > 0 && !strchr(kept, byte);
        *to++ = decoded ? (char)byte : *at;
        at += decoded ? 2 : 0;
    }
    *to = '\0';
    return out;
}

/* Several slashes count as one. */
static void join_slashes(char *path) {
    char *to = path;
    for (const char *at = path; *at; at++)
        if (*at != '/' || to == path || to[-1] != '/')
            *to++ = *at;
    *to = '\0';
}

static bool parse_target(struct visit *visit) {
    const char *target = visit->request->target;
    size_t length = strcspn(target, "?");
    visit->raw = text_copy_length(target, length);
    visit->query = text_copy(target + length);
    visit->path = *target == '/' ? decode(visit->raw, "/") : NULL;
    if (visit->path)
        join_slashes(visit->path);
    return visit->path != NULL;
}

static void visit_release(struct visit *visit) {
    free(visit->raw);
    free(visit->path);
    free(visit->query);
    free(visit->country);
    text_list_release(&visit->languages);
    text_list_release(&visit->headers);
}

/* ---- headers ---- */

static void set_header(struct visit *visit, const char *name, const char *value) {
    struct text_list *headers = &visit->headers;
    for (size_t i = 0; i + 1 < headers->count; i += 2)
        if (!strcasecmp(headers->items[i], name)) {
            free(headers->items[i + 1]);
            headers->items[i + 1] = text_copy(value);
            return;
        }
    text_list_add(headers, name);
    text_list_add(headers, value);
}

void visit_header(struct visit *visit, const char *name, const char *format, ...) {
    char value[HEADER_LIMIT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);
    set_header(visit, name, value);
}

void visit_add_configured(struct visit *visit, const char *path) {
    const struct rules *rules = visit->served->rules;
    AUTO_FREE char *rooted = pattern_root(path);
    for (size_t i = 0; i < rules->header_count; i++) {
        const struct text_list *headers = &rules->headers[i].headers;
        if (!pattern_matches(&rules->headers[i].pattern, rooted))
            continue;
        for (size_t j = 0; j + 1 < headers->count; j += 2)
            set_header(visit, headers->items[j], headers->items[j + 1]);
    }
}

/* ---- redirects ---- */

static void answer_redirect(struct visit *visit, unsigned status, const char *location) {
    AUTO_FREE char *encoded = location_encode(location);
    AUTO_FREE char *text = text_format("Redirecting to %s", encoded);
    visit_header(visit, "Location", "%s", encoded);
    visit_header(visit, "Content-Type", "text/html; charset=utf-8");
    reply_text(visit->reply, status, NULL, text);
}

/* The query of the request goes on, behind one that the location has. */
static char *add_query(const char *location, const char *query) {
    if (!*query || !query[1])
        return text_copy(location);
    return text_format("%s%c%s", location, strchr(location, '?') ? '&' : '?', query + 1);
}

static bool answer_redirects(struct visit *visit) {
    const struct rules *rules = visit->served->rules;
    AUTO_FREE char *path = decode(visit->raw, ";/?:@&=+$,#");
    for (size_t i = 0; i < rules->redirect_count; i++) {
        const struct redirect *redirect = &rules->redirects[i];
        AUTO_FREE char *location = NULL;
        bool captured = false;
        if (redirect->captures)
            location = captures_apply(redirect->captures, path, &captured);
        /* What has captured but cannot fill in its location does nothing. */
        if (!captured && pattern_matches(&redirect->pattern, path))
            location = text_copy(redirect->location);
        if (!location)
            continue;
        AUTO_FREE char *full = add_query(location, visit->query);
        answer_redirect(visit, redirect->status, full);
        return true;
    }
    return false;
}

/* ---- files ---- */

const struct hosted_file *visit_find(const struct visit *visit, const char *path) {
    AUTO_LIST struct text_list paths = {0};
    const struct hosted_file *file = NULL;
    i18n_paths(visit, path, &paths);
    for (size_t i = 0; i < paths.count && !file; i++)
        file = file_table_find(&visit->served->files, paths.items[i]);
    return file ? file : file_table_find(&visit->served->files, path);
}

/* To the same place by another path; "" is "/". */
static bool answer_moved(struct visit *visit, char *path) {
    AUTO_FREE char *owned = path;
    AUTO_FREE char *location = text_format("%s%s", *path ? path : "/", visit->query);
    visit_add_configured(visit, visit->raw);
    answer_redirect(visit, 301, location);
    return true;
}

/* `path` (as it was sent) without `ending`, if it has it. The caller frees. */
static char *without(const char *path, const char *ending) {
    size_t length = strlen(path);
    return text_copy_length(path, text_ends_with(path, ending) ? length - strlen(ending) : length);
}

static char *with_slash(char *path) {
    AUTO_FREE char *owned = path;
    return text_ends_with(path, "/") ? text_copy(path) : text_format("%s/", path);
}

/* "/a/index.html" is "/a" then, "/a.html" too. The file is there. */
static bool answer_clean(struct visit *visit, const char *sent) {
    AUTO_FREE char *plain = without(sent, ".html");
    char *clean = text_ends_with(plain, "/index") ? without(plain, "/index") : text_copy(plain);
    return answer_moved(visit, visit->served->rules->trailing_slash == SLASH_ADD ? with_slash(clean) : clean);
}

/* A directory with an index.html: its URL ends with a slash or not, as the configuration wants it. */
static bool answer_index(struct visit *visit, const char *sent, const struct hosted_file *index, const char *path) {
    const struct rules *rules = visit->served->rules;
    bool slash = text_ends_with(visit->path, "/");
    bool wanted = rules->trailing_slash == SLASH_ADD || (rules->trailing_slash == SLASH_AS_IT_IS && !rules->clean_urls);
    if (wanted && !slash)
        return answer_moved(visit, with_slash(text_copy(sent)));
    if (rules->trailing_slash == SLASH_REMOVE && slash && !text_equal(visit->path, "/"))
        return answer_moved(visit, without(sent, "/"));
    content_answer(visit, index, path, 200);
    return true;
}

/* The page for what is not there is not there either. */
static unsigned status_of(const char *path) {
    return text_equal(path, "/404.html") ? 404 : 200;
}

/* "/a" for "/a.html". */
static bool answer_clean_file(struct visit *visit, const char *sent) {
    const struct rules *rules = visit->served->rules;
    bool slash = text_ends_with(visit->path, "/");
    AUTO_FREE char *plain =
        slash && rules->trailing_slash != SLASH_AS_IT_IS ? without(visit->path, "/") : text_copy(visit->path);
    AUTO_FREE char *path = text_format("%s.html", plain);
    const struct hosted_file *file = visit_find(visit, path);
    if (!file)
        return false;
    if (rules->trailing_slash == SLASH_REMOVE && slash)
        return answer_moved(visit, without(sent, "/"));
    if (rules->trailing_slash == SLASH_ADD && !slash) {
        AUTO_FREE char *clean = without(sent, "/index");
        return answer_moved(visit, with_slash(text_copy(clean)));
    }
    if (text_ends_with(path, "/index.html"))
        return answer_moved(visit, without(sent, "/index"));
    content_answer(visit, file, path, status_of(path));
    return true;
}

static bool answer_files(struct visit *visit) {
    const struct rules *rules = visit->served->rules;
    AUTO_FREE char *sent = text_copy(visit->raw);
    join_slashes(sent);
    const struct hosted_file *file = visit_find(visit, visit->path);
    if (file) {
        if (rules->clean_urls && text_ends_with(visit->path, ".html"))
            return answer_clean(visit, sent);
        content_answer(visit, file, visit->path, status_of(visit->path));
        return true;
    }
    AUTO_FREE char *folder = with_slash(text_copy(visit->path));
    AUTO_FREE char *index = text_format("%sindex.html", folder);
    file = text_ends_with(visit->path, "/index.html") ? NULL : visit_find(visit, index);
    if (file)
        return answer_index(visit, sent, file, index);
    return rules->clean_urls && answer_clean_file(visit, sent);
}

/* ---- what is made, rewritten, or missing ---- */

static bool answer_association(struct visit *visit) {
    bool apple = text_equal(visit->path, "/.well-known/apple-app-site-association") ||
                 text_equal(visit->path, "/apple-app-site-association");
    if (!visit->served->rules->app_association || (!apple && !text_equal(visit->path, "/.well-known/assetlinks.json")))
        return false;
    content_answer_text(visit, 200, "application/json",
                        apple ? "{\"applinks\":{\"apps\":[],\"details\":[]}}\n" : "[]\n");
    return true;
}

static bool answer_rewrite(struct visit *visit, const struct rewrite *rewrite) {
    const struct hosted_file *file = NULL;
    switch (rewrite->kind) {
    case REWRITE_PATH:
        file = file_table_find(&visit->served->files, rewrite->path);
        if (file)
            content_answer(visit, file, rewrite->path, 200);
        return file != NULL;
    case REWRITE_RUN:
        return proxy_answer(visit, rewrite);
    case REWRITE_FUNCTION:
        content_answer_text(visit, 501, "text/plain; charset=utf-8", "the local cloud runs no Cloud Functions\n");
        return true;
    case REWRITE_DYNAMIC_LINKS:
        content_answer_text(visit, 404, "text/plain; charset=utf-8", "Firebase Dynamic Links has been shut down\n");
        return true;
    }
    return false;
}

/* The first rule that matches, and no other, even when there is nothing at its end. */
static bool answer_rewrites(struct visit *visit) {
    const struct rules *rules = visit->served->rules;
    AUTO_FREE char *path = pattern_root(visit->raw);
    for (size_t i = 0; i < rules->rewrite_count; i++)
        if (pattern_matches(&rules->rewrites[i].pattern, path))
            return answer_rewrite(visit, &rules->rewrites[i]);
    return false;
}

static void answer_page(struct visit *visit, const char *title, const char *text) {
    AUTO_FREE char *page =
        text_format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
                    "</head>\n<body><h1>%s</h1><p>%s</p></body></html>\n",
                    title, title, text);
    content_answer_text(visit, 404, "text/html; charset=utf-8", page);
}

static void answer_missing(struct visit *visit) {
    const struct hosted_file *file = visit_find(visit, "/404.html");
    visit_add_configured(visit, "/404.html");
    if (file)
        content_answer(visit, file, "/404.html", 404);
    else
        answer_page(
            visit, "Page Not Found",
            "This file does not exist and there was no index.html found in the current directory or 404.html in "
            "the root directory.");
}

static void answer(struct visit *visit) {
    if (text_starts_with(visit->path, "/__/"))
        reserved_answer(visit);
    else if (!answer_redirects(visit) && !answer_files(visit) && !answer_association(visit) && !answer_rewrites(visit))
        answer_missing(visit);
}

/* ---- the site ---- */

/* "shop.localhost:8080": the caller frees. */
static char *label_of(const char *host) {
    char *label = text_copy_length(host, strcspn(host, "."));
    for (char *at = label; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return label;
}

bool hosting_is_host(const char *host) {
    size_t label = host ? strcspn(host, ".:") : 0;
    static const char below[] = ".localhost";
    if (!label || strncasecmp(host + label, below, strlen(below)) != 0)
        return false;
    char end = host[label + strlen(below)];
    return !end || end == ':';
}

/* What is left of the list goes into the answer; what was set there before stays. */
static void give_headers(struct visit *visit) {
    for (size_t i = 0; i + 1 < visit->headers.count; i += 2)
        reply_header(visit->reply, visit->headers.items[i], "%s", visit->headers.items[i + 1]);
}

static void serve_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_FREE char *label = label_of(request->host);
    struct served *served = NULL;
    struct error error = request->sink_error;
    AUTO(visit_release)
    struct visit visit = {.cloud = cloud, .request = request, .reply = reply, .body = request->sink_context};
    enum shown shown = served_find(cloud->hosting, label, &served, &error);
    visit.served = served;
    if (request->sink_failed)
        reply_text(reply, 413, "text/plain; charset=utf-8", "the request is too large\n");
    else if (!parse_target(&visit))
        reply_text(reply, 400, "text/plain; charset=utf-8", "bad request\n");
    else if (shown == SHOWN_NO_SITE || shown == SHOWN_NOTHING)
        answer_page(&visit, "Site Not Found", "There is no such site, or nothing has been deployed to it.");
    else if (shown == SHOWN_BROKEN)
        reply_text(reply, 500, "text/plain; charset=utf-8", error.text);
    else {
        visit_read_languages(&visit);
        answer(&visit);
    }
    give_headers(&visit);
    served_give(cloud->hosting, &served);
}

void hosting_serve_begin(struct local_cloud *cloud, struct request *request, struct reply *reply) {
    struct error error = {0};
    request->handle = serve_handle;
    if (request_is(request, "GET") || request_is(request, "HEAD"))
        return;
    request->sink_context = spool_new(cloud->hosting, &error);
    if (!request->sink_context) {
        reply_text(reply, 500, "text/plain; charset=utf-8", error.text);
        return;
    }
    request->sink = spool_write;
    request->sink_release = spool_release;
}
