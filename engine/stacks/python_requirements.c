/* Requirements files: which packages they name, and which further files they read.
 * Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/ */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/python.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_LIMIT = 16, FILES_LIMIT = 100 };

static int read_file(struct python_project *project, const char *path, const char *from, unsigned depth,
                     struct error *error);

char *python_package_name(const char *text, size_t length) {
    char *name = memory_allocate(length + 1, 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        bool separates = strchr("-_.", text[i]) != NULL;
        if (separates && used > 0 && name[used - 1] == '-')
            continue;
        name[used++] = separates ? '-' : (char)tolower((unsigned char)text[i]);
    }
    return name;
}

void python_add_requirement(struct python_project *project, const char *requirement) {
    requirement += strspn(requirement, " \t\"'");
    size_t length = strspn(requirement, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    if (length == 0 || project->packages.count > 10000)
        return;
    char *name = python_package_name(requirement, length);
    const char *at = requirement + length + strspn(requirement + length, " ");
    while (*at == '[' || *at == ',') {
        at += 1 + strspn(at + 1, " ");
        size_t extra = strcspn(at, ",] ");
        text_list_add_format(&project->packages, "%s[%.*s]", name, (int)(extra < 100 ? extra : 100), at);
        at += extra + strspn(at + extra, " ");
    }
    text_list_take(&project->packages, name);
}

bool python_declares(const struct python_project *project, const char *package) {
    return text_list_contains(&project->packages, package);
}

/* "requirements/prod.txt" and "../base.txt" → "base.txt". NULL when it leaves the source. The caller frees. */
static char *resolve(const char *from, const char *path) {
    AUTO_LIST struct text_list parts = {0}, all = {0};
    const char *slash = strrchr(from, '/');
    if (slash && *path != '/') {
        AUTO_FREE char *directory = text_copy_length(from, (size_t)(slash - from));
        text_list_split(&all, directory, '/');
    }
    text_list_split(&all, path, '/');
    struct buffer joined = BUFFER(4096);
    for (size_t i = 0; i < all.count; i++) {
        if (text_is_empty(all.items[i]) || text_equal(all.items[i], "."))
            continue;
        if (!text_equal(all.items[i], "..")) {
            text_list_add(&parts, all.items[i]);
        } else {
            if (parts.count == 0)
                return NULL;
            free(parts.items[--parts.count]);
            parts.items[parts.count] = NULL;
        }
    }
    for (size_t i = 0; i < parts.count; i++)
        buffer_append_format(&joined, "%s%s", i > 0 ? "/" : "", parts.items[i]);
    return buffer_take(&joined);
}

/* A file, or a directory with all below, that the step has to see; "" is everything. */
static int add_local(struct python_project *project, const char *from, const char *path, struct error *error) {
    if (text_starts_with(path, "file:"))
        path += text_starts_with(path, "file:///") ? 7 : 5;
    AUTO_FREE char *bare = text_copy_length(path, strcspn(path, "[;# "));
    AUTO_FREE char *local = *bare == '/' ? NULL : resolve("", bare);
    if (!local) {
        error_set(error, ERROR_DATA, "%s wants %s, which is not in the source directory", from, bare);
        return error_next(error,
                          "move it into the source directory, or pass the directory that holds both to pl-build");
    }
    const struct tree *tree = project->source->tree;
    AUTO_FREE char *below = text_format("%s/", local);
    bool found = false;
    for (size_t i = 0; i < tree->count && *local; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        if (entry->type != 'f' && entry->type != 'x')
            continue;
        if (!text_equal(entry->path, local) && !text_starts_with(entry->path, below))
            continue;
        found = true;
        if (!text_list_contains(&project->files, entry->path))
            text_list_add(&project->files, entry->path);
    }
    if (*local && !found)
        return error_set(error, ERROR_DATA, "%s wants %s, which does not exist", from, local);
    project->needs_all_files = project->needs_all_files || !*local;
    return 0;
}

static bool is_local(const char *requirement) {
    AUTO_FREE char *path = text_copy_length(requirement, strcspn(requirement, "[;# "));
    return *path == '.' || *path == '/' || text_starts_with(path, "file:") || text_ends_with(path, ".whl") ||
           text_ends_with(path, ".tar.gz") || (strchr(path, '/') && !strstr(path, ":") && !strchr(path, '@'));
}

/* The value of "-r X", "-rX", "--requirement X" and "--requirement=X", or NULL. */
static const char *option_value(const char *line, const char *letter, const char *name) {
    size_t length = strlen(name);
    const char *value = NULL;
    if (strncmp(line, name, length) == 0 && (line[length] == ' ' || line[length] == '='))
        value = line + length + 1;
    else if (letter && strncmp(line, letter, 2) == 0)
        value = line + 2 + (line[2] == '=');
    return value ? value + strspn(value, " \t") : NULL;
}

static int read_line(struct python_project *project, const char *line, const char *path, unsigned depth,
                     struct error *error) {
    const char *value = option_value(line, "-r", "--requirement");
    if (!value)
        value = option_value(line, "-c", "--constraint");
    if (value && !strstr(value, "://")) {
        AUTO_FREE char *bare = text_copy_length(value, strcspn(value, " \t"));
        AUTO_FREE char *included = resolve(path, bare);
        if (!included || *bare == '/')
            return error_set(error, ERROR_DATA, "%s includes %s, which is not in the source directory", path, bare);
        return read_file(project, included, path, depth + 1, error);
    }
    value = option_value(line, "-f", "--find-links");
    if (value && !strstr(value, "://"))
        return add_local(project, path, value, error);
    value = option_value(line, "-e", "--editable");
    if (!value && *line == '-')
        return 0;
    const char *requirement = value ? value : line;
    if (is_local(requirement))
        return add_local(project, path, requirement, error);
    const char *at = strstr(requirement, "@ file:");
    if (at && add_local(project, path, at + 2, error) < 0)
        return -1;
    python_add_requirement(project, requirement);
    return 0;
}

/* Joins continued lines, drops comments. The caller frees. */
static char *next_line(const char **position) {
    struct buffer line = BUFFER(STACK_FILE_LIMIT);
    const char *at = *position;
    for (;;) {
        size_t length = strcspn(at, "\n");
        size_t used = length > 0 && at[length - 1] == '\r' ? length - 1 : length;
        bool continues = used > 0 && at[used - 1] == '\\';
        buffer_append(&line, at, continues ? used - 1 : used);
        at += length;
        at += *at == '\n';
        if (!continues || *at == '\0')
            break;
    }
    *position = at;
    char *text = buffer_take(&line);
    size_t end = 0, start = strspn(text, " \t");
    while (text[end] && !(text[end] == '#' && (end == 0 || text[end - 1] == ' ' || text[end - 1] == '\t')))
        end++;
    while (end > start && strchr(" \t", text[end - 1]))
        end--;
    text[end > start ? end : start] = '\0';
    memmove(text, text + start, strlen(text + start) + 1);
    return text;
}

static int read_file(struct python_project *project, const char *path, const char *from, unsigned depth,
                     struct error *error) {
    if (text_list_contains(&project->files, path))
        return 0;
    if (depth > DEPTH_LIMIT || project->files.count > FILES_LIMIT)
        return error_set(error, ERROR_DATA, "%s: too many requirements files include each other", path);
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    if (python_read(project, path, &text, &found, error) < 0)
        return -1;
    if (!found)
        return error_set(error, ERROR_DATA, "%s includes %s, which does not exist", from, path);
    text_list_add(&project->files, path);
    const char *content = buffer_text(&text);
    if (text_starts_with(content, "\xEF\xBB\xBF"))
        content += 3;
    if (memchr(content, '\0', text.length - (size_t)(content - buffer_text(&text))))
        return error_set(error, ERROR_DATA, "%s is no text in UTF-8", path);
    while (*content) {
        AUTO_FREE char *line = next_line(&content);
        if (*line && read_line(project, line, path, depth, error) < 0)
            return -1;
    }
    return 0;
}

int python_read_requirements(struct python_project *project, const char *path, struct error *error) {
    return read_file(project, path, path, 0, error);
}
