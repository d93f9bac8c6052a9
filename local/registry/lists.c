/* Lists: the repositories, the tags of one, and what refers to a manifest. */
#include "common/file/file.h"
#include "local/registry/internal.h"

#include <string.h>

enum { PAGE_LIMIT = 1000, REPOSITORIES_LIMIT = 100000 };

/* How many entries a page may have; false when the request says it wrongly, and it is answered. */
static bool read_page_size(const struct request *request, uint64_t *most, struct reply *reply) {
    const char *count = request_query(request, "n");
    *most = PAGE_LIMIT;
    if (!count || text_to_u64(count, PAGE_LIMIT, most))
        return true;
    reply_oci_error(reply, 400, "PAGINATION_NUMBER_INVALID", "n is no number up to %d", PAGE_LIMIT);
    return false;
}

/* The names behind the query's `last`, at most `most`; the rest is announced by a Link header. */
static struct json *page_of(const struct request *request, const struct text_list *names, uint64_t most,
                            struct reply *reply) {
    struct json *page = json_new_array();
    const char *last = request_query(request, "last"), *end = NULL;
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i][0] == '.' || (last && strcmp(names->items[i], last) <= 0))
            continue;
        if (json_count(page) == most) {
            end = most ? json_text(json_at(page, most - 1)) : NULL;
            break;
        }
        json_append_text(page, names->items[i]);
    }
    if (end)
        reply_header(reply, "Link", "<%s?n=%llu&last=%s>; rel=\"next\"", request->path, (unsigned long long)most, end);
    return page;
}

/* A name has at most NAME_LIMIT bytes, which ends the descent. */
void registry_find_repositories(const struct registry *registry, const char *name, struct text_list *found) {
    AUTO_FREE char *folder = path_join(registry->root, name);
    AUTO_LIST struct text_list parts = {0};
    if (found->count >= REPOSITORIES_LIMIT || directory_list(folder, &parts, NULL) < 0)
        return;
    if (*name && repository_exists(registry, name))
        text_list_add(found, name);
    for (size_t i = 0; i < parts.count; i++) {
        AUTO_FREE char *inner = *name ? path_join(name, parts.items[i]) : text_copy(parts.items[i]);
        if (repository_is_valid(inner))
            registry_find_repositories(registry, inner, found);
    }
}

void catalog_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_LIST struct text_list names = {0};
    uint64_t most;
    if (!request_is(request, "GET")) {
        reply_oci_error(reply, 405, "UNSUPPORTED", "use GET");
        return;
    }
    if (!read_page_size(request, &most, reply))
        return;
    registry_find_repositories(cloud->registry, "", &names);
    text_list_sort(&names);
    struct json *document = json_new_object();
    json_set(document, "repositories", page_of(request, &names, most, reply));
    reply_json(reply, 200, document);
}

void tags_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_TARGET struct target target = {0};
    AUTO_LIST struct text_list tags = {0};
    target_parse(request->path, &target);
    AUTO_FREE char *folder = registry_path(cloud->registry, target.repository, "_tags", NULL);
    uint64_t most;
    if (!request_is(request, "GET"))
        reply_oci_error(reply, 405, "UNSUPPORTED", "use GET");
    else if (!repository_exists(cloud->registry, target.repository))
        reply_oci_error(reply, 404, "NAME_UNKNOWN", "Repository \"%s\" not found", target.repository);
    if (reply->status || !read_page_size(request, &most, reply))
        return;
    if (directory_exists(folder) && directory_list(folder, &tags, NULL) < 0)
        tags.count = 0;
    struct json *document = json_new_object();
    json_set_text(document, "name", target.repository);
    json_set(document, "tags", page_of(request, &tags, most, reply));
    reply_json(reply, 200, document);
}

static struct json *descriptor_of(const struct json *record, const char *hex) {
    struct json *descriptor = json_new_object();
    AUTO_FREE char *digest = text_format("sha256:%s", hex);
    json_set_text(descriptor, "mediaType", json_get_text(record, "mediaType", NULL));
    json_set_text(descriptor, "digest", digest);
    json_set_integer(descriptor, "size", json_get_integer(record, "size", 0));
    json_set_text(descriptor, "artifactType", json_get_text(record, "artifactType", NULL));
    if (json_get(record, "annotations"))
        json_set(descriptor, "annotations", json_copy_deep(json_get(record, "annotations")));
    return descriptor;
}

void referrers_handle(void *context, struct request *request, struct reply *reply) {
    struct local_cloud *cloud = context;
    AUTO_TARGET struct target target = {0};
    AUTO_LIST struct text_list names = {0};
    struct digest subject;
    target_parse(request->path, &target);
    if (!request_is(request, "GET") || digest_parse(target.reference, &subject, NULL) < 0) {
        reply_oci_error(reply, 400, "DIGEST_INVALID", "GET with a digest");
        return;
    }
    AUTO_FREE char *folder = registry_path(cloud->registry, target.repository, "_manifests", NULL);
    const char *wanted = request_query(request, "artifactType");
    struct json *document = json_new_object(), *list = json_new_array();
    if (directory_exists(folder) && directory_list(folder, &names, NULL) < 0)
        names.count = 0;
    for (size_t i = 0; i < names.count; i++) {
        struct digest digest;
        if (digest_parse_hex(names.items[i], &digest, NULL) < 0)
            continue;
        AUTO_JSON struct json *record = manifest_record(cloud->registry, target.repository, &digest);
        if (text_equal(json_get_text(record, "subject", NULL), digest_format(&subject).text) &&
            (!wanted || text_equal(wanted, json_get_text(record, "artifactType", NULL))))
            json_append(list, descriptor_of(record, names.items[i]));
    }
    if (wanted)
        reply_header(reply, "OCI-Filters-Applied", "artifactType");
    json_set_integer(document, "schemaVersion", 2);
    json_set_text(document, "mediaType", "application/vnd.oci.image.index.v1+json");
    json_set(document, "manifests", list);
    reply_json(reply, 200, document);
    reply->content_type = "application/vnd.oci.image.index.v1+json";
}
