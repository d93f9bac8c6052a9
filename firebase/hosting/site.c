#include "firebase/hosting/internal.h"

#include <stdarg.h>
#include <string.h>

enum { NAME_LIMIT = 63 };

void hosting_release(struct hosting *hosting) {
    free(hosting->site);
    *hosting = (struct hosting){0};
}

static bool is_name(const char *text) {
    size_t length = strlen(text);
    return length >= 1 && length <= NAME_LIMIT && text[0] != '-' && text[length - 1] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

int hosting_site_check(const char *site, struct error *error) {
    if (is_name(site))
        return 0;
    error_set(error, ERROR_USAGE, "\"%.80s\" is no site: lower-case letters, digits and hyphens", site);
    return error_next(error, "give the site's id, as in https://ID.web.app");
}

char *hosting_channel_id(const char *given, struct error *error) {
    char *id = text_copy(given);
    for (char *at = id; *at; at++)
        if (strchr("/:_#", *at))
            *at = '-';
    size_t length = strlen(id);
    if (length >= 1 && length <= NAME_LIMIT && id[0] != '-' &&
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == length && id[0] != '.')
        return id;
    error_set(error, ERROR_USAGE, "\"%.80s\" is no channel: letters, digits and hyphens, at most %d", given,
              NAME_LIMIT);
    free(id);
    return NULL;
}

const char *hosting_short_name(const char *resource) {
    const char *slash = resource ? strrchr(resource, '/') : NULL;
    return slash ? slash + 1 : resource ? resource : "";
}

int hosting_version_id(const struct json *version, const char **id, struct error *error) {
    const char *name;
    if (json_need_text(version, "name", "the version", &name, error) < 0)
        return -1;
    *id = hosting_short_name(name);
    size_t length = strlen(*id);
    if (length >= 1 && length <= 128 &&
        strspn(*id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length)
        return 0;
    return error_set(error, ERROR_PROTOCOL, "Google named a version \"%.200s\"", name);
}

char *hosting_url(const struct hosting *hosting, const char *format, ...) {
    va_list arguments;
    char *rest = NULL;
    va_start(arguments, format);
    int length = vasprintf(&rest, format, arguments);
    va_end(arguments);
    char *url = text_format("%s/v1beta1/projects/%s/sites/%s%s", endpoint_url(ENDPOINT_FIREBASE_HOSTING),
                            hosting->cloud->project, hosting->site, length < 0 ? "" : rest);
    free(rest);
    return url;
}

bool hosting_time(const char *text, struct timespec *time) {
    struct tm date = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &date);
    if (!end)
        return false;
    *time = (struct timespec){.tv_sec = timegm(&date)};
    long unit = 100000000;
    for (end += *end == '.'; *end >= '0' && *end <= '9'; end++, unit /= 10)
        time->tv_nsec += (*end - '0') * unit;
    return text_equal(end, "Z");
}

bool hosting_is_later(const struct timespec *time, const struct timespec *other) {
    return time->tv_sec != other->tv_sec ? time->tv_sec > other->tv_sec : time->tv_nsec > other->tv_nsec;
}

int hosting_list(struct cloud *cloud, const char *url, const char *key, const char *what, struct json **all,
                 struct error *error) {
    AUTO_JSON struct json *found = json_new_array();
    if (cloud_list(cloud, url, key, what, found, error) < 0)
        return -1;
    *all = take_pointer(&found);
    return 0;
}

static int list_sites(struct cloud *cloud, struct json **sites, struct error *error) {
    AUTO_FREE char *url =
        text_format("%s/v1beta1/projects/%s/sites", endpoint_url(ENDPOINT_FIREBASE_HOSTING), cloud->project);
    return hosting_list(cloud, url, "sites", "cannot list the sites of the project", sites, error);
}

int hosting_site_missing(struct hosting *hosting, struct error *error) {
    AUTO_JSON struct json *sites = NULL;
    const char *project = hosting->cloud->project;
    error_set(error, ERROR_CONFIGURATION, "project %s has no site %s", project, hosting->site);
    if (list_sites(hosting->cloud, &sites, NULL) < 0 || !json_count(sites))
        return error_next(error, "to make it, add --create-site");
    AUTO_FREE const char **names = memory_allocate(json_count(sites) + 1, sizeof(*names));
    AUTO_BUFFER struct buffer list = BUFFER(300);
    for (size_t i = 0; i < json_count(sites); i++) {
        names[i] = hosting_short_name(json_get_text(json_at(sites, i), "name", ""));
        buffer_append_format(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = text_nearest(hosting->site, names);
    return nearest ? error_next(error, "did you mean --site %s? To make %s, add --create-site", nearest, hosting->site)
                   : error_next(error, "to make it, add --create-site; there is: %s", buffer_text(&list));
}

int hosting_site_get(struct hosting *hosting, struct json **site, struct error *error) {
    static const long missing[] = {404, 0};
    AUTO_FREE char *url = hosting_url(hosting, "%s", "");
    AUTO_FREE char *what = text_format("cannot read site %s", hosting->site);
    struct cloud_request request = {.url = url, .what = what, .accept = missing};
    return cloud_call(hosting->cloud, &request, site, NULL, error);
}

int hosting_site_create(struct hosting *hosting, bool only_ask, struct error *error) {
    AUTO_FREE char *url =
        text_format("%s/v1beta1/projects/%s/sites?%ssiteId=%s", endpoint_url(ENDPOINT_FIREBASE_HOSTING),
                    hosting->cloud->project, only_ask ? "validateOnly=true&" : "", hosting->site);
    AUTO_FREE char *what = text_format("cannot make site %s", hosting->site);
    AUTO_JSON struct json *body = json_new_object(), *there = NULL;
    struct cloud_request request = {.method = "POST", .url = url, .body = body, .what = what, .idempotent = true};
    struct error failure = {0};
    long status = 0;
    if (cloud_call(hosting->cloud, &request, NULL, &status, &failure) == 0)
        return 0;
    /* Somebody else made it meanwhile, or it was made and the answer was lost. */
    if (status == 409 && hosting_site_get(hosting, &there, NULL) == 0 && there)
        return 0;
    if (status == 409 || status == 400) {
        failure.kind = ERROR_CONFIGURATION;
        error_next(&failure, "a site's id is unique among all projects: give another one, --site ID");
    }
    if (error)
        *error = failure;
    return -1;
}

int hosting_site_default(struct cloud *cloud, char **site, struct error *error) {
    AUTO_JSON struct json *sites = NULL;
    if (list_sites(cloud, &sites, error) < 0)
        return -1;
    const struct json *chosen = json_count(sites) == 1 ? json_at(sites, 0) : NULL;
    for (size_t i = 0; i < json_count(sites); i++)
        if (text_equal(json_get_text(json_at(sites, i), "type", NULL), "DEFAULT_SITE"))
            chosen = json_at(sites, i);
    *site = chosen ? text_copy(hosting_short_name(json_get_text(chosen, "name", ""))) : NULL;
    if (*site)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "project %s has %zu sites, and none is the default", cloud->project,
              json_count(sites));
    return error_next(error, json_count(sites) ? "say which: --site SITE" : "make one: --site SITE --create-site");
}
