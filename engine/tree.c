/* Tree objects.
 *
 * The object's text, one line per entry, sorted by the bytes of the path:
 *     f SHA256 SIZE PATH      a file
 *     x SHA256 SIZE PATH      an executable file
 *     d - - PATH              a directory
 *     l - TARGET PATH         a symbolic link
 * A line may begin with "@UID:GID:MODE " (the mode in octal), and that of a file with "@UID:GID:MODE:CAPABILITY " (in
 * hexadecimal digits).
 * In PATH and TARGET every byte up to and with space, '%' and DEL is written as %XX. */
#include "engine/tree.h"
#include "common/file/file.h"

#include <string.h>
#include <sys/xattr.h>

enum { TREE_OBJECT_LIMIT = 512 * 1024 * 1024, LINE_LIMIT = 256 * 1024, WRITE_SIZE = 64 * 1024, ENTRY_LIMIT = 5000000 };

static void write_escaped(struct buffer *out, const char *text) {
    const unsigned char *plain = (const unsigned char *)text, *at = plain;
    for (; *at; at++) {
        if (*at > ' ' && *at != '%' && *at != 0x7f)
            continue;
        buffer_append(out, plain, (size_t)(at - plain));
        buffer_append_format(out, "%%%02X", *at);
        plain = at + 1;
    }
    buffer_append(out, plain, (size_t)(at - plain));
}

/* As "%llu", which costs more than all else about an entry. */
static void write_number(struct buffer *out, uint64_t number) {
    char digits[20], *at = digits + sizeof(digits);
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    buffer_append(out, at, (size_t)(digits + sizeof(digits) - at));
}

unsigned tree_entry_mode(const struct tree_entry *entry) {
    if (entry->has_owner)
        return entry->mode;
    return entry->type == 'l' ? 0777 : entry->type == 'f' ? 0644 : 0755;
}

void tree_entry_set_owner(struct tree_entry *entry, uint32_t uid, uint32_t gid, unsigned mode) {
    entry->has_owner = false;
    unsigned usual = tree_entry_mode(entry);
    mode = entry->type == 'l' ? usual : mode & 07777;
    if (uid == 0 && gid == 0 && mode == usual)
        return;
    entry->has_owner = true;
    entry->uid = uid;
    entry->gid = gid;
    entry->mode = mode;
}

void tree_entry_read_capability(struct tree_entry *entry, const char *path) {
    ssize_t length = lgetxattr(path, "security.capability", entry->capability, sizeof(entry->capability));
    entry->capability_length = length > 0 ? (uint8_t)length : 0;
    if (length <= 0 || entry->has_owner)
        return;
    entry->mode = tree_entry_mode(entry);
    entry->has_owner = true;
}

static void write_owner(struct buffer *out, const struct tree_entry *entry) {
    buffer_append_format(out, "@%u:%u:%04o", entry->uid, entry->gid, entry->mode);
    if (entry->capability_length > 0)
        buffer_append_byte(out, ':');
    for (size_t i = 0; i < entry->capability_length; i++)
        buffer_append_format(out, "%02X", entry->capability[i]);
    buffer_append_byte(out, ' ');
}

static void write_entry(struct buffer *out, const struct tree_entry *entry) {
    if (entry->has_owner)
        write_owner(out, entry);
    buffer_append_byte(out, entry->type);
    buffer_append_byte(out, ' ');
    if (entry->type == 'f' || entry->type == 'x') {
        buffer_append_text(out, digest_format_hex(&entry->digest).text);
        buffer_append_byte(out, ' ');
        write_number(out, entry->size);
        buffer_append_byte(out, ' ');
    } else if (entry->type == 'l') {
        buffer_append_text(out, "- ");
        write_escaped(out, entry->target);
        buffer_append_byte(out, ' ');
    } else {
        buffer_append_text(out, "- - ");
    }
    write_escaped(out, entry->path);
    buffer_append_byte(out, '\n');
}

struct digest tree_digest(const struct tree *tree) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    AUTO_BUFFER struct buffer line = BUFFER(TREE_OBJECT_LIMIT);
    for (size_t i = 0; i < tree->count; i++) {
        write_entry(&line, &tree->entries[i]);
        hasher_add(hasher, line.data, line.length);
        buffer_clear(&line);
    }
    return hasher_finish(hasher);
}

int tree_store(struct engine *engine, const struct tree *tree, struct digest *digest, struct error *error) {
    AUTO_BUFFER struct buffer line = BUFFER(LINE_LIMIT);
    *digest = tree_digest(tree);
    if (store_has(engine->store, digest)) {
        store_keep(engine->store, digest);
        return 0;
    }
    AUTO_WRITER struct store_writer *writer = store_put_begin(engine->store, digest, TREE_OBJECT_LIMIT, error);
    if (!writer)
        return -1;
    for (size_t i = 0; i < tree->count; i++) {
        write_entry(&line, &tree->entries[i]);
        bool enough = line.length >= WRITE_SIZE || i + 1 == tree->count;
        if (enough && store_put_write(writer, line.data, line.length, error) < 0)
            return error_wrap(error, "the list of files");
        if (enough)
            buffer_clear(&line);
    }
    return store_put_commit(&writer, NULL, NULL, error);
}

/* ---- reading ---- */

static int hex_value(char digit) {
    const char *digits = "0123456789ABCDEF", *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

static char *read_escaped(const char *text, size_t length) {
    char *plain = memory_allocate(1, length + 1);
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            plain[at++] = text[i];
            continue;
        }
        int high = length - i > 2 ? hex_value(text[i + 1]) : -1;
        int low = length - i > 2 ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0 || high * 16 + low == 0) {
            free(plain);
            return NULL;
        }
        plain[at++] = (char)(high * 16 + low);
        i += 2;
    }
    return plain;
}

static bool read_capability(const char *text, struct tree_entry *entry) {
    size_t length = strlen(text);
    if (length == 0 || length % 2 || length / 2 > sizeof(entry->capability))
        return false;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        entry->capability[i / 2] = (unsigned char)(high * 16 + low);
    }
    entry->capability_length = (uint8_t)(length / 2);
    return true;
}

/* "@UID:GID:MODE " in front of a line; *line goes behind it. */
static bool read_owner(char **line, struct tree_entry *entry) {
    char *end = strchr(*line, ' ');
    AUTO_LIST struct text_list parts = {0};
    uint64_t uid, gid;
    if (!end)
        return false;
    *end = '\0';
    text_list_split(&parts, *line + 1, ':');
    if (parts.count < 3 || parts.count > 4 || !text_to_u64(parts.items[0], UINT32_MAX, &uid) ||
        !text_to_u64(parts.items[1], UINT32_MAX, &gid) || strlen(parts.items[2]) != 4 ||
        strspn(parts.items[2], "01234567") != 4)
        return false;
    entry->has_owner = true;
    entry->uid = (uint32_t)uid;
    entry->gid = (uint32_t)gid;
    entry->mode = (unsigned)strtoul(parts.items[2], NULL, 8);
    *line = end + 1;
    return parts.count == 3 || read_capability(parts.items[3], entry);
}

static bool read_entry(char *line, struct tree_entry *entry) {
    if (*line == '@' && !read_owner(&line, entry))
        return false;
    char *first = strchr(line, ' '), *second = first ? strchr(first + 1, ' ') : NULL;
    char *third = second ? strchr(second + 1, ' ') : NULL;
    if (first != line + 1 || !third)
        return false;
    *second = *third = '\0';
    entry->type = *line;
    entry->path = read_escaped(third + 1, strlen(third + 1));
    if (!entry->path || !path_is_below(entry->path))
        return false;
    switch (entry->type) {
    case 'f':
    case 'x':
        return digest_parse_hex(first + 1, &entry->digest, NULL) == 0 &&
               text_to_u64(second + 1, UINT64_MAX, &entry->size);
    case 'l':
        entry->target = read_escaped(second + 1, strlen(second + 1));
        return entry->target != NULL;
    default:
        return entry->type == 'd';
    }
}

static void release_entry(struct tree_entry *entry) {
    free(entry->path);
    free(entry->target);
    *entry = (struct tree_entry){0};
}

/* An object of the store, hashed before a line of it is believed. */
static FILE *open_lines(struct engine *engine, const struct digest *digest, struct error *error) {
    uint64_t size = 0;
    struct digest found;
    AUTO_CLOSE int fd = store_open_object(engine->store, digest, &size, error);
    if (fd < 0)
        return NULL;
    if (size > TREE_OBJECT_LIMIT || digest_of_fd(fd, &found, NULL, error) < 0 || !digest_equal(&found, digest) ||
        lseek(fd, 0, SEEK_SET) < 0) {
        error_set(error, ERROR_DATA, "the list of files %s in the store is damaged", digest_format(digest).text);
        error_next(error, "run: pl-cache verify");
        return NULL;
    }
    FILE *file = fdopen(fd, "r");
    if (file)
        take_fd(&fd);
    else
        error_set_errno(error, errno, "cannot read from the store");
    return file;
}

static int not_a_list(const struct digest *digest, struct error *error) {
    return error_set(error, ERROR_DATA, "the object %s is not a list of files", digest_format(digest).text);
}

/* `take` may make the entry its own by leaving an empty one. */
static int read_entries(struct engine *engine, const struct digest *digest,
                        int (*take)(void *context, struct tree_entry *entry, struct error *error), void *context,
                        struct error *error) {
    AUTO_FILE FILE *file = open_lines(engine, digest, error);
    AUTO_FREE char *line = NULL, *previous = text_copy("");
    size_t capacity = 0, count = 0;
    if (!file)
        return -1;
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        struct tree_entry entry = {0};
        bool fine = line[length - 1] == '\n' && strlen(line) == (size_t)length && count++ < ENTRY_LIMIT;
        line[length - 1] = '\0';
        fine = fine && read_entry(line, &entry) && strcmp(previous, entry.path) < 0;
        if (fine) {
            free(previous);
            previous = text_copy(entry.path);
        }
        int result = fine ? take(context, &entry, error) : not_a_list(digest, error);
        release_entry(&entry);
        if (result < 0)
            return -1;
    }
    return ferror(file) ? error_set_errno(error, errno, "cannot read from the store") : 0;
}

struct visit {
    tree_visitor *visit;
    void *context;
};

static int visit_entry(void *context, struct tree_entry *entry, struct error *error) {
    const struct visit *visit = context;
    return visit->visit(visit->context, entry, error);
}

int tree_visit(struct engine *engine, const struct digest *digest, tree_visitor *visitor, void *context,
               struct error *error) {
    struct visit visit = {visitor, context};
    return read_entries(engine, digest, visit_entry, &visit, error);
}

static int keep_entry(void *context, struct tree_entry *entry, struct error *error) {
    struct tree *tree = context;
    (void)error;
    if ((tree->count & (tree->count - 1)) == 0)
        tree->entries = memory_resize(tree->entries, tree->count ? tree->count * 2 : 1, sizeof(*tree->entries));
    tree->entries[tree->count++] = *entry;
    *entry = (struct tree_entry){0};
    return 0;
}

int tree_load(struct engine *engine, const struct digest *digest, struct tree *tree, struct error *error) {
    *tree = (struct tree){0};
    if (read_entries(engine, digest, keep_entry, tree, error) == 0)
        return 0;
    tree_release(tree);
    return -1;
}

/* ---- selection ---- */

static struct tree_entry copy_entry(const struct tree_entry *entry) {
    struct tree_entry copy = *entry;
    copy.path = text_copy(entry->path);
    copy.target = text_copy(entry->target);
    return copy;
}

/* Marks the directories above every wanted entry. */
static void mark_parents(const struct tree *tree, const char *path, bool *wanted) {
    AUTO_FREE char *parent = text_copy(path);
    for (char *slash; (slash = strrchr(parent, '/'));) {
        *slash = '\0';
        const struct tree_entry *entry = tree_find(tree, parent);
        if (!entry || wanted[entry - tree->entries])
            return;
        wanted[entry - tree->entries] = true;
    }
}

void tree_select(const struct tree *tree, bool (*is_wanted)(void *context, const struct tree_entry *entry),
                 void *context, struct tree *selected) {
    *selected = (struct tree){0};
    AUTO_FREE bool *wanted = memory_allocate(tree->count + 1, sizeof(*wanted));
    for (size_t i = 0; i < tree->count; i++)
        if (is_wanted(context, &tree->entries[i])) {
            wanted[i] = true;
            mark_parents(tree, tree->entries[i].path, wanted);
        }
    selected->entries = memory_allocate(tree->count + 1, sizeof(*selected->entries));
    for (size_t i = 0; i < tree->count; i++)
        if (wanted[i])
            selected->entries[selected->count++] = copy_entry(&tree->entries[i]);
}

static int compare_path(const void *path, const void *entry) {
    return strcmp(path, ((const struct tree_entry *)entry)->path);
}

const struct tree_entry *tree_find(const struct tree *tree, const char *path) {
    if (tree->count == 0)
        return NULL;
    return bsearch(path, tree->entries, tree->count, sizeof(*tree->entries), compare_path);
}

void tree_release(struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->entries[i].path);
        free(tree->entries[i].target);
    }
    free(tree->entries);
    *tree = (struct tree){0};
}
