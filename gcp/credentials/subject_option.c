/* The JWT that --id-token names: GitLab's variable, or any other. A file is read for each exchange, since what wrote it
 * may have renewed it; a variable and standard input are read once. */
#include "gcp/credentials/subject.h"

#include "common/file/file.h"
#include "gcp/credentials/options.h"

#include <string.h>

struct option_source {
    const char *place; /* of the option: borrowed */
    char *token;       /* wiped; NULL for a file */
};

static void release(void *self) {
    struct option_source *source = self;
    if (source->token)
        memory_wipe(source->token, strlen(source->token));
    free(source->token);
    free(source);
}

void *subject_option_new(const char *place, struct error *error) {
    struct option_source *source = memory_allocate(1, sizeof(*source));
    source->place = place;
    if (text_starts_with(place, "file:"))
        return source;
    source->token = command_secret(place, error);
    if (source->token)
        return source;
    error_wrap(error, "--id-token");
    free(source);
    return NULL;
}

static int read_token(void *self, const struct subject_request *request, struct buffer *token, struct error *error) {
    struct option_source *source = self;
    (void)request;
    char *text = source->token ? source->token : command_secret(source->place, error);
    if (!text)
        return error_wrap(error, "--id-token");
    buffer_append_text(token, text);
    if (text != source->token) {
        memory_wipe(text, strlen(text));
        free(text);
    }
    return buffer_check(token, "the token of --id-token", error);
}

static char *describe(const void *self) {
    return text_format("--id-token %s", ((const struct option_source *)self)->place);
}

static struct json *document_of(const void *self) {
    const struct option_source *source = self;
    AUTO_FREE char *path = source->token ? NULL : path_resolve(source->place + strlen("file:"), NULL);
    struct json *document = path ? json_new_object() : NULL;
    if (document)
        json_set_text(document, "file", path);
    return document;
}

const struct subject_source subject_option = {
    .read = read_token, .describe = describe, .document = document_of, .release = release};
