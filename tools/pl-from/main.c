#include "chain/operand.h"
#include "chain/selection.h"
#include "common/file/file.h"
#include "engine/base.h"
#include "tools/pl-from/origin.h"

#include <string.h>
#include <sys/stat.h>

enum { SOURCE_PATH_LIMIT = 2000 };

/* ---- the lock file ---- */

int origin_find_locked(struct origin *origin, const char *source, const char *kind, const char **meaning,
                       struct error *error) {
    const struct arguments *arguments = origin->arguments;
    *meaning = arguments->update ? NULL : lock_find(origin->session.engine.lock, source, kind);
    if (*meaning || !arguments->locked)
        return 0;
    error_set(error, ERROR_DATA, "%s does not say what %s is (%s)", arguments->lock_file, source, kind);
    return error_next(error, "write it there: pl-from --update %s", text_is_plain_word(source) ? source : "SOURCE");
}

int origin_lock(struct origin *origin, const char *source, const char *kind, const char *meaning, struct error *error) {
    const char *path = origin->arguments->lock_file;
    AUTO_FREE char *name = text_format("lock file %s/%s", origin->session.scope, path);
    AUTO_CLOSE int lock = -1;
    if (!origin->arguments->update)
        return 0;
    if (store_lock(origin->session.engine.store, name, path, origin->session.engine.progress, &lock, error) < 0 ||
        lock_update(path, source, kind, meaning, error) < 0)
        return -1;
    progress_note(origin->session.engine.progress, "%s: %s is %s", path, source, meaning);
    return 0;
}

/* ---- images ---- */

static bool needs_lock(const char *reference) {
    return !text_equal(reference, "scratch") && !strstr(reference, "@sha256:");
}

/* "src" may have been meant as the directory of that name. */
static int advise_path(const char *source, struct error *error) {
    if (error->kind != ERROR_USAGE && error->kind != ERROR_CONFIGURATION && text_is_plain_word(source) &&
        (file_exists(source) || directory_exists(source)))
        error_next(error, "the one here is named with a dot before it: pl-from ./%s", source);
    return -1;
}

static int from_image(struct origin *origin, const char *reference, struct artifact *artifact, struct error *error) {
    AUTO_CONTAINER struct container container = {0};
    struct engine *engine = &origin->session.engine;
    const char *meaning = NULL;
    if (needs_lock(reference) && origin_find_locked(origin, reference, origin->platform, &meaning, error) < 0)
        return -1;
    if (base_resolve(engine, reference, origin->platform, &container, error) < 0)
        return advise_path(reference, error);
    meaning = lock_find(engine->new_lock, reference, origin->platform);
    if (meaning && origin_lock(origin, reference, origin->platform, meaning, error) < 0)
        return -1;
    artifact_set_container(artifact, &container);
    json_set_bool(artifact->record, "fresh", true);
    return 0;
}

/* ---- what lies here ---- */

static bool is_path(const char *source) {
    return *source == '/' || text_equal(source, ".") || text_equal(source, "..") || text_starts_with(source, "./") ||
           text_starts_with(source, "../");
}

static void say_source(struct artifact *artifact, const char *path) {
    AUTO_FREE char *full = path_resolve(path, NULL);
    if (!full || strlen(full) >= SOURCE_PATH_LIMIT)
        return;
    /* Where pl-firebase-deploy looks for firebase.json. */
    json_set_text(artifact->record, "source", full);
    if (!json_get(artifact->record, "name"))
        json_set_text(artifact->record, "name", *path_base(full) ? path_base(full) : "root");
}

static int from_path(struct origin *origin, const char *path, struct artifact *artifact, struct error *error) {
    const struct arguments *arguments = origin->arguments;
    struct selection_options options = {&arguments->include, &arguments->exclude, arguments->gitignore,
                                        &arguments->allowed_files};
    AUTO_OPERAND struct operand operand = {0};
    struct digest digest;
    if (operand_open(&origin->session.engine, path, &options, &operand, error) < 0)
        return -1;
    if (!operand.is_directory) {
        const struct tree_entry *file = operand_file(&operand);
        artifact_set_file(artifact, &file->digest, file->path, file->type == 'x');
        return 0;
    }
    if (tree_store(&origin->session.engine, &operand.tree, &digest, error) < 0)
        return -1;
    artifact_set_directory(artifact, &digest);
    say_source(artifact, path);
    return 0;
}

static bool is_store_ref(const char *source) {
    return text_starts_with(source, "container:sha256:") || text_starts_with(source, "directory:sha256:") ||
           text_starts_with(source, "file:sha256:");
}

static int from_store(struct origin *origin, const char *ref, struct artifact *artifact, struct error *error) {
    struct record record;
    struct artifact found;
    if (record_parse(ref, strlen(ref), &record, error) < 0)
        return -1;
    int result = artifact_open(&origin->session.engine, &record, &found, error);
    record_release(&record);
    artifact_release(artifact);
    *artifact = found;
    return result;
}

/* ---- all of them ---- */

static int open_source(struct origin *origin, const char *source, struct artifact *artifact, struct error *error) {
    if (is_path(source))
        return from_path(origin, source, artifact, error);
    if (is_store_ref(source))
        return from_store(origin, source, artifact, error);
    if (origin_is_git(source))
        return origin_git(origin, source, artifact, error);
    if (text_starts_with(source, "https://") || text_starts_with(source, "http://"))
        return origin_download(origin, source, artifact, error);
    return from_image(origin, source, artifact, error);
}

static int add_source(struct origin *origin, const char *source, struct record_list *out, struct error *error) {
    AUTO_ARTIFACT struct artifact artifact = {.record = json_new_object()};
    struct engine *engine = &origin->session.engine;
    struct error second;
    json_set_text(artifact.record, "name", origin->arguments->name);
    store_batch_begin(engine->store);
    int result = open_source(origin, source, &artifact, error);
    if (store_batch_end(engine->store, result == 0 ? error : &second) < 0)
        result = -1;
    if (result == 0 && origin->arguments->name)
        json_set_text(artifact.record, "name", origin->arguments->name);
    if (result == 0)
        record_list_add(out, artifact_record(&artifact));
    return result;
}

static int add_images(struct origin *origin, struct record_list *out, struct error *error) {
    struct record_list images = {0};
    int result = command_read_records(origin->session.context, RECORD_IMAGE, NULL, NULL, &images, error);
    for (size_t i = 0; result == 0 && i < images.count; i++)
        result = add_source(origin, record_ref(&images.items[i]), out, error);
    record_list_release(&images);
    return result;
}

static int check(struct origin *origin, struct error *error) {
    const struct arguments *arguments = origin->arguments;
    origin->platform = arguments->platform ? arguments->platform : platform_native();
    if (arguments->locked && arguments->update)
        return error_set(error, ERROR_USAGE, "--locked and --update exclude each other");
    return 0;
}

static int run_with(struct origin *origin, struct error *error) {
    struct command_context *context = origin->session.context;
    struct engine *engine = &origin->session.engine;
    struct record_list out = {0};
    if (lock_read(origin->arguments->lock_file, &engine->lock, error) < 0)
        return -1;
    engine->relock = "pl-from --update";
    engine->ask_bases = origin->arguments->pull;
    if (origin->arguments->update)
        engine->new_lock = lock_new();
    int result = context->operand_count ? add_source(origin, context->operands[0], &out, error)
                                        : add_images(origin, &out, error);
    if (result == 0)
        result = command_write_records(context, &out, error);
    record_list_release(&out);
    return result;
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct origin origin = {.arguments = arguments, .session = {.context = context}};
    if (check(&origin, error) < 0)
        return -1;
    int result = chain_open(&origin.session, context, &origin.arguments->credentials, error);
    if (result == 0)
        result = run_with(&origin, error);
    chain_close(&origin.session);
    return chain_advise(result, error);
}

int main(int argc, char **argv) {
    return command_main(&pl_from_command, run, argc, argv);
}
