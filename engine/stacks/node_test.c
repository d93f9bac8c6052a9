/* Which runner a Node project's suites have. A script of package.json goes before everything else: it is run as it is,
 * and what pl has to tell the runner (where to write its report) is appended where the script's last command is one
 * that pl knows. */
#include "common/base/text.h"
#include "engine/stacks/node.h"
#include "engine/stacks/test.h"

#include <string.h>

#define RESULT(name) CHECK_RESULTS "/" name
#define COVERAGE "coverage-summary.json"
#define JEST_JUNIT "16.0.0"
#define JEST_JUNIT_FOLDER "/opt/pl/jest-junit"

enum runner { RUNNER_OTHER, RUNNER_ANGULAR, RUNNER_VITEST, RUNNER_JEST, RUNNER_NODE, RUNNER_ESLINT };

struct choice {
    struct node_project *project;
    const struct test_request *request;
    struct test_plan *plan;
    const char *script; /* the script of package.json that is run, or NULL */
    enum runner runner;
    struct text_list words; /* of the command that is the runner, in the script */
    struct text_list added; /* arguments of ours */
    bool adds_jest_junit;
    bool adds_browser;
    const char *wrapper; /* a script that runs the command, its arguments */
};

/* ---- scripts ---- */

static bool is_assignment(const char *word) {
    const char *equals = strchr(word, '=');
    return equals && equals > word && *word != '-';
}

/* Programs that only start another one. */
static bool is_starter(const char *word) {
    static const char *const starters[] = {"npx", "cross-env", "env", "exec", "dotenv", "--", "pnpm", "yarn", "bunx"};
    for (size_t i = 0; i < ARRAY_LENGTH(starters); i++)
        if (text_equal(word, starters[i]))
            return true;
    return false;
}

/* The words of the last command, without what only prepares it. */
static void last_command(const char *script, struct text_list *words) {
    const char *begin = script;
    for (const char *at = script; *at; at++)
        if (strchr("&|;\n", *at))
            begin = at + 1;
    AUTO_FREE char *command = text_copy(begin);
    AUTO_LIST struct text_list all = {0};
    text_list_split(&all, command, ' ');
    for (size_t i = 0; i < all.count; i++) {
        const char *word = all.items[i];
        if (*word && (words->count > 0 || (!is_assignment(word) && !is_starter(word))))
            text_list_add(words, word);
    }
}

static bool has_word(const struct text_list *words, const char *begin) {
    for (size_t i = 0; i < words->count; i++)
        if (text_starts_with(words->items[i], begin))
            return true;
    return false;
}

static enum runner runner_of(const struct text_list *words, bool *needs_ci) {
    const char *program = words->count > 0 ? words->items[0] : "", *second = words->count > 1 ? words->items[1] : "";
    *needs_ci = false;
    if (text_equal(program, "ng") && (text_equal(second, "test") || text_equal(second, "t")))
        return RUNNER_ANGULAR;
    if (text_equal(program, "vitest"))
        return RUNNER_VITEST;
    if (text_equal(program, "jest"))
        return RUNNER_JEST;
    *needs_ci = (text_equal(program, "react-scripts") || text_equal(program, "craco")) && text_equal(second, "test");
    if (*needs_ci)
        return RUNNER_JEST;
    if (text_equal(program, "node") && has_word(words, "--test"))
        return RUNNER_NODE;
    if (text_equal(program, "eslint") || (text_equal(program, "ng") && text_equal(second, "lint")))
        return RUNNER_ESLINT;
    return RUNNER_OTHER;
}

/* What `npm init` writes when there are no tests. */
static bool is_placeholder(const char *script) {
    return strstr(script, "no test specified") != NULL;
}

static bool take_script(struct choice *choice, const char *const *names, size_t count, bool *needs_ci) {
    for (size_t i = 0; i < count && !choice->script; i++) {
        const char *text = node_script(choice->project, names[i]);
        if (text && !is_placeholder(text))
            choice->script = names[i];
    }
    if (!choice->script)
        return false;
    const char *text = node_script(choice->project, choice->script);
    last_command(text, &choice->words);
    choice->runner = runner_of(&choice->words, needs_ci);
    plan_note(choice->project->plan, "found the script \"%s\" in package.json: %.200s", choice->script, text);
    return true;
}

static void take_command(struct choice *choice, enum runner runner, const char *const *words, size_t count) {
    choice->runner = runner;
    for (size_t i = 0; i < count; i++)
        text_list_add(&choice->words, words[i]);
}
#define TAKE_COMMAND(choice, runner, ...)                                                                              \
    take_command(choice, runner, (const char *const[]){__VA_ARGS__},                                                   \
                 sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void add(struct choice *choice, const char *argument) {
    text_list_add(&choice->added, argument);
}

static void set_variable(struct choice *choice, const char *variable) {
    text_list_add(&choice->plan->environment, variable);
}

/* ---- unit ---- */

static bool has_coverage(const struct choice *choice) {
    return node_dependency(choice->project, "@vitest/coverage-v8") ||
           node_dependency(choice->project, "@vitest/coverage-istanbul");
}

static int need_coverage(const struct choice *choice, bool measured, const char *advice, struct error *error) {
    if (choice->request->coverage_minimum < 0 || measured)
        return 0;
    error_set(error, ERROR_DATA, "--coverage-min: the project does not measure coverage");
    return error_next(error, "%s", advice);
}

static int tell_vitest(struct choice *choice, struct error *error) {
    add(choice, "--reporter=default");
    add(choice, "--reporter=junit");
    add(choice, "--outputFile.junit=" RESULT(TEST_JUNIT));
    choice->plan->writes_junit = true;
    if (!has_coverage(choice))
        return need_coverage(choice, false, "add @vitest/coverage-v8 to devDependencies", error);
    add(choice, "--coverage.enabled");
    add(choice, "--coverage.reporter=text");
    add(choice, "--coverage.reporter=json-summary");
    add(choice, "--coverage.reportsDirectory=" RESULT("coverage"));
    choice->plan->coverage = text_copy("coverage/" COVERAGE);
    return 0;
}

/* The target "test" of the first project that has one: its builder. */
static char *angular_builder(const struct choice *choice, const char *target) {
    AUTO_JSON struct json *workspace = NULL;
    if (node_read_json(choice->project, "angular.json", &workspace, NULL) < 0)
        return NULL;
    const struct json *projects = json_get(workspace, "projects");
    for (void *i = json_first(projects); i; i = json_next(projects, i)) {
        const struct json *architect = json_get(json_value(i), "architect");
        const struct json *found = json_get(architect ? architect : json_get(json_value(i), "targets"), target);
        if (found)
            return text_copy(json_get_text(found, "builder", ""));
    }
    return NULL;
}

/* "@angular/build:unit-test" runs vitest unless its options say karma; the older builders are karma's own. */
static bool is_karma(const struct choice *choice) {
    AUTO_FREE char *builder = angular_builder(choice, "test");
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    if (!builder || text_ends_with(builder, ":karma"))
        return builder != NULL;
    return node_read(choice->project, "angular.json", &text, &found, NULL) == 0 && found &&
           strstr(buffer_text(&text), "\"runner\": \"karma\"");
}

/* The exit status is that of the tests. ng test writes coverage where only it wants to. */
static const char take_coverage[] = "\"$@\"; status=$?\n"
                                    "for file in coverage/" COVERAGE " coverage/*/" COVERAGE "; do\n"
                                    "  [ ! -f \"$file\" ] || cp \"$file\" " RESULT(COVERAGE) "\n"
                                                                                             "done\n"
                                                                                             "exit $status\n";

static const char keep_output[] =
    "{ \"$@\" 2>&1; echo $? > /tmp/status; } | tee " RESULT(TEST_OUTPUT) "\n"
                                                                         "exit \"$(cat /tmp/status)\"\n";

static int tell_karma(struct choice *choice, struct error *error) {
    bool chooses = has_word(&choice->words, "--browsers");
    choice->plan->runner = text_copy("karma");
    choice->plan->is_karma = true;
    choice->wrapper = keep_output;
    if (!chooses)
        add(choice, "--browsers=ChromeHeadless");
    choice->adds_browser = node_dependency(choice->project, "karma-chrome-launcher") && !choice->plan->is_dockerfile &&
                           (!chooses || has_word(&choice->words, "--browsers=Chrome"));
    if (choice->adds_browser)
        set_variable(choice, "CHROME_BIN=" NODE_BROWSER);
    plan_note(choice->project->plan, choice->adds_browser
                                         ? "the tests are run by karma, in a Chromium that is installed for them"
                                         : "the tests are run by karma, which needs a browser in the base (--base)");
    return need_coverage(choice, false, "let the project's tests be run by vitest", error);
}

static int tell_angular(struct choice *choice, struct error *error) {
    add(choice, "--watch=false");
    if (is_karma(choice))
        return tell_karma(choice, error);
    /* The option for a file is that of the first reporter. */
    add(choice, "--reporters=junit");
    add(choice, "--reporters=default");
    add(choice, "--output-file=" RESULT(TEST_JUNIT));
    choice->plan->writes_junit = true;
    if (!has_coverage(choice))
        return need_coverage(choice, false, "add @vitest/coverage-v8 to devDependencies", error);
    add(choice, "--coverage");
    add(choice, "--coverage-reporters=text");
    add(choice, "--coverage-reporters=json-summary");
    choice->wrapper = take_coverage;
    choice->plan->coverage = text_copy(COVERAGE);
    return 0;
}

static int tell_jest(struct choice *choice, bool is_wrapped, struct error *error) {
    const struct json *settings = json_get(choice->project->package, "jest");
    bool declared = node_dependency(choice->project, "jest-junit") != NULL;
    if (choice->plan->is_dockerfile && !declared) {
        plan_note(choice->project->plan, "jest-junit is not among the dependencies: the tests are not counted");
        choice->plan->codes = TEST_CODE_ANY;
        return need_coverage(choice, false, "add jest-junit to devDependencies", error);
    }
    choice->adds_jest_junit = !declared;
    if (is_wrapped)
        add(choice, "--watchAll=false");
    add(choice, "--ci");
    add(choice, "--reporters=default");
    add(choice, declared ? "--reporters=jest-junit" : "--reporters=" JEST_JUNIT_FOLDER "/node_modules/jest-junit");
    set_variable(choice, "JEST_JUNIT_OUTPUT_FILE=" RESULT(TEST_JUNIT));
    set_variable(choice, "JEST_JUNIT_ADD_FILE_ATTRIBUTE=true");
    set_variable(choice, "JEST_JUNIT_REPORT_TEST_SUITE_ERRORS=true");
    choice->plan->writes_junit = true;
    if (choice->request->coverage_minimum >= 0 || has_word(&choice->words, "--coverage") ||
        json_get_bool(settings, "collectCoverage", false)) {
        add(choice, "--coverage");
        add(choice, "--coverageReporters=text");
        add(choice, "--coverageReporters=json-summary");
        add(choice, "--coverageDirectory=" RESULT("coverage"));
        choice->plan->coverage = text_copy("coverage/" COVERAGE);
    }
    return 0;
}

/* Options after the files would be taken for files. */
static int tell_node(struct choice *choice, struct error *error) {
    set_variable(choice, "NODE_OPTIONS=--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit "
                         "--test-reporter-destination=" RESULT(TEST_JUNIT));
    choice->plan->writes_junit = true;
    return need_coverage(choice, false, "let vitest or jest run the tests", error);
}

static bool has_tests_for_node(const struct choice *choice) {
    const struct tree *tree = choice->project->source->tree;
    static const char *const ends[] = {".test.js", ".test.mjs", ".test.cjs", "-test.js", "_test.js"};
    for (size_t i = 0; i < tree->count; i++)
        for (size_t e = 0; e < ARRAY_LENGTH(ends); e++)
            if (text_ends_with(tree->entries[i].path, ends[e]))
                return true;
    return false;
}

static int find_unit(struct choice *choice, struct error *error) {
    AUTO_FREE char *builder = angular_builder(choice, "test");
    if (builder)
        TAKE_COMMAND(choice, RUNNER_ANGULAR, "ng", "test");
    else if (node_dependency(choice->project, "vitest"))
        TAKE_COMMAND(choice, RUNNER_VITEST, "vitest", "run");
    else if (node_dependency(choice->project, "jest"))
        TAKE_COMMAND(choice, RUNNER_JEST, "jest");
    else if (has_tests_for_node(choice))
        TAKE_COMMAND(choice, RUNNER_NODE, "node", "--test");
    else {
        error_set(error, ERROR_DATA, "the project has no suite unit: package.json has no script \"test\"");
        return error_next(error, "write one that runs the tests: vitest run, jest, node --test");
    }
    return 0;
}

static int choose_unit(struct choice *choice, struct error *error) {
    static const char *const names[] = {"test", "test:unit", "test:ci", "unit"};
    bool is_wrapped = false;
    if (!take_script(choice, names, ARRAY_LENGTH(names), &is_wrapped) && find_unit(choice, error) < 0)
        return -1;
    choice->plan->codes = TEST_CODE_REPORT;
    switch (choice->runner) {
    case RUNNER_VITEST:
        return tell_vitest(choice, error);
    case RUNNER_ANGULAR:
        return tell_angular(choice, error);
    case RUNNER_JEST:
        return tell_jest(choice, is_wrapped, error);
    case RUNNER_NODE:
        return tell_node(choice, error);
    case RUNNER_ESLINT:
    case RUNNER_OTHER:
        break;
    }
    choice->plan->codes = TEST_CODE_ANY;
    return need_coverage(choice, false, "let vitest or jest run the tests", error);
}

/* ---- lint, types, audit ---- */

static bool is_set_up_for_eslint(const struct choice *choice) {
    static const char *const files[] = {"eslint.config.js", "eslint.config.mjs", "eslint.config.cjs",
                                        "eslint.config.ts", ".eslintrc",         ".eslintrc.json",
                                        ".eslintrc.js",     ".eslintrc.cjs"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        if (node_has(choice->project, files[i]))
            return node_dependency(choice->project, "eslint") != NULL;
    return false;
}

static int choose_lint(struct choice *choice, struct error *error) {
    static const char *const names[] = {"lint", "lint:ci"};
    bool ignored;
    AUTO_FREE char *builder = angular_builder(choice, "lint");
    choice->plan->codes = TEST_CODE_ANY;
    if (take_script(choice, names, ARRAY_LENGTH(names), &ignored))
        return 0;
    if (builder) {
        TAKE_COMMAND(choice, RUNNER_ESLINT, "ng", "lint");
    } else if (is_set_up_for_eslint(choice)) {
        TAKE_COMMAND(choice, RUNNER_ESLINT, "eslint", ".");
        choice->plan->codes = TEST_CODE_ONE;
    } else {
        error_set(error, ERROR_DATA,
                  "the project has no suite lint: no script \"lint\", no target of Angular, no eslint");
        return error_next(error, "add eslint and a script \"lint\" to package.json (ng add angular-eslint)");
    }
    return 0;
}

static int choose_types(struct choice *choice, struct error *error) {
    static const char *const names[] = {"typecheck", "type-check", "types", "check:types", "check-types"};
    bool ignored;
    choice->plan->codes = TEST_CODE_ANY;
    if (take_script(choice, names, ARRAY_LENGTH(names), &ignored))
        return 0;
    if (!node_has(choice->project, "tsconfig.json") || !node_dependency(choice->project, "typescript")) {
        error_set(error, ERROR_DATA,
                  "the project has no suite types: no script \"typecheck\", no tsconfig.json with "
                  "typescript among the dependencies");
        return error_next(error, "add typescript to devDependencies and write a tsconfig.json");
    }
    AUTO_JSON struct json *settings = NULL;
    if (node_read_json(choice->project, "tsconfig.json", &settings, error) < 0)
        return -1;
    const char *program = node_dependency(choice->project, "vue-tsc") ? "vue-tsc" : "tsc";
    if (json_count(json_get(settings, "references")) > 0)
        TAKE_COMMAND(choice, RUNNER_OTHER, program, "--build", "--noEmit");
    else
        TAKE_COMMAND(choice, RUNNER_OTHER, program, "--noEmit");
    return 0;
}

static int choose_audit(struct choice *choice, struct error *error) {
    const struct node_project *project = choice->project;
    if (!project->lock) {
        error_set(error, ERROR_DATA, "the project has no suite audit: there is no lock file");
        return error_next(error, "npm install, and commit package-lock.json");
    }
    /* npm ends with 1 also when it could not ask. */
    choice->plan->codes = project->manager == NODE_NPM ? TEST_CODE_REPORT : TEST_CODE_ANY;
    choice->plan->is_volatile = true;
    if (project->manager == NODE_YARN)
        TAKE_COMMAND(choice, RUNNER_OTHER, "yarn", "npm", "audit");
    else
        TAKE_COMMAND(choice, RUNNER_OTHER, node_manager_name(project->manager), "audit");
    choice->plan->runner = text_format("%s audit", node_manager_name(project->manager));
    return 0;
}

static int choose(struct choice *choice, struct error *error) {
    static int (*const choosers[])(struct choice *, struct error *) = {
        [TEST_UNIT] = choose_unit, [TEST_LINT] = choose_lint, [TEST_TYPES] = choose_types, [TEST_AUDIT] = choose_audit};
    return choosers[choice->request->suite](choice, error);
}

/* ---- the plan ---- */

static const char *runner_name(const struct choice *choice) {
    static const char *const names[] = {[RUNNER_ANGULAR] = "ng test",
                                        [RUNNER_VITEST] = "vitest",
                                        [RUNNER_JEST] = "jest",
                                        [RUNNER_NODE] = "node --test",
                                        [RUNNER_ESLINT] = "eslint"};
    return choice->runner != RUNNER_OTHER ? names[choice->runner] : choice->words.count ? choice->words.items[0] : NULL;
}

/* In an image that is not ours, PATH does not lead to the project's programs. */
static void add_program(struct choice *choice) {
    struct text_list *argv = &choice->plan->argv;
    const char *program = choice->words.items[0];
    bool is_global = choice->runner == RUNNER_NODE || choice->request->suite == TEST_AUDIT;
    if (choice->plan->is_dockerfile && !is_global)
        text_list_add_format(argv, "node_modules/.bin/%s", program);
    else
        text_list_add(argv, program);
    for (size_t i = 1; i < choice->words.count; i++)
        text_list_add(argv, choice->words.items[i]);
}

/* npm run SCRIPT -- ARGUMENTS, or the program itself. */
static void set_command(struct choice *choice) {
    struct text_list *argv = &choice->plan->argv;
    const struct test_request *request = choice->request;
    bool has_arguments = choice->added.count + request->argument_count > 0;
    if (choice->wrapper) {
        text_list_add(argv, "/bin/sh");
        text_list_add(argv, "-c");
        text_list_add(argv, choice->wrapper);
        text_list_add(argv, "sh");
    }
    if (choice->script) {
        text_list_add(argv, node_manager_name(choice->project->manager));
        text_list_add(argv, "run");
        text_list_add(argv, choice->script);
        if (choice->project->manager == NODE_NPM && has_arguments)
            text_list_add(argv, "--");
    } else {
        add_program(choice);
    }
    text_list_add_all(argv, &choice->added);
    for (size_t i = 0; i < request->argument_count; i++)
        text_list_add(argv, request->arguments[i]);
    if (!choice->plan->runner)
        choice->plan->runner =
            choice->runner == RUNNER_OTHER && choice->script
                ? text_format("%s run %s", node_manager_name(choice->project->manager), choice->script)
                : text_copy(runner_name(choice));
}

static void choice_release(struct choice *choice) {
    text_list_release(&choice->words);
    text_list_release(&choice->added);
}

static int plan_tests(struct choice *choice, struct error *error) {
    struct node_project *project = choice->project;
    if (choose(choice, error) < 0)
        return -1;
    set_command(choice);
    choice->plan->order = PLACE_FIRST;
    if (choice->plan->is_dockerfile)
        return 0;
    if (choice->adds_browser)
        node_plan_browser(project);
    node_plan_tools(project, choice->adds_jest_junit ? "jest-junit@" JEST_JUNIT : NULL, JEST_JUNIT_FOLDER);
    node_plan_source(project);
    node_plan_members(project);
    node_plan_test_path(project);
    node_add_test_environment(project, &choice->plan->environment);
    choice->plan->directory = node_directory(project);
    choice->plan->has_source = true;
    return 0;
}

int node_test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) {
    const char *member = request->member ? request->member : "";
    struct stack_source source = {.kind = STACK_NODE,
                                  .directory = request->directory,
                                  .member = member,
                                  .tree = request->tree,
                                  .base = request->base};
    AUTO(node_project_release)
    struct node_project project = {.source = &source, .plan = &plan->plan, .member = member};
    struct choice choice = {.project = &project, .request = request, .plan = plan};
    int result = (plan->is_dockerfile ? node_begin_image_tests : node_begin_tests)(&project, error);
    if (result == 0)
        result = plan_tests(&choice, error);
    choice_release(&choice);
    return result;
}
