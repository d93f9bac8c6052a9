/* The options of whatever runs in Cloud Run, as every tool shows them that deploys something. */
#include "gcp/run/setting_row.h"
#include "gcp/run/workload.h"

#define SETTING(member) .offset = offsetof(struct run_workload, member)

static const char *const environments[] = {"gen1", "gen2", NULL};
static const char *const egresses[] = {"all-traffic", "private-ranges-only", NULL};

const struct option run_workload_rows[] = {
    TEXT_ROW("cpu", "CPU", "CPUs of an instance: 1, 2, 0.5, 500m", cpu),
    {.name = "memory",
     .value_name = "SIZE",
     .help = "memory of an instance: 512Mi, 2Gi",
     .kind = OPTION_SIZE,
     SETTING(memory)},
    NUMBER_ROW("gpu", "N", "GPUs of an instance", gpus),
    TEXT_ROW("gpu-type", "TYPE", "their type: nvidia-l4", gpu_type),
    {.letter = 'e',
     .name = "env",
     .value_name = "NAME=VALUE",
     .help = "an environment variable; the others stay",
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
    LIST_ROW("label", "NAME=VALUE", "a label; the others stay", labels),
    LIST_ROW("annotation", "NAME=VALUE", "an annotation of the revision or execution; the others stay", annotations),
    LIST_ROW("command", "WORD", "the container's command in place of the image's; once for each word", command),
    LIST_ROW("arg", "WORD", "an argument of it; once for each", arguments),
    TEXT_ROW("working-directory", "PATH", "where it runs", working_directory),
    TEXT_ROW("service-account", "EMAIL", "the service account that the container runs as", service_account),
    CHOICE_ROW("execution-environment", "GENERATION", "the sandbox", environments, execution_environment),
    TEXT_ROW("vpc-connector", "NAME", "the connector to a VPC network", vpc_connector),
    TEXT_ROW("network", "NAME", "direct egress to this VPC network", network),
    TEXT_ROW("subnet", "NAME", "its subnet", subnet),
    LIST_ROW("network-tag", "TAG", "a tag of the instances in that network", network_tags),
    CHOICE_ROW("vpc-egress", "WHAT", "what goes through the VPC", egresses, vpc_egress),
    LIST_ROW("cloudsql-instance", "PROJECT:REGION:NAME", "a Cloud SQL instance, in /cloudsql; the others stay",
             cloudsql_instances),
    {0},
};
