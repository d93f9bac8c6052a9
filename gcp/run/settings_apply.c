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
    run_pairs_apply(template, "labels", &settings->workload.labels);
    run_pairs_apply(template, "annotations", &settings->workload.annotations);
}

/* ---- the service ---- */

static const char *ingress_value(const char *name) {
    return text_equal(name, "all")        ? "INGRESS_TRAFFIC_ALL"
           : text_equal(name, "internal") ? "INGRESS_TRAFFIC_INTERNAL_ONLY"
                                          : "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER";
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
    run_workload_apply(&settings->workload, template, container);
    run_containers_apply(&settings->containers, template, container);
    put_template(template, settings);
    run_pairs_apply(service, "labels", &settings->workload.labels);
    run_texts_add(service, "customAudiences", &settings->audiences);
    if (settings->description)
        json_set_text(service, "description", settings->description);
    if (settings->ingress)
        json_set_text(service, "ingress", ingress_value(settings->ingress));
    if (settings->invoker_check != -1)
        json_set_bool(service, "invokerIamDisabled", settings->invoker_check == 0);
    if (settings->service_min_instances != -1)
        json_set_integer(json_need_object(service, "scaling"), "minInstanceCount", settings->service_min_instances);
}
