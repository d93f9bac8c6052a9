#include "tools/pl-changed/command.h"

#include "chain/path.h"
#include "common/file/file.h"
#include "common/json/json.h"
#include "common/process/process.h"

#include <string.h>

enum { OUTPUT_LIMIT = 64 * 1024 * 1024, SAID_LIMIT = 64 * 1024, GIT_SECONDS = 300, FILES_SHOWN = 1000 };

struct changed {
    struct command_context *context;
    const struct arguments *arguments;
    char *prefix;           /* of the current directory in the repository: "" or "services/" */
    char *base;             /* the commit */
    struct text_list files; /* that changed, from the top of the repository, sorted */
};

static void changed_release(struct changed *changed) {
    free(changed->prefix);
    free(changed->base);
    text_list_release(&changed->files);
}

/* ---- git ---- */

static int run_git(const char *const *argv, const char *what, struct buffer *out, struct error *error) {
    AUTO_BUFFER struct buffer said = BUFFER(SAID_LIMIT);
    struct process process = {.argv = argv, .out = out, .err = &said, .timeout = GIT_SECONDS};
    int status = 1;
    if (process_run(&process, &status, error) < 0)
        return -1;
    if (status == 0)
        return 0;
    AUTO_FREE char *clean = text_scrub(buffer_text(&said), said.length, false);
    return error_set(error, ERROR_DATA, "%s: %.300s", what, *clean ? clean : "git says nothing");
}

/* One line, without its end. */
static int ask_git(const char *const *argv, const char *what, char **line, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(SAID_LIMIT);
    if (run_git(argv, what, &out, error) < 0)
        return -1;
    *line = text_copy_length(buffer_text(&out), strcspn(buffer_text(&out), "\n"));
    return 0;
}

static int find_base(struct changed *changed, struct error *error) {
    const char *since = changed->arguments->since;
    const char *const where[] = {"git", "rev-parse", "--show-prefix", NULL};
    const char *const common[] = {"git", "merge-base", "--", since, "HEAD", NULL};
    if (*since == '-')
        return error_set(error, ERROR_USAGE, "\"%.100s\" is no commit", since);
    if (ask_git(where, "this is no git repository", &changed->prefix, error) < 0)
        return -1;
    if (ask_git(common, "git does not know what HEAD has in common with the commit", &changed->base, error) == 0)
        return 0;
    return error_next(error, "fetch it (in GitHub Actions: actions/checkout with fetch-depth: 0), or name another: "
                             "--since COMMIT");
}

/* Names that end with NUL. */
static int add_files(struct changed *changed, const char *const *argv, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(OUTPUT_LIMIT);
    if (run_git(argv, "git cannot tell what changed", &out, error) < 0 ||
        buffer_check(&out, "the list of changed files", error) < 0)
        return -1;
    for (size_t at = 0; at < out.length; at += strlen(out.data + at) + 1)
        text_list_add(&changed->files, out.data + at);
    return 0;
}

static int find_files(struct changed *changed, struct error *error) {
    const char *const tracked[] = {"git", "diff", "--name-only", "--no-renames", "-z", changed->base, "--", NULL};
    const char *const others[] = {"git", "ls-files", "--others", "--exclude-standard", "--full-name", "-z",
                                  "--",  ":/",       NULL};
    if (add_files(changed, tracked, error) < 0 || add_files(changed, others, error) < 0)
        return -1;
    text_list_sort(&changed->files);
    return 0;
}

/* ---- directories ---- */

/* From the top of the repository, without slashes at its ends; "" is all of it. */
static int place_in_repository(const struct changed *changed, const char *given, char **place, struct error *error) {
    AUTO_FREE char *here = text_format("/%s", changed->prefix), *path = NULL;
    if (*given == '/')
        return error_set(error, ERROR_USAGE, "name %s by a path from here", given);
    if (chain_path(here, given, &path, error) < 0)
        return error_wrap(error, "%s lies outside of the repository", given);
    *place = text_copy(path + 1);
    return 0;
}

static bool is_inside(const char *file, const char *place) {
    size_t length = strlen(place);
    return length == 0 || (strncmp(file, place, length) == 0 && (file[length] == '/' || file[length] == '\0'));
}

static int collect(const struct changed *changed, const char *given, struct json *files, struct error *error) {
    AUTO_FREE char *place = NULL;
    if (place_in_repository(changed, given, &place, error) < 0)
        return -1;
    for (size_t i = 0; i < changed->files.count && json_count(files) < FILES_SHOWN; i++)
        if (is_inside(changed->files.items[i], place))
            json_append_text(files, changed->files.items[i]);
    return 0;
}

static int look_at(const struct changed *changed, const char *directory, struct json *all, struct error *error) {
    struct json *entry = json_new_object(), *files = json_need_array(entry, "files");
    json_append(all, entry);
    if (!directory_exists(directory))
        return error_set(error, ERROR_DATA, "%s is no directory here", directory);
    if (collect(changed, directory, files, error) < 0)
        return -1;
    for (size_t i = 0; i < changed->arguments->also.count; i++)
        if (collect(changed, changed->arguments->also.items[i], files, error) < 0)
            return -1;
    json_set_text(entry, "directory", directory);
    json_set_bool(entry, "changed", json_count(files) > 0);
    return 0;
}

static int print(const struct changed *changed, const struct json *all, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(OUTPUT_LIMIT);
    bool found = false;
    for (size_t i = 0; i < json_count(all); i++) {
        if (!json_get_bool(json_at(all, i), "changed", false))
            continue;
        found = true;
        if (!changed->arguments->json)
            buffer_append_format(&out, "%s\n", json_get_text(json_at(all, i), "directory", ""));
    }
    if (changed->arguments->json)
        json_write(all, JSON_PRETTY, &out);
    if (buffer_check(&out, "the answer", error) < 0 || command_print(changed->context, buffer_text(&out), error) < 0)
        return -1;
    return found ? 0 : error_set(error, ERROR_ANSWER_NO, "nothing changed there since %s", changed->arguments->since);
}

static int run_changed(struct changed *changed, struct error *error) {
    AUTO_JSON struct json *all = json_new_array();
    if (find_base(changed, error) < 0 || find_files(changed, error) < 0)
        return -1;
    for (size_t i = 0; i < changed->context->operand_count; i++)
        if (look_at(changed, changed->context->operands[i], all, error) < 0)
            return -1;
    return print(changed, all, error);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct changed changed = {.context = context, .arguments = arguments};
    int result = run_changed(&changed, error);
    changed_release(&changed);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_changed_command, run, argc, argv);
}
