/* predeploy and postdeploy. */
#include "tools/pl-firebase-deploy/session.h"

#include "common/process/process.h"

#include <string.h>

extern char **environ;

struct running {
    struct progress *progress;
    int step;
};

static void take_output(void *context, int stream, const char *data, size_t length) {
    struct running *running = context;
    (void)stream;
    progress_output(running->progress, running->step, data, length);
}

/* Ours, with what firebase-tools adds; a variable of the same name gives way. */
static void make_environment(const struct session *session, struct text_list *environment) {
    static const char *const ours[] = {"GCLOUD_PROJECT=", "PROJECT_DIR=", "RESOURCE_DIR="};
    AUTO_FREE char *public = session_public(session);
    for (char **at = environ; *at; at++) {
        bool replaced = false;
        for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
            replaced = replaced || text_starts_with(*at, ours[i]);
        if (!replaced)
            text_list_add(environment, *at);
    }
    text_list_add_format(environment, "GCLOUD_PROJECT=%s", session->cloud.project);
    text_list_add_format(environment, "PROJECT_DIR=%s", session->file.directory);
    text_list_add_format(environment, "RESOURCE_DIR=%s", public ? public : session->file.directory);
}

static int run_one(struct session *session, const char *name, const char *command, const struct text_list *environment,
                   struct error *error) {
    struct progress *progress = session->context->progress;
    struct running running = {.progress = progress};
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    int status = 0;
    running.step = progress_begin(progress, "%s: %s", name, command);
    /* The project's own command, which its authors wrote for a shell. */
    struct process process = {.argv = argv,
                              .environment = (const char *const *)environment->items,
                              .directory = session->file.directory,
                              .output = take_output,
                              .context = &running,
                              .cancelled = progress->cancelled,
                              .cancelled_context = progress->context,
                              .lead_group = true};
    int result = process_run(&process, &status, error);
    progress_end(progress, running.step, result < 0 || status ? PROGRESS_FAILED : PROGRESS_MADE);
    if (result < 0 || status == 0)
        return result;
    return error_set(error, ERROR_STEP, "the %s hook \"%.300s\" ended with status %d", name, command, status);
}

int session_run_hook(struct session *session, const char *name, const struct text_list *commands, struct error *error) {
    AUTO_LIST struct text_list environment = {0};
    if (!commands->count)
        return 0;
    make_environment(session, &environment);
    for (size_t i = 0; i < commands->count; i++)
        if (run_one(session, name, commands->items[i], &environment, error) < 0)
            return -1;
    return 0;
}
