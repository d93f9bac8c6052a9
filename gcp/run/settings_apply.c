/* What settings make of a service. */
#include "gcp/run/plan.h"
#include "gcp/run/settings.h"

enum { DEFAULT_PORT = 8080 };

static struct json *serving_container(struct json *template) {
    if (!json_is_array(json_get(template, "containers")) || json_count(json_get(template, "containers")) == 0) {
        json_set(template, "containers", json_new_array());
        json_append(json_get(template, "containers"), json_new_object());
    }
    return run_serving_container(template);
}

/* ---- the container ---- */

/* Without cpuIdle a service that names its resources is billed all the time. */
static void put_processor(struct json *container, const struct run_settings *settings) {
    bool named = run_workload_names_resources(&settings->workload) || settings->cpu_throttling != -1 ||
                 settings->cpu_boost != -1;
    if (named && !json_is_object(json_get(container, "resources")))
        json_set_bool(json_need_object(container, "resources"), "cpuIdle", true);
    if (settings->cpu_throttling != -1)
        json_set_bool(json_get(container, "resources"), "cpuIdle", settings->cpu_throttling == 1);
    if (settings->cpu_boost != -1)
        json_set_bool(json_get(container, "resources"), "startupCpuBoost", settings->cpu_boost == 1);
}

/* Google gives a service that has no startup probe one of its port, and shows it as if somebody had asked for it. */
static void move_startup_probe(struct json *container, int64_t from, int64_t to) {
    struct json *socket = json_get(json_get(container, "startupProbe"), "tcpSocket");
    if (socket && json_get_integer(socket, "port", from) == from)
        json_set_integer(socket, "port", to);
}

static void put_port(struct json *container, const struct run_settings *settings) {
    if (settings->port == -1 && settings->http2 == -1)
        return;
    struct json *ports = json_need_array(container, "ports");
    if (json_count(ports) == 0)
        json_append(ports, json_new_object());
    struct json *port = json_at(ports, 0);
    if (settings->port != -1) {
        move_startup_probe(container, json_get_integer(port, "containerPort", DEFAULT_PORT), settings->port);
        json_set_integer(port, "containerPort", settings->port);
    } else if (!json_get(port, "containerPort"))
        json_set_integer(port, "containerPort", DEFAULT_PORT);
    if (settings->http2 != -1)
        json_set_text(port, "name", settings->http2 ? "h2c" : "http1");
}

static void put_probe(struct json *container, const char *key, const char *text) {
    if (!text)
        return;
    struct json *probe = *text ? run_probe_parse(text, NULL) : NULL;
    json_remove(container, key);
    if (probe)
        json_set(container, key, probe);
}

/* ---- the revision ---- */

static void put_template(struct json *template, const struct run_settings *settings) {
    if (settings->min_instances != -1)
        json_set_integer(json_need_object(template, "scaling"), "minInstanceCount", settings->min_instances);
    if (settings->max_instances != -1)
        json_set_integer(json_need_object(template, "scaling"), "maxInstanceCount", settings->max_instances);
    if (settings->concurrency != -1)
        json_set_integer(template, "maxInstanceRequestConcurrency", settings->concurrency);
    if (settings->timeout != -1) {
        AUTO_FREE char *text = text_format("%llds", settings->timeout);
        json_set_text(template, "timeout", text);
    }
    if (settings->session_affinity != -1)
        json_set_bool(template, "sessionAffinity", settings->session_affinity == 1);
    if (settings->key_revocation)
        json_set_text(template, "encryptionKeyRevocationAction",
                      text_equal(settings->key_revocation, "shut-down") ? "SHUTDOWN" : "PREVENT_NEW");
    if (settings->key_shutdown_time != -1) {
        AUTO_FREE char *text = text_format("%llds", settings->key_shutdown_time);
        json_set_text(template, "encryptionKeyShutdownDuration", text);
    }
    if (settings->gpu_zonal_redundancy != -1)
        json_set_bool(template, "gpuZonalRedundancyDisabled", settings->gpu_zonal_redundancy == 0);
    run_labels_apply(template, &settings->workload);
    run_pairs_apply(template, "annotations", &settings->workload.annotations);
}

/* ---- the service ---- */

static const char *ingress_value(const char *name) {
    return text_equal(name, "all")        ? "INGRESS_TRAFFIC_ALL"
           : text_equal(name, "internal") ? "INGRESS_TRAFFIC_INTERNAL_ONLY"
                                          : "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER";
}

static void put_scaling(struct json *service, const struct run_settings *settings) {
    uint64_t count;
    if (settings->service_min_instances != -1)
        json_set_integer(json_need_object(service, "scaling"), "minInstanceCount", settings->service_min_instances);
    if (settings->service_max_instances != -1)
        json_set_integer(json_need_object(service, "scaling"), "maxInstanceCount", settings->service_max_instances);
    if (!settings->scaling)
        return;
    struct json *scaling = json_need_object(service, "scaling");
    bool manual = text_to_u64(settings->scaling, INT32_MAX, &count);
    json_set_text(scaling, "scalingMode", manual ? "MANUAL" : "AUTOMATIC");
    json_remove(scaling, "manualInstanceCount");
    if (!manual)
        return;
    json_remove(scaling, "minInstanceCount");
    json_set_integer(scaling, "manualInstanceCount", (int64_t)count);
}

static void put_authorization(struct json *service, const struct run_settings *settings) {
    const char *policy = settings->binary_authorization;
    if (policy && !*policy)
        json_remove(service, "binaryAuthorization");
    if (text_equal(policy, "default")) {
        json_remove(json_need_object(service, "binaryAuthorization"), "policy");
        json_set_bool(json_need_object(service, "binaryAuthorization"), "useDefault", true);
    } else if (!text_is_empty(policy)) {
        json_remove(json_need_object(service, "binaryAuthorization"), "useDefault");
        json_set_text(json_need_object(service, "binaryAuthorization"), "policy", policy);
    }
    if (settings->breakglass)
        json_set_text(json_need_object(service, "binaryAuthorization"), "breakglassJustification",
                      settings->breakglass);
}

void run_settings_apply(const struct run_settings *settings, struct json *service) {
    for (void *i = json_first(settings->service); i; i = json_next(settings->service, i))
        json_set(service, json_key(i), json_copy_deep(json_value(i)));
    struct json *template = json_need_object(service, "template");
    struct json *container = serving_container(template);
    put_port(container, settings);
    put_processor(container, settings);
    put_probe(container, "startupProbe", settings->startup_probe);
    put_probe(container, "livenessProbe", settings->liveness_probe);
    put_probe(container, "readinessProbe", settings->readiness_probe);
    run_workload_apply(&settings->workload, template, container);
    run_containers_apply(&settings->containers, template, container);
    put_template(template, settings);
    run_labels_apply(service, &settings->workload);
    run_texts_add(service, "customAudiences", &settings->audiences);
    run_texts_remove(service, "customAudiences", &settings->removed_audiences, settings->replace_audiences,
                     &settings->audiences);
    if (settings->description)
        json_set_text(service, "description", settings->description);
    if (settings->ingress)
        json_set_text(service, "ingress", ingress_value(settings->ingress));
    if (settings->invoker_check != -1)
        json_set_bool(service, "invokerIamDisabled", settings->invoker_check == 0);
    if (settings->default_url != -1)
        json_set_bool(service, "defaultUriDisabled", settings->default_url == 0);
    put_scaling(service, settings);
    put_authorization(service, settings);
}
