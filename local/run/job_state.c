/* Jobs on disk. An execution is saved when it begins and when it ends. */
#include "common/file/file.h"
#include "local/run/jobs.h"

#include <string.h>

enum { STATE_LIMIT = 64 << 20 };

void job_free(struct job *job) {
    for (size_t i = 0; i < job->execution_count; i++)
        execution_free(job->executions[i]);
    free(job->executions);
    json_release(&job->document);
    json_release(&job->policy);
    json_release(&job->operations);
    free(job->project);
    free(job->region);
    free(job->name);
    free(job);
}

static char *state_folder(const struct run *run, const struct job *job) {
    return text_format("%s/%s/%s/jobs", run->root, job->project, job->region);
}

static struct json *executions_state(const struct job *job) {
    struct json *all = json_new_array();
    for (size_t i = 0; i < job->execution_count; i++) {
        const struct execution *execution = job->executions[i];
        struct json *state = json_new_object();
        if (execution->deleted) {
            json_release(&state);
            continue;
        }
        json_set(state, "execution", json_share(execution->document));
        json_set(state, "tasks", json_share(execution->tasks));
        json_append(all, state);
    }
    return all;
}

void job_state_save(const struct run *run, const struct job *job) {
    AUTO_JSON struct json *state = json_new_object();
    struct error error = {0};
    json_set(state, "job", json_share(job->document));
    json_set(state, "policy", json_share(job->policy));
    json_set(state, "operations", json_share(job->operations));
    json_set(state, "executions", executions_state(job));
    AUTO_FREE char *folder = state_folder(run, job);
    AUTO_FREE char *path = text_format("%s/%s.json", folder, job->name);
    AUTO_FREE char *text = json_format(state, JSON_COMPACT_STYLE);
    if (directory_make(folder, 0700, &error) < 0 || file_write_atomic(path, text, strlen(text), 0600, &error) < 0)
        server_note("cannot save job %s: %s", job->name, error.text);
}

void job_state_remove(const struct run *run, const struct job *job) {
    AUTO_FREE char *folder = state_folder(run, job);
    AUTO_FREE char *path = text_format("%s/%s.json", folder, job->name);
    unlink(path);
}

static struct execution *load_execution(const struct json *state) {
    const struct json *document = json_get(state, "execution"), *tasks = json_get(state, "tasks");
    const char *name = path_base(json_get_text(document, "name", ""));
    if (text_is_empty(name) || !json_is_array(tasks) || json_count(tasks) == 0 || json_count(tasks) > TASKS_MOST)
        return NULL;
    struct execution *execution = memory_allocate(1, sizeof(*execution));
    execution->name = text_copy(name);
    execution->document = json_copy_deep(document);
    execution->tasks = json_copy_deep(tasks);
    execution->next_task = json_count(tasks);
    return execution;
}

static struct json *load_array(const struct json *state, const char *key) {
    return json_is_array(json_get(state, key)) ? json_copy_deep(json_get(state, key)) : json_new_array();
}

static struct job *load_job(const struct json *state, const struct state_file *file) {
    const struct json *executions = json_get(state, "executions"), *policy = json_get(state, "policy");
    if (!json_is_object(json_get(state, "job")))
        return NULL;
    struct job *job = memory_allocate(1, sizeof(*job));
    job->project = text_copy(file->project);
    job->region = text_copy(file->region);
    job->name = text_copy(file->name);
    job->document = json_copy_deep(json_get(state, "job"));
    job->policy = json_is_object(policy) ? json_copy_deep(policy) : json_new_object();
    job->operations = load_array(state, "operations");
    job->executions = memory_allocate(json_count(executions) + 1, sizeof(struct execution *));
    for (size_t i = 0; i < json_count(executions); i++) {
        struct execution *execution = load_execution(json_at(executions, i));
        if (execution)
            job->executions[job->execution_count++] = execution;
    }
    operations_abandon(job->operations);
    return job;
}

/* What ran when the last process ended without a word is over, too. */
static int load_file(void *context, const struct state_file *file, struct error *error) {
    struct run *run = context;
    if (run->job_count >= JOBS_LIMIT)
        return 0;
    AUTO_JSON struct json *state = json_parse_file(file->path, STATE_LIMIT, error);
    struct job *job = state ? load_job(state, file) : NULL;
    if (!job) {
        server_note("%s is damaged and is left out", file->path);
        return 0;
    }
    run->jobs = memory_resize(run->jobs, run->job_count + 1, sizeof(struct job *));
    run->jobs[run->job_count++] = job;
    for (size_t i = 0; i < job->execution_count; i++)
        execution_abandon(run, job, job->executions[i]);
    return 0;
}

int job_state_load(struct run *run, struct error *error) {
    return state_each(run->root, "/jobs", load_file, run, error);
}

/* ---- for the tool ---- */

static int list_file(void *context, const struct state_file *file, struct error *error) {
    AUTO_JSON struct json *state = json_parse_file(file->path, STATE_LIMIT, error);
    const struct json *document = json_get(state, "job"), *latest = json_get(document, "latestCreatedExecution");
    AUTO_FREE char *status = text_copy(json_get_text(latest, "completionStatus", ""));
    if (!document)
        return 0;
    for (char *at = status; *at; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    const char *short_status = text_starts_with(status, "execution_") ? status + strlen("execution_") : "-";
    buffer_append_format(context, "job      %s  %s  %s  %s\n", file->name, file->region,
                         json_get_text(latest, "name", "never executed"), short_status);
    return 0;
}

void run_list_jobs(const char *state, struct buffer *out) {
    AUTO_FREE char *root = path_join(state, "run");
    struct error error;
    if (state_each(root, "/jobs", list_file, out, &error) < 0)
        error_clear(&error);
}
