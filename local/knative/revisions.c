/* Requests about revisions, which v1 has beside the services and not below them. */
#include "local/knative/internal.h"

static void list_revisions(struct knative_call *call) {
    struct json *all = json_new_array();
    for (size_t i = 0; i < call->run->service_count; i++) {
        const struct service *service = call->run->services[i];
        struct place place = service_place(call, service);
        place.operation = NULL;
        for (size_t j = service->revision_count; service_is_here(call, service) && j-- > 0;)
            if (!service->revisions[j]->deleted)
                json_append(all, revision_to_knative(service->revisions[j]->document, service->document, &place));
    }
    reply_list(call, "RevisionList", all);
}

static struct revision *find_revision(struct knative_call *call, struct service **owner) {
    for (size_t i = 0; i < call->run->service_count; i++) {
        struct service *service = call->run->services[i];
        struct revision *revision =
            service_is_here(call, service) ? service_find_revision(service, call->path->name) : NULL;
        if (revision) {
            *owner = service;
            return revision;
        }
    }
    return NULL;
}

static void delete_revision(struct knative_call *call, struct service *service, struct revision *revision) {
    struct error error = {0};
    if (service_delete_revision(call->run, service, revision, &error) < 0)
        reply_refusal(call->reply, &error);
    else
        reply_success(call->reply);
}

void knative_revisions(struct knative_call *call) {
    struct service *service = NULL;
    pthread_mutex_lock(&call->run->lock);
    struct revision *revision = call->path->name ? find_revision(call, &service) : NULL;
    if (!call->path->name && request_is(call->request, "GET")) {
        list_revisions(call);
    } else if (call->path->name && !revision) {
        reply_nothing(call, "REVISION");
    } else if (revision && request_is(call->request, "GET")) {
        struct place place = {service->region, call->run->cloud->number, NULL};
        reply_json(call->reply, 200, revision_to_knative(revision->document, service->document, &place));
    } else if (revision && request_is(call->request, "DELETE")) {
        delete_revision(call, service, revision);
    }
    pthread_mutex_unlock(&call->run->lock);
}
