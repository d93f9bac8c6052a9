/* Requests about the revisions of a service. */
#include "local/run/internal.h"
#include "local/run/reserved.h"
#include "local/run/resource.h"

#include <string.h>

static void list_revisions(const struct service *service, const struct request *request, struct reply *reply) {
    struct json *answer = json_new_object(), *all = json_new_array();
    for (size_t i = service->revision_count; i-- > 0;)
        if (!service->revisions[i]->deleted)
            json_append(all, reserved_hide(service->revisions[i]->document));
    resource_list_page(answer, "revisions", all, request);
    reply_json(reply, 200, answer);
}

static bool names(const char *resource, const char *revision) {
    const char *slash = resource ? strrchr(resource, '/') : NULL;
    return text_equal(slash ? slash + 1 : resource, revision);
}

/* Whether a target of the traffic that was asked for, or that is served, is this revision. */
static bool is_target(const struct json *targets, const char *revision) {
    for (size_t i = 0; i < json_count(targets); i++)
        if (names(json_get_text(json_at(targets, i), "revision", NULL), revision))
            return true;
    return false;
}

int service_delete_revision(struct run *run, struct service *service, struct revision *revision, struct error *error) {
    const struct json *document = service->document;
    if (names(json_get_text(document, "latestCreatedRevision", NULL), revision->name) ||
        names(json_get_text(document, "latestReadyRevision", NULL), revision->name))
        return error_set(error, ERROR_DATA,
                         "Revision '%s' cannot be deleted: it is the latest revision of service '%s'.", revision->name,
                         service->name);
    if (is_target(json_get(document, "traffic"), revision->name) ||
        is_target(json_get(document, "trafficStatuses"), revision->name))
        return error_set(error, ERROR_DATA,
                         "Revision '%s' cannot be deleted: it is actively serving traffic or has a traffic tag.",
                         revision->name);
    revision->deleted = true;
    state_save(run, service);
    return 0;
}

static void delete_revision(struct run *run, struct service *service, struct revision *revision,
                            const struct request *request, struct reply *reply) {
    struct error error = {0};
    AUTO_FREE char *name = text_copy(operation_new(service->operations, service->document));
    if (!text_equal(request_query(request, "validateOnly"), "true") &&
        service_delete_revision(run, service, revision, &error) < 0) {
        operation_forget(service->operations, name);
        resource_refuse(reply, &error);
        return;
    }
    operation_finish(run, name, service->document, NULL);
    reply_json(reply, 200, json_copy_deep(operation_find(run, name, NULL)));
}

void revisions_handle(struct run *run, struct service *service, const struct run_path *path,
                      const struct request *request, struct reply *reply) {
    struct revision *revision = path->child_name ? service_find_revision(service, path->child_name) : NULL;
    if (!path->child_name && request_is(request, "GET"))
        list_revisions(service, request, reply);
    else if (path->child_name && !revision)
        reply_missing(reply, path, "REVISION", path->child_name);
    else if (revision && request_is(request, "GET"))
        reply_json(reply, 200, reserved_hide(revision->document));
    else if (revision && request_is(request, "DELETE"))
        delete_revision(run, service, revision, request, reply);
}
