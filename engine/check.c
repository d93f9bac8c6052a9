#include "engine/check.h"

#include "common/file/file.h"
#include "engine/step_internal.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum { BLOCK = 64 * 1024 };

/* ---- a verdict that is known ---- */

static int find(struct engine *engine, const struct check *check, const char *key, struct check_result *result,
                struct error *error) {
    AUTO_JSON struct json *known = NULL;
    if (check->again || check->is_volatile)
        return 0;
    if (store_name_read(engine->store, "steps", key, &known, error) < 0)
        return -1;
    const struct json *verdict = json_get(known, "check"), *files = json_get(verdict, "files");
    if (!json_is_object(files))
        return 0;
    for (size_t i = 0; i < CHECK_FILES && check->files[i]; i++) {
        const char *digest = json_get_text(files, check->files[i], NULL);
        struct check_file *file = &result->files[i];
        if (!digest)
            continue;
        if (digest_parse(digest, &file->digest, NULL) < 0 || !store_has(engine->store, &file->digest))
            return 0;
        file->is_there = true;
    }
    result->milliseconds = json_get_integer(verdict, "milliseconds", 0);
    result->found = true;
    return 1;
}

static int record(struct engine *engine, const struct check *check, const char *key, const struct json *definition,
                  const struct check_result *result, struct error *error) {
    struct json *verdict = json_new_object(), *files = json_new_object();
    for (size_t i = 0; i < CHECK_FILES && check->files[i]; i++)
        if (result->files[i].is_there)
            json_set_text(files, check->files[i], digest_format(&result->files[i].digest).text);
    json_set_integer(verdict, "milliseconds", result->milliseconds);
    json_set(verdict, "files", files);
    return step_record(engine, key, definition, check->exec.name, "check", verdict, error);
}

/* ---- running ---- */

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct outlet {
    struct engine *engine;
    const struct check *check;
    int step;
};

static void pass_output(void *context, int stream, const char *data, size_t length) {
    const struct outlet *outlet = context;
    progress_output(outlet->engine->progress, outlet->step, data, length);
    if (outlet->check->output)
        outlet->check->output(outlet->check->output_context, stream, data, length);
}

/* The command is not trusted: what it left may be a link out of there, a pipe, or endless. */
static int keep_file(struct engine *engine, int folder, const char *path, struct check_file *file,
                     struct error *error) {
    struct stat status;
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    AUTO_CLOSE int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > CHECK_FILE_LIMIT)
        return 0;
    AUTO_WRITER struct store_writer *writer = store_put_begin(engine->store, NULL, CHECK_FILE_LIMIT, error);
    AUTO_FREE char *block = memory_allocate(BLOCK, 1);
    if (!writer)
        return -1;
    for (ssize_t got; (got = read(fd, block, BLOCK)) != 0;) {
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", path);
        if (store_put_write(writer, block, (size_t)got, error) < 0)
            return -1;
    }
    if (store_put_commit(&writer, &file->digest, NULL, error) < 0)
        return -1;
    file->is_there = true;
    return 0;
}

static int keep_files(struct engine *engine, const struct check *check, const char *folder, struct check_result *result,
                      struct error *error) {
    AUTO_CLOSE int fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < CHECK_FILES && check->files[i]; i++)
        if (keep_file(engine, fd, check->files[i], &result->files[i], error) < 0)
            return -1;
    return 0;
}

static int run_in(struct engine *engine, const struct container *input, const struct check *check, int step,
                  const char *scratch, struct check_result *result, struct error *error) {
    AUTO_FREE char *upper = path_join(scratch, "upper"), *results = path_join(scratch, "results");
    struct prepared prepared = {0};
    struct outlet outlet = {engine, check, step};
    struct sandbox_mount mount = {.type = SANDBOX_BIND, .source = results, .target = CHECK_RESULTS, .writable = true};
    struct step_run run = {.input = input,
                           .exec = &check->exec,
                           .prepared = &prepared,
                           .scratch = scratch,
                           .upper = upper,
                           .mount = &mount,
                           .timeout = check->timeout,
                           .output = pass_output,
                           .output_context = &outlet,
                           .joins_streams = true,
                           .step = step};
    if (directory_make(upper, 0755, error) < 0 || directory_make(results, 0777, error) < 0)
        return -1;
    struct error failure = {0};
    int done = step_lock_caches(engine, &check->exec, &prepared, error);
    int64_t begun = milliseconds_now();
    if (done == 0 && step_run(engine, &run, &result->status, &failure) < 0) {
        result->timed_out = failure.kind == ERROR_TIMEOUT;
        done = result->timed_out ? 0 : -1;
        if (done < 0 && error)
            *error = failure;
    }
    result->milliseconds = milliseconds_now() - begun;
    step_prepared_release(&prepared);
    return done < 0 ? -1 : keep_files(engine, check, results, result, error);
}

static int run_step(struct engine *engine, const struct container *input, const struct check *check, int step,
                    struct check_result *result, struct error *error) {
    AUTO_FREE char *scratch = NULL;
    if (store_scratch(engine->store, &scratch, error) < 0)
        return -1;
    int done = run_in(engine, input, check, step, scratch, result, error);
    store_scratch_remove(engine->store, scratch);
    return done;
}

static struct json *define(struct engine *engine, const struct container *input, const struct check *check) {
    struct json *definition = step_define(engine, "check", input, &check->exec), *files = json_new_array();
    for (size_t i = 0; i < CHECK_FILES && check->files[i]; i++)
        json_append_text(files, check->files[i]);
    json_set(definition, "files", files);
    return definition;
}

static void tell_found(struct engine *engine, const struct check *check) {
    progress_end(engine->progress, progress_begin(engine->progress, "%s", check->exec.name), PROGRESS_CACHED);
    engine->steps_found++;
}

static int run_and_record(struct engine *engine, const struct container *input, const struct check *check,
                          const char *key, const struct json *definition, struct check_result *result,
                          struct error *error) {
    *result = (struct check_result){0};
    int step = progress_begin(engine->progress, "%s", check->exec.name);
    progress_show(engine->progress, step);
    int done = run_step(engine, input, check, step, result, error);
    bool passed = done == 0 && result->status == 0 && !result->timed_out;
    if (passed && !check->is_volatile)
        done = record(engine, check, key, definition, result, error);
    /* Who waits for the lock looks for it. */
    if (done == 0)
        done = store_batch_flush(engine->store, error);
    bool cancelled = done < 0 && progress_cancelled(engine->progress);
    progress_end(engine->progress, step,
                 cancelled             ? PROGRESS_CANCELLED
                 : passed && done == 0 ? PROGRESS_MADE
                                       : PROGRESS_FAILED);
    engine->steps_made++;
    return done;
}

/* Another process may just have got the same verdict. A red one is not kept: then it is run here, too. */
static int run_locked(struct engine *engine, const struct container *input, const struct check *check, const char *key,
                      const struct json *definition, struct check_result *result, struct error *error) {
    AUTO_CLOSE int lock = -1;
    bool own = check->again || check->is_volatile;
    if (step_check_architecture(input, error) < 0 || sandbox_enter(error) < 0 ||
        (!own && step_lock(engine, key, check->exec.name, &lock, error) < 0))
        return -1;
    int state = find(engine, check, key, result, error);
    if (state == 1)
        tell_found(engine, check);
    if (state == 0)
        state = run_and_record(engine, input, check, key, definition, result, error);
    return state < 0 ? -1 : 0;
}

int check_run(struct engine *engine, const struct container *input, const struct check *check,
              struct check_result *result, struct error *error) {
    char key[DIGEST_HEX];
    AUTO_JSON struct json *definition = define(engine, input, check);
    *result = (struct check_result){0};
    step_key(definition, key);
    int state = find(engine, check, key, result, error);
    if (state < 0)
        return -1;
    if (!check->is_volatile)
        step_explain(engine, check->exec.name, definition, state == 1);
    if (state == 1) {
        tell_found(engine, check);
        return 0;
    }
    return run_locked(engine, input, check, key, definition, result, error);
}
