#include "firebase/files/files.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>

void site_files_init(struct site_files *files, struct store *store) {
    *files = (struct site_files){.store = store};
    for (size_t i = 0; i < SITE_SPOOLS; i++)
        files->spools[i] = -1;
}

static void file_release(struct site_file *file) {
    free(file->path);
    free(file->source);
}

void site_files_release(struct site_files *files) {
    for (size_t i = 0; i < files->count; i++)
        file_release(&files->items[i]);
    free(files->items);
    for (size_t i = 0; files->store && i < SITE_SPOOLS; i++)
        if (files->spools[i] >= 0)
            close(files->spools[i]);
    if (files->scratch)
        store_scratch_remove(files->store, files->scratch);
    free(files->scratch);
    free(files->by_packed);
    free(files->directory);
    *files = (struct site_files){0};
}

/* Whether a path can be told to Hosting in JSON and asked for in a URL. */
static int check_path(const char *path, struct error *error) {
    AUTO_FREE char *scrubbed = text_scrub(path, strlen(path), false);
    if (text_equal(path, scrubbed) && !strchr(path, '\t'))
        return 0;
    error_set(error, ERROR_DATA, "the name %s is not UTF-8 or has a control character", path);
    return error_next(error, "rename the file, or leave it out with \"ignore\" in firebase.json");
}

void site_files_reserve(struct site_files *files, size_t count) {
    if (files->count + count <= files->capacity)
        return;
    files->capacity = files->count + count;
    files->items = memory_resize(files->items, files->capacity, sizeof(*files->items));
}

int site_files_add(struct site_files *files, char *path, const char *source, const struct digest *content,
                   uint64_t size, struct error *error) {
    AUTO_FREE char *owned = path;
    if (check_path(path, error) < 0)
        return -1;
    if (size > SITE_FILE_LIMIT) {
        error_set(error, ERROR_DATA, "%s has %llu bytes; Hosting takes files of up to 2 GB", path,
                  (unsigned long long)size);
        return error_next(error, "keep it in Cloud Storage, or leave it out with \"ignore\" in firebase.json");
    }
    if (files->count == files->capacity)
        site_files_reserve(files, files->capacity / 2 + 64);
    files->items[files->count] =
        (struct site_file){.source = source && !text_equal(source, path) ? text_copy(source) : NULL,
                           .path = take_pointer(&owned),
                           .in_directory = source != NULL,
                           .content = *content,
                           .size = size,
                           .spool = -1,
                           .order = (uint32_t)files->count};
    files->count++;
    return 0;
}

int site_files_changed(const struct site_file *file, struct error *error) {
    if (file->in_directory) {
        error_set(error, ERROR_DATA, "%s changed while it was deployed", file->path);
        return error_next(error, "stop what writes it, and run this again");
    }
    error_set(error, ERROR_DATA, "%s: its content in the store is damaged", file->path);
    return error_next(error, "run pl-cache verify, then build again");
}

static char *source_path(const struct site_files *files, const struct site_file *file) {
    return path_join(files->directory, file->source ? file->source : file->path);
}

int site_files_read(const struct site_files *files, const struct site_file *file, struct buffer *out,
                    struct error *error) {
    if (!file->in_directory)
        return store_read(files->store, &file->content, out, error);
    AUTO_FREE char *path = source_path(files, file);
    if (file_read(path, out, NULL, error) < 0)
        return -1;
    struct digest digest = digest_of(buffer_text(out), out->length);
    return digest_equal(&digest, &file->content) ? 0 : site_files_changed(file, error);
}

int site_files_open(const struct site_files *files, const struct site_file *file, struct error *error) {
    struct stat status;
    if (!file->in_directory)
        return store_open_object(files->store, &file->content, NULL, error);
    AUTO_FREE char *path = source_path(files, file);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set_errno(error, errno, "cannot read %s", file->path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_DATA, "%s is no file any more", file->path);
    return take_fd(&fd);
}

static int compare_paths(const void *left, const void *right) {
    const struct site_file *first = left, *second = right;
    int order = strcmp(first->path, second->path);
    return order ? order : (first->order > second->order) - (first->order < second->order);
}

void site_files_sort(struct site_files *files) {
    size_t kept = 0;
    if (files->count < 2)
        return;
    qsort(files->items, files->count, sizeof(*files->items), compare_paths);
    for (size_t i = 1; i < files->count; i++)
        if (strcmp(files->items[kept].path, files->items[i].path) == 0) {
            file_release(&files->items[kept]);
            files->items[kept] = files->items[i];
        } else {
            files->items[++kept] = files->items[i];
        }
    files->count = kept + 1;
}

static int compare_path_to_file(const void *path, const void *file) {
    return strcmp(path, ((const struct site_file *)file)->path);
}

const struct site_file *site_files_find(const struct site_files *files, const char *path) {
    return files->count ? bsearch(path, files->items, files->count, sizeof(*files->items), compare_path_to_file) : NULL;
}
