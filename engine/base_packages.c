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

enum { OUTPUT_LIMIT = 256 * 1024 };

struct package_output {
    struct progress *progress;
    int step;
    struct buffer text; /* the beginning, in which the first error is */
};

static void pass_output(void *context, int stream, const char *data, size_t length) {
    struct package_output *output = context;
    (void)stream;
    buffer_append(&output->text, data, length);
    progress_output(output->progress, output->step, data, length);
}

/* apt and mmdebstrap begin what went wrong with "E: "; the first such line is the reason of those that follow. */
static int explain_failure(const char *name, const struct package_output *output, int status, struct error *error) {
    AUTO_LIST struct text_list lines = {0};
    const char *reason = NULL;
    text_list_split(&lines, buffer_text(&output->text), '\n');
    for (size_t i = 0; i < lines.count && !reason; i++)
        if (text_starts_with(lines.items[i], "E: "))
            reason = lines.items[i] + strlen("E: ");
    if (!reason)
        return error_set(error, ERROR_STEP, "mmdebstrap could not make the base %s (exit code %d)", name, status);
    bool unreachable = text_starts_with(reason, "Failed to fetch") || strstr(reason, "Could not resolve");
    error_set(error, unreachable ? ERROR_UNAVAILABLE : ERROR_STEP, "the base %s cannot be made: %s", name, reason);
    return unreachable
               ? error_next(error, "let this machine reach Debian's mirror (is a proxy needed? set http_proxy), "
                                   "or name another base with --base")
               : error_next(error, "are the suite and the packages right? name another base with --base");
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

static void add_environment(const char *folder, struct text_list *environment) {
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "SOURCE_DATE_EPOCH=") && !text_starts_with(*at, "LC_") &&
            !text_starts_with(*at, "LANG") && !text_starts_with(*at, "TMPDIR=") && !text_starts_with(*at, "PATH="))
            text_list_add(environment, *at);
    const char *path = getenv("PATH");
    text_list_add_format(environment, "PATH=%s:/usr/local/sbin:/usr/sbin:/sbin",
                         text_is_empty(path) ? "/usr/local/bin:/usr/bin:/bin" : path);
    text_list_add(environment, "SOURCE_DATE_EPOCH=0");
    text_list_add(environment, "LC_ALL=C.UTF-8");
    text_list_add_format(environment, "TMPDIR=%s", folder);
}

static int make_archive(struct engine *engine, const char *suite, const char *packages, const char *architecture,
                        const char *folder, const char *archive, struct error *error) {
    AUTO_LIST struct text_list argv = {0}, environment = {0};
    add_arguments(&argv, suite, packages, architecture, archive);
    add_environment(folder, &environment);
    AUTO_FREE char *name = text_format("apt:%s%s%s", suite, *packages ? "?" : "", packages);
    int step = progress_begin(engine->progress, "make the base %s", name);
    struct package_output output = {engine->progress, step, BUFFER(OUTPUT_LIMIT)};
    struct sandbox sandbox = {.on_host = true,
                              .argv = &argv,
                              .environment = &environment,
                              .output = pass_output,
                              .output_context = &output,
                              .progress = engine->progress};
    int status = 0, result = sandbox_run(&sandbox, &status, error);
    if (result == 0 && status != 0)
        result = explain_failure(name, &output, status, error);
    buffer_release(&output.text);
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
    if (!platform_can_run(platform + strlen("linux/"))) {
        error_set(error, ERROR_DATA, "the base apt:%s for %s cannot be made on this machine, which runs %s",
                  specification, platform, platform_native());
        return error_next(error, "build on a machine of that architecture, or let this one emulate it: "
                                 "sudo apt-get install qemu-user-static binfmt-support arch-test");
    }
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
