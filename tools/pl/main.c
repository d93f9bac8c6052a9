#include "tools/pl/command.h"

#include "common/file/file.h"
#include "common/process/process.h"

#include <string.h>

enum { DESCRIPTION_LIMIT = 256 * 1024, DESCRIBE_SECONDS = 10 };

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

/* "build" or "pl-build" to the path of pl-build: beside us, else in PATH. */
static char *find_tool(const char *name) {
    if (!is_tool_name(name))
        return NULL;
    AUTO_FREE char *full = text_starts_with(name, "pl-") ? text_copy(name) : text_format("pl-%s", name);
    AUTO_FREE char *folder = own_folder();
    AUTO_FREE char *path = folder ? path_join(folder, full) : NULL;
    return path && access(path, X_OK) == 0 ? take_pointer(&path) : process_find(full);
}

static int no_such_tool(const char *name, struct error *error) {
    AUTO_FREE char *shown = text_scrub(name, strlen(name), false);
    error_set(error, ERROR_CONFIGURATION, "there is no tool pl-%s", text_starts_with(shown, "pl-") ? shown + 3 : shown);
    return error_next(error, "see which there are: pl");
}

/* Becomes the tool; returns only when that fails. */
static int become(const char *name, char *const *arguments, size_t count, struct error *error) {
    AUTO_FREE char *path = find_tool(name);
    if (!path)
        return no_such_tool(name, error);
    AUTO_LIST struct text_list argv = {0};
    text_list_add(&argv, path_base(path));
    for (size_t i = 0; i < count; i++)
        text_list_add(&argv, arguments[i]);
    execv(path, argv.items);
    return error_set_errno(error, errno, "cannot run %s", path);
}

/* What a tool says of itself, or NULL. */
static struct json *describe(const char *path) {
    AUTO_BUFFER struct buffer out = BUFFER(DESCRIPTION_LIMIT);
    const char *const argv[] = {path, "--help=json", NULL};
    struct process process = {.argv = argv, .out = &out, .timeout = DESCRIBE_SECONDS};
    int status = 1;
    if (process_run(&process, &status, NULL) < 0 || status != 0)
        return NULL;
    return json_parse(buffer_text(&out), out.length, path, NULL);
}

/* The descriptions of all tools beside us, by name. */
static struct json *describe_all(struct error *error) {
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
        struct json *description = describe(path);
        if (description)
            json_append(all, description);
    }
    return take_pointer(&all);
}

static const char *const columns[] = {"name", "reads", "writes"};

/* The width of a column: its longest text. */
static int column_width(const struct json *tools, const char *column, const char *title) {
    size_t width = strlen(title);
    for (size_t i = 0; i < json_count(tools); i++) {
        size_t length = strlen(json_get_text(json_at(tools, i), column, ""));
        width = length > width ? length : width;
    }
    return (int)width;
}

static int list(struct command_context *context, struct error *error) {
    static const char *const titles[] = {"tool", "reads", "writes"};
    AUTO_JSON struct json *all = describe_all(error);
    if (!all)
        return -1;
    AUTO_BUFFER struct buffer out = BUFFER(DESCRIPTION_LIMIT);
    buffer_append_format(&out, "%s: %s\n\n", pl_command.name, pl_command.summary);
    for (size_t i = 0; i < ARRAY_LENGTH(titles); i++)
        buffer_append_format(&out, "  %-*s",
                             i + 1 < ARRAY_LENGTH(titles) ? column_width(all, columns[i], titles[i]) : 0, titles[i]);
    for (size_t row = 0; row < json_count(all); row++) {
        buffer_append_byte(&out, '\n');
        for (size_t i = 0; i < ARRAY_LENGTH(titles); i++)
            buffer_append_format(&out, "  %-*s", column_width(all, columns[i], titles[i]),
                                 json_get_text(json_at(all, row), columns[i], ""));
        buffer_append_format(&out, "  %s", json_get_text(json_at(all, row), "summary", ""));
    }
    buffer_append_text(&out, "\n\nMore: pl help TOOL\n");
    AUTO_FREE char *text = text_scrub(buffer_text(&out), out.length, true);
    return command_print(context, text, error);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    if (context->operand_count == 0)
        return list(context, error);
    return no_such_tool(context->operands[0], error);
}

static int run_json(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    AUTO_JSON struct json *all = describe_all(error);
    if (!all)
        return -1;
    AUTO_FREE char *text = json_format(all, JSON_PRETTY);
    return command_print(context, text, error);
}

struct call {
    const char *tool;
    char *const *arguments;
    size_t count;
};

static struct call call;

static int run_tool(struct command_context *context, void *arguments, struct error *error) {
    (void)context;
    (void)arguments;
    return become(call.tool, call.arguments, call.count, error);
}

int main(int argc, char **argv) {
    static char help_argument[] = "--help";
    static char *const help[] = {help_argument};
    bool asks_help = argc > 1 && text_equal(argv[1], "help");
    if (argc > 1 && text_equal(argv[1], "--help=json"))
        return command_main(&pl_command, run_json, 1, argv);
    if (asks_help && argc == 3)
        call = (struct call){argv[2], help, 1};
    else if (argc > 1 && !asks_help && argv[1][0] != '-')
        call = (struct call){argv[1], argv + 2, (size_t)argc - 2};
    if (call.tool)
        return command_main(&pl_command, run_tool, 1, argv);
    if (asks_help)
        argv[1] = help_argument;
    return command_main(&pl_command, run, argc, argv);
}
