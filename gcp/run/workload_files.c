/* Environment files. */
#include "gcp/run/workload.h"

#include "common/file/file.h"

#include <string.h>

enum { FILE_LIMIT = 1 << 20 };

/* A value in quotes without them; in double quotes \n, \" and \\ are read. The caller frees. */
static char *unquote(const char *text, size_t length) {
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    bool quoted = length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0];
    if (!quoted)
        return text_copy_length(text, length);
    char *value = text_copy_length(text + 1, length - 2), *out = value;
    for (const char *at = value; *text == '"' && *at; out++) {
        bool escaped = *at == '\\' && at[1] && strchr("n\"\\", at[1]);
        *out = escaped ? (at[1] == 'n' ? '\n' : at[1]) : *at;
        at += escaped ? 2 : 1;
    }
    if (*text == '"')
        *out = '\0';
    return value;
}

static int read_line(const char *line, const char *path, size_t number, struct text_list *pairs, struct error *error) {
    line += strspn(line, " \t");
    if (text_starts_with(line, "export "))
        line += strlen("export ");
    if (!*line || *line == '#' || *line == '\r')
        return 0;
    const char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return error_set(error, ERROR_DATA, "%s:%zu: no NAME=VALUE", path, number);
    AUTO_FREE char *value = unquote(equals + 1, strlen(equals + 1));
    text_list_add_format(pairs, "%.*s=%s", (int)(equals - line), line, value);
    return 0;
}

int environment_file_read(const char *path, struct text_list *pairs, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(FILE_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    if (file_read(path, &text, NULL, error) < 0)
        return -1;
    if (memchr(buffer_text(&text), '\0', text.length))
        return error_set(error, ERROR_DATA, "%s holds a NUL byte", path);
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (read_line(lines.items[i], path, i + 1, pairs, error) < 0)
            return -1;
    return 0;
}

/* What the line names comes last, and so wins. */
int run_workload_read(struct run_workload *workload, struct error *error) {
    AUTO_LIST struct text_list all = {0};
    for (size_t i = 0; i < workload->environment_files.count; i++)
        if (environment_file_read(workload->environment_files.items[i], &all, error) < 0)
            return -1;
    if (all.count == 0)
        return 0;
    text_list_add_all(&all, &workload->environment);
    text_list_release(&workload->environment);
    workload->environment = all;
    all = (struct text_list){0};
    text_list_release(&workload->environment_files);
    return 0;
}
