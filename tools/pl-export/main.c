#include "chain/inside.h"
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/base/text.h"
#include "tools/pl-export/export.h"

#include <string.h>

/* ---- --path ---- */

static int set_inside(struct exporting *exporting, const struct tree *tree, bool is_directory, struct error *error) {
    struct artifact *artifact = &exporting->artifact;
    struct digest digest;
    if (!is_directory) {
        const struct tree_entry *file = &tree->entries[0];
        if (file->type == 'l')
            return error_set(error, ERROR_DATA, "%s is a symbolic link to %s", file->path, file->target);
        artifact_set_file(artifact, &file->digest, file->path, file->type == 'x');
        return 0;
    }
    if (tree_store(&exporting->session.engine, tree, &digest, error) < 0)
        return -1;
    artifact_set_directory(artifact, &digest);
    return 0;
}

static int take_from_tree(struct exporting *exporting, struct error *error) {
    AUTO_FREE char *path = NULL;
    AUTO_TREE struct tree all = {0}, below = {0};
    if (chain_path_inside(exporting->arguments->path, &path, error) < 0 ||
        tree_load(&exporting->session.engine, &exporting->artifact.digest, &all, error) < 0)
        return -1;
    const struct tree_entry *entry = *path ? tree_find(&all, path) : NULL;
    if (!tree_below(&all, path, &below))
        return error_set(error, ERROR_DATA, "the directory has no %s", path);
    return set_inside(exporting, &below, !*path || entry->type == 'd', error);
}

static int take_from_container(struct exporting *exporting, struct error *error) {
    struct engine *engine = &exporting->session.engine;
    const struct container *container = &exporting->artifact.container;
    AUTO_FREE char *path = NULL;
    AUTO_TREE struct tree tree = {0};
    struct digest digest;
    bool is_directory;
    const char *workdir = json_get_text(json_get(container->config, "config"), "WorkingDir", "/");
    if (chain_path(*workdir ? workdir : "/", exporting->arguments->path, &path, error) < 0 ||
        inside_container(engine, container, path, &digest, &is_directory, error) < 0 ||
        tree_load(engine, &digest, &tree, error) < 0)
        return -1;
    return set_inside(exporting, &tree, is_directory, error);
}

static int take_inside(struct exporting *exporting, struct error *error) {
    if (!exporting->arguments->path)
        return 0;
    switch (exporting->artifact.type) {
    case RECORD_CONTAINER:
        return take_from_container(exporting, error);
    case RECORD_DIRECTORY:
        return take_from_tree(exporting, error);
    default:
        return error_set(error, ERROR_USAGE, "--path is for a container or a directory; this is a file");
    }
}

/* ---- one record ---- */

static bool wants_image(const struct arguments *arguments) {
    return arguments->layout || arguments->archive || arguments->load;
}

static int write_image(struct exporting *exporting, struct error *error) {
    const struct arguments *arguments = exporting->arguments;
    if (exporting->artifact.type != RECORD_CONTAINER)
        return error_set(error, ERROR_DATA, "only a container is an image; this is a %s",
                         record_type_name(exporting->artifact.type));
    if (arguments->layout && export_layout(exporting, error) < 0)
        return -1;
    if (arguments->archive && export_archive(exporting, error) < 0)
        return -1;
    return arguments->load ? export_load(exporting, error) : 0;
}

static int write_to_disk(struct exporting *exporting, struct error *error) {
    if (exporting->artifact.type == RECORD_FILE)
        return export_file(exporting, error);
    if (exporting->artifact.type == RECORD_DIRECTORY)
        return export_directory(exporting, error);
    error_set(error, ERROR_USAGE, "a container is no directory");
    return error_next(error,
                      "take one out of it with --path /PATH, or write the image: --oci DIR, --docker-archive FILE");
}

static int export_open(struct exporting *exporting, struct record_list *out, struct error *error) {
    if (take_inside(exporting, error) < 0)
        return -1;
    if (exporting->arguments->show)
        return export_show(exporting, error);
    if ((wants_image(exporting->arguments) && write_image(exporting, error) < 0) ||
        (exporting->destination && write_to_disk(exporting, error) < 0))
        return -1;
    record_list_add(out, artifact_record(&exporting->artifact));
    return 0;
}

static int export_one(struct exporting *exporting, const struct record *record, struct record_list *out,
                      struct error *error) {
    int result = artifact_open(&exporting->session.engine, record, &exporting->artifact, error);
    if (result == 0)
        result = export_open(exporting, out, error);
    artifact_release(&exporting->artifact);
    return result;
}

/* ---- all ---- */

static int check(const struct exporting *exporting, struct error *error) {
    const struct arguments *arguments = exporting->arguments;
    bool writes = exporting->destination || wants_image(arguments);
    if (arguments->merge && arguments->force)
        return error_set(error, ERROR_USAGE, "--merge and --force exclude each other");
    if ((arguments->merge || arguments->force) && !exporting->destination)
        return error_set(error, ERROR_USAGE, "--merge and --force go with DEST");
    if (arguments->show && writes)
        return error_set(error, ERROR_USAGE, "--show prints, and writes nothing to the disk");
    if (arguments->tag && !wants_image(arguments))
        return error_set(error, ERROR_USAGE, "--tag goes with --oci, --docker-archive and --load");
    if (writes || arguments->show || arguments->path)
        return 0;
    error_set(error, ERROR_USAGE, "nothing to do: say where to, or what to show");
    return error_next(error, "for example: pl-export ./dist, or pl-export --path /app, or pl-export --show entries");
}

static int export_all(struct exporting *exporting, struct error *error) {
    struct record_list list = {0}, out = {0};
    struct store *store = exporting->session.engine.store;
    struct error second;
    /* DEST is no record. */
    exporting->session.context->operand_count = 0;
    int result =
        command_read_records(exporting->session.context, CHAIN_TYPES | RECORD_REPORT, NULL, NULL, &list, error);
    if (result == 0 && list.count > 1 && !exporting->arguments->show &&
        (exporting->destination || wants_image(exporting->arguments)))
        result = error_set(error, ERROR_USAGE, "got %zu records for one place", list.count);
    store_batch_begin(store);
    for (size_t i = 0; result == 0 && i < list.count; i++)
        result = export_one(exporting, &list.items[i], &out, error);
    if (store_batch_end(store, result == 0 ? error : &second) < 0)
        result = -1;
    if (result == 0 && !exporting->arguments->show)
        result = command_write_records(exporting->session.context, &out, error);
    record_list_release(&list);
    record_list_release(&out);
    return result;
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct exporting exporting = {.arguments = arguments,
                                  .session = {.context = context},
                                  .destination = context->operand_count ? context->operands[0] : NULL};
    int result = check(&exporting, error);
    if (result == 0)
        result = chain_open(&exporting.session, context, &exporting.arguments->credentials, error);
    if (result == 0)
        result = export_all(&exporting, error);
    chain_close(&exporting.session);
    return chain_advise(result, error);
}

int main(int argc, char **argv) {
    return command_main(&pl_export_command, run, argc, argv);
}
