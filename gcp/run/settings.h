/* What a service's user asks for, by options: one table of rows, and what they mean in a Service of the API.
 *
 * Everything that is not asked for stays as it is; lists of names (variables, secrets, labels, Cloud SQL instances) are
 * added to what is there, by name. No network here. */
#ifndef GCP_RUN_SETTINGS_H
#define GCP_RUN_SETTINGS_H

#include "common/base/text.h"
#include "common/command/command.h"
#include "common/json/json.h"

/* NULL, -1 and empty: as it is (for a new service: as Google decides). Texts are borrowed. */
struct run_settings {
    const char *service_file; /* read by run_settings_read into `service` */
    struct json *service; /* a Service whose fields replace those of the service, before the rest; owned, may be NULL */
    const char *image;    /* HOST/REPO@sha256:…; no option of the table */
    long long port;
    int http2;
    const char *cpu;  /* "1", "0.5", "500m" */
    long long memory; /* bytes */
    int cpu_throttling, cpu_boost;
    const char *gpu_type;
    long long gpus;
    long long min_instances, max_instances, service_min_instances;
    long long concurrency;
    long long timeout; /* seconds */
    const char *service_account;
    struct text_list environment;       /* "NAME=value"; everything after the first '=' is the value */
    struct text_list environment_files; /* read by run_settings_read into `environment`, before what was there */
    struct text_list removed_environment;
    bool replace_environment;      /* what is not named goes, secrets excepted */
    struct text_list secrets;      /* "NAME=SECRET[:VERSION]" a variable, "/path/file=SECRET[:VERSION]" a file */
    struct text_list labels;       /* "key=value" */
    struct text_list annotations;  /* "key=value", of the revision */
    struct text_list command;      /* a word each */
    struct text_list arguments;    /* a word each */
    const char *working_directory; /* absolute */
    const char *description;
    const char *ingress;               /* all, internal, internal-and-cloud-load-balancing */
    const char *execution_environment; /* gen1, gen2 */
    int session_affinity;
    int invoker_check; /* 0: everybody may call, whatever the policy says */
    struct text_list audiences;
    const char *vpc_connector, *network, *subnet;
    struct text_list network_tags;
    const char *vpc_egress;              /* all-traffic, private-ranges-only */
    struct text_list cloudsql_instances; /* PROJECT:REGION:INSTANCE */
    const char *startup_probe;           /* as run_probe_parse takes it */
    const char *liveness_probe;
};

extern const struct option run_setting_rows[];
#define RUN_SETTING_OPTIONS(member)                                                                                    \
    { .title = "The service", .options = run_setting_rows, INTO(member) }

/* Reads the environment files: lines NAME=VALUE, empty ones and those that begin with '#' left out, `export ` before a
 * name too; a value in single or double quotes loses them, and in double quotes \n, \" and \\ are read. At most 1 MiB
 * each. The service file: a Service of the API as JSON, at most 1 MiB; what Google computes is left out. Settings are
 * never changed but here. */
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
