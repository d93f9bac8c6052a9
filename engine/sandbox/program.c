/* Becoming a program of the container: its environment, its directory, its streams, what it may do. */
#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < SIGRTMAX; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *variable(const struct text_list *environment, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], name, length) == 0 && environment->items[i][length] == '=')
            return environment->items[i] + length + 1;
    return NULL;
}

static void make_environment(const struct place *place, const struct program *program, struct text_list *environment) {
    const struct sandbox *sandbox = place->contain->sandbox;
    text_list_add_all(environment, sandbox->environment);
    for (size_t i = 0; sandbox->add_host_network_settings && i < place->contain->host->environment.count; i++) {
        const char *entry = place->contain->host->environment.items[i];
        AUTO_FREE char *name = text_copy_length(entry, strcspn(entry, "="));
        if (!variable(sandbox->environment, name))
            text_list_add(environment, entry);
    }
    if (!variable(environment, "HOME"))
        text_list_add_format(environment, "HOME=%s",
                             *place->user.home      ? place->user.home
                             : place->user.uid == 0 ? "/root"
                                                    : "/");
    if (!variable(environment, "PATH"))
        text_list_add(environment, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (program->terminal && *program->terminal && !variable(environment, "TERM"))
        text_list_add_format(environment, "TERM=%s", program->terminal);
}

static int explain_exec(const char *program, int number, struct error *error) {
    if (number == ENOEXEC)
        return error_set(error, ERROR_STEP, "%s is not for this machine's architecture, or is no program", program);
    if (number == ENOENT)
        return error_set(error, ERROR_STEP, "%s was not found in the container", program);
    error_set_errno(error, number, "cannot run %s", program);
    error->kind = ERROR_STEP;
    return -1;
}

static int run_program(const struct text_list *argv, struct text_list *environment, struct error *error) {
    const char *program = argv->items[0], *path = variable(environment, "PATH");
    int number = ENOENT;
    if (strchr(program, '/')) {
        execve(program, argv->items, environment->items);
        return explain_exec(program, errno, error);
    }
    AUTO_LIST struct text_list folders = {0};
    text_list_split(&folders, path, ':');
    for (size_t i = 0; i < folders.count; i++) {
        AUTO_FREE char *full = path_join(*folders.items[i] ? folders.items[i] : ".", program);
        execve(full, argv->items, environment->items);
        if (errno != ENOENT && errno != ENOTDIR)
            number = errno;
    }
    return explain_exec(program, number, error);
}

static int enter_directory(const struct sandbox *sandbox, struct error *error) {
    const char *directory = text_is_empty(sandbox->directory) ? "/" : sandbox->directory;
    if (chdir(directory) < 0 && (directory_make(directory, 0755, error) < 0 || chdir(directory) < 0))
        return error_set_errno(error, errno, "cannot enter the directory %s", directory);
    return 0;
}

static int connect_streams(const struct program *program, struct error *error) {
    if (program->terminal && ioctl(program->in, TIOCSCTTY, 0) < 0)
        return error_set_errno(error, errno, "cannot take the terminal");
    if (dup2(program->out, 1) < 0 || dup2(program->err, 2) < 0 || (program->in >= 0 && dup2(program->in, 0) < 0))
        return error_set_errno(error, errno, "cannot connect the command's output");
    return 0;
}

int program_exec(const struct place *place, const struct program *program, struct error *error) {
    const struct sandbox *sandbox = place->contain->sandbox;
    struct text_list environment = {0};
    umask(022);
    setsid();
    reset_signals();
    make_environment(place, program, &environment);
    if (connect_streams(program, error) < 0 || enter_directory(sandbox, error) < 0)
        return -1;
    if (program->in < 0)
        close(0);
    /* Everything but 0 to 2 is closed by exec; the report's end tells that it worked. */
    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (!sandbox->on_host && confine(&place->user, sandbox_mode(), error) < 0)
        return -1;
    /* Without a PID namespace nothing else ends it when we are killed; a change of user would undo it. */
    if (sandbox_mode() == SANDBOX_CHROOT)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < program->count; i++)
        (void)!run_program(&program->argvs[i], &environment, error);
    return -1;
}
