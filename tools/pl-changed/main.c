#include "common/git/git.h"
#include "tools/pl-changed/base.h"
#include "tools/pl-changed/command.h"
#include "tools/pl-changed/components.h"

#include <string.h>

enum { FILES_LIMIT = 64 << 20, SHOWN_LIMIT = 1000 };

/* ---- what changed ---- */

static void add_files(const struct buffer *text, struct text_list *files) {
    const char *at = buffer_text(text), *end = at + text->length;
    while (at < end) {
        text_list_add(files, at);
        at += strlen(at) + 1;
    }
}

/* All files that differ from the commit, and those that git does not know, from the top of the work tree. */
static int list_files(const char *top, const char *commit, struct text_list *files, struct error *error) {
    const char *const differ[] = {
        "diff", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z", commit, "--", NULL};
    static const char *const unknown[] = {"ls-files", "--others", "--exclude-standard", "-z", NULL};
    AUTO_BUFFER struct buffer changed = BUFFER(FILES_LIMIT), others = BUFFER(FILES_LIMIT);
    if (git_run(top, differ, &changed, error) < 0 || git_run(top, unknown, &others, error) < 0)
        return -1;
    add_files(&changed, files);
    add_files(&others, files);
    return 0;
}

static void match(struct components *components, const struct text_list *files) {
    for (size_t i = 0; i < components->count; i++)
        for (size_t j = 0; j < files->count; j++)
            for (size_t k = 0; k < components->items[i].paths.count; k++)
                if (path_lies_in(files->items[j], components->items[i].paths.items[k])) {
                    text_list_add(&components->items[i].changed, files->items[j]);
                    break;
                }
}

static int print_json(struct command_context *context, const struct components *components, bool all,
                      struct error *error) {
    AUTO_JSON struct json *list = json_new_array();
    for (size_t i = 0; i < components->count; i++) {
        const struct component *component = &components->items[i];
        if (!all && component->changed.count == 0)
            continue;
        struct json *entry = json_new_object(), *files = json_new_array();
        for (size_t j = 0; j < component->changed.count && j < SHOWN_LIMIT; j++)
            json_append_text(files, component->changed.items[j]);
        json_set_text(entry, "directory", component->name);
        json_set(entry, "files", files);
        json_append(list, entry);
    }
    AUTO_FREE char *text = json_format(list, JSON_PRETTY);
    return command_print(context, text, error);
}

static int print_names(struct command_context *context, const struct components *components, bool all,
                       struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(FILES_LIMIT);
    for (size_t i = 0; i < components->count; i++)
        if (all || components->items[i].changed.count > 0)
            buffer_append_format(&out, "%s\n", components->items[i].name);
    return command_print(context, buffer_text(&out), error);
}

static int tell(struct command_context *context, const struct components *components, bool all, bool json,
                struct error *error) {
    size_t changed = 0;
    for (size_t i = 0; i < components->count; i++)
        changed += all || components->items[i].changed.count > 0;
    int result = json ? print_json(context, components, all, error) : print_names(context, components, all, error);
    if (result < 0)
        return -1;
    if (changed == 0)
        return error_set(error, ERROR_ANSWER_NO, "none of %zu components has changed", components->count);
    command_summary(context, "%zu of %zu components have changed", changed, components->count);
    return 0;
}

static int run(struct command_context *context, void *given, struct error *error) {
    static const char *const where[] = {"rev-parse", "--show-toplevel", NULL};
    static const char *const here[] = {"rev-parse", "--show-prefix", NULL};
    const struct arguments *arguments = given;
    AUTO(components_release) struct components components = {0};
    AUTO_LIST struct text_list files = {0};
    AUTO_FREE char *top = git_ask(NULL, where, error), *prefix = top ? git_ask(NULL, here, error) : NULL;
    if (!prefix || components_find(context, top, prefix, &components, error) < 0)
        return -1;
    for (size_t i = 0; i < components.count; i++)
        for (size_t j = 0; j < arguments->shared.count; j++)
            if (component_depend(&components.items[i], top, prefix, arguments->shared.items[j], error) < 0)
                return -1;
    AUTO_FREE char *commit = base_find(arguments->since, error);
    bool unknown = !commit && error->kind == ERROR_STEP && arguments->all_when_unknown;
    if (!commit && !unknown)
        return -1;
    if (unknown) {
        progress_note(context->progress, "%s: all components count as changed", error->text);
        error_clear(error);
    } else if (list_files(top, commit, &files, error) < 0) {
        return -1;
    }
    match(&components, &files);
    return tell(context, &components, unknown, arguments->json, error);
}

int main(int argc, char **argv) {
    return command_main(&pl_changed_command, run, argc, argv);
}
