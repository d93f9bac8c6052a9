/* The gzip form of files, made by several threads. */
#include "common/archive/archive.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "firebase/files/files.h"
#include "firebase/files/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* What the threads share: a list of contents, each at `first`, with those that have the same one up to `end`. */
struct packing {
    struct site_files *files;
    struct progress *progress;
    size_t *list; /* indexes of files, those of one content in a row */
    size_t count;
    bool verifies; /* the packed form is known: it must come out the same */
    atomic_size_t next;
    atomic_size_t packed;
    atomic_bool failed;
    pthread_mutex_t lock; /* of what follows */
    struct error error;
};

struct worker {
    struct packing *packing;
    int spool;
    uint64_t begin, length;
    struct hasher *hasher;
};

static int to_spool(void *context, const void *data, size_t length, struct error *error) {
    struct worker *worker = context;
    struct site_files *files = worker->packing->files;
    const char *at = data;
    hasher_add(worker->hasher, data, length);
    for (size_t left = length; left > 0;) {
        ssize_t wrote = pwrite(files->spools[worker->spool], at, left, (off_t)(worker->begin + worker->length));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return error_set_errno(error, errno, "cannot write to %s", files->scratch);
        at += wrote;
        left -= (size_t)wrote;
        worker->length += (uint64_t)wrote;
    }
    return 0;
}

static int pack_content(struct worker *worker, struct gzip_packer *packer, struct site_file *file,
                        struct error *error) {
    struct site_files *files = worker->packing->files;
    struct digest content;
    worker->begin = files->spool_sizes[worker->spool];
    worker->length = 0;
    AUTO_CLOSE int fd = site_files_open(files, file, error);
    if (fd < 0 || gzip_pack_file(packer, fd, to_spool, worker, &content, error) < 0) {
        hasher_finish(worker->hasher);
        return error_wrap(error, "%s", file->path);
    }
    struct digest packed = hasher_finish(worker->hasher);
    if (!digest_equal(&content, &file->content))
        return site_files_changed(file, error);
    if (worker->packing->verifies && !digest_equal(&packed, &file->packed))
        return error_set(error, ERROR_DATA, "%s: its gzip form is not the one that was remembered", file->path);
    file->packed = packed;
    file->packed_size = worker->length;
    file->spool = (signed char)worker->spool;
    file->spool_offset = worker->begin;
    file->is_packed = true;
    files->spool_sizes[worker->spool] += worker->length;
    return 0;
}

static void copy_packed(struct site_file *to, const struct site_file *from) {
    to->packed = from->packed;
    to->packed_size = from->packed_size;
    to->spool = from->spool;
    to->spool_offset = from->spool_offset;
    to->is_packed = true;
}

static void fail(struct packing *packing, const struct error *error) {
    pthread_mutex_lock(&packing->lock);
    if (!atomic_exchange(&packing->failed, true))
        packing->error = *error;
    pthread_mutex_unlock(&packing->lock);
}

static bool same_content(const struct packing *packing, size_t left, size_t right) {
    const struct site_file *items = packing->files->items;
    return digest_equal(&items[packing->list[left]].content, &items[packing->list[right]].content);
}

static void *work(void *context) {
    struct worker *worker = context;
    struct packing *packing = worker->packing;
    struct site_file *items = packing->files->items;
    struct error error = {0};
    AUTO_GZIP_PACKER struct gzip_packer *packer = gzip_packer_new();
    AUTO_HASHER struct hasher *hasher = hasher_new();
    worker->hasher = hasher;
    for (size_t at; !atomic_load(&packing->failed) && (at = atomic_fetch_add(&packing->next, 1)) < packing->count;) {
        if (at > 0 && same_content(packing, at - 1, at))
            continue; /* whoever took the first of a row does them all */
        struct site_file *file = &items[packing->list[at]];
        if (progress_cancelled(packing->progress))
            error_set(&error, ERROR_CANCELLED, "cancelled");
        else if (pack_content(worker, packer, file, &error) == 0)
            atomic_fetch_add(&packing->packed, 1);
        if (error.kind) {
            fail(packing, &error);
            break;
        }
        for (size_t i = at + 1; i < packing->count && same_content(packing, at, i); i++)
            copy_packed(&items[packing->list[i]], file);
    }
    return NULL;
}

static int open_spools(struct site_files *files, size_t count, struct error *error) {
    if (!files->scratch && store_scratch(files->store, &files->scratch, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (files->spools[i] < 0 && (files->spools[i] = open(files->scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) < 0)
            return error_set_errno(error, errno, "cannot write to %s", files->scratch);
    return 0;
}

static size_t thread_count(size_t work) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = processors < 1 ? 1 : processors > SITE_SPOOLS ? SITE_SPOOLS : (size_t)processors;
    return count < work ? count : work;
}

static int compare_contents(const void *left, const void *right, void *items) {
    const struct site_file *files = items;
    return memcmp(&files[*(const size_t *)left].content, &files[*(const size_t *)right].content, sizeof(struct digest));
}

static int run_workers(struct packing *packing, struct error *error) {
    struct worker workers[SITE_SPOOLS];
    pthread_t threads[SITE_SPOOLS];
    bool started[SITE_SPOOLS] = {false};
    size_t count = thread_count(packing->count);
    if (open_spools(packing->files, count, error) < 0)
        return -1;
    pthread_mutex_init(&packing->lock, NULL);
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.packing = packing, .spool = (int)i};
        started[i] = i > 0 && pthread_create(&threads[i], NULL, work, &workers[i]) == 0;
    }
    work(&workers[0]);
    for (size_t i = 1; i < count; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&packing->lock);
    packing->files->packed_now += atomic_load(&packing->packed);
    if (!atomic_load(&packing->failed))
        return 0;
    if (error)
        *error = packing->error;
    return -1;
}

static int pack_selected(struct site_files *files, bool (*wanted)(const struct site_file *), bool verifies,
                         struct progress *progress, struct error *error) {
    AUTO_FREE size_t *list = memory_allocate(files->count, sizeof(*list));
    struct packing packing = {.files = files, .progress = progress, .list = list, .verifies = verifies};
    for (size_t i = 0; i < files->count; i++)
        if (wanted(&files->items[i]))
            list[packing.count++] = i;
    if (!packing.count)
        return 0;
    qsort_r(list, packing.count, sizeof(*list), compare_contents, files->items);
    return run_workers(&packing, error);
}

static bool is_unpacked(const struct site_file *file) {
    return !file->is_packed;
}

static bool is_wanted_in_spool(const struct site_file *file) {
    return file->is_required && file->spool < 0;
}

static int compare_packed(const void *left, const void *right, void *items) {
    const struct site_file *files = items;
    return memcmp(&files[*(const uint32_t *)left].packed, &files[*(const uint32_t *)right].packed,
                  sizeof(struct digest));
}

static void index_packed(struct site_files *files) {
    files->by_packed = memory_resize(files->by_packed, files->count, sizeof(*files->by_packed));
    for (size_t i = 0; i < files->count; i++)
        files->by_packed[i] = (uint32_t)i;
    if (files->count)
        qsort_r(files->by_packed, files->count, sizeof(*files->by_packed), compare_packed, files->items);
}

int site_files_pack(struct site_files *files, const char *site, struct progress *progress, struct error *error) {
    memory_recall(files, site);
    int result = pack_selected(files, is_unpacked, false, progress, error);
    /* What was packed before a failure is right all the same. */
    if (files->packed_now)
        memory_keep(files, site);
    if (result == 0)
        index_packed(files);
    return result;
}

bool site_files_require(struct site_files *files, const struct digest *packed) {
    size_t low = 0, high = files->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(&files->items[files->by_packed[middle]].packed, packed, sizeof(*packed)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct site_file *file = low < files->count ? &files->items[files->by_packed[low]] : NULL;
    if (!file || !digest_equal(&file->packed, packed))
        return false;
    file->is_required = true;
    return true;
}

int site_files_spool(struct site_files *files, const char *site, struct progress *progress, struct error *error) {
    struct error failure = {0};
    if (pack_selected(files, is_wanted_in_spool, true, progress, &failure) == 0)
        return 0;
    if (failure.kind == ERROR_DATA)
        memory_forget(files, site);
    if (error)
        *error = failure;
    return -1;
}
