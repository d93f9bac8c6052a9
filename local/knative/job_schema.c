/* Jobs in the API v1: what their messages may hold. */
#include "local/knative/schema.h"

#include "local/run/message_rows.h"

MESSAGE(task_spec_message, MANY("containers", knative_container_message), MANY("volumes", knative_volume_message),
        {.name = "maxRetries", .kind = FIELD_INTEGER, .traits = FIELD_KEEP}, INTEGER("timeoutSeconds"),
        TEXT("serviceAccountName"), MAP("nodeSelector"));
MESSAGE(task_template_message, ONE("spec", task_spec_message));
MESSAGE(execution_spec_message, INTEGER("parallelism"), INTEGER("taskCount"), ONE("template", task_template_message));
MESSAGE(execution_template_message, ONE("metadata", knative_metadata_message), ONE("spec", execution_spec_message));
MESSAGE(job_spec_message, ONE("template", execution_template_message), TEXT("startExecutionToken"),
        TEXT("runExecutionToken"));

static const struct field job_fields[] = {
    TEXT("apiVersion"), TEXT("kind"), ONE("metadata", knative_metadata_message), ONE("spec", job_spec_message),
    OUTPUT("status"),   {0}};
const struct message knative_job_message = {job_fields};

MESSAGE(container_override_message, TEXT("name"), TEXTS("args"), MANY("env", knative_variable_message),
        BOOL("clearArgs"));
MESSAGE(overrides_message, MANY("containerOverrides", container_override_message), INTEGER("taskCount"),
        INTEGER("timeoutSeconds"));
static const struct field run_fields[] = {ONE("overrides", overrides_message), {0}};
const struct message knative_run_message = {run_fields};
