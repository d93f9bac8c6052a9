#include "chain/artifact.h"

#include "common/base/text.h"

#include <string.h>

int artifact_is_gone(const char *ref, struct error *error) {
    error_set(error, ERROR_DATA, "the store has no %s: it was removed (pl-cache gc), or made in another store", ref);
    return error_next(error, "run the commands that made it again, on this machine and with the same PL_STORE");
}

static int open_container(struct engine *engine, const char *ref, struct artifact *artifact, struct error *error) {
    struct digest digest;
    if (digest_parse(ref + strlen("container:"), &digest, error) < 0)
        return -1;
    if (!store_has(engine->store, &digest))
        return artifact_is_gone(ref, error);
    return container_load(engine, &digest, &artifact->container, error);
}

int artifact_open(struct engine *engine, const struct record *record, struct artifact *artifact, struct error *error) {
    const char *ref = record_ref(record);
    *artifact = (struct artifact){.type = record->type, .record = json_copy_deep(record->json)};
    if (artifact->type == RECORD_REPORT)
        artifact->type = RECORD_FILE;
    if (artifact->type == RECORD_CONTAINER)
        return open_container(engine, ref, artifact, error);
    const char *digest = strstr(ref, "sha256:");
    if (digest_parse(digest ? digest : "", &artifact->digest, error) < 0)
        return -1;
    if (!store_has(engine->store, &artifact->digest))
        return artifact_is_gone(ref, error);
    store_keep(engine->store, &artifact->digest);
    return 0;
}

/* What is said of an artifact, not of where it stands in a pipe. */
static bool is_kept(const char *key) {
    static const char *const replaced[] = {"pl", "type", "ref", "digest", "set", "seq", "of"};
    for (size_t i = 0; i < ARRAY_LENGTH(replaced); i++)
        if (text_equal(key, replaced[i]))
            return false;
    return true;
}

/* What is said of containers alone. */
static void forget_container(struct json *record) {
    static const char *const keys[] = {"platform", "fresh", "annotations"};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        json_remove(record, keys[i]);
}

static void set_ref(struct artifact *artifact, enum record_type type, const struct digest *digest) {
    const char *name = record_type_name(type);
    AUTO_FREE char *ref = text_format("%s:%s", name, digest_format(digest).text);
    struct record record = record_new(type, ref);
    const char *old = json_get_text(artifact->record, "ref", NULL);
    for (void *i = json_first(artifact->record); i; i = json_next(artifact->record, i))
        if (is_kept(json_key(i)))
            json_set(record.json, json_key(i), json_share(json_value(i)));
    if (old && !text_equal(old, ref) && !json_get(record.json, "from"))
        json_append_text(json_need_array(record.json, "from"), old);
    if (type != RECORD_CONTAINER)
        forget_container(record.json);
    json_release(&artifact->record);
    artifact->record = record.json;
    artifact->type = type;
}

void artifact_set_container(struct artifact *artifact, struct container *container) {
    container_release(&artifact->container);
    artifact->container = *container;
    *container = (struct container){0};
    set_ref(artifact, RECORD_CONTAINER, &artifact->container.digest);
    AUTO_FREE char *platform = text_format("linux/%s", container_architecture(&artifact->container));
    json_set_text(artifact->record, "platform", platform);
}

void artifact_set_directory(struct artifact *artifact, const struct digest *tree) {
    artifact->digest = *tree;
    set_ref(artifact, RECORD_DIRECTORY, tree);
}

void artifact_set_file(struct artifact *artifact, const struct digest *content, const char *name, bool is_executable) {
    artifact->digest = *content;
    set_ref(artifact, RECORD_FILE, content);
    json_set_text(artifact->record, "name", name);
    if (is_executable)
        json_set_bool(artifact->record, "executable", true);
    else
        json_remove(artifact->record, "executable");
}

struct record artifact_record(const struct artifact *artifact) {
    return (struct record){.type = artifact->type, .json = json_share(artifact->record)};
}

void artifact_release(struct artifact *artifact) {
    container_release(&artifact->container);
    json_release(&artifact->record);
}
