#include "tools/pl-with/with.h"

#include "chain/path.h"
#include "chain/shell.h"
#include "common/base/text.h"

#include <string.h>

enum { TITLE_LIMIT = 400 };

/* ---- help for the words ---- */

int with_change(struct with *with, const struct json *change, struct error *error) {
    AUTO_CONTAINER struct container output = {0};
    if (step_config(&with->session.engine, &with->artifact.container, change, with->title, &output, error) < 0)
        return -1;
    artifact_set_container(&with->artifact, &output);
    return 0;
}

const char *with_setting(const struct with *with, const char *name, const char *fallback) {
    const char *value = json_get_text(json_get(with->artifact.container.config, "config"), name, fallback);
    return text_is_empty(value) ? fallback : value;
}

int with_path(const struct with *with, const char *given, char **path, struct error *error) {
    return chain_path(with_setting(with, "WorkingDir", "/"), given, path, error);
}

static void add_shell(const struct with *with, struct text_list *argv) {
    const struct json *shell = json_get_path(with->artifact.container.config, "config.Shell");
    for (size_t i = 0; i < json_count(shell); i++)
        if (json_text(json_at(shell, i)))
            text_list_add(argv, json_text(json_at(shell, i)));
    if (argv->count > 0)
        return;
    text_list_add(argv, "/bin/sh");
    text_list_add(argv, "-c");
}

int with_argv(const struct with *with, struct text_list *argv, struct error *error) {
    const char *shell = with->arguments->shell;
    if (shell && with->rest_count > 0)
        return error_set(error, ERROR_USAGE, "--shell is the whole command: nothing follows --");
    if (!shell && with->rest_count == 0) {
        error_set(error, ERROR_USAGE, "%s needs a command", with->word->name);
        return error_next(error, "write it behind two dashes: pl-with %s -- COMMAND [ARGUMENT...]", with->word->name);
    }
    if (shell)
        add_shell(with, argv);
    if (shell)
        text_list_add(argv, shell);
    for (size_t i = 0; i < with->rest_count; i++)
        text_list_add(argv, with->rest[i]);
    return 0;
}

struct selection_options with_selection(const struct with *with) {
    const struct arguments *arguments = with->arguments;
    return (struct selection_options){&arguments->include, &arguments->exclude, arguments->gitignore,
                                      &arguments->allowed_files};
}

int with_mode(const struct with *with, int *mode, struct error *error) {
    const char *text = with->arguments->mode;
    *mode = -1;
    if (!text)
        return 0;
    char *end;
    long value = strtol(text, &end, 8);
    if (*end || end == text || value < 0 || value > 07777)
        return error_set(error, ERROR_USAGE, "--mode %s is no octal mode such as 0755", text);
    *mode = (int)value;
    return 0;
}

/* ---- what was asked for ---- */

/* Whether the user gave an option, told by its member. */
static bool is_given(const struct arguments *arguments, const struct option *option) {
    const char *member = (const char *)arguments + option->offset;
    if (option->traits & OPTION_REPEATABLE)
        return ((const struct text_list *)(const void *)member)->count > 0;
    switch (option->kind) {
    case OPTION_FLAG:
        return *(const bool *)member;
    case OPTION_NUMBER:
        return *(const long long *)(const void *)member >= 0;
    default:
        return *(const char *const *)(const void *)member != NULL;
    }
}

static bool goes_with(const struct word *word, const char *option) {
    static const char *const common[] = {"no-cache", "explain", "shell-on-failure", NULL};
    for (size_t i = 0; common[i]; i++)
        if (text_equal(common[i], option))
            return true;
    for (size_t i = 0; word->options && word->options[i]; i++)
        if (text_equal(word->options[i], option))
            return true;
    return false;
}

static int check_options(const struct with *with, struct error *error) {
    for (const struct option *option = pl_with_command.options; option->name; option++)
        if (is_given(with->arguments, option) && !goes_with(with->word, option->name)) {
            error_set(error, ERROR_USAGE, "--%s does not go with %s", option->name, with->word->name);
            return error_next(error, "--%s: %s", option->name, option->help);
        }
    return 0;
}

static int check_operands(const struct with *with, struct error *error) {
    const struct word *word = with->word;
    int result = 0;
    if (with->operand_count < word->least)
        result = error_set(error, ERROR_USAGE, "%s needs %s", word->name, word->usage);
    else if (with->operand_count > word->most)
        result = error_set(error, ERROR_USAGE, "\"%.100s\" is one operand too many for %s", with->operands[word->most],
                           word->name);
    else if (with->rest_count > 0 && !word->takes_rest)
        result = error_set(error, ERROR_USAGE, "%s takes no command behind --", word->name);
    return result < 0 ? error_next(error, "usage: pl-with %s %s", word->name, word->usage) : 0;
}

/* Values of --secret-env and the like are not in it. */
static char *make_title(const struct with *with) {
    AUTO_BUFFER struct buffer title = BUFFER(1024 * 1024);
    buffer_append_text(&title, with->word->name);
    for (size_t i = 0; i < with->operand_count; i++)
        buffer_append_format(&title, " %s", with->operands[i]);
    if (with->arguments->shell)
        buffer_append_format(&title, " %s", with->arguments->shell);
    for (size_t i = 0; i < with->rest_count; i++)
        buffer_append_format(&title, " %s", with->rest[i]);
    AUTO_FREE char *clean = text_scrub(buffer_text(&title), title.length, false);
    return strlen(clean) > TITLE_LIMIT ? text_format("%.*s…", TITLE_LIMIT, clean) : take_pointer(&clean);
}

static int prepare(struct with *with, struct error *error) {
    struct command_context *context = with->session.context;
    with->word = word_find(context->operands[0]);
    if (!with->word)
        return error_set(error, ERROR_INTERNAL, "the word %s has no meaning", context->operands[0]);
    with->operands = context->operands + 1;
    with->operand_count = context->operand_count - 1;
    with->rest = context->rest;
    with->rest_count = context->rest_count;
    with->title = make_title(with);
    return check_options(with, error) < 0 ? -1 : check_operands(with, error);
}

/* ---- the records ---- */

static int refuse_type(const struct with *with, const struct record *record, struct error *error) {
    const char *name = record_type_name(record->type), *tool = record_text(record, "tool");
    AUTO_FREE char *origin = text_is_plain_word(tool) ? text_format(" (from %s)", tool) : text_copy("");
    error_set(error, ERROR_DATA, "%s changes a %s, and got a %s%s", with->word->name,
              with->word->on & RECORD_CONTAINER ? "container" : "directory", name, origin);
    if (with->word->on & RECORD_CONTAINER)
        return error_next(error, "lay it into a container first: pl-from IMAGE | pl-with %s %s /PATH | pl-with %s …",
                          record->type == RECORD_FILE ? "file" : "directory", record_ref(record), with->word->name);
    return error_next(error, "take a directory out of it first: pl-export --path /PATH | pl-with %s …",
                      with->word->name);
}

static int read_records(struct with *with, struct record_list *list, struct error *error) {
    struct command_context *context = with->session.context;
    /* The operands are the word's: the records come through the pipe. */
    context->operand_count = 0;
    int result = command_read_records(context, CHAIN_TYPES, NULL, NULL, list, error);
    if (result < 0 && error->kind == ERROR_NO_INPUT)
        error_next(error, "begin the chain with: pl-from IMAGE, or pl-from ./DIR; if it does, run that alone and see "
                          "what it says");
    for (size_t i = 0; result == 0 && i < list->count; i++)
        if (!(with->word->on & (unsigned)list->items[i].type))
            result = refuse_type(with, &list->items[i], error);
    return result;
}

static int change_one(struct with *with, const struct record *record, struct record_list *out, struct error *error) {
    struct engine *engine = &with->session.engine;
    int64_t epoch = engine->epoch;
    int result = artifact_open(engine, record, &with->artifact, error);
    engine->epoch = json_get_integer(with->artifact.record, "epoch", epoch);
    if (result == 0)
        result = with->word->run(with, error);
    engine->epoch = epoch;
    if (result == 0)
        record_list_add(out, artifact_record(&with->artifact));
    artifact_release(&with->artifact);
    return result;
}

static int change_all(struct with *with, const struct record_list *list, struct record_list *out, struct error *error) {
    struct store *store = with->session.engine.store;
    struct error second;
    int result = 0;
    store_batch_begin(store);
    for (size_t i = 0; result == 0 && i < list->count; i++)
        result = change_one(with, &list->items[i], out, error);
    if (store_batch_end(store, result == 0 ? error : &second) < 0)
        result = -1;
    return result;
}

static int run_with(struct with *with, struct error *error) {
    struct record_list list = {0}, out = {0};
    with->session.engine.no_cache = with->arguments->no_cache;
    with->session.engine.explain = with->arguments->explain;
    if (with->arguments->shell_on_failure)
        shell_on_failure(&with->session.engine, with->session.context);
    int result = read_records(with, &list, error);
    if (result == 0)
        result = change_all(with, &list, &out, error);
    if (result == 0)
        result = command_write_records(with->session.context, &out, error);
    record_list_release(&list);
    record_list_release(&out);
    return result;
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct with with = {.arguments = arguments, .session = {.context = context}};
    int result = prepare(&with, error);
    if (result == 0)
        result = chain_open(&with.session, context, &with.arguments->credentials, error);
    if (result == 0)
        result = run_with(&with, error);
    chain_close(&with.session);
    free(with.title);
    return chain_advise(result, error);
}

int main(int argc, char **argv) {
    return command_main(&pl_with_command, run, argc, argv);
}
