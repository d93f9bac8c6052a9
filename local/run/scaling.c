#include "local/run/scaling.h"

#include "local/run/internal.h"

#include <string.h>
#include <time.h>

enum {
    GRACE_SECONDS = 10,
    LOOK_MILLISECONDS = 100,
    RETRY_MILLISECONDS = 1000, /* after a failed start, doubled up to */
    RETRY_MOST = 60000,
    START_FACTOR_TENTHS = 35, /* a request waits for 3.5 starts if that is longer than the queue's time */
};

struct member {
    struct instance *instance; /* NULL: it is being stopped, or has ended */
    unsigned requests;
    int64_t idle_since;
};

struct waiter {
    pthread_cond_t granted;
    struct member *member;
    const char *affinity;
    bool refused;
    struct waiter *next;
};

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* False when the time has passed. */
static bool wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t time) {
    struct timespec end = {.tv_sec = time / 1000, .tv_nsec = time % 1000 * 1000000};
    return pthread_cond_timedwait(condition, lock, &end) != ETIMEDOUT;
}

/* ---- how many ---- */

struct limits {
    unsigned least, most, concurrency;
    bool disabled, unreachable;
};

static unsigned clamp(int64_t value, unsigned least, unsigned most) {
    return value < least ? least : value > most ? most : (unsigned)value;
}

/* The part of a number that belongs to the service, rounded up. */
static int64_t share(int64_t whole, unsigned percent) {
    return (whole * percent + 99) / 100;
}

static struct limits limits_of(const struct service *service, const struct revision *revision) {
    const struct json *own = json_get(revision->document, "scaling"), *all = json_get(service->document, "scaling");
    struct limits limits = {
        .concurrency = clamp(json_get_integer(revision->document, "maxInstanceRequestConcurrency", 80), 1, 1000)};
    bool tagged;
    unsigned percent = traffic_share(service, revision, &tagged);
    int64_t most = json_get_integer(own, "maxInstanceCount", 100), least = json_get_integer(own, "minInstanceCount", 0);
    if (service->deleted || (percent == 0 && !tagged)) {
        limits.unreachable = true;
        least = 0;
    } else if (percent > 0 && text_equal(json_get_text(all, "scalingMode", NULL), "MANUAL")) {
        least = most = share(json_get_integer(all, "manualInstanceCount", 0), percent);
        limits.disabled = most == 0;
    } else if (percent > 0) {
        int64_t minimum = share(json_get_integer(all, "minInstanceCount", 0), percent);
        int64_t maximum = share(json_get_integer(all, "maxInstanceCount", most * 100), percent);
        least = least > minimum ? least : minimum;
        most = most < maximum ? most : maximum;
    }
    limits.most = clamp(most, limits.disabled ? 0 : 1, INSTANCES_HERE);
    limits.least = clamp(least, 0, limits.most);
    return limits;
}

/* ---- stopping ---- */

struct ending {
    struct run *run;
    struct instance *instance;
    unsigned grace;
};

static void *end_one(void *context) {
    struct ending *ending = context;
    struct run *run = ending->run;
    instance_stop(&ending->instance, ending->grace);
    free(ending);
    run_work_done(run);
    return NULL;
}

/* In a thread of its own, since it takes up to the grace's time; where none can be had, the one that looks after all
 * does it. */
static void end_instance(struct run *run, struct instance *instance, unsigned grace) {
    struct ending *ending = memory_allocate(1, sizeof(*ending));
    *ending = (struct ending){run, instance, grace};
    if (run_work_locked(run, end_one, ending))
        return;
    free(ending);
    run->doomed = memory_resize(run->doomed, run->doomed_count + 1, sizeof(struct instance *));
    run->doomed[run->doomed_count++] = instance;
}

/* Gives the lock back meanwhile. */
static void end_doomed(struct run *run) {
    while (run->doomed_count > 0) {
        struct instance *instance = run->doomed[--run->doomed_count];
        pthread_mutex_unlock(&run->lock);
        instance_stop(&instance, 0);
        pthread_mutex_lock(&run->lock);
    }
}

/* Takes a member out of the set; requests that are still with it see the end of their connections. */
static void remove_member(struct run *run, struct instances *set, size_t index, unsigned grace) {
    struct member *member = set->members[index];
    struct instance *instance = take_pointer(&member->instance);
    memmove(set->members + index, set->members + index + 1, (set->count - index - 1) * sizeof(struct member *));
    set->count--;
    if (member->requests == 0)
        free(member);
    end_instance(run, instance, grace);
}

static void remove_ended(struct run *run, struct instances *set) {
    int status;
    bool out_of_memory;
    for (size_t i = set->count; i-- > 0;)
        if (instance_ended(set->members[i]->instance, &status, &out_of_memory))
            remove_member(run, set, i, 0);
}

/* ---- starting ---- */

struct starting {
    struct run *run;
    struct service *service;
    struct revision *revision;
    struct launch *launch;
    const char *why;
};

static void serve_queue(struct run *run, struct service *service, struct revision *revision);

static void refuse_all(struct instances *set) {
    for (struct waiter *waiter = set->first; waiter; waiter = waiter->next) {
        waiter->refused = true;
        pthread_cond_signal(&waiter->granted);
    }
    set->first = set->last = NULL;
}

void scaling_add(struct run *run, struct revision *revision, struct instance *instance) {
    struct instances *set = &revision->instances;
    struct member *member = memory_allocate(1, sizeof(*member));
    *member = (struct member){.instance = instance, .idle_since = milliseconds_now()};
    set->members = memory_resize(set->members, set->count + 1, sizeof(struct member *));
    set->members[set->count++] = member;
    pthread_cond_broadcast(&run->changed);
}

static void note_failure(struct instances *set) {
    int64_t pause = RETRY_MILLISECONDS << (set->failures < 6 ? set->failures : 6);
    set->failures++;
    set->not_before = milliseconds_now() + (pause < RETRY_MOST ? pause : RETRY_MOST);
    /* Whoever waits for one that runs goes on waiting. */
    if (set->count == 0 && set->starting == 0)
        refuse_all(set);
}

static void *start_one(void *context) {
    struct starting *starting = context;
    struct run *run = starting->run;
    struct instances *set = &starting->revision->instances;
    struct failure failure = {0};
    int64_t begin = milliseconds_now();
    service_log(run, starting->service, starting->launch->revision, starting->why);
    struct instance *instance = instance_start(run, starting->launch, &failure);
    if (!instance && !failure.is_logged)
        service_log(run, starting->service, starting->launch->revision, failure.text);
    pthread_mutex_lock(&run->lock);
    set->starting--;
    if (instance) {
        set->failures = 0;
        set->not_before = 0;
        set->start_time = milliseconds_now() - begin;
        scaling_add(run, starting->revision, instance);
    } else {
        note_failure(set);
    }
    serve_queue(run, starting->service, starting->revision);
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    failure_release(&failure);
    launch_release(&starting->launch);
    free(starting);
    run_work_done(run);
    return NULL;
}

static const char autoscaling[] =
    "Starting new instance. Reason: AUTOSCALING - Instance started due to configured scaling factors (e.g. CPU "
    "utilization, request throughput, etc.) or no existing capacity for current traffic.";
static const char minimum[] =
    "Starting new instance. Reason: MANUAL_OR_CUSTOMER_MIN_INSTANCE - Instance started because "
    "of customer-configured min-instances or manual scaling.";

static bool begin_start(struct run *run, struct service *service, struct revision *revision, const char *why) {
    struct starting *starting = memory_allocate(1, sizeof(*starting));
    *starting = (struct starting){run, service, revision, launch_new(service, revision), why};
    revision->instances.starting++;
    if (run_work_locked(run, start_one, starting))
        return true;
    revision->instances.starting--;
    launch_release(&starting->launch);
    free(starting);
    return false;
}

/* ---- a place for a request ---- */

static struct member *find_place(const struct instances *set, unsigned concurrency, const char *affinity) {
    struct member *found = NULL;
    for (size_t i = set->count; i-- > 0;) {
        struct member *member = set->members[i];
        if (member->requests >= concurrency || !instance_takes_requests(member->instance))
            continue;
        if (affinity && text_equal(instance_id(member->instance), affinity))
            return member;
        found = member;
    }
    return found;
}

static size_t waiting(const struct instances *set) {
    size_t count = 0;
    for (const struct waiter *waiter = set->first; waiter; waiter = waiter->next)
        count++;
    return count;
}

/* Gives free places to those who wait longest, and starts instances for those who must go on waiting. */
static void serve_queue(struct run *run, struct service *service, struct revision *revision) {
    struct instances *set = &revision->instances;
    struct limits limits = limits_of(service, revision);
    struct member *member;
    while (set->first && (member = find_place(set, limits.concurrency, set->first->affinity))) {
        struct waiter *waiter = set->first;
        set->first = waiter->next;
        if (!set->first)
            set->last = NULL;
        member->requests++;
        waiter->member = member;
        pthread_cond_signal(&waiter->granted);
    }
    size_t rest = waiting(set);
    bool may = set->count + set->starting == 0 || milliseconds_now() >= set->not_before;
    while (may && !revision->starting && !service->deleted && rest > (size_t)set->starting * limits.concurrency &&
           set->count + set->starting < limits.most)
        may = begin_start(run, service, revision, autoscaling);
}

static void leave_queue(struct instances *set, const struct waiter *gone) {
    struct waiter *before = NULL;
    for (struct waiter *waiter = set->first; waiter; before = waiter, waiter = waiter->next) {
        if (waiter != gone)
            continue;
        *(before ? &before->next : &set->first) = gone->next;
        set->last = set->last == gone ? before : set->last;
        return;
    }
}

static enum slot_answer queue_up(struct run *run, struct service *service, struct revision *revision,
                                 struct waiter *waiter) {
    struct instances *set = &revision->instances;
    int64_t begin = milliseconds_now();
    *(set->last ? &set->last->next : &set->first) = waiter;
    set->last = waiter;
    serve_queue(run, service, revision);
    while (!waiter->member && !waiter->refused) {
        int64_t longest = set->start_time * START_FACTOR_TENTHS / 10, time = (int64_t)run->cloud->queue_time * 1000;
        if (wait_until(&waiter->granted, &run->lock, begin + (time > longest ? time : longest)) || waiter->member ||
            waiter->refused)
            continue;
        /* The first instance is waited for as long as its start takes. */
        if (set->count > 0 || (set->starting == 0 && !revision->starting)) {
            leave_queue(set, waiter);
            return SLOT_FULL;
        }
        wait_until(&waiter->granted, &run->lock, milliseconds_now() + LOOK_MILLISECONDS);
    }
    return waiter->member ? SLOT_TAKEN : SLOT_FAILED;
}

enum slot_answer slot_take(struct run *run, struct service *service, const char *tag, const char *affinity,
                           struct slot *slot) {
    struct waiter waiter = {.affinity = affinity};
    enum slot_answer answer = SLOT_NO_REVISION;
    pthread_mutex_lock(&run->lock);
    struct revision *revision = traffic_choose(service, tag);
    if (revision && limits_of(service, revision).disabled && !tag) {
        answer = SLOT_DISABLED;
    } else if (revision && !service->deleted && !atomic_load(&run->stopping)) {
        condition_init(&waiter.granted);
        remove_ended(run, &revision->instances);
        answer = queue_up(run, service, revision, &waiter);
        pthread_cond_destroy(&waiter.granted);
    }
    pthread_mutex_unlock(&run->lock);
    *slot = (struct slot){service, revision, waiter.member};
    return answer;
}

void slot_give(struct run *run, struct slot *slot) {
    struct member *member = take_pointer(&slot->member);
    pthread_mutex_lock(&run->lock);
    member->requests--;
    if (!member->instance && member->requests == 0) {
        free(member);
    } else if (member->instance) {
        member->idle_since = milliseconds_now();
        serve_queue(run, slot->service, slot->revision);
    }
    pthread_mutex_unlock(&run->lock);
}

int slot_connect(struct run *run, const struct slot *slot) {
    struct door door = {.network = -1};
    pthread_mutex_lock(&run->lock);
    bool runs = slot->member->instance != NULL;
    if (runs)
        door = instance_door(slot->member->instance);
    pthread_mutex_unlock(&run->lock);
    return runs ? door_connect(&door, 0) : -1;
}

char *slot_affinity(struct run *run, const struct slot *slot) {
    pthread_mutex_lock(&run->lock);
    bool asked = slot->member->instance && json_get_bool(slot->revision->document, "sessionAffinity", false);
    char *id = asked ? text_copy(instance_id(slot->member->instance)) : NULL;
    pthread_mutex_unlock(&run->lock);
    return id;
}

/* ---- looking after them ---- */

void scaling_reach_minimum(struct run *run, struct service *service, struct revision *revision) {
    struct instances *set = &revision->instances;
    int64_t least = json_get_integer(json_get(revision->document, "scaling"), "minInstanceCount", 0);
    while (set->count + set->starting < clamp(least, 0, INSTANCES_HERE) && begin_start(run, service, revision, minimum))
        continue;
    while (set->starting > 0 && !atomic_load(&run->stopping))
        pthread_cond_wait(&run->changed, &run->lock);
}

static void stop_idle(struct run *run, struct instances *set, const struct limits *limits) {
    int64_t now = milliseconds_now(), time = limits->unreachable ? 0 : (int64_t)run->cloud->idle_time * 1000;
    for (size_t i = set->count; i-- > 0 && set->count > limits->least;) {
        const struct member *member = set->members[i];
        if (member->requests == 0 && !set->first && (now - member->idle_since >= time || set->count > limits->most))
            remove_member(run, set, i, GRACE_SECONDS);
    }
}

static void look_after(struct run *run, struct service *service, struct revision *revision) {
    struct instances *set = &revision->instances;
    struct limits limits = limits_of(service, revision);
    remove_ended(run, set);
    if (revision->starting)
        return;
    stop_idle(run, set, &limits);
    if (set->first)
        serve_queue(run, service, revision);
    while (set->count + set->starting < limits.least && milliseconds_now() >= set->not_before &&
           begin_start(run, service, revision, minimum))
        continue;
}

static void *look_after_all(void *context) {
    struct run *run = context;
    pthread_mutex_lock(&run->lock);
    while (!atomic_load(&run->stopping)) {
        end_doomed(run);
        for (size_t i = 0; i < run->service_count; i++)
            for (size_t j = 0; j < run->services[i]->revision_count; j++)
                look_after(run, run->services[i], run->services[i]->revisions[j]);
        wait_until(&run->scale, &run->lock, milliseconds_now() + LOOK_MILLISECONDS);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

void scaling_look(struct run *run) {
    pthread_cond_signal(&run->scale);
}

int scaling_open(struct run *run, struct error *error) {
    condition_init(&run->scale);
    run->is_scaling = pthread_create(&run->scaler, NULL, look_after_all, run) == 0;
    if (run->is_scaling)
        return 0;
    pthread_cond_destroy(&run->scale);
    return error_set(error, ERROR_INTERNAL, "cannot make a thread");
}

void scaling_end(struct run *run, struct service *service) {
    for (size_t i = 0; i < service->revision_count; i++) {
        struct instances *set = &service->revisions[i]->instances;
        refuse_all(set);
        while (set->count > 0)
            remove_member(run, set, set->count - 1, 1);
    }
}

void scaling_close(struct run *run) {
    pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < run->service_count; i++)
        for (size_t j = 0; j < run->services[i]->revision_count; j++)
            refuse_all(&run->services[i]->revisions[j]->instances);
    if (run->is_scaling)
        scaling_look(run);
    pthread_mutex_unlock(&run->lock);
    if (!run->is_scaling)
        return;
    pthread_join(run->scaler, NULL);
    pthread_cond_destroy(&run->scale);
}

void scaling_stop_all(struct run *run) {
    while (run->doomed_count > 0)
        instance_stop(&run->doomed[--run->doomed_count], 0);
    free(run->doomed);
    run->doomed = NULL;
    for (size_t i = 0; i < run->service_count; i++)
        for (size_t j = 0; j < run->services[i]->revision_count; j++) {
            struct instances *set = &run->services[i]->revisions[j]->instances;
            for (size_t k = 0; k < set->count; k++) {
                instance_stop(&set->members[k]->instance, 0);
                free(set->members[k]);
            }
            free(set->members);
            *set = (struct instances){0};
        }
}
