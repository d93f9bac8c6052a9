/* What the options of sidecars and volumes say, read and checked. */
#include "gcp/run/containers.h"
#include "gcp/run/settings.h"

#include "common/base/units.h"

#include <string.h>

enum { NAME_MOST = 63, CONTAINERS_MOST = 10 };

static bool is_name(const char *text, size_t length) {
    return length > 0 && length <= NAME_MOST && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") >= length &&
           text[0] != '-' && text[length - 1] != '-';
}

/* ---- volumes ---- */

/* Takes ":ro" off the end. */
static bool take_read_only(char *text) {
    size_t length = strlen(text);
    bool read_only = length > 3 && text_equal(text + length - 3, ":ro");
    if (read_only)
        text[length - 3] = '\0';
    return read_only;
}

static struct json *empty_directory(const char *medium, const char *size) {
    struct json *source = json_new_object();
    long long bytes;
    json_set_text(source, "medium", medium);
    if (*size && parse_size(size, &bytes) && bytes > 0)
        json_set_text(source, "sizeLimit", size);
    else if (*size)
        json_release(&source);
    return source;
}

static struct json *secret_directory(const char *text) {
    const char *colon = strchr(text, ':'), *slash = strrchr(text, '/');
    AUTO_FREE char *secret = text_copy_length(text, colon ? (size_t)(colon - text) : strlen(text));
    if (!*secret || (colon && !colon[1]))
        return NULL;
    struct json *source = json_new_object(), *items = json_new_array(), *item = json_new_object();
    json_set_text(source, "secret", secret);
    json_set_text(item, "path", slash && (!colon || slash < colon) ? secret + (slash - text) + 1 : secret);
    json_set_text(item, "version", colon ? colon + 1 : "latest");
    json_append(items, item);
    json_set(source, "items", items);
    return source;
}

static struct json *bucket(char *text) {
    bool read_only = take_read_only(text);
    if (!*text || strpbrk(text, "/:"))
        return NULL;
    struct json *source = json_new_object();
    json_set_text(source, "bucket", text);
    if (read_only)
        json_set_bool(source, "readOnly", true);
    return source;
}

static struct json *export(char *text) {
    bool read_only = take_read_only(text);
    char *path = strstr(text, ":/");
    if (!path || path == text)
        return NULL;
    struct json *source = json_new_object();
    *path = '\0';
    json_set_text(source, "server", text);
    json_set_text(source, "path", path + 1);
    if (read_only)
        json_set_bool(source, "readOnly", true);
    return source;
}

/* `rest`: what stands after the kind. */
static struct json *source_of(const char *kind, char *rest, const char **field) {
    *field = "emptyDir";
    if (text_equal(kind, "memory"))
        return empty_directory("MEMORY", rest);
    if (text_equal(kind, "disk"))
        return empty_directory("DISK", rest);
    if (text_equal(kind, "secret")) {
        *field = "secret";
        return secret_directory(rest);
    }
    *field = text_equal(kind, "bucket") ? "gcs" : "nfs";
    return text_equal(kind, "bucket") ? bucket(rest) : text_equal(kind, "nfs") ? export(rest) : NULL;
}

struct json *run_volume_parse(const char *text, struct error *error) {
    const char *equals = strchr(text, '='), *field;
    if (equals && is_name(text, (size_t)(equals - text))) {
        size_t length = strcspn(equals + 1, ":");
        AUTO_FREE char *name = text_copy_length(text, (size_t)(equals - text));
        AUTO_FREE char *kind = text_copy_length(equals + 1, length);
        AUTO_FREE char *rest = text_copy(equals[1 + length] ? equals + 2 + length : "");
        struct json *source = source_of(kind, rest, &field);
        if (source) {
            struct json *volume = json_new_object();
            json_set_text(volume, "name", name);
            json_set(volume, field, source);
            return volume;
        }
    }
    error_set(error, ERROR_USAGE, "--volume %.100s is no NAME=WHAT", text);
    error_next(error,
               "such as cache=memory:256Mi, scratch=disk:10Gi, keys=secret:api-key:3, data=bucket:my-bucket:ro or "
               "share=nfs:10.0.0.2:/share");
    return NULL;
}

int run_mount_parse(const char *text, char **name, char **path, struct error *error) {
    const char *equals = strchr(text, '=');
    if (!equals || !is_name(text, (size_t)(equals - text)) || equals[1] != '/' || strchr(equals, ':'))
        return error_set(error, ERROR_USAGE, "mount %.100s is no NAME=/PATH of a volume", text);
    *name = text_copy_length(text, (size_t)(equals - text));
    *path = text_copy(equals + 1);
    return 0;
}

static int check_mounts(const struct text_list *mounts, struct error *error) {
    for (size_t i = 0; i < mounts->count; i++) {
        AUTO_FREE char *name = NULL, *path = NULL;
        if (run_mount_parse(mounts->items[i], &name, &path, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- sidecars ---- */

/* Where a value of NAME:OPTION=VALUE goes. */
struct place {
    const char *option;
    struct text_list *list; /* one of the two */
    const char **text;
};

static int put_option(struct run_sidecar *sidecar, const char *option, const char *value, struct error *error) {
    struct run_workload *workload = &sidecar->workload;
    const struct place places[] = {{"env", &workload->environment, NULL},
                                   {"remove-env", &workload->removed_environment, NULL},
                                   {"secret", &workload->secrets, NULL},
                                   {"command", &workload->command, NULL},
                                   {"arg", &workload->arguments, NULL},
                                   {"depends-on", &sidecar->dependencies, NULL},
                                   {"mount", &sidecar->mounts, NULL},
                                   {"cpu", NULL, &workload->cpu},
                                   {"working-directory", NULL, &workload->working_directory},
                                   {"startup-probe", NULL, &sidecar->startup_probe},
                                   {"liveness-probe", NULL, &sidecar->liveness_probe}};
    if (text_equal(option, "memory"))
        return parse_size(value, &workload->memory)
                   ? 0
                   : error_set(error, ERROR_USAGE, "--sidecar %s: memory is \"%.40s\"; such as 256Mi", sidecar->name,
                               value);
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        if (!text_equal(places[i].option, option))
            continue;
        if (places[i].list)
            text_list_add(places[i].list, value);
        else
            *places[i].text = value;
        return 0;
    }
    error_set(error, ERROR_USAGE, "--sidecar %s: there is no option %.40s of a sidecar", sidecar->name, option);
    return error_next(error, "there are cpu, memory, env, remove-env, secret, command, arg, working-directory, mount, "
                             "depends-on, startup-probe and liveness-probe; the rest is for --service FILE");
}

/* The length of the name that a setting begins with; 0: it has none. */
static size_t name_length(const char *text) {
    size_t length = strcspn(text, ":=");
    return text[length] && is_name(text, length) ? length : 0;
}

static int put_setting(struct run_sidecar *sidecar, const char *text, struct error *error) {
    const char *at = text + name_length(text), *equals = strchr(at, '=');
    if (*at == '=') {
        sidecar->image = at + 1;
        return *sidecar->image ? 0 : error_set(error, ERROR_USAGE, "--sidecar %s= has no image", sidecar->name);
    }
    if (!equals)
        return error_set(error, ERROR_USAGE, "--sidecar %.100s is no NAME:OPTION=VALUE", text);
    AUTO_FREE char *option = text_copy_length(at + 1, (size_t)(equals - at - 1));
    return put_option(sidecar, option, equals + 1, error);
}

int run_sidecar_read(const struct run_containers *containers, size_t index, struct run_sidecar *sidecar,
                     struct error *error) {
    const char *first = containers->sidecars.items[index];
    size_t length = name_length(first);
    *sidecar = (struct run_sidecar){.workload = {.memory = -1, .gpus = -1}};
    if (length == 0) {
        error_set(error, ERROR_USAGE, "--sidecar %.100s is no NAME=IMAGE and no NAME:OPTION=VALUE", first);
        return error_next(error, "such as cache=redis:7 or cache:memory=256Mi");
    }
    sidecar->name = text_copy_length(first, length);
    for (size_t i = 0; i < containers->sidecars.count; i++) {
        const char *text = containers->sidecars.items[i];
        if (name_length(text) == length && strncmp(text, first, length) == 0 && put_setting(sidecar, text, error) < 0)
            return -1;
    }
    return 0;
}

void run_sidecar_release(struct run_sidecar *sidecar) {
    free(sidecar->name);
    text_list_release(&sidecar->workload.environment);
    text_list_release(&sidecar->workload.removed_environment);
    text_list_release(&sidecar->workload.secrets);
    text_list_release(&sidecar->workload.command);
    text_list_release(&sidecar->workload.arguments);
    text_list_release(&sidecar->dependencies);
    text_list_release(&sidecar->mounts);
}

static int check_probe(const char *text, struct error *error) {
    AUTO_JSON struct json *probe = text_is_empty(text) ? NULL : run_probe_parse(text, error);
    return probe || text_is_empty(text) ? 0 : -1;
}

static int check_sidecar(const struct run_containers *containers, size_t index, struct error *error) {
    AUTO_SIDECAR struct run_sidecar sidecar = {0};
    if (run_sidecar_read(containers, index, &sidecar, error) < 0)
        return -1;
    if (run_workload_check(&sidecar.workload, error) < 0 || check_mounts(&sidecar.mounts, error) < 0 ||
        check_probe(sidecar.startup_probe, error) < 0 || check_probe(sidecar.liveness_probe, error) < 0)
        return error_wrap(error, "--sidecar %s", sidecar.name);
    return 0;
}

int run_volumes_check(const struct run_volumes *volumes, struct error *error) {
    for (size_t i = 0; i < volumes->added.count; i++) {
        AUTO_JSON struct json *volume = run_volume_parse(volumes->added.items[i], error);
        if (!volume)
            return -1;
    }
    return check_mounts(&volumes->mounts, error);
}

int run_containers_check(const struct run_containers *containers, struct error *error) {
    for (size_t i = 0; i < containers->sidecars.count; i++)
        if (check_sidecar(containers, i, error) < 0)
            return -1;
    return run_volumes_check(&containers->volumes, error);
}
