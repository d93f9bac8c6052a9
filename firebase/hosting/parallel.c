#include "firebase/hosting/parallel.h"

struct running;

struct slot {
    struct running *running;
    struct parallel_job job;
    unsigned token; /* which one it was sent with */
    bool sent_again;
};

struct running {
    const struct parallel *parallel;
    struct slot slots[PARALLEL_LIMIT];
    unsigned token; /* counted up whenever a new one is minted */
    bool failed;
    struct error error;
};

static void slot_done(void *context, struct http_response *response, const struct error *failure);

static void job_release(struct parallel_job *job) {
    free(job->url);
    free(job->body);
    *job = (struct parallel_job){0};
}

static void fail(struct running *running, const struct error *error) {
    if (!running->failed)
        running->error = *error;
    running->failed = true;
}

/* Sends the slot's job; `again`: the token that it was sent with is no good. */
static void send(struct slot *slot, bool again) {
    struct running *running = slot->running;
    struct cloud *cloud = running->parallel->cloud;
    struct error error = {0};
    bool mint = again && slot->token == running->token;
    const char *token = credentials_token(cloud->credentials, cloud->http, mint, &error);
    running->token += mint;
    slot->token = running->token;
    slot->sent_again = again;
    slot->job.request.authorization = HTTP_BEARER;
    slot->job.request.secret = token;
    if (!token || http_start(cloud->http, &slot->job.request, slot_done, slot, &error) < 0) {
        fail(running, &error);
        job_release(&slot->job);
    }
    slot->job.request.secret = NULL;
}

static void begin(struct slot *slot) {
    struct running *running = slot->running;
    struct error error = {0};
    if (running->failed)
        return;
    int got = running->parallel->next(running->parallel->context, &slot->job, &error);
    if (got > 0)
        send(slot, false);
    else if (got < 0)
        fail(running, &error);
}

static void slot_done(void *context, struct http_response *response, const struct error *failure) {
    struct slot *slot = context;
    struct running *running = slot->running;
    struct error error = {0};
    if (failure) {
        fail(running, failure);
    } else if (response->status == 401 && !slot->sent_again) {
        send(slot, true);
        return;
    } else if (running->parallel->done(running->parallel->context, &slot->job, response, &error) < 0) {
        fail(running, &error);
    }
    job_release(&slot->job);
    begin(slot);
}

int parallel_run(const struct parallel *parallel, struct error *error) {
    AUTO_FREE struct running *running = memory_allocate(1, sizeof(*running));
    running->parallel = parallel;
    for (size_t i = 0; i < parallel->at_once; i++) {
        running->slots[i].running = running;
        begin(&running->slots[i]);
    }
    struct error failure = {0};
    if (http_run(parallel->cloud->http, &failure) < 0)
        fail(running, &failure);
    if (!running->failed)
        return 0;
    if (error)
        *error = running->error;
    return -1;
}
