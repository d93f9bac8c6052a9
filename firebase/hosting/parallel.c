#include "firebase/hosting/parallel.h"

#include "common/crypto/random.h"

enum { FIRST_BACKOFF = 500, LONGEST_BACKOFF = 30000, LONGEST_WAIT = 600000 };

struct running;

enum slot_state { SLOT_IDLE, SLOT_RUNNING, SLOT_WAITING };

struct slot {
    struct running *running;
    struct parallel_job job;
    enum slot_state state;
    unsigned token; /* which one it was sent with */
    unsigned tries;
    bool is_refreshed; /* it was sent again after a 401 */
};

struct running {
    const struct parallel *parallel;
    struct slot slots[PARALLEL_LIMIT];
    size_t active, limit, good; /* good: answers since the limit was changed */
    unsigned in_a_row;          /* temporary failures since the last good answer */
    unsigned token;             /* counted up whenever a new one is minted */
    bool is_exhausted, is_minting, failed;
    struct error error;
};

static void slot_done(void *context, struct http_response *response, const struct error *failure);

static void job_release(struct slot *slot) {
    free(slot->job.url);
    free(slot->job.body);
    slot->job = (struct parallel_job){0};
    slot->state = SLOT_IDLE;
    slot->tries = 0;
    slot->is_refreshed = false;
}

static void fail(struct running *running, const struct error *error) {
    if (!running->failed)
        running->error = *error;
    running->failed = true;
}

/* Minting a token asks a server, and while that is waited for other answers arrive: nothing is begun meanwhile. */
static const char *token_get(struct running *running, bool again, struct error *error) {
    struct cloud *cloud = running->parallel->cloud;
    running->is_minting = true;
    const char *token = credentials_token(cloud->credentials, cloud->http, again, error);
    running->is_minting = false;
    running->token += again;
    return token;
}

static void send(struct slot *slot) {
    struct running *running = slot->running;
    struct error error = {0};
    slot->state = SLOT_RUNNING;
    running->active++;
    const char *token = token_get(running, false, &error);
    slot->token = running->token;
    slot->job.request.authorization = HTTP_BEARER;
    slot->job.request.secret = token;
    slot->job.request.no_retry = true;
    if (!token || http_start(running->parallel->cloud->http, &slot->job.request, slot_done, slot, &error) < 0) {
        running->active--;
        fail(running, &error);
        job_release(slot);
    }
    slot->job.request.secret = NULL;
}

/* Of those that wait to be sent again, the one that was sent least often. */
static struct slot *next_waiting(struct running *running) {
    struct slot *found = NULL;
    for (size_t i = 0; i < running->parallel->at_once; i++) {
        struct slot *slot = &running->slots[i];
        if (slot->state == SLOT_WAITING && (!found || slot->tries < found->tries))
            found = slot;
    }
    return found;
}

/* Starts what may be started: first what waits to be sent again. */
static void pump(struct running *running) {
    const struct parallel *parallel = running->parallel;
    struct error error = {0};
    if (running->is_minting)
        return;
    for (struct slot *slot; running->active < running->limit && !running->failed && (slot = next_waiting(running));)
        send(slot);
    for (size_t i = 0; i < parallel->at_once && running->active < running->limit && !running->failed; i++) {
        struct slot *slot = &running->slots[i];
        if (running->is_exhausted || slot->state != SLOT_IDLE)
            continue;
        int got = parallel->next(parallel->context, &slot->job, &error);
        running->is_exhausted = got == 0;
        if (got > 0)
            send(slot);
        else if (got < 0)
            fail(running, &error);
    }
}

/* The token is no good: another one, unless somebody else's answer has led to one already. */
static void refresh(struct slot *slot) {
    struct running *running = slot->running;
    struct error error = {0};
    slot->is_refreshed = true;
    slot->state = SLOT_WAITING;
    slot->job.request.delay = 0;
    if (slot->token == running->token && !running->is_minting && !token_get(running, true, &error))
        fail(running, &error);
}

static bool is_temporary(const struct http_response *response, const struct error *failure) {
    if (failure)
        return failure->kind == ERROR_UNAVAILABLE;
    long status = response->status;
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* How often in a row the server had enough after all that went on at once had been told so. */
static unsigned rounds(const struct running *running) {
    unsigned first = (unsigned)running->parallel->at_once;
    return running->in_a_row > first ? running->in_a_row - first : 0;
}

static int64_t backoff(unsigned round) {
    int64_t most = FIRST_BACKOFF;
    for (unsigned i = 0; i < round && most < LONGEST_BACKOFF; i++)
        most *= 2;
    uint32_t random;
    random_bytes(&random, sizeof(random));
    return random % ((most < LONGEST_BACKOFF ? most : LONGEST_BACKOFF) + 1);
}

static bool may_be_sent_again(const struct slot *slot, const struct http_response *response,
                              const struct error *failure) {
    return !slot->running->failed && is_temporary(response, failure) && slot->tries + 1 < PARALLEL_TRIES &&
           rounds(slot->running) < PARALLEL_TRIES;
}

static void wait_out(struct slot *slot, const struct http_response *response, const struct error *failure) {
    struct running *running = slot->running;
    int64_t asked = failure ? -1 : http_retry_after(response);
    running->in_a_row++;
    running->limit = running->limit > 1 ? running->limit / 2 : 1;
    running->good = 0;
    slot->tries++;
    slot->state = SLOT_WAITING;
    slot->job.request.delay = asked >= 0 && asked <= LONGEST_WAIT ? asked : backoff(rounds(running));
    if (running->in_a_row > 1 && !rounds(running))
        return;
    AUTO_FREE char *reason = failure ? text_copy(failure->text) : text_format("Hosting answered %ld", response->status);
    progress_note(running->parallel->cloud->progress, "%s; trying again in %.1f s, %zu at once", reason,
                  (double)slot->job.request.delay / 1000, running->limit);
}

static void went_well(struct running *running) {
    running->in_a_row = 0;
    if (++running->good < running->limit || running->limit == running->parallel->at_once)
        return;
    running->limit++;
    running->good = 0;
}

static void slot_done(void *context, struct http_response *response, const struct error *failure) {
    struct slot *slot = context;
    struct running *running = slot->running;
    struct error error = {0};
    running->active--;
    if (may_be_sent_again(slot, response, failure)) {
        wait_out(slot, response, failure);
    } else if (failure) {
        fail(running, failure);
        job_release(slot);
    } else if (response->status == 401 && !slot->is_refreshed && !running->failed) {
        refresh(slot);
    } else {
        if (running->parallel->done(running->parallel->context, &slot->job, response, &error) < 0)
            fail(running, &error);
        job_release(slot);
        went_well(running);
    }
    pump(running);
}

int parallel_run(const struct parallel *parallel, struct error *error) {
    AUTO_FREE struct running *running = memory_allocate(1, sizeof(*running));
    running->parallel = parallel;
    running->limit = parallel->at_once;
    for (size_t i = 0; i < parallel->at_once; i++)
        running->slots[i].running = running;
    pump(running);
    struct error failure = {0};
    if (http_run(parallel->cloud->http, &failure) < 0)
        fail(running, &failure);
    for (size_t i = 0; i < parallel->at_once; i++)
        job_release(&running->slots[i]);
    if (!running->failed)
        return 0;
    if (error)
        *error = running->error;
    return -1;
}
