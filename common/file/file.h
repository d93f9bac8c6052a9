/* Files and directories: whole reads with a limit, durable atomic writes, safe removal. */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include "common/base/buffer.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Reads a whole regular file into `out` (appended). A file over out's limit is ERROR_DATA; a pipe, socket or device is
 * refused. *found may be NULL; with it a missing file is not an error: 0 with *found false. */
int file_read(const char *path, struct buffer *out, bool *found, struct error *error) MUST_CHECK;

/* Temp file in the same directory, write, fsync, rename, fsync of the directory: after 0 the new content survives power
 * loss, after -1 the old content is untouched and no temp file is left. */
int file_write_atomic(const char *path, const void *data, size_t length, mode_t mode, struct error *error) MUST_CHECK;
/* The same without waiting for the disk: every reader sees the old or the new content, but after a power loss the file
 * may be old, empty or absent. For what only saves work and is recognised when it is damaged. */
int file_replace(const char *path, const void *data, size_t length, mode_t mode, struct error *error) MUST_CHECK;

/* All bytes, through EINTR and short writes. */
int fd_write_all(int fd, const void *data, size_t length, struct error *error) MUST_CHECK;

/* mkdir -p; existing directories keep their mode. */
int directory_make(const char *path, mode_t mode, struct error *error) MUST_CHECK;
int directory_sync(const char *path, struct error *error) MUST_CHECK;
/* Makes a directory with all below durable: by fsync of each when there are at most `limit`, files and directories
 * only; else by syncfs, which also waits for whatever others have written to the same file system. */
int tree_sync(const char *path, unsigned limit, struct error *error) MUST_CHECK;
/* Names in a directory without "." and "..", sorted by bytes; needs text_list_release. */
struct text_list;
int directory_list(const char *path, struct text_list *names, struct error *error) MUST_CHECK;

/* rm -rf without following any link, however deep, also through directories that lack permissions of their own owner; a
 * path that does not exist is fine. Does not cross into another mounted file system. */
int tree_remove(const char *path, struct error *error);

/* "left/right" without doubled slashes; the caller frees. An absolute `right` is appended all the same. */
char *path_join(const char *left, const char *right);
/* The part after the last slash, not allocated. */
const char *path_base(const char *path);
/* Absolute, existing, links resolved; the caller frees; NULL with *error. */
char *path_resolve(const char *path, struct error *error);
/* Whether a relative path stays below its root: not absolute, no "..", no empty part, no NUL. */
bool path_is_below(const char *path);

bool file_exists(const char *path);
/* Notes that a file is still of use: its modification time becomes now when it is older than a day. A cleaner goes by
 * that. Failure is none. `parent` as for openat. */
void file_keep(int parent, const char *path);
bool directory_exists(const char *path);

#endif
