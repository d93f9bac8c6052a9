#include "tools/pl-test/command.h"

#include "chain/shell.h"

static const char *const suites[] = {"unit", "lint", "types", "audit", NULL};

static const struct option options[] = {
    {.letter = 's',
     .name = "suite",
     .value_name = "SUITE",
     .help = "which of the project's suites to run",
     .kind = OPTION_CHOICE,
     .choices = suites,
     .fallback = "unit",
     INTO(suite)},
    {.name = "coverage-min",
     .value_name = "PERCENT",
     .help = "fail when less than this part of the code is covered by the tests",
     .kind = OPTION_NUMBER,
     INTO(coverage_minimum)},
    {.name = "findings",
     .value_name = "FILE",
     .help = "with --suite audit: take what another tool found in this source (JSON of npm audit, pip-audit, Trivy; "
             "SARIF)",
     .kind = OPTION_FILE,
     INTO(findings)},
    {.name = "timeout",
     .value_name = "TIME",
     .help = "end the tests after this time: 90, 90s, 5m, 2h",
     .kind = OPTION_DURATION,
     INTO(timeout)},
    {.name = "no-cache",
     .help = "run the tests although the same ones passed before",
     .kind = OPTION_FLAG,
     INTO(no_cache)},
    {.letter = 'e',
     .name = "env",
     .value_name = "NAME=VALUE",
     .help = "set an environment variable for the tests; never a secret",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(environment)},
    {.name = "service",
     .value_name = "NAME=REF",
     .help = "run this container beside the tests, reached as the host NAME; REF is a container's ref or an image, and "
             "exposes the port that is waited for; the tests have no other network then",
     .kind = OPTION_TEXT,
     .values = "NAME=images",
     .traits = OPTION_REPEATABLE,
     .variable = "",
     INTO(services)},
    {.letter = 'n',
     .name = "name",
     .value_name = "NAME",
     .help = "the name of the application, instead of the directory's",
     .kind = OPTION_TEXT,
     INTO(name)},
    {.name = "base",
     .value_name = "REF",
     .help = "start from this image, as pl-build --base",
     .kind = OPTION_TEXT,
     .values = "images",
     INTO(base)},
    {.letter = 'f',
     .name = "file",
     .value_name = "DOCKERFILE",
     .help = "test in the image of this Dockerfile, as pl-build --file",
     .kind = OPTION_FILE,
     INTO(file)},
    {.name = "target",
     .value_name = "STAGE",
     .help = "the stage of the Dockerfile; without it the one named test, or the last",
     .kind = OPTION_TEXT,
     .values = "stages",
     INTO(target)},
    {.name = "build-arg",
     .value_name = "NAME=VALUE",
     .help = "set an ARG of the Dockerfile",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(build_arguments)},
    {.name = "secret",
     .value_name = "ID=SOURCE",
     .help = "show a secret to the steps that install dependencies, as pl-build --secret",
     .kind = OPTION_TEXT,
     .values = "NAME=secret-sources",
     .traits = OPTION_REPEATABLE,
     INTO(secrets)},
    {.name = "allow-file",
     .value_name = "PATH",
     .help = "take this file although it looks like credentials",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(allowed_files)},
    {.name = "explain",
     .help = "say for each step whether it was found or made, and which of its inputs changed",
     .kind = OPTION_FLAG,
     INTO(explain)},
    SHELL_ON_FAILURE_OPTION,
    {.name = "plan", .help = "print what would be done, and do nothing", .kind = OPTION_FLAG, INTO(plan)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-test ./backend", "run the unit tests"},
    {"pl-test ./backend -- -k items -x", "with arguments for the runner"},
    {"pl-test --suite lint ./backend", "run the linter"},
    {"npm audit --json > a.json; pl-test ./web --suite audit --findings a.json",
     "an audit that was made elsewhere, kept for this source"},
    {"pl-test --shell-on-failure ./backend", "look around where they failed"},
    {"pl-test --coverage-min 80 --timeout 10m ./backend", "for CI"},
    {"pl-test ./backend && pl-build ./backend | pl-push-image --repo my-repo", "build only what passes"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "tests failed, the linter found something, or the coverage is too low"},
    {65, "the source is missing, malformed, or does not have the suite"},
    {69, "a registry does not answer"},
    {70, "the tests could not run: a step failed, the runner crashed, there are no tests"},
    {73, "the store cannot be written"},
    {78, "something that is needed is missing on this machine"},
    {124, "the time limit was reached"},
    {130, "cancelled, also because the reader of the output went away"},
    {0},
};

static const char *const see_also[] = {"pl-build", "pl-cache", NULL};

const struct command pl_test_command = {
    .name = "pl-test",
    .summary = "run a project's tests in the container of its build",
    .synopsis = "[DIR] [-- ARGUMENT...]",
    .description =
        "Runs the tests of DIR (default: the current directory) in the container that pl-build would make of it: on "
        "the same base, with the dependencies from the same step, and development dependencies on top. What follows "
        "\"--\" is passed on to the runner.\n\n"
        "The runner's output comes as it is printed, then a summary. The exit code is that of the runner: nothing "
        "else decides whether the tests passed. The report record has the counts; its reference is the JUnit document, "
        "which is kept in the store. In GitHub Actions every failing test becomes an annotation at its line.\n\n"
        "A source with a Dockerfile is tested in its image: in the stage named test where there is one, with the "
        "source "
        "laid over its working directory.\n\n"
        "Tests that passed are not run again until the source, the dependencies or the arguments change. Tests that "
        "failed are always run again.\n\n"
        "Suites of Python: unit (pytest), lint (ruff or flake8), types (mypy or pyright) and audit (pip-audit). Of "
        "Node: "
        "unit (Angular's ng test, vitest, jest, node --test, or whatever the script \"test\" is), lint (ng lint or "
        "eslint), types (tsc) and audit (npm audit). Coverage is measured where the project has what measures it.",
    .writes = "report",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 1,
    .takes_rest = true,
    .operand_kind = OPTION_DIRECTORY,
    .operand_values = "applications",
    .arguments_size = sizeof(struct arguments),
};
