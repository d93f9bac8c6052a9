#include "common/store/maintenance.h"
#include "engine/layer.h"
#include "tools/pl-cache/command.h"

#include <string.h>

static int status(struct command_context *context, struct store *store, struct error *error) {
    struct store_usage usage;
    if (store_usage(store, &usage, error) < 0)
        return -1;
    AUTO_FREE char *place = text_scrub(store_path(store), strlen(store_path(store)), false);
    AUTO_FREE char *text =
        text_format("store    %s\nobjects  %llu (%.1f MB)\nnames    %llu\nlayers   %llu unpacked\ncaches   %llu\n",
                    place, (unsigned long long)usage.objects, (double)usage.object_bytes / 1e6,
                    (unsigned long long)usage.names, (unsigned long long)usage.trees, (unsigned long long)usage.mounts);
    return command_print(context, text, error);
}

static int report(struct command_context *context, const struct store_findings *findings, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(4 * 1024 * 1024);
    for (size_t i = 0; i < findings->complaints.count; i++) {
        AUTO_FREE char *line = text_scrub(findings->complaints.items[i], strlen(findings->complaints.items[i]), false);
        buffer_append_format(&text, "%s\n", line);
    }
    buffer_append_format(&text, "%llu objects (%.1f MB), %llu names, %llu layers: %zu damaged\n",
                         (unsigned long long)findings->objects, (double)findings->object_bytes / 1e6,
                         (unsigned long long)findings->names, (unsigned long long)findings->trees,
                         findings->complaints.count);
    if (command_print(context, buffer_text(&text), error) < 0)
        return -1;
    if (findings->complaints.count == 0)
        return 0;
    error_set(error, ERROR_ANSWER_NO, "%zu damaged parts of the store were put away", findings->complaints.count);
    return error_next(error, "build again: what is missing is made anew. Look at the disk: pl does not write damage");
}

static int verify(struct command_context *context, struct store *store, bool shallow, struct error *error) {
    struct engine engine = {.store = store, .progress = context->progress};
    struct store_findings findings;
    int result = store_verify(store, context->progress, &findings, error);
    if (result == 0 && !shallow)
        result = layers_verify(&engine, &findings.complaints, error);
    if (result == 0)
        result = report(context, &findings, error);
    text_list_release(&findings.complaints);
    return result;
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    const struct arguments *given = arguments;
    AUTO_STORE struct store *store = store_open(NULL, error);
    if (!store)
        return -1;
    return text_equal(context->operands[0], "status") ? status(context, store, error)
                                                      : verify(context, store, given->shallow, error);
}

int main(int argc, char **argv) {
    return command_main(&pl_cache_command, run, argc, argv);
}
