#include "local/control.h"

#include "common/file/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { START_SECONDS = 60, STOP_SECONDS = 60, PAUSE_MILLISECONDS = 20, CONFIG_LIMIT = 64 << 10, LOCK_FD = 3, READY_FD };

static void pause_shortly(void) {
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MILLISECONDS * 1000000}, NULL);
}

static int64_t now_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void local_status_release(struct local_status *status) {
    free(status->state);
    free(status->project);
    *status = (struct local_status){0};
}

static int open_lock(const char *state, struct error *error) {
    AUTO_FREE char *path = path_join(state, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    return fd;
}

/* The process that holds the lock writes its id into the file before it answers anybody; 0: not yet. */
static pid_t holder(int lock) {
    char text[24] = "";
    uint64_t pid = 0;
    ssize_t length = pread(lock, text, sizeof(text) - 1, 0);
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    text_to_u64(text, INT32_MAX, &pid);
    return (pid_t)pid;
}

static int read_config(struct local_status *status, struct error *error) {
    AUTO_FREE char *path = path_join(status->state, "config.json");
    if (!file_exists(path))
        return 0;
    AUTO_JSON struct json *config = json_parse_file(path, CONFIG_LIMIT, error);
    if (!config)
        return -1;
    status->port = (unsigned)json_get_integer(config, "port", 0);
    status->project = text_copy(json_get_text(config, "project", NULL));
    return 0;
}

int local_status(const char *state, struct local_status *status, struct error *error) {
    *status = (struct local_status){.state = local_state_path(state)};
    AUTO_FREE char *path = path_join(status->state, "lock");
    if (!file_exists(path))
        return 0;
    AUTO_CLOSE int lock = open_lock(status->state, error);
    if (lock < 0)
        return -1;
    if (flock(lock, LOCK_SH | LOCK_NB) < 0) {
        status->running = true;
        status->pid = holder(lock);
    }
    return read_config(status, error);
}

/* ---- start ---- */

static void make_arguments(const struct local_settings *settings, const char *state, struct text_list *arguments) {
    text_list_add(arguments, "pl-local");
    text_list_add(arguments, "--serve");
    text_list_add(arguments, state);
    text_list_add(arguments, settings->project ? settings->project : "");
    text_list_add_format(arguments, "%lld", settings->port);
    text_list_add_format(arguments, "%lld", settings->startup_time);
    text_list_add_format(arguments, "%lld", settings->idle_time);
    text_list_add_format(arguments, "%lld", settings->queue_time);
    text_list_add_format(arguments, "%lld", settings->token_time);
    text_list_add(arguments, settings->strict ? "strict" : "");
    text_list_add_all(arguments, &settings->databases);
}

/* In the child: only calls that are safe after a fork. */
static void become_server(char *const *arguments, int null, int log, int lock, int ready) {
    setsid();
    int high_lock = fcntl(lock, F_DUPFD, 10), high_ready = fcntl(ready, F_DUPFD, 10);
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 || dup2(high_lock, LOCK_FD) < 0 ||
        dup2(high_ready, READY_FD) < 0 || close_range(READY_FD + 1, ~0U, 0) < 0 || chdir("/") < 0)
        _exit(126);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

static int read_ready(int fd, char *text, size_t size, struct error *error) {
    int64_t end = now_milliseconds() + START_SECONDS * 1000;
    size_t used = 0;
    while (used + 1 < size && !memchr(text, '\n', used)) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = end - now_milliseconds();
        if (left <= 0)
            return error_set(error, ERROR_TIMEOUT, "it was not ready after %d seconds", START_SECONDS);
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        ssize_t got = read(fd, text + used, size - 1 - used);
        if (got == 0)
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    text[used] = '\0';
    return 0;
}

static int spawn(const struct local_settings *settings, const char *state, int lock, struct error *error) {
    AUTO_FREE char *logs = path_join(state, "logs");
    AUTO_FREE char *log_path = path_join(logs, "server.log");
    AUTO_LIST struct text_list arguments = {0};
    make_arguments(settings, state, &arguments);
    if (directory_make(logs, 0700, error) < 0)
        return -1;
    AUTO_CLOSE int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int ready[2];
    if (log < 0 || null < 0 || pipe2(ready, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot open %s", log_path);
    AUTO_CLOSE int ready_read = ready[0];
    AUTO_CLOSE int ready_write = ready[1];
    pid_t pid = fork();
    if (pid < 0)
        return error_set_errno(error, errno, "cannot start the local cloud");
    if (pid == 0)
        become_server(arguments.items, null, log, lock, ready_write);
    close(take_fd(&ready_write));
    char text[2048] = "";
    if (read_ready(ready_read, text, sizeof(text), error) < 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return error_next(error, "see %s", log_path);
    }
    if (text_equal(text, "ready\n"))
        return 0;
    waitpid(pid, NULL, 0);
    int kind = ERROR_INTERNAL, used = 0;
    if (sscanf(text, "%d %n", &kind, &used) != 1 || !used)
        error_set(error, ERROR_INTERNAL, "the local cloud ended while it started");
    else
        error_set(error, (enum error_kind)kind, "%.*s", (int)strcspn(text + used, "\n"), text + used);
    return error_next(error, "see %s", log_path);
}

/* It runs already: with what was asked for? */
static int check_running(const struct local_settings *settings, struct error *error) {
    AUTO_STATUS struct local_status status = {0};
    if (local_status(settings->state, &status, error) < 0)
        return -1;
    bool other = (settings->port > 0 && settings->port != (long long)status.port) ||
                 (settings->project && !text_equal(settings->project, status.project));
    if (!other)
        return 0;
    error_set(error, ERROR_CONFIGURATION, "a local cloud runs already, with port %u and project %s", status.port,
              status.project ? status.project : "");
    return error_next(error, "stop it first: pl-local stop");
}

int local_start(const struct local_settings *settings, bool *started, struct error *error) {
    AUTO_FREE char *state = local_state_path(settings->state);
    *started = false;
    if (directory_make(state, 0700, error) < 0)
        return error_next(error, "set PL_LOCAL_STATE to a directory that can be written");
    AUTO_CLOSE int lock = open_lock(state, error);
    if (lock < 0)
        return -1;
    /* Who holds the lock and has not said who it is, starts or stops at this moment. */
    int64_t end = now_milliseconds() + START_SECONDS * 1000;
    while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        if (holder(lock))
            return check_running(settings, error);
        if (now_milliseconds() > end)
            return error_set(error, ERROR_TIMEOUT, "another start or stop of the local cloud does not end");
        pause_shortly();
    }
    if (ftruncate(lock, 0) < 0)
        return error_set_errno(error, errno, "cannot write %s/lock", state);
    *started = true;
    return spawn(settings, state, lock, error);
}

/* ---- stop, reset ---- */

int local_stop(const char *given, bool *stopped, struct error *error) {
    AUTO_FREE char *state = local_state_path(given);
    AUTO_FREE char *path = path_join(state, "lock");
    *stopped = false;
    if (!file_exists(path))
        return 0;
    AUTO_CLOSE int lock = open_lock(state, error);
    if (lock < 0)
        return -1;
    int64_t end = now_milliseconds() + STOP_SECONDS * 1000;
    pid_t told = 0;
    while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        pid_t pid = holder(lock);
        if (pid > 0 && !told) {
            kill(pid, SIGTERM);
            told = pid;
            *stopped = true;
        }
        if (now_milliseconds() > end && told)
            kill(told, SIGKILL);
        if (now_milliseconds() > end + 5000)
            return error_set(error, ERROR_TIMEOUT, "the local cloud (process %d) does not end", (int)told);
        pause_shortly();
    }
    return 0;
}

int local_reset(const char *given, struct error *error) {
    AUTO_FREE char *state = local_state_path(given);
    AUTO_FREE char *config = path_join(state, "config.json");
    AUTO_FREE char *lock = path_join(state, "lock");
    bool stopped;
    if (local_stop(given, &stopped, error) < 0)
        return -1;
    if (!directory_exists(state))
        return 0;
    if (!file_exists(config) && !file_exists(lock))
        return error_set(error, ERROR_DATA, "%s is no state of a local cloud; nothing was removed", state);
    return tree_remove(state, error);
}

/* ---- the serving process ---- */

/* Nobody may listen any more; that changes nothing. */
static void tell(const char *line) {
    struct error ignored;
    if (fd_write_all(READY_FD, line, strlen(line), &ignored) < 0)
        error_clear(&ignored);
}

static long long number(const char *text) {
    uint64_t value;
    return text_to_u64(text, INT32_MAX, &value) ? (long long)value : -1;
}

static int write_pid(struct error *error) {
    AUTO_FREE char *text = text_format("%d\n", (int)getpid());
    if (pwrite(LOCK_FD, text, strlen(text), 0) != (ssize_t)strlen(text))
        return error_set_errno(error, errno, "cannot write the lock file");
    return 0;
}

int local_serve(int argc, char **argv) {
    if (argc < 10 || fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(READY_FD, F_SETFD, FD_CLOEXEC) < 0)
        return 64;
    struct local_settings settings = {.state = argv[2],
                                      .project = *argv[3] ? argv[3] : NULL,
                                      .port = number(argv[4]),
                                      .startup_time = number(argv[5]),
                                      .idle_time = number(argv[6]),
                                      .queue_time = number(argv[7]),
                                      .token_time = number(argv[8]),
                                      .strict = *argv[9] != '\0'};
    struct local_cloud cloud = {.listener = -1};
    AUTO_LIST struct text_list databases = {0};
    for (int i = 10; i < argc; i++)
        text_list_add(&databases, argv[i]);
    settings.databases = databases;
    struct error error = {0};
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGHUP);
    /* Before any thread: all of them inherit it, and only sigwait sees the signals. */
    sigprocmask(SIG_BLOCK, &stop, NULL);
    umask(0077);
    prctl(PR_SET_NAME, "pl-local");
    if (local_cloud_open(&cloud, &settings, &error) < 0 || local_cloud_serve(&cloud, &error) < 0 ||
        write_pid(&error) < 0) {
        AUTO_FREE char *text = text_scrub(error.text, strlen(error.text), false);
        AUTO_FREE char *line = text_format("%d %s\n", (int)error.kind, text);
        tell(line);
        local_cloud_close(&cloud);
        return error_exit_code(&error);
    }
    tell("ready\n");
    close(READY_FD);
    int caught;
    sigwait(&stop, &caught);
    /* From here on another start waits until the lock is free. */
    if (ftruncate(LOCK_FD, 0) < 0)
        caught = SIGTERM;
    local_cloud_close(&cloud);
    return 0;
}
