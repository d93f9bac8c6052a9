/* DEST: what it may be, and how it is replaced. */
#include "chain/lay_out.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "tools/pl-export/export.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct place {
    char *folder; /* where DEST lies, links resolved */
    char *name;   /* of DEST in there */
    char *path;   /* both */
    bool exists;
    struct stat status; /* of DEST itself, when it exists */
};

static void place_release(struct place *place) {
    free(place->folder);
    free(place->name);
    free(place->path);
}

static int64_t time_of(const struct exporting *exporting) {
    return json_get_integer(exporting->artifact.record, "epoch", exporting->session.engine.epoch);
}

/* "dir/", "dir/." and "dir" are the same directory. */
static int find_place(const char *given, struct place *place, struct error *error) {
    AUTO_FREE char *text = text_copy(given);
    size_t length = strlen(text);
    while (length > 1 && (text[length - 1] == '/' || (text[length - 1] == '.' && text[length - 2] == '/')))
        text[--length] = '\0';
    AUTO_FREE char *whole = text_equal(text, ".") || text_equal(text, "..") || text_ends_with(text, "/..")
                                ? path_resolve(text, error)
                                : text_copy(text);
    if (!whole)
        return -1;
    const char *base = path_base(whole);
    AUTO_FREE char *above = text_copy_length(whole, (size_t)(base - whole));
    if (!*base)
        return error_set(error, ERROR_USAGE, "/ is no place to export to");
    if (*above && directory_make(above, 0755, error) < 0)
        return -1;
    place->folder = path_resolve(*above ? above : ".", error);
    if (!place->folder)
        return -1;
    place->name = text_copy(base);
    place->path = path_join(place->folder, base);
    place->exists = lstat(place->path, &place->status) == 0;
    return 0;
}

/* ---- what may be replaced ---- */

static void record_key(const struct place *place, char *key) {
    struct digest digest = digest_of(place->path, strlen(place->path));
    snprintf(key, DIGEST_HEX, "%s", digest_format_hex(&digest).text);
}

/* When it was made, in nanoseconds, as the file system tells it: a number may be given to another directory. */
static int64_t birth(const char *path) {
    struct statx status;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) < 0 || !(status.stx_mask & STATX_BTIME))
        return 0;
    return (int64_t)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
}

/* Whether the directory there now is the one that was exported there last. */
static bool is_earlier_export(struct store *store, const struct place *place) {
    char key[DIGEST_HEX];
    AUTO_JSON struct json *known = NULL;
    record_key(place, key);
    return store_name_read(store, "exports", key, &known, NULL) == 0 && known &&
           json_get_integer(known, "inode", 0) == (int64_t)place->status.st_ino &&
           json_get_integer(known, "device", 0) == (int64_t)place->status.st_dev &&
           json_get_integer(known, "birth", -1) == birth(place->path);
}

static int remember(struct exporting *exporting, const struct place *place, struct error *error) {
    char key[DIGEST_HEX];
    struct stat status;
    AUTO_JSON struct json *fresh = json_new_object();
    record_key(place, key);
    if (lstat(place->path, &status) < 0)
        return error_set_errno(error, errno, "cannot look at %s", place->path);
    json_set_text(fresh, "path", place->path);
    json_set_integer(fresh, "inode", (int64_t)status.st_ino);
    json_set_integer(fresh, "device", (int64_t)status.st_dev);
    json_set_integer(fresh, "birth", birth(place->path));
    return store_hint_write(exporting->session.engine.store, "exports", key, fresh, error);
}

static bool holds(const char *above, const char *path) {
    size_t length = strlen(above);
    return path && strncmp(above, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The current directory, the home directory and the store, and what they lie in, are never replaced. */
static int check_precious(const struct exporting *exporting, const struct place *place, struct error *error) {
    const char *home = getenv("HOME");
    AUTO_FREE char *real = home ? path_resolve(home, NULL) : NULL;
    AUTO_FREE char *store = path_resolve(store_path(exporting->session.engine.store), NULL);
    if (!holds(place->path, exporting->session.scope) && !holds(place->path, real) && !holds(place->path, store))
        return 0;
    error_set(error, ERROR_USAGE, "%s is not replaced: the current directory, your home or the store lies there",
              place->path);
    return error_next(error, "export to a directory of its own, or lay it over what is there: --merge");
}

static bool is_empty(const char *path) {
    AUTO_LIST struct text_list names = {0};
    return directory_list(path, &names, NULL) == 0 && names.count == 0;
}

static int check_replaceable(const struct exporting *exporting, const struct place *place, struct error *error) {
    if (!place->exists)
        return 0;
    if (S_ISLNK(place->status.st_mode) || !S_ISDIR(place->status.st_mode)) {
        error_set(error, ERROR_DATA, "%s is %s, not a directory", place->path,
                  S_ISLNK(place->status.st_mode) ? "a symbolic link" : "a file");
        return error_next(error, "remove it, or export to another place");
    }
    if (check_precious(exporting, place, error) < 0)
        return -1;
    if (exporting->arguments->force || is_empty(place->path) ||
        is_earlier_export(exporting->session.engine.store, place))
        return 0;
    error_set(error, ERROR_DATA, "%s holds what pl-export has not written", place->path);
    return error_next(error, "lay it over what is there with --merge, or replace all of it with --force");
}

/* ---- replacing ---- */

/* Both names change in one moment where the file system can do that. */
static int swap(const char *fresh, const char *old, struct error *error) {
    if (syscall(SYS_renameat2, AT_FDCWD, fresh, AT_FDCWD, old, RENAME_EXCHANGE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return error_set_errno(error, errno, "cannot replace %s", old);
    AUTO_FREE char *aside = text_format("%s-old", fresh);
    if (rename(old, aside) < 0 || rename(fresh, old) < 0 || rename(aside, fresh) < 0)
        return error_set_errno(error, errno, "cannot replace %s", old);
    return 0;
}

static int put_in_place(const struct place *place, const char *fresh, struct error *error) {
    if (!place->exists)
        return rename(fresh, place->path) < 0 ? error_set_errno(error, errno, "cannot write %s", place->path) : 0;
    if (swap(fresh, place->path, error) < 0)
        return -1;
    return tree_remove(fresh, error);
}

static int replace(struct exporting *exporting, const struct tree *tree, const struct place *place,
                   struct error *error) {
    AUTO_FREE char *fresh = text_format("%s/.pl-export-XXXXXX", place->folder);
    if (check_replaceable(exporting, place, error) < 0)
        return -1;
    if (!mkdtemp(fresh))
        return error_set_errno(error, errno, "cannot write to %s", place->folder);
    AUTO_CLOSE int root = open(fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = root < 0 || fchmod(root, 0755) < 0 ? error_set_errno(error, errno, "cannot write to %s", fresh) : 0;
    if (result == 0)
        result = lay_out(&exporting->session.engine, tree, root, time_of(exporting), error);
    if (result == 0)
        result = put_in_place(place, fresh, error);
    if (result < 0)
        (void)!tree_remove(fresh, NULL);
    return result < 0 ? -1 : remember(exporting, place, error);
}

static int merge(struct exporting *exporting, const struct tree *tree, const struct place *place, struct error *error) {
    if (!place->exists && mkdir(place->path, 0755) < 0)
        return error_set_errno(error, errno, "cannot make %s", place->path);
    AUTO_CLOSE int root = open(place->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return error_set_errno(error, errno, "%s is no directory to export to", place->path);
    return lay_out(&exporting->session.engine, tree, root, time_of(exporting), error);
}

int export_directory(struct exporting *exporting, struct error *error) {
    AUTO(place_release) struct place place = {0};
    AUTO_TREE struct tree tree = {0};
    if (tree_load(&exporting->session.engine, &exporting->artifact.digest, &tree, error) < 0 ||
        find_place(exporting->destination, &place, error) < 0)
        return -1;
    return exporting->arguments->merge ? merge(exporting, &tree, &place, error)
                                       : replace(exporting, &tree, &place, error);
}

/* ---- files ---- */

static bool names_directory(const char *given) {
    return text_ends_with(given, "/") || text_equal(given, ".") || text_equal(given, "..") ||
           text_ends_with(given, "/.") || directory_exists(given);
}

int export_file(struct exporting *exporting, struct error *error) {
    const struct json *record = exporting->artifact.record;
    const char *given = exporting->destination, *name = path_base(json_get_text(record, "name", "file"));
    AUTO(place_release) struct place place = {0};
    struct tree_entry file = {.type = json_get_bool(record, "executable", false) ? 'x' : 'f',
                              .digest = exporting->artifact.digest};
    if (names_directory(given) && (!*name || !path_is_below(name)))
        return error_set(error, ERROR_DATA, "the record names no file: say which one %s is to be", given);
    AUTO_FREE char *path = names_directory(given) ? path_join(given, name) : text_copy(given);
    if (find_place(path, &place, error) < 0)
        return -1;
    if (place.exists && !S_ISREG(place.status.st_mode))
        return error_set(error, ERROR_DATA, "%s is there, and is no file", place.path);
    file.path = place.path;
    AUTO_CLOSE int folder = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_set_errno(error, errno, "cannot open %s", place.folder);
    return lay_out_file(&exporting->session.engine, &file, folder, place.name, time_of(exporting), error);
}
