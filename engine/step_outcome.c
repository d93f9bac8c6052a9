/* What a command printed, kept beside the step's result. */
#include "common/crypto/base64.h"
#include "engine/step_internal.h"

#include <string.h>

enum { SHORTEST_SECRET = 6 };

void step_kept_add(struct step_kept *kept, int stream, const char *data, size_t length) {
    struct buffer *buffer = &kept->streams[stream == 2];
    size_t room = STEP_OUTCOME_LIMIT - buffer->length;
    buffer->limit = STEP_OUTCOME_LIMIT;
    buffer->secret = true;
    buffer_append(buffer, data, length < room ? length : room);
}

void step_kept_release(struct step_kept *kept) {
    buffer_release(&kept->streams[0]);
    buffer_release(&kept->streams[1]);
}

/* ---- secrets in it ---- */

static void add_encoded(struct text_list *needles, const void *secret, size_t length) {
    struct buffer text = BUFFER_SECRET(2 * length + 8);
    base64_encode(BASE64_STANDARD, secret, length, &text);
    text_list_add(needles, buffer_text(&text));
    buffer_release(&text);
}

/* As it is, line by line, and as base64: what programs print of a secret. */
static void add_needles(const struct step_mount *mount, struct text_list *needles) {
    AUTO_LIST struct text_list lines = {0};
    AUTO_FREE char *text = text_copy_length(mount->secret, mount->secret_length);
    size_t length = strlen(text);
    while (length > 0 && strchr("\r\n", text[length - 1]))
        text[--length] = '\0';
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (strlen(lines.items[i]) >= SHORTEST_SECRET)
            text_list_add(needles, lines.items[i]);
    if (length >= SHORTEST_SECRET) {
        add_encoded(needles, text, length);
        add_encoded(needles, mount->secret, mount->secret_length);
    }
    memory_wipe(text, length);
}

/* Every occurrence becomes "***". */
static void hide(struct buffer *buffer, const char *needle) {
    size_t length = strlen(needle), at = 0, kept = 0;
    for (char *found;
         buffer->length - at >= length && (found = memmem(buffer->data + at, buffer->length - at, needle, length));) {
        size_t before = (size_t)(found - buffer->data) - at;
        memmove(buffer->data + kept, buffer->data + at, before);
        memcpy(buffer->data + kept + before, "***", 3);
        kept += before + 3;
        at += before + length;
    }
    if (kept == 0 && at == 0)
        return;
    memmove(buffer->data + kept, buffer->data + at, buffer->length - at);
    buffer->length = kept + buffer->length - at;
    buffer->data[buffer->length] = '\0';
}

static void hide_secrets(const struct step_exec *exec, struct step_kept *kept) {
    AUTO_LIST struct text_list needles = {0};
    for (size_t i = 0; i < exec->mount_count; i++)
        if (exec->mounts[i].type == MOUNT_SECRET)
            add_needles(&exec->mounts[i], &needles);
    for (size_t i = 0; i < needles.count; i++) {
        for (size_t stream = 0; stream < 2; stream++)
            if (kept->streams[stream].data)
                hide(&kept->streams[stream], needles.items[i]);
        memory_wipe(needles.items[i], strlen(needles.items[i]));
    }
}

int step_kept_store(struct engine *engine, const struct step_exec *exec, struct step_kept *kept, int status,
                    struct error *error) {
    struct step_outcome *outcome = exec->outcome;
    const struct buffer *streams = kept->streams;
    if (!outcome)
        return 0;
    hide_secrets(exec, kept);
    outcome->status = status;
    if (store_put(engine->store, buffer_text(&streams[0]), streams[0].length, &outcome->out, error) < 0)
        return -1;
    return store_put(engine->store, buffer_text(&streams[1]), streams[1].length, &outcome->err, error);
}

/* ---- beside the result ---- */

struct json *step_outcome_json(const struct step_outcome *outcome) {
    struct json *json = json_new_object();
    json_set_integer(json, "status", outcome->status);
    json_set_text(json, "stdout", digest_format(&outcome->out).text);
    json_set_text(json, "stderr", digest_format(&outcome->err).text);
    return json;
}

bool step_outcome_recall(struct engine *engine, const char *key, struct step_outcome *outcome) {
    AUTO_JSON struct json *known = NULL;
    if (store_name_read(engine->store, "steps", key, &known, NULL) < 0)
        return false;
    const struct json *json = json_get(known, "outcome");
    outcome->status = (int)json_get_integer(json, "status", 0);
    return digest_parse(json_get_text(json, "stdout", ""), &outcome->out, NULL) == 0 &&
           digest_parse(json_get_text(json, "stderr", ""), &outcome->err, NULL) == 0 &&
           store_has(engine->store, &outcome->out) && store_has(engine->store, &outcome->err);
}
