#include "gcp/run/job_settings.h"

#include "gcp/run/knative.h"
#include "gcp/run/plan.h"
#include "gcp/run/setting_row.h"

#include <string.h>

enum { TASKS_MOST = 10000, RETRIES_MOST = 10, SECONDS_MOST = 7 * 24 * 3600 };

/* ---- the options ---- */

#define SETTING(member) .offset = offsetof(struct run_job_settings, member)

const struct option run_job_setting_rows[] = {
    {.name = "job",
     .value_name = "FILE",
     .help = "a job as JSON of the API, as --export prints it, or as YAML, as gcloud prints it: its fields replace the "
             "job's, the options here are laid over it",
     .kind = OPTION_FILE,
     SETTING(job_file)},
    NUMBER_ROW("tasks", "N", "tasks of an execution; each has its number in $CLOUD_RUN_TASK_INDEX", tasks),
    NUMBER_ROW("parallelism", "N", "how many of them run at once; 0: as many as possible", parallelism),
    NUMBER_ROW("max-retries", "N", "how often a task that failed is tried again, 3 without it", max_retries),
    {.name = "task-timeout",
     .value_name = "TIME",
     .help = "the longest that each attempt of a task may take: 600s, 2h; 10m without it",
     .kind = OPTION_DURATION,
     SETTING(task_timeout)},
    {0},
};

#undef SETTING
#define SETTING(member) .offset = offsetof(struct run_overrides, member)

const struct option run_override_rows[] = {
    LIST_ROW("with-arg", "WORD", "an argument in place of the job's; once for each", arguments),
    {.name = "without-args", .help = "without the job's arguments", .kind = OPTION_FLAG, SETTING(without_arguments)},
    LIST_ROW("with-env", "NAME=VALUE", "an environment variable beside the job's, or in place of one", environment),
    NUMBER_ROW("with-tasks", "N", "so many tasks", tasks),
    {.name = "with-timeout",
     .value_name = "TIME",
     .help = "the longest that each attempt of a task may take",
     .kind = OPTION_DURATION,
     SETTING(timeout)},
    {0},
};

/* ---- the file ---- */

static int read_job(struct run_job_settings *settings, struct error *error) {
    AUTO_JSON struct json *file = run_document_read(settings->job_file, run_knative_job, error);
    if (!file)
        return -1;
    const struct json *template = json_get(file, "template"), *task = json_get(template, "template");
    if (!json_is_object(file) || (template && !json_is_object(template)) || (task && !json_is_object(task)) ||
        (json_get(task, "containers") && !json_is_array(json_get(task, "containers")))) {
        error_set(error, ERROR_DATA, "%s is no Job of the Cloud Run API", settings->job_file);
        return error_next(error, "what one looks like: pl-run-job JOB --region REGION --export");
    }
    const char *name = json_get_text(file, "name", NULL), *slash = name ? strrchr(name, '/') : NULL;
    settings->job_name = text_copy(slash ? slash + 1 : name);
    settings->job = run_job_writable(file);
    return 0;
}

int run_job_settings_read(struct run_job_settings *settings, struct error *error) {
    if (settings->job_file && read_job(settings, error) < 0)
        return -1;
    return run_workload_read(&settings->workload, error);
}

void run_job_settings_release(struct run_job_settings *settings) {
    json_release(&settings->job);
    free(take_pointer(&settings->job_name));
}

/* ---- checks ---- */

int run_job_settings_check(const struct run_job_settings *settings, struct error *error) {
    if (run_workload_check(&settings->workload, error) < 0 || run_volumes_check(&settings->volumes, error) < 0 ||
        run_range_check("tasks", settings->tasks, 1, TASKS_MOST, error) < 0 ||
        run_range_check("parallelism", settings->parallelism, 0, TASKS_MOST, error) < 0 ||
        run_range_check("max-retries", settings->max_retries, 0, RETRIES_MOST, error) < 0)
        return -1;
    return run_range_check("task-timeout", settings->task_timeout, 1, SECONDS_MOST, error);
}

int run_overrides_check(const struct run_overrides *overrides, struct error *error) {
    const struct run_workload variables = {.environment = overrides->environment, .memory = -1, .gpus = -1};
    if (overrides->without_arguments && overrides->arguments.count > 0)
        return error_set(error, ERROR_USAGE, "--without-args and --with-arg exclude each other");
    if (run_workload_check(&variables, error) < 0)
        return error_wrap(error, "--with-env");
    if (run_range_check("with-tasks", overrides->tasks, 1, TASKS_MOST, error) < 0)
        return -1;
    return run_range_check("with-timeout", overrides->timeout, 1, SECONDS_MOST, error);
}

/* ---- in the API's words ---- */

static void put_seconds(struct json *object, const char *key, long long seconds) {
    AUTO_FREE char *text = text_format("%llds", seconds);
    if (seconds != -1)
        json_set_text(object, key, text);
}

void run_job_settings_apply(const struct run_job_settings *settings, struct json *job) {
    for (void *i = json_first(settings->job); i; i = json_next(settings->job, i))
        json_set(job, json_key(i), json_copy_deep(json_value(i)));
    struct json *template = json_need_object(job, "template"), *task = json_need_object(template, "template");
    struct json *containers = json_need_array(task, "containers");
    if (json_count(containers) == 0)
        json_append(containers, json_new_object());
    run_workload_apply(&settings->workload, task, json_at(containers, 0));
    run_volumes_apply(&settings->volumes, task, json_at(containers, 0));
    run_labels_apply(job, &settings->workload);
    run_labels_apply(template, &settings->workload);
    run_pairs_apply(template, "annotations", &settings->workload.annotations);
    if (settings->tasks != -1)
        json_set_integer(template, "taskCount", settings->tasks);
    if (settings->parallelism > 0)
        json_set_integer(template, "parallelism", settings->parallelism);
    else if (settings->parallelism == 0)
        json_remove(template, "parallelism");
    if (settings->max_retries != -1)
        json_set_integer(task, "maxRetries", settings->max_retries);
    put_seconds(task, "timeout", settings->task_timeout);
}

bool run_job_settings_any(const struct run_job_settings *settings) {
    static const struct run_job_settings nothing = {
        .workload = {.memory = -1, .gpus = -1}, .tasks = -1, .parallelism = -1, .max_retries = -1, .task_timeout = -1};
    const struct run_workload *workload = &settings->workload;
    AUTO_JSON struct json *with = json_new_object(), *without = json_new_object();
    run_job_settings_apply(settings, with);
    run_job_settings_apply(&nothing, without);
    return !json_same(with, without) || settings->job_file || workload->environment_files.count > 0 ||
           settings->volumes.removed.count > 0 || run_workload_takes_away(workload) || settings->parallelism == 0;
}

bool run_overrides_any(const struct run_overrides *overrides) {
    return overrides->arguments.count > 0 || overrides->without_arguments || overrides->environment.count > 0 ||
           overrides->tasks != -1 || overrides->timeout != -1;
}

static struct json *container_override(const struct run_overrides *overrides) {
    struct json *container = json_new_object();
    for (size_t i = 0; i < overrides->arguments.count; i++)
        json_append_text(json_need_array(container, "args"), overrides->arguments.items[i]);
    if (overrides->without_arguments)
        json_set_bool(container, "clearArgs", true);
    for (size_t i = 0; i < overrides->environment.count; i++) {
        const char *pair = overrides->environment.items[i], *equals = strchr(pair, '=');
        AUTO_FREE char *name = text_copy_length(pair, (size_t)(equals - pair));
        struct json *variable = json_new_object();
        json_set_text(variable, "name", name);
        json_set_text(variable, "value", equals + 1);
        json_append(json_need_array(container, "env"), variable);
    }
    return container;
}

struct json *run_overrides_json(const struct run_overrides *overrides) {
    if (!run_overrides_any(overrides))
        return NULL;
    struct json *all = json_new_object(), *container = container_override(overrides);
    if (json_count(container) > 0)
        json_append(json_need_array(all, "containerOverrides"), container);
    else
        json_release(&container);
    if (overrides->tasks != -1)
        json_set_integer(all, "taskCount", overrides->tasks);
    put_seconds(all, "timeout", overrides->timeout);
    return all;
}
