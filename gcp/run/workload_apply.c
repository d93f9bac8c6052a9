/* What the settings of a workload make of a template. */
#include "gcp/run/workload_internal.h"

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

/* One that is empty: none. */
static void texts_replace(struct json *object, const char *key, const struct text_list *texts) {
    if (texts->count == 1 && !*texts->items[0]) {
        json_remove(object, key);
        return;
    }
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

void run_texts_remove(struct json *object, const char *key, const struct text_list *removed, bool replace,
                      const struct text_list *named) {
    struct json *list = json_get(object, key);
    for (size_t i = json_count(list); i-- > 0;) {
        const char *text = json_text(json_at(list, i));
        if (text && (text_list_contains(removed, text) || (replace && !text_list_contains(named, text))))
            json_remove_at(list, i);
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
        bool secret = json_get(entry, "valueSource") != NULL;
        bool replaced = secret ? workload->replace_secrets && !has_name(&workload->secrets, name)
                               : workload->replace_environment && !has_name(&workload->environment, name);
        if (replaced || has_name(&workload->removed_environment, name) ||
            (secret && has_name(&workload->removed_secrets, name)))
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

void run_labels_apply(struct json *object, const struct run_workload *workload) {
    struct json *labels = json_get(object, "labels");
    AUTO_LIST struct text_list going = {0};
    for (void *i = json_first(labels); i; i = json_next(labels, i))
        if (text_list_contains(&workload->removed_labels, json_key(i)) ||
            (workload->replace_labels && !has_name(&workload->labels, json_key(i))))
            text_list_add(&going, json_key(i));
    for (size_t i = 0; i < going.count; i++)
        json_remove(labels, going.items[i]);
    run_pairs_apply(object, "labels", &workload->labels);
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

bool run_workload_takes_away(const struct run_workload *workload) {
    const struct text_list *const removed[] = {&workload->removed_environment, &workload->removed_secrets,
                                               &workload->removed_labels, &workload->removed_cloudsql_instances};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++)
        if (removed[i]->count > 0)
            return true;
    return workload->replace_environment || workload->replace_secrets || workload->replace_labels ||
           workload->replace_cloudsql_instances || workload->no_vpc || workload->encryption_key;
}

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
    if (workload->no_vpc)
        json_remove(template, "vpcAccess");
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

static void put_key(struct json *template, const struct run_workload *workload) {
    if (workload->encryption_key && !*workload->encryption_key) {
        json_remove(template, "encryptionKey");
        json_remove(template, "encryptionKeyRevocationAction");
        json_remove(template, "encryptionKeyShutdownDuration");
    } else if (workload->encryption_key)
        json_set_text(template, "encryptionKey", workload->encryption_key);
}

static void put_container(struct json *template, struct json *container, const struct run_workload *workload) {
    if (workload->image)
        json_set_text(container, "image", workload->image);
    put_resources(container, workload);
    remove_environment(container, workload);
    remove_secret_files(template, container, workload);
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
    put_databases(template, container, workload);
    put_key(template, workload);
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
