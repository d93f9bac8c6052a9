#include "tools/pl/command.h"

#include "common/file/file.h"
#include "common/process/process.h"
#include "tools/pl/complete.h"
#include "tools/pl/tools.h"

#include <string.h>
#include <sys/ioctl.h>

enum { LIST_LIMIT = 1 << 20 };

static int no_such_tool(const char *name, struct error *error) {
    AUTO_FREE char *shown = text_scrub(name, strlen(name), false);
    AUTO_LIST struct text_list names = {0};
    tools_names(&names);
    text_list_add(&names, "pl-help");
    AUTO_FREE char *full = text_starts_with(shown, "pl-") ? text_copy(shown) : text_format("pl-%s", shown);
    const char *nearest = text_nearest(full, (const char *const *)names.items);
    error_set(error, ERROR_CONFIGURATION, "there is no tool %s", full);
    return nearest ? error_next(error, "did you mean %s? See which there are: pl", nearest + strlen("pl-"))
                   : error_next(error, "see which there are: pl");
}

/* Whether `pl help` stands before the name. */
static bool asks_help;

/* A page beside those of the tools: `pl help records` becomes man. False when there is none, or no man. */
static bool show_page(const char *name) {
    static const char *const sections[] = {"5", "7"};
    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++) {
        AUTO_FREE char *page = tools_page(name, sections[i]), *man = page ? process_find("man") : NULL;
        AUTO_LIST struct text_list argv = {0};
        text_list_add(&argv, "man");
        text_list_add(&argv, "-l");
        text_list_add(&argv, page ? page : "");
        if (man)
            execv(man, argv.items);
    }
    return false;
}

/* Becomes the tool; returns only when that fails. */
static int become(const char *name, char *const *arguments, size_t count, struct error *error) {
    AUTO_FREE char *path = tools_find(name);
    if (!path)
        return asks_help && show_page(name) ? 0 : no_such_tool(name, error);
    AUTO_LIST struct text_list argv = {0};
    text_list_add(&argv, path_base(path));
    for (size_t i = 0; i < count; i++)
        text_list_add(&argv, arguments[i]);
    execv(path, argv.items);
    return error_set_errno(error, errno, "cannot run %s", path);
}

static const char *const columns[] = {"name", "reads", "writes"};
enum { COLUMNS = ARRAY_LENGTH(columns), COLUMN_MOST = 30, SUMMARY_MOST = 100, NARROW = 40 };

/* A text of at most so many characters, for a row; the caller frees. What it is made of is foreign. */
static char *cell(const char *text, size_t most) {
    AUTO_FREE char *clean = text_scrub(text, strlen(text), false);
    size_t characters = 0, length = 0;
    for (; clean[length]; length++) {
        bool begins = ((unsigned char)clean[length] & 0xC0) != 0x80;
        if (begins && characters == most)
            return text_format("%.*s…", (int)length - 1, clean);
        characters += begins;
    }
    return take_pointer(&clean);
}

/* The width of a column: its longest text. */
static void measure(const struct json *tools, int *widths) {
    for (size_t row = 0; row < json_count(tools); row++)
        for (size_t i = 0; i < COLUMNS; i++) {
            AUTO_FREE char *text = cell(json_get_text(json_at(tools, row), columns[i], ""), COLUMN_MOST);
            int length = (int)strlen(text);
            widths[i] = length > widths[i] ? length : widths[i];
        }
}

/* How wide the screen is that reads this; 0: nobody's. */
static int screen_width(void) {
    struct winsize size = {0};
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Whether what is read and written finds room beside the summaries, which have up to 80 columns. */
static bool has_room(const int *widths) {
    int width = screen_width();
    return width == 0 || width >= widths[0] + widths[1] + widths[2] + 80;
}

static void add_rows(struct buffer *out, const struct json *tools, const int *widths) {
    bool wide = has_room(widths);
    int width = screen_width(), rest = width - widths[0] - 5;
    size_t most = wide ? SUMMARY_MOST : (size_t)(rest > NARROW ? rest : NARROW);
    for (size_t row = 0; row < json_count(tools); row++) {
        const struct json *tool = json_at(tools, row);
        for (size_t i = 0; i < (wide ? COLUMNS : 1); i++) {
            AUTO_FREE char *text = cell(json_get_text(tool, columns[i], ""), COLUMN_MOST);
            buffer_append_format(out, "  %-*s", widths[i], text);
        }
        AUTO_FREE char *summary = cell(json_get_text(tool, "summary", "(no answer to --help=json)"), most);
        buffer_append_format(out, "  %s\n", summary);
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
    if (has_room(widths))
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
    asks_help = argc > 1 && text_equal(argv[1], "help");
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
