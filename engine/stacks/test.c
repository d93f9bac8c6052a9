#include "engine/stacks/test.h"

#include "common/base/text.h"
#include "engine/dockerfile/dockerfile.h"
#include "engine/report/coverage.h"
#include "engine/report/output.h"

#include <string.h>

enum { BLOCK = 64 * 1024, DOCUMENT_LIMIT = 1 << 20, CANNOT_RUN_STATUS = 126 };

static const char *const suites[] = {
    [TEST_UNIT] = "unit", [TEST_LINT] = "lint", [TEST_TYPES] = "types", [TEST_AUDIT] = "audit"};

bool test_suite_parse(const char *name, enum test_suite *suite) {
    for (size_t i = 0; i < ARRAY_LENGTH(suites); i++)
        if (text_equal(suites[i], name)) {
            *suite = (enum test_suite)i;
            return true;
        }
    return false;
}

const char *test_suite_name(enum test_suite suite) {
    return suites[suite];
}

/* ---- plans ---- */

static void add_environment(const struct test_request *request, struct test_plan *plan) {
    /* Runners that would watch, ask or shorten what they say do not when this is set; a laptop is to give what CI gives
     */
    text_list_add(&plan->environment, "CI=true");
    if (request->environment)
        text_list_add_all(&plan->environment, request->environment);
}

int test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) {
    *plan = (struct test_plan){0};
    int result = request->kind == STACK_PYTHON ? python_test_detect(request, plan, error)
                 : request->kind == STACK_NODE ? node_test_detect(request, plan, error)
                                               : dockerfile_test_detect(request, plan, error);
    if (result < 0)
        test_plan_release(plan);
    else
        add_environment(request, plan);
    return result;
}

void test_plan_release(struct test_plan *plan) {
    stack_plan_release(&plan->plan);
    text_list_release(&plan->argv);
    text_list_release(&plan->environment);
    free(plan->runner);
    free(plan->coverage);
    free(plan->target);
    free(plan->directory);
    *plan = (struct test_plan){0};
}

int test_plan_print(const struct test_plan *plan, struct buffer *out, struct error *error) {
    if (stack_plan_print(&plan->plan, out, error) < 0)
        return -1;
    struct buffer text = BUFFER(1 << 20);
    buffer_append_format(&text, "%2zu   %s\n     sees the source at %s\n",
                         plan->plan.step_count + (plan->plan.base ? 2 : 1), plan->runner,
                         plan->directory ? plan->directory : "the image's working directory");
    for (size_t i = 0; i < plan->environment.count; i++)
        buffer_append_format(&text, "     with %s\n", plan->environment.items[i]);
    buffer_append_text(&text, "     run");
    for (size_t i = 0; i < plan->argv.count; i++)
        buffer_append_format(&text, " %s", plan->argv.items[i]);
    buffer_append_byte(&text, '\n');
    AUTO_FREE char *clean = text_scrub(buffer_text(&text), text.length, true);
    buffer_append_text(out, clean);
    buffer_release(&text);
    return buffer_check(out, "the plan", error);
}

/* ---- what came of it ---- */

struct running {
    struct engine *engine;
    const struct test_request *request;
    const struct test_plan *plan;
    struct test_result *result;
    struct place_search search;
    struct output_reader output;
    struct junit findings;
    char *directory; /* the image's, where the plan names none */
};

/* A document that cannot be read changes no verdict: only the exit status decides. */
static int read_report(struct running *running, const struct check_file *file, struct error *error) {
    struct test_result *result = running->result;
    struct error failure;
    if (!file->is_there) {
        if (result->status == 0)
            progress_note(running->engine->progress, "%s wrote no report: the counts are not known",
                          running->plan->runner);
        return 0;
    }
    AUTO_CLOSE int fd = store_open_object(running->engine->store, &file->digest, NULL, error);
    if (fd < 0)
        return -1;
    if (junit_read(fd, &running->search, &result->counts, &failure) < 0) {
        progress_note(running->engine->progress, "the counts are not known: %s", failure.text);
        return 0;
    }
    result->report = file->digest;
    result->has_report = true;
    return 0;
}

static void read_coverage(struct running *running, const struct check_file *file) {
    AUTO_CLOSE int fd = file->is_there ? store_open_object(running->engine->store, &file->digest, NULL, NULL) : -1;
    running->result->coverage = fd >= 0 ? coverage_read(fd, running->plan->coverage) : -1;
}

/* What a run printed that is not run again. */
static int replay(struct running *running, const struct check_file *file, struct error *error) {
    AUTO_CLOSE int fd = file->is_there ? store_open_object(running->engine->store, &file->digest, NULL, error) : -1;
    AUTO_FREE char *block = memory_allocate(BLOCK, 1);
    if (fd < 0)
        return file->is_there ? -1 : 0;
    for (ssize_t got; (got = read(fd, block, BLOCK)) != 0;) {
        if (got < 0)
            return error_set_errno(error, errno, "cannot read what the tests printed");
        output_read(&running->output, 1, block, (size_t)got);
    }
    return 0;
}

/* For tools that write no document: one is made of what they found. Of a tool's green run nothing was found, whatever
 * its lines say. */
static int make_report(struct running *running, enum test_verdict verdict, struct error *error) {
    struct test_result *result = running->result;
    AUTO_BUFFER struct buffer document = BUFFER(DOCUMENT_LIMIT);
    if (verdict != TEST_PASSED && verdict != TEST_FAILED)
        return 0;
    if (verdict == TEST_FAILED || running->plan->is_karma)
        result->counts = running->findings, running->findings = (struct junit){0};
    else
        result->counts = (struct junit){.tests = running->findings.skipped, .skipped = running->findings.skipped};
    if (result->counts.tests == 0 || (result->counts.failed == 0 && !running->plan->is_karma)) {
        result->counts.tests++;
        result->counts.passed = verdict == TEST_PASSED;
        result->counts.failed = verdict == TEST_FAILED;
    }
    result->counts.milliseconds = (uint64_t)result->milliseconds;
    junit_write(&result->counts, running->plan->runner, &document);
    if (buffer_check(&document, "the report", error) < 0 ||
        store_put(running->engine->store, buffer_text(&document), document.length, &result->report, error) < 0)
        return -1;
    result->has_report = true;
    return 0;
}

/* What went wrong outside of the tests is in no document. */
static void add_outside(struct running *running) {
    struct junit *counts = &running->result->counts, *outside = &running->findings;
    size_t total = counts->failure_count + outside->failure_count;
    counts->failures = memory_resize(counts->failures, total + 1, sizeof(*counts->failures));
    for (size_t i = 0; i < outside->failure_count; i++)
        counts->failures[counts->failure_count++] = outside->failures[i];
    counts->errors += outside->errors;
    outside->failure_count = 0;
}

/* A runner that was ended may still have said where it was. */
static void add_last_place(struct running *running) {
    struct junit *counts = &running->result->counts;
    struct place place;
    if (!output_last_place(&running->output, &place))
        return;
    counts->failures = memory_resize(counts->failures, counts->failure_count + 1, sizeof(*counts->failures));
    counts->failures[counts->failure_count++] = (struct junit_failure){
        .name = text_format("%s:%u", place.file, place.line),
        .message = running->result->verdict == TEST_TIMED_OUT
                       ? text_copy("the tests were here when their time was over")
                       : text_format("the tests were here when signal %d (%s) ended them",
                                     running->result->status - 128, strsignal(running->result->status - 128)),
        .place = place,
        .is_error = true,
    };
}

static enum test_verdict read_status(const struct test_plan *plan, const struct check_result *check,
                                     const struct junit *counts) {
    if (check->timed_out)
        return TEST_TIMED_OUT;
    if (check->status == 0)
        return TEST_PASSED;
    switch (plan->codes) {
    case TEST_CODE_ONE:
        return check->status == 1 ? TEST_FAILED : TEST_COULD_NOT_RUN;
    case TEST_CODE_REPORT:
        return check->status == 1 && counts->tests > 0 ? TEST_FAILED : TEST_COULD_NOT_RUN;
    case TEST_CODE_ANY:
        break;
    }
    return check->status < CANNOT_RUN_STATUS ? TEST_FAILED : TEST_COULD_NOT_RUN;
}

static int read_results(struct running *running, const struct check_result *check, struct error *error) {
    struct test_result *result = running->result;
    const struct test_plan *plan = running->plan;
    result->status = check->status;
    result->found = check->found;
    result->milliseconds = check->milliseconds;
    if (plan->writes_junit && read_report(running, &check->files[0], error) < 0)
        return -1;
    result->verdict = read_status(plan, check, plan->writes_junit ? &result->counts : &running->findings);
    read_coverage(running, &check->files[1]);
    if (result->verdict == TEST_PASSED && result->coverage < (double)running->request->coverage_minimum)
        result->verdict = TEST_UNCOVERED;
    if (plan->writes_junit && check->status != 0 && result->counts.bad == 0)
        add_outside(running);
    if (!plan->writes_junit && make_report(running, result->verdict, error) < 0)
        return -1;
    if (result->verdict == TEST_TIMED_OUT || result->status > 128)
        add_last_place(running);
    return 0;
}

/* ---- running ---- */

static int run_check(struct running *running, const struct container *container, const struct test_limits *limits,
                     struct error *error) {
    const struct test_plan *plan = running->plan;
    AUTO_FREE char *name = text_format("run %s", plan->runner);
    bool has_source = plan->has_source || plan->is_dockerfile;
    struct step_mount source = {.type = MOUNT_BIND_TREE,
                                .target = plan->directory,
                                .input_name = "source",
                                .tree = running->result->source,
                                .writable = true};
    struct check check = {.exec = {.name = name,
                                   .argv = &plan->argv,
                                   .environment = &plan->environment,
                                   .directory = plan->is_dockerfile ? running->directory : plan->directory,
                                   .user = "0",
                                   .services = running->request->services,
                                   .service_count = running->request->service_count,
                                   .mounts = &source,
                                   .mount_count = has_source ? 0 : 1},
                          .files = {plan->is_karma ? TEST_OUTPUT : TEST_JUNIT, plan->coverage},
                          .timeout = limits->timeout,
                          .again = limits->again,
                          .is_volatile = plan->is_volatile,
                          .output = output_read,
                          .output_context = &running->output};
    struct check_result result;
    if (check_run(running->engine, container, &check, &result, error) < 0)
        return -1;
    if (plan->is_karma && result.found && replay(running, &result.files[0], error) < 0)
        return -1;
    output_end(&running->output);
    return read_results(running, &result, error);
}

static int build_dockerfile(struct running *running, const char *platform, struct container *image,
                            struct error *error) {
    const struct test_request *request = running->request;
    struct dockerfile_build build = {.context = request->directory,
                                     .file = request->dockerfile,
                                     .platform = platform,
                                     .target = running->plan->target,
                                     .arguments = request->build_arguments,
                                     .secrets = request->secrets,
                                     .secret_count = request->secret_count,
                                     .credentials = request->credentials};
    return dockerfile_build(running->engine, &build, image, error);
}

/* Over what the image has there: of the source it may hold less than the tests need. */
static int lay_source_over(struct running *running, const struct container *image, struct container *output,
                           struct error *error) {
    const char *directory = json_text(json_get_path(image->config, "config.WorkingDir"));
    running->directory = text_copy(text_is_empty(directory) || text_equal(directory, "/") ? "/app" : directory);
    running->search.root = running->directory;
    struct step_copy copy = {
        .name = "lay the source over the working directory",
        .input_name = "source",
        .content = {.tree = running->result->source, .destination = running->directory, .mode = -1}};
    return step_copy(running->engine, image, &copy, output, error);
}

static int build_container(struct running *running, const char *platform, struct container *container,
                           struct error *error) {
    const struct test_request *request = running->request;
    const struct test_plan *plan = running->plan;
    AUTO_CONTAINER struct container image = {0};
    struct stack_result made = {0};
    struct stack_source source = {.directory = request->directory,
                                  .tree = request->tree,
                                  .base = request->base,
                                  .secrets = request->secrets,
                                  .secret_count = request->secret_count};
    if (plan->is_dockerfile && build_dockerfile(running, platform, &image, error) < 0)
        return -1;
    source.start = plan->is_dockerfile ? &image : NULL;
    int result = stack_build(running->engine, &source, &plan->plan, platform, &made, error);
    if (result == 0)
        result = tree_store(running->engine, request->tree, &running->result->source, error);
    if (result == 0 && plan->is_dockerfile)
        result = lay_source_over(running, &made.container, container, error);
    else if (result == 0)
        *container = container_share(&made.container);
    container_release(&made.container);
    free(made.base);
    return result;
}

static int build_and_run(struct running *running, const char *platform, const struct test_limits *limits,
                         struct error *error) {
    AUTO_CONTAINER struct container container = {0};
    if (build_container(running, platform, &container, error) < 0)
        return -1;
    running->result->container = container.digest;
    return run_check(running, &container, limits, error);
}

int test_run(struct engine *engine, const struct test_request *request, const struct test_plan *plan,
             const char *platform, const struct test_limits *limits, struct test_result *result, struct error *error) {
    *result = (struct test_result){.coverage = -1};
    struct running running = {
        .engine = engine,
        .request = request,
        .plan = plan,
        .result = result,
        .search = {.source = request->tree, .root = "/app", .folder = request->member, .order = plan->order}};
    output_reader_open(&running.output, &running.search,
                       plan->is_karma       ? FINDINGS_KARMA
                       : plan->writes_junit ? FINDINGS_RUNNER
                                            : FINDINGS_TOOL,
                       &running.findings);
    int done = build_and_run(&running, platform, limits, error);
    output_reader_release(&running.output);
    junit_release(&running.findings);
    free(running.directory);
    if (done < 0)
        test_result_release(result);
    return done;
}

void test_result_release(struct test_result *result) {
    junit_release(&result->counts);
}
