/* Artifact Registry's API v1 over what the registry holds: repositories with their clean-up policies, images, and
 * deleting a version of a package. The location of a repository says nothing here. */
#include "common/crypto/random.h"
#include "common/file/file.h"
#include "local/registry/internal.h"
#include "local/timestamp.h"

#include <string.h>

enum { PAGE_DEFAULT = 100, PAGE_MOST = 1000, POLICIES_LIMIT = 10, SETTINGS_LIMIT = 256 << 10 };

/* /v1/projects/P/locations/L/repositories[/R[/COLLECTION[/PACKAGE/versions/DIGEST]]] */
struct artifact_path {
    char *project, *location, *repository, *collection;
    char *package, *version; /* a package's name may have slashes */
};

static void path_release(struct artifact_path *path) {
    free(path->project);
    free(path->location);
    free(path->repository);
    free(path->collection);
    free(path->package);
    free(path->version);
}

/* "PACKAGE/versions/DIGEST" */
static void path_read_version(const char *rest, struct artifact_path *path) {
    const char *middle = strstr(rest, "/versions/");
    if (!middle)
        return;
    path->package = text_copy_length(rest, (size_t)(middle - rest));
    path->version = text_copy(middle + strlen("/versions/"));
}

static bool path_read(const char *text, struct artifact_path *path) {
    AUTO_LIST struct text_list parts = {0};
    *path = (struct artifact_path){0};
    text_list_split(&parts, text + strspn(text, "/"), '/');
    if (parts.count < 6 || !repository_is_valid(parts.items[2]) || !repository_is_valid(parts.items[4]))
        return false;
    path->project = text_copy(parts.items[2]);
    path->location = text_copy(parts.items[4]);
    path->repository = parts.count > 6 ? text_copy(parts.items[6]) : NULL;
    path->collection = parts.count > 7 ? text_copy(parts.items[7]) : NULL;
    const char *packages = strstr(text, "/packages/");
    if (text_equal(path->collection, "packages") && packages)
        path_read_version(packages + strlen("/packages/"), path);
    return !path->repository || (repository_is_valid(path->repository) && strlen(path->repository) <= 63);
}

static void reply_done(struct reply *reply, const struct artifact_path *path, struct json *response) {
    char random[33];
    random_hex(random, sizeof(random));
    AUTO_FREE char *name = text_format("projects/%s/locations/%s/operations/%s", path->project, path->location, random);
    struct json *operation = json_new_object();
    json_set_text(operation, "name", name);
    json_set_bool(operation, "done", true);
    json_set(operation, "response", response);
    reply_json(reply, 200, operation);
}

/* ---- pages ---- */

/* Takes `all`. */
static void reply_page(const struct request *request, const char *key, struct json *all, struct reply *reply) {
    uint64_t size = PAGE_DEFAULT, from = 0;
    const char *asked = request_query(request, "pageSize"), *token = request_query(request, "pageToken");
    struct json *answer = json_new_object(), *page = json_new_array();
    if (asked && text_to_u64(asked, INT32_MAX, &size))
        size = size == 0 ? PAGE_DEFAULT : size > PAGE_MOST ? PAGE_MOST : size;
    if (token)
        text_to_u64(token, INT32_MAX, &from);
    for (uint64_t i = from; i < json_count(all) && i < from + size; i++)
        json_append(page, json_share(json_at(all, (size_t)i)));
    if (from + size < json_count(all)) {
        AUTO_FREE char *next = text_format("%llu", (unsigned long long)(from + size));
        json_set_text(answer, "nextPageToken", next);
    }
    json_set(answer, key, page);
    json_release(&all);
    reply_json(reply, 200, answer);
}

/* ---- repositories ---- */

static char *repository_folder(const struct registry *registry, const struct artifact_path *path) {
    return text_format("%s/%s/%s", registry->root, path->project, path->repository);
}

/* What was set of a repository: a file whose name no image can have. */
static struct json *read_settings(const struct registry *registry, const char *project, const char *repository,
                                  char **file) {
    *file = text_format("%s/%s/%s/.repository.json", registry->root, project, repository);
    struct json *settings = file_exists(*file) ? json_parse_file(*file, SETTINGS_LIMIT, NULL) : NULL;
    return settings ? settings : json_new_object();
}

static struct json *repository_json(const struct local_cloud *cloud, const struct artifact_path *path, const char *id) {
    AUTO_FREE char *file = NULL;
    struct json *repository = read_settings(cloud->registry, path->project, id, &file);
    AUTO_FREE char *name = text_format("projects/%s/locations/%s/repositories/%s", path->project, path->location, id);
    AUTO_FREE char *uri = text_format("%s/%s/%s", cloud->host, path->project, id);
    json_set_text(repository, "name", name);
    json_set_text(repository, "format", "DOCKER");
    json_set_text(repository, "mode", "STANDARD_REPOSITORY");
    json_set_text(repository, "registryUri", uri);
    return repository;
}

static const char *const settable[] = {"description",
                                       "labels",
                                       "dockerConfig",
                                       "kmsKeyName",
                                       "cleanupPolicies",
                                       "cleanupPolicyDryRun",
                                       "mode",
                                       "vulnerabilityScanningConfig",
                                       NULL};

static int check_policies(const struct json *policies, struct error *error) {
    if (json_count(policies) > POLICIES_LIMIT)
        return error_set(error, ERROR_DATA, "a repository has at most %d cleanup policies", POLICIES_LIMIT);
    for (void *i = json_first(policies); i; i = json_next(policies, i)) {
        const struct json *policy = json_value(i), *recent = json_get(policy, "mostRecentVersions");
        const char *action = json_get_text(policy, "action", "");
        const char *older = json_get_text(json_get(policy, "condition"), "olderThan", NULL);
        int64_t microseconds = 0;
        if (!text_equal(json_get_text(policy, "id", NULL), json_key(i)))
            return error_set(error, ERROR_DATA, "cleanup policy id does not match its key \"%.60s\"", json_key(i));
        if (!text_equal(action, "DELETE") && !text_equal(action, "KEEP"))
            return error_set(error, ERROR_DATA, "cleanup policy \"%.60s\" has no action", json_key(i));
        if (!json_get(policy, "condition") == !recent)
            return error_set(error, ERROR_DATA, "cleanup policy \"%.60s\" needs a condition or mostRecentVersions",
                             json_key(i));
        if (recent && !text_equal(action, "KEEP"))
            return error_set(error, ERROR_DATA, "mostRecentVersions is only for KEEP");
        if (older && !duration_parse(older, &microseconds))
            return error_set(error, ERROR_DATA, "cleanup policy \"%.60s\": olderThan is no duration", json_key(i));
    }
    return 0;
}

/* The settable part of a repository, by the mask (NULL: all that is said), to disk. */
static int set_repository(const struct local_cloud *cloud, const struct artifact_path *path,
                          const struct request *request, const char *mask, struct error *error) {
    AUTO_FREE char *file = NULL;
    AUTO_JSON struct json *settings = read_settings(cloud->registry, path->project, path->repository, &file),
                          *body = NULL;
    if (request->body.length == 0)
        return 0;
    if (!(body = json_parse(buffer_text(&request->body), request->body.length, "the request", error)))
        return -1;
    AUTO_LIST struct text_list fields = {0};
    text_list_split(&fields, mask ? mask : "", ',');
    for (const char *const *field = settable; *field; field++) {
        const struct json *value = json_get(body, *field);
        if (text_list_contains(&fields, *field) && !value)
            json_remove(settings, *field);
        else if (value && (!mask || text_list_contains(&fields, *field)))
            json_set(settings, *field, json_copy_deep(value));
    }
    if (check_policies(json_get(settings, "cleanupPolicies"), error) < 0)
        return -1;
    json_remove(settings, "mode");
    AUTO_FREE char *text = json_format(settings, JSON_COMPACT_STYLE);
    return strlen(text) > SETTINGS_LIMIT ? error_set(error, ERROR_DATA, "the repository's settings are too large")
                                         : file_write_atomic(file, text, strlen(text), 0600, error);
}

static void reply_refused(struct reply *reply, const struct error *error) {
    reply_google_error(reply, error->kind == ERROR_DATA ? 400 : 500, "%s", error->text);
}

static void create_repository(const struct local_cloud *cloud, struct artifact_path *path,
                              const struct request *request, struct reply *reply) {
    const char *id = request_query(request, "repositoryId");
    struct error error = {0};
    if (!id || !repository_is_valid(id) || strchr(id, '/') || strlen(id) > 63) {
        reply_google_error(reply, 400, "Invalid repository id");
        return;
    }
    path->repository = text_copy(id);
    AUTO_FREE char *folder = repository_folder(cloud->registry, path);
    if (directory_exists(folder))
        reply_google_error(reply, 409, "the repository already exists");
    else if (directory_make(folder, 0700, &error) < 0 || set_repository(cloud, path, request, NULL, &error) < 0)
        reply_refused(reply, &error);
    else
        reply_done(reply, path, repository_json(cloud, path, id));
}

static void list_repositories(const struct local_cloud *cloud, const struct artifact_path *path,
                              const struct request *request, struct reply *reply) {
    AUTO_FREE char *folder = text_format("%s/%s", cloud->registry->root, path->project);
    AUTO_LIST struct text_list names = {0};
    struct json *list = json_new_array();
    if (directory_exists(folder) && directory_list(folder, &names, NULL) < 0)
        names.count = 0;
    for (size_t i = 0; i < names.count; i++)
        if (repository_is_valid(names.items[i]))
            json_append(list, repository_json(cloud, path, names.items[i]));
    reply_page(request, "repositories", list, reply);
}

static void patch_repository(const struct local_cloud *cloud, const struct artifact_path *path,
                             const struct request *request, struct reply *reply) {
    struct error error = {0};
    if (set_repository(cloud, path, request, request_query(request, "updateMask"), &error) < 0)
        reply_refused(reply, &error);
    else
        reply_json(reply, 200, repository_json(cloud, path, path->repository));
}

/* ---- images ---- */

static int64_t size_of_list(const struct json *list) {
    int64_t size = 0;
    for (size_t i = 0; i < json_count(list); i++)
        size += json_get_integer(json_at(list, i), "size", 0);
    return size;
}

static struct json *read_manifest(const struct registry *registry, const char *hex) {
    AUTO_FREE char *text = text_format("sha256:%s", hex);
    AUTO_BUFFER struct buffer bytes = BUFFER(MANIFEST_LIMIT);
    struct digest digest;
    if (digest_parse(text, &digest, NULL) < 0 || store_read(registry->store, &digest, &bytes, NULL) < 0)
        return NULL;
    return json_parse(buffer_text(&bytes), bytes.length, "a manifest", NULL);
}

static void add_tags(const struct registry *registry, const char *name, const char *digest, struct json *image) {
    AUTO_FREE char *folder = registry_path(registry, name, "_tags", NULL);
    AUTO_LIST struct text_list tags = {0};
    struct json *list = json_new_array();
    if (directory_list(folder, &tags, NULL) < 0)
        tags.count = 0;
    for (size_t i = 0; i < tags.count; i++) {
        AUTO_FREE char *path = path_join(folder, tags.items[i]);
        AUTO_BUFFER struct buffer text = BUFFER(DIGEST_TEXT);
        if (file_read(path, &text, NULL, NULL) == 0 && text_equal(buffer_text(&text), digest))
            json_append_text(list, tags.items[i]);
    }
    json_set(image, "tags", list);
}

/* `name` is the registry's, PROJECT/REPOSITORY/PACKAGE. NULL when the manifest is gone. */
static struct json *image_json(const struct local_cloud *cloud, const struct artifact_path *path, const char *name,
                               const char *hex) {
    const char *package = name + strlen(path->project) + 1 + strlen(path->repository) + 1;
    AUTO_FREE char *digest = text_format("sha256:%s", hex), *encoded = text_copy("");
    struct digest parsed;
    AUTO_JSON struct json *manifest = read_manifest(cloud->registry, hex);
    if (!manifest || digest_parse(digest, &parsed, NULL) < 0)
        return NULL;
    AUTO_JSON struct json *record = manifest_record(cloud->registry, name, &parsed);
    const char *time = json_get_text(record, "uploadTime", "1970-01-01T00:00:00Z");
    for (const char *at = package; *at; at++) {
        char *longer = *at == '/' ? text_format("%s%%2F", encoded) : text_format("%s%c", encoded, *at);
        free(encoded);
        encoded = longer;
    }
    AUTO_FREE char *full = text_format("projects/%s/locations/%s/repositories/%s/dockerImages/%s@%s", path->project,
                                       path->location, path->repository, encoded, digest);
    AUTO_FREE char *uri = text_format("%s/%s@%s", cloud->host, name, digest);
    int64_t size = size_of_list(json_get(manifest, "layers")) + size_of_list(json_get(manifest, "manifests")) +
                   json_get_integer(json_get(manifest, "config"), "size", 0);
    AUTO_FREE char *size_text = text_format("%lld", (long long)size);
    struct json *image = json_new_object();
    json_set_text(image, "name", full);
    json_set_text(image, "uri", uri);
    add_tags(cloud->registry, name, digest, image);
    json_set_text(image, "imageSizeBytes", size_text);
    json_set_text(image, "uploadTime", time);
    json_set_text(image, "mediaType", json_get_text(record, "mediaType", NULL));
    json_set_text(image, "updateTime", time);
    return image;
}

static void list_images(const struct local_cloud *cloud, const struct artifact_path *path,
                        const struct request *request, struct reply *reply) {
    AUTO_FREE char *root = text_format("%s/%s", path->project, path->repository);
    AUTO_LIST struct text_list names = {0};
    struct json *all = json_new_array();
    registry_find_repositories(cloud->registry, root, &names);
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *folder = registry_path(cloud->registry, names.items[i], "_manifests", NULL);
        AUTO_LIST struct text_list manifests = {0};
        if (text_equal(names.items[i], root) || directory_list(folder, &manifests, NULL) < 0)
            continue;
        for (size_t j = 0; j < manifests.count; j++) {
            struct json *image = image_json(cloud, path, names.items[i], manifests.items[j]);
            if (image)
                json_append(all, image);
        }
    }
    reply_page(request, "dockerImages", all, reply);
}

/* Whether an index of the same package refers to it: Google keeps such a version. */
static bool is_part(const struct registry *registry, const char *name, const char *digest) {
    AUTO_FREE char *folder = registry_path(registry, name, "_manifests", NULL);
    AUTO_LIST struct text_list manifests = {0};
    if (directory_list(folder, &manifests, NULL) < 0)
        return false;
    for (size_t i = 0; i < manifests.count; i++) {
        AUTO_JSON struct json *manifest = read_manifest(registry, manifests.items[i]);
        const struct json *parts = json_get(manifest, "manifests");
        for (size_t j = 0; j < json_count(parts); j++)
            if (text_equal(json_get_text(json_at(parts, j), "digest", NULL), digest))
                return true;
    }
    return false;
}

static void delete_version(const struct local_cloud *cloud, const struct artifact_path *path,
                           const struct request *request, struct reply *reply) {
    AUTO_FREE char *name = text_format("%s/%s/%s", path->project, path->repository, path->package);
    AUTO_JSON struct json *found = json_new_object();
    struct digest digest;
    bool valid = repository_is_valid(name) && digest_parse(path->version, &digest, NULL) == 0;
    if (valid && registry_has(cloud->registry, name, "_manifests", &digest))
        add_tags(cloud->registry, name, path->version, found);
    if (!json_get(found, "tags"))
        reply_google_error(reply, 404, "Requested entity was not found.");
    else if (is_part(cloud->registry, name, path->version))
        reply_google_status(reply, 400, "FAILED_PRECONDITION", NULL,
                            "manifest is referenced by parent manifests: delete those first");
    else if (json_count(json_get(found, "tags")) > 0 && !text_equal(request_query(request, "force"), "true"))
        reply_google_status(reply, 400, "FAILED_PRECONDITION", NULL,
                            "cannot delete version: it is tagged; use force to delete it with its tags");
    else if (registry_delete_manifest(cloud->registry, name, &digest))
        reply_done(reply, path, json_new_object());
    else
        reply_google_error(reply, 404, "Requested entity was not found.");
}

/* ---- requests ---- */

const char *artifact_permission(const struct request *request) {
    AUTO(path_release) struct artifact_path path;
    bool known = path_read(request->path, &path);
    if (request_is(request, "DELETE"))
        return "artifactregistry.versions.delete";
    if (request_is(request, "PATCH"))
        return "artifactregistry.repositories.update";
    if (request_is(request, "POST"))
        return "artifactregistry.repositories.create";
    if (known && path.collection)
        return "artifactregistry.dockerimages.list";
    return known && path.repository ? "artifactregistry.repositories.get" : "artifactregistry.repositories.list";
}

static void handle_repository(const struct local_cloud *cloud, const struct artifact_path *path,
                              const struct request *request, struct reply *reply) {
    AUTO_FREE char *folder = repository_folder(cloud->registry, path);
    if (!directory_exists(folder))
        reply_google_error(reply, 404, "Requested entity was not found.");
    else if (!path->collection && request_is(request, "GET"))
        reply_json(reply, 200, repository_json(cloud, path, path->repository));
    else if (!path->collection && request_is(request, "PATCH"))
        patch_repository(cloud, path, request, reply);
    else if (text_equal(path->collection, "dockerImages") && request_is(request, "GET"))
        list_images(cloud, path, request, reply);
    else if (path->version && request_is(request, "DELETE"))
        delete_version(cloud, path, request, reply);
}

void artifact_handle(const struct local_cloud *cloud, const struct request *request, struct reply *reply) {
    AUTO(path_release) struct artifact_path path;
    if (!path_read(request->path, &path))
        reply_google_error(reply, 400, "Invalid repository name");
    else if (path.repository)
        handle_repository(cloud, &path, request, reply);
    else if (request_is(request, "POST"))
        create_repository(cloud, &path, request, reply);
    else if (request_is(request, "GET"))
        list_repositories(cloud, &path, request, reply);
}
