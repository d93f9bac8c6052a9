#include "common/file/file.h"
#include "local/run/internal.h"
#include "local/run/jobs.h"

#include <string.h>

enum { WORKER_LIMIT = 512, CLIENT_LIMIT = 448 };

/* ---- starting containers ---- */

struct launch_job {
    const struct sandbox *sandbox;
    int output_fd;
    struct error *error;
    struct sandbox_process *process;
    bool done;
};

/* Forks for everybody: PR_SET_PDEATHSIG, by which a container ends with us, means the thread that forked. */
static void *launch_all(void *context) {
    struct run *run = context;
    pthread_mutex_lock(&run->lock);
    while (!run->closed) {
        struct launch_job *job = run->job;
        if (!job || job->done) {
            pthread_cond_wait(&run->changed, &run->lock);
            continue;
        }
        pthread_mutex_unlock(&run->lock);
        struct sandbox_process *process = sandbox_start(job->sandbox, job->output_fd, job->error);
        pthread_mutex_lock(&run->lock);
        job->process = process;
        job->done = true;
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

struct sandbox_process *run_launch(struct run *run, const struct sandbox *sandbox, int output_fd, struct error *error) {
    struct launch_job job = {.sandbox = sandbox, .output_fd = output_fd, .error = error};
    pthread_mutex_lock(&run->lock);
    while (run->job)
        pthread_cond_wait(&run->changed, &run->lock);
    run->job = &job;
    pthread_cond_broadcast(&run->changed);
    while (!job.done)
        pthread_cond_wait(&run->changed, &run->lock);
    run->job = NULL;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return job.process;
}

/* ---- threads ---- */

static bool begin_work(struct run *run, unsigned limit, void *(*work)(void *), void *context) {
    pthread_t thread;
    if (run->workers >= limit || atomic_load(&run->stopping) || pthread_create(&thread, NULL, work, context) != 0)
        return false;
    pthread_detach(thread);
    run->workers++;
    return true;
}

bool run_work_locked(struct run *run, void *(*work)(void *), void *context) {
    return begin_work(run, WORKER_LIMIT, work, context);
}

bool run_work(struct run *run, void *(*work)(void *), void *context) {
    pthread_mutex_lock(&run->lock);
    bool begun = begin_work(run, WORKER_LIMIT, work, context);
    pthread_mutex_unlock(&run->lock);
    return begun;
}

bool run_work_for_client(struct run *run, void *(*work)(void *), void *context) {
    pthread_mutex_lock(&run->lock);
    bool begun = begin_work(run, CLIENT_LIMIT, work, context);
    pthread_mutex_unlock(&run->lock);
    return begun;
}

void run_work_done(struct run *run) {
    pthread_mutex_lock(&run->lock);
    run->workers--;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

/* ---- services ---- */

struct service *run_find(const struct run *run, const char *project, const char *region, const char *name) {
    for (size_t i = 0; i < run->service_count; i++) {
        struct service *service = run->services[i];
        if (!service->deleted && text_equal(service->name, name) && text_equal(service->region, region) &&
            text_equal(service->project, project))
            return service;
    }
    return NULL;
}

struct revision *service_find_revision(const struct service *service, const char *name) {
    for (size_t i = 0; i < service->revision_count; i++)
        if (!service->revisions[i]->deleted && text_equal(service->revisions[i]->name, name))
            return service->revisions[i];
    return NULL;
}

void run_add(struct run *run, struct service *service) {
    run->services = memory_resize(run->services, run->service_count + 1, sizeof(struct service *));
    run->services[run->service_count++] = service;
}

bool run_service_port(const struct local_cloud *cloud, const char *project, const char *region, const char *name,
                      unsigned *port) {
    struct run *run = cloud->run;
    pthread_mutex_lock(&run->lock);
    const struct service *service = run_find(run, project, region, name);
    if (service)
        *port = service->port;
    pthread_mutex_unlock(&run->lock);
    return service != NULL;
}

/* ---- the whole ---- */

/* The registry works also where no container does; deploying then says why. */
static void check_sandbox(struct run *run) {
    struct error error = {0};
    sandbox_clean();
    if (sandbox_enter(&error) < 0)
        run->cannot_run = text_copy(error.text);
}

struct run *run_open(const struct local_cloud *cloud, struct error *error) {
    struct run *run = memory_allocate(1, sizeof(*run));
    run->cloud = cloud;
    run->root = path_join(cloud->state, "run");
    run->engine = (struct engine){.store = cloud->store};
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->changed, NULL);
    check_sandbox(run);
    if (pthread_create(&run->launcher, NULL, launch_all, run) != 0) {
        error_set(error, ERROR_INTERNAL, "cannot make a thread");
        free(run->root);
        free(run->cannot_run);
        free(run);
        return NULL;
    }
    if (state_load(run, error) == 0 && job_state_load(run, error) == 0 && scaling_open(run, error) == 0)
        return run;
    run_close(&run);
    return NULL;
}

void run_close(struct run **pointer) {
    struct run *run = *pointer;
    *pointer = NULL;
    if (!run)
        return;
    pthread_mutex_lock(&run->lock);
    atomic_store(&run->stopping, true);
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    for (size_t i = 0; i < run->service_count; i++)
        ingress_close(&run->services[i]->ingress);
    scaling_close(run);
    pthread_mutex_lock(&run->lock);
    while (run->workers > 0)
        pthread_cond_wait(&run->changed, &run->lock);
    pthread_mutex_unlock(&run->lock);
    scaling_stop_all(run);
    pthread_mutex_lock(&run->lock);
    run->closed = true;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    pthread_join(run->launcher, NULL);
    for (size_t i = 0; i < run->service_count; i++)
        service_free(run->services[i]);
    free(run->services);
    for (size_t i = 0; i < run->job_count; i++)
        job_free(run->jobs[i]);
    free(run->jobs);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->lock);
    free(run->root);
    free(run->cannot_run);
    free(run);
}
