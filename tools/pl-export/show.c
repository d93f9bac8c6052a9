/* --show: what an artifact is, on standard output. */
#include "chain/operand.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "tools/pl-export/export.h"

#include <string.h>

enum { ANSWER_LIMIT = 512 * 1024 * 1024, BLOCK = 64 * 1024 };

/* Byte for byte, hashed again. */
static int print_object(struct exporting *exporting, const struct digest *digest, struct error *error) {
    struct buffer content = BUFFER(ANSWER_LIMIT);
    int result = store_read(exporting->session.engine.store, digest, &content, error);
    if (result == 0)
        result = command_print(exporting->session.context, "", error);
    if (result == 0)
        result = fd_write_all(STDOUT_FILENO, buffer_text(&content), content.length, error);
    buffer_release(&content);
    return result;
}

/* ---- the last command ---- */

static int print_output(struct exporting *exporting, const char *stream, struct error *error) {
    const struct json *exec = json_get(exporting->artifact.record, "exec");
    const char *ref = json_get_text(exec, stream, NULL);
    struct digest digest;
    if (!exec) {
        error_set(error, ERROR_DATA, "no command has been run in this chain");
        return error_next(error, "put one before it: pl-with exec -- COMMAND");
    }
    if (text_equal(stream, "status")) {
        AUTO_BUFFER struct buffer text = BUFFER(64);
        buffer_append_format(&text, "%lld\n", (long long)json_get_integer(exec, "status", 0));
        return command_print_scrubbed(exporting->session.context, &text, "the exit code", error);
    }
    if (!ref || !text_starts_with(ref, "file:") || digest_parse(ref + strlen("file:"), &digest, error) < 0)
        return error_set(error, ERROR_DATA, "the record says nothing of the command's %s", stream);
    if (!store_has(exporting->session.engine.store, &digest))
        return artifact_is_gone(ref, error);
    return print_object(exporting, &digest, error);
}

/* ---- files ---- */

static const char *type_name(char type) {
    return type == 'd' ? "directory" : type == 'l' ? "link" : "file";
}

/* A name stays on its line: with a newline in it, it could look like others. */
static char *shown_name(const char *name) {
    return text_scrub(name, strlen(name), false);
}

static void list(const struct tree *tree, struct buffer *out) {
    for (size_t i = 0; i < tree->count; i++) {
        AUTO_FREE char *path = shown_name(tree->entries[i].path);
        buffer_append_format(out, "%s%s\n", path, tree->entries[i].type == 'd' ? "/" : "");
    }
}

static void draw(const struct tree *tree, struct buffer *out) {
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        for (const char *at = entry->path; (at = strchr(at, '/')); at++)
            buffer_append_text(out, "  ");
        AUTO_FREE char *name = shown_name(path_base(entry->path));
        AUTO_FREE char *target = shown_name(entry->target ? entry->target : "");
        buffer_append_format(out, "%s%s", name, entry->type == 'd' ? "/" : "");
        if (entry->type == 'l')
            buffer_append_format(out, " -> %s", target);
        else if (entry->type != 'd')
            buffer_append_format(out, "  %llu", (unsigned long long)entry->size);
        buffer_append_byte(out, '\n');
    }
}

static struct json *inspect(const struct tree *tree) {
    struct json *all = json_new_array();
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        struct json *json = json_new_object();
        char mode[8];
        snprintf(mode, sizeof(mode), "%04o", tree_entry_mode(entry) & 07777);
        json_set_text(json, "path", entry->path);
        json_set_text(json, "type", type_name(entry->type));
        json_set_text(json, "mode", mode);
        if (entry->type == 'l')
            json_set_text(json, "target", entry->target);
        else if (entry->type != 'd') {
            json_set_integer(json, "size", (int64_t)entry->size);
            json_set_text(json, "digest", digest_format(&entry->digest).text);
        }
        if (entry->uid || entry->gid) {
            json_set_integer(json, "uid", entry->uid);
            json_set_integer(json, "gid", entry->gid);
        }
        json_append(all, json);
    }
    return all;
}

static void add_json(struct buffer *out, const struct json *json) {
    json_write(json, JSON_PRETTY, out);
}

static int show_tree(struct exporting *exporting, const struct tree *tree, struct error *error) {
    const char *what = exporting->arguments->show;
    AUTO_BUFFER struct buffer out = BUFFER(ANSWER_LIMIT);
    uint64_t size = 0;
    if (text_equal(what, "entries"))
        list(tree, &out);
    else if (text_equal(what, "tree"))
        draw(tree, &out);
    else if (text_equal(what, "inspect")) {
        AUTO_JSON struct json *all = inspect(tree);
        add_json(&out, all);
    } else {
        for (size_t i = 0; i < tree->count; i++)
            size += tree->entries[i].size;
        buffer_append_format(&out, "%llu\n", (unsigned long long)size);
    }
    return command_print_scrubbed(exporting->session.context, &out, "the answer", error);
}

/* Of a container its configuration; of all else its files. */
static int show_files(struct exporting *exporting, struct error *error) {
    struct engine *engine = &exporting->session.engine;
    struct artifact *artifact = &exporting->artifact;
    AUTO_OPERAND struct operand operand = {0};
    AUTO_BUFFER struct buffer out = BUFFER(ANSWER_LIMIT);
    if (artifact->type == RECORD_CONTAINER && text_equal(exporting->arguments->show, "inspect")) {
        add_json(&out, artifact->container.config);
        return command_print_scrubbed(exporting->session.context, &out, "the configuration", error);
    }
    AUTO_FREE char *line = json_format(artifact->record, JSON_COMPACT_STYLE);
    if (operand_open(engine, line, NULL, &operand, error) < 0)
        return -1;
    return show_tree(exporting, &operand.tree, error);
}

int export_show(struct exporting *exporting, struct error *error) {
    const char *what = exporting->arguments->show;
    struct artifact *artifact = &exporting->artifact;
    if (text_equal(what, "stdout") || text_equal(what, "stderr"))
        return print_output(exporting, what, error);
    if (text_equal(what, "exit-code"))
        return print_output(exporting, "status", error);
    if (text_equal(what, "digest")) {
        AUTO_BUFFER struct buffer out = BUFFER(DIGEST_TEXT + 8);
        buffer_append_format(&out, "%s\n", json_get_text(artifact->record, "digest", ""));
        return command_print_scrubbed(exporting->session.context, &out, "the digest", error);
    }
    if (!text_equal(what, "contents"))
        return show_files(exporting, error);
    if (artifact->type == RECORD_FILE)
        return print_object(exporting, &artifact->digest, error);
    error_set(error, ERROR_USAGE, "--show contents is for a file");
    return error_next(error, "name one in there: --path PATH");
}
