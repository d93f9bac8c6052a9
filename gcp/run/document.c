/* Services and jobs from files. */
#include "common/file/file.h"
#include "common/yaml/yaml.h"
#include "gcp/run/knative.h"

#include <string.h>

enum { FILE_LIMIT = 1 << 20 };

struct json *run_document_read(const char *path, run_knative_convert *convert, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(FILE_LIMIT);
    if (file_read(path, &text, NULL, error) < 0)
        return NULL;
    const char *begin = buffer_text(&text) + strspn(buffer_text(&text), " \t\r\n");
    struct json *document = *begin == '{' ? json_parse(buffer_text(&text), text.length, path, error)
                                          : yaml_parse(buffer_text(&text), text.length, path, error);
    if (!document || !run_knative_is(document))
        return document;
    struct json *converted = convert(document, path, error);
    json_release(&document);
    return converted;
}
