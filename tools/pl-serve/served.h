/* A container that runs as a service, and its port on 127.0.0.1. */
#ifndef TOOLS_PL_SERVE_SERVED_H
#define TOOLS_PL_SERVE_SERVED_H

#include "chain/artifact.h"
#include "engine/sandbox/sandbox.h"
#include "tools/pl-serve/command.h"
#include "tools/pl-serve/door.h"
#include "tools/pl-serve/output.h"

enum { SERVICES_MOST = 16, STOP_SECONDS = 10 };

struct served {
    struct engine *engine;
    const struct arguments *arguments;
    struct artifact artifact;
    char *name;    /* what the record calls it, or "service" */
    unsigned port; /* that it is told in $PORT */
    char *scratch;
    struct sandbox_process *process;
    int step;
    struct door door;
    struct output output;
};

/* What a struct sandbox for it needs; released after the sandbox. */
struct served_root {
    struct text_list lowers, environment;
    char *upper, *work;
    struct sandbox sandbox; /* without a command */
};
int served_lay_out(struct served *service, struct served_root *root, struct error *error) MUST_CHECK;
void served_root_release(struct served_root *root);
#define AUTO_SERVED_ROOT AUTO(served_root_release)

/* Takes over the artifact. `host_port` 0: a free one. To be stopped after success and failure. */
int served_prepare(struct served *service, unsigned host_port, unsigned port, struct error *error) MUST_CHECK;
/* Its process begins. To be called for all before the first is opened, for that starts threads. */
int served_start(struct served *service, struct error *error) MUST_CHECK;
/* From now on what it prints is read and what connects to its port comes to it. */
int served_open(struct served *service, struct error *error) MUST_CHECK;
/* ERROR_STEP: it has ended, or is not ready in time; with what is known about the reason. */
int served_wait(struct served *service, struct error *error) MUST_CHECK;
/* False while it runs. */
bool served_ended(struct served *service, int *status);
/* With STOP_SECONDS from now: to be called for all before the first is stopped, so that they end at the same time. */
void served_ask(struct served *service);
/* In words: "ended with exit code 3". The caller frees. */
char *served_end_words(const struct served *service, int status);
void served_stop(struct served *service, enum progress_outcome outcome);

#endif
