/* Members of a workspace: which of them are built before another, and which are applications. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/node.h"

#include <string.h>

enum { MEMBER_LIMIT = 1000, DEPTH_LIMIT = 100 };

struct member {
    char *directory; /* "packages/ui" */
    struct json *package;
    bool is_visited;
};

struct workspace {
    struct member *members;
    size_t count;
};

static void workspace_release(struct workspace *workspace) {
    for (size_t i = 0; i < workspace->count; i++) {
        free(workspace->members[i].directory);
        json_release(&workspace->members[i].package);
    }
    free(workspace->members);
}

/* Every package.json below the root is taken for a member: a name that nothing depends on does no harm. */
static int read_members(const struct node_project *project, struct workspace *workspace, struct error *error) {
    static const char name[] = "/package.json";
    const struct tree *tree = project->source->tree;
    for (size_t i = 0; i < tree->count; i++) {
        const char *path = tree->entries[i].path;
        if (!text_ends_with(path, name) || tree->entries[i].type == 'd' || strchr(path, '\''))
            continue;
        if (workspace->count == MEMBER_LIMIT)
            return error_set(error, ERROR_DATA, "the workspace has more than %d members", MEMBER_LIMIT);
        struct json *package;
        if (node_read_json_root(project, path, &package, error) < 0)
            return -1;
        workspace->members = memory_resize(workspace->members, workspace->count + 1, sizeof(*workspace->members));
        workspace->members[workspace->count++] =
            (struct member){.directory = text_copy_length(path, strlen(path) - strlen(name)), .package = package};
    }
    return 0;
}

static struct member *find_member(struct workspace *workspace, const char *package) {
    for (size_t i = 0; i < workspace->count; i++)
        if (text_equal(json_get_text(workspace->members[i].package, "name", NULL), package))
            return &workspace->members[i];
    return NULL;
}

static const char *script_of(const struct json *package, const char *name) {
    return json_get_text(json_get(package, "scripts"), name, NULL);
}

/* What a package depends on comes before it; a circle is cut where it closes. */
static void visit(struct workspace *workspace, const struct json *package, unsigned depth, struct text_list *order) {
    static const char *const groups[] = {"dependencies", "devDependencies", "peerDependencies"};
    for (size_t g = 0; g < ARRAY_LENGTH(groups) && depth < DEPTH_LIMIT; g++) {
        const struct json *group = json_get(package, groups[g]);
        for (void *i = json_first(group); i; i = json_next(group, i)) {
            struct member *member = find_member(workspace, json_key(i));
            if (!member || member->is_visited)
                continue;
            member->is_visited = true;
            visit(workspace, member->package, depth + 1, order);
            if (!text_is_empty(script_of(member->package, "build")))
                text_list_add(order, member->directory);
        }
    }
}

int node_find_members(const struct node_project *project, struct text_list *members, struct error *error) {
    AUTO(workspace_release) struct workspace workspace = {0};
    if (!*project->member || !project->script)
        return 0;
    if (read_members(project, &workspace, error) < 0)
        return -1;
    struct member *self = find_member(&workspace, json_get_text(project->package, "name", NULL));
    if (self)
        self->is_visited = true;
    visit(&workspace, project->package, 0, members);
    for (size_t i = 0; i < members->count; i++)
        plan_note(project->plan, "%s depends on %s, which is built before", project->member, members->items[i]);
    return 0;
}

int node_refuse_workspace(const struct node_project *project, struct error *error) {
    AUTO(workspace_release) struct workspace workspace = {0};
    AUTO_BUFFER struct buffer list = BUFFER(900), commands = BUFFER(400);
    if (read_members(project, &workspace, error) < 0)
        return -1;
    for (size_t i = 0; i < workspace.count && list.length < 700; i++) {
        const struct member *member = &workspace.members[i];
        if (!script_of(member->package, "build") && !script_of(member->package, "start"))
            continue;
        buffer_append_format(&list, "%s%s", list.length ? ", " : ": ", member->directory);
        if (commands.length < 300)
            buffer_append_format(&commands, "%spl-build %s/%s", commands.length ? ", or " : "",
                                 project->source->directory, member->directory);
    }
    error_set(error, ERROR_DATA, "this is a workspace and no application itself%s", buffer_text(&list));
    return commands.length ? error_next(error, "%s", buffer_text(&commands)) : -1;
}
