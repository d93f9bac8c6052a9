#include "tools/pl-test/report.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>

/* ---- the record ---- */

static void set_counts(struct json *record, const struct test_result *result) {
    const struct junit *counts = &result->counts;
    json_set_integer(record, "tests", (int64_t)counts->tests);
    json_set_integer(record, "passed", (int64_t)counts->passed);
    json_set_integer(record, "failed", (int64_t)counts->failed);
    json_set_integer(record, "errors", (int64_t)counts->errors);
    json_set_integer(record, "skipped", (int64_t)counts->skipped);
    json_set(record, "seconds", json_new_real((double)counts->milliseconds / 1000));
    if (result->coverage >= 0)
        json_set(record, "coverage", json_new_real(result->coverage));
}

static int write_record(const struct told *told, struct error *error) {
    const struct test_result *result = told->result;
    AUTO_FREE char *ref = text_format("file:%s", digest_format(&result->report).text);
    AUTO_FREE char *source = text_format("directory:%s", digest_format(&result->source).text);
    AUTO_FREE char *container = text_format("container:%s", digest_format(&result->container).text);
    struct record_list out = {0};
    struct record record = record_new(RECORD_REPORT, ref);
    struct json *from = json_new_array();
    json_set_text(record.json, "name", told->name);
    json_set_text(record.json, "suite", test_suite_name(told->suite));
    json_set_text(record.json, "runner", told->runner);
    set_counts(record.json, result);
    json_append_text(from, source);
    if (!told->without_container)
        json_append_text(from, container);
    json_set(record.json, "from", from);
    record_list_add(&out, record);
    int written = command_write_records(told->context, &out, error);
    record_list_release(&out);
    return written;
}

/* ---- for people ---- */

static void add_count(struct buffer *out, uint64_t count, const char *what) {
    if (count > 0)
        buffer_append_format(out, ", %llu %s", (unsigned long long)count, what);
}

/* The caller frees. */
static char *describe_findings(const struct junit *counts) {
    uint64_t found = counts->failure_count > 0 ? counts->failed : 0;
    if (counts->failed == 0)
        return text_copy("nothing found");
    if (found == 0)
        return text_copy("it found something");
    return text_format("%llu finding%s", (unsigned long long)found, found == 1 ? "" : "s");
}

static void say_summary(const struct told *told) {
    const struct test_result *result = told->result;
    const struct junit *counts = &result->counts;
    AUTO_BUFFER struct buffer text = BUFFER(1000);
    if (told->suite == TEST_UNIT) {
        buffer_append_format(&text, "%llu test%s", (unsigned long long)counts->tests, counts->tests == 1 ? "" : "s");
        add_count(&text, counts->passed, "passed");
        add_count(&text, counts->failed, "failed");
        add_count(&text, counts->errors, counts->errors == 1 ? "error" : "errors");
    } else {
        AUTO_FREE char *findings = describe_findings(counts);
        buffer_append_format(&text, "%s: %s", told->runner, findings);
    }
    add_count(&text, counts->skipped, told->suite == TEST_AUDIT ? "not audited" : "skipped");
    if (counts->milliseconds > 0)
        buffer_append_format(&text, ", %.2f s", (double)counts->milliseconds / 1000);
    if (result->coverage >= 0)
        buffer_append_format(&text, ", coverage %.4g %%", result->coverage);
    if (result->found)
        buffer_append_text(&text, " (passed before; not run again)");
    command_summary(told->context, "%s: %s", told->name, buffer_text(&text));
}

static void annotate(const struct told *told) {
    const struct junit *counts = &told->result->counts;
    for (size_t i = 0; i < counts->failure_count; i++) {
        const struct junit_failure *failure = &counts->failures[i];
        AUTO_FREE char *file = failure->place.file ? path_join(told->directory, failure->place.file) : NULL;
        command_annotate(told->context,
                         &(struct command_annotation){.file = file,
                                                      .line = failure->place.line,
                                                      .title = told->suite == TEST_UNIT ? failure->name : told->runner,
                                                      .message = failure->message});
    }
}

/* ---- verdicts ---- */

/* "pl-test DIR -- tests/test_a.py::test_b": only runners of Python take a test's name as it is reported. */
static void advise_failed(const struct told *told, struct error *error) {
    const struct junit *counts = &told->result->counts;
    if (counts->failure_count > 0 && strstr(counts->failures[0].name, ".py::"))
        error_next(error, "only the first of them: pl-test %s -- '%s'", told->given, counts->failures[0].name);
}

static int fail_tests(const struct told *told, struct error *error) {
    const struct junit *counts = &told->result->counts;
    if (told->suite != TEST_UNIT) {
        AUTO_FREE char *findings = describe_findings(counts);
        return error_set(error, ERROR_ANSWER_NO, "%s: %s", told->runner, findings);
    }
    if (counts->bad == 0 && counts->errors > 0)
        return error_set(error, ERROR_ANSWER_NO, "%s failed: %llu error%s outside of the tests", told->runner,
                         (unsigned long long)counts->errors, counts->errors == 1 ? "" : "s");
    if (counts->failed == 0 && counts->bad == 0)
        return error_set(error, ERROR_ANSWER_NO,
                         "%s failed with exit code %d, although no test failed: see what it says", told->runner,
                         told->result->status);
    if (counts->bad == 0)
        return error_set(error, ERROR_ANSWER_NO, "%s failed with exit code %d", told->runner, told->result->status);
    error_set(error, ERROR_ANSWER_NO, "%llu of %llu tests failed", (unsigned long long)counts->bad,
              (unsigned long long)counts->tests);
    advise_failed(told, error);
    return -1;
}

static int fail_to_run(const struct told *told, struct error *error) {
    int status = told->result->status;
    if (status > 128)
        return error_set(error, ERROR_STEP, "%s could not run to its end: signal %d (%s)", told->runner, status - 128,
                         strsignal(status - 128));
    if (told->suite != TEST_UNIT)
        return error_set(error, ERROR_STEP, "%s could not run: it failed with exit code %d", told->runner, status);
    if (text_equal(told->runner, "pytest") && status == 5) {
        error_set(error, ERROR_STEP, "pytest found no tests");
        return error_next(error, "it looks for functions test_* in files test_*.py and *_test.py");
    }
    if (told->result->counts.errors > 0)
        return error_set(error, ERROR_STEP,
                         "the tests could not run: %llu error%s before the first test (%s: exit code %d)",
                         (unsigned long long)told->result->counts.errors, told->result->counts.errors == 1 ? "" : "s",
                         told->runner, status);
    return error_set(error, ERROR_STEP, "the tests could not run: %s failed with exit code %d", told->runner, status);
}

static int fail(const struct told *told, struct error *error) {
    switch (told->result->verdict) {
    case TEST_PASSED:
        return 0;
    case TEST_FAILED:
        return fail_tests(told, error);
    case TEST_UNCOVERED:
        if (told->result->coverage < 0)
            return error_set(error, ERROR_STEP, "--coverage-min: %s did not say how much was covered", told->runner);
        return error_set(error, ERROR_ANSWER_NO, "the coverage is %.4g %%, less than the %lld %% of --coverage-min",
                         told->result->coverage, told->coverage_minimum);
    case TEST_TIMED_OUT:
        error_set(error, ERROR_TIMEOUT, "the tests did not end within %lld s (--timeout)", told->timeout);
        return error_next(error, "give them more time, or look at the test that was running");
    case TEST_COULD_NOT_RUN:
        break;
    }
    return fail_to_run(told, error);
}

int report_result(const struct told *told, struct error *error) {
    if (told->result->has_report && write_record(told, error) < 0)
        return -1;
    if (told->result->has_report)
        say_summary(told);
    annotate(told);
    return fail(told, error);
}
