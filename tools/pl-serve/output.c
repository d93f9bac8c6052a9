#include "tools/pl-serve/output.h"

#include "common/base/text.h"

#include <poll.h>
#include <string.h>

enum { BLOCK = 16 << 10, LOOK_MILLISECONDS = 200, DRAIN_ROUNDS = 3 };

/* The older half makes place. */
static void remember(struct output *output, const char *data, size_t length) {
    if (length > OUTPUT_TAIL / 2) {
        data += length - OUTPUT_TAIL / 2;
        length = OUTPUT_TAIL / 2;
    }
    if (output->used + length > OUTPUT_TAIL) {
        size_t kept = OUTPUT_TAIL / 2 < output->used ? OUTPUT_TAIL / 2 : output->used;
        memmove(output->tail, output->tail + output->used - kept, kept);
        output->used = kept;
    }
    memcpy(output->tail + output->used, data, length);
    output->used += length;
}

static void *read_output(void *context) {
    struct output *output = context;
    AUTO_FREE char *block = memory_allocate(1, BLOCK);
    struct pollfd wait = {.fd = output->fd, .events = POLLIN};
    for (int quiet = 0; quiet < DRAIN_ROUNDS;) {
        /* Somebody outside of the container may hold the other end: its own end counts, too. */
        int ready = poll(&wait, 1, atomic_load(&output->over) ? 10 : LOOK_MILLISECONDS);
        quiet = ready == 0 && atomic_load(&output->over) ? quiet + 1 : 0;
        if (ready <= 0)
            continue;
        ssize_t got = read(output->fd, block, BLOCK);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        if (got < 0)
            continue;
        pthread_mutex_lock(&output->lock);
        remember(output, block, (size_t)got);
        if (output->step >= 0)
            progress_output(output->progress, output->step, block, (size_t)got);
        pthread_mutex_unlock(&output->lock);
    }
    return NULL;
}

void output_open(struct output *output, struct progress *progress, int step) {
    output->progress = progress;
    output->step = step;
    output->is_reading = pthread_create(&output->reader, NULL, read_output, output) == 0;
}

void output_hide(struct output *output) {
    pthread_mutex_lock(&output->lock);
    output->step = -1;
    pthread_mutex_unlock(&output->lock);
}

void output_pause(struct output *output) {
    pthread_mutex_lock(&output->lock);
}

void output_resume(struct output *output, int step) {
    output->step = step;
    pthread_mutex_unlock(&output->lock);
}

char *output_tail(struct output *output) {
    pthread_mutex_lock(&output->lock);
    const char *begin = output->tail, *end = output->tail + output->used;
    const char *line = output->used > OUTPUT_TAIL / 2 ? memchr(begin, '\n', output->used) : NULL;
    begin = line ? line + 1 : begin;
    while (end > begin && end[-1] == '\n')
        end--;
    char *text = text_copy_length(begin, (size_t)(end - begin));
    pthread_mutex_unlock(&output->lock);
    return text;
}

void output_finish(struct output *output) {
    atomic_store(&output->over, true);
    if (output->is_reading)
        pthread_join(output->reader, NULL);
    output->is_reading = false;
    cleanup_close(&output->fd);
    output->fd = -1;
}
