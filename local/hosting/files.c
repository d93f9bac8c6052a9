/* Which files a version has: what is added, what of it is missing, the list. */
#include "local/hosting/internal.h"

#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>

enum { LINES_LIMIT = 256 << 20 };

/* ---- which version has which ---- */

/* Absolute, every part of it a name. */
static bool path_is_servable(const char *path) {
    if (*path != '/' || strlen(path) > PATH_LIMIT || !path[1] || path[strlen(path) - 1] == '/')
        return false;
    for (const char *part = path; *part; part += strcspn(part, "/")) {
        size_t length = strcspn(++part, "/");
        if (!length || (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
    }
    return true;
}

/* One entry of a request or a line; *removed for an empty hash. */
static int parse_entry(const char *path, const struct json *value, struct digest *digest, bool *removed,
                       struct error *error) {
    const char *hash = json_text(value);
    *removed = hash && !*hash;
    if (!path_is_servable(path))
        return error_set(error, ERROR_DATA, "Invalid path `%.200s`: it begins with `/` and holds no `//`, `.` or `..`",
                         path);
    if (!hash || (*hash && digest_parse_hex(hash, digest, NULL) < 0))
        return error_set(error, ERROR_DATA,
                         "Invalid hash of `%.200s`: 64 lower-case hexadecimal digits are expected, of the SHA-256 of "
                         "the gzipped file",
                         path);
    return 0;
}

void file_table_release(struct file_table *table) {
    for (size_t i = 0; i < table->count; i++)
        free(table->files[i].path);
    free(table->files);
    *table = (struct file_table){0};
}

static int compare_files(const void *left, const void *right) {
    return strcmp(((const struct hosted_file *)left)->path, ((const struct hosted_file *)right)->path);
}

const struct hosted_file *file_table_find(const struct file_table *table, const char *path) {
    struct hosted_file key = {.path = (char *)path};
    return table->count ? bsearch(&key, table->files, table->count, sizeof(key), compare_files) : NULL;
}

/* A set while lines are read: path → hash, insertion by JSON's own table. */
static int merge_line(struct json *files, const char *line, size_t length, struct error *error) {
    AUTO_JSON struct json *object = json_parse(line, length, "the list of files", error);
    if (!object)
        return -1;
    for (void *at = json_first(object); at; at = json_next(object, at))
        if (text_is_empty(json_text(json_value(at))))
            json_remove(files, json_key(at));
        else
            json_set(files, json_key(at), json_share(json_value(at)));
    return 0;
}

int file_table_load(const struct hosting *hosting, const char *site, const char *version, struct file_table *table,
                    struct error *error) {
    AUTO_FREE char *path = resource_path(hosting, site, "versions", version, ".files");
    AUTO_BUFFER struct buffer text = BUFFER(LINES_LIMIT);
    AUTO_JSON struct json *files = json_new_object();
    bool found = false;
    *table = (struct file_table){0};
    if (file_read(path, &text, &found, error) < 0)
        return -1;
    const char *at = buffer_text(&text), *end = at + text.length;
    /* A line that was cut off by a crash was never answered. */
    for (const char *newline; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        if (merge_line(files, at, (size_t)(newline - at), error) < 0)
            return -1;
    if (json_count(files) > FILES_LIMIT)
        return error_set(error, ERROR_DATA, "A version has at most %d files.", FILES_LIMIT);
    table->files = memory_allocate(json_count(files) + 1, sizeof(*table->files));
    for (void *i = json_first(files); i; i = json_next(files, i)) {
        struct hosted_file *file = &table->files[table->count];
        if (digest_parse_hex(json_text(json_value(i)), &file->digest, NULL) < 0)
            continue;
        file->path = text_copy(json_key(i));
        table->count++;
    }
    qsort(table->files, table->count, sizeof(*table->files), compare_files);
    return 0;
}

int file_table_save(const struct hosting *hosting, const char *site, const char *version,
                    const struct file_table *table, struct error *error) {
    AUTO_FREE char *path = resource_path(hosting, site, "versions", version, ".files");
    AUTO_BUFFER struct buffer text = BUFFER(LINES_LIMIT);
    AUTO_JSON struct json *files = json_new_object();
    for (size_t i = 0; i < table->count; i++)
        json_set_text(files, table->files[i].path, digest_format_hex(&table->files[i].digest).text);
    json_write(files, JSON_COMPACT_STYLE, &text);
    buffer_append_byte(&text, '\n');
    if (buffer_check(&text, "the list of files", error) < 0)
        return -1;
    return file_write_atomic(path, buffer_text(&text), text.length, 0600, error);
}

int version_count_files(const struct hosting *hosting, const char *site, const char *version, uint64_t *count,
                        uint64_t *bytes, struct error *error) {
    AUTO_FILE_TABLE struct file_table table = {0};
    if (file_table_load(hosting, site, version, &table, error) < 0)
        return -1;
    *count = table.count;
    *bytes = 0;
    for (size_t i = 0; i < table.count; i++) {
        struct content content;
        if (!content_find(hosting, &table.files[i].digest, &content))
            return error_set(error, ERROR_ANSWER_NO, "Version has files that were not uploaded, such as `%.200s`.",
                             table.files[i].path);
        *bytes += content.size;
    }
    if (contents_sync(hosting->contents, error) < 0)
        return -1;
    return file_table_save(hosting, site, version, &table, error);
}

/* ---- populateFiles, and the list ---- */

/* Adds what is not there yet to `missing`, each hash once. */
static int check_files(const struct call *call, const struct json *files, struct json *missing, struct error *error) {
    AUTO_JSON struct json *seen = json_new_object();
    for (void *at = json_first(files); at; at = json_next(files, at)) {
        struct digest digest;
        bool removed;
        if (parse_entry(json_key(at), json_value(at), &digest, &removed, error) < 0)
            return -1;
        const char *hash = json_text(json_value(at));
        if (removed || json_get(seen, hash) || content_find(call->hosting, &digest, NULL))
            continue;
        json_set(seen, hash, json_new_bool(true));
        json_append_text(missing, hash);
    }
    return 0;
}

/* What a crash left of a line, without its end, was never answered: it goes. */
static int cut_half_line(int fd, off_t *size) {
    char last = '\n';
    while (*size > 0 && (pread(fd, &last, 1, *size - 1) != 1 || last != '\n'))
        --*size;
    return ftruncate(fd, *size);
}

static int append_line(const struct call *call, const struct json *files, struct error *error) {
    AUTO_FREE char *path = resource_path(call->hosting, call->names[0], "versions", call->names[1], ".files");
    AUTO_BUFFER struct buffer line = BUFFER(BODY_LIMIT * 2);
    json_write(files, JSON_COMPACT_STYLE, &line);
    buffer_append_byte(&line, '\n');
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0 || cut_half_line(fd, &status.st_size) < 0)
        return error_set_errno(error, errno, "cannot write %s", path);
    if (buffer_check(&line, "the list of files", error) < 0)
        return -1;
    if ((uint64_t)status.st_size + line.length > LINES_LIMIT)
        return error_set(error, ERROR_DATA, "The version has too many files.");
    if (fd_write_all(fd, buffer_text(&line), line.length, error) < 0)
        return error_wrap(error, "cannot write %s", path);
    return fdatasync(fd) < 0 ? error_set_errno(error, errno, "cannot write %s", path) : 0;
}

void version_populate(struct call *call) {
    AUTO_JSON struct json *version = version_read(call->hosting, call->names[0], call->names[1]);
    const struct json *files = json_get(call->body, "files");
    struct error error = {0};
    if (!version) {
        call_not_found(call);
        return;
    }
    if (!text_equal(json_get_text(version, "status", NULL), "CREATED")) {
        call_precondition(call, "Version is %s: no files can be added.", json_get_text(version, "status", ""));
        return;
    }
    if ((files && !json_is_object(files)) || json_count(files) > POPULATE_LIMIT) {
        reply_google_error(call->reply, 400, "Invalid value at 'files': an object of at most %d paths", POPULATE_LIMIT);
        return;
    }
    AUTO_JSON struct json *missing = json_new_array();
    if (check_files(call, files, missing, &error) < 0 || (json_count(files) && append_line(call, files, &error) < 0)) {
        call_fail(call, &error);
        return;
    }
    struct json *document = json_new_object();
    AUTO_FREE char *url =
        text_format("http://%s/upload/sites/%s/versions/%s/files", call->request->host, call->names[0], call->names[1]);
    if (json_count(missing))
        json_set(document, "uploadRequiredHashes", take_pointer(&missing));
    json_set_text(document, "uploadUrl", url);
    reply_json(call->reply, 200, document);
}

void version_files(struct call *call) {
    AUTO_JSON struct json *version = version_read(call->hosting, call->names[0], call->names[1]);
    const char *wanted = request_query(call->request, "status");
    AUTO_FILE_TABLE struct file_table table = {0};
    struct error error = {0};
    if (!version) {
        call_not_found(call);
        return;
    }
    if (file_table_load(call->hosting, call->names[0], call->names[1], &table, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    struct json *files = json_new_array();
    for (size_t i = 0; i < table.count; i++) {
        const char *status = content_find(call->hosting, &table.files[i].digest, NULL) ? "ACTIVE" : "EXPECTED";
        if (!text_is_empty(wanted) && !text_equal(wanted, "STATUS_UNSPECIFIED") && !text_equal(wanted, status))
            continue;
        struct json *file = json_new_object();
        json_set_text(file, "path", table.files[i].path);
        json_set_text(file, "hash", digest_format_hex(&table.files[i].digest).text);
        json_set_text(file, "status", status);
        json_append(files, file);
    }
    call_page(call, "files", files, 1000, 1000);
}
