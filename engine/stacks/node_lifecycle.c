/* Scripts that a package manager runs of the project's own when it installs: most need nothing of the source. */
#include "common/base/text.h"
#include "engine/stacks/node.h"

#include <string.h>

/* Programs that do their work with the manifests alone, or none in a container. */
static bool is_harmless(const char *command) {
    static const char *const programs[] = {"husky",
                                           "patch-package",
                                           "lefthook",
                                           "simple-git-hooks",
                                           "only-allow",
                                           "is-ci",
                                           "ngcc",
                                           "echo",
                                           "exit",
                                           "true",
                                           "npx only-allow",
                                           "npx husky",
                                           "svelte-kit sync",
                                           "npx ngcc",
                                           "npx patch-package",
                                           "yarn patch-package",
                                           "playwright install",
                                           "npx playwright install",
                                           "opencollective"};
    command += strspn(command, " \t");
    if (*command == '\0')
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(programs); i++) {
        size_t length = strlen(programs[i]);
        if (strncmp(command, programs[i], length) == 0 && strchr(" \t", command[length]))
            return true;
    }
    return false;
}

/* "a && b || c; d": each command by itself. */
static bool script_is_harmless(const char *script) {
    AUTO_FREE char *text = text_copy(script);
    for (char *at = text; *at; at++)
        if (*at == '&' || *at == '|' || *at == ';')
            *at = '\n';
    AUTO_LIST struct text_list commands = {0};
    text_list_split(&commands, text, '\n');
    for (size_t i = 0; i < commands.count; i++)
        if (!is_harmless(commands.items[i]))
            return false;
    return true;
}

void node_find_lifecycle(struct node_project *project) {
    static const char *const scripts[] = {"preinstall", "install", "postinstall", "prepublish",
                                          "preprepare", "prepare", "postprepare"};
    const struct json *manifests[] = {project->root, project->package};
    for (size_t i = 0; i < ARRAY_LENGTH(scripts) * ARRAY_LENGTH(manifests); i++) {
        const struct json *manifest = manifests[i % ARRAY_LENGTH(manifests)];
        const char *name = scripts[i / ARRAY_LENGTH(manifests)];
        const char *script = json_get_text(json_get(manifest, "scripts"), name, NULL);
        if (text_is_empty(script) || script_is_harmless(script))
            continue;
        project->needs_all_files = true;
        plan_note(project->plan, "\"%s\" of package.json may need any file, so that every edit installs anew: %.200s",
                  name, script);
        return;
    }
}
