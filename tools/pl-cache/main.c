#include "common/store/maintenance.h"
#include "engine/gc.h"
#include "engine/layer.h"
#include "engine/sandbox/sandbox.h"
#include "tools/pl-cache/show.h"

#include <string.h>

enum { DAYS_LIMIT = 36500 };

static int status(struct command_context *context, struct store *store, struct error *error) {
    struct store_usage usage;
    if (store_usage(store, &usage, error) < 0)
        return -1;
    AUTO_FREE char *place = text_scrub(store_path(store), strlen(store_path(store)), false);
    AUTO_FREE char *room = size_text(store_available(store));
    AUTO_FREE char *objects = size_text(usage.object_bytes), *trees = size_text(usage.tree_bytes),
                   *mounts = size_text(usage.mount_bytes),
                   *all = size_text(usage.object_bytes + usage.tree_bytes + usage.mount_bytes);
    AUTO_FREE char *text =
        text_format("store    %s\nobjects  %llu (%s)\nlayers   %llu unpacked (%s)\n"
                    "caches   %llu (%s)\nnames    %llu\nall      %s\nfree     %s on its file system\n",
                    place, (unsigned long long)usage.objects, objects, (unsigned long long)usage.trees, trees,
                    (unsigned long long)usage.mounts, mounts, (unsigned long long)usage.names, all, room);
    AUTO_BUFFER struct buffer users = BUFFER(1024 * 1024);
    AUTO_LIST struct text_list list = {0};
    store_users(store, &list);
    buffer_append_text(&users, text);
    for (size_t i = 0; i < list.count; i++)
        buffer_append_format(&users, "%-8s %s\n", i == 0 ? "used by" : "", list.items[i]);
    return command_print(context, buffer_text(&users), error);
}

/* ---- gc ---- */

static void describe(struct buffer *out, const char *verb, const struct gc_counts *counts) {
    AUTO_FREE char *size = size_text(counts->bytes);
    buffer_append_format(out, "%-13s %s: %llu steps, %llu bases, %llu layers, %llu objects, %llu caches\n", verb, size,
                         (unsigned long long)counts->steps, (unsigned long long)counts->bases,
                         (unsigned long long)counts->layers, (unsigned long long)counts->objects,
                         (unsigned long long)counts->caches);
}

static void describe_room(struct buffer *out, const char *verb, uint64_t available) {
    AUTO_FREE char *size = size_text(available);
    buffer_append_format(out, "%-13s %s on its file system\n", verb, size);
}

static int too_little_room(const struct gc *gc, const struct gc_result *result, struct error *error) {
    AUTO_FREE char *wanted = size_text(gc->free_wanted), *available = size_text(result->available);
    error_set(error, ERROR_ANSWER_NO, "%s are free, less than the %s of --min-free: the store can give no more",
              available, wanted);
    return error_next(error, "look what else fills the disk: df -h, du -xh");
}

static int collect(struct command_context *context, struct store *store, const struct arguments *arguments,
                   struct error *error) {
    struct engine engine = {.store = store, .progress = context->progress};
    struct gc gc = {.keep_seconds = arguments->keep_days * 24 * 60 * 60,
                    .size_limit = arguments->max_size >= 0 ? (uint64_t)arguments->max_size : UINT64_MAX,
                    .free_wanted = arguments->min_free > 0 ? (uint64_t)arguments->min_free : 0,
                    .dry_run = arguments->dry_run};
    struct gc_result result;
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    if (arguments->keep_days > DAYS_LIMIT)
        return error_set(error, ERROR_USAGE, "--keep-days is at most %d", DAYS_LIMIT);
    if (gc_run(&engine, &gc, &result, error) < 0)
        return -1;
    describe(&text, gc.dry_run ? "would remove" : "removed", &result.taken);
    describe(&text, gc.dry_run ? "would keep" : "kept", &result.kept);
    if (gc.free_wanted > 0)
        describe_room(&text, gc.dry_run ? "would be free" : "free", result.available);
    if (command_print(context, buffer_text(&text), error) < 0)
        return -1;
    return result.available < gc.free_wanted ? too_little_room(&gc, &result, error) : 0;
}

/* ---- verify ---- */

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

/* What belongs to ids of a user namespace is only seen from inside of it. */
static void enter(struct command_context *context) {
    struct error none;
    if (sandbox_enter(&none) < 0)
        progress_note(context->progress, "%s: layers of other ids are not counted", none.text);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    const struct arguments *given = arguments;
    const char *word = context->operands[0];
    if (context->operand_count > 1 && !text_equal(word, "explain"))
        return error_set(error, ERROR_USAGE, "%s takes no operand", word);
    AUTO_STORE struct store *store = store_open(NULL, error);
    if (!store)
        return -1;
    if (text_equal(word, "gc"))
        return collect(context, store, given, error);
    if (text_equal(word, "verify"))
        return verify(context, store, given->shallow, error);
    enter(context);
    struct engine engine = {.store = store, .progress = context->progress};
    if (text_equal(word, "status"))
        return status(context, store, error);
    return text_equal(word, "list") ? list_run(context, &engine, given, error)
                                    : explain_run(context, &engine, given, error);
}

int main(int argc, char **argv) {
    return command_main(&pl_cache_command, run, argc, argv);
}
