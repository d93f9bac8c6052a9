#include "chain/services.h"
#include "chain/shell.h"
#include "common/command/source.h"
#include "common/evidence/audit.h"
#include "common/file/file.h"
#include "engine/credential_files.h"
#include "engine/stacks/components.h"
#include "engine/stacks/test.h"
#include "gcp/credentials/credentials.h"
#include "registry/registries.h"
#include "tools/pl-test/command.h"
#include "tools/pl-test/report.h"

#include <string.h>

enum { FINDINGS_LIMIT = 1 << 20, PLAN_LIMIT = 4 * 1024 * 1024, TIMEOUT_LIMIT = 7 * 24 * 3600 };

struct testing {
    struct command_context *context;
    const struct arguments *arguments;
    struct engine engine;
    const char *given; /* the directory as the user named it */
    char *directory;   /* absolute */
    char *root;        /* of the workspace that it is a member of, or the same */
    char *member;      /* its path there, or "" */
    char *name;
    struct source_secrets given_secrets;
    struct step_secret secrets[SOURCE_SECRET_LIMIT];
    struct credential_check credentials; /* of a Dockerfile's context */
    struct chain_services services;
    struct tree tree, image;
    struct test_request request;
};

static void testing_release(struct testing *testing) {
    source_secrets_release(&testing->given_secrets);
    chain_services_release(&testing->services);
    credential_check_release(&testing->credentials);
    tree_release(&testing->tree);
    tree_release(&testing->image);
    store_close(&testing->engine.store);
    lock_release(&testing->engine.lock);
    free(testing->directory);
    free(testing->root);
    free(testing->member);
    free(testing->name);
}

static int check_numbers(const struct arguments *arguments, struct error *error) {
    if (arguments->coverage_minimum > 100)
        return error_set(error, ERROR_USAGE, "--coverage-min takes a number up to 100");
    if (arguments->timeout == 0 || arguments->timeout > TIMEOUT_LIMIT)
        return error_set(error, ERROR_USAGE, "--timeout takes a time from 1s to 7d");
    return 0;
}

static int read_secrets(struct testing *testing, struct error *error) {
    if (source_read_secrets(&testing->arguments->secrets, &testing->given_secrets, error) < 0)
        return -1;
    for (size_t i = 0; i < testing->given_secrets.count; i++) {
        const struct source_secret *secret = &testing->given_secrets.items[i];
        testing->secrets[i] =
            (struct step_secret){.id = secret->id, .data = secret->value, .length = strlen(secret->value)};
    }
    return 0;
}

static int prepare(struct testing *testing, struct error *error) {
    const struct arguments *arguments = testing->arguments;
    const struct command_context *context = testing->context;
    testing->given = context->operand_count ? context->operands[0] : ".";
    if (check_numbers(arguments, error) < 0 || source_check_pairs(&arguments->environment, "--env", error) < 0 ||
        source_epoch(&testing->engine.epoch, error) < 0)
        return -1;
    testing->directory = source_directory(testing->given, error);
    testing->name = testing->directory ? source_name(arguments->name, testing->directory, error) : NULL;
    if (!testing->name || read_secrets(testing, error) < 0)
        return -1;
    testing->credentials =
        (struct credential_check){.directory = testing->directory, .allowed = &arguments->allowed_files};
    testing->request = (struct test_request){.kind = STACK_DOCKERFILE,
                                             .directory = testing->directory,
                                             .tree = &testing->tree,
                                             .image = &testing->image,
                                             .base = arguments->base,
                                             .dockerfile = arguments->file,
                                             .target = arguments->target,
                                             .build_arguments = &arguments->build_arguments,
                                             .credentials = &testing->credentials,
                                             .secrets = testing->secrets,
                                             .secret_count = testing->given_secrets.count,
                                             .arguments = context->rest,
                                             .argument_count = context->rest_count,
                                             .coverage_minimum = arguments->coverage_minimum,
                                             .environment = &arguments->environment};
    if (!test_suite_parse(arguments->suite, &testing->request.suite))
        return error_set(error, ERROR_INTERNAL, "the suite %s has no meaning", arguments->suite);
    if (arguments->coverage_minimum >= 0 && testing->request.suite != TEST_UNIT)
        return error_set(error, ERROR_USAGE, "--coverage-min is for the suite unit");
    if (arguments->findings && (testing->request.suite != TEST_AUDIT || context->rest_count > 0))
        return error_set(error, ERROR_USAGE, "--findings goes with --suite audit, and nothing is run then");
    return 0;
}

static int print_plan(struct testing *testing, const struct test_plan *plan, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(PLAN_LIMIT);
    return test_plan_print(plan, &text, error) < 0 ? -1 : command_print(testing->context, buffer_text(&text), error);
}

/* What counts is a run of the whole suite as the project says it: a part of it, or one in another environment, says
 * nothing of the source. */
static int keep_evidence(const struct testing *testing, const struct test_result *result,
                         const struct evidence_findings *findings, struct error *error) {
    const struct evidence_source source = {.tree = tree_digest(&testing->image), .member = testing->member};
    const struct evidence_test test = {
        .passed = result->verdict == TEST_PASSED || result->verdict == TEST_UNCOVERED,
        .coverage = result->coverage,
        .tests = result->counts.tests,
        .report = result->has_report ? &result->report : NULL,
        .findings = *findings,
    };
    if (testing->context->rest_count > 0 || testing->arguments->environment.count > 0)
        return 0;
    return evidence_write_test(testing->engine.store, &source, test_suite_name(testing->request.suite), &test, error);
}

static int tell(const struct testing *testing, const struct test_result *result, const char *runner,
                struct error *error) {
    return report_result(&(struct told){.context = testing->context,
                                        .name = testing->name,
                                        .given = testing->given,
                                        .directory = testing->request.directory,
                                        .runner = runner,
                                        .without_container = testing->arguments->findings != NULL,
                                        .suite = testing->request.suite,
                                        .timeout = testing->arguments->timeout,
                                        .coverage_minimum = testing->arguments->coverage_minimum,
                                        .result = result},
                         error);
}

static void count_findings(const struct audit *audit, struct junit *counts) {
    *counts = (struct junit){.tests = audit->total + audit->skipped,
                             .failed = audit->total,
                             .bad = audit->total,
                             .skipped = audit->skipped,
                             .failures = memory_allocate(AUDIT_KEPT, sizeof(*counts->failures))};
    for (size_t i = 0; i < audit->kept_count; i++)
        counts->failures[counts->failure_count++] = (struct junit_failure){
            .name = text_copy(audit->kept[i].name), .message = text_copy(audit->kept[i].message)};
}

/* Nothing is run: another tool has looked at this source. */
static int take_findings(struct testing *testing, struct error *error) {
    AUTO_AUDIT struct audit audit = {0};
    AUTO_TEST_RESULT struct test_result result = {.coverage = -1, .has_report = true};
    AUTO_BUFFER struct buffer document = BUFFER(FINDINGS_LIMIT);
    if (audit_read_file(testing->arguments->findings, &audit, error) < 0 ||
        tree_store(&testing->engine, &testing->tree, &result.source, error) < 0)
        return -1;
    result.verdict = audit.total ? TEST_FAILED : TEST_PASSED;
    count_findings(&audit, &result.counts);
    junit_write(&result.counts, audit.form, &document);
    if (buffer_check(&document, "the report", error) < 0 ||
        store_put(testing->engine.store, buffer_text(&document), document.length, &result.report, error) < 0 ||
        keep_evidence(testing, &result, &audit.findings, error) < 0)
        return -1;
    return tell(testing, &result, audit.form, error);
}

static int run_tests(struct testing *testing, const struct test_plan *plan, struct error *error) {
    const struct arguments *arguments = testing->arguments;
    AUTO_TEST_RESULT struct test_result result = {0};
    struct test_limits limits = {.timeout = arguments->timeout > 0 ? (unsigned)arguments->timeout : 0,
                                 .again = arguments->no_cache};
    if (test_run(&testing->engine, &testing->request, plan, platform_native(), &limits, &result, error) < 0)
        return -1;
    const struct evidence_findings findings = {.is_known = testing->request.suite == TEST_AUDIT &&
                                                           result.verdict == TEST_PASSED};
    return keep_evidence(testing, &result, &findings, error) < 0 ? -1 : tell(testing, &result, plan->runner, error);
}

/* A member of a workspace is installed from the workspace's lock file. */
static int find_stack(struct testing *testing, struct error *error) {
    struct test_request *request = &testing->request;
    if (request->dockerfile)
        return 0;
    if (stack_find(testing->directory, &request->kind, error) < 0)
        return -1;
    if (request->kind == STACK_DOCKERFILE)
        return 0;
    if (workspace_locate(testing->directory, &testing->root, &testing->member, error) < 0)
        return -1;
    request->directory = testing->root;
    request->member = testing->member;
    return 0;
}

static int check_dockerfile_options(const struct testing *testing, const struct test_plan *plan, struct error *error) {
    const struct arguments *arguments = testing->arguments;
    if (plan->is_dockerfile && arguments->base)
        return error_set(error, ERROR_USAGE, "--base is for sources without a Dockerfile: FROM names the base here");
    if (!plan->is_dockerfile && (arguments->target || arguments->build_arguments.count))
        return error_set(error, ERROR_USAGE, "--target and --build-arg are for Dockerfiles; there is none here");
    return 0;
}

static int open_services(struct testing *testing, struct error *error) {
    if (chain_services_read(&testing->engine, &testing->arguments->services, &testing->services, error) < 0)
        return -1;
    testing->request.services = testing->services.items;
    testing->request.service_count = testing->services.count;
    return 0;
}

static int test(struct testing *testing, struct error *error) {
    AUTO_GOOGLE_LOGIN struct google_login login = {.options = &testing->arguments->credentials};
    AUTO_REGISTRIES struct registries registries = {
        .progress = testing->context->progress, .open = google_login_open, .context = &login};
    AUTO_TEST_PLAN struct test_plan plan = {0};
    struct image_source source = registries_source(&registries);
    struct package_source packages = registries_packages(&registries);
    if (prepare(testing, error) < 0)
        return -1;
    testing->engine.progress = testing->context->progress;
    testing->engine.source = &source;
    testing->engine.packages = &packages;
    testing->engine.explain = testing->arguments->explain;
    if (testing->arguments->shell_on_failure)
        shell_on_failure(&testing->engine, testing->context);
    testing->engine.scope = testing->directory;
    AUTO_FREE char *lock = path_join(testing->directory, "pl.lock");
    if (lock_read(lock, &testing->engine.lock, error) < 0)
        return -1;
    testing->engine.store = store_open(NULL, error);
    if (!testing->engine.store || find_stack(testing, error) < 0 ||
        stack_scan_tests(&testing->engine, testing->request.directory, &testing->arguments->allowed_files,
                         &testing->tree, &testing->image, error) < 0)
        return -1;
    if (testing->arguments->findings)
        return take_findings(testing, error);
    if (open_services(testing, error) < 0 || test_detect(&testing->request, &plan, error) < 0 ||
        check_dockerfile_options(testing, &plan, error) < 0)
        return -1;
    return testing->arguments->plan ? print_plan(testing, &plan, error) : run_tests(testing, &plan, error);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct testing testing = {.context = context, .arguments = arguments};
    int result = test(&testing, error);
    testing_release(&testing);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_test_command, run, argc, argv);
}
