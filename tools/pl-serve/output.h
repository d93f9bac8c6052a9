/* What a container prints: shown as it comes while its step is open, and the last of it remembered. */
#ifndef TOOLS_PL_SERVE_OUTPUT_H
#define TOOLS_PL_SERVE_OUTPUT_H

#include "common/base/progress.h"

#include <pthread.h>
#include <stdatomic.h>

enum { OUTPUT_TAIL = 2048 };

struct output {
    struct progress *progress;
    int step; /* where it goes; below 0: nowhere */
    int fd;   /* what it prints comes here; owned */
    pthread_t reader;
    bool is_reading;
    atomic_bool over;     /* the container has ended: no more is waited for */
    pthread_mutex_t lock; /* of the step and the tail */
    char tail[OUTPUT_TAIL];
    size_t used;
};

/* Reads `fd` in a thread of its own. */
void output_open(struct output *output, struct progress *progress, int step);
/* What comes from now on is remembered alone. */
void output_hide(struct output *output);
/* Nothing is read until output_resume, after which it goes to another step; nothing of it is lost. */
void output_pause(struct output *output);
void output_resume(struct output *output, int step);
/* The last whole lines; the caller frees. */
char *output_tail(struct output *output);
/* Everything that was printed has been read afterwards: to be called when the container has ended. */
void output_finish(struct output *output);

#endif
