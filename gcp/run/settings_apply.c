/* What settings make of a service. */
#include "gcp/run/settings.h"

#include <string.h>

enum { MEBI = 1 << 20, GIBI = 1 << 30, DEFAULT_PORT = 8080 };

/* The container that takes requests: the one with ports, else the first. */
static struct json *serving_container(struct json *template) {
    if (!json_is_array(json_get(template, "containers")) || json_count(json_get(template, "containers")) == 0) {
        json_set(template, "containers", json_new_array());
        json_append(json_get(template, "containers"), json_new_object());
    }
    struct json *containers = json_get(template, "containers");
    for (size_t i = 0; i < json_count(containers); i++)
        if (json_count(json_get(json_at(containers, i), "ports")) > 0)
            return json_at(containers, i);
    return json_at(containers, 0);
}

static struct json *array(struct json *object, const char *key) {
    if (!json_is_array(json_get(object, key)))
        json_set(object, key, json_new_array());
    return json_get(object, key);
}

/* The element of that name, made when it is missing. */
static struct json *named(struct json *list, const char *name) {
    for (size_t i = 0; i < json_count(list); i++)
        if (text_equal(json_get_text(json_at(list, i), "name", NULL), name))
            return json_at(list, i);
    struct json *element = json_new_object();
    json_set_text(element, "name", name);
    json_append(list, element);
    return element;
}

static void texts_replace(struct json *object, const char *key, const struct text_list *texts) {
    struct json *list = json_new_array();
    for (size_t i = 0; i < texts->count; i++)
        json_append_text(list, texts->items[i]);
    json_set(object, key, list);
}

static void texts_add(struct json *object, const char *key, const struct text_list *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        struct json *list = array(object, key);
        bool there = false;
        for (size_t j = 0; j < json_count(list); j++)
            there = there || text_equal(json_text(json_at(list, j)), texts->items[i]);
        if (!there)
            json_append_text(list, texts->items[i]);
    }
}

/* ---- variables and secrets ---- */

static bool has_name(const struct text_list *pairs, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < pairs->count; i++)
        if (strncmp(pairs->items[i], name, length) == 0 && (pairs->items[i][length] == '=' || !pairs->items[i][length]))
            return true;
    return false;
}

static void remove_environment(struct json *container, const struct run_settings *settings) {
    struct json *environment = json_get(container, "env");
    for (size_t i = json_count(environment); i-- > 0;) {
        const struct json *entry = json_at(environment, i);
        const char *name = json_get_text(entry, "name", "");
        bool replaced =
            settings->replace_environment && !json_get(entry, "valueSource") && !has_name(&settings->environment, name);
        if (replaced || has_name(&settings->removed_environment, name))
            json_remove_at(environment, i);
    }
}

static void put_environment(struct json *container, const struct text_list *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        AUTO_FREE char *name = text_copy_length(pairs->items[i], (size_t)(equals - pairs->items[i]));
        struct json *entry = named(array(container, "env"), name);
        json_remove(entry, "valueSource");
        json_set_text(entry, "value", equals + 1);
    }
}

static void put_secret_variable(struct json *container, const char *name, const char *secret, const char *version) {
    struct json *entry = named(array(container, "env"), name);
    struct json *source = json_new_object();
    json_set_text(json_need_object(source, "secretKeyRef"), "secret", secret);
    json_set_text(json_need_object(source, "secretKeyRef"), "version", version);
    json_remove(entry, "value");
    json_set(entry, "valueSource", source);
}

/* What is mounted at a path. NULL: nothing. */
static const char *mounted_at(struct json *container, const char *path) {
    const struct json *mounts = json_get(container, "volumeMounts");
    for (size_t i = 0; i < json_count(mounts); i++)
        if (text_equal(json_get_text(json_at(mounts, i), "mountPath", NULL), path))
            return json_get_text(json_at(mounts, i), "name", NULL);
    return NULL;
}

static void mount(struct json *container, const char *volume, const char *path) {
    if (mounted_at(container, path))
        return;
    struct json *entry = json_new_object();
    json_set_text(entry, "name", volume);
    json_set_text(entry, "mountPath", path);
    json_append(array(container, "volumeMounts"), entry);
}

/* One volume for each directory, named by it: "/secrets/api" is "secret-secrets-api". */
static void put_secret_file(struct json *template, struct json *container, const char *path, const char *secret,
                            const char *version) {
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = text_copy_length(path, (size_t)(slash - path));
    AUTO_FREE char *own = text_format("secret%.50s", directory);
    for (char *at = own; *at; at++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789", *at))
            *at = '-';
    const char *there = mounted_at(container, directory);
    struct json *volume = named(array(template, "volumes"), there ? there : own);
    struct json *items = json_new_array(), *item = json_new_object(), *source = json_new_object();
    json_set_text(item, "path", slash + 1);
    json_set_text(item, "version", version);
    json_append(items, item);
    json_set_text(source, "secret", secret);
    json_set(source, "items", items);
    json_set(volume, "secret", source);
    mount(container, json_get_text(volume, "name", ""), directory);
}

static void put_secrets(struct json *template, struct json *container, const struct text_list *secrets) {
    for (size_t i = 0; i < secrets->count; i++) {
        const char *equals = strchr(secrets->items[i], '='), *colon = strrchr(equals, ':');
        AUTO_FREE char *name = text_copy_length(secrets->items[i], (size_t)(equals - secrets->items[i]));
        AUTO_FREE char *secret =
            text_copy_length(equals + 1, colon ? (size_t)(colon - equals - 1) : strlen(equals + 1));
        const char *version = colon ? colon + 1 : "latest";
        if (*name == '/')
            put_secret_file(template, container, name, secret, version);
        else
            put_secret_variable(container, name, secret, version);
    }
}

/* ---- labels ---- */

static void put_pairs(struct json *object, const char *key, const struct text_list *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        AUTO_FREE char *name = text_copy_length(pairs->items[i], (size_t)(equals - pairs->items[i]));
        json_set_text(json_need_object(object, key), name, equals + 1);
    }
}

/* "2Gi", "512Mi", as people write it. */
static char *memory_text(int64_t bytes) {
    if (bytes % GIBI == 0)
        return text_format("%lldGi", (long long)(bytes / GIBI));
    if (bytes % MEBI == 0)
        return text_format("%lldMi", (long long)(bytes / MEBI));
    return text_format("%lld", (long long)bytes);
}

/* ---- the container ---- */

static void put_resources(struct json *container, const struct run_settings *settings) {
    if (!settings->cpu && settings->memory == -1 && settings->cpu_throttling == -1 && settings->cpu_boost == -1 &&
        settings->gpus == -1)
        return;
    /* Without cpuIdle a service that names its resources is billed all the time. */
    if (!json_is_object(json_get(container, "resources")))
        json_set_bool(json_need_object(container, "resources"), "cpuIdle", true);
    struct json *resources = json_get(container, "resources");
    if (settings->cpu_throttling != -1)
        json_set_bool(resources, "cpuIdle", settings->cpu_throttling == 1);
    if (settings->cpu_boost != -1)
        json_set_bool(resources, "startupCpuBoost", settings->cpu_boost == 1);
    if (settings->cpu)
        json_set_text(json_need_object(resources, "limits"), "cpu", settings->cpu);
    if (settings->memory != -1) {
        AUTO_FREE char *text = memory_text(settings->memory);
        json_set_text(json_need_object(resources, "limits"), "memory", text);
    }
    if (settings->gpus != -1) {
        AUTO_FREE char *text = text_format("%lld", settings->gpus);
        json_set_text(json_need_object(resources, "limits"), "nvidia.com/gpu", text);
    }
}

static void put_port(struct json *container, const struct run_settings *settings) {
    if (settings->port == -1 && settings->http2 == -1)
        return;
    struct json *ports = array(container, "ports");
    if (json_count(ports) == 0)
        json_append(ports, json_new_object());
    struct json *port = json_at(ports, 0);
    if (settings->port != -1)
        json_set_integer(port, "containerPort", settings->port);
    else if (!json_get(port, "containerPort"))
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

static void put_container(struct json *template, struct json *container, const struct run_settings *settings) {
    json_set_text(container, "image", settings->image);
    put_port(container, settings);
    put_resources(container, settings);
    remove_environment(container, settings);
    put_environment(container, &settings->environment);
    put_secrets(template, container, &settings->secrets);
    if (settings->command.count > 0)
        texts_replace(container, "command", &settings->command);
    if (settings->arguments.count > 0)
        texts_replace(container, "args", &settings->arguments);
    if (settings->working_directory)
        json_set_text(container, "workingDir", settings->working_directory);
    put_probe(container, "startupProbe", settings->startup_probe);
    put_probe(container, "livenessProbe", settings->liveness_probe);
}

/* ---- the revision ---- */

static void put_network(struct json *template, const struct run_settings *settings) {
    bool direct = settings->network || settings->subnet;
    if (settings->vpc_connector) {
        json_remove(json_need_object(template, "vpcAccess"), "networkInterfaces");
        json_set_text(json_need_object(template, "vpcAccess"), "connector", settings->vpc_connector);
    }
    if (direct) {
        struct json *interface = json_new_object(), *list = json_new_array();
        json_set_text(interface, "network", settings->network);
        json_set_text(interface, "subnetwork", settings->subnet);
        if (settings->network_tags.count > 0)
            texts_replace(interface, "tags", &settings->network_tags);
        json_append(list, interface);
        json_remove(json_need_object(template, "vpcAccess"), "connector");
        json_set(json_need_object(template, "vpcAccess"), "networkInterfaces", list);
    }
    if (settings->vpc_egress)
        json_set_text(json_need_object(template, "vpcAccess"), "egress",
                      text_equal(settings->vpc_egress, "all-traffic") ? "ALL_TRAFFIC" : "PRIVATE_RANGES_ONLY");
}

/* The volume that holds Cloud SQL instances already, or one of our own. */
static void put_cloudsql(struct json *template, struct json *container, const struct text_list *instances) {
    if (instances->count == 0)
        return;
    struct json *volumes = array(template, "volumes"), *volume = NULL;
    for (size_t i = 0; i < json_count(volumes) && !volume; i++)
        if (json_get(json_at(volumes, i), "cloudSqlInstance"))
            volume = json_at(volumes, i);
    volume = volume ? volume : named(volumes, "cloudsql");
    texts_add(json_need_object(volume, "cloudSqlInstance"), "instances", instances);
    mount(container, json_get_text(volume, "name", ""), "/cloudsql");
}

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
    if (settings->service_account)
        json_set_text(template, "serviceAccount", settings->service_account);
    if (settings->execution_environment)
        json_set_text(template, "executionEnvironment",
                      text_equal(settings->execution_environment, "gen1") ? "EXECUTION_ENVIRONMENT_GEN1"
                                                                          : "EXECUTION_ENVIRONMENT_GEN2");
    if (settings->session_affinity != -1)
        json_set_bool(template, "sessionAffinity", settings->session_affinity == 1);
    if (settings->gpu_type)
        json_set_text(json_need_object(template, "nodeSelector"), "accelerator", settings->gpu_type);
    put_network(template, settings);
    put_pairs(template, "labels", &settings->labels);
    put_pairs(template, "annotations", &settings->annotations);
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
    put_container(template, container, settings);
    put_cloudsql(template, container, &settings->cloudsql_instances);
    put_template(template, settings);
    put_pairs(service, "labels", &settings->labels);
    texts_add(service, "customAudiences", &settings->audiences);
    if (settings->description)
        json_set_text(service, "description", settings->description);
    if (settings->ingress)
        json_set_text(service, "ingress", ingress_value(settings->ingress));
    if (settings->invoker_check != -1)
        json_set_bool(service, "invokerIamDisabled", settings->invoker_check == 0);
    if (settings->service_min_instances != -1)
        json_set_integer(json_need_object(service, "scaling"), "minInstanceCount", settings->service_min_instances);
}
