#include "chain/path.h"

#include "common/base/buffer.h"
#include "common/base/text.h"

#include <limits.h>
#include <string.h>

static int append_parts(struct buffer *out, const char *text) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, text, '/');
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (!*part || text_equal(part, "."))
            continue;
        if (!text_equal(part, "..")) {
            buffer_append_format(out, "/%s", part);
            continue;
        }
        const char *slash = strrchr(buffer_text(out), '/');
        if (!slash)
            return -1;
        out->length = (size_t)(slash - out->data);
        out->data[out->length] = '\0';
    }
    return 0;
}

int chain_path(const char *directory, const char *given, char **path, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(PATH_MAX);
    *path = NULL;
    if (!*given)
        return error_set(error, ERROR_USAGE, "a path is empty");
    if ((*given != '/' && append_parts(&out, directory) < 0) || append_parts(&out, given) < 0) {
        error_set(error, ERROR_USAGE, "the path %s leaves the root", given);
        return error_next(error, "give a path that stays inside, such as /app");
    }
    if (out.failed)
        return error_set(error, ERROR_USAGE, "a path is longer than %d bytes", PATH_MAX);
    *path = out.length ? buffer_take(&out) : text_copy("/");
    return 0;
}

int chain_path_inside(const char *given, char **path, struct error *error) {
    AUTO_FREE char *absolute = NULL;
    if (chain_path("/", given, &absolute, error) < 0)
        return -1;
    *path = text_copy(absolute + 1);
    return 0;
}

bool chain_path_names_directory(const char *given) {
    return text_ends_with(given, "/") || text_equal(given, ".") || text_equal(given, "..") ||
           text_ends_with(given, "/.") || text_ends_with(given, "/..");
}
