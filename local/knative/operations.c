/* gcloud waits for the operation that an annotation of the service names; its response is the service as v1 has it. */
#include "local/knative/internal.h"

static const struct service *service_of(const struct run *run, const struct json *operations) {
    for (size_t i = 0; i < run->service_count; i++)
        if (run->services[i]->operations == operations)
            return run->services[i];
    return NULL;
}

static struct json *operation_to_knative(const struct knative_call *call, const struct json *operation,
                                         const struct service *service) {
    struct place place = service_place(call, service);
    struct json *answer = json_copy_deep(operation);
    json_remove(answer, "metadata");
    if (json_get(answer, "response")) {
        struct json *response = service_to_knative(json_get(answer, "response"), &place);
        json_set_text(response, "@type", "type.googleapis.com/google.cloud.run.v1.Service");
        json_set(answer, "response", response);
    }
    return answer;
}

void knative_operations(struct knative_call *call) {
    AUTO_FREE char *name = text_format("projects/%s/locations/%s/operations/%s", call->run->cloud->project,
                                       call->path->region, call->path->name ? call->path->name : "");
    struct json *operations = NULL;
    operations_handle(call->run, call->path, call->request, call->reply);
    pthread_mutex_lock(&call->run->lock);
    const struct json *operation = operation_find(call->run, name, &operations);
    const struct service *service = operation ? service_of(call->run, operations) : NULL;
    if (call->reply->status == 200 && service) {
        struct json *answer = operation_to_knative(call, operation, service);
        buffer_clear(&call->reply->body);
        reply_json(call->reply, 200, answer);
    }
    pthread_mutex_unlock(&call->run->lock);
}
