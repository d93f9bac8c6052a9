/* engine/report: places in a text, JUnit documents of several runners, hostile documents. */
#include "common/base/text.h"
#include "common/evidence/audit.h"
#include "engine/report/coverage.h"
#include "engine/report/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char paths[][20] = {"src", "src/a.test.ts", "src/shop.py", "tests", "tests/test a.py", "tests/test_a.py"};
static struct tree_entry entries[] = {
    {.path = paths[0], .type = 'd'}, {.path = paths[1], .type = 'f'}, {.path = paths[2], .type = 'f'},
    {.path = paths[3], .type = 'd'}, {.path = paths[4], .type = 'f'}, {.path = paths[5], .type = 'f'},
};
static struct tree tree = {.entries = entries, .count = ARRAY_LENGTH(entries)};
static struct place_search last = {.source = &tree, .root = "/app", .order = PLACE_LAST};
static struct place_search first = {.source = &tree, .root = "/app", .order = PLACE_FIRST};

/* ---- places ---- */

static void is_at(const struct place_search *search, const char *preferred, const char *text, const char *file,
                  unsigned line) {
    struct place place;
    bool found = place_find(search, preferred, text, &place);
    if (found != (file != NULL) || (found && (!text_equal(place.file, file) || place.line != line)))
        fail_msg("\"%s\" is at %s:%u", text, place.file, place.line);
    free(place.file);
}

static void places_are_found_in_every_form(void **state) {
    (void)state;
    is_at(&last, NULL, "tests/test_a.py:12: AssertionError", "tests/test_a.py", 12);
    is_at(&last, NULL, "  File \"/app/tests/test_a.py\", line 7, in test", "tests/test_a.py", 7);
    is_at(&last, NULL, "  File \"/app/tests/test a.py\", line 7", "tests/test a.py", 7);
    is_at(&last, NULL, "    at Object.<anonymous> (/app/src/a.test.ts:5:17)", "src/a.test.ts", 5);
    is_at(&last, NULL, "    at file:///app/src/a.test.ts:6:1", "src/a.test.ts", 6);
    is_at(&last, NULL, " ❯ src/a.test.ts:8:2", "src/a.test.ts", 8);
    is_at(&last, NULL, "src/a.test.ts(3,5): error TS2322", "src/a.test.ts", 3);
    is_at(&last, NULL, "./src/shop.py:9:1: F401", "src/shop.py", 9);
}

static void what_is_no_file_of_the_source_is_no_place(void **state) {
    (void)state;
    static const char *const texts[] = {"/usr/lib/python3/x.py:1: in y",
                                        "tests:1: x",
                                        "tests/test_b.py:1",
                                        "tests/test_a.py: 1",
                                        "tests/test_a.py:0",
                                        "tests/test_a.py:99999999",
                                        "../tests/test_a.py:1",
                                        "/app:3",
                                        ":3",
                                        "12:30:45",
                                        "(((((::::1:1:1",
                                        "",
                                        "File \"tests/test_a.py",
                                        "File \"\", line 1"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        is_at(&last, NULL, texts[i], NULL, 0);
}

static void the_tests_own_file_goes_before_others(void **state) {
    (void)state;
    static const char text[] =
        "tests/test_a.py:3: \n_ _ _\nsrc/shop.py:10: \n_ _\ntests/test_a.py:4:\nsrc/shop.py:11: E";
    is_at(&last, "tests/test_a.py", text, "tests/test_a.py", 4);
    is_at(&first, "tests/test_a.py", text, "tests/test_a.py", 3);
    is_at(&last, NULL, text, "src/shop.py", 11);
    is_at(&first, NULL, text, "tests/test_a.py", 3);
    is_at(&last, "tests/other.py", text, "src/shop.py", 11);
}

static void paths_are_relative_to_where_the_tool_is_run(void **state) {
    (void)state;
    struct place_search inside = {.source = &tree, .root = "/app", .folder = "src", .order = PLACE_FIRST};
    is_at(&inside, NULL, "a.test.ts:4:1", "src/a.test.ts", 4);
    is_at(&inside, NULL, "/app/src/a.test.ts:4:1", "src/a.test.ts", 4);
    is_at(&inside, NULL, "tests/test_a.py:4", "tests/test_a.py", 4);
    is_at(&first, NULL, "a.test.ts:4:1", NULL, 0);
}

static void a_long_line_takes_no_long_time(void **state) {
    (void)state;
    size_t length = 1 << 20;
    char *text = memory_allocate(length + 1, 1);
    for (size_t i = 0; i < length; i++)
        text[i] = i % 2 ? '1' : ':';
    is_at(&last, NULL, text, NULL, 0);
    free(text);
}

/* ---- documents ---- */

static int read_text(const char *text, size_t length, const struct place_search *search, struct junit *junit,
                     struct error *error) {
    int fd = memfd_create("junit", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, text, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0);
    int result = junit_read(fd, search, junit, error);
    close(fd);
    return result;
}

static void read_junit(const char *text, const struct place_search *search, struct junit *junit) {
    struct error error = {0};
    if (read_text(text, strlen(text), search, junit, &error) < 0)
        fail_msg("%s", error.text);
}

static void has_counts(const struct junit *junit, uint64_t tests, uint64_t passed, uint64_t failed, uint64_t errors,
                       uint64_t skipped) {
    assert_int_equal(junit->tests, tests);
    assert_int_equal(junit->passed, passed);
    assert_int_equal(junit->failed, failed);
    assert_int_equal(junit->errors, errors);
    assert_int_equal(junit->skipped, skipped);
}

static void has_bad(const struct junit *junit, uint64_t bad) {
    assert_int_equal(junit->bad, bad);
}

static void is_failure(const struct junit_failure *failure, const char *name, const char *message, const char *file,
                       unsigned line) {
    assert_string_equal(failure->name, name);
    assert_string_equal(failure->message, message);
    if (!text_equal(failure->place.file, file) || failure->place.line != line)
        fail_msg("%s is at %s:%u", name, failure->place.file, failure->place.line);
}

static void a_document_of_pytest(void **state) {
    (void)state;
    AUTO_JUNIT struct junit junit;
    read_junit(
        "<?xml version='1.0' encoding='utf-8'?><testsuites><testsuite name='pytest' tests='9' time='1.2345'>"
        "<testcase classname='tests.test_a' name='test_ok' file='tests/test_a.py' line='3' time='0.000'/>"
        "<testcase classname='tests.test_a.TestC.TestD' name='test_deep[a.b]' file='tests/test_a.py' line='8'>"
        "<failure message='ValueError: x&#10;more'>tests/test_a.py:10: \n_ _\nsrc/shop.py:3: ValueError</failure>"
        "<system-out>tests/test_a.py:99: no place</system-out></testcase>"
        "<testcase classname='tests.test_a' name='test_s' file='tests/test_a.py' line='10'>"
        "<skipped type='pytest.skip' message='no'>/app/tests/test_a.py:11: no</skipped></testcase>"
        "<testcase classname='tests.test_a' name='test_both' file='tests/test_a.py' line='20'>"
        "<failure message='assert 0'>no place</failure></testcase>"
        "<testcase classname='tests.test_a' name='test_both' file='tests/test_a.py' line='20'>"
        "<error message='failed on teardown'>tests/test_a.py:18: RuntimeError</error></testcase>"
        "<testcase classname='' name='tests.test a' file='tests/test a.py' time='0'><error message='collection "
        "failure'>"
        "/usr/lib/python3.11/importlib/__init__.py:126: in import_module\n    return x\ntests/test a.py:1: in "
        "&lt;module&gt;\n    import nope\nE   ModuleNotFoundError: No module named 'nope'</error></testcase>"
        "</testsuite></testsuites>",
        &last, &junit);
    has_counts(&junit, 5, 1, 2, 2, 1);
    has_bad(&junit, 3);
    assert_int_equal(junit.milliseconds, 1235);
    assert_int_equal(junit.failure_count, 4);
    is_failure(&junit.failures[0], "tests/test_a.py::TestC::TestD::test_deep[a.b]", "ValueError: x\nmore",
               "tests/test_a.py", 10);
    is_failure(&junit.failures[1], "tests/test_a.py::test_both", "assert 0", "tests/test_a.py", 21);
    is_failure(&junit.failures[2], "tests/test_a.py::test_both", "failed on teardown", "tests/test_a.py", 18);
    assert_true(junit.failures[2].is_error);
    is_failure(&junit.failures[3], "tests/test a.py", "ModuleNotFoundError: No module named 'nope'", "tests/test a.py",
               1);
}

static void documents_of_javascript(void **state) {
    (void)state;
    AUTO_JUNIT struct junit vitest, node, jest;
    read_junit(
        "<testsuites name='vitest tests' tests='2' time='0.5'><testsuite name='src/a.test.ts' time='0.004'>"
        "<testcase classname='src/a.test.ts' name='sum &gt; adds' time='0.002'><failure message='expected 3 to "
        "be 4' type='AssertionError'>AssertionError: expected 3 to be 4\n ❯ src/a.test.ts:5:17\n ❯ "
        "src/a.test.ts:1:1</failure></testcase><testcase classname='src/a.test.ts' name='no'><skipped/></testcase>"
        "</testsuite></testsuites>",
        &first, &vitest);
    has_counts(&vitest, 2, 0, 1, 0, 1);
    assert_int_equal(vitest.milliseconds, 4);
    is_failure(&vitest.failures[0], "src/a.test.ts › sum > adds", "expected 3 to be 4", "src/a.test.ts", 5);
    read_junit("<testsuites><testcase name='adds' time='0.25' classname='test'/><testsuite name='s' time='0.5'>"
               "<testsuite name='inner' time='0.4'><testcase name='deep' classname='test'><failure type='t' "
               "message='boom'>[Error] { at (file:///app/src/a.test.ts:3:9) }</failure></testcase></testsuite>"
               "</testsuite></testsuites>",
               &first, &node);
    has_counts(&node, 2, 1, 1, 0, 0);
    assert_int_equal(node.milliseconds, 750);
    is_failure(&node.failures[0], "deep", "boom", "src/a.test.ts", 3);
    read_junit("<testsuites time='2'><testsuite name='x'><testcase classname='sum adds' name='sum adds' "
               "file='src/a.test.ts'><failure>\n  Error: one\n  two</failure></testcase></testsuite></testsuites>",
               &first, &jest);
    assert_int_equal(jest.milliseconds, 2000);
    is_failure(&jest.failures[0], "sum adds", "Error: one", "src/a.test.ts", 1);
    junit_release(&jest);
    read_junit(
        "<testsuites><testsuite><testcase classname='Test suite failed to run' name='src/a.test.ts' "
        "file='src/a.test.ts'><error>  ● Test suite failed to run\n\n    Cannot find module\n\n      at "
        "src/a.test.ts:4:1</error></testcase><testcase classname='Test suite failed to run' name='src/a.test.ts' "
        "file='src/a.test.ts'><failure>{\"code\":1}</failure></testcase></testsuite></testsuites>",
        &first, &jest);
    has_counts(&jest, 1, 0, 0, 1, 0);
    assert_int_equal(jest.failure_count, 1);
    is_failure(&jest.failures[0], "Test suite failed to run › src/a.test.ts", "Cannot find module", "src/a.test.ts", 4);
    junit_release(&node);
    read_junit("<testsuites><testcase name='src/a.test.ts' classname='test'><failure message='test failed'>x</failure>"
               "</testcase></testsuites>",
               &first, &node);
    is_failure(&node.failures[0], "src/a.test.ts", "test failed", "src/a.test.ts", 1);
}

static void an_error_of_a_whole_suite_counts(void **state) {
    (void)state;
    AUTO_JUNIT struct junit junit;
    read_junit("<testsuite><error message='cannot load'>at src/shop.py:2</error><testcase name='a'/></testsuite>",
               &last, &junit);
    has_counts(&junit, 2, 1, 0, 1, 0);
    is_failure(&junit.failures[0], "(outside of the tests)", "cannot load", "src/shop.py", 2);
}

static void only_the_first_failures_are_kept_and_all_are_counted(void **state) {
    (void)state;
    struct buffer text = BUFFER(4 << 20);
    AUTO_JUNIT struct junit junit;
    buffer_append_text(&text, "<testsuite>");
    for (int i = 0; i < 1000; i++)
        buffer_append_format(&text, "<testcase name='t%d'><failure>x</failure></testcase>", i);
    buffer_append_text(&text, "</testsuite>");
    read_junit(buffer_text(&text), &last, &junit);
    has_counts(&junit, 1000, 0, 1000, 0, 0);
    assert_int_equal(junit.failure_count, JUNIT_FAILURES_KEPT);
    buffer_release(&text);
}

static void of_a_long_text_the_begin_and_the_end_count(void **state) {
    (void)state;
    struct buffer text = BUFFER(32 << 20);
    AUTO_JUNIT struct junit in_order, in_reverse;
    buffer_append_text(&text, "<testsuite><testcase name='t'><failure>src/shop.py:1: a\n");
    for (int i = 0; i < 300000; i++)
        buffer_append_text(&text, "a line of the failure\n");
    buffer_append_text(&text, "src/shop.py:2: b</failure></testcase></testsuite>");
    read_junit(buffer_text(&text), &last, &in_order);
    read_junit(buffer_text(&text), &first, &in_reverse);
    is_failure(&in_order.failures[0], "t", "src/shop.py:1: a", "src/shop.py", 2);
    is_failure(&in_reverse.failures[0], "t", "src/shop.py:1: a", "src/shop.py", 1);
    buffer_release(&text);
}

static void what_is_no_junit_document_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "<html/>",
                                        "<testsuites>",
                                        "<!DOCTYPE a><testsuites/>",
                                        "<testsuites><testcase name='\x1b'/></testsuites>",
                                        "<testsuites/>trailing"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct error error = {0};
        struct junit junit;
        assert_int_equal(read_text(texts[i], strlen(texts[i]), &last, &junit, &error), -1);
        assert_int_equal(error.kind, ERROR_DATA);
        assert_null(junit.failures);
    }
}

static void strange_documents_are_counted_without_harm(void **state) {
    (void)state;
    static const char *const texts[] = {
        "<testsuites/>",
        "<testsuite><testcase time='0'/></testsuite>",
        "<testsuites><failure/><error/></testsuites>",
        "<testsuites time='nan'><testsuite time='-5'/><testsuite time='1e300'/></testsuites>",
        "<testsuite><testcase><testcase><failure/></testcase></testcase></testsuite>",
        "<testsuite><testcase><failure><failure/></failure><error/><skipped/></testcase></testsuite>",
        "<testsuite><testcase line='x' file='/etc/passwd' classname='../..'><error/></testcase></testsuite>",
        "<testsuite><testcase name='' classname='' file='tests/test_a.py' line='-1'><error/></testcase></testsuite>",
        "<testsuite><testcase name='n' classname='tests.test_a' file='tests/test_a.py'><error/></testcase></testsuite>",
        ("<testsuite><testcase name='n' classname='tests.test_a.' "
         "file='tests/test_a.py'><error/></testcase></testsuite>"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        AUTO_JUNIT struct junit junit;
        read_junit(texts[i], &last, &junit);
        assert_int_equal(junit.milliseconds, 0);
        assert_true(junit.passed + junit.failed + junit.errors + junit.skipped == junit.tests);
    }
}

/* ---- what tools print ---- */

/* Reads a text in pieces, as it may come. */
static void read_output_of(enum findings_kind kind, const char *text, struct junit *findings,
                           struct output_reader *reader) {
    *findings = (struct junit){0};
    output_reader_open(reader, &first, kind, findings);
    for (size_t at = 0, length = strlen(text); at < length; at += 7)
        output_read(reader, 1, text + at, length - at < 7 ? length - at : 7);
    output_end(reader);
}

static void read_output(const char *text, struct junit *findings, struct output_reader *reader) {
    read_output_of(FINDINGS_TOOL, text, findings, reader);
}

static void finds_outside(const char *text, size_t count, const char *name, const char *message, const char *file,
                          unsigned line) {
    struct junit findings;
    struct output_reader reader;
    read_output_of(FINDINGS_RUNNER, text, &findings, &reader);
    assert_int_equal(findings.errors, count);
    assert_int_equal(findings.failure_count, count);
    if (count > 0)
        is_failure(&findings.failures[0], name, message, file, line);
    junit_release(&findings);
    output_reader_release(&reader);
}

static void finds(const char *text, size_t count, const char *name, const char *message, const char *file,
                  unsigned line) {
    struct junit findings;
    struct output_reader reader;
    read_output(text, &findings, &reader);
    assert_int_equal(findings.failed, count);
    assert_int_equal(findings.failure_count, count);
    if (count > 0)
        is_failure(&findings.failures[0], name, message, file, line);
    junit_release(&findings);
    output_reader_release(&reader);
}

static void findings_of_linters_and_type_checkers(void **state) {
    (void)state;
    finds("src/shop.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.\n", 1, "src/shop.py:1",
          "F401 [*] `os` imported but unused", "src/shop.py", 1);
    finds("./src/shop.py:2:1: E302 expected 2 blank lines\n", 1, "src/shop.py:2", "E302 expected 2 blank lines",
          "src/shop.py", 2);
    finds(
        "src/shop.py:5: error: Incompatible return value  [return-value]\nsrc/shop.py:6: note: see\nFound 1 error in 1 "
        "file (checked 2 source files)\n",
        1, "src/shop.py:5", "error: Incompatible return value  [return-value]", "src/shop.py", 5);
    finds(
        "/app/src/shop.py\n  /app/src/shop.py:3:5 - error: \"x\" is wrong (reportX)\n  /app/src/shop.py:4:5 - warning: "
        "y\n1 error, 1 warning",
        1, "src/shop.py:3", "error: \"x\" is wrong (reportX)", "src/shop.py", 3);
    finds("\x1b[96msrc/a.test.ts\x1b[0m:\x1b[93m3\x1b[0m:\x1b[93m5\x1b[0m - error TS2322: no\r\n", 1, "src/a.test.ts:3",
          "error TS2322: no", "src/a.test.ts", 3);
    finds("src/a.test.ts(3,5): error TS2322: no", 1, "src/a.test.ts:3", "error TS2322: no", "src/a.test.ts", 3);
    finds("\n/app/src/a.test.ts\n  7:10  error  'x' is unused  no-unused-vars\n  8:1  warning  y  z\n\n✖ 2 problems\n",
          1, "src/a.test.ts:7", "'x' is unused  no-unused-vars", "src/a.test.ts", 7);
    finds("All checks passed!\nno/such.py:1:1: E1 x\n/etc/passwd:1: x\nsrc/shop.py:0:1: x\nsrc/shop.py: x\n", 0, NULL,
          NULL, NULL, 0);
}

#define KARMA "Chrome Headless 156.0.0.0 (Linux 0.0.0)"

static void counts_of_karma(const char *text, uint64_t tests, uint64_t passed, uint64_t failed, uint64_t skipped) {
    struct junit junit;
    struct output_reader reader;
    read_output_of(FINDINGS_KARMA, text, &junit, &reader);
    assert_int_equal(junit.tests, tests);
    assert_int_equal(junit.passed, passed);
    assert_int_equal(junit.failed, failed);
    assert_int_equal(junit.bad, failed);
    assert_int_equal(junit.skipped, skipped);
    junit_release(&junit);
    output_reader_release(&reader);
}

static void tests_of_karma_are_taken_from_its_lines(void **state) {
    (void)state;
    static const char red[] =
        "24 11 2026 10:51:37.668:INFO [karma-server]: Karma v6.4.4 server started\n"
        "\x1b[1A\x1b[2K" KARMA ": Executed 0 of 4 SUCCESS (0 secs / 0 secs)\n" KARMA " cart (old) adds up FAILED\n"
        "\tExpected 1 to be 2.\n\t    at <Jasmine>\n\t    at UserContext.apply (src/a.test.ts:32:15)\n"
        "\tExpected 'a' to equal 'b'.\n\t    at UserContext.apply (src/a.test.ts:33:17)\n" KARMA
        ": Executed 3 of 4 (1 FAILED) (skipped 1) (0.1 secs / 0.09 secs)\nTOTAL: 1 FAILED, 2 SUCCESS\n";
    struct junit junit;
    struct output_reader reader;
    counts_of_karma(red, 4, 2, 1, 1);
    read_output_of(FINDINGS_KARMA, red, &junit, &reader);
    assert_int_equal(junit.failure_count, 1);
    is_failure(&junit.failures[0], "cart (old) adds up", "Expected 1 to be 2.", "src/a.test.ts", 32);
    junit_release(&junit);
    output_reader_release(&reader);
    counts_of_karma(KARMA ": Executed 3 of 3 SUCCESS (0.1 secs / 0.09 secs)\nTOTAL: 3 SUCCESS\n", 3, 3, 0, 0);
    counts_of_karma(KARMA ": Executed 1 of 3 SUCCESS\n" KARMA ": Executed 1 of 3 DISCONNECTED (30 secs / 0 secs)\n", 0,
                    0, 0, 0);
    counts_of_karma(KARMA ": Executed 0 of 0 ERROR (0 secs / 0 secs)\n", 0, 0, 0, 0);
    counts_of_karma("Error: src/a.test.ts:3:5 - error TS2322: no.\n", 0, 0, 0, 0);
    counts_of_karma(KARMA " FAILED\n) FAILED\n\tx\n", 0, 0, 0, 0);
    counts_of_karma(KARMA ": Executed 99999999999999999999 of 1 (x FAILED) (skipped\n", 0, 0, 0, 0);
}

static void findings_of_pip_audit(void **state) {
    (void)state;
    struct junit findings;
    struct output_reader reader;
    finds("Found 1 known vulnerability in 1 package\nName  Version ID             Fix Versions\n----- ------- "
          "-------------- ------------\nflask 0.5     PYSEC-2019-179 1.0\n",
          1, "flask 0.5", "PYSEC-2019-179 1.0", NULL, 0);
    read_output(
        "No known vulnerabilities found\nName Skip Reason\n---- -----------\nmine not found on PyPI\nmore not found "
        "on PyPI\n\nno row\n",
        &findings, &reader);
    has_counts(&findings, 2, 0, 0, 0, 2);
    output_reader_release(&reader);
}

static void findings_of_npm_audit(void **state) {
    (void)state;
    finds("# npm audit report\n\nlodash  <=4.17.20\nSeverity: high\nCommand Injection in lodash - "
          "https://github.com/advisories/GHSA-35jh-r3h4-6jhm\nfix available via `npm audit "
          "fix`\nnode_modules/lodash\n\n1 "
          "high severity vulnerability\n",
          1, "lodash  <=4.17.20", "Severity: high", NULL, 0);
    finds("Severity: high\nfound 0 vulnerabilities\n", 0, NULL, NULL, NULL, 0);
}

static void what_runners_say_outside_of_the_tests(void **state) {
    (void)state;
    finds_outside(
        "✘ [ERROR] TS2307: Cannot find module './x'. [plugin angular-compiler]\n\n    src/a.test.ts:1:24:\n      1 │ "
        "import './x';\n",
        1, "src/a.test.ts:1", "TS2307: Cannot find module './x'. [plugin angular-compiler]", "src/a.test.ts", 1);
    finds_outside(
        "ImportError while loading conftest '/app/tests/test_a.py'.\ntests/test_a.py:1: in <module>\n    import "
        "nope\nsrc/shop.py:7: in <module>\n    x\nE   ModuleNotFoundError: No module named 'nope'\n",
        1, "src/shop.py:7", "ModuleNotFoundError: No module named 'nope'", "src/shop.py", 7);
    finds_outside("⎯⎯⎯ Unhandled Errors ⎯⎯⎯\n\nVitest caught 2 unhandled errors during the test run.\n\n⎯⎯⎯ Unhandled "
                  "Error ⎯⎯⎯\nError: Worker exited\n ❯ "
                  "X.y node_modules/v.js:3:1\n\n⎯⎯⎯ Unhandled Rejection ⎯⎯⎯\n\x1b[31mError: boom\x1b[0m\n ❯ "
                  "src/a.test.ts:5:3\n ❯ src/a.test.ts:9:3\n⎯⎯⎯⎯⎯⎯\n Test Files 1\n",
                  2, "(outside of the tests)", "Error: Worker exited", NULL, 0);
    finds_outside("⎯⎯ Unhandled Error ⎯⎯\nError: boom\n ❯ src/a.test.ts:5:3\n", 1, "(outside of the tests)",
                  "Error: boom", "src/a.test.ts", 5);
    finds_outside(
        "tests/test_a.py:12: AssertionError\nE   assert 0\nsrc/a.test.ts:1:2: error: x\n⎯⎯⎯ Failed Tests 1 ⎯⎯⎯\n", 0,
        NULL, NULL, NULL, 0);
}

static void the_place_where_a_runner_was_ended(void **state) {
    (void)state;
    static const struct {
        const char *text, *file;
        unsigned line;
    } cases[] = {
        {"src/shop.py:9: x\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  "
         "File "
         "\"/usr/lib/x.py\", line 1\n  File \"/app/tests/test_a.py\", line 5 in test\n  File \"/app/src/shop.py\", "
         "line 1\n",
         "tests/test_a.py", 5},
        {"src/shop.py:9: x\n!!! KeyboardInterrupt !!!\n/app/tests/test_a.py:4: KeyboardInterrupt\n", "tests/test_a.py",
         4},
        {"src/shop.py:9: x\n/usr/lib/python3.11/threading.py:4: KeyboardInterrupt\n", NULL, 0},
        {"src/shop.py:9: x\n", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct junit findings;
        struct output_reader reader;
        struct place place;
        read_output(cases[i].text, &findings, &reader);
        assert_int_equal(output_last_place(&reader, &place), cases[i].file != NULL);
        if (!text_equal(place.file, cases[i].file) || place.line != cases[i].line)
            fail_msg("it was at %s:%u", place.file, place.line);
        free(place.file);
        junit_release(&findings);
        output_reader_release(&reader);
    }
}

static void endless_output_is_read_within_its_limits(void **state) {
    (void)state;
    struct junit findings = {0};
    struct output_reader reader;
    output_reader_open(&reader, &first, FINDINGS_TOOL, &findings);
    for (int i = 0; i < 100000; i++) {
        output_read(&reader, 1, "src/shop.py:1:1: E1 x and a good deal more", 42);
        if (i % 2)
            output_read(&reader, 1, "\n", 1);
    }
    for (int i = 0; i < 10000; i++)
        output_read(&reader, 1, "a line that does not end and does not end and", 45);
    output_end(&reader);
    assert_int_equal(findings.failed, 50000);
    assert_int_equal(findings.failure_count, JUNIT_FAILURES_KEPT);
    assert_true(reader.tail.length <= OUTPUT_TAIL_LIMIT && !reader.tail.failed);
    junit_release(&findings);
    output_reader_release(&reader);
}

static double coverage_of(const char *name, const char *text) {
    int fd = memfd_create("coverage", MFD_CLOEXEC);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && lseek(fd, 0, SEEK_SET) == 0);
    double percent = coverage_read(fd, name);
    close(fd);
    return percent;
}

static void coverage_is_read_in_both_forms(void **state) {
    (void)state;
    static const char *const unknown[] = {"",
                                          "{}",
                                          "<coverage/>",
                                          "<coverage line-rate='x'/>",
                                          "<coverage line-rate='2'/>",
                                          "<coverage line-rate='-1'/>",
                                          "<coverage line-rate='nan'/>",
                                          "{\"total\":{\"lines\":{\"pct\":\"Unknown\"}}}",
                                          "{\"total\":{\"lines\":{\"pct\":101}}}",
                                          "[1]",
                                          "<other line-rate='1'/>"};
    assert_true(coverage_of("coverage.xml", "<?xml version='1.0'?><!-- c --><coverage line-rate='0.83333' x='1'><!") ==
                83.33);
    assert_true(coverage_of("coverage.xml", "<coverage line-rate='1'/>") == 100);
    assert_true(coverage_of("a/coverage-summary.json", "{\"total\":{\"lines\":{\"pct\":66.666}}}") == 66.67);
    assert_true(coverage_of("a/coverage-summary.json", "{\"total\":{\"lines\":{\"pct\":0}}}") == 0);
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++) {
        assert_true(coverage_of("coverage.xml", unknown[i]) == -1);
        assert_true(coverage_of("coverage.json", unknown[i]) == -1);
    }
}

static void a_written_document_is_read_back(void **state) {
    (void)state;
    struct junit_failure failures[] = {
        {.name = text_copy("src/shop.py:3"), .message = text_copy("<&>\"'\n\x1b[1m é"), .place = {paths[2], 3}},
        {.name = text_copy("flask 0.5"), .message = text_copy("bad"), .is_error = true}};
    struct junit written = {.tests = 2, .failed = 1, .errors = 1, .failures = failures, .failure_count = 2};
    AUTO_BUFFER struct buffer text = BUFFER(1 << 20);
    AUTO_JUNIT struct junit read, empty;
    junit_write(&written, "a \"tool\"", &text);
    read_junit(buffer_text(&text), &first, &read);
    has_counts(&read, 2, 0, 1, 1, 0);
    is_failure(&read.failures[0], "src/shop.py:3", "<&>\"'\n?[1m é", "src/shop.py", 3);
    is_failure(&read.failures[1], "flask 0.5", "bad", NULL, 0);
    buffer_clear(&text);
    junit_write(&(struct junit){.tests = 1, .passed = 1}, "ruff", &text);
    read_junit(buffer_text(&text), &first, &empty);
    has_counts(&empty, 1, 1, 0, 0, 0);
    for (size_t i = 0; i < 2; i++) {
        free(failures[i].name);
        free(failures[i].message);
    }
}

/* low, medium, high, critical, unknown; then the first finding. */
static void audits_of_other_tools(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"auditReportVersion\": 2, \"vulnerabilities\": {\"lodash\": {\"severity\": \"high\", \"range\": "
         "\"<=4.17.20\", "
         "\"via\": [{\"title\": \"Command Injection\"}]}, \"x\": {\"severity\": \"moderate\", \"via\": [\"lodash\"]}}}",
         "npm audit 0 1 1 0 0 high a finding of lodash <=4.17.20: Command Injection"},
        {"{\"auditReportVersion\": 2, \"vulnerabilities\": {}}", "npm audit 0 0 0 0 0"},
        {"{\"dependencies\": [{\"name\": \"flask\", \"version\": \"0.5\", \"vulns\": [{\"id\": \"PYSEC-2019-179\", "
         "\"description\": \"DoS\"}]}, {\"name\": \"jinja2\", \"version\": \"3\", \"vulns\": []}], \"fixes\": []}",
         "pip-audit 0 0 0 0 1 unknown PYSEC-2019-179 of flask 0.5: DoS"},
        {"{\"SchemaVersion\": 2, \"ArtifactName\": \"a\", \"Metadata\": {\"ImageID\": \"sha256:1\"}, \"Results\": "
         "[{\"Vulnerabilities\": [{\"VulnerabilityID\": \"CVE-1\", \"PkgName\": \"zlib\", \"InstalledVersion\": \"1\", "
         "\"Severity\": \"CRITICAL\", \"Title\": \"t\"}, {\"Severity\": \"NEW\"}]}, {\"Misconfigurations\": "
         "[{\"Status\": "
         "\"PASS\", \"Severity\": \"HIGH\"}], \"Secrets\": [{\"RuleID\": \"key\", \"Severity\": \"LOW\"}]}]}",
         "Trivy 1 0 0 1 1 critical CVE-1 of zlib 1: t"},
        {"{\"SchemaVersion\": 2, \"ArtifactName\": \"a\"}", "Trivy 0 0 0 0 0"},
        {"{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"rules\": [{\"id\": \"r\", \"properties\": "
         "{\"security-severity\": \"9.8\"}}]}}, \"results\": [{\"ruleId\": \"r\", \"level\": \"note\", \"message\": "
         "{\"text\": "
         "\"m\"}}, {\"ruleId\": \"s\", \"level\": \"error\"}, {}, {\"kind\": \"pass\"}, {\"level\": \"none\"}]}]}",
         "SARIF 0 1 1 1 0 critical r: m"},
    };
    static const char *const bad[] = {"{}", "[]", "{\"runs\": 1}", "{\"dependencies\": {\"a\": \"1\"}}",
                                      "{\"vulnerabilities\": {}}"};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_JSON struct json *document = json_parse(cases[i].text, strlen(cases[i].text), "test", NULL);
        AUTO_AUDIT struct audit audit = {0};
        assert_int_equal(audit_read(document, "test", &audit, NULL), 0);
        const uint64_t *counts = audit.findings.counts;
        const struct audit_finding *first_one = audit.kept_count ? audit.kept : NULL;
        AUTO_FREE char *text =
            text_format("%s %u %u %u %u %u%s%s%s%s", audit.form, (unsigned)counts[0], (unsigned)counts[1],
                        (unsigned)counts[2], (unsigned)counts[3], (unsigned)counts[4], first_one ? " " : "",
                        first_one ? first_one->name : "", first_one ? ": " : "", first_one ? first_one->message : "");
        assert_string_equal(text, cases[i].says);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        AUTO_JSON struct json *document = json_parse(bad[i], strlen(bad[i]), "test", NULL);
        AUTO_AUDIT struct audit audit = {0};
        struct error error = {0};
        assert_int_equal(audit_read(document, "test", &audit, &error), -1);
        assert_int_equal(error.kind, ERROR_DATA);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_found_in_every_form),
        cmocka_unit_test(what_is_no_file_of_the_source_is_no_place),
        cmocka_unit_test(the_tests_own_file_goes_before_others),
        cmocka_unit_test(paths_are_relative_to_where_the_tool_is_run),
        cmocka_unit_test(a_long_line_takes_no_long_time),
        cmocka_unit_test(a_document_of_pytest),
        cmocka_unit_test(documents_of_javascript),
        cmocka_unit_test(an_error_of_a_whole_suite_counts),
        cmocka_unit_test(only_the_first_failures_are_kept_and_all_are_counted),
        cmocka_unit_test(of_a_long_text_the_begin_and_the_end_count),
        cmocka_unit_test(what_is_no_junit_document_is_refused),
        cmocka_unit_test(strange_documents_are_counted_without_harm),
        cmocka_unit_test(findings_of_linters_and_type_checkers),
        cmocka_unit_test(tests_of_karma_are_taken_from_its_lines),
        cmocka_unit_test(findings_of_pip_audit),
        cmocka_unit_test(findings_of_npm_audit),
        cmocka_unit_test(what_runners_say_outside_of_the_tests),
        cmocka_unit_test(the_place_where_a_runner_was_ended),
        cmocka_unit_test(endless_output_is_read_within_its_limits),
        cmocka_unit_test(coverage_is_read_in_both_forms),
        cmocka_unit_test(a_written_document_is_read_back),
        cmocka_unit_test(audits_of_other_tools),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
