/* What is mounted in a container: files of secrets, and the sockets of Cloud SQL. */
#include "gcp/run/workload_internal.h"

#include <string.h>

/* What is mounted at a path. NULL: nothing. */
static const char *mounted_at(const struct json *container, const char *path) {
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

/* The volume that is mounted at a path; made and mounted when there is none, as "KIND-a-b" for "/a/b". */
static struct json *volume_at(struct json *template, struct json *container, const char *kind, const char *path) {
    const char *there = mounted_at(container, path);
    AUTO_FREE char *own = text_format("%s%.50s", kind, path);
    for (char *at = own; *at; at++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789", *at))
            *at = '-';
    struct json *volume = run_named(json_need_array(template, "volumes"), there ? there : own);
    mount(container, json_get_text(volume, "name", ""), path);
    return volume;
}

/* ---- taking away ---- */

static void drop_elements(struct json *object, const char *list, const char *key, const char *value) {
    struct json *elements = json_get(object, list);
    for (size_t i = json_count(elements); i-- > 0;)
        if (text_equal(json_get_text(json_at(elements, i), key, NULL), value))
            json_remove_at(elements, i);
    if (elements && json_count(elements) == 0)
        json_remove(object, list);
}

static bool is_mounted(const struct json *template, const char *name) {
    const struct json *containers = json_get(template, "containers");
    for (size_t i = 0; i < json_count(containers); i++) {
        const struct json *mounts = json_get(json_at(containers, i), "volumeMounts");
        for (size_t j = 0; j < json_count(mounts); j++)
            if (text_equal(json_get_text(json_at(mounts, j), "name", NULL), name))
                return true;
    }
    return false;
}

/* The mount at a path, and its volume when no other container has it. */
static void unmount(struct json *template, struct json *container, const char *path) {
    AUTO_FREE char *name = text_copy(mounted_at(container, path));
    if (!name)
        return;
    drop_elements(container, "volumeMounts", "mountPath", path);
    if (!is_mounted(template, name))
        drop_elements(template, "volumes", "name", name);
}

static struct json *find_volume(const struct json *template, const char *name) {
    struct json *volumes = json_get(template, "volumes");
    for (size_t i = 0; i < json_count(volumes); i++)
        if (text_equal(json_get_text(json_at(volumes, i), "name", NULL), name))
            return json_at(volumes, i);
    return NULL;
}

/* ---- files of secrets ---- */

/* Cloud Run mounts one secret in a directory. */
void put_secret_file(struct json *template, struct json *container, const char *path, const char *secret,
                     const char *version) {
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = text_copy_length(path, (size_t)(slash - path));
    struct json *volume = volume_at(template, container, "secret", directory);
    struct json *items = json_new_array(), *item = json_new_object(), *source = json_new_object();
    json_set_text(item, "path", slash + 1);
    json_set_text(item, "version", version);
    json_append(items, item);
    json_set_text(source, "secret", secret);
    json_set(source, "items", items);
    json_set(volume, "secret", source);
}

/* "/path/file", where its directory is mounted. */
static void remove_secret_file(struct json *template, struct json *container, const char *path) {
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = text_copy_length(path, (size_t)(slash - path));
    const char *name = mounted_at(container, directory);
    const struct json *volume = name ? find_volume(template, name) : NULL;
    if (json_get(volume, "secret"))
        unmount(template, container, directory);
}

static bool names_directory(const struct text_list *secrets, const char *directory) {
    size_t length = strlen(directory);
    for (size_t i = 0; i < secrets->count; i++)
        if (strncmp(secrets->items[i], directory, length) == 0 && secrets->items[i][length] == '/')
            return true;
    return false;
}

void remove_secret_files(struct json *template, struct json *container, const struct run_workload *workload) {
    for (size_t i = 0; i < workload->removed_secrets.count; i++)
        if (workload->removed_secrets.items[i][0] == '/')
            remove_secret_file(template, container, workload->removed_secrets.items[i]);
    const struct json *mounts = workload->replace_secrets ? json_get(container, "volumeMounts") : NULL;
    for (size_t i = json_count(mounts); i-- > 0;) {
        AUTO_FREE char *path = text_copy(json_get_text(json_at(mounts, i), "mountPath", ""));
        const struct json *volume = find_volume(template, json_get_text(json_at(mounts, i), "name", ""));
        if (json_get(volume, "secret") && !names_directory(&workload->secrets, path))
            unmount(template, container, path);
        mounts = json_get(container, "volumeMounts");
    }
}

/* ---- Cloud SQL ---- */

/* The volume that holds Cloud SQL instances already, or NULL. */
static struct json *database_volume(const struct json *template) {
    struct json *volumes = json_get(template, "volumes");
    for (size_t i = 0; i < json_count(volumes); i++)
        if (json_get(json_at(volumes, i), "cloudSqlInstance"))
            return json_at(volumes, i);
    return NULL;
}

static void drop_database_volume(struct json *template, struct json *container, const struct json *volume) {
    AUTO_FREE char *name = text_copy(json_get_text(volume, "name", ""));
    drop_elements(container, "volumeMounts", "name", name);
    if (!is_mounted(template, name))
        drop_elements(template, "volumes", "name", name);
}

void put_databases(struct json *template, struct json *container, const struct run_workload *workload) {
    struct json *volume = database_volume(template);
    if (workload->cloudsql_instances.count > 0) {
        volume = volume ? volume : run_named(json_need_array(template, "volumes"), "cloudsql");
        run_texts_add(json_need_object(volume, "cloudSqlInstance"), "instances", &workload->cloudsql_instances);
        mount(container, json_get_text(volume, "name", ""), "/cloudsql");
    }
    if (!volume)
        return;
    struct json *source = json_get(volume, "cloudSqlInstance");
    run_texts_remove(source, "instances", &workload->removed_cloudsql_instances, workload->replace_cloudsql_instances,
                     &workload->cloudsql_instances);
    if (json_count(json_get(source, "instances")) == 0)
        drop_database_volume(template, container, volume);
}
