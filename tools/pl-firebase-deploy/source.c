#include "tools/pl-firebase-deploy/source.h"

#include "common/file/file.h"
#include "engine/credential_files.h"

#include <string.h>

enum { LINK_LIMIT = 40, NESTING_LIMIT = 10, PATH_LIMIT = 4096, SHOWN_LIMIT = 5 };

int source_load(struct engine *engine, const char *ref, struct tree *tree, struct error *error) {
    static const char prefix[] = "directory:";
    struct digest digest;
    if (!text_starts_with(ref, prefix) || digest_parse(ref + strlen(prefix), &digest, NULL) < 0)
        return error_set(error, ERROR_DATA, "\"%.120s\" is no directory (directory:sha256:…)", ref);
    if (store_has(engine->store, &digest))
        return tree_load(engine, &digest, tree, error);
    error_set(error, ERROR_DATA, "%s is not in the store %s", ref, store_path(engine->store));
    return error_next(error, "run pl-build on this machine, with the same PL_STORE, before it");
}

/* ---- scanning ---- */

static bool is_wanted(void *ignore, const char *path, bool is_directory, bool *descend) {
    *descend = false;
    return !text_equal(path_base(path), ".git") && !site_ignore_matches(ignore, path, is_directory);
}

static int refuse_credentials(const struct credential_check *check, struct error *error) {
    AUTO_BUFFER struct buffer list = BUFFER(1200);
    if (!check->found.count)
        return 0;
    for (size_t i = 0; i < check->found.count && i < SHOWN_LIMIT; i++)
        buffer_append_format(&list, "%s%s", i ? ", " : "", check->found.items[i]);
    if (check->found.count > SHOWN_LIMIT)
        buffer_append_format(&list, " and %zu more", check->found.count - SHOWN_LIMIT);
    error_set(error, ERROR_DATA, "credentials would be published: %s", buffer_text(&list));
    return error_next(error,
                      "leave %s out with \"ignore\" in firebase.json or move it away; if it holds no secret, allow it: "
                      "--allow-file %s",
                      check->found.count > 1 ? "them" : "it", check->paths.items[0]);
}

int source_scan(struct engine *engine, const char *directory, struct site_ignore *ignore,
                const struct text_list *allowed, struct tree *tree, char **ref, struct error *error) {
    struct credential_check credentials = {.directory = directory, .allowed = allowed};
    struct tree_scan scan = {.directory = directory,
                             .filter = is_wanted,
                             .context = ignore,
                             .inspect = credential_check_inspect,
                             .inspect_context = &credentials,
                             .rules = CREDENTIAL_RULES,
                             .follow_nothing_outside = true,
                             .only_hash = true};
    struct error failure = {0};
    int result = tree_scan(engine, &scan, tree, &failure);
    /* The words about ignore files are not for a site. */
    if (result < 0 && failure.kind == ERROR_DATA && *failure.next)
        error_next(&failure, "leave it out with \"ignore\" in firebase.json, or change it and run this again");
    if (result == 0)
        result = refuse_credentials(&credentials, &failure);
    if (result == 0) {
        struct digest digest = tree_digest(tree);
        *ref = text_format("directory:%s", digest_format(&digest).text);
    } else if (error) {
        *error = failure;
    }
    credential_check_release(&credentials);
    return result;
}

/* ---- links ---- */

struct adding {
    const struct tree *tree;
    struct site_ignore *ignore;
    struct site_files *files;
};

static int leaves(const char *link, const char *target, struct error *error) {
    error_set(error, ERROR_DATA, "%s is a symbolic link out of the site (to %s)", link, target);
    return error_next(error, "copy what it points to, or leave it out with \"ignore\" in firebase.json");
}

/* Takes the first part of a path off it. */
static char *first_part(char **path) {
    size_t length = strcspn(*path, "/");
    char *part = text_copy_length(*path, length);
    char *rest = text_copy((*path)[length] ? *path + length + 1 : "");
    free(*path);
    *path = rest;
    return part;
}

static void go_up(char *path) {
    char *slash = strrchr(path, '/');
    *(slash ? slash : path) = '\0';
}

/* Where a link of the tree ends: *resolved is the path of a file or directory of the tree ("" is its root). */
static int resolve(const struct tree *tree, const struct tree_entry *link, char **resolved, struct error *error) {
    AUTO_FREE char *at = text_copy(link->path);
    AUTO_FREE char *rest = text_copy(link->target);
    go_up(at);
    if (*rest == '/')
        return leaves(link->path, link->target, error);
    for (unsigned links = 0; *rest;) {
        AUTO_FREE char *part = first_part(&rest);
        if (text_equal(part, "..") && !*at)
            return leaves(link->path, link->target, error);
        if (text_equal(part, ".."))
            go_up(at);
        if (!*part || text_equal(part, ".") || text_equal(part, ".."))
            continue;
        char *next = *at ? text_format("%s/%s", at, part) : text_copy(part);
        const struct tree_entry *entry = tree_find(tree, next);
        if (entry && entry->type == 'l') {
            free(next);
            if (++links > LINK_LIMIT || *entry->target == '/')
                return leaves(link->path, link->target, error);
            char *longer = text_format("%s/%s", entry->target, rest);
            free(rest);
            rest = longer;
            continue;
        }
        free(at);
        at = next;
        if (!entry) {
            error_set(error, ERROR_DATA, "%s is a symbolic link to %s, which is not in the site", link->path,
                      link->target);
            return error_next(error, "remove the link, or leave it out with \"ignore\" in firebase.json");
        }
    }
    *resolved = take_pointer(&at);
    return 0;
}

/* Where an entry's content is: in the directory that was scanned, or in the store. */
static const char *source_of(const struct adding *adding, const struct tree_entry *entry) {
    return adding->files->directory ? entry->path : NULL;
}

static int add_entry(struct adding *adding, const struct tree_entry *entry, const char *path, unsigned depth,
                     struct error *error);

/* Everything below `directory` of the tree, as if it were below `path`. */
static int add_directory(struct adding *adding, const char *directory, const char *path, unsigned depth,
                         struct error *error) {
    AUTO_FREE char *prefix = *directory ? text_format("%s/", directory) : text_copy("");
    if (depth > NESTING_LIMIT || strlen(path) > PATH_LIMIT) {
        error_set(error, ERROR_DATA, "%.200s: symbolic links to directories lead round in a circle", path);
        return error_next(error, "remove one of the links");
    }
    for (size_t i = 0; i < adding->tree->count; i++) {
        const struct tree_entry *entry = &adding->tree->entries[i];
        if (!text_starts_with(entry->path, prefix))
            continue;
        AUTO_FREE char *below = text_format("%s/%s", path, entry->path + strlen(prefix));
        if (add_entry(adding, entry, below, depth, error) < 0)
            return -1;
    }
    return 0;
}

static int add_entry(struct adding *adding, const struct tree_entry *entry, const char *path, unsigned depth,
                     struct error *error) {
    if (entry->type == 'd' || site_ignore_matches(adding->ignore, path, false))
        return 0;
    if (entry->type != 'l')
        return site_files_add(adding->files, text_copy(path), source_of(adding, entry), &entry->digest, entry->size,
                              error);
    AUTO_FREE char *resolved = NULL;
    if (resolve(adding->tree, entry, &resolved, error) < 0)
        return -1;
    const struct tree_entry *target = *resolved ? tree_find(adding->tree, resolved) : NULL;
    if (target && target->type != 'd')
        return site_files_add(adding->files, text_copy(path), source_of(adding, target), &target->digest, target->size,
                              error);
    return add_directory(adding, resolved, path, depth + 1, error);
}

int source_files(struct tree *tree, struct site_ignore *ignore, struct site_files *files, struct error *error) {
    struct adding adding = {tree, ignore, files};
    /* Links first: they need the tree as it is. */
    for (size_t i = 0; i < tree->count; i++)
        if (tree->entries[i].type == 'l' && add_entry(&adding, &tree->entries[i], tree->entries[i].path, 0, error) < 0)
            return -1;
    site_files_reserve(files, tree->count);
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_entry *entry = &tree->entries[i];
        if (entry->type == 'd' || entry->type == 'l' || site_ignore_matches(ignore, entry->path, false))
            continue;
        const char *source = source_of(&adding, entry);
        if (site_files_add(files, take_pointer(&entry->path), source, &entry->digest, entry->size, error) < 0)
            return -1;
    }
    site_files_sort(files);
    return 0;
}
