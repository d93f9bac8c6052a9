#include "common/file/file.h"
#include "local/run/internal.h"

#include <string.h>

enum { STATE_LIMIT = 16 << 20 };

static char *state_path(const struct run *run, const struct service *service) {
    return text_format("%s/%s/%s/%s.json", run->root, service->project, service->region, service->name);
}

void service_free(struct service *service) {
    for (size_t i = 0; i < service->revision_count; i++) {
        json_release(&service->revisions[i]->document);
        free(service->revisions[i]->name);
        free(service->revisions[i]);
    }
    free(service->revisions);
    json_release(&service->document);
    json_release(&service->policy);
    json_release(&service->operations);
    free(service->project);
    free(service->region);
    free(service->name);
    free(service);
}

void state_save(const struct run *run, const struct service *service) {
    AUTO_JSON struct json *state = json_new_object();
    struct json *revisions = json_new_array();
    struct error error = {0};
    for (size_t i = 0; i < service->revision_count; i++)
        if (!service->revisions[i]->deleted)
            json_append(revisions, json_share(service->revisions[i]->document));
    json_set(state, "service", json_share(service->document));
    json_set(state, "policy", json_share(service->policy));
    json_set(state, "operations", json_share(service->operations));
    json_set(state, "revisions", revisions);
    json_set_integer(state, "revisionsMade", service->revisions_made);
    json_set_integer(state, "port", service->port);
    AUTO_FREE char *path = state_path(run, service);
    AUTO_FREE char *folder = text_format("%s/%s/%s", run->root, service->project, service->region);
    AUTO_FREE char *text = json_format(state, JSON_PRETTY);
    if (directory_make(folder, 0700, &error) < 0 || file_write_atomic(path, text, strlen(text), 0600, &error) < 0)
        server_note("cannot save service %s: %s", service->name, error.text);
}

void state_remove(const struct run *run, const struct service *service) {
    AUTO_FREE char *path = state_path(run, service);
    unlink(path);
}

static struct revision *load_revision(struct json *document, const char *service_name) {
    const char *name = strrchr(json_get_text(document, "name", ""), '/');
    if (!name || !text_starts_with(name + 1, service_name))
        return NULL;
    struct revision *revision = memory_allocate(1, sizeof(*revision));
    revision->name = text_copy(name + 1);
    revision->document = json_copy_deep(document);
    if (json_get_bool(document, "reconciling", false)) {
        json_remove(revision->document, "reconciling");
        condition_put(revision->document, condition_new("Ready", "FAILED", NULL, NULL,
                                                        "The local cloud was stopped while the revision started."));
    }
    return revision;
}

static struct service *load_service(const struct json *state, const char *project, const char *region,
                                    const char *name) {
    const struct json *document = json_get(state, "service"), *revisions = json_get(state, "revisions");
    if (!json_is_object(document) || !json_is_array(revisions) || json_count(revisions) > REVISIONS_LIMIT)
        return NULL;
    struct service *service = memory_allocate(1, sizeof(*service));
    service->project = text_copy(project);
    service->region = text_copy(region);
    service->name = text_copy(name);
    service->document = json_copy_deep(document);
    service->policy =
        json_is_object(json_get(state, "policy")) ? json_copy_deep(json_get(state, "policy")) : json_new_object();
    service->operations =
        json_is_array(json_get(state, "operations")) ? json_copy_deep(json_get(state, "operations")) : json_new_array();
    service->port = (unsigned)json_get_integer(state, "port", 0) & 0xffff;
    service->revisions_made = json_get_integer(state, "revisionsMade", 0);
    service->revisions = memory_allocate(json_count(revisions) + 1, sizeof(struct revision *));
    for (size_t i = 0; i < json_count(revisions); i++) {
        struct revision *revision = load_revision(json_at(revisions, i), name);
        if (revision)
            service->revisions[service->revision_count++] = revision;
    }
    operations_abandon(service->operations);
    return service;
}

/* ---- all that are kept: ROOT/PROJECT/REGION/SERVICE.json, ROOT/PROJECT/REGION/jobs/JOB.json ---- */

static int each_file(const char *root, const char *inner, const char *project, const char *region, state_visit *visit,
                     void *context, struct error *error) {
    AUTO_FREE char *folder = text_format("%s/%s/%s%s", root, project, region, inner);
    AUTO_LIST struct text_list files = {0};
    if (!directory_exists(folder))
        return 0;
    if (directory_list(folder, &files, error) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++) {
        if (!text_ends_with(files.items[i], ".json"))
            continue;
        AUTO_FREE char *path = path_join(folder, files.items[i]);
        AUTO_FREE char *name = text_copy_length(files.items[i], strlen(files.items[i]) - strlen(".json"));
        const struct state_file file = {.path = path, .project = project, .region = region, .name = name};
        if (visit(context, &file, error) < 0)
            return -1;
    }
    return 0;
}

static int each_region(const char *root, const char *inner, const char *project, state_visit *visit, void *context,
                       struct error *error) {
    AUTO_FREE char *folder = path_join(root, project);
    AUTO_LIST struct text_list regions = {0};
    if (!directory_exists(folder))
        return 0;
    if (directory_list(folder, &regions, error) < 0)
        return -1;
    for (size_t i = 0; i < regions.count; i++)
        if (each_file(root, inner, project, regions.items[i], visit, context, error) < 0)
            return -1;
    return 0;
}

int state_each(const char *root, const char *inner, state_visit *visit, void *context, struct error *error) {
    AUTO_LIST struct text_list projects = {0};
    if (!directory_exists(root))
        return 0;
    if (directory_list(root, &projects, error) < 0)
        return -1;
    for (size_t i = 0; i < projects.count; i++)
        if (each_region(root, inner, projects.items[i], visit, context, error) < 0)
            return -1;
    return 0;
}

static int load_file(void *context, const struct state_file *file, struct error *error) {
    struct run *run = context;
    if (run->service_count >= SERVICES_LIMIT)
        return 0;
    AUTO_JSON struct json *state = json_parse_file(file->path, STATE_LIMIT, error);
    struct service *service = state ? load_service(state, file->project, file->region, file->name) : NULL;
    if (!service) {
        server_note("%s is damaged and is left out", file->path);
        return 0;
    }
    service->ingress = ingress_open(run, service, error);
    if (!service->ingress) {
        service_free(service);
        return -1;
    }
    run_add(run, service);
    if (json_get_bool(service->document, "reconciling", false))
        service_conclude(service);
    traffic_settle(service);
    state_save(run, service);
    return 0;
}

int state_load(struct run *run, struct error *error) {
    return directory_make(run->root, 0700, error) < 0 ? -1 : state_each(run->root, "", load_file, run, error);
}

/* ---- for the tool ---- */

static const char *service_state(const struct json *document) {
    if (json_get_bool(document, "reconciling", false))
        return "starting";
    const char *state = json_get_text(json_get(document, "terminalCondition"), "state", NULL);
    return text_equal(state, "CONDITION_SUCCEEDED") ? "ready" : "its last revision failed";
}

static int list_file(void *context, const struct state_file *file, struct error *error) {
    AUTO_JSON struct json *state = json_parse_file(file->path, STATE_LIMIT, error);
    const struct json *document = json_get(state, "service");
    if (document)
        buffer_append_format(context, "service  %s  %s  %s  %s\n", file->name, file->region,
                             json_get_text(document, "uri", "-"), service_state(document));
    return 0;
}

void run_list_services(const char *state, struct buffer *out) {
    AUTO_FREE char *root = path_join(state, "run");
    struct error error;
    if (state_each(root, "", list_file, out, &error) < 0)
        error_clear(&error);
}
