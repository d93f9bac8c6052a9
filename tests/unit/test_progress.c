/* common/command's display: what is told while a tool works, and when it fails. */
#include "tests/unit/command_harness.h"

#include "common/command/step.h"
#include "common/file/file.h"

#include <dirent.h>
#include <sys/time.h>
#include <time.h>

struct arguments {
    bool none;
};

static const struct option options[] = {{0}};
static const struct command tool = {
    .name = "pl-try",
    .summary = "try things",
    .synopsis = "",
    .description = "Tries things.",
    .writes = "container",
    .options = options,
    .arguments_size = sizeof(struct arguments),
};
static struct ran ran;
static char state_folder[] = "/tmp/pl-test-progress-XXXXXX";

static void run(command_run *work, const char *progress) {
    run_tool(&ran, &tool, work, NULL, false, (const char *const[]){"pl-try", "--progress", progress, NULL});
}

static void print(struct command_context *context, int step, const char *text) {
    progress_output(context->progress, step, text, strlen(text));
}

static int two_steps(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    progress_note(context->progress, "Python 3.12 (from .python-version)");
    progress_end(context->progress, progress_begin(context->progress, "base"), PROGRESS_CACHED);
    int step = progress_begin(context->progress, "pip install");
    print(context, step, "Collecting fast");
    print(context, step, "api\r\nDone\nno newline");
    progress_end(context->progress, step, PROGRESS_MADE);
    command_summary(context, "backend: 1 of 2 cached");
    return 0;
}

static void plain_lines_tell_each_step(void **state) {
    (void)state;
    run(two_steps, "plain");
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.out, "");
    assert_string_equal(ran.err, "pl-try │ Python 3.12 (from .python-version)\n"
                                 "pl-try │ base: cached\n"
                                 "pl-try │ pip install\n"
                                 "pl-try │   Collecting fastapi\n"
                                 "pl-try │   Done\n"
                                 "pl-try │   no newline\n"
                                 "pl-try │ pip install: 0.0 s\n"
                                 "pl-try: backend: 1 of 2 cached\n");
}

static void quiet_tells_nothing_that_works(void **state) {
    (void)state;
    run_tool(&ran, &tool, two_steps, NULL, false, (const char *const[]){"pl-try", "-q", NULL});
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.err, "");
}

static int interleaved(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    int one = progress_begin(context->progress, "one"), two = progress_begin(context->progress, "two"),
        three = progress_begin(context->progress, "three");
    print(context, one, "a1\n");
    print(context, two, "b1\n");
    print(context, three, "c1\n");
    print(context, one, "a2\n");
    progress_end(context->progress, two, PROGRESS_MADE);
    print(context, three, "c2\n");
    progress_end(context->progress, one, PROGRESS_MADE);
    print(context, three, "c3\n");
    progress_end(context->progress, three, PROGRESS_MADE);
    return 0;
}

static void steps_at_once_are_never_interleaved(void **state) {
    (void)state;
    run(interleaved, "plain");
    assert_string_equal(ran.err,
                        "pl-try │ one\npl-try │   a1\npl-try │   a2\npl-try │ one: 0.0 s\n"
                        "pl-try │ two\npl-try │   b1\npl-try │ two: 0.0 s\n"
                        "pl-try │ three\npl-try │   c1\npl-try │   c2\npl-try │   c3\npl-try │ three: 0.0 s\n");
}

static int failing(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    int step = progress_begin(context->progress, "npm run build");
    for (int i = 1; i <= 100; i++) {
        AUTO_FREE char *line = text_format("line %d\n", i);
        print(context, step, line);
    }
    progress_end(context->progress, step, PROGRESS_FAILED);
    progress_note(context->progress, "cleaning up");
    error_set(error, ERROR_STEP, "npm run build ended with status 2");
    return error_next(error, "run it in ./frontend");
}

static char *read_log(const char *err) {
    const char *begin = strstr(err, "the full log: ");
    assert_non_null(begin);
    AUTO_FREE char *path = text_copy_length(begin + 14, strcspn(begin + 14, "\r\n"));
    struct buffer text = BUFFER(1 << 20);
    struct error error = {0};
    if (file_read(path, &text, NULL, &error) < 0)
        fail_msg("%s", error.text);
    return buffer_take(&text);
}

static void a_failure_ends_with_lines_log_reason_and_advice(void **state) {
    (void)state;
    run(failing, "plain");
    assert_int_equal(ran.status, 70);
    const char *end = strstr(ran.err, "pl-try │ cleaning up\n");
    assert_non_null(end);
    says(end, "npm run build: failed; its last 40 of 100 lines:\n  │ line 61\n");
    says(end, "  │ line 100\nthe full log: ");
    says_not(end, "line 60\n");
    assert_true(text_ends_with(ran.err, ".log\npl-try: npm run build ended with status 2\n  run it in ./frontend\n"));
    AUTO_FREE char *log = read_log(ran.err);
    says(log, "[1] = npm run build\n[1] line 1\n");
    says(log, "[1] line 100\n[1] = failed (0.");
    says(ran.out, "{\"pl\":1,\"type\":\"error\",\"stage\":\"pl-try\",\"code\":70,\"message\":\"npm run build ended");
}

static int failing_last(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    int step = progress_begin(context->progress, "make");
    print(context, step, "only line\n");
    progress_end(context->progress, step, PROGRESS_FAILED);
    return error_set(error, ERROR_STEP, "make failed");
}

static void lines_that_were_just_printed_are_not_repeated(void **state) {
    (void)state;
    run(failing_last, "plain");
    assert_true(text_starts_with(ran.err,
                                 "pl-try │ make\npl-try │   only line\npl-try │ make: failed (0.0 s)\nthe full log: "));
    run_tool(&ran, &tool, failing_last, NULL, false, (const char *const[]){"pl-try", "-q", NULL});
    assert_true(text_starts_with(ran.err, "make: failed:\n  │ only line\nthe full log: "));
}

static int failing_elsewhere(struct command_context *context, void *arguments, struct error *error) {
    assert_int_equal(failing_last(context, arguments, error), -1);
    progress_end(context->progress, progress_begin(context->progress, "another way"), PROGRESS_MADE);
    return error_set(error, ERROR_DATA, "something else");
}

static void a_failure_that_was_overcome_is_not_shown_again(void **state) {
    (void)state;
    run_tool(&ran, &tool, failing_elsewhere, NULL, false, (const char *const[]){"pl-try", "-q", NULL});
    assert_string_equal(ran.err, "pl-try: something else\n");
}

static int hostile(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    int step = progress_begin(context->progress, "run \x1b[2J::error::x ##[group]");
    print(context, step, "\x1b[31mred\x1b[0m ok\n::error::owned\n  ::set-output name=a::b\nx ##[add-path]y ##[##[z\n");
    print(context, step, "title \x1b]0;owned\a end\nbell \a \xff\n::stop-commands::t\n");
    progress_note(context->progress, "::add-mask::x\n::error::y");
    progress_end(context->progress, step, PROGRESS_FAILED);
    return error_set(error, ERROR_STEP, "::error::in the text\n::warning::second ##[error]");
}

static void assert_no_command_but_ours(const char *text) {
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *begin = line + strspn(line, " \t");
        if (text_starts_with(begin, "::"))
            assert_true(text_starts_with(begin, "::group::pl-try\n") || text_starts_with(begin, "::endgroup::\n") ||
                        text_starts_with(begin, "::error title=pl-try::"));
    }
    assert_null(strstr(text, "##["));
    assert_null(strchr(text, '\x1b'));
    assert_null(strchr(text, '\a'));
}

static void no_line_of_a_step_acts_as_a_workflow_command(void **state) {
    (void)state;
    run(hostile, "github");
    assert_no_command_but_ours(ran.err);
    says(ran.err, "::group::pl-try\n");
    says(ran.err, "pl-try │   red ok\n");
    says(ran.err, "pl-try │   title  end\n");
    says(ran.err, "\n::endgroup::\n");
}

static int silent(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    int step = progress_begin(context->progress, "sleep");
    struct timespec left = {.tv_sec = 1, .tv_nsec = 300000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
    print(context, step, "last words\n");
    progress_end(context->progress, step, PROGRESS_MADE);
    return 0;
}

static void a_terminal_shows_the_time_of_a_silent_step(void **state) {
    (void)state;
    run_tool(&ran, &tool, silent, NULL, true, (const char *const[]){"pl-try", NULL});
    assert_int_equal(ran.status, 0);
    says(ran.err, "   0.0 s  sleep\r\n");
    /* Once while it sleeps and once at its end; a busy machine shows more tenths. */
    says(ran.err, "\x1b[1A\r\x1b[J   1.");
    says(ran.err, "            last words");
    assert_true(text_ends_with(ran.err, " s  sleep\r\n"));
}

static void a_terminal_shows_one_line_per_step(void **state) {
    (void)state;
    run_tool(&ran, &tool, two_steps, NULL, true, (const char *const[]){"pl-try", NULL});
    says(ran.err, "  cached  base\r\n");
    says(ran.err, "   0.0 s  pip install\r\n");
    assert_true(text_ends_with(ran.err, "pl-try: backend: 1 of 2 cached\r\n"));
    run_tool(&ran, &tool, failing, NULL, true, (const char *const[]){"pl-try", NULL});
    says(ran.err, "  failed  npm run build (0.");
    says(ran.err, "  │ line 61\r\n");
}

static int tests_that_run(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    int step = progress_begin(context->progress, "run the tests");
    progress_show(context->progress, step);
    for (int i = 1; i <= 100; i++) {
        AUTO_FREE char *line = text_format("\x1b[32mtest %d\x1b[0m passed\n", i);
        print(context, step, line);
    }
    progress_end(context->progress, step, PROGRESS_FAILED);
    return error_set(error, ERROR_ANSWER_NO, "1 of 100 tests failed");
}

static void lines_that_are_for_the_user_stay_on_a_terminal(void **state) {
    (void)state;
    run_tool(&ran, &tool, tests_that_run, NULL, true, (const char *const[]){"pl-try", NULL});
    assert_int_equal(ran.status, 1);
    says(ran.err, "          run the tests\r\ntest 1 passed\r\n");
    says(ran.err, "\r\x1b[Jtest 100 passed\r\n");
    says(ran.err, "  failed  run the tests (0.");
    says_not(ran.err, "│ test 100 passed"); /* they were not printed again */
}

static int with_secret(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    AUTO_FREE char *secret = command_secret("env:PL_TEST_SECRET", error);
    assert_string_equal(secret, "hunter2-long");
    int step = progress_begin(context->progress, "login");
    print(context, step, "token=hunter2-");
    print(context, step, "long;\n");
    progress_end(context->progress, step, PROGRESS_FAILED);
    return error_set(error, ERROR_STEP, "refused: %s", secret);
}

static void a_secret_is_shown_nowhere(void **state) {
    (void)state;
    setenv("PL_TEST_SECRET", "hunter2-long", 1);
    run(with_secret, "plain");
    unsetenv("PL_TEST_SECRET");
    says(ran.err, "token=***;");
    says(ran.out, "refused: ***");
    says_not(ran.err, "hunter2");
    says_not(ran.out, "hunter2");
    AUTO_FREE char *log = read_log(ran.err);
    says(log, "token=***;");
    says_not(log, "hunter2");
}

static int long_lines(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    int step = progress_begin(context->progress, "wide");
    AUTO_FREE char *wide = memory_allocate(5001, 1);
    memset(wide, 'w', 5000);
    print(context, step, wide);
    progress_end(context->progress, step, PROGRESS_FAILED);
    progress_note(context->progress, "then");
    return error_set(error, ERROR_STEP, "x");
}

static void the_last_lines_are_not_cut(void **state) {
    (void)state;
    run(long_lines, "plain");
    const char *line = strstr(ran.err, "\n  │ w");
    assert_non_null(line);
    assert_int_equal(strspn(line + strlen("\n  │ "), "w"), 5000);
}

static int logged(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    int step = progress_begin(context->progress, "x");
    print(context, step, "x\n");
    progress_end(context->progress, step, PROGRESS_MADE);
    return 0;
}

static int count_logs(void) {
    AUTO_LIST struct text_list names = {0};
    AUTO_FREE char *folder = path_join(state_folder, "pl/logs");
    return directory_list(folder, &names, NULL) < 0 ? 0 : (int)names.count;
}

static void old_logs_are_removed(void **state) {
    (void)state;
    AUTO_FREE char *folder = path_join(state_folder, "pl/logs");
    assert_int_equal(directory_make(folder, 0700, NULL), 0);
    for (int i = 0; i < 60; i++) {
        AUTO_FREE char *path = text_format("%s/20200101T0000%02dZ-pl-try-1.log", folder, i);
        assert_int_equal(file_write_atomic(path, "", 0, 0600, NULL), 0);
    }
    run(logged, "plain");
    assert_int_equal(count_logs(), 50);
}

static int waiting(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    int step = progress_begin(context->progress, "long work");
    progress_note(context->progress, "ready");
    while (!progress_cancelled(context->progress))
        usleep(1000);
    progress_end(context->progress, step, PROGRESS_CANCELLED);
    return error_set(error, ERROR_STEP, "a child died");
}

static void start_waiting(struct running *running) {
    memset(&ran, 0, sizeof(ran));
    *running = start_tool(&tool, waiting, NULL, false, (const char *const[]){"pl-try", NULL});
    await_text(running, &ran, "ready");
}

static void a_signal_stops_the_work_and_is_seen_by_the_shell(void **state) {
    (void)state;
    struct running running;
    start_waiting(&running);
    assert_int_equal(kill(running.pid, SIGTERM), 0);
    finish_tool(&running, &ran);
    assert_int_equal(ran.status, 128 + SIGTERM);
    says(ran.err, "pl-try │ stopping;");
    says(ran.err, "pl-try │ long work: stopped (");
    says(ran.err, "pl-try: stopped by a signal (TERM)\n");
    says(ran.out, "\"type\":\"error\",\"stage\":\"pl-try\",\"code\":143,");
}

static int deaf(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    progress_note(context->progress, "ready");
    while (!progress_cancelled(context->progress))
        usleep(1000);
    while (pause() < 0)
        continue;
    return 0;
}

static void a_second_signal_ends_it_at_once(void **state) {
    (void)state;
    memset(&ran, 0, sizeof(ran));
    struct running running = start_tool(&tool, deaf, NULL, false, (const char *const[]){"pl-try", NULL});
    await_text(&running, &ran, "ready");
    assert_int_equal(kill(running.pid, SIGINT), 0);
    await_text(&running, &ran, "stopping");
    assert_int_equal(kill(running.pid, SIGINT), 0);
    finish_tool(&running, &ran);
    assert_int_equal(ran.status, 128 + SIGINT);
    says_not(ran.err, "pl-try: stopped");
}

static void work_stops_when_the_reader_of_the_output_is_gone(void **state) {
    (void)state;
    struct running running;
    start_waiting(&running);
    close(running.out);
    running.out = -1;
    finish_tool(&running, &ran);
    assert_int_equal(ran.status, 130);
    assert_true(text_ends_with(ran.err, "pl-try: stopped: the next command in the pipe exited\n"));
}

/* The 15 seconds have passed as far as the display knows; the timer's signal comes a little sooner. */
static int quiet_for_long(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    struct display *display = context->progress->context;
    int step = progress_begin(context->progress, "pip install");
    display->shown_at -= 15000;
    display->steps[0]->begun -= 75000;
    assert_false(progress_cancelled(context->progress));
    assert_false(progress_cancelled(context->progress));
    display->shown_at -= 15000;
    struct itimerval timer = {.it_value = {.tv_usec = 1000}};
    uint64_t printed = display->printed;
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < 10000 && display->printed == printed; i++)
        usleep(1000);
    progress_end(context->progress, step, PROGRESS_MADE);
    return 0;
}

static void a_silent_step_gives_a_sign_of_life(void **state) {
    (void)state;
    run(quiet_for_long, "plain");
    assert_string_equal(ran.err, "pl-try │ still running: pip install (1m15s)\n"
                                 "pl-try │ still running: pip install (1m15s)\n"
                                 "pl-try │ pip install: 1m15s\n");
}

static int wide(struct command_context *context, void *arguments, struct error *error) {
    (void)arguments;
    (void)error;
    int step = progress_begin(context->progress, "%s",
                              "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
    print(context, step,
          "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc"
          "\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6"
          "\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\n");
    struct display *display = context->progress->context;
    display->shown_at = 0;
    assert_false(progress_cancelled(context->progress));
    _exit(0);
}

static void live_lines_fit_the_terminal(void **state) {
    (void)state;
    run_tool(&ran, &tool, wide, NULL, true, (const char *const[]){"pl-try", NULL});
    const char *name = strrchr(ran.err, 's') + 3, *line = strrchr(ran.err, '\r');
    assert_int_equal(strspn(name, "w"), 60 - 11);
    assert_non_null(line);
    /* 12 columns, then 23 characters of two columns: 24 would end at the last column. */
    says(ran.err, "\x1b[2m            \xe6");
    const char *tail = strrchr(ran.err, 'm');
    assert_non_null(tail);
    size_t characters = 0;
    for (const char *at = strstr(ran.err, "\x1b[2m") + 4; *at && *at != '\x1b'; at++)
        characters += *at == '\xe6';
    assert_int_equal(characters, 23);
}

static void the_log_is_named_when_asked(void **state) {
    (void)state;
    run_tool(&ran, &tool, logged, NULL, false, (const char *const[]){"pl-try", "-v", NULL});
    says(ran.err, "pl-try │ x: 0.0 s\nthe full log: ");
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(state_folder))
        return -1;
    setenv("XDG_STATE_HOME", state_folder, 1);
    setenv("TERM", "xterm", 1);
    unsetenv("GITHUB_ACTIONS");
    unsetenv("PL_PROGRESS");
    unsetenv("PL_OUTPUT");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    return tree_remove(state_folder, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_tell_each_step),
        cmocka_unit_test(quiet_tells_nothing_that_works),
        cmocka_unit_test(steps_at_once_are_never_interleaved),
        cmocka_unit_test(a_failure_ends_with_lines_log_reason_and_advice),
        cmocka_unit_test(lines_that_were_just_printed_are_not_repeated),
        cmocka_unit_test(a_failure_that_was_overcome_is_not_shown_again),
        cmocka_unit_test(no_line_of_a_step_acts_as_a_workflow_command),
        cmocka_unit_test(a_terminal_shows_the_time_of_a_silent_step),
        cmocka_unit_test(a_terminal_shows_one_line_per_step),
        cmocka_unit_test(lines_that_are_for_the_user_stay_on_a_terminal),
        cmocka_unit_test(a_silent_step_gives_a_sign_of_life),
        cmocka_unit_test(live_lines_fit_the_terminal),
        cmocka_unit_test(the_log_is_named_when_asked),
        cmocka_unit_test(a_secret_is_shown_nowhere),
        cmocka_unit_test(the_last_lines_are_not_cut),
        cmocka_unit_test(old_logs_are_removed),
        cmocka_unit_test(a_signal_stops_the_work_and_is_seen_by_the_shell),
        cmocka_unit_test(a_second_signal_ends_it_at_once),
        cmocka_unit_test(work_stops_when_the_reader_of_the_output_is_gone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
