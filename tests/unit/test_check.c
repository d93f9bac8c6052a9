/* engine/check: verdicts, what is kept of a check, what is found again. In a root file system made of busybox. */
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/base.h"
#include "engine/check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[] = "/tmp/pl-test-check-XXXXXX";
static struct engine engine;
static struct container base;
static char printed[4096];

static int make_base(struct error *error) {
    AUTO_FREE char *root = path_join(folder, "root"), *tar = path_join(folder, "root.tar");
    AUTO_FREE char *script = text_format(
        "mkdir -p %s/bin && cp /bin/busybox %s/bin/ && ln -s busybox %s/bin/sh && ln -s busybox %s/bin/ln && "
        "ln -s busybox %s/bin/mkdir && tar -C %s -cf %s .",
        root, root, root, root, root, root, tar);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    AUTO_FREE char *reference = text_format("rootfs:%s", tar);
    if (process_run_checked(&(struct process){.argv = argv}, error) < 0)
        return -1;
    return base_resolve(&engine, reference, platform_native(), &base, error);
}

static int set_up(void **state) {
    (void)state;
    struct error error = {0};
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return -1;
    AUTO_FREE char *place = path_join(folder, "store");
    engine = (struct engine){.store = store_open(place, NULL), .scope = folder};
    if (!engine.store || make_base(&error) < 0)
        print_error("%s\n", error.text);
    return base.config ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    container_release(&base);
    store_close(&engine.store);
    return tree_remove(folder, NULL);
}

static void keep_output(void *context, int stream, const char *data, size_t length) {
    (void)context, (void)stream;
    size_t used = strlen(printed);
    for (size_t i = 0; i < length && used < sizeof(printed) - 1; i++)
        printed[used++] = data[i];
    printed[used] = '\0';
}

static struct check_result run(const char *script, struct check check) {
    AUTO_LIST struct text_list argv = {0};
    struct check_result result;
    struct error error = {0};
    text_list_add(&argv, "/bin/sh");
    text_list_add(&argv, "-c");
    text_list_add(&argv, script);
    printed[0] = '\0';
    check.exec.name = "the check";
    check.exec.argv = &argv;
    check.files[0] = "report.xml";
    check.files[1] = "folder/coverage.json";
    check.output = keep_output;
    if (check_run(&engine, &base, &check, &result, &error) < 0)
        fail_msg("%s", error.text);
    return result;
}

static char *content_of(const struct check_file *file) {
    struct buffer text = BUFFER(4096);
    assert_true(file->is_there);
    assert_int_equal(store_read(engine.store, &file->digest, &text, NULL), 0);
    return buffer_take(&text);
}

static void a_green_check_is_found_again_with_its_files(void **state) {
    (void)state;
    static const char script[] = "echo it runs; echo '<r/>' > /run/pl/results/report.xml; echo x > /left-behind";
    struct check_result result = run(script, (struct check){0});
    assert_int_equal(result.status, 0);
    assert_false(result.found);
    assert_string_equal(printed, "it runs\n");
    AUTO_FREE char *first = content_of(&result.files[0]);
    assert_string_equal(first, "<r/>\n");
    result = run(script, (struct check){0});
    assert_true(result.found);
    assert_int_equal(result.status, 0);
    assert_string_equal(printed, "");
    AUTO_FREE char *second = content_of(&result.files[0]);
    assert_string_equal(second, "<r/>\n");
    assert_false(run(script, (struct check){.again = true}).found);
    assert_false(run(script, (struct check){.is_volatile = true}).found);
    assert_int_equal(run("test ! -e /left-behind", (struct check){0}).status, 0);
}

static void a_red_check_is_run_every_time_and_its_files_are_kept(void **state) {
    (void)state;
    static const char script[] = "echo again; echo red > /run/pl/results/report.xml; exit 3";
    for (int i = 0; i < 2; i++) {
        struct check_result result = run(script, (struct check){0});
        assert_int_equal(result.status, 3);
        assert_false(result.found);
        assert_string_equal(printed, "again\n");
        AUTO_FREE char *content = content_of(&result.files[0]);
        assert_string_equal(content, "red\n");
    }
}

static void what_is_printed_keeps_its_order(void **state) {
    (void)state;
    run("for i in 1 2 3; do echo out $i; echo err $i >&2; done", (struct check){0});
    assert_string_equal(printed, "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n");
}

static void a_signal_is_told(void **state) {
    (void)state;
    assert_int_equal(run("kill -SEGV $$", (struct check){0}).status, 128 + SIGSEGV);
}

static void a_check_that_is_late_is_no_success_and_keeps_what_it_wrote(void **state) {
    (void)state;
    static const char script[] = "trap 'echo late > /run/pl/results/report.xml; exit 0' INT; /bin/busybox sleep 1000";
    for (int i = 0; i < 2; i++) {
        struct check_result result = run(script, (struct check){.timeout = 1});
        assert_true(result.timed_out);
        assert_false(result.found);
        AUTO_FREE char *content = content_of(&result.files[0]);
        assert_string_equal(content, "late\n");
    }
}

static void a_time_limit_is_no_part_of_the_key(void **state) {
    (void)state;
    assert_false(run("exit 0 # limit", (struct check){.timeout = 100}).found);
    assert_true(run("exit 0 # limit", (struct check){.timeout = 200}).found);
}

static void results_that_are_no_files_are_not_taken(void **state) {
    (void)state;
    static const char *const scripts[] = {
        "ln -s /etc/passwd /run/pl/results/report.xml", "/bin/busybox mkfifo /run/pl/results/report.xml",
        "/bin/busybox mkdir /run/pl/results/report.xml", "/bin/busybox truncate -s 200M /run/pl/results/report.xml",
        "/bin/busybox rmdir /run/pl/results; true"};
    for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++) {
        AUTO_FREE char *script = text_format("%s; exit 0", scripts[i]);
        struct check_result result = run(script, (struct check){0});
        assert_int_equal(result.status, 0);
        assert_false(result.files[0].is_there);
    }
    AUTO_FREE char *outside = path_join(folder, "coverage.json");
    assert_int_equal(file_write_atomic(outside, "ours", 4, 0644, NULL), 0);
    AUTO_FREE char *script = text_format("ln -s %s /run/pl/results/folder", folder);
    assert_false(run(script, (struct check){0}).files[1].is_there);
    struct check_result result =
        run("mkdir /run/pl/results/folder; echo theirs > /run/pl/results/folder/coverage.json", (struct check){0});
    AUTO_FREE char *content = content_of(&result.files[1]);
    assert_string_equal(content, "theirs\n");
}

static void a_program_that_is_missing_is_an_error(void **state) {
    (void)state;
    AUTO_LIST struct text_list argv = {0};
    text_list_add(&argv, "/bin/nothing");
    struct check check = {.exec = {.name = "the check", .argv = &argv}};
    struct check_result result;
    struct error error = {0};
    assert_int_equal(check_run(&engine, &base, &check, &result, &error), -1);
    assert_int_equal(error.kind, ERROR_STEP);
    assert_string_equal(error.text, "the check: /bin/nothing was not found in the container");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_green_check_is_found_again_with_its_files),
        cmocka_unit_test(a_red_check_is_run_every_time_and_its_files_are_kept),
        cmocka_unit_test(what_is_printed_keeps_its_order),
        cmocka_unit_test(a_signal_is_told),
        cmocka_unit_test(a_check_that_is_late_is_no_success_and_keeps_what_it_wrote),
        cmocka_unit_test(a_time_limit_is_no_part_of_the_key),
        cmocka_unit_test(results_that_are_no_files_are_not_taken),
        cmocka_unit_test(a_program_that_is_missing_is_an_error),
    };
    return cmocka_run_group_tests_name("check", tests, set_up, tear_down);
}
