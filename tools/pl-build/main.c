#include "chain/shell.h"
#include "common/command/source.h"
#include "common/evidence/evidence.h"
#include "common/file/file.h"
#include "engine/credential_files.h"
#include "engine/dockerfile/dockerfile.h"
#include "engine/stacks/components.h"
#include "engine/stacks/stack.h"
#include "engine/step.h"
#include "gcp/credentials/credentials.h"
#include "registry/registries.h"
#include "tools/pl-build/command.h"
#include "tools/pl-build/doctor.h"
#include "tools/pl-build/labels.h"

#include <string.h>

enum { SOURCE_PATH_LIMIT = 2000, PLAN_LIMIT = 4 * 1024 * 1024 };

struct build {
    struct command_context *context;
    const struct arguments *arguments;
    struct engine engine;
    char *directory; /* absolute */
    char *root;      /* of the workspace that it is a member of, or the same */
    char *member;    /* its path there, or "" */
    char *name;
    char *dockerfile; /* as the user would call it */
    char *lock_path;
    const char *platform;
    struct source_secrets given_secrets;
    struct step_secret secrets[SOURCE_SECRET_LIMIT];
    size_t secret_count;
    struct credential_check credentials; /* of a Dockerfile's context */
    enum stack_kind kind;
    char *base;               /* the reference of the base that was used, or NULL */
    struct tree context_tree; /* of a Dockerfile */
    bool has_source;
    struct digest source; /* all of it, as the image sees it */
};

static void build_release(struct build *build) {
    source_secrets_release(&build->given_secrets);
    credential_check_release(&build->credentials);
    store_close(&build->engine.store);
    free(build->directory);
    free(build->root);
    free(build->member);
    free(build->name);
    free(build->dockerfile);
    free(build->lock_path);
    free(build->base);
    tree_release(&build->context_tree);
    lock_release(&build->engine.lock);
    lock_release(&build->engine.new_lock);
}

/* ---- what was asked for ---- */

static int read_secrets(struct build *build, struct error *error) {
    if (source_read_secrets(&build->arguments->secrets, &build->given_secrets, error) < 0)
        return -1;
    for (size_t i = 0; i < build->given_secrets.count; i++) {
        const struct source_secret *secret = &build->given_secrets.items[i];
        build->secrets[build->secret_count++] =
            (struct step_secret){.id = secret->id, .data = secret->value, .length = secret->length};
    }
    return 0;
}

static int prepare(struct build *build, struct error *error) {
    const struct arguments *arguments = build->arguments;
    if (source_check_pairs(&arguments->environment, "--env", error) < 0 ||
        source_check_pairs(&arguments->labels, "--label", error) < 0)
        return -1;
    const char *given = build->context->operand_count ? build->context->operands[0] : ".";
    while (given[0] == '.' && given[1] == '/' && given[2])
        given += 2;
    build->dockerfile = arguments->file          ? text_copy(arguments->file)
                        : text_equal(given, ".") ? text_copy("Dockerfile")
                                                 : path_join(given, "Dockerfile");
    build->directory = source_directory(given, error);
    build->name = build->directory ? source_name(arguments->name, build->directory, error) : NULL;
    if (!build->name)
        return -1;
    build->credentials = (struct credential_check){.directory = build->directory, .allowed = &arguments->allowed_files};
    build->platform = arguments->platform ? arguments->platform : platform_native();
    if (!text_starts_with(build->platform, "linux/"))
        return error_set(error, ERROR_USAGE, "--platform %s: only linux/ARCHITECTURE is known", build->platform);
    return source_epoch(&build->engine.epoch, error);
}

/* ---- the two ways to build ---- */

static struct dockerfile_build dockerfile_of(struct build *build) {
    return (struct dockerfile_build){.context = build->directory,
                                     .file = build->arguments->file,
                                     .shown = build->dockerfile,
                                     .platform = build->platform,
                                     .target = build->arguments->target,
                                     .arguments = &build->arguments->build_arguments,
                                     .secrets = build->secrets,
                                     .secret_count = build->secret_count,
                                     .base = &build->base,
                                     .scanned = &build->context_tree,
                                     .credentials = &build->credentials};
}

static int detect(struct build *build, struct tree *tree, struct stack_source *source, struct stack_plan *plan,
                  struct error *error) {
    if (workspace_locate(build->directory, &build->root, &build->member, error) < 0 ||
        stack_scan(&build->engine, build->root, &build->arguments->allowed_files, tree, error) < 0)
        return -1;
    *source = (struct stack_source){.kind = build->kind,
                                    .directory = build->root,
                                    .member = build->member,
                                    .tree = tree,
                                    .name = build->name,
                                    .base = build->arguments->base,
                                    .project = build->arguments->project,
                                    .configuration = build->arguments->configuration,
                                    .environment = &build->arguments->environment,
                                    .secrets = build->secrets,
                                    .secret_count = build->secret_count};
    return stack_detect(source, plan, error);
}

static int build_stack(struct build *build, struct stack_result *result, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    AUTO_PLAN struct stack_plan plan = {0};
    struct stack_source source;
    if (detect(build, &tree, &source, &plan, error) < 0)
        return -1;
    build->source = tree_digest(&tree);
    build->has_source = true;
    int status = stack_build(&build->engine, &source, &plan, build->platform, result, error);
    build->base = take_pointer(&result->base);
    return status;
}

static int print_plan(struct build *build, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(PLAN_LIMIT);
    AUTO_TREE struct tree tree = {0};
    AUTO_PLAN struct stack_plan plan = {0};
    struct stack_source source;
    struct dockerfile_build dockerfile = dockerfile_of(build);
    if (build->kind == STACK_DOCKERFILE) {
        if (dockerfile_plan(&dockerfile, &text, error) < 0)
            return -1;
    } else if (detect(build, &tree, &source, &plan, error) < 0 || stack_plan_print(&plan, &text, error) < 0) {
        return -1;
    }
    return command_print_scrubbed(build->context, &text, "the plan", error);
}

/* --env and --label come last: they make no step anew. */
static int apply_settings(struct build *build, struct container *container, struct error *error) {
    const struct arguments *arguments = build->arguments;
    AUTO_JSON struct json *change = json_new_object();
    struct json *environment = json_new_array(), *labels = json_new_object();
    /* An image of a Dockerfile has the labels that the Dockerfile says. */
    if (build->kind != STACK_DOCKERFILE)
        labels_of_origin(labels, build->context->progress);
    for (size_t i = 0; i < arguments->environment.count; i++)
        json_append_text(environment, arguments->environment.items[i]);
    for (size_t i = 0; i < arguments->labels.count; i++) {
        const char *label = arguments->labels.items[i], *equals = strchr(label, '=');
        AUTO_FREE char *key = text_copy_length(label, (size_t)(equals - label));
        json_set_text(labels, key, equals + 1);
    }
    bool changes = json_count(environment) > 0 || json_count(labels) > 0;
    json_set(change, "Env", environment);
    json_set(change, "Labels", labels);
    if (!changes)
        return 0;
    struct container changed;
    if (step_config(&build->engine, container, change, "pl-build --env --label", &changed, error) < 0)
        return -1;
    container_release(container);
    *container = changed;
    return 0;
}

static int write_result(struct build *build, const struct stack_result *result, struct error *error) {
    const struct digest *digest = result->is_site ? &result->site : &result->container.digest;
    AUTO_FREE char *ref = text_format("%s:%s", result->is_site ? "directory" : "container", digest_format(digest).text);
    struct record_list out = {0};
    struct record record = record_new(result->is_site ? RECORD_DIRECTORY : RECORD_CONTAINER, ref);
    json_set_text(record.json, "name", build->name);
    /* Where pl-firebase-deploy looks for firebase.json. */
    if (result->is_site && strlen(build->directory) < SOURCE_PATH_LIMIT)
        json_set_text(record.json, "source", build->directory);
    if (!result->is_site) {
        AUTO_FREE char *platform = text_format("linux/%s", container_architecture(&result->container));
        json_set_text(record.json, "platform", platform);
    }
    record_list_add(&out, record);
    int written = command_write_records(build->context, &out, error);
    record_list_release(&out);
    if (written == 0)
        command_summary(build->context, "%s: %u steps found, %u made, %s", build->name, build->engine.steps_found,
                        build->engine.steps_made, ref);
    return written;
}

/* pl.lock of the source directory. */
static int open_lock(struct build *build, struct error *error) {
    build->lock_path = path_join(build->directory, "pl.lock");
    if (build->arguments->lock)
        build->engine.new_lock = lock_new();
    return lock_read(build->lock_path, &build->engine.lock, error);
}

static int write_lock(struct build *build, struct error *error) {
    if (!build->engine.new_lock)
        return 0;
    if (lock_write(build->engine.new_lock, build->engine.lock, build->lock_path, error) < 0)
        return -1;
    progress_note(build->context->progress, "%s says what the bases are now", build->lock_path);
    return 0;
}

static int make_result(struct build *build, struct stack_result *result, struct error *error) {
    struct dockerfile_build dockerfile = dockerfile_of(build);
    int status = build->kind == STACK_DOCKERFILE
                     ? dockerfile_build(&build->engine, &dockerfile, &result->container, error)
                     : build_stack(build, result, error);
    if (status == 0 && result->is_site && build->arguments->labels.count > 0)
        return error_set(error, ERROR_USAGE, "--label is for containers; this is a site");
    return status == 0 && !result->is_site ? apply_settings(build, &result->container, error) : status;
}

/* A source with a Dockerfile, by the same rules as every other, which its tests go by, too: what was scanned for COPY
 * does, unless the Dockerfile has an ignore file of its own. One that cannot be told by a digest has no evidence. */
static void find_source(struct build *build) {
    AUTO_TREE struct tree tree = {0};
    const char *file = build->arguments->file;
    AUTO_FREE char *fallback = path_join(build->directory, "Dockerfile");
    AUTO_FREE char *own = text_format("%s.dockerignore", file ? file : fallback);
    bool is_scanned = build->context_tree.count > 0 && !file_exists(own);
    if (build->kind != STACK_DOCKERFILE ||
        (is_scanned ? stack_select(build->directory, &build->context_tree, &tree, NULL)
                    : stack_scan(&build->engine, build->directory, &build->arguments->allowed_files, &tree, NULL)) < 0)
        return;
    build->source = tree_digest(&tree);
    build->has_source = true;
}

/* For the policy of an organisation: from what it was made. */
static int keep_evidence(struct build *build, const struct stack_result *result, struct error *error) {
    find_source(build);
    const struct evidence_source source = {.tree = build->source, .member = build->member};
    return build->has_source
               ? evidence_write_build(build->engine.store, result->is_site ? &result->site : &result->container.digest,
                                      &source, build->directory, build->base, error)
               : 0;
}

static int build_all(struct build *build, struct error *error) {
    struct stack_result result = {0};
    struct error second;
    store_batch_begin(build->engine.store);
    int status = make_result(build, &result, error);
    /* What was made before something failed is kept all the same. */
    if (store_batch_end(build->engine.store, status == 0 ? error : &second) < 0)
        status = -1;
    if (status == 0)
        status = keep_evidence(build, &result, error);
    if (status == 0)
        status = write_lock(build, error);
    if (status == 0)
        status = write_result(build, &result, error);
    container_release(&result.container);
    return status;
}

static int check_options(const struct build *build, struct error *error) {
    const struct arguments *arguments = build->arguments;
    if (build->kind == STACK_DOCKERFILE && arguments->base)
        return error_set(error, ERROR_USAGE, "--base is for sources without a Dockerfile: FROM names the base here");
    if (build->kind != STACK_DOCKERFILE && (arguments->target || arguments->build_arguments.count))
        return error_set(error, ERROR_USAGE, "--target and --build-arg are for Dockerfiles; there is none here");
    if (build->kind != STACK_NODE && (arguments->project || arguments->configuration))
        return error_set(error, ERROR_USAGE, "--project and --configuration are for Angular; there is none here");
    return 0;
}

static int run_build(struct build *build, struct error *error) {
    AUTO_GOOGLE_LOGIN struct google_login login = {.options = &build->arguments->credentials};
    AUTO_REGISTRIES struct registries registries = {
        .progress = build->context->progress, .open = google_login_open, .context = &login};
    struct image_source source = registries_source(&registries);
    struct package_source packages = registries_packages(&registries);
    build->kind = STACK_DOCKERFILE;
    if (prepare(build, error) < 0 ||
        (!build->arguments->file && stack_find(build->directory, &build->kind, error) < 0) ||
        check_options(build, error) < 0 || open_lock(build, error) < 0)
        return -1;
    build->engine.progress = build->context->progress;
    build->engine.source = &source;
    build->engine.packages = &packages;
    build->engine.no_cache = build->arguments->no_cache;
    build->engine.ask_bases = build->arguments->pull;
    build->engine.explain = build->arguments->explain;
    if (build->arguments->shell_on_failure)
        shell_on_failure(&build->engine, build->context);
    build->engine.scope = build->directory;
    build->engine.store = store_open(NULL, error);
    if (!build->engine.store)
        return -1;
    if (build->arguments->plan)
        return print_plan(build, error);
    return read_secrets(build, error) < 0 ? -1 : build_all(build, error);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct build build = {.context = context, .arguments = arguments};
    if (build.arguments->doctor)
        return doctor(context, error);
    int result = run_build(&build, error);
    if (result < 0 && error->kind == ERROR_CANNOT_WRITE && text_is_empty(error->next))
        error_next(error, "make room there (pl-cache gc removes what is not used), or set PL_STORE to another disk");
    build_release(&build);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_build_command, run, argc, argv);
}
