/* From a changed template to a revision that serves, or to one that failed. */
#include "common/crypto/random.h"
#include "local/run/internal.h"

#include <string.h>
#include <time.h>

enum { SUFFIX_LENGTH = 3 };

/* ---- traffic ---- */

static const char *short_name(const char *resource) {
    const char *slash = resource ? strrchr(resource, '/') : NULL;
    return slash ? slash + 1 : resource;
}

static const char *latest_ready(const struct service *service) {
    return short_name(json_get_text(service->document, "latestReadyRevision", NULL));
}

static bool is_latest(const struct json *target) {
    return text_equal(json_get_text(target, "type", NULL), "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST");
}

static const char *target_revision(const struct service *service, const struct json *target) {
    return is_latest(target) ? latest_ready(service) : short_name(json_get_text(target, "revision", NULL));
}

static bool is_ready(const struct revision *revision) {
    const struct json *conditions = revision ? json_get(revision->document, "conditions") : NULL;
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), "Ready"))
            return text_equal(json_get_text(json_at(conditions, i), "state", NULL), "CONDITION_SUCCEEDED");
    return false;
}

/* Every target leads to a revision that is ready, else all stays as it was. */
static bool can_settle(const struct service *service) {
    const struct json *traffic = json_get(service->document, "traffic");
    for (size_t i = 0; i < json_count(traffic); i++) {
        const char *name = target_revision(service, json_at(traffic, i));
        if (!name || !is_ready(service_find_revision(service, name)))
            return false;
    }
    return json_count(traffic) > 0;
}

void traffic_settle(struct service *service) {
    const struct json *traffic = json_get(service->document, "traffic");
    if (!can_settle(service))
        return;
    struct json *statuses = json_new_array();
    for (size_t i = 0; i < json_count(traffic); i++) {
        struct json *status = json_copy_deep(json_at(traffic, i));
        const char *tag = json_get_text(status, "tag", NULL);
        if (tag) {
            AUTO_FREE char *uri = text_format("http://%s---%s.localhost:%u", tag, service->name, service->port);
            json_set_text(status, "uri", uri);
        }
        json_append(statuses, status);
    }
    json_set(service->document, "trafficStatuses", statuses);
}

struct revision *traffic_choose(const struct service *service, const char *tag) {
    const struct json *statuses = json_get(service->document, "trafficStatuses");
    unsigned char bytes[4];
    random_bytes(bytes, sizeof(bytes));
    int64_t rest =
        (((uint32_t)bytes[0] << 24) | ((uint32_t)bytes[1] << 16) | ((uint32_t)bytes[2] << 8) | bytes[3]) % 100;
    for (size_t i = 0; i < json_count(statuses); i++) {
        const struct json *status = json_at(statuses, i);
        int64_t percent = json_get_integer(status, "percent", 0);
        if (tag ? text_equal(json_get_text(status, "tag", NULL), tag) : rest < percent)
            return service_find_revision(service, target_revision(service, status));
        rest -= percent;
    }
    return NULL;
}

unsigned traffic_share(const struct service *service, const struct revision *revision, bool *tagged) {
    const struct json *statuses = json_get(service->document, "trafficStatuses");
    int64_t percent = 0;
    *tagged = false;
    for (size_t i = 0; i < json_count(statuses); i++) {
        const struct json *status = json_at(statuses, i);
        if (!text_equal(target_revision(service, status), revision->name))
            continue;
        percent += json_get_integer(status, "percent", 0);
        *tagged = *tagged || json_get(status, "tag");
    }
    return percent < 0 ? 0 : percent > 100 ? 100 : (unsigned)percent;
}

/* ---- the revision ---- */

static char *revision_name(struct service *service, const struct json *template) {
    static const char letters[] = "bcdfghjklmnpqrstvwxz";
    const char *asked = json_get_text(template, "revision", NULL);
    unsigned char bytes[SUFFIX_LENGTH];
    char suffix[SUFFIX_LENGTH + 1] = "";
    service->revisions_made++;
    if (asked && !service_find_revision(service, asked))
        return text_copy(asked);
    random_bytes(bytes, sizeof(bytes));
    for (int i = 0; i < SUFFIX_LENGTH; i++)
        suffix[i] = letters[bytes[i] % (sizeof(letters) - 1)];
    return text_format("%s-%05lld-%s", service->name, (long long)service->revisions_made, suffix);
}

static struct json *revision_document(const struct service *service, const char *name) {
    static const char *const copied[] = {"labels",
                                         "annotations",
                                         "scaling",
                                         "vpcAccess",
                                         "timeout",
                                         "serviceAccount",
                                         "containers",
                                         "volumes",
                                         "executionEnvironment",
                                         "encryptionKey",
                                         "maxInstanceRequestConcurrency",
                                         "sessionAffinity",
                                         "client",
                                         "clientVersion"};
    const struct json *template = json_get(service->document, "template");
    struct json *document = json_new_object();
    const char *parent = json_get_text(service->document, "name", "");
    AUTO_FREE char *full = text_format("%s/revisions/%s", parent, name);
    char uid[33], now[40];
    random_hex(uid, sizeof(uid));
    run_time_now(now, sizeof(now));
    AUTO_FREE char *id = text_format("%.8s-%.4s-%.4s-%.4s-%.12s", uid, uid + 8, uid + 12, uid + 16, uid + 20);
    json_set_text(document, "name", full);
    json_set_text(document, "uid", id);
    json_set_text(document, "generation", "1");
    json_set_text(document, "createTime", now);
    json_set_text(document, "updateTime", now);
    json_set_text(document, "service", parent);
    json_set_text(document, "creator", json_get_text(service->document, "lastModifier", NULL));
    json_set_text(document, "launchStage", json_get_text(service->document, "launchStage", "GA"));
    for (size_t i = 0; i < ARRAY_LENGTH(copied); i++)
        if (json_get(template, copied[i]))
            json_set(document, copied[i], json_copy_deep(json_get(template, copied[i])));
    json_set_bool(document, "reconciling", true);
    condition_put(document, condition_new("Ready", "RECONCILING", NULL, NULL, "Starting the container."));
    json_set_text(document, "observedGeneration", "1");
    json_set_text(document, "etag", json_get_text(service->document, "etag", NULL));
    return document;
}

static struct revision *revision_add(struct service *service) {
    struct revision *revision = memory_allocate(1, sizeof(*revision));
    revision->name = revision_name(service, json_get(service->document, "template"));
    revision->document = revision_document(service, revision->name);
    service->revisions = memory_resize(service->revisions, service->revision_count + 1, sizeof(struct revision *));
    service->revisions[service->revision_count++] = revision;
    json_set_text(service->document, "latestCreatedRevision", json_get_text(revision->document, "name", NULL));
    return revision;
}

/* ---- the service's state ---- */

void service_conclude(struct service *service) {
    struct json *document = service->document;
    const char *created = short_name(json_get_text(document, "latestCreatedRevision", NULL));
    const struct revision *last = created ? service_find_revision(service, created) : NULL;
    const struct json *ready = NULL;
    const struct json *conditions = last ? json_get(last->document, "conditions") : NULL;
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "type", NULL), "Ready"))
            ready = json_at(conditions, i);
    bool good = is_ready(last), routed = can_settle(service);
    const char *message = good ? NULL : json_get_text(ready, "message", "The revision is not ready.");
    const char *state = good && routed ? "SUCCEEDED" : "FAILED";
    json_set(document, "terminalCondition",
             condition_new("Ready", state, good ? NULL : "reason", "REVISION_FAILED", message));
    condition_put(document, condition_new("RoutesReady", routed ? "SUCCEEDED" : "FAILED", NULL, NULL, NULL));
    condition_put(document, condition_new("ConfigurationsReady", good ? "SUCCEEDED" : "FAILED", good ? NULL : "reason",
                                          "REVISION_FAILED", message));
    json_remove(document, "reconciling");
    json_set_text(document, "observedGeneration", json_get_text(document, "generation", NULL));
}

/* ---- the rollout ---- */

struct rollout {
    struct run *run;
    struct service *service;
    struct revision *revision;
    struct launch *launch;
    char *operation;
};

static void rollout_release(struct rollout *rollout) {
    launch_release(&rollout->launch);
    free(rollout->operation);
    free(rollout);
}

static void mark_ready(struct rollout *rollout) {
    struct service *service = rollout->service;
    const struct json *document = rollout->revision->document;
    const char *before = latest_ready(service);
    size_t old = 0, own = 0;
    for (size_t i = 0; i < service->revision_count; i++) {
        old = text_equal(service->revisions[i]->name, before) ? i : old;
        own = service->revisions[i] == rollout->revision ? i : own;
    }
    condition_put(rollout->revision->document, condition_new("Ready", "SUCCEEDED", NULL, NULL, NULL));
    condition_put(rollout->revision->document, condition_new("ContainerHealthy", "SUCCEEDED", NULL, NULL, NULL));
    /* A slow rollout must not take the traffic from a newer revision. */
    if (!before || own >= old)
        json_set_text(service->document, "latestReadyRevision", json_get_text(document, "name", NULL));
}

static void mark_failed(struct rollout *rollout, const struct failure *failure) {
    condition_put(rollout->revision->document,
                  condition_new("Ready", "FAILED", "revisionReason", "HEALTH_CHECK_CONTAINER_ERROR", failure->text));
    condition_put(rollout->revision->document, condition_new("ContainerHealthy", "FAILED", "revisionReason",
                                                             "HEALTH_CHECK_CONTAINER_ERROR", failure->text));
}

static void conclude(struct rollout *rollout, struct instance *instance, const struct failure *failure) {
    struct run *run = rollout->run;
    struct service *service = rollout->service;
    pthread_mutex_lock(&run->lock);
    if (instance) {
        scaling_add(run, rollout->revision, instance);
        scaling_reach_minimum(run, service, rollout->revision);
    }
    rollout->revision->starting = false;
    json_remove(rollout->revision->document, "reconciling");
    if (instance)
        mark_ready(rollout);
    else
        mark_failed(rollout, failure);
    traffic_settle(service);
    service->rollouts--;
    if (service->rollouts == 0)
        service_conclude(service);
    struct json *status = instance ? NULL : failure_status(failure, rollout->revision->name);
    operation_finish(run, rollout->operation, service->document, status);
    if (!service->deleted)
        state_save(run, service);
    scaling_look(run);
    pthread_mutex_unlock(&run->lock);
}

static void *roll_out(void *context) {
    struct rollout *rollout = context;
    struct run *run = rollout->run;
    struct failure failure = {0};
    struct instance *instance = instance_start(run, rollout->launch, &failure);
    conclude(rollout, instance, &failure);
    failure_release(&failure);
    rollout_release(rollout);
    run_work_done(run);
    return NULL;
}

void rollout_begin(struct run *run, struct service *service, const char *operation) {
    struct rollout *rollout = memory_allocate(1, sizeof(*rollout));
    struct revision *revision = revision_add(service);
    revision->starting = true;
    service->rollouts++;
    json_set_bool(service->document, "reconciling", true);
    json_set(service->document, "terminalCondition",
             condition_new("Ready", "RECONCILING", NULL, NULL, "Deploying Revision."));
    *rollout = (struct rollout){.run = run,
                                .service = service,
                                .revision = revision,
                                .launch = launch_new(service, revision),
                                .operation = text_copy(operation)};
    pthread_mutex_unlock(&run->lock);
    bool begun = run_work(run, roll_out, rollout);
    pthread_mutex_lock(&run->lock);
    if (begun)
        return;
    struct failure failure = {0};
    failure_set(&failure, "UNKNOWN", "The local cloud has no room for one more container.");
    pthread_mutex_unlock(&run->lock);
    conclude(rollout, NULL, &failure);
    pthread_mutex_lock(&run->lock);
    failure_release(&failure);
    rollout_release(rollout);
}
