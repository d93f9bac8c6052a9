#include "common/base/text.h"
#include "local/knative/pod.h"

/* What both call the same. */
static const struct mapping_row container_rows[] = {{"name", "name", MAP_SAME, NULL},
                                                    {"image", "image", MAP_SAME, NULL},
                                                    {"command", "command", MAP_SAME, NULL},
                                                    {"args", "args", MAP_SAME, NULL},
                                                    {"workingDir", "workingDir", MAP_SAME, NULL},
                                                    {"livenessProbe", "livenessProbe", MAP_SAME, NULL},
                                                    {"readinessProbe", "readinessProbe", MAP_SAME, NULL},
                                                    {"startupProbe", "startupProbe", MAP_SAME, NULL},
                                                    {0}};
static const struct mapping_row mount_rows[] = {{"name", "name", MAP_SAME, NULL},
                                                {"mountPath", "mountPath", MAP_SAME, NULL},
                                                {"subPath", "subPath", MAP_SAME, NULL},
                                                {0}};
static const struct mapping_row port_rows[] = {
    {"name", "name", MAP_SAME, NULL}, {"containerPort", "containerPort", MAP_SAME, NULL}, {0}};

/* Rows that only copy cannot fail. */
static void copy_fields(const struct mapping_row *rows, const struct json *from, struct json *to) {
    for (; rows->knative; rows++)
        if (json_get(from, rows->knative))
            json_set(to, rows->run, json_copy_deep(json_get(from, rows->knative)));
}

static void copy_list(const struct mapping_row *rows, const struct json *from, const char *key, struct json *to) {
    const struct json *list = json_get(from, key);
    struct json *made = json_new_array();
    for (size_t i = 0; i < json_count(list); i++) {
        struct json *element = json_new_object();
        copy_fields(rows, json_at(list, i), element);
        json_append(made, element);
    }
    if (json_count(made))
        json_set(to, key, made);
    else
        json_release(&made);
}

/* ---- variables ---- */

static struct json *variable_to_run(const struct json *variable, const char *aliases) {
    struct json *made = json_new_object();
    const struct json *key = json_get_path(variable, "valueFrom.secretKeyRef");
    json_set_text(made, "name", json_get_text(variable, "name", NULL));
    if (key) {
        struct json *reference = json_new_object();
        const char *name = json_get_text(key, "name", json_get_text(json_get(key, "localObjectReference"), "name", ""));
        AUTO_FREE char *secret = secret_of_alias(aliases, name);
        json_set_text(reference, "secret", secret);
        json_set_text(reference, "version", json_get_text(key, "key", NULL));
        json_set_path(made, "valueSource.secretKeyRef", reference);
    } else {
        json_set_text(made, "value", json_get_text(variable, "value", ""));
    }
    return made;
}

static struct json *variable_to_knative(const struct json *variable, struct json *aliases) {
    struct json *made = json_new_object();
    const struct json *key = json_get_path(variable, "valueSource.secretKeyRef");
    json_set_text(made, "name", json_get_text(variable, "name", NULL));
    if (key) {
        struct json *reference = json_new_object();
        AUTO_FREE char *name = alias_of_secret(json_get_text(key, "secret", ""), aliases);
        json_set_text(reference, "key", json_get_text(key, "version", "latest"));
        json_set_text(reference, "name", name);
        json_set_path(made, "valueFrom.secretKeyRef", reference);
    } else {
        json_set_text(made, "value", json_get_text(variable, "value", ""));
    }
    return made;
}

/* ---- the container ---- */

/* Headers of probes have a port in v2, and none in v1. */
static void drop_header_ports(struct json *container) {
    static const char *const lists[] = {"startupProbe", "livenessProbe", "readinessProbe"};
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        const struct json *headers = json_get_path(json_get(container, lists[i]), "httpGet.httpHeaders");
        for (size_t j = 0; j < json_count(headers); j++)
            json_remove(json_at(headers, j), "port");
    }
}

struct json *container_to_run(const struct json *container, const char *aliases) {
    struct json *made = json_new_object(), *variables = json_new_array();
    const struct json *env = json_get(container, "env"), *limits = json_get_path(container, "resources.limits");
    copy_fields(container_rows, container, made);
    copy_list(port_rows, container, "ports", made);
    copy_list(mount_rows, container, "volumeMounts", made);
    for (size_t i = 0; i < json_count(env); i++)
        json_append(variables, variable_to_run(json_at(env, i), aliases));
    if (json_count(variables))
        json_set(made, "env", variables);
    else
        json_release(&variables);
    if (json_count(limits))
        json_set_path(made, "resources.limits", json_copy_deep(limits));
    return made;
}

struct json *container_to_knative(const struct json *container, struct json *aliases) {
    struct json *made = json_new_object(), *variables = json_new_array();
    const struct json *env = json_get(container, "env"), *limits = json_get_path(container, "resources.limits");
    copy_fields(container_rows, container, made);
    drop_header_ports(made);
    copy_list(port_rows, container, "ports", made);
    copy_list(mount_rows, container, "volumeMounts", made);
    for (size_t i = 0; i < json_count(env); i++)
        json_append(variables, variable_to_knative(json_at(env, i), aliases));
    if (json_count(variables))
        json_set(made, "env", variables);
    else
        json_release(&variables);
    if (json_count(limits))
        json_set_path(made, "resources.limits", json_copy_deep(limits));
    return made;
}
