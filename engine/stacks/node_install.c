/* The steps that install the dependencies and run the build script. The first sees only the files that declare them;
 * what it installs lies in /app, where the source comes to lie too. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/node_releases.h"
#include "engine/stacks/node.h"

#include <string.h>

#define MANIFESTS "/run/pl/manifests"
enum { NODE_NEWEST = 99 };

struct recipe {
    const char *package; /* of npm's registry that has the manager; NULL: the base has it */
    const char
        *program;      /* the file in the package that a hash of packageManager may be of, beside the package itself */
    const char *cache; /* the id of its cache, below /var/cache */
    const char *locked, *unlocked;                       /* commands that install everything */
    const char *locked_production, *unlocked_production; /* and without what only development needs */
    const char *clean;                                   /* what it leaves behind that tells of the time or the place */
};

static const struct recipe recipes[] = {
    [NODE_NPM] = {NULL, NULL, "npm", "npm ci", "npm install --no-package-lock", "npm ci --omit=dev",
                  "npm install --no-package-lock --omit=dev", ""},
    [NODE_PNPM] = {"pnpm", NULL, "pnpm", "pnpm install --frozen-lockfile", "pnpm install --no-frozen-lockfile",
                   "pnpm install --frozen-lockfile --prod", "pnpm install --no-frozen-lockfile --prod",
                   "rm -f node_modules/.modules.yaml node_modules/.pnpm-workspace-state*.json\n"},
    [NODE_YARN_CLASSIC] = {"yarn", NULL, "yarn", "yarn install --frozen-lockfile", "yarn install --no-lockfile",
                           "yarn install --frozen-lockfile --production", "yarn install --no-lockfile --production",
                           "rm -f node_modules/.yarn-integrity\n"},
    [NODE_YARN] = {"@yarnpkg/cli-dist", "bin/yarn.js", "yarn-berry", "yarn install --immutable",
                   "yarn install --no-immutable", "yarn workspaces focus --all --production",
                   "yarn workspaces focus --all --production",
                   "rm -rf .yarn/install-state.gz .yarn/build-state.yml node_modules/.yarn-state.yml\n"},
    [NODE_BUN] = {"bun", NULL, "bun", "bun install --frozen-lockfile", "bun install --no-save",
                  "bun install --frozen-lockfile --production", "bun install --no-save --production", ""},
};

static const char *const fixed_environment[] = {
    "HOME=/opt/build/home",
    "TMPDIR=/opt/build",
    "LC_ALL=C.UTF-8",
    "npm_config_cache=/var/cache/npm",
    "npm_config_update_notifier=false",
    "npm_config_audit=false",
    "npm_config_fund=false",
    "npm_config_progress=false",
    "ADBLOCK=1",
    "DISABLE_OPENCOLLECTIVE=1",
    "HUSKY=0",
};

static const char *const pnpm_environment[] = {
    "npm_config_store_dir=/var/cache/pnpm",
    "npm_config_package_import_method=copy",
    "npm_config_manage_package_manager_versions=false",
    "COREPACK_ENABLE_STRICT=0",
};

static const char *const yarn_environment[] = {
    "YARN_CACHE_FOLDER=/var/cache/yarn",
};

/* Plug'n'Play would run the packages from the cache, which is not there later. */
static const char *const berry_environment[] = {
    "YARN_NODE_LINKER=node-modules", "YARN_GLOBAL_FOLDER=/var/cache/yarn-berry",
    "YARN_ENABLE_TELEMETRY=0",       "YARN_ENABLE_PROGRESS_BARS=0",
    "YARN_NM_MODE=classic",
};

static const char *const bun_environment[] = {
    "BUN_INSTALL_CACHE_DIR=/var/cache/bun",
};

/* What frameworks would tell their makers, or ask for. */
static const char *const build_environment[] = {
    "NG_CLI_ANALYTICS=false",    "NEXT_TELEMETRY_DISABLED=1",   "ASTRO_TELEMETRY_DISABLED=1",
    "NUXT_TELEMETRY_DISABLED=1", "GATSBY_TELEMETRY_DISABLED=1", "BROWSERSLIST_IGNORE_OLD_DATA=1",
};

static void add_all(struct text_list *list, const char *const *items, size_t count) {
    for (size_t i = 0; i < count; i++)
        text_list_add(list, items[i]);
}

static void add_environment(const struct node_project *project, struct text_list *list) {
    add_all(list, fixed_environment, ARRAY_LENGTH(fixed_environment));
    if (project->manager == NODE_PNPM)
        add_all(list, pnpm_environment, ARRAY_LENGTH(pnpm_environment));
    else if (project->manager == NODE_YARN_CLASSIC)
        add_all(list, yarn_environment, ARRAY_LENGTH(yarn_environment));
    else if (project->manager == NODE_YARN)
        add_all(list, berry_environment, ARRAY_LENGTH(berry_environment));
    else if (project->manager == NODE_BUN)
        add_all(list, bun_environment, ARRAY_LENGTH(bun_environment));
    /* A cache that lies in the source is used from there. */
    if (project->manager == NODE_YARN)
        text_list_add_format(list, "YARN_ENABLE_GLOBAL_CACHE=%d", !tree_find(project->source->tree, ".yarn/cache"));
}

static void set_environment(const struct node_project *project, struct plan_step *step) {
    const struct recipe *recipe = &recipes[project->manager];
    add_environment(project, &step->environment);
    plan_add_cache(step, "npm", "/var/cache/npm");
    if (!text_equal(recipe->cache, "npm")) {
        AUTO_FREE char *target = text_format("/var/cache/%s", recipe->cache);
        plan_add_cache(step, recipe->cache, target);
    }
}

/* ---- scripts ---- */

static const char begin[] = "mkdir -p /opt/build/home\n";
/* Yarn 2 and later have a variable of their own for what the others share. */
static const char take_registry[] =
    "[ -z \"$npm_config_registry\" ] || export YARN_NPM_REGISTRY_SERVER=\"$npm_config_registry\"\n";
static const char finish[] = "rm -rf /opt/build\n";

/* The secret "npmrc" is npm's settings; a secret named in capitals is a variable, as .npmrc names it: ${NPM_TOKEN}. */
static const char take_secrets[] = "[ ! -e /run/secrets/npmrc ] || ln -s /run/secrets/npmrc \"$HOME/.npmrc\"\n"
                                   "for secret in /run/secrets/*; do\n"
                                   "  name=${secret##*/}\n"
                                   "  case $name in *[!A-Z0-9_]*|[0-9]*) ;;\n"
                                   "    *) export \"$name=$(cat \"$secret\")\" ;;\n"
                                   "  esac\n"
                                   "done\n";

/* The manager itself, in a place that is dropped again. A hash is that of the package or, for yarn, of the program. */
static void append_tool(const struct node_project *project, struct buffer *script) {
    const struct recipe *recipe = &recipes[project->manager];
    const char *package = recipe->package ? recipe->package : "npm", *hash = project->manager_hash;
    if (!recipe->package && !project->manager_version)
        return;
    buffer_append_format(script, "tool='%s@%s'\n", package, project->manager_version);
    if (hash) {
        int kind = (int)strcspn(hash, ".");
        buffer_append_format(script,
                             "(cd /opt/build && npm pack --silent \"$tool\" > /dev/null && mv ./*.tgz tool.tgz && "
                             "tar xzf tool.tgz)\n"
                             "%.*ssum /opt/build/tool.tgz /opt/build/package/%s 2> /dev/null | grep -q '^%s ' ||\n"
                             "  { echo \"$tool is not what \\\"packageManager\\\" of package.json says\" >&2; exit 1; "
                             "}\n"
                             "tool=/opt/build/tool.tgz\n",
                             kind, hash, recipe->program ? recipe->program : "package.json", hash + kind + 1);
    }
    buffer_append_text(script, "(cd / && npm install --silent --global --prefix /opt/build/tool \"$tool\")\n"
                               "export PATH=/opt/build/tool/bin:$PATH\n");
}

/* npm 10 does not take every lock file that npm 11 writes, and no lock file says which npm wrote it. */
static void append_npm(const struct node_project *project, const char *command, struct buffer *script) {
    const struct node_npm *newer = node_npm_of(NODE_NEWEST);
    if (!project->lock || project->manager_version) {
        buffer_append_format(script, "%s\n", command);
        return;
    }
    buffer_append_format(script,
                         "%s || {\n"
                         "  case $(npm --version) in [1-9].*|10.*) ;; *) exit 1 ;; esac\n"
                         "  echo \"once more, with npm %s\"\n"
                         "  (cd / && npm install --silent --global --prefix /opt/build/tool npm@%s)\n"
                         "  PATH=/opt/build/tool/bin:$PATH %s\n"
                         "}\n",
                         command, newer->version, newer->version, command);
}

static void set_command(struct plan_step *step, struct buffer *script) {
    text_list_add(&step->argv, "/bin/sh");
    text_list_add(&step->argv, "-ec");
    text_list_take(&step->argv, buffer_take(script));
}

/* ---- installing ---- */

static char *describe_files(const struct node_project *project) {
    if (project->needs_all_files)
        return text_copy("source");
    return project->lock ? text_format("package.json, %s", project->lock) : text_copy("package.json");
}

static char *advise(const struct node_project *project) {
    const char *name = node_manager_name(project->manager);
    if (project->lock)
        return text_format("when %s does not match package.json: run %s install and commit it; a package that has to "
                           "be compiled needs a base with a compiler: --base node:22",
                           project->lock, name);
    return text_format("correct package.json; %s install on this machine shows the same", name);
}

static void list_all_files(const struct node_project *project, struct text_list *files) {
    const struct tree *tree = project->source->tree;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->entries[i].type != 'd')
            text_list_add(files, tree->entries[i].path);
}

void node_plan_install(struct node_project *project, bool only_production) {
    if (project->manager == NODE_NO_MANAGER)
        return;
    const struct recipe *recipe = &recipes[project->manager];
    AUTO_FREE char *name = text_format("install %sdependencies (%s)", only_production ? "production " : "",
                                       project->lock ? project->lock : "package.json");
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    step->directory = text_copy(MANIFESTS);
    step->sees_secrets = true;
    step->input_name = describe_files(project);
    step->advice = advise(project);
    if (project->needs_all_files)
        list_all_files(project, &step->files);
    else
        text_list_add_all(&step->files, &project->files);
    text_list_sort(&step->files);
    set_environment(project, step);
    struct buffer script = BUFFER(1 << 16);
    buffer_append_text(&script, begin);
    buffer_append_text(&script, take_secrets);
    if (project->manager == NODE_YARN)
        buffer_append_text(&script, take_registry);
    append_tool(project, &script);
    buffer_append_text(&script, "mkdir -p /app\ncp -R " MANIFESTS "/. /app/\ncd /app\n");
    const char *command = only_production ? project->lock ? recipe->locked_production : recipe->unlocked_production
                          : project->lock ? recipe->locked
                                          : recipe->unlocked;
    if (project->manager == NODE_NPM)
        append_npm(project, command, &script);
    else
        buffer_append_format(&script, "%s\n", command);
    if (only_production)
        buffer_append_text(&script, recipe->clean);
    buffer_append_text(&script, finish);
    set_command(step, &script);
}

/* ---- building ---- */

static void append_members(const struct node_project *project, struct buffer *script) {
    for (size_t i = 0; i < project->members.count; i++)
        buffer_append_format(script, "(cd '/app/%s' && %s run build)\n", project->members.items[i],
                             node_manager_name(project->manager));
}

void node_plan_build(struct node_project *project) {
    AUTO_FREE char *name = project->script
                               ? text_format("build (%s run %s)", node_manager_name(project->manager), project->script)
                               : text_copy("build");
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    step->advice = text_format("correct the source; %s run %s on this machine shows the same",
                               node_manager_name(project->manager), project->script ? project->script : "build");
    step->directory = node_directory(project);
    set_environment(project, step);
    add_all(&step->environment, build_environment, ARRAY_LENGTH(build_environment));
    if (project->source->environment)
        text_list_add_all(&step->environment, project->source->environment);
    if (project->cache) {
        AUTO_FREE char *target = path_join(step->directory, project->cache);
        plan_add_cache(step, project->cache_name, target);
    }
    struct buffer script = BUFFER(1 << 16);
    buffer_append_text(&script, begin);
    append_tool(project, &script);
    append_members(project, &script);
    if (project->script)
        buffer_append_format(&script, "%s run %s%s\"$@\"\n", node_manager_name(project->manager), project->script,
                             project->manager == NODE_NPM && project->arguments.count ? " -- " : " ");
    else
        buffer_append_text(&script, "PATH=$PWD/node_modules/.bin:/app/node_modules/.bin:$PATH \"$@\"\n");
    buffer_append_text(&script, finish);
    set_command(step, &script);
    text_list_add(&step->argv, "sh");
    text_list_add_all(&step->argv, &project->arguments);
}

/* ---- for tests ---- */

#define TOOLS "/opt/pl"

void node_plan_members(struct node_project *project) {
    if (project->members.count == 0)
        return;
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, "build the members that it depends on");
    struct buffer script = BUFFER(1 << 16);
    step->directory = node_directory(project);
    set_environment(project, step);
    add_all(&step->environment, build_environment, ARRAY_LENGTH(build_environment));
    buffer_append_text(&script, begin);
    append_tool(project, &script);
    append_members(project, &script);
    buffer_append_text(&script, finish);
    set_command(step, &script);
}

static void plan_manager(struct node_project *project) {
    AUTO_FREE char *name = text_format("install %s", node_manager_name(project->manager));
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    struct buffer script = BUFFER(1 << 16);
    set_environment(project, step);
    buffer_append_text(&script, begin);
    append_tool(project, &script);
    buffer_append_text(&script, "mkdir -p " TOOLS "\nmv /opt/build/tool " TOOLS "/manager\n");
    buffer_append_text(&script, finish);
    set_command(step, &script);
}

void node_plan_tools(struct node_project *project, const char *package, const char *folder) {
    if (recipes[project->manager].package)
        plan_manager(project);
    if (!package)
        return;
    AUTO_FREE char *name = text_format("install %s", package);
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    struct buffer script = BUFFER(1 << 16);
    set_environment(project, step);
    buffer_append_text(&script, begin);
    buffer_append_format(&script, "npm install --silent --prefix %s %s\n", folder, package);
    buffer_append_text(&script, finish);
    set_command(step, &script);
}

/* A browser's own sandbox is not for root, and the container is one. */
static const char install_browser[] =
    "find() { command -v chromium || command -v chromium-browser || command -v google-chrome; }\n"
    "if ! find > /dev/null; then\n"
    "    command -v apt-get > /dev/null || { echo 'no apt-get here: give a base with a browser (--base)' >&2; exit 1; "
    "}\n"
    "    apt-get -o APT::Sandbox::User=root update -qq\n"
    "    DEBIAN_FRONTEND=noninteractive apt-get -o APT::Sandbox::User=root install -y -qq --no-install-recommends "
    "chromium\n"
    "    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin\n"
    "fi\n"
    "mkdir -p " TOOLS "\n"
    "printf '#!/bin/sh\\nexec %s --no-sandbox --disable-dev-shm-usage \"$@\"\\n' \"$(find)\" > " NODE_BROWSER "\n"
    "chmod 755 " NODE_BROWSER "\n";

void node_plan_browser(struct node_project *project) {
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, "install a browser (chromium)");
    struct buffer script = BUFFER(1 << 16);
    plan_add_cache(step, "apt", "/var/cache/apt");
    buffer_append_text(&script, install_browser);
    set_command(step, &script);
}

void node_add_test_environment(const struct node_project *project, struct text_list *environment) {
    struct text_list all = {0};
    add_environment(project, &all);
    add_all(&all, build_environment, ARRAY_LENGTH(build_environment));
    for (size_t i = 0; i < all.count; i++)
        if (!text_starts_with(all.items[i], "HOME=") && !text_starts_with(all.items[i], "TMPDIR="))
            text_list_add(environment, all.items[i]);
    text_list_release(&all);
    text_list_add(environment, "HOME=/tmp");
}

void node_plan_test_path(struct node_project *project) {
    struct json *config = json_new_object(), *environment = json_new_array();
    AUTO_FREE char *directory = node_directory(project);
    AUTO_FREE char *path =
        text_format("PATH=" TOOLS "/manager/bin:%s/node_modules/.bin:/app/node_modules/.bin:${PATH}", directory);
    json_append_text(environment, path);
    json_set(config, "Env", environment);
    json_set(config, "Labels", json_new_object());
    plan_add_step(project->plan, PLAN_CONFIG, "configure")->config = config;
}
