/* What Cloud Run refuses in a job, what it fills in, and the overrides of one execution. */
#include "local/run/jobs.h"

#include <string.h>

enum { TIMEOUT_MOST = 7 * 24 * 3600, RETRIES_MOST = 10 };

static const char *const job_variables[] = {"CLOUD_RUN_JOB",          "CLOUD_RUN_EXECUTION",  "CLOUD_RUN_TASK_INDEX",
                                            "CLOUD_RUN_TASK_ATTEMPT", "CLOUD_RUN_TASK_COUNT", NULL};
static const struct subject job_subject = {
    .request = "UpdateJobRequest.job", .template = "template.template", .reserved = job_variables};
static const struct subject override_subject = {
    .request = "RunJobRequest.overrides", .template = "template.template", .reserved = job_variables};

/* ---- checks ---- */

static int check_numbers(const struct subject *subject, const struct json *template, struct error *error) {
    const struct json *task = json_get(template, "template");
    int64_t count = json_get_integer(template, "taskCount", 1), retries = json_get_integer(task, "maxRetries", 0);
    int64_t parallelism = json_get_integer(template, "parallelism", 0);
    if (count < 1 || count > TASKS_MOST)
        return subject_refuse(subject, "template.task_count", error,
                              "must be between 1 and 1000 (Cloud Run takes 10000, the local cloud 1000)");
    if (parallelism < 0)
        return subject_refuse(subject, "template.parallelism", error, "must be at least 0");
    if (retries < 0 || retries > RETRIES_MOST)
        return subject_refuse(subject, "template.template.max_retries", error, "must be between 0 and 10");
    if (!seconds_between(json_get_text(task, "timeout", "600s"), 1, TIMEOUT_MOST))
        return subject_refuse(subject, "template.template.timeout", error, "must be between 1s and 604800s");
    return 0;
}

int job_validate(const struct json *document, struct error *error) {
    const struct json *template = json_get(document, "template"), *task = json_get(template, "template");
    if (json_get(document, "startExecutionToken") || json_get(document, "runExecutionToken"))
        return subject_refuse(&job_subject, "start_execution_token", error,
                              "the local cloud executes a job by jobs:run alone");
    if (!template)
        return subject_refuse(&job_subject, "template", error, "the template must be provided");
    if (!task)
        return subject_refuse(&job_subject, "template.template", error, "the template must be provided");
    if (subject_check_labels(&job_subject, json_get(document, "labels"), "labels", true, error) < 0 ||
        subject_check_labels(&job_subject, json_get(document, "annotations"), "annotations", false, error) < 0 ||
        subject_check_labels(&job_subject, json_get(template, "labels"), "template.labels", true, error) < 0 ||
        subject_check_labels(&job_subject, json_get(template, "annotations"), "template.annotations", false, error) < 0)
        return -1;
    return check_numbers(&job_subject, template, error) < 0 ? -1 : subject_check_template(&job_subject, task, error);
}

/* ---- defaults ---- */

void job_fill(const struct run *run, struct json *document) {
    struct json *template = json_get(document, "template"), *task = json_get(template, "template");
    fill_text(document, "launchStage", "GA");
    if (!task)
        return;
    if (!json_get(template, "taskCount"))
        json_set_integer(template, "taskCount", 1);
    if (!json_get(task, "maxRetries"))
        json_set_integer(task, "maxRetries", RETRIES_DEFAULT);
    fill_text(task, "timeout", "600s");
    fill_text(task, "serviceAccount", run->cloud->email);
    struct json *containers = json_get(task, "containers");
    for (size_t i = 0; i < json_count(containers); i++) {
        struct json *limits = json_need_object(json_need_object(json_at(containers, i), "resources"), "limits");
        fill_text(limits, "cpu", "1000m");
        fill_text(limits, "memory", "512Mi");
    }
}

/* ---- overrides ---- */

static struct json *container_named(struct json *containers, const char *name) {
    for (size_t i = 0; i < json_count(containers); i++)
        if (text_is_empty(name) || text_equal(json_get_text(json_at(containers, i), "name", NULL), name))
            return json_at(containers, i);
    return NULL;
}

static void put_variable(struct json *container, const struct json *variable) {
    struct json *all = json_need_array(container, "env");
    for (size_t i = 0; i < json_count(all); i++)
        if (text_equal(json_get_text(json_at(all, i), "name", NULL), json_get_text(variable, "name", NULL))) {
            json_set_at(all, i, json_copy_deep(variable));
            return;
        }
    json_append(all, json_copy_deep(variable));
}

static int override_container(struct json *task, const struct json *override, struct error *error) {
    const char *name = json_get_text(override, "name", NULL);
    struct json *container = container_named(json_get(task, "containers"), name);
    const struct json *arguments = json_get(override, "args"), *environment = json_get(override, "env");
    bool clear = json_get_bool(override, "clearArgs", false);
    if (!container)
        return error_set(error, ERROR_DATA,
                         "Violation in RunJobRequest.overrides.container_overrides.name: there is no container '%.60s'",
                         name);
    if (clear && arguments)
        return subject_refuse(&override_subject, "container_overrides.clear_args", error,
                              "args must be empty when clear_args is set");
    if (clear)
        json_remove(container, "args");
    if (arguments)
        json_set(container, "args", json_copy_deep(arguments));
    for (size_t i = 0; i < json_count(environment); i++)
        put_variable(container, json_at(environment, i));
    return 0;
}

int job_override(struct json *template, const struct json *overrides, struct error *error) {
    struct json *task = json_get(template, "template");
    const struct json *containers = json_get(overrides, "containerOverrides");
    const char *timeout = json_get_text(overrides, "timeout", NULL);
    for (size_t i = 0; i < json_count(containers); i++)
        if (override_container(task, json_at(containers, i), error) < 0)
            return -1;
    if (json_get(overrides, "taskCount"))
        json_set_integer(template, "taskCount", json_get_integer(overrides, "taskCount", 1));
    if (timeout)
        json_set_text(task, "timeout", timeout);
    return check_numbers(&override_subject, template, error) < 0
               ? -1
               : subject_check_template(&override_subject, task, error);
}
