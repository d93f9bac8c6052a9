/* A file that somebody else keeps fresh: a projected token of Kubernetes, a CI's JWT. */
#include "gcp/credentials/subject.h"

#include "common/file/file.h"

struct file_source {
    char *path;
    struct subject_format format;
};

static void release(void *self) {
    struct file_source *source = self;
    free(source->path);
    subject_format_release(&source->format);
    free(source);
}

static void *open_source(const struct json *document, const char *path, struct error *error) {
    const char *file;
    struct subject_format format;
    if (json_need_text(document, "file", path, &file, error) < 0 ||
        subject_format_open(document, path, &format, error) < 0)
        return NULL;
    struct file_source *source = memory_allocate(1, sizeof(*source));
    source->path = text_copy(file);
    source->format = format;
    return source;
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    struct file_source *source = self;
    (void)request;
    AUTO_BUFFER struct buffer text = BUFFER_SECRET(DOCUMENT_LIMIT);
    bool found = false;
    if (file_read(source->path, &text, &found, error) < 0)
        return -1;
    if (!found) {
        error_set(error, ERROR_CONFIGURATION, "%s, which should hold the identity token, does not exist", source->path);
        return error_next(error, "see what should write it; the credentials file names it in credential_source.file");
    }
    return subject_format_read(&source->format, &text, source->path, token, error);
}

static char *describe(const void *self) {
    return text_format("the file %s", ((const struct file_source *)self)->path);
}

const struct subject_source subject_file = {
    .open = open_source, .read = read_token, .describe = describe, .release = release};
