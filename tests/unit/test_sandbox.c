/* engine/sandbox: a root file system made of busybox, run in each mode. Modes are entered in children, for a process
 * enters once. */
#include "common/base/buffer.h"
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/sandbox/sandbox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Runs a line of shell; the test's own, never from outside. */
static int shell(const char *line) {
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    int status = -1;
    return process_run(&(struct process){.argv = argv}, &status, NULL) == 0 ? status : -1;
}

static char folder[] = "/tmp/pl-test-sandbox-XXXXXX";
static char *lower;

static const char *const applets[] = {"sh",    "cat", "ls",   "rm",    "id",  "touch", "sleep",
                                      "mkdir", "ip",  "true", "mount", "ps",  "wget",  "hostname",
                                      "kill",  "ln",  "env",  "chown", "stat"};

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return -1;
    lower = path_join(folder, "lower");
    AUTO_FREE char *make = text_format("mkdir -p %s/bin %s/etc %s/tmp && cp /bin/busybox %s/bin/ && "
                                       "printf 'root:x:0:0::/root:/bin/sh\\napp:x:1000:1000::/home/app:/bin/sh\\n' > "
                                       "%s/etc/passwd && echo old > %s/etc/old && chmod 1777 %s/tmp",
                                       lower, lower, lower, lower, lower, lower, lower);
    if (shell(make) != 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(applets); i++) {
        AUTO_FREE char *link = text_format("%s/bin/%s", lower, applets[i]);
        if (symlink("busybox", link) < 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(lower);
    return tree_remove(folder, NULL);
}

/* What a child tells us, in shared memory. */
struct result {
    int returned, status;
    size_t length;
    char output[8192];
    struct error error;
};

static void collect(void *context, int stream, const char *data, size_t length) {
    struct result *result = context;
    (void)stream;
    for (size_t i = 0; i < length && result->length < sizeof(result->output) - 1; i++)
        result->output[result->length++] = data[i];
}

struct attempt {
    const char *mode, *script, *user;
    enum sandbox_network network;
    const struct sandbox_mount *mounts;
    size_t mount_count;
    uint64_t memory;
    unsigned timeout;
    size_t layers; /* how often the one layer is there; 0: once */
};

static void run_inside(const struct attempt *attempt, struct result *result) {
    struct text_list argv = {0}, environment = {0};
    AUTO_FREE char *upper = path_join(folder, "upper"), *scratch = path_join(folder, "scratch");
    const char *lowers[] = {lower, lower, lower};
    setenv("PL_SANDBOX", attempt->mode, 1);
    text_list_add(&argv, "sh");
    text_list_add(&argv, "-c");
    text_list_add(&argv, attempt->script);
    text_list_add(&environment, "PATH=/bin");
    mkdir(upper, 0755);
    mkdir(scratch, 0700);
    struct sandbox sandbox = {.lowers = lowers,
                              .lower_count = attempt->layers ? attempt->layers : 1,
                              .upper = upper,
                              .scratch = scratch,
                              .argv = &argv,
                              .environment = &environment,
                              .directory = "/",
                              .user = attempt->user,
                              .hostname = "box",
                              .mounts = attempt->mounts,
                              .mount_count = attempt->mount_count,
                              .network = attempt->network,
                              .memory_limit = attempt->memory,
                              .timeout = attempt->timeout,
                              .output = collect,
                              .output_context = result};
    result->returned = sandbox_run(&sandbox, &result->status, &result->error);
}

static struct result *run(const struct attempt *attempt) {
    struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(result, MAP_FAILED);
    pid_t child = fork();
    if (child == 0) {
        run_inside(attempt, result);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return result;
}

static int clean_up(void **state) {
    (void)state;
    AUTO_FREE char *upper = path_join(folder, "upper"), *scratch = path_join(folder, "scratch");
    return tree_remove(upper, NULL) < 0 || tree_remove(scratch, NULL) < 0 ? -1 : 0;
}

static void again(void) {
    AUTO_FREE char *upper = path_join(folder, "upper"), *scratch = path_join(folder, "scratch");
    assert_int_equal(tree_remove(upper, NULL), 0);
    assert_int_equal(tree_remove(scratch, NULL), 0);
}

static void succeeds(const struct attempt *attempt, const char *output) {
    struct result *result = run(attempt);
    if (result->returned < 0)
        fail_msg("%s: %s", attempt->mode, result->error.text);
    if (result->status != 0)
        fail_msg("%s: status %d, %s", attempt->mode, result->status, result->output);
    if (output && !strstr(result->output, output))
        fail_msg("%s: \"%s\" lacks \"%s\"", attempt->mode, result->output, output);
    munmap(result, sizeof(*result));
}

static bool has_mode(const char *mode) {
    struct sandbox_report report;
    assert_int_equal(sandbox_probe(&report, NULL), 0);
    for (int i = 0; i < SANDBOX_NONE; i++)
        if (text_equal(sandbox_mode_name((enum sandbox_mode)i), mode)) {
            if (!report.modes[i].works)
                print_message("mode %s does not work here: %s\n", mode, report.modes[i].reason);
            return report.modes[i].works;
        }
    return false;
}

static const char *const modes[] = {"root", "user", "single", "chroot"};

static void every_mode_runs_a_command_and_keeps_its_changes(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (!has_mode(modes[i]))
            continue;
        struct attempt attempt = {.mode = modes[i], .script = "echo new > /etc/new; rm /etc/old; mkdir /made; id -u"};
        succeeds(&attempt, "0");
        AUTO_FREE char *made = path_join(folder, "upper/etc/new"), *removed = path_join(folder, "upper/etc/old");
        AUTO_FREE char *resolver = path_join(folder, "upper/etc/resolv.conf"), *proc = path_join(folder, "upper/proc");
        struct stat status;
        assert_true(file_exists(made));
        assert_int_equal(lstat(removed, &status), 0);
        assert_true(S_ISCHR(status.st_mode));
        assert_int_equal(status.st_rdev, 0);
        if (lstat(resolver, &status) == 0 || lstat(proc, &status) == 0)
            fail_msg("%s: the place of a mount was left in the layer", modes[i]);
        again();
    }
}

static void the_status_and_signals_of_the_command_come_back(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (!has_mode(modes[i]))
            continue;
        struct result *result = run(&(struct attempt){.mode = modes[i], .script = "exit 7"});
        assert_int_equal(result->returned, 0);
        assert_int_equal(result->status, 7);
        again();
        result = run(&(struct attempt){.mode = modes[i], .script = "kill -9 $$"});
        assert_int_equal(result->status, 128 + SIGKILL);
        again();
    }
}

static void a_program_that_is_missing_is_named(void **state) {
    (void)state;
    struct attempt attempt = {.mode = "root", .script = "nosuchprogram"};
    struct result *result = run(&attempt);
    assert_int_equal(result->status, 127);
    assert_non_null(strstr(result->output, "nosuchprogram"));
    again();
}

static void users_are_those_of_the_image(void **state) {
    (void)state;
    succeeds(&(struct attempt){.mode = "root", .user = "app", .script = "id -u; id -g"}, "1000\n1000");
    again();
    struct result *result = run(&(struct attempt){.mode = "root", .user = "nobody-here", .script = "id"});
    assert_int_equal(result->returned, -1);
    assert_int_equal(result->error.kind, ERROR_DATA);
    again();
}

static void without_a_network_there_is_only_loopback(void **state) {
    (void)state;
    struct attempt attempt = {.mode = "root",
                              .network = SANDBOX_NETWORK_NONE,
                              .script = "ip -o addr; wget -T 2 -q -O- http://192.0.2.1/ || true"};
    succeeds(&attempt, SANDBOX_ADDRESS);
    again();
}

static void mounts_leave_no_trace_and_do_not_follow_links_out(void **state) {
    (void)state;
    AUTO_FREE char *source = path_join(folder, "given"), *trap = path_join(lower, "trap");
    AUTO_FREE char *outside = path_join(folder, "victim");
    assert_int_equal(file_write_atomic(source, "secret\n", 7, 0644, NULL), 0);
    assert_int_equal(mkdir(outside, 0755), 0);
    (void)!unlink(trap);
    assert_int_equal(symlink(outside, trap), 0);
    struct sandbox_mount mounts[] = {{.source = source, .target = "/run/secrets/one"},
                                     {.source = source, .target = "/trap/two"}};
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (!has_mode(modes[i]))
            continue;
        struct attempt attempt = {.mode = modes[i],
                                  .script = "cat /run/secrets/one /trap/two",
                                  .mounts = mounts,
                                  .mount_count = ARRAY_LENGTH(mounts)};
        succeeds(&attempt, "secret\nsecret");
        AUTO_FREE char *run_folder = path_join(folder, "upper/run"), *tmp = path_join(folder, "upper/tmp");
        AUTO_LIST struct text_list names = {0};
        assert_false(directory_exists(run_folder));
        assert_false(directory_exists(tmp));
        assert_int_equal(directory_list(outside, &names, NULL), 0);
        assert_int_equal(names.count, 0);
        again();
    }
    assert_int_equal(unlink(trap), 0);
}

static void a_container_cannot_mount_or_make_namespaces(void **state) {
    (void)state;
    succeeds(&(struct attempt){.mode = "root", .script = "mount -t tmpfs x /tmp && echo bad || echo refused"},
             "refused");
    again();
}

static void what_a_command_leaves_running_ends_with_it(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (!has_mode(modes[i]))
            continue;
        succeeds(&(struct attempt){.mode = modes[i], .script = "sleep 98765 >/dev/null 2>&1 & echo started"},
                 "started");
        assert_int_not_equal(shell("pgrep -f '^sleep 98765' > /dev/null"), 0);
        again();
    }
}

static void a_killed_builder_leaves_no_process_and_no_mount(void **state) {
    (void)state;
    struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        run_inside(&(struct attempt){.mode = "root", .script = "echo up; sleep 87654"}, result);
        _exit(0);
    }
    for (int i = 0; i < 500 && !strstr(result->output, "up"); i++)
        usleep(10000);
    assert_non_null(strstr(result->output, "up"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    int gone = 1;
    for (int i = 0; i < 500 && (gone = shell("pgrep -f '^sleep 87654' > /dev/null")) == 0; i++)
        usleep(10000);
    assert_int_not_equal(gone, 0);
    AUTO_FREE char *look = text_format("grep -q %s /proc/self/mountinfo", folder);
    assert_int_not_equal(shell(look), 0);
    again();
}

static void too_much_memory_is_told_apart(void **state) {
    (void)state;
    struct attempt attempt = {.mode = "root", .memory = 16 << 20, .script = "a=x; while true; do a=$a$a$a$a; done"};
    struct result *result = run(&attempt);
    assert_true(result->returned < 0 || result->status != 0);
    again();
}

static void a_command_that_is_late_is_interrupted_and_then_ended(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (!has_mode(modes[i]))
            continue;
        struct attempt attempt = {
            .mode = modes[i], .timeout = 1, .script = "trap 'echo interrupted; exit 0' INT; sleep 1000"};
        struct result *result = run(&attempt);
        assert_int_equal(result->returned, -1);
        assert_int_equal(result->error.kind, ERROR_TIMEOUT);
        assert_string_equal(result->output, "interrupted\n");
        again();
    }
    struct attempt stubborn = {
        .mode = "root", .timeout = 1, .script = "trap '' INT; echo on; while true; do sleep 1; done"};
    struct result *result = run(&stubborn);
    assert_int_equal(result->returned, -1);
    assert_int_equal(result->error.kind, ERROR_TIMEOUT);
    assert_string_equal(result->error.text, "it did not end within 1 s");
    assert_string_equal(result->output, "on\n");
}

static void a_layer_may_be_there_more_than_once(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (!has_mode(modes[i]))
            continue;
        succeeds(&(struct attempt){.mode = modes[i], .layers = 3, .script = "cat /etc/old"}, "old");
        again();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_mode_runs_a_command_and_keeps_its_changes, clean_up),
        cmocka_unit_test_teardown(the_status_and_signals_of_the_command_come_back, clean_up),
        cmocka_unit_test_teardown(a_program_that_is_missing_is_named, clean_up),
        cmocka_unit_test_teardown(users_are_those_of_the_image, clean_up),
        cmocka_unit_test_teardown(without_a_network_there_is_only_loopback, clean_up),
        cmocka_unit_test_teardown(mounts_leave_no_trace_and_do_not_follow_links_out, clean_up),
        cmocka_unit_test_teardown(a_container_cannot_mount_or_make_namespaces, clean_up),
        cmocka_unit_test_teardown(what_a_command_leaves_running_ends_with_it, clean_up),
        cmocka_unit_test_teardown(a_killed_builder_leaves_no_process_and_no_mount, clean_up),
        cmocka_unit_test_teardown(too_much_memory_is_told_apart, clean_up),
        cmocka_unit_test_teardown(a_layer_may_be_there_more_than_once, clean_up),
        cmocka_unit_test_teardown(a_command_that_is_late_is_interrupted_and_then_ended, clean_up),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
