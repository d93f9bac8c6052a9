/* apt:SUITE?PACKAGE,PACKAGE: a small root file system of Debian's packages, for machines that reach no image registry.
 *
 * mmdebstrap makes it, with the host's sources when they are of that suite (its mirror, its keys), else with Debian's.
 * With SOURCE_DATE_EPOCH it gives the same bytes for the same packages. */
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/base_internal.h"
#include "engine/layer.h"
#include "engine/sandbox/sandbox.h"

#include <string.h>
#include <sys/stat.h>

enum { TIME_LIMIT = 1800 };

static bool is_word(const char *text) {
    return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.")] == '\0' && *text != '-';
}

struct package_output {
    struct progress *progress;
    int step;
};

static void pass_output(void *context, int stream, const char *data, size_t length) {
    const struct package_output *output = context;
    (void)stream;
    progress_output(output->progress, output->step, data, length);
}

static bool is_cancelled(void *progress) {
    return progress_cancelled(progress);
}

/* mmdebstrap finds out how to become root in a namespace of its own; inside of ours it is root already. */
static const char *mode_argument(void) {
    enum sandbox_mode mode = sandbox_mode();
    return mode == SANDBOX_USER_FULL                      ? "--mode=root"
           : mode == SANDBOX_NONE || mode == SANDBOX_ROOT ? "--mode=auto"
                                                          : "--mode=fakechroot";
}

static int make_archive(struct engine *engine, const char *suite, const char *packages, const char *architecture,
                        const char *path, struct error *error) {
    AUTO_LIST struct text_list argv = {0}, environment = {0};
    text_list_add(&argv, "mmdebstrap");
    text_list_add(&argv, "--variant=apt");
    text_list_add(&argv, mode_argument());
    text_list_add_format(&argv, "--architectures=%s", architecture);
    /* What the image does not need: manuals, documentation but licences, translations. */
    text_list_add(&argv, "--dpkgopt=path-exclude=/usr/share/man/*");
    text_list_add(&argv, "--dpkgopt=path-exclude=/usr/share/doc/*");
    text_list_add(&argv, "--dpkgopt=path-include=/usr/share/doc/*/copyright");
    text_list_add(&argv, "--dpkgopt=path-exclude=/usr/share/locale/*");
    text_list_add(&argv, "--format=tar");
    /* All times become one: byte code that is checked by its source's time would be thrown away at each start. */
    text_list_add(&argv, "--customize-hook=if [ -x \"$1/usr/bin/python3\" ]; then chroot \"$1\" env PYTHONHASHSEED=0 "
                         "/usr/bin/python3 -m compileall -f -qq --invalidation-mode unchecked-hash /usr/lib/python3 "
                         "/usr/lib/python3.*; fi");
    if (*packages)
        text_list_add_format(&argv, "--include=%s", packages);
    text_list_add(&argv, suite);
    text_list_add(&argv, path);
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "SOURCE_DATE_EPOCH=") && !text_starts_with(*at, "LC_") &&
            !text_starts_with(*at, "LANG") && !text_starts_with(*at, "TMPDIR="))
            text_list_add(&environment, *at);
    text_list_add_format(&environment, "SOURCE_DATE_EPOCH=%lld", (long long)engine->epoch);
    text_list_add(&environment, "LC_ALL=C.UTF-8");
    int step = progress_begin(engine->progress, "make the base apt:%s?%s", suite, packages);
    struct package_output output = {engine->progress, step};
    struct process process = {.argv = (const char *const *)argv.items,
                              .environment = (const char *const *)environment.items,
                              .output = pass_output,
                              .context = &output,
                              .timeout = TIME_LIMIT,
                              .cancelled = is_cancelled,
                              .cancelled_context = engine->progress,
                              .lead_group = true};
    int status = 0;
    mode_t mask = umask(022);
    int result = process_run(&process, &status, error);
    umask(mask);
    if (result == 0 && status != 0)
        result = error_set(error, ERROR_STEP, "mmdebstrap could not make the base (exit code %d)", status);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    return result;
}

static int split_specification(const char *specification, char **suite, char **packages, struct error *error) {
    const char *mark = strchr(specification, '?');
    *suite = text_copy_length(specification, mark ? (size_t)(mark - specification) : strlen(specification));
    *packages = text_copy(mark ? mark + 1 : "");
    AUTO_LIST struct text_list names = {0};
    text_list_split(&names, *packages, ',');
    bool fine = is_word(*suite);
    for (size_t i = 0; **packages && i < names.count; i++)
        fine = fine && is_word(names.items[i]);
    if (fine)
        return 0;
    error_set(error, ERROR_USAGE, "apt:%s is no suite with packages", specification);
    return error_next(error, "write it as apt:bookworm?python3,ca-certificates");
}

int base_from_packages(struct engine *engine, const char *specification, const char *platform,
                       struct container *container, struct error *error) {
    AUTO_FREE char *suite = NULL, *packages = NULL, *folder = NULL, *archive = NULL, *program = NULL, *title = NULL;
    struct digest diff_id;
    if (split_specification(specification, &suite, &packages, error) < 0)
        return -1;
    if (!(program = process_find("mmdebstrap"))) {
        error_set(error, ERROR_CONFIGURATION, "mmdebstrap is missing, which makes the base apt:%s", specification);
        return error_next(error, "run: sudo apt-get install mmdebstrap");
    }
    if (store_scratch(engine->store, &folder, error) < 0)
        return -1;
    archive = path_join(folder, "base.tar");
    int result = make_archive(engine, suite, packages, platform + strlen("linux/"), archive, error);
    if (result == 0)
        result = base_from_layer_file(engine, archive, &diff_id, error);
    store_scratch_remove(engine->store, folder);
    title = text_format("pl: apt:%s", specification);
    return result < 0 ? -1 : base_from_layer(engine, &diff_id, platform, title, container, error);
}
