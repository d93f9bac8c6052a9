/* What the settings of a workload make of a template. */
#include "gcp/run/workload.h"

#include <string.h>

enum { MEBI = 1 << 20, GIBI = 1 << 30 };

struct json *run_named(struct json *list, const char *name) {
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

void run_texts_add(struct json *object, const char *key, const struct text_list *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        struct json *list = json_need_array(object, key);
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

static void remove_environment(struct json *container, const struct run_workload *workload) {
    struct json *environment = json_get(container, "env");
    for (size_t i = json_count(environment); i-- > 0;) {
        const struct json *entry = json_at(environment, i);
        const char *name = json_get_text(entry, "name", "");
        bool replaced =
            workload->replace_environment && !json_get(entry, "valueSource") && !has_name(&workload->environment, name);
        if (replaced || has_name(&workload->removed_environment, name))
            json_remove_at(environment, i);
    }
}

static void put_environment(struct json *container, const struct text_list *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        AUTO_FREE char *name = text_copy_length(pairs->items[i], (size_t)(equals - pairs->items[i]));
        struct json *entry = run_named(json_need_array(container, "env"), name);
        json_remove(entry, "valueSource");
        json_set_text(entry, "value", equals + 1);
    }
}

static void put_secret_variable(struct json *container, const char *name, const char *secret, const char *version) {
    struct json *entry = run_named(json_need_array(container, "env"), name);
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
    json_append(json_need_array(container, "volumeMounts"), entry);
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
    struct json *volume = run_named(json_need_array(template, "volumes"), there ? there : own);
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

void run_pairs_apply(struct json *object, const char *key, const struct text_list *pairs) {
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

bool run_workload_names_resources(const struct run_workload *workload) {
    return workload->cpu || workload->memory != -1 || workload->gpus != -1;
}

static void put_resources(struct json *container, const struct run_workload *workload) {
    if (!run_workload_names_resources(workload))
        return;
    struct json *resources = json_need_object(container, "resources");
    if (workload->cpu)
        json_set_text(json_need_object(resources, "limits"), "cpu", workload->cpu);
    if (workload->memory != -1) {
        AUTO_FREE char *text = memory_text(workload->memory);
        json_set_text(json_need_object(resources, "limits"), "memory", text);
    }
    if (workload->gpus != -1) {
        AUTO_FREE char *text = text_format("%lld", workload->gpus);
        json_set_text(json_need_object(resources, "limits"), "nvidia.com/gpu", text);
    }
}

/* The one interface that Cloud Run has: what is not named of it stays, but a subnet is one of its network. */
static void put_interface(struct json *access, const struct run_workload *workload) {
    struct json *list = json_need_array(access, "networkInterfaces");
    if (json_count(list) == 0)
        json_append(list, json_new_object());
    struct json *interface = json_at(list, 0);
    if (workload->network && !text_equal(workload->network, json_get_text(interface, "network", NULL)))
        json_remove(interface, "subnetwork");
    if (workload->network)
        json_set_text(interface, "network", workload->network);
    if (workload->subnet)
        json_set_text(interface, "subnetwork", workload->subnet);
    if (workload->network_tags.count > 0)
        texts_replace(interface, "tags", &workload->network_tags);
    json_remove(access, "connector");
}

static void put_network(struct json *template, const struct run_workload *workload) {
    if (workload->vpc_connector) {
        json_remove(json_need_object(template, "vpcAccess"), "networkInterfaces");
        json_set_text(json_need_object(template, "vpcAccess"), "connector", workload->vpc_connector);
    }
    if (workload->network || workload->subnet || workload->network_tags.count > 0)
        put_interface(json_need_object(template, "vpcAccess"), workload);
    if (workload->vpc_egress)
        json_set_text(json_need_object(template, "vpcAccess"), "egress",
                      text_equal(workload->vpc_egress, "all-traffic") ? "ALL_TRAFFIC" : "PRIVATE_RANGES_ONLY");
}

/* The volume that holds Cloud SQL instances already, or one of our own. */
static void put_cloudsql(struct json *template, struct json *container, const struct text_list *instances) {
    if (instances->count == 0)
        return;
    struct json *volumes = json_need_array(template, "volumes"), *volume = NULL;
    for (size_t i = 0; i < json_count(volumes) && !volume; i++)
        if (json_get(json_at(volumes, i), "cloudSqlInstance"))
            volume = json_at(volumes, i);
    volume = volume ? volume : run_named(volumes, "cloudsql");
    run_texts_add(json_need_object(volume, "cloudSqlInstance"), "instances", instances);
    mount(container, json_get_text(volume, "name", ""), "/cloudsql");
}

static void put_container(struct json *template, struct json *container, const struct run_workload *workload) {
    if (workload->image)
        json_set_text(container, "image", workload->image);
    put_resources(container, workload);
    remove_environment(container, workload);
    put_environment(container, &workload->environment);
    put_secrets(template, container, &workload->secrets);
    if (workload->command.count > 0)
        texts_replace(container, "command", &workload->command);
    if (workload->arguments.count > 0)
        texts_replace(container, "args", &workload->arguments);
    if (workload->working_directory)
        json_set_text(container, "workingDir", workload->working_directory);
}

void run_workload_apply(const struct run_workload *workload, struct json *template, struct json *container) {
    put_container(template, container, workload);
    put_cloudsql(template, container, &workload->cloudsql_instances);
    if (workload->service_account)
        json_set_text(template, "serviceAccount", workload->service_account);
    if (workload->execution_environment)
        json_set_text(template, "executionEnvironment",
                      text_equal(workload->execution_environment, "gen1") ? "EXECUTION_ENVIRONMENT_GEN1"
                                                                          : "EXECUTION_ENVIRONMENT_GEN2");
    if (workload->gpu_type)
        json_set_text(json_need_object(template, "nodeSelector"), "accelerator", workload->gpu_type);
    put_network(template, workload);
}
