/* Running a program on a stack of directories. Design section 7.
 *
 * The container is started by pl itself, not by an OCI runtime: the few system calls that a build step needs work
 * in every mode, also where a runtime refuses the layout of cgroups; docs/sandbox.md says more. Three processes: ours;
 * one in a new mount and PID namespace that holds the mounts; the container's process 1, which starts the command,
 * reaps what it leaves and ends with it. When any of them dies, the kernel ends all those below. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "common/base/error.h"
#include "common/base/progress.h"
#include "common/base/text.h"

#include <stdint.h>
#include <sys/types.h>

enum sandbox_mode {
    SANDBOX_ROOT,        /* overlayfs in a private mount namespace */
    SANDBOX_USER_FULL,   /* user namespace with a full id map */
    SANDBOX_USER_SINGLE, /* user namespace with one id */
    SANDBOX_CHROOT,      /* chroot(2), no mounts */
    SANDBOX_NONE,        /* nothing works here; the report says what is missing */
};

/* What was probed, best mode first, each with "ok" or the reason against it and what to do about it.
 * PL_SANDBOX=root|user|single|chroot forces one. */
struct sandbox_report {
    enum sandbox_mode mode;
    struct {
        bool works;
        char reason[256];
        char advice[256];
    } modes[SANDBOX_NONE];
};
int sandbox_probe(struct sandbox_report *report, struct error *error) MUST_CHECK;
const char *sandbox_mode_name(enum sandbox_mode mode);
/* Removes what containers of killed processes have left in the system: empty memory groups. */
void sandbox_clean(void);

/* Enters the user namespace when the mode is one of the user modes (in place, once, idempotent; the process must have
 * no threads yet). Every tool that reads unpacked trees calls it before the first use, and only then: a build in which
 * every step is found does not. */
int sandbox_enter(struct error *error) MUST_CHECK;
/* The mode that sandbox_enter chose. */
enum sandbox_mode sandbox_mode(void);
/* Whether files can be given to other users in it. */
bool sandbox_keeps_owners(void);

struct sandbox_mount {
    enum { SANDBOX_BIND, SANDBOX_TMPFS, SANDBOX_SECRET, SANDBOX_SHARED } type;
    const char *source; /* absolute host path of a bind (file or directory) */
    const char *target; /* absolute path in the container; parents are made; never through a link out of it */
    bool writable;
    uint64_t size; /* of a tmpfs */
    int shared;    /* SANDBOX_SHARED: of sandbox_shared_memory; used up */
    /* SANDBOX_SECRET: a file of these bytes. It is in memory, and ends with the container however that ends; only where
     * nothing can be mounted it is on the disk meanwhile. */
    const void *data;
    size_t length;
    mode_t mode;
    uint32_t uid, gid;
};

enum sandbox_network {
    SANDBOX_NETWORK_HOST,
    /* A new network namespace with loopback up and SANDBOX_ADDRESS on it: what listens on all addresses answers there,
     * what listens on 127.0.0.1 alone does not. */
    SANDBOX_NETWORK_NONE,
    /* The one of another container, which was made as NONE: `network_fd` is its /proc/INIT/ns/net. */
    SANDBOX_NETWORK_JOINED,
};

/* One file system in memory for several containers: `count` descriptors for one mount each. Without mounts (mode
 * chroot) ERROR_CONFIGURATION. `place` is an empty directory, which stays empty for all others. */
int sandbox_shared_memory(const char *place, uint64_t size, int *descriptors, size_t count,
                          struct error *error) MUST_CHECK;

enum { SANDBOX_GRACE = 5, SANDBOX_LOCK_LIMIT = 128 };

#define SANDBOX_ADDRESS "169.254.8.1"
/* In such a network the name metadata.google.internal stands for this address; who runs services gives it a meaning. */
#define SANDBOX_METADATA "169.254.169.254"

struct sandbox_visit;

struct sandbox {
    const char *const *lowers; /* topmost first; may be empty */
    size_t lower_count;
    const char *upper;   /* receives what is changed, in overlay form; on the same file system as `scratch` */
    const char *scratch; /* an empty private directory for mount points, the overlay's work directory, the bundle */
    const struct text_list *argv;        /* NULL: no command, the container waits for visitors */
    const struct text_list *environment; /* complete: nothing is added but what the design says (proxy, CA bundle) */
    bool add_host_network_settings; /* proxy variables and the host's CA bundle (bind mounts and SSL_CERT_FILE & co.) */
    const char *directory;          /* absolute; made when missing */
    const char *user;               /* "", "uid", "uid:gid", "name", "name:group" as in the image's own /etc/passwd */
    const char *hostname;
    const struct sandbox_mount *mounts;
    size_t mount_count;
    /* Descriptors of locks on what is mounted: kept open until the container is gone and everything is back in its
     * place, also when our process was killed meanwhile. At most SANDBOX_LOCK_LIMIT. */
    const int *locks;
    size_t lock_count;
    enum sandbox_network network;
    int network_fd;
    const struct text_list *names; /* further names of 127.0.0.1; NULL: none. Not in mode chroot */
    bool read_only_root;
    /* The host's own file system instead of layers, and nothing forbidden: for a program of the host that makes a root
     * file system. Only argv, environment, directory and the output are looked at. What it mounts and starts ends with
     * it. */
    bool on_host;
    uint64_t memory_limit; /* bytes, 0: none; enforced where a cgroup can be had, else by RLIMIT_AS; reported as out of
                              memory */
    int input_fd; /* a file that the command reads as its standard input, from where it stands; 0 or less: nothing */
    void (*output)(void *context, int stream, const char *data, size_t length);
    void *output_context;
    bool joins_streams;        /* both go the same way, as stream 1, so that they keep their order */
    struct progress *progress; /* its `cancelled` ends the run */
    /* Called here when the container's namespaces exist (see /proc/INIT/ns) and before its command runs; may be NULL.
     */
    void (*prepare)(void *context, pid_t init);
    void *prepare_context;
    /* Programs that may come when the command has ended, see visit.h: the argvs of which the first that is there is
     * run. */
    const struct text_list *visitors;
    size_t visitor_count;
    /* sandbox_run calls this when the command has ended, before anything of its container is gone, with its exit code
     * or 128 + signal; `failure` says why it could not be started or that it was out of time, and is NULL elsewhere.
     * Only with visitors; may be NULL. */
    void (*ended)(void *context, struct sandbox_visit *visit, int status, const struct error *failure);
    void *ended_context;
    /* Seconds, 0: none. Then SIGINT for the command, as a user's Ctrl-C, so that it can say where it was; after
     * SANDBOX_GRACE seconds more everything is ended. sandbox_run fails with ERROR_TIMEOUT in both cases. */
    unsigned timeout;
};

/* Runs to the end; *status is the exit code or 128 + signal. -1: it could not be started. All processes of it are gone
 * afterwards and nothing is left mounted. The upper directory is left complete and unmounted. */
int sandbox_run(const struct sandbox *sandbox, int *status, struct error *error) MUST_CHECK;

/* For services: starts and returns. Output goes to output_fd (a file or pipe). */
struct sandbox_process;
struct sandbox_process *sandbox_start(const struct sandbox *sandbox, int output_fd, struct error *error) MUST_CHECK;
/* A process inside, whose /proc/PID/net and /proc/PID/ns/net are the container's. */
pid_t sandbox_process_pid(const struct sandbox_process *process);
/* False while it runs; then *status as above, and *out_of_memory. Never blocks. */
bool sandbox_process_ended(struct sandbox_process *process, int *status, bool *out_of_memory);
/* SIGTERM alone: so that several can end at the same time. */
void sandbox_process_ask(struct sandbox_process *process);
/* SIGTERM, unless it was asked before; `grace` seconds after that SIGKILL to everything; waits, unmounts, frees. */
void sandbox_process_stop(struct sandbox_process **process, unsigned grace);

#endif
