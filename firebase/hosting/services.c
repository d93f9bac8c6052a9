#include "firebase/hosting/services.h"

#include "firebase/hosting/internal.h"
#include "gcp/google_error.h"
#include "gcp/run/service.h"

#include <ctype.h>
#include <string.h>

enum { PINS_LIMIT = 1 << 20, TAGS_LIMIT = 500, WAIT_SECONDS = 300 };

static const char *region_of(const struct config_service *service) {
    return service->region ? service->region : "us-central1";
}

static int wrong(const struct services *services, const struct config_service *service, enum error_kind kind,
                 const char *what, struct error *error) {
    return error_set(error, kind, "%s:%u: the rewrite %s leads to the %s %s, %s", services->file, service->line,
                     service->pattern, service->is_function ? "function" : "service", service->name, what);
}

/* ---- looking up ---- */

/* Every service of the project, in all regions; NULL when they cannot be listed. */
static struct json *list_services(struct cloud *cloud) {
    AUTO_FREE char *url =
        text_format("%s/v2/projects/%s/locations/-/services", endpoint_url(ENDPOINT_RUN), cloud->project);
    struct json *all = NULL;
    return hosting_list(cloud, url, "services", "cannot list the services", &all, NULL) < 0 ? NULL : all;
}

/* "projects/P/locations/R/services/S": R, into a buffer. */
static void region_in(const char *path, char *region, size_t size) {
    const char *begin = strstr(path, "/locations/");
    begin = begin ? begin + strlen("/locations/") : "";
    snprintf(region, size, "%.*s", (int)strcspn(begin, "/"), begin);
}

static int no_such_service(const struct services *services, const struct config_service *service, struct error *error) {
    struct cloud *cloud = services->hosting->cloud;
    AUTO_JSON struct json *all = list_services(cloud);
    AUTO_FREE const char **names = memory_allocate(json_count(all) + 1, sizeof(*names));
    char elsewhere[64] = "";
    for (size_t i = 0; i < json_count(all); i++) {
        const char *path = json_get_text(json_at(all, i), "name", "");
        names[i] = run_short_name(path);
        if (text_equal(names[i], service->name))
            region_in(path, elsewhere, sizeof(elsewhere));
    }
    if (*elsewhere) {
        AUTO_FREE char *what = text_format("which is not in %s but in %s", region_of(service), elsewhere);
        wrong(services, service, ERROR_CONFIGURATION, what, error);
        return error_next(error, "write \"region\": \"%s\" beside \"serviceId\"", elsewhere);
    }
    AUTO_FREE char *what = text_format("which is not in %s of project %s; Hosting reaches services of its own project",
                                       region_of(service), cloud->project);
    wrong(services, service, ERROR_CONFIGURATION, what, error);
    const char *nearest = text_nearest(service->name, names);
    return nearest ? error_next(error, "did you mean \"%s\"?", nearest)
                   : error_next(error, "deploy it first: … | pl-run-deploy --region %s --name %s", region_of(service),
                                service->name);
}

static bool is_ready(const struct json *service) {
    return !text_is_empty(json_get_text(service, "latestReadyRevision", NULL));
}

static int look_up(struct services *services, const struct config_service *service, const char *name,
                   struct json **found, struct error *error) {
    struct cloud *cloud = services->hosting->cloud;
    AUTO_FREE char *path =
        text_format("projects/%s/locations/%s/services/%s", cloud->project, region_of(service), name);
    struct error failure = {0};
    if (run_service_get(cloud, path, found, &failure) == 0)
        return 0;
    if (failure.kind == ERROR_PERMISSION) {
        progress_note(cloud->progress, "%s:%u: whether there is a service %s is not known: %s", services->file,
                      service->line, name, failure.text);
        return 1;
    }
    if (error)
        *error = failure;
    return error_wrap(error, "%s:%u", services->file, service->line);
}

/* Hosting sends no credentials of its own: a service that wants some answers 403, which browsers take for a problem of
 * CORS. Who may call it need not be readable. */
static void warn_when_private(const struct services *services, const struct config_service *service,
                              const struct json *found) {
    struct cloud *cloud = services->hosting->cloud;
    bool is_public = true;
    if (run_service_is_public(cloud, found, &is_public, NULL) < 0 || is_public)
        return;
    progress_note(cloud->progress,
                  "warning: %s:%u: the service %s lets nobody in without credentials, and Hosting sends none: %s will "
                  "answer 403; pl-run-deploy --allow-unauthenticated opens it",
                  services->file, service->line, service->name, service->pattern);
}

static int resolve_run(struct services *services, size_t index, struct error *error) {
    const struct config_service *service = &services->config->services[index];
    struct error failure = {0};
    if (run_service_name_check(service->name, &failure) < 0 || region_check(region_of(service), &failure) < 0) {
        if (error)
            *error = failure;
        return error_wrap(error, "%s:%u: the rewrite %s", services->file, service->line, service->pattern);
    }
    int result = look_up(services, service, service->name, &services->found[index], error);
    if (result != 0)
        return result < 0 ? -1 : 0;
    if (!services->found[index])
        return no_such_service(services, service, error);
    if (is_ready(services->found[index])) {
        warn_when_private(services, service, services->found[index]);
        return 0;
    }
    wrong(services, service, ERROR_CONFIGURATION, "which has no revision that is ready", error);
    return error_next(error, "deploy it again: … | pl-run-deploy --region %s --name %s", region_of(service),
                      service->name);
}

/* ---- functions ---- */

static struct json *rewrite_of(const struct services *services, struct json *serving, size_t index) {
    return json_at(json_get(serving, "rewrites"), services->config->services[index].rewrite);
}

/* The name of the service that a function of the second generation is. */
static char *service_of_function(const char *function) {
    char *name = text_copy(function);
    for (char *at = name; *at; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return name;
}

static int resolve_function(struct services *services, size_t index, struct error *error) {
    const struct config_service *service = &services->config->services[index];
    AUTO_FREE char *name = service_of_function(service->name);
    AUTO_JSON struct json *found = NULL;
    struct error failure = {0};
    bool is_name = run_service_name_check(name, NULL) == 0 && region_check(region_of(service), NULL) == 0;
    if (is_name && look_up(services, service, name, &found, &failure) < 0) {
        if (error)
            *error = failure;
        return -1;
    }
    bool is_second = text_equal(json_get_text(json_get(found, "labels"), "goog-managed-by", NULL), "cloudfunctions");
    if (!is_second && service->pin_tag)
        return wrong(services, service, ERROR_CONFIGURATION,
                     "which is none of the second generation, so that pinTag cannot be", error);
    if (!is_second)
        return 0;
    struct json *rewrite = rewrite_of(services, services->config->serving, index), *run = json_new_object();
    json_remove(rewrite, "function");
    json_remove(rewrite, "functionRegion");
    json_set_text(run, "serviceId", name);
    json_set_text(run, "region", region_of(service));
    json_set(rewrite, "run", run);
    services->found[index] = take_pointer(&found);
    return 0;
}

/* ---- pins ---- */

/* The tag that the service's ready revision has already, or NULL. */
static const char *tag_of(const struct json *service) {
    const char *ready = run_short_name(json_get_text(service, "latestReadyRevision", ""));
    const struct json *traffic = json_get(service, "traffic");
    for (size_t i = 0; i < json_count(traffic); i++) {
        const struct json *target = json_at(traffic, i);
        const char *tag = json_get_text(target, "tag", NULL);
        if (tag && text_equal(run_short_name(json_get_text(target, "revision", "")), ready))
            return tag;
    }
    return NULL;
}

static void note_pin(struct services *services, size_t index) {
    const struct json *service = services->found[index];
    struct json *run = json_get(rewrite_of(services, services->config->serving, index), "run");
    buffer_append_format(&services->pins, "%zu %s\n", services->config->services[index].rewrite,
                         run_short_name(json_get_text(service, "latestReadyRevision", "")));
    json_set_text(run, "tag", tag_of(service));
}

static const char *pattern_in(const struct json *rewrite) {
    return json_get_text(rewrite, "glob", json_get_text(rewrite, "regex", ""));
}

/* As long as live goes to whatever serves, a preview that pins would not show what live will do. */
static int check_live_pins(struct services *services, const char *channel, struct error *error) {
    AUTO_JSON struct json *live = NULL;
    if (!services->pins.length || text_equal(channel, "live"))
        return 0;
    if (hosting_channel_get(services->hosting, "live", &live, error) < 0)
        return -1;
    const struct json *rewrites = json_get(json_get(hosting_channel_version(live), "config"), "rewrites");
    for (size_t i = 0; i < services->config->service_count; i++) {
        const struct config_service *service = &services->config->services[i];
        const struct json *own = json_get(rewrite_of(services, services->config->serving, i), "run");
        for (size_t j = 0; service->pin_tag && j < json_count(rewrites); j++) {
            const struct json *run = json_get(json_at(rewrites, j), "run");
            if (!run || json_get(run, "tag") || !text_equal(pattern_in(json_at(rewrites, j)), service->pattern) ||
                !text_equal(json_get_text(run, "serviceId", NULL), json_get_text(own, "serviceId", NULL)) ||
                !text_equal(json_get_text(run, "region", "us-central1"), json_get_text(own, "region", NULL)))
                continue;
            wrong(services, service, ERROR_CONFIGURATION, "which live does not pin", error);
            return error_next(error, "deploy to live with \"pinTag\": true before previews do");
        }
    }
    return 0;
}

int services_resolve(struct services *services, struct hosting *hosting, const char *file, struct site_config *config,
                     const char *channel, struct error *error) {
    *services = (struct services){.hosting = hosting,
                                  .file = file,
                                  .config = config,
                                  .pins = BUFFER(PINS_LIMIT),
                                  .found = memory_allocate(config->service_count, sizeof(struct json *))};
    for (size_t i = 0; i < config->service_count; i++) {
        const struct config_service *service = &config->services[i];
        if ((service->is_function ? resolve_function : resolve_run)(services, i, error) < 0)
            return -1;
        if (service->pin_tag && !services->found[i])
            return wrong(services, service, ERROR_PERMISSION, "which must be readable to be pinned", error);
        if (service->pin_tag)
            note_pin(services, i);
    }
    return check_live_pins(services, channel, error);
}

/* ---- tags ---- */

/* The tags that versions which may still be shown refer to, of all sites. */
static int list_used_tags(struct hosting *hosting, struct text_list *used, struct error *error) {
    AUTO_FREE char *base =
        text_format("%s/v1beta1/projects/%s/sites", endpoint_url(ENDPOINT_FIREBASE_HOSTING), hosting->cloud->project);
    AUTO_JSON struct json *sites = NULL;
    if (hosting_list(hosting->cloud, base, "sites", "cannot list the sites", &sites, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(sites); i++) {
        AUTO_JSON struct json *versions = NULL;
        const char *site = hosting_short_name(json_get_text(json_at(sites, i), "name", ""));
        if (hosting_site_check(site, NULL) < 0)
            continue;
        AUTO_FREE char *url = text_format("%s/%s/versions", base, site);
        if (hosting_list(hosting->cloud, url, "versions", "cannot list the versions", &versions, error) < 0)
            return -1;
        for (size_t j = 0; j < json_count(versions); j++) {
            const char *status = json_get_text(json_at(versions, j), "status", "");
            const struct json *rewrites = json_get(json_get(json_at(versions, j), "config"), "rewrites");
            bool may_be_shown = text_equal(status, "CREATED") || text_equal(status, "FINALIZED");
            for (size_t k = 0; may_be_shown && k < json_count(rewrites); k++) {
                const char *tag = json_get_text(json_get(json_at(rewrites, k), "run"), "tag", NULL);
                if (tag && !text_list_contains(used, tag))
                    text_list_add(used, tag);
            }
        }
    }
    return 0;
}

/* A service may have only so many tags: those of versions that are gone make room. */
static int drop_old_tags(struct hosting *hosting, struct json *traffic, struct error *error) {
    size_t tags = 0;
    for (size_t i = 0; i < json_count(traffic); i++)
        tags += json_get(json_at(traffic, i), "tag") != NULL;
    AUTO_LIST struct text_list used = {0};
    if (tags < TAGS_LIMIT)
        return 0;
    if (list_used_tags(hosting, &used, error) < 0)
        return -1;
    for (size_t i = json_count(traffic); i-- > 0;) {
        const struct json *target = json_at(traffic, i);
        const char *tag = json_get_text(target, "tag", "");
        if (text_starts_with(tag, "fh-") && !json_get_integer(target, "percent", 0) && !text_list_contains(&used, tag))
            json_remove_at(traffic, i);
    }
    return 0;
}

static int add_tag(struct services *services, const struct json *service, const char *tag, struct error *error) {
    struct cloud *cloud = services->hosting->cloud;
    AUTO_JSON struct json *changed = json_new_object(), *operation = NULL;
    struct json *traffic =
        json_is_array(json_get(service, "traffic")) ? json_copy_deep(json_get(service, "traffic")) : json_new_array();
    json_set(changed, "traffic", traffic);
    json_set_text(changed, "etag", json_get_text(service, "etag", NULL));
    struct json *target = json_new_object();
    json_set_text(target, "type", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION");
    json_set_text(target, "revision", run_short_name(json_get_text(service, "latestReadyRevision", "")));
    json_set_text(target, "tag", tag);
    if (drop_old_tags(services->hosting, traffic, error) < 0)
        return -1;
    json_append(traffic, target);
    bool conflict = false;
    const char *path = json_get_text(service, "name", "");
    const struct run_patch patch = {.body = changed, .mask = "traffic"};
    if (run_resource_patch(cloud, &run_service_kind, path, &patch, &operation, &conflict, error) < 0)
        return -1;
    if (conflict)
        return error_set(error, ERROR_TEMPORARY, "somebody else changes service %s", run_short_name(path));
    if (run_operation_wait(cloud, &operation, WAIT_SECONDS, error) < 0)
        return -1;
    AUTO_FREE char *what = text_format("cannot tag service %s", run_short_name(path));
    return json_get(operation, "error") ? google_status_set(error, what, json_get(operation, "error"), NULL) : 0;
}

int services_pin(struct services *services, const char *version, struct json *serving, struct error *error) {
    AUTO_FREE char *tag = text_format("fh-%s", version);
    AUTO_LIST struct text_list tagged = {0};
    for (size_t i = 0; i < services->config->service_count; i++) {
        const struct json *service = services->found[i];
        struct json *run = json_get(rewrite_of(services, serving, i), "run");
        if (!services->config->services[i].pin_tag || json_get(run, "tag"))
            continue;
        const char *path = json_get_text(service, "name", "");
        if (!text_list_contains(&tagged, path) && add_tag(services, service, tag, error) < 0)
            return -1;
        text_list_add(&tagged, path);
        json_set_text(run, "tag", tag);
    }
    return 0;
}

void services_release(struct services *services) {
    for (size_t i = 0; services->found && i < services->config->service_count; i++)
        json_release(&services->found[i]);
    free(services->found);
    buffer_release(&services->pins);
    *services = (struct services){0};
}
