#include "local/knative/pod.h"

#include "common/base/text.h"

#include <string.h>
#include <strings.h>

#define RUN "run.googleapis.com/"

enum { ANNOTATION_LIMIT = 64 << 10 };

static const struct mapping_row spec_rows[] = {
    {"serviceAccountName", "serviceAccount", MAP_SAME, NULL},
    {"timeoutSeconds", "timeout", MAP_SECONDS, NULL},
    {"containerConcurrency", "maxInstanceRequestConcurrency", MAP_SAME, NULL},
    {"maxRetries", "maxRetries", MAP_SAME, NULL},
    {0}};

/* The one that takes requests: it has a port, or is the only one. */
static struct json *ingress_container(const struct json *containers) {
    for (size_t i = 0; i < json_count(containers); i++)
        if (json_count(json_get(json_at(containers, i), "ports")))
            return json_at(containers, i);
    return json_at(containers, 0);
}

static bool annotation_is(const struct json *annotations, const char *key, const char *value) {
    const char *text = json_get_text(annotations, key, NULL);
    return text && strcasecmp(text, value) == 0;
}

/* The value of an annotation that holds JSON, or NULL. */
static struct json *annotation_json(const struct json *annotations, const char *key, const char *where,
                                    struct error *error) {
    const char *text = json_get_text(annotations, key, NULL);
    if (!text)
        return NULL;
    struct json *value = json_parse(text, strlen(text), key, error);
    if (!json_is_object(value)) {
        json_release(&value);
        error_set(error, ERROR_DATA, "%s: Annotation '%s' must be a JSON object", where, key);
    }
    return value;
}

/* ---- to v2 ---- */

static int containers_to_run(const struct json *spec, const char *aliases, const char *where, struct json *template,
                             struct error *error) {
    const struct json *containers = json_get(spec, "containers"), *volumes = json_get(spec, "volumes");
    struct json *made = json_new_array();
    for (size_t i = 0; i < json_count(containers); i++)
        json_append(made, container_to_run(json_at(containers, i), aliases));
    json_set(template, "containers", made);
    for (size_t i = 0; i < json_count(volumes); i++) {
        AUTO_FREE char *place = text_format("%s.volumes[%zu]", where, i);
        struct json *volume = volume_to_run(json_at(volumes, i), aliases, place, error);
        if (!volume)
            return -1;
        if (i == 0)
            json_set(template, "volumes", json_new_array());
        json_append(json_get(template, "volumes"), volume);
    }
    return 0;
}

/* At Google an annotation, too, stands for a volume of this name. */
static void databases_to_run(const struct json *annotations, struct json *template) {
    static const struct mapping_row row = {"", "cloudSqlInstance.instances", MAP_LIST, NULL};
    const struct json *instances = json_get(annotations, RUN "cloudsql-instances");
    struct json *container = ingress_container(json_get(template, "containers"));
    struct json *volume = json_new_object(), *mount = json_new_object();
    json_set_text(volume, "name", "cloudsql");
    json_set_text(mount, "name", "cloudsql");
    json_set_text(mount, "mountPath", "/cloudsql");
    if (!container || text_is_empty(json_text(instances)) || mapping_to_run(&row, instances, volume, NULL) < 0) {
        json_release(&volume);
        json_release(&mount);
        return;
    }
    if (!json_get(template, "volumes"))
        json_set(template, "volumes", json_new_array());
    if (!json_get(container, "volumeMounts"))
        json_set(container, "volumeMounts", json_new_array());
    json_append(json_get(template, "volumes"), volume);
    json_append(json_get(container, "volumeMounts"), mount);
}

/* v1 says of the whole pod what v2 says of each container; unlike v2, v1 does not change its mind about CPU because
 * something is said about memory. */
static void resources_to_run(const struct json *annotations, struct json *template) {
    const struct json *containers = json_get(template, "containers");
    bool idle = !annotation_is(annotations, RUN "cpu-throttling", "false");
    bool boost = annotation_is(annotations, RUN "startup-cpu-boost", "true");
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *resources = json_need_object(json_at(containers, i), "resources");
        if (idle)
            json_set_bool(resources, "cpuIdle", true);
        if (boost)
            json_set_bool(resources, "startupCpuBoost", true);
    }
}

static int by_container_to_run(const struct json *annotations, const char *key, const char *field, const char *where,
                               const struct json *template, struct error *error) {
    const struct json *containers = json_get(template, "containers");
    struct error wrong = {0};
    AUTO_JSON struct json *values = annotation_json(annotations, key, where, &wrong);
    if (wrong.kind)
        return error_set(error, ERROR_DATA, "%s", wrong.text);
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *container = json_at(containers, i);
        const struct json *value = json_get(values, json_get_text(container, "name", ""));
        if (value)
            json_set(container, field, json_copy_deep(value));
    }
    return 0;
}

int pod_to_run(const struct annotation_kind *kind, const struct json *metadata, const struct json *spec,
               const char *where, struct json *template, struct json *labelled, struct error *error) {
    const struct json *annotations = json_get(metadata, "annotations");
    const char *accelerator = json_get_text(json_get(spec, "nodeSelector"), RUN "accelerator", NULL);
    if (metadata_to_run(kind, metadata, template, labelled, error) < 0 ||
        mapping_fields_to_run(spec_rows, spec, template, where, error) < 0 ||
        containers_to_run(spec, json_get_text(annotations, RUN "secrets", NULL), where, template, error) < 0)
        return -1;
    databases_to_run(annotations, template);
    resources_to_run(annotations, template);
    if (accelerator)
        json_set_text(json_need_object(template, "nodeSelector"), "accelerator", accelerator);
    return by_container_to_run(annotations, RUN "container-dependencies", "dependsOn", kind->where, template, error) < 0
               ? -1
               : by_container_to_run(annotations, RUN "base-images", "baseImageUri", kind->where, template, error);
}

/* ---- to v1 ---- */

static bool is_database(const struct json *volumes, const char *name) {
    for (size_t i = 0; i < json_count(volumes); i++)
        if (text_equal(json_get_text(json_at(volumes, i), "name", NULL), name))
            return json_get(json_at(volumes, i), "cloudSqlInstance") != NULL;
    return false;
}

static void drop_database_mounts(const struct json *volumes, struct json *container) {
    struct json *mounts = json_get(container, "volumeMounts");
    for (size_t i = json_count(mounts); i-- > 0;)
        if (is_database(volumes, json_get_text(json_at(mounts, i), "name", NULL)))
            json_remove_at(mounts, i);
    if (mounts && json_count(mounts) == 0)
        json_remove(container, "volumeMounts");
}

static void volumes_to_knative(const struct json *template, struct json *aliases, struct json *annotations,
                               struct json *spec) {
    const struct json *volumes = json_get(template, "volumes");
    AUTO_BUFFER struct buffer databases = BUFFER(ANNOTATION_LIMIT);
    struct json *made = json_new_array();
    for (size_t i = 0; i < json_count(volumes); i++) {
        const struct json *instances = json_get_path(json_at(volumes, i), "cloudSqlInstance.instances");
        struct json *volume = volume_to_knative(json_at(volumes, i), aliases);
        for (size_t j = 0; j < json_count(instances); j++)
            buffer_append_format(&databases, "%s%s", databases.length ? "," : "", json_text(json_at(instances, j)));
        if (volume)
            json_append(made, volume);
    }
    if (databases.length)
        json_set_text(annotations, RUN "cloudsql-instances", buffer_text(&databases));
    if (json_count(made))
        json_set(spec, "volumes", made);
    else
        json_release(&made);
}

static void resources_to_knative(const struct json *containers, struct json *annotations) {
    bool boost = false, idle = true;
    for (size_t i = 0; i < json_count(containers); i++) {
        const struct json *resources = json_get(json_at(containers, i), "resources");
        boost = boost || json_get_bool(resources, "startupCpuBoost", false);
        idle = idle && json_get_bool(resources, "cpuIdle", resources == NULL);
    }
    if (boost)
        json_set_text(annotations, RUN "startup-cpu-boost", "true");
    if (!idle)
        json_set_text(annotations, RUN "cpu-throttling", "false");
}

static void by_container_to_knative(const struct json *containers, const char *field, const char *key,
                                    struct json *annotations) {
    AUTO_JSON struct json *values = json_new_object();
    for (size_t i = 0; i < json_count(containers); i++) {
        const struct json *value = json_get(json_at(containers, i), field);
        if (value)
            json_set(values, json_get_text(json_at(containers, i), "name", ""), json_copy_deep(value));
    }
    AUTO_FREE char *text = json_format(values, JSON_COMPACT_STYLE);
    if (json_count(values))
        json_set_text(annotations, key, text);
}

void pod_to_knative(const struct annotation_kind *kind, const struct json *template, const struct json *labelled,
                    struct json *metadata, struct json *spec) {
    const struct json *containers = json_get(template, "containers");
    const char *accelerator = json_get_text(json_get(template, "nodeSelector"), "accelerator", NULL);
    AUTO_JSON struct json *aliases = json_new_object();
    struct json *made = json_new_array();
    metadata_to_knative(kind, template, labelled, metadata);
    struct json *annotations = json_get(metadata, "annotations");
    mapping_to_knative(spec_rows, template, spec);
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *container = container_to_knative(json_at(containers, i), aliases);
        drop_database_mounts(json_get(template, "volumes"), container);
        json_append(made, container);
    }
    json_set(spec, "containers", made);
    volumes_to_knative(template, aliases, annotations, spec);
    resources_to_knative(containers, annotations);
    by_container_to_knative(containers, "dependsOn", RUN "container-dependencies", annotations);
    by_container_to_knative(containers, "baseImageUri", RUN "base-images", annotations);
    if (accelerator)
        json_set_text(json_need_object(spec, "nodeSelector"), RUN "accelerator", accelerator);
    AUTO_FREE char *text = aliases_text(aliases);
    if (text)
        json_set_text(annotations, RUN "secrets", text);
}
