/* What pl-test makes of a source directory: which runner it is, in which container, and what came of it.
 *
 * The container is that of the build: the same base and the same step that installs dependencies, found where a build
 * made it. Development dependencies are a further step on top. Then the runner sees the whole source, at the place
 * where the build copies it to; what it writes there is dropped.
 *
 * A source with a Dockerfile is tested in the image of its stage "test", or in its last. The source is laid over its
 * working directory; of development dependencies only those of requirements files are installed on top, by its own pip.
 *
 * Python. Development dependencies: requirements-dev.txt and its like; groups and extras named dev, test, lint, … of
 * pyproject.toml; the development part of uv, poetry, pdm and pipenv.
 *   unit    pytest (which also runs unittest's cases), with coverage where pytest-cov is among the dependencies
 *   lint    ruff, else flake8
 *   types   mypy, else pyright
 *   audit   pip-audit
 * Node. All dependencies are installed, those of development too, and the source is laid beside them. A script of
 * package.json is what runs (test, lint, typecheck); without one it is the tool that is declared.
 *   unit    Angular's ng test, vitest, jest, node --test; any other script "test" by its exit status alone
 *   lint    ng lint, eslint
 *   types   tsc
 *   audit   npm audit and its like
 */
#ifndef STACKS_TEST_H
#define STACKS_TEST_H

#include "engine/check.h"
#include "engine/report/junit.h"
#include "engine/stacks/stack.h"

enum test_suite { TEST_UNIT, TEST_LINT, TEST_TYPES, TEST_AUDIT };
/* "unit" and so on; false when there is no such suite. */
bool test_suite_parse(const char *name, enum test_suite *suite);
const char *test_suite_name(enum test_suite suite);

struct test_request {
    enum stack_kind kind;
    const char *directory;           /* absolute; of a workspace's member: the workspace */
    const char *member;              /* the member that is tested, or NULL or "" */
    const struct tree *tree, *image; /* as stack_scan_tests gives them */
    const char *base;                /* --base, or NULL */
    const char *dockerfile;          /* --file; NULL: DIR/Dockerfile, when there is one */
    const char *target;              /* --target, or NULL: a stage named test, else the last */
    const struct text_list *build_arguments;
    struct credential_check *credentials; /* of a Dockerfile's context */
    const struct step_secret *secrets;
    size_t secret_count;
    enum test_suite suite;
    char *const *arguments; /* for the runner, after its own */
    size_t argument_count;
    long long coverage_minimum;          /* percent, -1: none */
    const struct text_list *environment; /* "NAME=value", for the runner; may be NULL */
    const struct service *services;      /* that run beside the runner */
    size_t service_count;
};

/* How a runner's exit code is read: 0 is green and everything else is not, always. */
enum test_codes {
    TEST_CODE_ONE,    /* 1: the answer is no; others: it could not run */
    TEST_CODE_REPORT, /* likewise, but 1 may be anything unless its report has tests or findings */
    TEST_CODE_ANY,    /* any below 126 is no */
};

struct test_plan {
    struct stack_plan plan; /* the container */
    bool has_source;        /* it holds the source already; else the runner is given it */
    bool is_dockerfile;     /* the container is that of the Dockerfile, and what `plan` adds to it */
    char *target;           /* its stage, or NULL */
    char *runner;           /* "pytest" */
    struct text_list argv, environment;
    char *directory;   /* where the source is, and where the runner is started; NULL: the image's working directory */
    bool writes_junit; /* to TEST_JUNIT in CHECK_RESULTS; else what it finds is taken from the lines it prints */
    bool is_karma;     /* its lines tell of tests; they are kept as TEST_OUTPUT in CHECK_RESULTS */
    char *coverage;    /* the file in CHECK_RESULTS that it writes coverage to, see report/coverage.h; or NULL */
    bool is_volatile;  /* what it finds depends on the time */
    enum test_codes codes;
    enum place_order order;
};

#define TEST_JUNIT "junit.xml"
#define TEST_OUTPUT "output.txt"
#define TEST_COVERAGE "coverage.xml"

/* Makes the plan; runs nothing. ERROR_DATA: malformed, or the project does not use what the suite needs; the message
 * says what to add. */
int test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) MUST_CHECK;
void test_plan_release(struct test_plan *plan);
#define AUTO_TEST_PLAN AUTO(test_plan_release)
/* For --plan. */
int test_plan_print(const struct test_plan *plan, struct buffer *out, struct error *error) MUST_CHECK;

/* TEST_UNCOVERED: they passed, and cover less than coverage_minimum, or nobody knows how much. */
enum test_verdict { TEST_PASSED, TEST_FAILED, TEST_UNCOVERED, TEST_COULD_NOT_RUN, TEST_TIMED_OUT };

struct test_result {
    enum test_verdict verdict;
    int status;           /* of the runner: an exit code or 128 + signal */
    bool found;           /* it passed before and was not run */
    int64_t milliseconds; /* how long the runner ran */
    bool has_report;
    struct digest report; /* the JUnit document, in the store */
    struct junit counts;  /* with its failures; also where the runner ended without a report, as far as it told */
    double coverage;      /* percent, -1: not measured */
    struct digest source, container;
};

struct test_limits {
    unsigned timeout; /* seconds, 0: none */
    bool again;       /* run although it is known to pass */
};

/* 0 whatever the verdict is. -1: the container could not be made, or the runner could not be started. */
int test_run(struct engine *engine, const struct test_request *request, const struct test_plan *plan,
             const char *platform, const struct test_limits *limits, struct test_result *result,
             struct error *error) MUST_CHECK;
void test_result_release(struct test_result *result);
#define AUTO_TEST_RESULT AUTO(test_result_release)

/* For the stacks themselves. *plan is zeroed, but for what dockerfile_test_detect found out. */
int dockerfile_test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) MUST_CHECK;
int node_test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) MUST_CHECK;
int python_test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) MUST_CHECK;

#endif
