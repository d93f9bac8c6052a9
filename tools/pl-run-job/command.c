#include "tools/pl-run-job/command.h"

static const struct option options[] = {
    {.name = "region",
     .value_name = "REGION",
     .help = "the region of the job, such as us-central1",
     .kind = OPTION_TEXT,
     .traits = OPTION_REQUIRED,
     INTO(region)},
    {.name = "project",
     .value_name = "ID",
     .help = "the project; without it GOOGLE_CLOUD_PROJECT, then what the credentials say",
     .kind = OPTION_TEXT,
     INTO(project)},
    {.name = "name",
     .value_name = "JOB",
     .help = "the job; without it the name in the record",
     .kind = OPTION_TEXT,
     INTO(name)},
    {.name = "update",
     .help = "change the settings that the options name, with the image that the job has",
     .kind = OPTION_FLAG,
     INTO(update)},
    {.name = "scan",
     .value_name = "FILE",
     .help = "what Trivy found in the image (JSON), for a policy that asks for it",
     .kind = OPTION_FILE,
     .traits = OPTION_REPEATABLE,
     INTO(scans)},
    {.letter = 'n',
     .name = "dry-run",
     .help = "print what would change, field by field, and change and execute nothing",
     .kind = OPTION_FLAG,
     INTO(dry_run)},
    {0},
};

static const struct option execute_options[] = {
    {.name = "execute",
     .help = "execute it, show what it prints, and end as its tasks do; without an image: the job as it is",
     .kind = OPTION_FLAG,
     INTO(execute)},
    {.name = "no-wait", .help = "with --execute: end when the execution has begun", .kind = OPTION_FLAG, INTO(no_wait)},
    {.name = "wait-time",
     .value_name = "TIME",
     .help = "wait so long at most: 30m, 2h; without it as long as the tasks may take",
     .kind = OPTION_DURATION,
     INTO(wait_time)},
    {0},
};

static const struct option other_options[] = {
    {.name = "attach",
     .value_name = "EXECUTION",
     .help = "go on following an execution, and end as its tasks do",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(attach)},
    {.name = "cancel",
     .value_name = "EXECUTION",
     .help = "end an execution that runs",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(cancel)},
    {.name = "list", .help = "the jobs of the region", .kind = OPTION_FLAG, .variable = "", INTO(list)},
    {.name = "executions",
     .help = "the job's executions: state, tasks, time, by whom",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(executions)},
    {.name = "describe", .help = "the job as it is", .kind = OPTION_FLAG, .variable = "", INTO(describe)},
    {.name = "export",
     .help = "the job as JSON that --job deploys to the same; with the values of its variables",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(export)},
    {.name = "execution",
     .value_name = "EXECUTION",
     .help = "with --logs: of this one alone",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(execution)},
    {.name = "delete",
     .help = "delete the job and its executions; needs --confirm",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(delete_job)},
    {.name = "confirm",
     .value_name = "JOB",
     .help = "with --delete: the job's name once more",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(confirm)},
    {0},
};

static const struct option_group groups[] = {{"Executing", execute_options, 0},
                                             RUN_OVERRIDE_OPTIONS(overrides),
                                             RUN_JOB_SETTING_OPTIONS(settings),
                                             {"Instead of deploying", other_options, 0},
                                             LOGGING_OPTIONS(logging),
                                             CREDENTIAL_OPTIONS(credentials),
                                             {0}};

static const struct command_example examples[] = {
    {"… | pl-push-image --repo my-repo | pl-run-job migrate --region us-central1 --execute",
     "deploy the job, execute it, and end as it ends"},
    {"pl-run-job migrate --region us-central1 --execute --with-arg --dry-run --with-env STEP=2",
     "execute it as it is, with other arguments and one more variable this once"},
    {"… | pl-run-job resize --region us-central1 --tasks 50 --parallelism 10 --max-retries 1",
     "fifty tasks, ten at a time; each finds its number in $CLOUD_RUN_TASK_INDEX"},
    {"pl-run-job migrate --region us-central1 --attach migrate-x7k2p", "go on following it after Ctrl-C"},
    {"pl-run-job migrate --region us-central1 --cancel migrate-x7k2p", "or end it"},
    {"pl-run-job migrate --region us-central1 --update --memory 2Gi", "more memory, from the next execution on"},
    {"pl-run-job migrate --region us-central1 --logs --since 1h", "what it printed"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "the execution was cancelled"},
    {65, "bad record, or an image for another architecture"},
    {66, "no record arrived"},
    {69, "Cloud Run does not answer"},
    {70, "a task failed: its exit code, the reason and its last lines are told"},
    {75, "somebody else changes the job; try again"},
    {77, "credentials are missing or do not suffice, or a policy forbids it"},
    {78, "project, region or API is missing or wrong, or there is no such job"},
    {124, "a task reached its time limit, or the execution did not end in time"},
    {0},
};

static const char *const see_also[] = {"pl-push-image", "pl-run-deploy", "pl-local", NULL};

const struct command pl_run_job_command = {
    .name = "pl-run-job",
    .summary = "deploy an image as a job of Cloud Run, and execute it",
    .synopsis = "[JOB] [IMAGE]",
    .description =
        "Reads one image record, deploys it by digest as a job and prints the job's name. What the job has been given "
        "by "
        "other means stays: only the image and what the options name change; deploying the same thing again changes "
        "nothing.\n\n"
        "With --execute the job is executed: what its tasks print is shown as it comes, and the command ends well only "
        "when every task does. Without an image (no operand, and a terminal or /dev/null as standard input) the job is "
        "executed as it is.\n\n"
        "Ctrl-C stops the waiting at once and cancels nothing; it says how to go on.",
    .reads = "image",
    .writes = "job",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 0,
    .operands_maximum = 2,
    .operand_kind = OPTION_TEXT,
    .arguments_size = sizeof(struct arguments),
};
