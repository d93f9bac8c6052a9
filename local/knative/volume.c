#include "common/base/text.h"
#include "local/knative/pod.h"

#define BUCKET_DRIVER "gcsfuse.run.googleapis.com"

static const struct mapping_word mediums[] = {{"Memory", "MEMORY"}, {"Disk", "DISK"}, {0}};
static const struct mapping_row memory_rows[] = {
    {"medium", "medium", MAP_WORD, mediums}, {"sizeLimit", "sizeLimit", MAP_SAME, NULL}, {0}};
static const struct mapping_row bucket_rows[] = {
    {"bucketName", "bucket", MAP_TEXT, NULL}, {"mountOptions", "mountOptions", MAP_LIST, NULL}, {0}};

/* ---- to v2 ---- */

static struct json *secret_to_run(const struct json *secret, const char *aliases) {
    struct json *made = json_new_object(), *items = json_new_array();
    const struct json *list = json_get(secret, "items");
    AUTO_FREE char *name = secret_of_alias(aliases, json_get_text(secret, "secretName", ""));
    json_set_text(made, "secret", name);
    for (size_t i = 0; i < json_count(list); i++) {
        struct json *item = json_new_object();
        json_set_text(item, "version", json_get_text(json_at(list, i), "key", NULL));
        json_set_text(item, "path", json_get_text(json_at(list, i), "path", NULL));
        if (json_get(json_at(list, i), "mode"))
            json_set(item, "mode", json_copy_deep(json_get(json_at(list, i), "mode")));
        json_append(items, item);
    }
    if (json_count(items))
        json_set(made, "items", items);
    else
        json_release(&items);
    if (json_get(secret, "defaultMode"))
        json_set(made, "defaultMode", json_copy_deep(json_get(secret, "defaultMode")));
    return made;
}

static int bucket_to_run(const struct json *csi, const char *where, struct json *made, struct error *error) {
    if (!text_equal(json_get_text(csi, "driver", NULL), BUCKET_DRIVER))
        return error_set(error, ERROR_DATA, "%s.csi.driver: must be '%s'", where, BUCKET_DRIVER);
    struct json *bucket = json_need_object(made, "gcs");
    if (json_get_bool(csi, "readOnly", false))
        json_set_bool(bucket, "readOnly", true);
    return mapping_fields_to_run(bucket_rows, json_get(csi, "volumeAttributes"), bucket, where, error);
}

static int source_to_run(const struct json *volume, const char *aliases, const char *where, struct json *made,
                         struct error *error) {
    if (json_get(volume, "secret"))
        json_set(made, "secret", secret_to_run(json_get(volume, "secret"), aliases));
    else if (json_get(volume, "emptyDir"))
        return mapping_fields_to_run(memory_rows, json_get(volume, "emptyDir"), json_need_object(made, "emptyDir"),
                                     where, error);
    else if (json_get(volume, "nfs"))
        json_set(made, "nfs", json_copy_deep(json_get(volume, "nfs")));
    else if (json_get(volume, "csi"))
        return bucket_to_run(json_get(volume, "csi"), where, made, error);
    else
        return error_set(error, ERROR_DATA, "%s: Volume must have a source of secret, emptyDir, csi or nfs", where);
    return 0;
}

struct json *volume_to_run(const struct json *volume, const char *aliases, const char *where, struct error *error) {
    struct json *made = json_new_object();
    json_set_text(made, "name", json_get_text(volume, "name", NULL));
    if (source_to_run(volume, aliases, where, made, error) < 0)
        json_release(&made);
    return made;
}

/* ---- to v1 ---- */

static struct json *secret_to_knative(const struct json *secret, struct json *aliases) {
    struct json *made = json_new_object(), *items = json_new_array();
    const struct json *list = json_get(secret, "items");
    AUTO_FREE char *name = alias_of_secret(json_get_text(secret, "secret", ""), aliases);
    json_set_text(made, "secretName", name);
    for (size_t i = 0; i < json_count(list); i++) {
        struct json *item = json_new_object();
        json_set_text(item, "key", json_get_text(json_at(list, i), "version", "latest"));
        json_set_text(item, "path", json_get_text(json_at(list, i), "path", NULL));
        if (json_get(json_at(list, i), "mode"))
            json_set(item, "mode", json_copy_deep(json_get(json_at(list, i), "mode")));
        json_append(items, item);
    }
    if (json_count(items))
        json_set(made, "items", items);
    else
        json_release(&items);
    if (json_get(secret, "defaultMode"))
        json_set(made, "defaultMode", json_copy_deep(json_get(secret, "defaultMode")));
    return made;
}

static struct json *bucket_to_knative(const struct json *bucket) {
    struct json *made = json_new_object();
    json_set_text(made, "driver", BUCKET_DRIVER);
    if (json_get_bool(bucket, "readOnly", false))
        json_set_bool(made, "readOnly", true);
    mapping_to_knative(bucket_rows, bucket, json_need_object(made, "volumeAttributes"));
    return made;
}

/* NULL for one of Cloud SQL, which is an annotation in v1. */
struct json *volume_to_knative(const struct json *volume, struct json *aliases) {
    struct json *made = json_new_object();
    json_set_text(made, "name", json_get_text(volume, "name", NULL));
    if (json_get(volume, "cloudSqlInstance"))
        json_release(&made);
    else if (json_get(volume, "secret"))
        json_set(made, "secret", secret_to_knative(json_get(volume, "secret"), aliases));
    else if (json_get(volume, "emptyDir"))
        mapping_to_knative(memory_rows, json_get(volume, "emptyDir"), json_need_object(made, "emptyDir"));
    else if (json_get(volume, "nfs"))
        json_set(made, "nfs", json_copy_deep(json_get(volume, "nfs")));
    else if (json_get(volume, "gcs"))
        json_set(made, "csi", bucket_to_knative(json_get(volume, "gcs")));
    return made;
}
