/* The options of a service, as every tool shows them that deploys one. */
#include "gcp/run/settings.h"

#define SETTING(member) .offset = offsetof(struct run_settings, member)
#define TEXT_ROW(option_name, value, text, member)                                                                     \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, SETTING(member) }
#define NUMBER_ROW(option_name, value, text, member)                                                                   \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_NUMBER, SETTING(member) }
#define LIST_ROW(option_name, value, text, member)                                                                     \
    {                                                                                                                  \
        .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, .traits = OPTION_REPEATABLE,      \
        SETTING(member)                                                                                                \
    }
#define SWITCH_ROW(option_name, text, member)                                                                          \
    { .name = option_name, .help = text, .kind = OPTION_FLAG, .traits = OPTION_NEGATABLE, SETTING(member) }
#define CHOICE_ROW(option_name, value, text, names, member)                                                            \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_CHOICE, .choices = names, SETTING(member) }

static const char *const ingresses[] = {"all", "internal", "internal-and-cloud-load-balancing", NULL};
static const char *const environments[] = {"gen1", "gen2", NULL};
static const char *const egresses[] = {"all-traffic", "private-ranges-only", NULL};

const struct option run_setting_rows[] = {
    {.name = "service",
     .value_name = "FILE",
     .help = "a service as JSON of the API, as --export prints it: its fields replace the service's, the options here "
             "are laid over it",
     .kind = OPTION_FILE,
     SETTING(service_file)},
    NUMBER_ROW("port", "PORT", "the port that the container listens on, given to it as $PORT", port),
    SWITCH_ROW("http2", "speak HTTP/2 without TLS (h2c) to the container", http2),
    TEXT_ROW("cpu", "CPU", "CPUs of an instance: 1, 2, 0.5, 500m", cpu),
    {.name = "memory",
     .value_name = "SIZE",
     .help = "memory of an instance: 512Mi, 2Gi",
     .kind = OPTION_SIZE,
     SETTING(memory)},
    SWITCH_ROW("cpu-throttling", "CPU only while requests are answered", cpu_throttling),
    SWITCH_ROW("cpu-boost", "more CPU while an instance starts", cpu_boost),
    NUMBER_ROW("gpu", "N", "GPUs of an instance", gpus),
    TEXT_ROW("gpu-type", "TYPE", "their type: nvidia-l4", gpu_type),
    NUMBER_ROW("min-instances", "N", "instances of a revision that are kept running", min_instances),
    NUMBER_ROW("max-instances", "N", "the most instances of a revision that run at once", max_instances),
    NUMBER_ROW("min", "N", "instances of the service that are kept running, whichever revisions serve",
               service_min_instances),
    NUMBER_ROW("concurrency", "N", "requests that one instance takes at once", concurrency),
    {.name = "timeout",
     .value_name = "TIME",
     .help = "the longest that a request may take: 60s, 5m",
     .kind = OPTION_DURATION,
     SETTING(timeout)},
    {.letter = 'e',
     .name = "env",
     .value_name = "NAME=VALUE",
     .help = "an environment variable; the others of the service stay",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     SETTING(environment)},
    {.name = "env-file",
     .value_name = "FILE",
     .help = "variables from a file of lines NAME=VALUE; --env goes before them",
     .kind = OPTION_FILE,
     .traits = OPTION_REPEATABLE,
     SETTING(environment_files)},
    LIST_ROW("remove-env", "NAME", "a variable or secret variable that goes", removed_environment),
    {.name = "replace-env",
     .help = "variables that are not named here go; secrets stay",
     .kind = OPTION_FLAG,
     SETTING(replace_environment)},
    LIST_ROW("secret", "NAME=SECRET[:VERSION]",
             "a secret of Secret Manager as a variable, or as a file: /path/file=SECRET[:VERSION]", secrets),
    LIST_ROW("label", "NAME=VALUE", "a label of the service and the revision; the others stay", labels),
    LIST_ROW("annotation", "NAME=VALUE", "an annotation of the revision; the others stay", annotations),
    LIST_ROW("command", "WORD", "the container's command in place of the image's; once for each word", command),
    LIST_ROW("arg", "WORD", "an argument of it; once for each", arguments),
    TEXT_ROW("working-directory", "PATH", "where it runs", working_directory),
    TEXT_ROW("service-account", "EMAIL", "the service account that the container runs as", service_account),
    TEXT_ROW("description", "TEXT", "what the service is, for people", description),
    CHOICE_ROW("ingress", "FROM", "whose requests reach it", ingresses, ingress),
    SWITCH_ROW("invoker-check", "without it everybody may call the service, whatever its policy says", invoker_check),
    LIST_ROW("audience", "URL", "an audience beside its URL that ID tokens may be for", audiences),
    CHOICE_ROW("execution-environment", "GENERATION", "the sandbox", environments, execution_environment),
    SWITCH_ROW("session-affinity", "requests of one client to one instance, as far as possible", session_affinity),
    TEXT_ROW("vpc-connector", "NAME", "the connector to a VPC network", vpc_connector),
    TEXT_ROW("network", "NAME", "direct egress to this VPC network", network),
    TEXT_ROW("subnet", "NAME", "its subnet", subnet),
    LIST_ROW("network-tag", "TAG", "a tag of the instances in that network", network_tags),
    CHOICE_ROW("vpc-egress", "WHAT", "what goes through the VPC", egresses, vpc_egress),
    LIST_ROW("cloudsql-instance", "PROJECT:REGION:NAME", "a Cloud SQL instance, in /cloudsql; the others stay",
             cloudsql_instances),
    TEXT_ROW("startup-probe", "PROBE",
             "when it has started: httpGet.path=/ready,periodSeconds=2,failureThreshold=30; \"\" removes it",
             startup_probe),
    TEXT_ROW("liveness-probe", "PROBE", "whether it still works, in the same form", liveness_probe),
    {0},
};
