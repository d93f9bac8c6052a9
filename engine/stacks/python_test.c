/* Which runner a Python project's suites have. */
#include "common/base/text.h"
#include "engine/stacks/python.h"
#include "engine/stacks/test.h"

#include <string.h>

#define PYTHON "/opt/venv/bin/python"
#define RESULT(name) CHECK_RESULTS "/" name

/* A tool that is installed when the project is set up for it and yet does not declare it. */
struct tool {
    const char *package, *version;
};

struct choice {
    struct python_project *project;
    const struct test_request *request;
    struct test_plan *plan;
    struct python_development development;
};

static void add_word(struct choice *choice, const char *word) {
    text_list_add(&choice->plan->argv, word);
}

static const char *interpreter(const struct choice *choice) {
    return choice->plan->is_dockerfile ? "python3" : PYTHON;
}

static void add_arguments(struct choice *choice) {
    for (size_t i = 0; i < choice->request->argument_count; i++)
        text_list_add(&choice->plan->argv, choice->request->arguments[i]);
}

/* python -m MODULE */
static void begin_module(struct choice *choice, const char *module) {
    choice->plan->runner = text_copy(module);
    add_word(choice, interpreter(choice));
    add_word(choice, "-m");
    add_word(choice, module);
}

/* ---- what the project is set up for ---- */

/* Whether a line of a file begins with a text. A file that is missing or too large says nothing. */
static bool has_line(const struct choice *choice, const char *path, const char *begin) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    if (python_read(choice->project, path, &text, &found, NULL) < 0 || !found)
        return false;
    for (const char *at = buffer_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (text_starts_with(at, begin))
            return true;
    return false;
}

static bool has_text(const struct choice *choice, const char *path, const char *part) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    return python_read(choice->project, path, &text, &found, NULL) == 0 && found && strstr(buffer_text(&text), part);
}

static bool is_set_up(const struct choice *choice, const char *tool) {
    const struct python_project *project = choice->project;
    AUTO_FREE char *table = text_format("tool.%s", tool), *section = text_format("[%s]", tool);
    AUTO_FREE char *dotted = text_format(".%s.toml", tool), *plain = text_format("%s.toml", tool);
    AUTO_FREE char *ini = text_format("%s.ini", tool), *hidden_ini = text_format(".%s.ini", tool);
    AUTO_FREE char *hidden = text_format(".%s", tool), *json = text_format("%sconfig.json", tool);
    const char *const files[] = {dotted, plain, ini, hidden_ini, hidden, json};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        if (python_has(project, files[i]))
            return true;
    return json_get_path(project->pyproject, table) || has_line(choice, "setup.cfg", section) ||
           has_line(choice, "tox.ini", section);
}

/* Declared, or set up and then added. */
static bool uses(struct choice *choice, const struct tool *tool) {
    if (python_declares(choice->project, tool->package))
        return true;
    return is_set_up(choice, tool->package);
}

static void need(struct choice *choice, const struct tool *tool, const char *program) {
    if (python_declares(choice->project, tool->package))
        return;
    choice->development.added = text_format("%s==%s", tool->package, tool->version);
    choice->development.added_program = program;
    plan_note(choice->project->plan, "%s is not among the dependencies: %s %s is added", tool->package, tool->package,
              tool->version);
}

static int refuse(const struct choice *choice, const char *first, const char *second, struct error *error) {
    const char *suite = test_suite_name(choice->request->suite);
    error_set(error, ERROR_DATA, "the project has no suite %s: neither %s nor %s is declared or set up", suite, first,
              second);
    return error_next(error, "add %s to the development dependencies (%s)", first,
                      choice->development.files.count ? choice->development.files.items[0] : "requirements-dev.txt");
}

/* ---- unit ---- */

/* Coverage that the project's own settings ask for is left as they ask for it. */
static bool sets_coverage_up(const struct choice *choice) {
    return has_text(choice, "pytest.ini", "--cov") || has_text(choice, "tox.ini", "--cov") ||
           has_text(choice, "setup.cfg", "--cov") || has_text(choice, "pyproject.toml", "--cov");
}

static int add_coverage(struct choice *choice, struct error *error) {
    if (!python_declares(choice->project, "pytest-cov")) {
        if (choice->request->coverage_minimum < 0)
            return 0;
        error_set(error, ERROR_DATA, "--coverage-min: the project does not measure coverage");
        return error_next(error, "add pytest-cov to the development dependencies");
    }
    if (!sets_coverage_up(choice))
        add_word(choice, "--cov");
    add_word(choice, "--cov-report=xml:" RESULT(TEST_COVERAGE));
    add_word(choice, "--cov-report=term");
    choice->plan->coverage = text_copy(TEST_COVERAGE);
    plan_note(choice->project->plan, "found pytest-cov among the dependencies: coverage is measured");
    return 0;
}

static int choose_unit(struct choice *choice, struct error *error) {
    static const struct tool pytest = {"pytest", "8.3.5"};
    need(choice, &pytest, "pytest");
    begin_module(choice, "pytest");
    add_word(choice, "--junit-xml=" RESULT(TEST_JUNIT));
    add_word(choice, "-o");
    add_word(choice, "junit_family=xunit1");
    if (add_coverage(choice, error) < 0)
        return -1;
    add_arguments(choice);
    choice->plan->writes_junit = true;
    return 0;
}

/* ---- lint, types, audit ---- */

static int choose_lint(struct choice *choice, struct error *error) {
    static const struct tool ruff = {"ruff", "0.11.13"}, flake8 = {"flake8", "7.1.2"};
    if (uses(choice, &ruff)) {
        need(choice, &ruff, "ruff");
        begin_module(choice, "ruff");
        add_word(choice, "check");
        add_word(choice, "--output-format=concise");
    } else if (uses(choice, &flake8)) {
        need(choice, &flake8, "flake8");
        begin_module(choice, "flake8");
    } else {
        return refuse(choice, "ruff", "flake8", error);
    }
    add_arguments(choice);
    return 0;
}

/* mypy has to be told what to look at, by its settings or on the command line. */
static bool names_files_for_mypy(const struct choice *choice) {
    static const char *const files[] = {"mypy.ini", ".mypy.ini", "setup.cfg"};
    static const char *const keys[] = {"files", "packages", "modules"};
    for (size_t k = 0; k < ARRAY_LENGTH(keys); k++) {
        AUTO_FREE char *path = text_format("tool.mypy.%s", keys[k]);
        if (json_get_path(choice->project->pyproject, path))
            return true;
        for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
            if (has_line(choice, files[i], keys[k]))
                return true;
    }
    return false;
}

static int choose_types(struct choice *choice, struct error *error) {
    static const struct tool mypy = {"mypy", "1.14.1"}, pyright = {"pyright", "1.1.402"};
    if (uses(choice, &mypy)) {
        need(choice, &mypy, "mypy");
        begin_module(choice, "mypy");
        if (choice->request->argument_count == 0 && !names_files_for_mypy(choice)) {
            /* Modules have the names by which the source, seen from its top, imports them. */
            add_word(choice, "--explicit-package-bases");
            add_word(choice, ".");
        }
    } else if (uses(choice, &pyright)) {
        need(choice, &pyright, "pyright");
        begin_module(choice, "pyright");
    } else {
        return refuse(choice, "mypy", "pyright", error);
    }
    add_arguments(choice);
    return 0;
}

static int choose_audit(struct choice *choice, struct error *error) {
    if (!python_declares(choice->project, "pip-audit")) {
        error_set(error, ERROR_DATA, "the project has no suite audit: pip-audit is not among the dependencies");
        return error_next(error, "add pip-audit to the development dependencies");
    }
    begin_module(choice, "pip_audit");
    free(choice->plan->runner);
    choice->plan->runner = text_copy("pip-audit");
    add_word(choice, "--progress-spinner=off");
    add_arguments(choice);
    /* What is known of a package's faults changes every day. */
    choice->plan->is_volatile = true;
    return 0;
}

static int choose(struct choice *choice, struct error *error) {
    static int (*const choosers[])(struct choice *, struct error *) = {
        [TEST_UNIT] = choose_unit, [TEST_LINT] = choose_lint, [TEST_TYPES] = choose_types, [TEST_AUDIT] = choose_audit};
    return choosers[choice->request->suite](choice, error);
}

/* ---- */

static void plan_environment(struct python_project *project) {
    struct json *config = json_new_object();
    json_set(config, "Env", python_environment(project));
    json_set(config, "Labels", json_new_object());
    plan_add_step(project->plan, PLAN_CONFIG, "configure")->config = config;
}

/* The build's steps see the build's files; what comes on top sees all. */
int python_test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) {
    struct stack_source image = {.directory = request->directory, .tree = request->image, .base = request->base};
    struct stack_source all = {.directory = request->directory, .tree = request->tree, .base = request->base};
    AUTO(python_project_release) struct python_project project = {.source = &image, .plan = &plan->plan};
    struct choice choice = {.project = &project, .request = request, .plan = plan};
    if ((plan->is_dockerfile ? python_begin_image_tests : python_begin_tests)(&project, error) < 0)
        return -1;
    project.source = &all;
    int result = python_find_development(&project, &choice.development, error);
    if (result == 0)
        result = choose(&choice, error);
    if (result == 0 && plan->is_dockerfile) {
        python_plan_image_development(&project, &choice.development);
    } else if (result == 0) {
        python_plan_development(&project, &choice.development);
        plan_environment(&project);
        plan->directory = text_copy("/app");
    }
    if (result == 0) {
        plan->codes = TEST_CODE_ONE;
        plan->order = PLACE_LAST;
    }
    python_development_release(&choice.development);
    return result;
}
