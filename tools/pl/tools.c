#include "tools/pl/tools.h"

#include "common/base/text.h"
#include "common/file/file.h"
#include "common/process/process.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { DESCRIPTION_LIMIT = 256 * 1024, OURS_SECONDS = 10, OTHERS_SECONDS = 2, OTHERS_MOST = 100, NAMES_MOST = 500 };

/* The folder that this executable lies in, where the other tools are; NULL when the system does not tell. */
static char *own_folder(void) {
    AUTO_FREE char *path = path_resolve("/proc/self/exe", NULL);
    if (!path)
        return NULL;
    *strrchr(path, '/') = '\0';
    return take_pointer(&path);
}

static bool is_tool_name(const char *name) {
    return *name && name[0] != '-' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

char *tools_find(const char *name) {
    if (!is_tool_name(name))
        return NULL;
    AUTO_FREE char *full = text_starts_with(name, "pl-") ? text_copy(name) : text_format("pl-%s", name);
    AUTO_FREE char *folder = own_folder();
    AUTO_FREE char *path = folder ? path_join(folder, full) : NULL;
    return path && access(path, X_OK) == 0 ? take_pointer(&path) : process_find(full);
}

char *tools_page(const char *name, const char *section) {
    AUTO_FREE char *folder = own_folder();
    if (!folder || !is_tool_name(name))
        return NULL;
    AUTO_FREE char *page = text_format("%s/../share/man/man%s/%s%s.%s", folder, section,
                                       text_starts_with(name, "pl-") ? "" : "pl-", name, section);
    return file_exists(page) ? take_pointer(&page) : NULL;
}

static bool is_full(void *out) {
    return ((const struct buffer *)out)->failed;
}

/* What a tool says of itself, or NULL: also when it says too much. */
static struct json *describe(const char *path, unsigned seconds) {
    AUTO_BUFFER struct buffer out = BUFFER(DESCRIPTION_LIMIT);
    const char *const argv[] = {path, "--help=json", NULL};
    struct process process = {.argv = argv,
                              .out = &out,
                              .timeout = seconds,
                              .cancelled = is_full,
                              .cancelled_context = &out,
                              .lead_group = true};
    int status = 1;
    if (process_run(&process, &status, NULL) < 0 || status != 0)
        return NULL;
    struct json *description = json_parse(buffer_text(&out), out.length, path, NULL);
    if (!json_is_object(description))
        json_release(&description);
    return description;
}

static void add_names(const char *folder, struct text_list *names) {
    AUTO_LIST struct text_list entries = {0};
    if (directory_list(folder, &entries, NULL) < 0)
        return;
    for (size_t i = 0; i < entries.count && names->count < NAMES_MOST; i++) {
        const char *name = entries.items[i];
        AUTO_FREE char *path = path_join(folder, name);
        if (text_starts_with(name, "pl-") && is_tool_name(name) && file_exists(path) && access(path, X_OK) == 0 &&
            !text_list_contains(names, name))
            text_list_add(names, name);
    }
}

void tools_names(struct text_list *names) {
    AUTO_LIST struct text_list folders = {0};
    AUTO_FREE char *own = own_folder();
    const char *path = getenv("PATH");
    if (own)
        add_names(own, names);
    text_list_split(&folders, path ? path : "", ':');
    for (size_t i = 0; i < folders.count; i++)
        if (folders.items[i][0] == '/')
            add_names(folders.items[i], names);
}

struct json *tools_describe(const char *name) {
    AUTO_FREE char *folder = own_folder();
    AUTO_FREE char *path = folder && is_tool_name(name) ? path_join(folder, name) : NULL;
    return path && access(path, X_OK) == 0 ? describe(path, OURS_SECONDS) : NULL;
}

struct json *tools_ours(struct error *error) {
    AUTO_FREE char *folder = own_folder();
    AUTO_LIST struct text_list names = {0};
    AUTO_JSON struct json *all = json_new_array();
    if (!folder) {
        error_set(error, ERROR_CONFIGURATION, "cannot find out where pl is installed");
        return NULL;
    }
    if (directory_list(folder, &names, error) < 0)
        return NULL;
    for (size_t i = 0; i < names.count; i++) {
        if (!text_starts_with(names.items[i], "pl-") || !is_tool_name(names.items[i]))
            continue;
        AUTO_FREE char *path = path_join(folder, names.items[i]);
        struct json *description = describe(path, OURS_SECONDS);
        if (description)
            json_append(all, description);
    }
    return take_pointer(&all);
}

static bool has_name(const struct json *tools, const char *name) {
    for (size_t i = 0; i < json_count(tools); i++)
        if (text_equal(json_get_text(json_at(tools, i), "name", NULL), name))
            return true;
    return false;
}

struct other {
    char *path;
    struct json *description;
    pthread_t thread;
    bool is_running;
};

struct others {
    struct other items[OTHERS_MOST];
    size_t count;
};

static bool is_listed(const struct others *others, const char *name) {
    for (size_t i = 0; i < others->count; i++)
        if (text_equal(path_base(others->items[i].path), name))
            return true;
    return false;
}

static void add_folder(const char *folder, const struct json *ours, struct others *others) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count && others->count < OTHERS_MOST; i++) {
        const char *name = names.items[i];
        AUTO_FREE char *path = path_join(folder, name);
        if (text_starts_with(name, "pl-") && is_tool_name(name) && !has_name(ours, name) && !is_listed(others, name) &&
            file_exists(path) && access(path, X_OK) == 0)
            others->items[others->count++].path = take_pointer(&path);
    }
}

static void *ask_other(void *context) {
    struct other *other = context;
    other->description = describe(other->path, OTHERS_SECONDS);
    return NULL;
}

/* All at once: one that does not answer holds up nobody for longer than its time. */
static void ask_others(struct others *others) {
    for (size_t i = 0; i < others->count; i++) {
        struct other *other = &others->items[i];
        other->is_running = pthread_create(&other->thread, NULL, ask_other, other) == 0;
    }
    for (size_t i = 0; i < others->count; i++)
        if (others->items[i].is_running)
            pthread_join(others->items[i].thread, NULL);
}

struct json *tools_others(const struct json *ours) {
    AUTO_LIST struct text_list folders = {0};
    AUTO_FREE char *own = own_folder();
    AUTO_FREE struct others *others = memory_allocate(1, sizeof(*others));
    struct json *all = json_new_array();
    const char *path = getenv("PATH");
    text_list_split(&folders, path ? path : "", ':');
    for (size_t i = 0; i < folders.count; i++) {
        AUTO_FREE char *folder = folders.items[i][0] == '/' ? path_resolve(folders.items[i], NULL) : NULL;
        if (folder && !text_equal(folder, own))
            add_folder(folder, ours, others);
    }
    ask_others(others);
    for (size_t i = 0; i < others->count; i++) {
        struct other *other = &others->items[i];
        struct json *description = other->description ? other->description : json_new_object();
        json_set_text(description, "name", path_base(other->path));
        json_set_text(description, "path", other->path);
        json_append(all, description);
        free(other->path);
    }
    return all;
}
