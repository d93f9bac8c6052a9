/* engine/stacks for Node: versions, package managers, frameworks, servers, static files. */
#include "engine/stacks/jsonc.h"
#include "engine/stacks/node.h"
#include "tests/unit/stack_fixture.h"

#define PACKAGE(scripts, more)                                                                                         \
    { "package.json", "{\"name\":\"shop\",\"version\":\"1.2.3\",\"scripts\":{" scripts "}" more "}" }
#define LOCK                                                                                                           \
    { "package-lock.json", "{\"lockfileVersion\":3}" }
#define VITE_PACKAGE PACKAGE("\"build\":\"vite build\"", ",\"devDependencies\":{\"vite\":\"^8.0.0\"}")
#define ANGULAR_PACKAGE                                                                                                \
    PACKAGE("\"start\":\"ng serve\",\"build\":\"ng build\"", ",\"dependencies\":{\"@angular/core\":\"^21.0.0\"}")

static const struct stack_source NODE = {.kind = STACK_NODE};

static void node_plan_for(struct fixture *fixture, const struct file *files) {
    fixture_begin(fixture, files);
    if (detect_as(fixture, NODE) < 0)
        fail_msg("%s", fixture->error.text);
}

/* Where the site is looked for first; NULL: it is no site. */
static const char *site_of(const struct fixture *fixture) {
    const struct plan_step *take = step_of(fixture, PLAN_TAKE);
    return fixture->plan.is_site && take && take->places.count ? take->places.items[0] : NULL;
}

static const struct plan_step *step_named(const struct fixture *fixture, const char *name) {
    for (size_t i = 0; i < fixture->plan.step_count; i++)
        if (text_equal(fixture->plan.steps[i].name, name))
            return &fixture->plan.steps[i];
    fail_msg("no step %s", name);
    return NULL;
}

/* ---- versions ---- */

static void ranges_are_understood_as_npm_does(void **state) {
    (void)state;
    static const struct {
        const char *range;
        struct semver version;
        bool satisfied;
    } cases[] = {
        {"^20.19.0 || ^22.12.0 || >=24.0.0", {{22, 12, 0}}, true},
        {"^20.19.0 || ^22.12.0 || >=24.0.0", {{22, 11, 9}}, false},
        {"^20.19.0||^22.12.0||>=24.0.0", {{23, 0, 0}}, false},
        {"^20.19.0 || ^22.12.0 || >=24.0.0", {{25, 1, 0}}, true},
        {">=18", {{18, 0, 0}}, true},
        {">18", {{18, 9, 9}}, false},
        {">18", {{19, 0, 0}}, true},
        {">18.1", {{18, 1, 5}}, false},
        {"<=20", {{20, 99, 0}}, true},
        {"<20", {{19, 99, 0}}, true},
        {"<20", {{20, 0, 0}}, false},
        {"22", {{22, 5, 0}}, true},
        {"22.x", {{22, 5, 0}}, true},
        {"22.*", {{23, 0, 0}}, false},
        {"v22.5.0", {{22, 5, 0}}, true},
        {"=22.5.0", {{22, 5, 1}}, false},
        {"~22.1", {{22, 1, 7}}, true},
        {"~22.1.3", {{22, 2, 0}}, false},
        {"~22", {{22, 9, 0}}, true},
        {"^0.2.3", {{0, 2, 9}}, true},
        {"^0.2.3", {{0, 3, 0}}, false},
        {"^0.0.3", {{0, 0, 4}}, false},
        {"18 - 22", {{22, 9, 9}}, true},
        {"18.1.0 - 22.1.0", {{22, 1, 1}}, false},
        {">= 18.0.0 < 23", {{22, 1, 1}}, true},
        {">= 18.0.0 < 23", {{23, 0, 0}}, false},
        {">=18.0.0 <19.0.0 || >=20", {{19, 5, 0}}, false},
        {"*", {{1, 0, 0}}, true},
        {"", {{1, 0, 0}}, true},
        {"x", {{1, 0, 0}}, true},
        {"^22.0.0-rc.1", {{22, 5, 0}}, true},
        {">=99999999999", {{22, 5, 0}}, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        bool understood = false;
        if (semver_satisfies(&cases[i].version, cases[i].range, &understood) != cases[i].satisfied || !understood)
            fail_msg("%s: %u.%u.%u", cases[i].range, cases[i].version.part[0], cases[i].version.part[1],
                     cases[i].version.part[2]);
    }
    static const char *const wrong[] = {"latest", "lts/*", "22 || whatever", ">=", "1.2.3.4", "^a"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        bool understood = true;
        (void)semver_satisfies(&(struct semver){{22, 0, 0}}, wrong[i], &understood);
        if (understood)
            fail_msg("understood: %s", wrong[i]);
    }
}

static void the_version_asked_for_chooses_the_base(void **state) {
    (void)state;
    static const struct {
        const char *engines, *file, *content, *base, *fallback;
    } cases[] = {
        {NULL, NULL, NULL, "node:22-slim", "apt:bookworm?ca-certificates&node=22.23.3"},
        {">=18", NULL, NULL, "node:22-slim", "apt:bookworm?ca-certificates&node=22.23.3"},
        {"^24.15.0 || >=26", NULL, NULL, "node:24-slim", "apt:bookworm?ca-certificates&node=24.21.0"},
        {"20.x", NULL, NULL, "node:20-slim", "apt:bookworm?ca-certificates&node=20.20.2"},
        {"22.12.0", NULL, NULL, "node:22.12.0-slim", "apt:bookworm?ca-certificates&node=22.12.0"},
        {"~20.11.1", NULL, NULL, "node:20.11.1-slim", "apt:bookworm?ca-certificates&node=20.11.1"},
        {NULL, ".nvmrc", "v24.1.0\n", "node:24.1.0-slim", "apt:bookworm?ca-certificates&node=24.1.0"},
        {NULL, ".nvmrc", "# the long one\nlts/jod\n", "node:22-slim", "apt:bookworm?ca-certificates&node=22.23.3"},
        {NULL, ".nvmrc", "24\r\n", "node:24-slim", "apt:bookworm?ca-certificates&node=24.21.0"},
        {NULL, ".node-version", "20.20", "node:20-slim", "apt:bookworm?ca-certificates&node=20.20.2"},
        {NULL, ".tool-versions", "python 3.12\nnodejs 26.1.0\n", "node:26.1.0-slim",
         "apt:bookworm?ca-certificates&node=26.1.0"},
        {">=22", ".nvmrc", "24", "node:24-slim", "apt:bookworm?ca-certificates&node=24.21.0"},
        {"^22.0.0", ".nvmrc", "24", "node:22-slim", "apt:bookworm?ca-certificates&node=22.23.3"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        AUTO_FREE char *package =
            text_format("{\"scripts\":{\"build\":\"vite build\"},\"devDependencies\":{\"vite\":\"8\"}%s%s%s}",
                        cases[i].engines ? ",\"engines\":{\"node\":\"" : "", cases[i].engines ? cases[i].engines : "",
                        cases[i].engines ? "\"}" : "");
        fixture_begin(&it, FILES({"package.json", package}));
        if (cases[i].file)
            write_file(&it, cases[i].file, cases[i].content);
        if (detect_as(&it, NODE) < 0)
            fail_msg("case %zu: %s", i, it.error.text);
        if (!text_equal(it.plan.base, cases[i].base) || !text_equal(it.plan.fallback_base, cases[i].fallback))
            fail_msg("case %zu: %s, %s", i, it.plan.base, it.plan.fallback_base);
        fixture_end(&it);
    }
}

static void versions_that_do_not_exist_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"banana", "lts/unknown", "<12"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct fixture it;
        fixture_begin(&it, FILES(VITE_PACKAGE, LOCK, {".nvmrc", wrong[i]}));
        assert_int_equal(detect_as(&it, NODE), -1);
        assert_int_equal(it.error.kind, ERROR_DATA);
        assert_non_null(strstr(it.error.text, wrong[i]));
        fixture_end(&it);
    }
}

/* ---- package managers ---- */

static void each_package_manager_is_told_by_its_files(void **state) {
    (void)state;
    static const struct {
        const char *declared;
        struct file lock;
        const char *command, *tool, *note;
    } cases[] = {
        {"", {"package-lock.json", "{}"}, "npm ci ||", NULL, "found package-lock.json: npm"},
        {"", {"npm-shrinkwrap.json", "{}"}, "npm ci ||", NULL, "found npm-shrinkwrap.json: npm"},
        {"", {"README.md", ""}, "npm install --no-package-lock\n", NULL, "no lock file"},
        {"npm@11.6.2", {"package-lock.json", "{}"}, "npm ci\n", "npm@11.6.2", "npm 11.6.2"},
        {"", {"pnpm-lock.yaml", "lockfileVersion: '9.0'\n"}, "pnpm install --frozen-lockfile\n", "pnpm@10.34.9", NULL},
        {"", {"pnpm-lock.yaml", "lockfileVersion: '6.0'\n"}, "pnpm install --frozen-lockfile\n", "pnpm@8.15.9", NULL},
        {"", {"pnpm-lock.yaml", "lockfileVersion: 5.4\n"}, "pnpm install --frozen-lockfile\n", "pnpm@7.33.7", NULL},
        {"pnpm@9.15.0", {"pnpm-lock.yaml", "lockfileVersion: '9.0'\n"}, "--frozen-lockfile\n", "pnpm@9.15.0", NULL},
        {"", {"yarn.lock", "# yarn lockfile v1\n"}, "yarn install --frozen-lockfile\n", "yarn@1.22.22", NULL},
        {"",
         {"yarn.lock", "# x\n\n__metadata:\n  version: 8\n"},
         "yarn install --immutable\n",
         "cli-dist@4.18.1",
         NULL},
        {"", {"yarn.lock", "__metadata:\n  version: 6\n"}, "yarn install --immutable\n", "cli-dist@3.8.6", NULL},
        {"yarn@1.22.19", {"yarn.lock", ""}, "yarn install --frozen-lockfile\n", "yarn@1.22.19", NULL},
        {"yarn@4.5.0", {"yarn.lock", ""}, "yarn install --immutable\n", "cli-dist@4.5.0", NULL},
        {"", {"bun.lock", "{}"}, "bun install --frozen-lockfile\n", "bun@", NULL},
        {"", {"bun.lockb", "x"}, "bun install --frozen-lockfile\n", "bun@", NULL},
        {"bun@1.2.0",
         {"package-lock.json", "{}"},
         "bun install --no-save\n",
         "bun@1.2.0",
         "found package-lock.json too"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        AUTO_FREE char *package = text_format("{\"packageManager\":\"%s\",\"scripts\":{\"build\":\"vite build\"},"
                                              "\"devDependencies\":{\"vite\":\"8\"}}",
                                              cases[i].declared);
        node_plan_for(&it, FILES({"package.json", package}, cases[i].lock));
        const char *script = script_of(&it);
        if (!strstr(script, cases[i].command) || (cases[i].tool && !strstr(script, cases[i].tool)) ||
            (!cases[i].tool && strstr(script, "tool=")) || (cases[i].note && !has_note(&it, cases[i].note)))
            fail_msg("case %zu: %s", i, script);
        fixture_end(&it);
    }
}

static void a_hash_of_the_manager_is_checked(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it, FILES({"package.json", "{\"packageManager\":\"pnpm@9.15.0+sha512.0af3\",\"scripts\":{\"build\":"
                                              "\"vite build\"},\"devDependencies\":{\"vite\":\"8\"}}"},
                             {"pnpm-lock.yaml", "lockfileVersion: '9.0'\n"}));
    assert_non_null(strstr(script_of(&it), "sha512sum"));
    assert_non_null(strstr(script_of(&it), "'^0af3 '"));
    fixture_end(&it);
    static const char *const wrong[] = {"cargo@1.0.0", "pnpm", "pnpm@9;reboot", "pnpm@", "npm@$(reboot)"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        AUTO_FREE char *package = text_format("{\"packageManager\":\"%s\",\"scripts\":{\"build\":\"x\"}}", wrong[i]);
        fixture_begin(&it, FILES({"package.json", package}));
        assert_int_equal(detect_as(&it, NODE), -1);
        assert_non_null(strstr(it.error.text, wrong[i]));
        fixture_end(&it);
    }
}

static void the_install_step_sees_only_what_declares_dependencies(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it, FILES({"package.json", "{\"workspaces\":[\"packages/*\"],\"scripts\":{\"build\":\"vite build\"},"
                                              "\"dependencies\":{\"lib\":\"file:./lib\"},"
                                              "\"devDependencies\":{\"vite\":\"8\"}}"},
                             LOCK, {".npmrc", "x=1"}, {"patches/a.patch", ""}, {"lib/package.json", "{}"},
                             {"lib/index.js", ""}, {"packages/a/package.json", "{}"}, {"packages/a/a.js", ""},
                             {"src/main.js", ""}, {"index.html", ""}));
    const struct plan_step *install = step_of(&it, PLAN_EXEC);
    static const char *const seen[] = {".npmrc",           "lib/index.js",
                                       "lib/package.json", "package-lock.json",
                                       "package.json",     "packages/a/package.json",
                                       "patches/a.patch"};
    assert_int_equal(install->files.count, ARRAY_LENGTH(seen));
    for (size_t i = 0; i < ARRAY_LENGTH(seen); i++)
        assert_string_equal(install->files.items[i], seen[i]);
    assert_true(install->sees_secrets);
    assert_false(step_named(&it, "build (npm run build)")->sees_secrets);
    fixture_end(&it);
}

static void scripts_of_the_source_make_the_install_step_see_it(void **state) {
    (void)state;
    static const struct {
        const char *script;
        bool sees_all;
    } cases[] = {{"husky", false},
                 {"husky install || true", false},
                 {"patch-package", false},
                 {"npx only-allow pnpm", false},
                 {"node scripts/setup.js", true},
                 {"husky && node scripts/setup.js", true},
                 {"prisma generate", true}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        AUTO_FREE char *package = text_format(
            "{\"scripts\":{\"prepare\":\"%s\",\"build\":\"vite build\"},\"devDependencies\":{\"vite\":\"8\"}}",
            cases[i].script);
        node_plan_for(&it, FILES({"package.json", package}, LOCK, {"src/main.js", ""}));
        if (text_list_contains(&step_of(&it, PLAN_EXEC)->files, "src/main.js") != cases[i].sees_all)
            fail_msg("%s", cases[i].script);
        fixture_end(&it);
    }
}

/* ---- Angular ---- */

#define PROJECT(builder, options) "{\"architect\":{\"build\":{\"builder\":\"" builder "\",\"options\":{" options "}}}}"
#define WORKSPACE(project) "{\"projects\":{\"shop\":" project "}}"

static void angular_says_where_the_site_is(void **state) {
    (void)state;
    static const struct {
        const char *workspace, *site;
    } cases[] = {
        {WORKSPACE(PROJECT("@angular/build:application", "")), "dist/shop/browser"},
        {WORKSPACE(PROJECT("@angular/build:application", "\"outputPath\":\"dist/x\"")), "dist/x/browser"},
        {WORKSPACE(PROJECT("@angular/build:application", "\"outputPath\":{\"base\":\"dist/x\"}")), "dist/x/browser"},
        {WORKSPACE(PROJECT("@angular/build:application", "\"outputPath\":{\"base\":\"dist/x\",\"browser\":\"\"}")),
         "dist/x"},
        {WORKSPACE(PROJECT("@angular/build:application", "\"outputPath\":{\"base\":\"./www/\",\"browser\":\"site\"}")),
         "www/site"},
        {WORKSPACE(PROJECT("@angular-devkit/build-angular:application", "\"outputPath\":\"dist/x\"")),
         "dist/x/browser"},
        {WORKSPACE(PROJECT("@angular-devkit/build-angular:browser", "\"outputPath\":\"dist/x\"")), "dist/x"},
        {WORKSPACE(PROJECT("@angular-devkit/build-angular:browser-esbuild", "\"outputPath\":\"dist\"")), "dist"},
        {WORKSPACE(PROJECT("@angular-builders/custom-esbuild:application", "\"outputPath\":\"dist/x\"")),
         "dist/x/browser"},
        {WORKSPACE(PROJECT("@angular-builders/custom-webpack:browser", "\"outputPath\":\"dist/x\"")), "dist/x"},
        {"// of the team\n{\"projects\":{\"shop\":" PROJECT("@angular/build:application",
                                                            "\"outputPath\":\"d\",") ",}}",
         "d/browser"},
        {"{\"projects\":{\"lib\":{\"projectType\":\"library\",\"architect\":{\"build\":{\"builder\":\"x:ng-packagr\"}}}"
         ","
         "\"web\":" PROJECT("@angular/build:application", "") "}}",
         "dist/web/browser"},
        {"{\"defaultProject\":\"b\",\"projects\":{\"a\":" PROJECT("x:application",
                                                                  "") ",\"b\":" PROJECT("x:application", "") "}}",
         "dist/b/browser"},
        {"{\"projects\":{\"a\":" PROJECT("x:application", "") ",\"shop\":" PROJECT("x:application", "") "}}",
         "dist/shop/browser"},
        {"{\"projects\":{\"shop\":{\"targets\":{\"build\":{\"executor\":\"@nx/angular:browser-esbuild\",\"options\":{"
         "\"outputPath\":\"dist/apps/shop\"}}}}}}",
         "dist/apps/shop"},
        {"{\"projects\":{\"shop\":{\"architect\":{\"build\":{\"builder\":\"x:application\",\"options\":{\"outputPath\":"
         "\"dist/a\"},\"configurations\":{\"production\":{\"outputPath\":\"dist/b\"}},\"defaultConfiguration\":"
         "\"production\"}}}}}",
         "dist/b/browser"},
        {WORKSPACE(PROJECT("x:application", "\"ssr\":true,\"outputMode\":\"static\"")), "dist/shop/browser"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        node_plan_for(&it, FILES(ANGULAR_PACKAGE, LOCK, {"angular.json", cases[i].workspace}));
        if (!text_equal(site_of(&it), cases[i].site))
            fail_msg("case %zu: %s", i, site_of(&it));
        assert_true(step_of(&it, PLAN_TAKE)->is_certain);
        fixture_end(&it);
    }
}

static void angular_builds_the_configuration_and_project_asked_for(void **state) {
    (void)state;
    static const char workspace[] =
        "{\"projects\":{\"a\":{\"architect\":{\"build\":{\"builder\":\"x:application\",\"configurations\":{"
        "\"staging\":{\"outputPath\":\"dist/staging\"}}}}},\"b\":" PROJECT("x:application", "") "}}";
    struct fixture it;
    fixture_begin(&it, FILES(ANGULAR_PACKAGE, LOCK, {"angular.json", workspace}));
    struct stack_source source = {.kind = STACK_NODE, .project = "a", .configuration = "staging"};
    assert_int_equal(detect_as(&it, source), 0);
    assert_string_equal(site_of(&it), "dist/staging/browser");
    const struct plan_step *build = step_named(&it, "build (npm run build)");
    static const char *const words[] = {"sh", "a", "--configuration", "staging"};
    assert_int_equal(build->argv.count, 3 + ARRAY_LENGTH(words));
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        assert_string_equal(build->argv.items[3 + i], words[i]);
    assert_non_null(strstr(build->argv.items[2], "npm run build -- \"$@\""));
    assert_string_equal(build->caches[1].target, "/app/.angular/cache");
    fixture_end(&it);

    fixture_begin(&it, FILES(ANGULAR_PACKAGE, LOCK, {"angular.json", workspace}));
    source.configuration = "nonsense";
    assert_int_equal(detect_as(&it, source), -1);
    assert_non_null(strstr(it.error.text, "no configuration nonsense"));
    assert_string_equal(it.error.next, "it has: staging");
    fixture_end(&it);
}

static void the_script_of_angular_has_a_say(void **state) {
    (void)state;
    static const char workspace[] =
        "{\"projects\":{\"a\":" PROJECT("x:application", "") ",\"b\":" PROJECT("x:application", "") "}}";
    static const struct {
        const char *script, *site;
        size_t words;
    } cases[] = {{"ng build b", "dist/b/browser", 0},
                 {"npm run lint && ng build a --configuration production && echo done", "dist/a/browser", 0},
                 {"ng build b --output-path=dist/c", "dist/c/browser", 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        AUTO_FREE char *package = text_format(
            "{\"scripts\":{\"build\":\"%s\"},\"dependencies\":{\"@angular/core\":\"21\"}}", cases[i].script);
        node_plan_for(&it, FILES({"package.json", package}, LOCK, {"angular.json", workspace}));
        assert_string_equal(site_of(&it), cases[i].site);
        assert_int_equal(step_named(&it, "build (npm run build)")->argv.count, 4);
        fixture_end(&it);
    }
}

static void what_angular_leaves_open_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *workspace, *text, *next;
    } cases[] = {
        {"{\"projects\":{\"a\":" PROJECT("x:application", "") ",\"b\":" PROJECT("x:application", "") "}}",
         "2 applications and no default: a, b", "--project a"},
        {WORKSPACE(PROJECT("x:application", "\"outputPath\":\"../public\"")), "outside of the project: ../public",
         "dist/shop"},
        {WORKSPACE(PROJECT("x:application", "\"outputPath\":\"/var/www\"")), "outside of the project: /var/www",
         "dist"},
        {WORKSPACE(PROJECT("x:application", "\"outputPath\":{\"base\":\"dist\",\"browser\":\"../../x\"}")),
         "outside of the project", "dist"},
        {"{\"projects\":{}}", "no application", ""},
        {"{\"projects\":", "angular.json", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        fixture_begin(&it, FILES(ANGULAR_PACKAGE, LOCK, {"angular.json", cases[i].workspace}));
        assert_int_equal(detect_as(&it, NODE), -1);
        assert_int_equal(it.error.kind, ERROR_DATA);
        if (!strstr(it.error.text, cases[i].text) || !strstr(it.error.next, cases[i].next))
            fail_msg("case %zu: %s; %s", i, it.error.text, it.error.next);
        fixture_end(&it);
    }
}

/* ---- other frameworks ---- */

static void each_framework_says_where_the_site_is(void **state) {
    (void)state;
    static const struct {
        const char *package;
        struct file configuration;
        const char *site;
        bool is_certain;
    } cases[] = {
        {"vite", {"index.html", ""}, "dist", true},
        {"vite", {"vite.config.ts", "export default defineConfig({ build: { outDir: 'build' } })"}, "build", true},
        {"vite", {"vite.config.js", "export default { root: 'src', build: { outDir: '../out' } }"}, "out", true},
        {"vite", {"vite.config.js", "export default { root: './web' }"}, "web/dist", true},
        {"vite", {"vite.config.mts", "// outDir: 'x'\nexport default { build: { \"outDir\": \"./y/\" } }"}, "y", true},
        {"vite", {"vite.config.ts", "export default { build: { outDir: path.resolve(__dirname, 'z') } }"}, "z", true},
        {"vite", {"vite.config.ts", "export default { build: { outDir: process.env.OUT } }"}, "dist", false},
        {"vite", {"vite.config.ts", "export default { build: { outDir: `dist-${mode}` } }"}, "dist", false},
        {"vite", {"vite.config.ts", "export default { build: { outDir } }"}, "dist", false},
        {"vite", {"vite.config.ts", "export default { build: { outDir: 'a' + b } }"}, "dist", false},
        {"react-scripts", {"public/index.html", ""}, "build", true},
        {"next", {"next.config.mjs", "export default { output: 'export' }"}, "out", true},
        {"next", {"next.config.ts", "const c: NextConfig = { output: \"export\", distDir: 'site' }"}, "site", true},
        {"astro", {"astro.config.mjs", "export default defineConfig({})"}, "dist", true},
        {"astro",
         {"astro.config.mjs", "export default defineConfig({ outDir: './public_html' })"},
         "public_html",
         true},
        {"@vue/cli-service", {"vue.config.js", "module.exports = { outputDir: 'www' }"}, "www", true},
        {"@sveltejs/kit\":\"2\",\"@sveltejs/adapter-static",
         {"svelte.config.js", "adapter({ pages: 'site' })"},
         "site",
         true},
        {"left-pad", {"x", ""}, "dist", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        bool brings_vite = !text_equal(cases[i].package, "left-pad") && !text_equal(cases[i].package, "vite");
        AUTO_FREE char *package = text_format(
            "{\"scripts\":{\"start\":\"vite\",\"build\":\"build it\"},\"devDependencies\":{\"%s\":\"1\"%s}}",
            cases[i].package, brings_vite ? ",\"vite\":\"8\"" : "");
        node_plan_for(&it, FILES({"package.json", package}, LOCK, cases[i].configuration));
        if (!text_equal(site_of(&it), cases[i].site) || step_of(&it, PLAN_TAKE)->is_certain != cases[i].is_certain)
            fail_msg("case %zu: %s", i, site_of(&it));
        fixture_end(&it);
    }
}

static void outputs_outside_of_the_project_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"../dist", "/var/www", ".", "a/../..", "a/.."};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct fixture it;
        AUTO_FREE char *text = text_format("export default { build: { outDir: '%s' } }", wrong[i]);
        fixture_begin(&it, FILES(VITE_PACKAGE, LOCK, {"vite.config.js", text}));
        assert_int_equal(detect_as(&it, NODE), -1);
        assert_non_null(strstr(it.error.text, "outside of the project"));
        fixture_end(&it);
        AUTO_FREE char *settings = text_format("{\"build\":{\"output\":\"%s\"}}", wrong[i]);
        fixture_begin(&it, FILES(VITE_PACKAGE, LOCK, {"pl.json", settings}));
        assert_int_equal(detect_as(&it, NODE), -1);
        fixture_end(&it);
    }
}

static void yesterdays_site_is_not_copied(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it, FILES(VITE_PACKAGE, LOCK, {"dist/index.html", "old"}, {"src/main.js", ""}, {"index.html", ""},
                             {"coverage/x", ""}));
    const struct plan_step *copy = step_of(&it, PLAN_COPY);
    assert_false(text_list_contains(&copy->files, "dist/index.html"));
    assert_false(text_list_contains(&copy->files, "coverage/x"));
    assert_true(text_list_contains(&copy->files, "src/main.js"));
    assert_true(text_list_contains(&copy->files, "index.html"));
    fixture_end(&it);
}

static void firebase_json_is_compared(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it, FILES(VITE_PACKAGE, LOCK, {"firebase.json", "{\"hosting\":{\"public\":\"dist/\"}}"}));
    assert_true(has_note(&it, "firebase.json serves the same directory"));
    fixture_end(&it);
    node_plan_for(&it, FILES(VITE_PACKAGE, LOCK, {"firebase.json", "{\"hosting\":{\"public\":\"public\"}}"}));
    assert_true(has_note(&it, "firebase.json serves public, but the build writes to dist"));
    fixture_end(&it);
}

static void pl_json_decides_over_everything(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it, FILES(PACKAGE("\"build\":\"vite build\",\"build:prod\":\"x\"",
                                     ",\"devDependencies\":{\"vite\":\"8\"},\"engines\":{\"node\":\"20\"}"),
                             LOCK,
                             {"pl.json", "{\"build\":{\"stack\":\"node\",\"node\":\"24\",\"script\":"
                                         "\"build:prod\",\"output\":\"a/b\"}}"}));
    assert_string_equal(it.plan.base, "node:24-slim");
    assert_string_equal(site_of(&it), "a/b");
    assert_non_null(strstr(step_named(&it, "build (npm run build:prod)")->argv.items[2], "npm run build:prod"));
    fixture_end(&it);
    static const char *const wrong[] = {"{\"build\":{\"script\":\"nope\"}}", "{\"build\":{\"script\":\"a;b\"}}",
                                        "{\"build\":{\"output\":7}}", "{\"build\":{\"start\":7}}"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        fixture_begin(&it, FILES(VITE_PACKAGE, LOCK, {"pl.json", wrong[i]}));
        assert_int_equal(detect_as(&it, NODE), -1);
        assert_non_null(strstr(it.error.text, "pl.json"));
        fixture_end(&it);
    }
}

/* ---- servers ---- */

static void what_serves_itself_is_a_container(void **state) {
    (void)state;
    static const struct {
        struct file files[4];
        const char *command;
        bool has_stages;
    } cases[] = {
        {{PACKAGE("\"start\":\"node server.js\"", "")}, "node server.js", false},
        {{PACKAGE("\"start\":\"node dist/main.js\",\"build\":\"tsc\"", "")}, "node dist/main.js", true},
        {{PACKAGE("\"start\":\"node s.js\",\"prestart\":\"x\"", "")}, "npm start", false},
        {{PACKAGE("", ",\"main\":\"./lib/it.js\""), {"lib/it.js", ""}}, "it.js", false},
        {{PACKAGE("", ""), {"server.js", ""}}, "server.js", false},
        {{PACKAGE("\"start\":\"next start\",\"build\":\"next build\"", ",\"dependencies\":{\"next\":\"16\"}")},
         "next start",
         true},
        {{PACKAGE("\"start\":\"node server.js\",\"build\":\"vite build\"", ",\"devDependencies\":{\"vite\":\"8\"}")},
         "node server.js",
         true},
        {{PACKAGE("\"start\":\"vite\",\"build\":\"x\"", ""), {"Procfile", "web: node z.js\n"}}, "node z.js", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        fixture_begin(&it, cases[i].files);
        write_file(&it, "package-lock.json", "{}");
        if (detect_as(&it, NODE) < 0)
            fail_msg("case %zu: %s", i, it.error.text);
        assert_false(it.plan.is_site);
        if (!text_ends_with(command_of(&it), cases[i].command) ||
            (step_of(&it, PLAN_RESTART) != NULL) != cases[i].has_stages)
            fail_msg("case %zu: %s", i, command_of(&it));
        assert_true(has_environment(&it, "NODE_ENV=production"));
        assert_true(has_environment(&it, "PORT=8080"));
        fixture_end(&it);
    }
}

static void a_server_keeps_what_production_needs(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it, FILES(PACKAGE("\"start\":\"node dist/main.js\",\"build\":\"tsc\"", ""), LOCK));
    static const enum plan_step_type types[] = {PLAN_EXEC,    PLAN_COPY, PLAN_EXEC, PLAN_TAKE,
                                                PLAN_RESTART, PLAN_EXEC, PLAN_COPY, PLAN_CONFIG};
    assert_int_equal(it.plan.step_count, ARRAY_LENGTH(types));
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        assert_int_equal(it.plan.steps[i].type, types[i]);
    assert_non_null(strstr(it.plan.steps[0].argv.items[2], "npm ci ||"));
    assert_non_null(strstr(it.plan.steps[5].argv.items[2], "npm ci --omit=dev ||"));
    assert_true(text_list_contains(&it.plan.steps[3].except, "node_modules"));
    assert_true(it.plan.steps[6].copies_taken);
    fixture_end(&it);
    node_plan_for(&it, FILES(PACKAGE("\"start\":\"tsx main.ts\"", ",\"devDependencies\":{\"tsx\":\"4\"}"), LOCK));
    assert_non_null(strstr(script_of(&it), "npm ci ||"));
    assert_true(has_note(&it, "all of it is installed"));
    fixture_end(&it);
}

static void pages_rendered_on_a_server_make_a_container(void **state) {
    (void)state;
    struct fixture it;
    node_plan_for(&it,
                  FILES(ANGULAR_PACKAGE, LOCK,
                        {"angular.json", WORKSPACE(PROJECT("@angular/build:application",
                                                           "\"outputMode\":\"server\",\"ssr\":{\"entry\":\"x\"}"))}));
    assert_false(it.plan.is_site);
    assert_string_equal(command_of(&it), "dist/shop/server/server.mjs");
    fixture_end(&it);
    node_plan_for(
        &it,
        FILES(PACKAGE("\"build\":\"astro build\"", ",\"dependencies\":{\"astro\":\"7\",\"@astrojs/node\":\"9\"}"), LOCK,
              {"astro.config.mjs", "import node from '@astrojs/node'\nexport default {adapter: "
                                   "node({mode: 'standalone'})}"}));
    assert_string_equal(command_of(&it), "dist/server/entry.mjs");
    fixture_end(&it);
}

static void sveltekit_needs_an_adapter(void **state) {
    (void)state;
    struct fixture it;
    fixture_begin(&it, FILES(PACKAGE("\"build\":\"vite build\"",
                                     ",\"devDependencies\":{\"@sveltejs/kit\":\"2\",\"@sveltejs/adapter-auto\":\"7\"}"),
                             LOCK));
    assert_int_equal(detect_as(&it, NODE), -1);
    assert_non_null(strstr(it.error.next, "@sveltejs/adapter-static"));
    fixture_end(&it);
    node_plan_for(&it, FILES(PACKAGE("\"build\":\"vite build\"",
                                     ",\"devDependencies\":{\"@sveltejs/kit\":\"2\",\"@sveltejs/adapter-node\":\"5\"}"),
                             LOCK));
    assert_false(it.plan.is_site);
    fixture_end(&it);
}

static void nothing_to_build_and_nothing_to_serve_is_refused(void **state) {
    (void)state;
    struct fixture it;
    fixture_begin(&it, FILES(PACKAGE("", ""), LOCK));
    assert_int_equal(detect_as(&it, NODE), -1);
    assert_int_equal(it.error.kind, ERROR_DATA);
    assert_non_null(strstr(it.error.next, "\"start\""));
    fixture_end(&it);
}

/* ---- static files ---- */

static void files_are_a_site_as_they_are(void **state) {
    (void)state;
    static const struct {
        struct file files[7];
        const char *folder;
        size_t count;
    } cases[] = {
        {{{"index.html", ""},
          {"style.css", ""},
          {"pl.json", "{}"},
          {"firebase.json", "{}"},
          {".hidden", ""},
          {".well-known/x", ""}},
         "",
         3},
        {{{"public/index.html", ""}, {"public/a.js", ""}, {"README.md", ""}}, "public", 2},
        {{{"index.html", ""}, {"web/index.html", ""}, {"firebase.json", "{\"hosting\":{\"public\":\"web\"}}"}},
         "web",
         1},
        {{{"index.html", ""}, PACKAGE("\"lint\":\"x\"", ""), {"package-lock.json", "{}"}}, "", 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        node_plan_for(&it, cases[i].files);
        const struct plan_step *gather = step_of(&it, PLAN_GATHER);
        assert_non_null(gather);
        assert_true(it.plan.is_site);
        assert_null(it.plan.base);
        assert_string_equal(gather->directory, cases[i].folder);
        if (gather->files.count != cases[i].count)
            fail_msg("case %zu: %zu files", i, gather->files.count);
        fixture_end(&it);
    }
}

/* ---- reading ---- */

static void comments_and_trailing_commas_are_read(void **state) {
    (void)state;
    char text[] =
        "\xef\xbb\xbf{ // one\n\"a\": \"// no, /* no */ , ]\", /* two\n */ \"b\": [1, 2, ], \"c\": \"\\\"\", }\n";
    struct error error = {0};
    AUTO_JSON struct json *value = jsonc_parse(text, strlen(text), "x", &error);
    if (!value)
        fail_msg("%s", error.text);
    assert_string_equal(json_get_text(value, "a", ""), "// no, /* no */ , ]");
    assert_int_equal(json_count(json_get(value, "b")), 2);
    assert_string_equal(json_get_text(value, "c", ""), "\"");
    static const char whole[] = "{\"a\":[1,],// x\n\"b\":\"\\\\\"/* y */,}";
    for (size_t length = 0; length <= strlen(whole); length++) {
        AUTO_FREE char *cut = memory_allocate(length + 1, 1);
        memcpy(cut, whole, length);
        AUTO_JSON struct json *part = jsonc_parse(cut, length, "x", &error);
        assert_true((part != NULL) == (length == strlen(whole)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_understood_as_npm_does),
        cmocka_unit_test(the_version_asked_for_chooses_the_base),
        cmocka_unit_test(versions_that_do_not_exist_are_refused),
        cmocka_unit_test(each_package_manager_is_told_by_its_files),
        cmocka_unit_test(a_hash_of_the_manager_is_checked),
        cmocka_unit_test(the_install_step_sees_only_what_declares_dependencies),
        cmocka_unit_test(scripts_of_the_source_make_the_install_step_see_it),
        cmocka_unit_test(angular_says_where_the_site_is),
        cmocka_unit_test(angular_builds_the_configuration_and_project_asked_for),
        cmocka_unit_test(the_script_of_angular_has_a_say),
        cmocka_unit_test(what_angular_leaves_open_is_refused),
        cmocka_unit_test(each_framework_says_where_the_site_is),
        cmocka_unit_test(outputs_outside_of_the_project_are_refused),
        cmocka_unit_test(yesterdays_site_is_not_copied),
        cmocka_unit_test(firebase_json_is_compared),
        cmocka_unit_test(pl_json_decides_over_everything),
        cmocka_unit_test(what_serves_itself_is_a_container),
        cmocka_unit_test(a_server_keeps_what_production_needs),
        cmocka_unit_test(pages_rendered_on_a_server_make_a_container),
        cmocka_unit_test(sveltekit_needs_an_adapter),
        cmocka_unit_test(nothing_to_build_and_nothing_to_serve_is_refused),
        cmocka_unit_test(files_are_a_site_as_they_are),
        cmocka_unit_test(comments_and_trailing_commas_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
