/* A command that is run in the container. */
#include "chain/secret.h"
#include "chain/services.h"
#include "common/base/text.h"
#include "common/command/source.h"
#include "engine/owner.h"
#include "engine/tree.h"
#include "tools/pl-with/with.h"

#include <string.h>

enum { MOUNT_LIMIT = 64, CODE_LIMIT = 256 };

struct exec {
    struct with *with;
    struct step_exec step;
    struct step_outcome outcome;
    struct step_mount mounts[MOUNT_LIMIT];
    struct chain_secret secrets[MOUNT_LIMIT]; /* of the mount of the same number */
    const char *sources[MOUNT_LIMIT];         /* where they are; NULL: the mount is no secret */
    struct text_list argv, kept;              /* owns the texts that mounts point to */
    struct digest input;
    struct chain_services services;
    int codes[CODE_LIMIT];
};

static void exec_release(struct exec *exec) {
    for (size_t i = 0; i < MOUNT_LIMIT; i++)
        chain_secret_release(&exec->secrets[i]);
    chain_services_release(&exec->services);
    text_list_release(&exec->argv);
    text_list_release(&exec->kept);
}

static const char *keep(struct exec *exec, char *text) {
    text_list_take(&exec->kept, text);
    return text;
}

/* ---- mounts ---- */

static struct step_mount *add_mount(struct exec *exec, enum step_mount_type type, struct error *error) {
    if (exec->step.mount_count == MOUNT_LIMIT) {
        error_set(error, ERROR_USAGE, "more than %d mounts", MOUNT_LIMIT);
        return NULL;
    }
    struct step_mount *mount = &exec->mounts[exec->step.mount_count++];
    *mount = (struct step_mount){.type = type};
    return mount;
}

/* "LEFT=RIGHT": the last equals sign before the path, for LEFT may be any path or ref. */
static int split(struct exec *exec, const char *option, const char *text, const char *form, bool last,
                 const char **left, const char **right, struct error *error) {
    const char *equals = last ? strrchr(text, '=') : strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return error_set(error, ERROR_USAGE, "--%s takes %s", option, form);
    *left = keep(exec, text_copy_length(text, (size_t)(equals - text)));
    *right = keep(exec, text_copy(equals + 1));
    return 0;
}

static int set_target(struct exec *exec, struct step_mount *mount, const char *given, struct error *error) {
    char *path;
    if (with_path(exec->with, given, &path, error) < 0)
        return -1;
    mount->target = keep(exec, path);
    return 0;
}

static int add_cache(struct exec *exec, const char *text, struct error *error) {
    const char *id, *path;
    struct step_mount *mount = add_mount(exec, MOUNT_CACHE, error);
    if (!mount || split(exec, "mount-cache", text, "ID=PATH", false, &id, &path, error) < 0)
        return -1;
    mount->id = id;
    return set_target(exec, mount, path, error);
}

static bool is_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return name[0] != '.' && name[strspn(name, letters)] == '\0';
}

/* A secret is for whom the command is run as. */
static int give_to_user(struct exec *exec, struct step_mount *mount, struct error *error) {
    struct with *with = exec->with;
    const char *user = exec->step.user ? exec->step.user : with_setting(with, "User", NULL);
    return user ? owner_resolve(&with->session.engine, &with->artifact.container, user, &mount->uid, &mount->gid, error)
                : 0;
}

static int add_secret(struct exec *exec, const char *text, bool is_variable, struct error *error) {
    const char *option = is_variable ? "secret-env" : "mount-secret", *name, *source;
    struct step_mount *mount = add_mount(exec, MOUNT_SECRET, error);
    if (!mount || split(exec, option, text, "NAME=SOURCE", false, &name, &source, error) < 0)
        return -1;
    if (!is_name(name))
        return error_set(error, ERROR_USAGE, "--%s: \"%.60s\" is no name", option, name);
    exec->sources[mount - exec->mounts] = source;
    mount->id = name;
    mount->target = keep(exec, text_format("/run/secrets/%s", name));
    mount->variable = is_variable ? name : NULL;
    return give_to_user(exec, mount, error);
}

/* Only a command that is run needs them: one that is found asks nobody. */
static int read_secrets(void *context, struct error *error) {
    struct exec *exec = context;
    for (size_t i = 0; i < exec->step.mount_count; i++) {
        struct chain_secret *secret = &exec->secrets[i];
        if (!exec->sources[i])
            continue;
        if (chain_secret_read(&exec->with->session, exec->sources[i], secret, error) < 0)
            return error_wrap(error, "the secret %s", exec->mounts[i].id);
        exec->mounts[i].secret = secret->content;
        exec->mounts[i].secret_length = secret->length;
    }
    return 0;
}

static int add_directory(struct exec *exec, const char *text, struct error *error) {
    struct engine *engine = &exec->with->session.engine;
    const char *source, *path;
    AUTO_OPERAND struct operand operand = {0};
    struct step_mount *mount = add_mount(exec, MOUNT_BIND_TREE, error);
    if (!mount || split(exec, "mount-directory", text, "SOURCE=PATH", true, &source, &path, error) < 0 ||
        set_target(exec, mount, path, error) < 0 || operand_open(engine, source, NULL, &operand, error) < 0)
        return -1;
    mount->input_name = source;
    mount->writable = true;
    if (!operand.is_directory)
        mount->source = keep(exec, text_copy(operand_file(&operand)->path));
    return tree_store(engine, &operand.tree, &mount->tree, error);
}

static int add_temporary(struct exec *exec, const char *text, struct error *error) {
    struct step_mount *mount = add_mount(exec, MOUNT_TMPFS, error);
    return mount ? set_target(exec, mount, text, error) : -1;
}

static int add_mounts(struct exec *exec, struct error *error) {
    const struct arguments *arguments = exec->with->arguments;
    for (size_t i = 0; i < arguments->caches.count; i++)
        if (add_cache(exec, arguments->caches.items[i], error) < 0)
            return -1;
    for (size_t i = 0; i < arguments->directories.count; i++)
        if (add_directory(exec, arguments->directories.items[i], error) < 0)
            return -1;
    for (size_t i = 0; i < arguments->temporaries.count; i++)
        if (add_temporary(exec, arguments->temporaries.items[i], error) < 0)
            return -1;
    for (size_t i = 0; i < arguments->secrets.count; i++)
        if (add_secret(exec, arguments->secrets.items[i], false, error) < 0)
            return -1;
    for (size_t i = 0; i < arguments->secret_environment.count; i++)
        if (add_secret(exec, arguments->secret_environment.items[i], true, error) < 0)
            return -1;
    return 0;
}

/* ---- the rest ---- */

/* "0,1", or "any" */
static int set_codes(struct exec *exec, struct error *error) {
    const char *text = exec->with->arguments->expect;
    AUTO_LIST struct text_list parts = {0};
    bool any = text_equal(text, "any");
    if (!text)
        return 0;
    exec->step.expected = exec->codes;
    for (int code = 0; any && code < CODE_LIMIT; code++)
        exec->codes[exec->step.expected_count++] = code;
    if (any)
        return 0;
    text_list_split(&parts, text, ',');
    for (size_t i = 0; i < parts.count; i++) {
        uint64_t code;
        if (i == CODE_LIMIT || !text_to_u64(parts.items[i], CODE_LIMIT - 1, &code))
            return error_set(error, ERROR_USAGE, "--expect takes exit codes such as 0,1, or any: \"%.60s\"", text);
        exec->codes[exec->step.expected_count++] = (int)code;
    }
    return 0;
}

static int set_input(struct exec *exec, struct error *error) {
    const char *given = exec->with->arguments->standard_input;
    AUTO_OPERAND struct operand operand = {0};
    if (!given)
        return 0;
    if (operand_need(&exec->with->session.engine, given, NULL, false, &operand, error) < 0)
        return -1;
    exec->input = operand_file(&operand)->digest;
    exec->step.input = &exec->input;
    return 0;
}

static int set_services(struct exec *exec, struct error *error) {
    const struct arguments *arguments = exec->with->arguments;
    if (arguments->services.count > 0 && arguments->network)
        return error_set(error, ERROR_USAGE,
                         "--service and --network exclude each other: it has the services' network");
    if (chain_services_read(&exec->with->session.engine, &arguments->services, &exec->services, error) < 0)
        return -1;
    exec->step.services = exec->services.items;
    exec->step.service_count = exec->services.count;
    return 0;
}

static int set_command(struct exec *exec, struct error *error) {
    struct with *with = exec->with;
    const struct arguments *arguments = with->arguments;
    exec->step = (struct step_exec){.name = with->title,
                                    .argv = &exec->argv,
                                    .environment = &arguments->environment,
                                    .volatile_environment = &arguments->volatile_environment,
                                    .user = arguments->user,
                                    .mounts = exec->mounts,
                                    .no_network = text_equal(arguments->network, "none"),
                                    .outcome = &exec->outcome,
                                    .prepare = read_secrets,
                                    .prepare_context = exec,
                                    .created_by = with->title};
    if (source_check_pairs(&arguments->environment, "--env", error) < 0 ||
        source_check_pairs(&arguments->volatile_environment, "--volatile-env", error) < 0)
        return -1;
    return with_argv(with, &exec->argv, error);
}

/* What it printed is told by the record, wherever in the chain it is asked for. */
static void tell_outcome(struct exec *exec) {
    struct json *record = exec->with->artifact.record, *json = json_new_object();
    AUTO_FREE char *out = text_format("file:%s", digest_format(&exec->outcome.out).text);
    AUTO_FREE char *err = text_format("file:%s", digest_format(&exec->outcome.err).text);
    json_set_text(json, "stdout", out);
    json_set_text(json, "stderr", err);
    json_set_integer(json, "status", exec->outcome.status);
    json_set(record, "exec", json);
    json_remove(record, "fresh");
}

static int run(struct exec *exec, struct error *error) {
    struct with *with = exec->with;
    AUTO_CONTAINER struct container output = {0};
    if (set_command(exec, error) < 0 || set_codes(exec, error) < 0 || set_input(exec, error) < 0 ||
        set_services(exec, error) < 0 || add_mounts(exec, error) < 0 ||
        step_exec(&with->session.engine, &with->artifact.container, &exec->step, &output, error) < 0)
        return -1;
    artifact_set_container(&with->artifact, &output);
    tell_outcome(exec);
    return 0;
}

int with_exec(struct with *with, struct error *error) {
    struct exec exec = {.with = with};
    int result = run(&exec, error);
    exec_release(&exec);
    return result;
}
