/* What the options of sidecars and volumes make of a template. */
#include "gcp/run/containers.h"
#include "gcp/run/settings.h"

enum { DEFAULT_PORT = 8080 };

#define SERVING_NAME "app"

static void remove_named(struct json *list, const char *key, const char *name) {
    for (size_t i = json_count(list); i-- > 0;)
        if (text_equal(json_get_text(json_at(list, i), key, NULL), name))
            json_remove_at(list, i);
}

/* ---- volumes ---- */

static void remove_volumes(struct json *template, const struct text_list *names) {
    const struct json *all = json_get(template, "containers");
    for (size_t i = 0; i < names->count; i++) {
        remove_named(json_get(template, "volumes"), "name", names->items[i]);
        for (size_t j = 0; j < json_count(all); j++)
            remove_named(json_get(json_at(all, j), "volumeMounts"), "name", names->items[i]);
    }
}

static void put_volumes(struct json *template, const struct text_list *volumes) {
    for (size_t i = 0; i < volumes->count; i++) {
        struct json *volume = run_volume_parse(volumes->items[i], NULL);
        struct json *list = json_need_array(template, "volumes");
        remove_named(list, "name", json_get_text(volume, "name", ""));
        json_append(list, volume);
    }
}

/* What was mounted at a path before gives way. */
static void put_mounts(struct json *container, const struct text_list *mounts) {
    for (size_t i = 0; i < mounts->count; i++) {
        AUTO_FREE char *name = NULL, *path = NULL;
        if (run_mount_parse(mounts->items[i], &name, &path, NULL) < 0)
            continue;
        struct json *mount = json_new_object(), *list = json_need_array(container, "volumeMounts");
        remove_named(list, "mountPath", path);
        json_set_text(mount, "name", name);
        json_set_text(mount, "mountPath", path);
        json_append(list, mount);
    }
}

/* ---- sidecars ---- */

static void put_probe(struct json *container, const char *key, const char *text) {
    struct json *probe = text_is_empty(text) ? NULL : run_probe_parse(text, NULL);
    if (text)
        json_remove(container, key);
    if (probe)
        json_set(container, key, probe);
}

static void put_sidecar(struct json *template, const struct run_sidecar *sidecar) {
    struct json *container = run_named(json_need_array(template, "containers"), sidecar->name);
    if (sidecar->image)
        json_set_text(container, "image", sidecar->image);
    if (run_workload_names_resources(&sidecar->workload) && !json_get(container, "resources"))
        json_set_bool(json_need_object(container, "resources"), "cpuIdle", true);
    run_workload_apply(&sidecar->workload, template, container);
    put_probe(container, "startupProbe", sidecar->startup_probe);
    put_probe(container, "livenessProbe", sidecar->liveness_probe);
    put_mounts(container, &sidecar->mounts);
    run_texts_add(container, "dependsOn", &sidecar->dependencies);
}

/* The serving container is none. */
static void remove_sidecars(struct json *template, const struct json *serving, const struct text_list *names) {
    struct json *all = json_get(template, "containers");
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal(json_get_text(serving, "name", NULL), names->items[i]))
            continue;
        remove_named(all, "name", names->items[i]);
        for (size_t j = 0; j < json_count(all); j++) {
            struct json *others = json_get(json_at(all, j), "dependsOn");
            for (size_t k = json_count(others); k-- > 0;)
                if (text_equal(json_text(json_at(others, k)), names->items[i]))
                    json_remove_at(others, k);
        }
    }
}

/* Where there are several, each has a name, and only the serving one has a port. */
static void distinguish(const struct json *template, struct json *serving) {
    if (json_count(json_get(template, "containers")) < 2)
        return;
    if (!json_get(serving, "name"))
        json_set_text(serving, "name", SERVING_NAME);
    if (json_count(json_get(serving, "ports")) > 0)
        return;
    struct json *port = json_new_object();
    json_set_integer(port, "containerPort", DEFAULT_PORT);
    json_append(json_need_array(serving, "ports"), port);
}

void run_volumes_apply(const struct run_volumes *volumes, struct json *template, struct json *container) {
    remove_volumes(template, &volumes->removed);
    put_volumes(template, &volumes->added);
    put_mounts(container, &volumes->mounts);
}

void run_containers_apply(const struct run_containers *containers, struct json *template, struct json *serving) {
    remove_sidecars(template, serving, &containers->removed_sidecars);
    run_volumes_apply(&containers->volumes, template, serving);
    for (size_t i = 0; i < containers->sidecars.count; i++) {
        AUTO_SIDECAR struct run_sidecar sidecar = {0};
        if (run_sidecar_read(containers, i, &sidecar, NULL) == 0)
            put_sidecar(template, &sidecar);
    }
    run_texts_add(serving, "dependsOn", &containers->dependencies);
    distinguish(template, serving);
}
