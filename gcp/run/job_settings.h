/* What a job's user asks for, by options: what services have, too, is in workload.h; here is the rest, and what all of
 * it means in a Job of the API. No network here. */
#ifndef GCP_RUN_JOB_SETTINGS_H
#define GCP_RUN_JOB_SETTINGS_H

#include "gcp/run/containers.h"

/* NULL, -1 and empty: as it is (for a new job: as Google decides). Texts are borrowed. */
struct run_job_settings {
    struct run_workload workload;
    struct run_volumes volumes;
    const char *job_file; /* read by run_job_settings_read into `job` */
    struct json *job;     /* a Job whose fields replace those of the job, before the rest; owned, may be NULL */
    char *job_name;       /* that the file names; owned, may be NULL */
    long long tasks, parallelism, max_retries;
    long long task_timeout; /* seconds, of each attempt */
};

extern const struct option run_job_setting_rows[];
#define RUN_JOB_SETTING_OPTIONS(member)                                                                                \
    RUN_WORKLOAD_OPTIONS(member.workload), RUN_VOLUME_OPTIONS(member.volumes), {                                       \
        .title = "The job", .options = run_job_setting_rows, INTO(member)                                              \
    }

/* The environment files, and the job file: a Job of the API, or of Knative, as JSON or YAML, at most 1 MiB; what Google
 * computes is left out. Settings are never changed but here. */
int run_job_settings_read(struct run_job_settings *settings, struct error *error) MUST_CHECK;
/* Frees what was read. */
void run_job_settings_release(struct run_job_settings *settings);
/* Checks what can be checked without a server. ERROR_USAGE. */
int run_job_settings_check(const struct run_job_settings *settings, struct error *error) MUST_CHECK;
/* Whether anything is asked for. */
bool run_job_settings_any(const struct run_job_settings *settings);
/* Puts the settings into a job, which is in the form of run_job_writable (of a new one: empty). All that they do not
 * name is kept, also what pl does not know. */
void run_job_settings_apply(const struct run_job_settings *settings, struct json *job);

/* What differs in one execution; it changes nothing of the job. */
struct run_overrides {
    struct text_list arguments; /* in place of the job's */
    bool without_arguments;
    struct text_list environment; /* "NAME=value", laid over the job's */
    long long tasks;              /* -1: as the job says */
    long long timeout;            /* seconds; -1: as the job says */
};

extern const struct option run_override_rows[];
#define RUN_OVERRIDE_OPTIONS(member)                                                                                   \
    { .title = "This execution alone", .options = run_override_rows, INTO(member) }

/* Whether any is given. */
bool run_overrides_any(const struct run_overrides *overrides);
/* ERROR_USAGE. */
int run_overrides_check(const struct run_overrides *overrides, struct error *error) MUST_CHECK;
/* The `overrides` of the request; NULL when none is given. The caller releases. */
struct json *run_overrides_json(const struct run_overrides *overrides);

#endif
