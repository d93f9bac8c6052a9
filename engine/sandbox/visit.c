/* Our side of visitors, and the channel between both sides. */
#include "engine/sandbox/visit.h"

#include "engine/sandbox/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the channel ---- */

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

int visit_send(int channel, const void *message, size_t size, int passed) {
    union control control = {0};
    struct iovec part = {.iov_base = (void *)message, .iov_len = size};
    struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        envelope.msg_control = control.space;
        envelope.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&envelope);
        *header =
            (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(passed))};
        memcpy(CMSG_DATA(header), &passed, sizeof(passed));
    }
    ssize_t sent;
    do
        sent = sendmsg(channel, &envelope, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size ? 0 : -1;
}

int visit_receive(int channel, void *message, size_t size, int *passed) {
    union control control = {0};
    struct iovec part = {.iov_base = message, .iov_len = size};
    struct msghdr envelope = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)};
    ssize_t got;
    *passed = -1;
    do
        got = recvmsg(channel, &envelope, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    struct cmsghdr *header = got >= 0 ? CMSG_FIRSTHDR(&envelope) : NULL;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(*passed)))
        memcpy(passed, CMSG_DATA(header), sizeof(*passed));
    return got == (ssize_t)size ? 1 : 0;
}

/* ---- visitors ---- */

int sandbox_visit_start(struct sandbox_visit *visit, const struct visit_terminal *wanted, int *terminal,
                        struct error *error) {
    int channel = visit->process->visit, passed = -1;
    bool is_ours = sandbox_mode() == SANDBOX_CHROOT;
    struct pseudo_terminal own = {-1, -1};
    struct visit_request request = {.rows = wanted->rows, .columns = wanted->columns};
    struct visit_reply reply;
    snprintf(request.terminal, sizeof(request.terminal), "%s", wanted->type ? wanted->type : "");
    if (is_ours && pseudo_terminal_open("/dev/ptmx", &own, error) < 0)
        return -1;
    bool answered = visit_send(channel, &request, sizeof(request), own.inside) == 0 &&
                    visit_receive(channel, &reply, sizeof(reply), &passed) == 1;
    cleanup_close(&own.inside);
    *terminal = is_ours ? own.outside : passed;
    if (answered && reply.kind == VISIT_STARTED && *terminal >= 0)
        return 0;
    cleanup_close(terminal);
    *terminal = -1;
    if (!answered || reply.kind != VISIT_FAILED)
        return error_set(error, ERROR_STEP, "the container has ended");
    if (error)
        *error = reply.error;
    return -1;
}

bool sandbox_visit_ended(struct sandbox_visit *visit, int *status) {
    struct pollfd channel = {.fd = visit->process->visit, .events = POLLIN};
    struct visit_reply reply;
    int passed;
    process_drain(visit->sandbox, visit->out, visit->err);
    if (poll(&channel, 1, 0) <= 0)
        return false;
    bool told = visit_receive(channel.fd, &reply, sizeof(reply), &passed) == 1 && reply.kind == VISIT_ENDED;
    cleanup_close(&passed);
    *status = told ? reply.status : 128 + 9;
    return true;
}

int sandbox_visit_wake(const struct sandbox_visit *visit) {
    return visit->process->visit;
}

/* ---- a container for them alone ---- */

int sandbox_visit_open(const struct sandbox *sandbox, struct sandbox_visit **pointer, struct error *error) {
    AUTO_CLOSE int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct visit_reply reply;
    int passed;
    *pointer = NULL;
    if (nowhere < 0)
        return error_set_errno(error, errno, "cannot open /dev/null");
    struct sandbox_process *process = process_launch(sandbox, nowhere, nowhere, error);
    if (!process)
        return -1;
    /* Process 1 is there, and waits. */
    int failed = process_failed_to_start(process, error);
    if (failed || visit_receive(process->visit, &reply, sizeof(reply), &passed) != 1) {
        process_end(process);
        process_release(process);
        return failed ? -1 : error_set(error, ERROR_INTERNAL, "the container has ended");
    }
    struct sandbox_visit *visit = memory_allocate(1, sizeof(*visit));
    *visit = (struct sandbox_visit){.sandbox = sandbox, .process = process, .out = -1, .err = -1};
    *pointer = visit;
    return 0;
}

void sandbox_visit_close(struct sandbox_visit **pointer) {
    struct sandbox_visit *visit = *pointer;
    *pointer = NULL;
    if (!visit)
        return;
    process_end(visit->process);
    process_release(visit->process);
    free(visit);
}
