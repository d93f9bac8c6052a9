/* What the files of the sandbox share. */
#ifndef SANDBOX_INTERNAL_H
#define SANDBOX_INTERNAL_H

#include "common/file/file.h"
#include "engine/sandbox/sandbox.h"

#include <sys/stat.h>

/* ---- mode.c ---- */

bool sandbox_mode_is_user(enum sandbox_mode mode);

/* ---- user_namespace.c ---- */

/* In place, once, with a mount namespace of its own; we are root inside. With 65536 ids: an ordinary user's from
 * /etc/subuid and /etc/subgid by newuidmap and newgidmap, root's own. With one id: giving files to others has no effect
 * from then on. */
int user_namespace_enter_full(struct error *error) MUST_CHECK;
int user_namespace_enter_single(struct error *error) MUST_CHECK;

/* ---- rootfs.c: paths in a root file system that nobody trusts ---- */

/* A place for a mount: `path` has no links and begins with a slash. */
struct mount_point {
    char *path;
    char *created; /* the topmost path that had to be made for it, or NULL */
    bool directory;
};

/* Opens `path` as a process with that root would see it (O_PATH); links never lead out. */
int rootfs_open(int root, const char *path, int flags);
/* Makes sure that a file or directory is at `path`, following links inside the root, and tells where it really is. */
int rootfs_place(int root, const char *path, bool directory, struct mount_point *point, struct error *error) MUST_CHECK;
/* Removes from an upper directory what rootfs_place had to make, as far as it is still empty. */
void rootfs_forget(const char *upper, const struct mount_point *point);
/* "", "uid", "uid:gid", "name", "name:group" by the root's own /etc/passwd and /etc/group. */
struct rootfs_user {
    uint32_t uid, gid;
    uint32_t groups[64];
    size_t group_count;
    char home[256]; /* of /etc/passwd, or "" */
};
int rootfs_user(int root, const char *text, struct rootfs_user *user, struct error *error) MUST_CHECK;

/* ---- host.c: what of the host's network settings a step may see ---- */

struct host_settings {
    struct text_list environment;
    char *ca_bundle; /* the host's CA bundle, or NULL */
};
void host_settings_find(struct host_settings *settings);
void host_settings_release(struct host_settings *settings);
#define HOST_CA_PATH "/run/pl/ca-certificates.crt"

/* ---- view.c: the file system of a container ---- */

enum { MOUNT_POINT_LIMIT = 128 };

/* What a container sees, while it is being put together. */
struct view {
    const struct sandbox *sandbox;
    const struct host_settings *host;
    char *root; /* where it is mounted (or copied to) */
    int root_fd;
    struct mount_point points[MOUNT_POINT_LIMIT];
    size_t point_count;
};
/* In a private mount namespace: the overlay, and every mount but /proc. */
int view_mount(struct view *view, struct error *error) MUST_CHECK;
/* In the container's own process: /proc, then the root becomes "/". */
int view_enter(struct view *view, struct error *error) MUST_CHECK;
/* After the end: unmounts, and takes from the upper directory the places that were made for mounts. */
void view_leave(struct view *view);

/* Writes the bytes of a secret to a new file, with its owner and mode. */
int secret_write(const char *path, const struct sandbox_mount *mount, struct error *error) MUST_CHECK;

/* ---- copy_tree.c ---- */

int copy_content(const char *from, const char *to, const struct stat *status, struct error *error) MUST_CHECK;
int copy_metadata(const char *from, const char *to, const struct stat *status, struct error *error) MUST_CHECK;
/* What a directory holds into another one; a whiteout removes, an opaque directory replaces. */
int copy_directory(const char *from, const char *to, struct error *error) MUST_CHECK;

/* ---- copy_view.c: the same without mounts, for the chroot mode ---- */

struct copy_view;
/* Copies the lowers into one directory and puts files in the places of mounts. */
struct copy_view *copy_view_make(const struct sandbox *sandbox, const struct host_settings *host, struct error *error);
const char *copy_view_root(const struct copy_view *view);
/* What has changed is moved to the upper directory in overlay form; caches are moved back. Releases the view. */
int copy_view_finish(struct copy_view **view, struct error *error) MUST_CHECK;

/* ---- confine.c: what a container may do ---- */

/* The last steps before exec: user, groups, capabilities, no new privileges, system call filter. */
int confine(const struct rootfs_user *user, enum sandbox_mode mode, struct error *error) MUST_CHECK;

/* From now on this process and its children give files to other users without effect: where only one id exists it
 * cannot be done, and package managers do it all the time. */
int confine_owners(struct error *error) MUST_CHECK;

/* ---- memory.c: a limit for a container and all its processes ---- */

struct memory_group {
    char *path; /* of a memory cgroup, or NULL */
    bool is_v2;
};
void memory_group_make(struct memory_group *group, uint64_t limit);
/* Called in the process that the container will descend from. */
void memory_group_join(const struct memory_group *group, uint64_t limit);
bool memory_group_ran_out(const struct memory_group *group);
void memory_group_release(struct memory_group *group);

/* ---- contain.c: the processes between us and the container ---- */

enum { START_FAILED = 125 };

struct contain {
    const struct sandbox *sandbox;
    const struct host_settings *host;
    const struct memory_group *memory;
    pid_t parent;
    int out, err; /* where the container's output goes */
    int report;   /* struct contain_report is written here */
    int go;       /* the command may run when a byte can be read here; -1: at once */
    int visit;    /* the container's end of the channel for visitors; -1: there will be none */
};
struct contain_report {
    pid_t init;         /* the container's process 1 as we see it; 0 in a report of failure */
    struct error error; /* kind ERROR_NONE when it was started */
};
/* Runs in a fresh child and never returns; exits with the container's status. */
_Noreturn void contain(const struct contain *contain);

void contain_report(const struct contain *contain, pid_t init, const struct error *error);
/* Reports the failure and ends this process. */
_Noreturn void contain_give_up(const struct contain *contain, const struct error *error);
/* Of what waitpid says: the exit code, or 128 + signal. */
int contain_exit_status(int status);

/* What process 1 and the programs are in. */
struct place {
    const struct contain *contain;
    struct view *view;           /* NULL in chroot mode */
    struct copy_view *copy_view; /* in chroot mode */
    struct rootfs_user user;
};

/* ---- init.c: process 1 ---- */

/* The command, then the visitors; ends with the command's status. */
_Noreturn void init_run(const struct place *place);

/* ---- program.c: a program of the container ---- */

struct program {
    const struct text_list *argvs; /* the first that is there is run */
    size_t count;
    int in, out, err;
    const char *terminal; /* $TERM of one that is run on the terminal `in`, which becomes its own; NULL: without one */
};
/* In a fresh child: becomes it, confined. Comes back only when that failed. */
int program_exec(const struct place *place, const struct program *program, struct error *error);

/* ---- pseudo_terminal.c ---- */

struct pseudo_terminal {
    int outside; /* what a person types is written here, what programs print is read here */
    int inside;  /* standard input and output of the program */
};
/* `multiplexer` is /dev/ptmx, or that of a container. */
int pseudo_terminal_open(const char *multiplexer, struct pseudo_terminal *terminal, struct error *error) MUST_CHECK;

/* ---- visit.c: what process 1 and we say to each other; messages of a SOCK_SEQPACKET pair ---- */

enum { TERMINAL_NAME = 64 };

/* Ours: run a visitor. With the inside of its terminal as a descriptor where the container has no terminals. */
struct visit_request {
    unsigned short rows, columns;
    char terminal[TERMINAL_NAME]; /* $TERM */
};
struct visit_reply {
    enum {
        VISIT_COMMAND_ENDED, /* with `status`; from now on visitors are let in */
        VISIT_STARTED,       /* with the outside of its terminal as a descriptor, unless that is ours */
        VISIT_FAILED,        /* with `error` */
        VISIT_ENDED,         /* with `status` */
    } kind;
    int status;
    struct error error;
};
int visit_send(int channel, const void *message, size_t size, int passed);
/* 1, or 0 at the end. *passed is -1 when no descriptor came. */
int visit_receive(int channel, void *message, size_t size, int *passed);

/* ---- run.c ---- */

struct sandbox_process {
    pid_t holder, init; /* our child, and the container's process 1 */
    int report;         /* its end, or a report of failure, is readable once the command was started or not */
    int visit;          /* our end of the channel for visitors, or -1 */
    bool command_ended; /* but not the container: it waits for visitors */
    int command_status;
    struct memory_group memory;
    struct host_settings host;
    bool has_ended;
    int status;
    int64_t deadline; /* milliseconds of the monotonic clock, 0: none */
    bool is_late;     /* the deadline has passed: now it is that of the grace */
    int64_t asked;    /* when it was asked to end, 0: not yet */
};
struct sandbox_visit {
    const struct sandbox *sandbox;
    struct sandbox_process *process;
    int out, err; /* what its other processes print, or -1 */
};
/* The command's output goes to `out` and `err`. */
struct sandbox_process *process_launch(const struct sandbox *sandbox, int out, int err, struct error *error);
/* After that: 1 with *error, why the command could not be started. Asked once. */
int process_failed_to_start(struct sandbox_process *process, struct error *error);
bool process_holder_ended(struct sandbox_process *process);
/* Ends all of it at once. */
void process_end(struct sandbox_process *process);
void process_release(struct sandbox_process *process);
/* What is in the pipes, -1 for one that is none; without waiting. */
void process_drain(const struct sandbox *sandbox, int out, int err);

#endif
