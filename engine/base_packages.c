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

static void add_arguments(struct text_list *argv, const char *suite, const char *packages, const char *architecture,
                          const char *archive) {
    text_list_add(argv, "mmdebstrap");
    /* It runs in namespaces of ours, as their root, and needs to find no other way to become one. */
    text_list_add(argv, "--mode=root");
    text_list_add(argv, "--variant=apt");
    text_list_add_format(argv, "--architectures=%s", architecture);
    /* What the image does not need: manuals, documentation but licences, translations. */
    text_list_add(argv, "--dpkgopt=path-exclude=/usr/share/man/*");
    text_list_add(argv, "--dpkgopt=path-exclude=/usr/share/doc/*");
    text_list_add(argv, "--dpkgopt=path-include=/usr/share/doc/*/copyright");
    text_list_add(argv, "--dpkgopt=path-exclude=/usr/share/locale/*");
    /* An image is either made whole or not at all: dpkg need not survive a power cut in the middle. */
    text_list_add(argv, "--dpkgopt=force-unsafe-io");
    /* They are this machine's. */
    text_list_add(argv, "--customize-hook=rm -f \"$1/etc/resolv.conf\" \"$1/etc/hostname\"");
    /* All times become one: byte code that is checked by its source's time would be thrown away at each start. What
     * Debian's installer compiled differs from one time to the next. */
    text_list_add(argv, "--customize-hook=if [ -x \"$1/usr/bin/python3\" ]; then "
                        "find \"$1/usr\" -type d -name __pycache__ -prune -exec rm -rf {} + && "
                        "chroot \"$1\" env PYTHONHASHSEED=0 /usr/bin/python3 -m compileall -f -qq "
                        "--invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.*; fi");
    /* With one id there is neither the group tty, to which pseudo terminals belong, nor the user _apt. */
    if (sandbox_mode() == SANDBOX_USER_SINGLE) {
        text_list_add(argv, "--skip=chroot/mount/dev");
        text_list_add(argv, "--aptopt=APT::Sandbox::User \"root\"");
    }
    text_list_add(argv, "--format=tar");
    if (*packages)
        text_list_add_format(argv, "--include=%s", packages);
    text_list_add(argv, suite);
    text_list_add(argv, archive);
}

static void add_environment(const struct engine *engine, const char *folder, struct text_list *environment) {
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "SOURCE_DATE_EPOCH=") && !text_starts_with(*at, "LC_") &&
            !text_starts_with(*at, "LANG") && !text_starts_with(*at, "TMPDIR=") && !text_starts_with(*at, "PATH="))
            text_list_add(environment, *at);
    const char *path = getenv("PATH");
    text_list_add_format(environment, "PATH=%s:/usr/local/sbin:/usr/sbin:/sbin",
                         text_is_empty(path) ? "/usr/local/bin:/usr/bin:/bin" : path);
    text_list_add_format(environment, "SOURCE_DATE_EPOCH=%lld", (long long)engine->epoch);
    text_list_add(environment, "LC_ALL=C.UTF-8");
    text_list_add_format(environment, "TMPDIR=%s", folder);
}

static int make_archive(struct engine *engine, const char *suite, const char *packages, const char *architecture,
                        const char *folder, const char *archive, struct error *error) {
    AUTO_LIST struct text_list argv = {0}, environment = {0};
    add_arguments(&argv, suite, packages, architecture, archive);
    add_environment(engine, folder, &environment);
    int step = progress_begin(engine->progress, "make the base apt:%s?%s", suite, packages);
    struct package_output output = {engine->progress, step};
    struct sandbox sandbox = {.on_host = true,
                              .argv = &argv,
                              .environment = &environment,
                              .output = pass_output,
                              .output_context = &output,
                              .progress = engine->progress};
    int status = 0, result = sandbox_run(&sandbox, &status, error);
    if (result == 0 && status != 0)
        result = error_set(error, ERROR_STEP, "mmdebstrap could not make the base (exit code %d)", status);
    progress_end(engine->progress, step,
                 result == 0                            ? PROGRESS_MADE
                 : progress_cancelled(engine->progress) ? PROGRESS_CANCELLED
                                                        : PROGRESS_FAILED);
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

/* "SUITE?PACKAGES&node=VERSION": the base without Node is one of its own, remembered for itself. */
static int with_node(struct engine *engine, const char *specification, const char *mark, const char *platform,
                     struct container *container, struct error *error) {
    AUTO_CONTAINER struct container debian = {0};
    AUTO_FREE char *reference = text_format("apt:%.*s", (int)(mark - specification), specification);
    const char *version = mark + strlen("&node=");
    if (base_resolve(engine, reference, platform, &debian, error) < 0)
        return -1;
    return base_add_node(engine, &debian, version, platform + strlen("linux/"), container, error);
}

int base_from_packages(struct engine *engine, const char *specification, const char *platform,
                       struct container *container, struct error *error) {
    const char *mark = strstr(specification, "&node=");
    if (mark)
        return with_node(engine, specification, mark, platform, container, error);
    AUTO_FREE char *suite = NULL, *packages = NULL, *folder = NULL, *archive = NULL, *program = NULL, *title = NULL;
    struct digest diff_id;
    if (split_specification(specification, &suite, &packages, error) < 0)
        return -1;
    if (!(program = process_find("mmdebstrap"))) {
        error_set(error, ERROR_CONFIGURATION, "mmdebstrap is missing, which makes the base apt:%s", specification);
        return error_next(error, "run: sudo apt-get install mmdebstrap");
    }
    if (sandbox_enter(error) < 0 || store_scratch(engine->store, &folder, error) < 0)
        return -1;
    archive = path_join(folder, "base.tar");
    int result = make_archive(engine, suite, packages, platform + strlen("linux/"), folder, archive, error);
    if (result == 0)
        result = base_from_layer_file(engine, archive, &diff_id, error);
    store_scratch_remove(engine->store, folder);
    title = text_format("pl: apt:%s", specification);
    return result < 0 ? -1 : base_from_layer(engine, &diff_id, platform, title, container, error);
}
