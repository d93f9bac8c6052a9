/* A container's file system without mounting it: its layers merged directory by directory. */
#include "engine/merged.h"
#include "common/file/file.h"
#include "engine/step.h"

#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { LINK_LIMIT = 40 };

static bool is_whiteout(const struct stat *status) {
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

char merged_lookup(const struct merged *in, const char *name, struct merged *below, char **path, struct stat *status) {
    *path = NULL;
    char type = 0;
    for (size_t i = 0; i < in->folders.count; i++) {
        AUTO_FREE char *full = path_join(in->folders.items[i], name);
        struct stat found;
        if (lstat(full, &found) < 0)
            continue;
        if (is_whiteout(&found) || (type == 'd' && !S_ISDIR(found.st_mode)))
            break;
        if (!S_ISDIR(found.st_mode)) {
            *status = found;
            *path = take_pointer(&full);
            return S_ISREG(found.st_mode) ? 'f' : S_ISLNK(found.st_mode) ? 'l' : 's';
        }
        type = 'd';
        text_list_add(&below->folders, full);
        if (layer_is_opaque(full))
            break;
    }
    return type;
}

int merged_open(struct engine *engine, const struct container *container, struct merged *root, struct error *error) {
    return container_lay_out(engine, container, &root->folders, error);
}

static void merged_copy(const struct merged *from, struct merged *to) {
    text_list_release(&to->folders);
    text_list_add_all(&to->folders, &from->folders);
}

/* Puts the parts of `path` in front of what is still to be walked. */
static void push_parts(struct text_list *rest, const char *path) {
    struct text_list joined = {0};
    text_list_split(&joined, path, '/');
    text_list_add_all(&joined, rest);
    text_list_release(rest);
    *rest = joined;
}

static void pop_part(char *resolved) {
    char *slash = strrchr(resolved, '/');
    if (slash)
        *slash = '\0';
}

static char *take_first(struct text_list *rest) {
    char *first = rest->items[0];
    memmove(rest->items, rest->items + 1, rest->count * sizeof(*rest->items));
    rest->count--;
    return first;
}

void place_release(struct place *place) {
    text_list_release(&place->folder.folders);
    free(place->path);
    buffer_release(&place->resolved);
}

static void return_to_root(struct place *place, const struct merged *root) {
    merged_copy(root, &place->folder);
    buffer_clear(&place->resolved);
    place->type = 'd';
}

/* One part of the path. Sets *link (owned) when the part is a link to be followed. */
static int walk_part(struct place *place, const char *part, bool is_last, char **link, struct error *error) {
    struct merged below = {0};
    free(place->path);
    place->path = NULL;
    char type = place->type == 'd' ? merged_lookup(&place->folder, part, &below, &place->path, &place->status) : 0;
    if (type == 'l' && !is_last) {
        char target[PATH_MAX];
        ssize_t length = readlink(place->path, target, sizeof(target) - 1);
        if (length <= 0)
            return error_set_errno(error, errno, "cannot read a link of the container");
        *link = text_copy_length(target, (size_t)length);
        return 0;
    }
    buffer_append_format(&place->resolved, "/%s", part);
    text_list_release(&place->folder.folders);
    place->folder = below;
    place->type = type;
    return 0;
}

int merged_walk(const struct merged *root, const char *path, struct place *place, struct error *error) {
    AUTO_LIST struct text_list rest = {0};
    *place = (struct place){.resolved = BUFFER(PATH_MAX)};
    text_list_split(&rest, path, '/');
    return_to_root(place, root);
    for (unsigned links = 0; rest.count > 0;) {
        AUTO_FREE char *part = take_first(&rest), *link = NULL;
        if (!*part || text_equal(part, "."))
            continue;
        if (text_equal(part, "..")) {
            AUTO_FREE char *up = buffer_take(&place->resolved);
            place->resolved = BUFFER(PATH_MAX);
            pop_part(up);
            push_parts(&rest, up);
            return_to_root(place, root);
            continue;
        }
        if (walk_part(place, part, rest.count == 0, &link, error) < 0)
            return -1;
        if (!link)
            continue;
        if (++links > LINK_LIMIT)
            return error_set(error, ERROR_DATA, "%s leads through too many symbolic links", path);
        AUTO_FREE char *from = *link == '/' ? NULL : text_copy(buffer_text(&place->resolved));
        push_parts(&rest, link);
        if (from)
            push_parts(&rest, from);
        return_to_root(place, root);
    }
    return buffer_check(&place->resolved, "a path", error);
}

int merged_list(const struct merged *folder, struct text_list *names, struct error *error) {
    AUTO_LIST struct text_list all = {0};
    for (size_t i = 0; i < folder->folders.count; i++)
        if (directory_list(folder->folders.items[i], &all, error) < 0)
            return -1;
    text_list_sort(&all);
    for (size_t i = 0; i < all.count; i++)
        if (i == 0 || !text_equal(all.items[i], all.items[i - 1]))
            text_list_add(names, all.items[i]);
    return 0;
}
