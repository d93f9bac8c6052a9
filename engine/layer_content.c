/* Layers of copied files: made from the store's objects, without any base and without being unpacked. */
#include "common/file/file.h"
#include "engine/layer_internal.h"
#include "engine/tree.h"

#include <string.h>
#include <sys/stat.h>

enum { BLOCK = 128 * 1024 };

/* Directories that bases have with other modes than 0755: a layer that passes through them must not change them. */
static mode_t parent_mode(const char *path) {
    if (text_equal(path, "tmp") || text_equal(path, "var/tmp"))
        return S_IFDIR | S_ISVTX | 0777;
    return S_IFDIR | (text_equal(path, "root") ? 0700 : 0755);
}

static int write_parents(struct tar_writer *writer, const struct layer_content *content, struct error *error) {
    const char *destination = content->destination + 1;
    size_t length = strlen(destination), part = 0;
    for (size_t i = 1; i <= length; i++) {
        if (i < length && destination[i] != '/')
            continue;
        AUTO_FREE char *path = text_copy_length(destination, i);
        const struct json *parent = json_at(content->parents, part++);
        struct tar_entry entry = {.path = path, .mode = parent_mode(path)};
        if (parent) {
            entry.uid = (uint32_t)json_number(json_at(parent, 0));
            entry.gid = (uint32_t)json_number(json_at(parent, 1));
            entry.mode = S_IFDIR | ((mode_t)json_number(json_at(parent, 2)) & 07777);
        }
        if (tar_writer_entry(writer, &entry, error) < 0)
            return -1;
    }
    return 0;
}

static int has_another_size(const struct tree_entry *file, struct error *error) {
    return error_set(error, ERROR_DATA, "the object of %s has another size: run pl-cache verify", file->path);
}

static int write_object(struct engine *engine, struct tar_writer *writer, const struct tree_entry *file, char *block,
                        struct error *error) {
    uint64_t left = file->size;
    AUTO_CLOSE int fd = store_open_object(engine->store, &file->digest, NULL, error);
    if (fd < 0)
        return -1;
    /* Only the end gives less than was asked for: most files are one read. */
    for (ssize_t got = BLOCK; got == BLOCK; left -= (uint64_t)got) {
        got = read(fd, block, BLOCK);
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s from the store", file->path);
        if ((uint64_t)got > left)
            return has_another_size(file, error);
        if (tar_writer_data(writer, block, (size_t)got, error) < 0)
            return -1;
    }
    return left > 0 ? has_another_size(file, error) : 0;
}

static mode_t entry_mode(const struct layer_content *content, const struct tree_entry *file) {
    mode_t type = file->type == 'd' ? S_IFDIR : file->type == 'l' ? S_IFLNK : S_IFREG;
    bool given = content->mode >= 0 && file->type != 'l';
    return type | (given ? (mode_t)content->mode & 07777 : tree_entry_mode(file));
}

static int write_entry(struct engine *engine, struct tar_writer *writer, const struct layer_content *content,
                       const struct tree_entry *file, char *block, struct error *error) {
    const char *root = content->destination + 1;
    AUTO_FREE char *path = *root ? path_join(root, file->path) : text_copy(file->path);
    bool is_file = file->type == 'f' || file->type == 'x';
    const char *attribute = file->capability_length > 0 ? "security.capability" : NULL;
    const struct tar_attribute attributes[] = {{attribute, file->capability, file->capability_length}, {0}};
    struct tar_entry entry = {.path = path,
                              .mode = entry_mode(content, file),
                              .uid = content->has_owner ? content->uid : file->uid,
                              .gid = content->has_owner ? content->gid : file->gid,
                              .size = is_file ? file->size : 0,
                              .target = file->target,
                              .attributes = attributes};
    if (tar_writer_entry(writer, &entry, error) < 0)
        return -1;
    return is_file && file->size ? write_object(engine, writer, file, block, error) : 0;
}

struct writing {
    struct engine *engine;
    struct tar_writer *writer;
    const struct layer_content *content;
    char *block;
};

static int write_visited(void *context, const struct tree_entry *file, struct error *error) {
    const struct writing *writing = context;
    return write_entry(writing->engine, writing->writer, writing->content, file, writing->block, error);
}

int layer_content_write(struct engine *engine, const struct layer_content *content, archive_sink *sink, void *context,
                        struct error *error) {
    AUTO_TAR_WRITER struct tar_writer *writer = tar_writer_new(sink, context);
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct writing writing = {engine, writer, content, block};
    if (content->destination[1] && write_parents(writer, content, error) < 0)
        return -1;
    if (tree_visit(engine, &content->tree, write_visited, &writing, error) < 0)
        return error_wrap(error, "cannot make the layer of %s", content->destination);
    return tar_writer_finish(writer, error);
}

struct json *layer_content_json(const struct layer_content *content) {
    struct json *json = json_new_object();
    json_set_text(json, "tree", digest_format(&content->tree).text);
    json_set_text(json, "destination", content->destination);
    if (content->has_owner) {
        json_set_integer(json, "uid", content->uid);
        json_set_integer(json, "gid", content->gid);
    }
    json_set_integer(json, "mode", content->mode);
    if (content->parents)
        json_set(json, "parents", json_copy_deep(content->parents));
    return json;
}

int layer_content_parse(const struct json *json, struct layer_content *content, struct error *error) {
    *content = (struct layer_content){.destination = json_get_text(json, "destination", NULL),
                                      .uid = (uint32_t)json_get_integer(json, "uid", 0),
                                      .gid = (uint32_t)json_get_integer(json, "gid", 0),
                                      .mode = (int)json_get_integer(json, "mode", -1),
                                      .has_owner = json_get(json, "uid") != NULL,
                                      .parents = json_get(json, "parents")};
    if (!content->destination || *content->destination != '/')
        return error_set(error, ERROR_DATA, "the store's note about a copied layer is damaged");
    return digest_parse(json_get_text(json, "tree", ""), &content->tree, error);
}
