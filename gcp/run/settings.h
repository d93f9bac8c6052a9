/* What a service's user asks for, by options: one table of rows, and what they mean in a Service of the API. What
 * services have in common with jobs is in workload.h. No network here. */
#ifndef GCP_RUN_SETTINGS_H
#define GCP_RUN_SETTINGS_H

#include "gcp/run/containers.h"
#include "gcp/run/workload.h"

/* NULL, -1 and empty: as it is (for a new service: as Google decides). Texts are borrowed. */
struct run_settings {
    struct run_workload workload;
    struct run_containers containers;
    const char *service_file; /* read by run_settings_read into `service` */
    struct json *service; /* a Service whose fields replace those of the service, before the rest; owned, may be NULL */
    char *service_name;   /* that the file names; owned, may be NULL */
    long long port;
    int http2;
    int cpu_throttling, cpu_boost;
    long long min_instances, max_instances, service_min_instances, service_max_instances;
    const char *scaling; /* "auto", or how many instances */
    long long concurrency;
    long long timeout; /* seconds */
    const char *description;
    const char *ingress; /* all, internal, internal-and-cloud-load-balancing */
    int session_affinity;
    int invoker_check; /* 0: everybody may call, whatever the policy says */
    struct text_list audiences, removed_audiences;
    bool replace_audiences;           /* what is not named goes */
    const char *binary_authorization; /* "default", the name of a policy; "": none */
    const char *breakglass;           /* why the policy does not count */
    const char *key_revocation;       /* prevent-new, shut-down */
    long long key_shutdown_time;      /* seconds, whole hours */
    int gpu_zonal_redundancy;
    int default_url;           /* 0: no URL of run.app */
    const char *startup_probe; /* as run_probe_parse takes it */
    const char *liveness_probe;
    const char *readiness_probe;
};

extern const struct option run_setting_rows[];
#define RUN_SETTING_OPTIONS(member)                                                                                    \
    RUN_WORKLOAD_OPTIONS(member.workload), {.title = "The service", .options = run_setting_rows, INTO(member)},        \
        RUN_CONTAINER_OPTIONS(member.containers)

/* The environment files, and the service file: a Service of the API, or Knative's (knative.h), as JSON or YAML, at most
 * 1 MiB; what Google computes is left out. Settings are never changed but here. */
int run_settings_read(struct run_settings *settings, struct error *error) MUST_CHECK;
/* Frees what was read. */
void run_settings_release(struct run_settings *settings);
/* Checks what can be checked without a server: names, ranges of numbers, forms. ERROR_USAGE. */
int run_settings_check(const struct run_settings *settings, struct error *error) MUST_CHECK;

/* "httpGet.path=/health,httpGet.port=8080,initialDelaySeconds=5,timeoutSeconds=1,periodSeconds=10,failureThreshold=3",
 * as gcloud takes it; httpGet.path, tcpSocket.port or grpc.port decide what it asks. NULL and ERROR_USAGE. */
struct json *run_probe_parse(const char *text, struct error *error);

/* Puts the settings into a service, which is in the form of run_service_writable (of a new one: empty). All that they
 * do not name is kept, also what pl does not know. */
void run_settings_apply(const struct run_settings *settings, struct json *service);

#endif
