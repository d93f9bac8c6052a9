/* What was uploaded: a table in memory, and the file that it is read from at the next start.
 *
 *   hosting/contents   "HASH SIZE PLAIN" a line. A line may be lost with the power, but only of what no finalized
 *                      version has: those wait for contents_sync. */
#include "local/hosting/internal.h"

#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>

enum { LOG_LIMIT = 512 << 20, FIRST_SLOTS = 1024 };

struct slot {
    struct digest digest;
    struct content content;
    bool used;
};

struct contents {
    struct store *store;
    pthread_mutex_t lock;
    int log; /* opened for appending */
    struct slot *slots;
    size_t slot_count, used; /* a power of two, at most half of it used */
};

static size_t first_slot(const struct contents *contents, const struct digest *digest) {
    size_t hash;
    memcpy(&hash, digest->bytes, sizeof(hash));
    return hash & (contents->slot_count - 1);
}

/* Its slot, or the free one where it belongs. */
static struct slot *find_slot(const struct contents *contents, const struct digest *digest) {
    size_t at = first_slot(contents, digest);
    while (contents->slots[at].used && !digest_equal(&contents->slots[at].digest, digest))
        at = (at + 1) & (contents->slot_count - 1);
    return &contents->slots[at];
}

static void grow(struct contents *contents) {
    struct slot *old = contents->slots;
    size_t count = contents->slot_count;
    contents->slot_count = count ? 2 * count : FIRST_SLOTS;
    contents->slots = memory_allocate(contents->slot_count, sizeof(*contents->slots));
    for (size_t i = 0; i < count; i++)
        if (old[i].used)
            *find_slot(contents, &old[i].digest) = old[i];
    free(old);
}

static void put(struct contents *contents, const struct digest *digest, const struct content *content) {
    if (2 * (contents->used + 1) > contents->slot_count)
        grow(contents);
    struct slot *slot = find_slot(contents, digest);
    contents->used += !slot->used;
    *slot = (struct slot){*digest, *content, true};
}

/* What is no line is what a crash left of one. */
static void read_line(struct contents *contents, char *line) {
    struct digest digest;
    struct content content;
    char *size = strchr(line, ' '), *plain = size ? strchr(size + 1, ' ') : NULL;
    if (!plain)
        return;
    *size++ = *plain++ = '\0';
    if (digest_parse_hex(line, &digest, NULL) == 0 && text_to_u64(size, HOSTED_FILE_LIMIT, &content.size) &&
        text_to_u64(plain, HOSTED_FILE_LIMIT, &content.plain))
        put(contents, &digest, &content);
}

static int read_log(struct contents *contents, const char *path, struct error *error) {
    AUTO_FILE FILE *log = fopen(path, "re");
    char line[256];
    if (!log)
        return errno == ENOENT ? 0 : error_set_errno(error, errno, "cannot read %s", path);
    while (fgets(line, sizeof(line), log)) {
        line[strcspn(line, "\n")] = '\0';
        read_line(contents, line);
    }
    return ferror(log) ? error_set(error, ERROR_INTERNAL, "cannot read %s", path) : 0;
}

struct contents *contents_open(struct store *store, const char *root, struct error *error) {
    struct contents *contents = memory_allocate(1, sizeof(*contents));
    AUTO_FREE char *path = path_join(root, "contents");
    contents->store = store;
    contents->log = -1;
    pthread_mutex_init(&contents->lock, NULL);
    grow(contents);
    if (read_log(contents, path, error) < 0) {
        contents_close(&contents);
        return NULL;
    }
    contents->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* A line that was cut off must not spoil the next one. */
    if (contents->log < 0 || write(contents->log, "\n", 1) != 1) {
        error_set_errno(error, errno, "cannot write %s", path);
        contents_close(&contents);
    }
    return contents;
}

void contents_close(struct contents **contents) {
    if (!*contents)
        return;
    cleanup_close(&(*contents)->log);
    pthread_mutex_destroy(&(*contents)->lock);
    free((*contents)->slots);
    free(*contents);
    *contents = NULL;
}

bool content_find(const struct hosting *hosting, const struct digest *digest, struct content *content) {
    struct contents *contents = hosting->contents;
    pthread_mutex_lock(&contents->lock);
    struct slot slot = *find_slot(contents, digest);
    pthread_mutex_unlock(&contents->lock);
    if (content)
        *content = slot.content;
    return slot.used && store_has(contents->store, digest);
}

int content_add(struct contents *contents, const struct digest *digest, const struct content *content,
                struct error *error) {
    AUTO_FREE char *line = text_format("%s %llu %llu\n", digest_format_hex(digest).text,
                                       (unsigned long long)content->size, (unsigned long long)content->plain);
    int result = 0;
    pthread_mutex_lock(&contents->lock);
    off_t size = lseek(contents->log, 0, SEEK_END);
    if (size > LOG_LIMIT)
        result = error_set(error, ERROR_CANNOT_WRITE, "the local cloud holds too many files: pl-local reset");
    else if (fd_write_all(contents->log, line, strlen(line), error) < 0)
        result = error_wrap(error, "the list of what was uploaded");
    else
        put(contents, digest, content);
    pthread_mutex_unlock(&contents->lock);
    return result;
}

int contents_sync(struct contents *contents, struct error *error) {
    return fdatasync(contents->log) < 0 ? error_set_errno(error, errno, "the list of what was uploaded") : 0;
}
