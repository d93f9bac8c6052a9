#include "tools/pl/command.h"

#include "common/file/file.h"
#include "tools/pl/complete.h"
#include "tools/pl/tools.h"

#include <string.h>

enum { LIST_LIMIT = 1 << 20 };

static int no_such_tool(const char *name, struct error *error) {
    AUTO_FREE char *shown = text_scrub(name, strlen(name), false);
    error_set(error, ERROR_CONFIGURATION, "there is no tool pl-%s", text_starts_with(shown, "pl-") ? shown + 3 : shown);
    return error_next(error, "see which there are: pl");
}

/* Becomes the tool; returns only when that fails. */
static int become(const char *name, char *const *arguments, size_t count, struct error *error) {
    AUTO_FREE char *path = tools_find(name);
    if (!path)
        return no_such_tool(name, error);
    AUTO_LIST struct text_list argv = {0};
    text_list_add(&argv, path_base(path));
    for (size_t i = 0; i < count; i++)
        text_list_add(&argv, arguments[i]);
    execv(path, argv.items);
    return error_set_errno(error, errno, "cannot run %s", path);
}

static const char *const columns[] = {"name", "reads", "writes"};
enum { COLUMNS = ARRAY_LENGTH(columns) };

/* The width of a column: its longest text. */
static void measure(const struct json *tools, int *widths) {
    for (size_t row = 0; row < json_count(tools); row++)
        for (size_t i = 0; i < COLUMNS; i++) {
            int length = (int)strlen(json_get_text(json_at(tools, row), columns[i], ""));
            widths[i] = length > widths[i] ? length : widths[i];
        }
}

static void add_rows(struct buffer *out, const struct json *tools, const int *widths) {
    for (size_t row = 0; row < json_count(tools); row++) {
        for (size_t i = 0; i < COLUMNS; i++)
            buffer_append_format(out, "  %-*s", widths[i], json_get_text(json_at(tools, row), columns[i], ""));
        buffer_append_format(out, "  %s\n",
                             json_get_text(json_at(tools, row), "summary", "(no answer to --help=json)"));
    }
}

static int list(struct command_context *context, struct error *error) {
    int widths[COLUMNS] = {(int)strlen("tool"), (int)strlen("reads"), 0};
    AUTO_JSON struct json *ours = tools_ours(error), *others = ours ? tools_others(ours) : NULL;
    AUTO_BUFFER struct buffer out = BUFFER(LIST_LIMIT);
    if (!ours)
        return -1;
    measure(ours, widths);
    measure(others, widths);
    buffer_append_format(&out, "%s: %s\n\n", pl_command.name, pl_command.summary);
    buffer_append_format(&out, "  %-*s  %-*s  writes\n", widths[0], "tool", widths[1], "reads");
    add_rows(&out, ours, widths);
    if (json_count(others) > 0) {
        buffer_append_text(&out, "\nOthers in PATH\n");
        add_rows(&out, others, widths);
    }
    buffer_append_text(&out, "\nMore: pl help TOOL\n");
    return command_print_scrubbed(context, &out, "the list of tools", error);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    if (context->operand_count == 0)
        return list(context, error);
    return no_such_tool(context->operands[0], error);
}

static int run_json(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    AUTO_JSON struct json *all = tools_ours(error), *others = all ? tools_others(all) : NULL;
    if (!all)
        return -1;
    for (size_t i = 0; i < json_count(others); i++)
        json_append(all, json_share(json_at(others, i)));
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
    if (argc > 1 && text_equal(argv[1], "--complete"))
        return complete_main((size_t)argc - 2, argv + 2);
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
