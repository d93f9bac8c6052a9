#include "gcp/run/gate.h"

#include "common/process/process.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_MOST = 1000,
    LATENCY_DEFAULT = 10000,
    SMOKE_TRIES = 4,
    SMOKE_PAUSE = 700, /* milliseconds */
    PAUSE_MOST = 1000,
    PAUSE_LEAST = 100,
    QUESTIONS_LEAST = 3,
    COMMAND_SECONDS = 600
};

struct question {
    struct cloud *cloud;
    const struct run_gate *gate;
    const struct run_gate_target *target;
    char *url;
    char *token; /* NULL until it turns out that one is needed */
    char what[160];
};

static void question_release(struct question *question) {
    free(question->url);
    if (question->token)
        memory_wipe(question->token, strlen(question->token));
    free(question->token);
}

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_milliseconds(int64_t milliseconds) {
    nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000}, NULL);
}

int run_gate_check(const struct run_gate *gate, struct error *error) {
    const char *path = gate->path;
    bool good = path[0] == '/' && path[1] != '/' && strlen(path) <= PATH_MOST;
    for (const char *at = path; good && *at; at++)
        good = (unsigned char)*at > ' ' && *at != 127 && *at != '\\' && *at != '#';
    if (!good)
        return error_set(error, ERROR_USAGE, "\"%.100s\" is no path of a URL; give one such as /health", path);
    return gate->errors <= 100 ? 0 : error_set(error, ERROR_USAGE, "--gate-errors is a percent: 0 to 100");
}

static struct question question_new(struct cloud *cloud, const struct run_gate *gate,
                                    const struct run_gate_target *target) {
    size_t length = strlen(target->url);
    bool slash = length > 0 && target->url[length - 1] == '/';
    return (struct question){.cloud = cloud,
                             .gate = gate,
                             .target = target,
                             .url = text_format("%.*s%s", (int)(slash ? length - 1 : length), target->url, gate->path)};
}

static long ask_once(struct question *question, int64_t *took) {
    AUTO_RESPONSE struct http_response response = {0};
    unsigned latency = question->gate->latency ? question->gate->latency : LATENCY_DEFAULT;
    struct error error = {0};
    struct http_request request = {.url = question->url,
                                   .authorization = question->token ? HTTP_BEARER : HTTP_NO_AUTHORIZATION,
                                   .secret = question->token,
                                   .no_retry = true,
                                   .timeout = latency / 1000 + 1};
    int64_t begin = milliseconds_now();
    int result = http_perform(question->cloud->http, &request, &response, &error);
    *took = milliseconds_now() - begin;
    if (result < 0)
        snprintf(question->what, sizeof(question->what), "%.150s", error.text);
    error_clear(&error);
    return result < 0 ? 0 : response.status;
}

/* One question; question->what says what was wrong. */
static bool ask(struct question *question) {
    unsigned latency = question->gate->latency ? question->gate->latency : LATENCY_DEFAULT;
    int64_t took = 0;
    http_renew_deadline(question->cloud->http);
    long status = ask_once(question, &took);
    if ((status == 401 || status == 403) && !question->token) {
        question->token = credentials_id_token(question->cloud->credentials, question->cloud->http,
                                               question->target->audience, true, NULL);
        if (question->token)
            status = ask_once(question, &took);
    }
    if (status >= 400)
        snprintf(question->what, sizeof(question->what), "it answers %ld", status);
    if (status == 0 || status >= 400)
        return false;
    if (took > latency)
        snprintf(question->what, sizeof(question->what), "its answer took %lld ms", (long long)took);
    return took <= latency;
}

int run_gate_smoke(struct cloud *cloud, const struct run_gate *gate, const struct run_gate_target *target,
                   struct error *error) {
    AUTO(question_release) struct question question = question_new(cloud, gate, target);
    for (int i = 0; i < SMOKE_TRIES; i++) {
        if (i > 0)
            pause_milliseconds(SMOKE_PAUSE);
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "stopped while revision %s was asked", target->revision);
        if (ask(&question))
            return 0;
    }
    return error_set(error, ERROR_STEP, "revision %s is not good at %s: %s", target->revision, gate->path,
                     question.what);
}

static int run_command(const struct cloud *cloud, const struct run_gate *gate, const struct run_gate_target *target,
                       struct error *error) {
    const char *const argv[] = {"/bin/sh", "-c", gate->command, NULL};
    AUTO_LIST struct text_list environment = {0};
    int status = 0;
    text_list_add_format(&environment, "PL_URL=%s", target->url);
    text_list_add_format(&environment, "PL_REVISION=%s", target->revision);
    text_list_add_format(&environment, "PL_PERCENT=%u", target->percent);
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "PL_URL=") && !text_starts_with(*at, "PL_REVISION=") &&
            !text_starts_with(*at, "PL_PERCENT="))
            text_list_add(&environment, *at);
    AUTO_BUFFER struct buffer said = BUFFER(64 << 10);
    struct process process = {.argv = argv,
                              .environment = (const char *const *)environment.items,
                              .out = &said,
                              .err = &said,
                              .timeout = COMMAND_SECONDS,
                              .lead_group = true};
    int step = progress_begin(cloud->progress, "gate: %.60s", gate->command);
    int result = process_run(&process, &status, error);
    progress_output(cloud->progress, step, buffer_text(&said), said.length);
    progress_end(cloud->progress, step, result == 0 && status == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    if (result < 0)
        return -1;
    return status == 0 ? 0
                       : error_set(error, ERROR_STEP, "the gate's command ended with exit code %d for revision %s",
                                   status, target->revision);
}

int run_gate_watch(struct cloud *cloud, const struct run_gate *gate, const struct run_gate_target *target,
                   unsigned seconds, struct error *error) {
    AUTO(question_release) struct question question = question_new(cloud, gate, target);
    int64_t end = milliseconds_now() + (int64_t)seconds * 1000, pause = (int64_t)seconds * 100;
    unsigned asked = 0, failed = 0;
    pause = pause > PAUSE_MOST ? PAUSE_MOST : pause < PAUSE_LEAST ? PAUSE_LEAST : pause;
    while (asked < QUESTIONS_LEAST || milliseconds_now() < end) {
        if (progress_cancelled(cloud->progress))
            return error_set(error, ERROR_CANCELLED, "stopped while revision %s has %u %% of the traffic",
                             target->revision, target->percent);
        asked++;
        failed += ask(&question) ? 0 : 1;
        /* A single failure among few is no percentage. */
        if (failed >= 2 && failed * 100 > asked * gate->errors)
            return error_set(error, ERROR_STEP, "revision %s failed %u of %u questions at %s: %s", target->revision,
                             failed, asked, gate->path, question.what);
        pause_milliseconds(pause);
    }
    return gate->command ? run_command(cloud, gate, target, error) : 0;
}
