/* Requests about executions and tasks. In v1 they lie beside the jobs, not below them: names are unique in a region. */
#include "local/knative/internal.h"

#include <string.h>

/* The next execution after *index that is there, with its job; NULL at the end. */
struct walk {
    size_t job, execution;
};
static struct execution *next_execution(const struct knative_call *call, struct walk *walk, struct job **job) {
    for (; walk->job < call->run->job_count; walk->job++, walk->execution = 0) {
        *job = call->run->jobs[walk->job];
        /* The newest first. */
        while (job_is_here(call, *job) && walk->execution < (*job)->execution_count) {
            struct execution *execution = (*job)->executions[(*job)->execution_count - ++walk->execution];
            if (!execution->deleted)
                return execution;
        }
    }
    return NULL;
}

static struct execution *find_execution(const struct knative_call *call, const char *name, struct job **job) {
    struct walk walk = {0};
    struct execution *execution;
    while ((execution = next_execution(call, &walk, job)))
        if (text_equal(execution->name, name))
            return execution;
    return NULL;
}

static void list_executions(struct knative_call *call) {
    struct json *all = json_new_array();
    struct walk walk = {0};
    struct job *job;
    struct execution *execution;
    while ((execution = next_execution(call, &walk, &job))) {
        struct place place = job_place(call, job);
        json_append(all, execution_to_knative(execution->document, &place));
    }
    reply_list(call, "ExecutionList", all);
}

static void reply_execution(struct knative_call *call, const struct job *job, const struct execution *execution) {
    struct place place = job_place(call, job);
    reply_json(call->reply, 200, execution_to_knative(execution->document, &place));
}

static void one_execution(struct knative_call *call) {
    struct job *job;
    struct error error = {0};
    struct execution *execution = find_execution(call, call->path->name, &job);
    const char *verb = call->path->verb;
    if (!execution) {
        reply_nothing(call, "EXECUTION");
    } else if (text_equal(verb, "cancel") && request_is(call->request, "POST")) {
        if (execution_end(call->run, job, execution, &error) < 0)
            reply_refusal(call->reply, &error);
        else
            reply_execution(call, job, execution);
        error_clear(&error);
    } else if (!verb && request_is(call->request, "GET")) {
        reply_execution(call, job, execution);
    } else if (!verb && request_is(call->request, "DELETE")) {
        execution_delete(call->run, job, execution);
        reply_success(call->reply);
    }
}

void knative_executions(struct knative_call *call) {
    pthread_mutex_lock(&call->run->lock);
    if (call->path->name)
        one_execution(call);
    else if (request_is(call->request, "GET"))
        list_executions(call);
    pthread_mutex_unlock(&call->run->lock);
}

/* ---- tasks ---- */

static struct json *task_of(const struct knative_call *call, const struct job *job, const struct execution *execution,
                            const struct json *record) {
    struct place place = job_place(call, job);
    AUTO_JSON struct json *shown = task_shown(execution, record);
    return task_to_knative(shown, &place);
}

/* Those of the name, or all. */
static struct json *collect_tasks(const struct knative_call *call, const char *name) {
    struct json *all = json_new_array();
    struct walk walk = {0};
    struct job *job;
    struct execution *execution;
    while ((execution = next_execution(call, &walk, &job)))
        for (size_t i = 0; i < json_count(execution->tasks); i++) {
            const struct json *record = json_at(execution->tasks, i);
            if (!name || text_equal(json_get_text(record, "name", NULL), name))
                json_append(all, task_of(call, job, execution, record));
        }
    return all;
}

void knative_tasks(struct knative_call *call) {
    if (!request_is(call->request, "GET") || call->path->verb)
        return;
    pthread_mutex_lock(&call->run->lock);
    struct json *all = collect_tasks(call, call->path->name);
    pthread_mutex_unlock(&call->run->lock);
    if (!call->path->name) {
        reply_list(call, "TaskList", all);
        return;
    }
    if (json_count(all) > 0)
        reply_json(call->reply, 200, json_share(json_at(all, 0)));
    else
        reply_nothing(call, "TASK");
    json_release(&all);
}
