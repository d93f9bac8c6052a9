/* A patch (a unified diff, git's extensions included) on a directory, by git apply: it keeps what a patch says below
 * the directory. */
#include "chain/lay_out.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/tree.h"
#include "tools/pl-with/with.h"

#include <fcntl.h>
#include <string.h>

enum { SAID_LIMIT = 64 * 1024, PATCH_SECONDS = 600 };

static int apply(struct with *with, const char *folder, const struct tree_entry *patch, struct error *error) {
    const char *const argv[] = {"git", "apply", "--whitespace=nowarn", "-", NULL};
    AUTO_LIST struct text_list environment = {0};
    AUTO_BUFFER struct buffer said = BUFFER(SAID_LIMIT);
    int status = 1;
    AUTO_CLOSE int fd = store_open_object(with->session.engine.store, &patch->digest, NULL, error);
    if (fd < 0)
        return -1;
    /* No repository is meant: neither one that the store may lie in nor one that lies in the directory, whose
     * configuration could name programs to be run (filters). */
    static const char *const ours[] = {"GIT_DIR=/dev/null", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
                                       "GIT_ATTR_NOSYSTEM=1"};
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "GIT_"))
            text_list_add(&environment, *at);
    for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
        text_list_add(&environment, ours[i]);
    struct process process = {.argv = argv,
                              .environment = (const char *const *)environment.items,
                              .directory = folder,
                              .stdin_fd = fd,
                              .err = &said,
                              .timeout = PATCH_SECONDS};
    if (process_run(&process, &status, error) < 0)
        return -1;
    if (status == 0)
        return 0;
    AUTO_FREE char *clean = text_scrub(buffer_text(&said), said.length, false);
    error_set(error, ERROR_DATA, "the patch %.200s does not apply: %.400s", with->operands[0], clean);
    return error_next(error, "make it anew against this directory (pl-export ./here shows it)");
}

/* What git did not touch keeps its owner and mode. */
static void take_owners(const struct tree *old, struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_entry *entry = &tree->entries[i];
        const struct tree_entry *was = tree_find(old, entry->path);
        if (was && was->has_owner && was->type == entry->type)
            tree_entry_set_owner(entry, was->uid, was->gid, was->mode);
    }
}

static int patch_in(struct with *with, const char *folder, const struct tree_entry *patch, struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_TREE struct tree old = {0}, tree = {0};
    struct tree_scan scan = {.directory = folder, .is_temporary = true};
    struct digest digest;
    AUTO_CLOSE int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_set_errno(error, errno, "cannot write to the store");
    if (tree_load(engine, &with->artifact.digest, &old, error) < 0 || lay_out(engine, &old, root, 0, error) < 0 ||
        apply(with, folder, patch, error) < 0 || tree_scan(engine, &scan, &tree, error) < 0)
        return -1;
    take_owners(&old, &tree);
    if (tree_store(engine, &tree, &digest, error) < 0)
        return -1;
    artifact_set_directory(&with->artifact, &digest);
    return 0;
}

/* The result is remembered by what it was made of. */
static int find_or_patch(struct with *with, const struct tree_entry *patch, struct error *error) {
    struct engine *engine = &with->session.engine;
    AUTO_FREE char *text =
        text_format("patch %s %s", digest_format(&with->artifact.digest).text, digest_format_hex(&patch->digest).text);
    AUTO_FREE char *folder = NULL;
    AUTO_JSON struct json *known = NULL, *fresh = json_new_object();
    struct digest key = digest_of(text, strlen(text)), tree;
    if (store_name_read(engine->store, "patches", digest_format_hex(&key).text, &known, error) < 0)
        return -1;
    if (known && digest_parse(json_get_text(known, "tree", ""), &tree, NULL) == 0 && store_has(engine->store, &tree)) {
        artifact_set_directory(&with->artifact, &tree);
        return 0;
    }
    if (store_scratch(engine->store, &folder, error) < 0)
        return -1;
    int result = patch_in(with, folder, patch, error);
    store_scratch_remove(engine->store, folder);
    if (result < 0)
        return -1;
    json_set_text(fresh, "tree", digest_format(&with->artifact.digest).text);
    return store_name_write(engine->store, "patches", digest_format_hex(&key).text, fresh, error);
}

int with_patch(struct with *with, struct error *error) {
    AUTO_OPERAND struct operand operand = {0};
    if (operand_need(&with->session.engine, with->operands[0], NULL, false, &operand, error) < 0)
        return -1;
    return find_or_patch(with, operand_file(&operand), error);
}
