/* The annotations of the Knative API, as tables. */
#include "local/knative/metadata.h"

#define RUN "run.googleapis.com/"

static const struct mapping_word ingresses[] = {
    {"all", "INGRESS_TRAFFIC_ALL"},
    {"internal", "INGRESS_TRAFFIC_INTERNAL_ONLY"},
    {"internal-and-cloud-load-balancing", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"},
    {"none", "INGRESS_TRAFFIC_NONE"},
    {0}};
static const struct mapping_word launch_stages[] = {{"GA", "GA"},
                                                    {"BETA", "BETA"},
                                                    {"ALPHA", "ALPHA"},
                                                    {"EARLY_ACCESS", "EARLY_ACCESS"},
                                                    {"PRELAUNCH", "PRELAUNCH"},
                                                    {"DEPRECATED", "DEPRECATED"},
                                                    {0}};
static const struct mapping_word scaling_modes[] = {{"automatic", "AUTOMATIC"}, {"manual", "MANUAL"}, {0}};
static const struct mapping_word environments[] = {
    {"gen1", "EXECUTION_ENVIRONMENT_GEN1"}, {"gen2", "EXECUTION_ENVIRONMENT_GEN2"}, {0}};
static const struct mapping_word egresses[] = {
    {"all-traffic", "ALL_TRAFFIC"}, {"all", "ALL_TRAFFIC"}, {"private-ranges-only", "PRIVATE_RANGES_ONLY"}, {0}};
static const struct mapping_word revocations[] = {{"prevent-new", "PREVENT_NEW"}, {"shut-down", "SHUTDOWN"}, {0}};

static const struct mapping_row service_rows[] = {
    {RUN "description", "description", MAP_TEXT, NULL},
    {RUN "client-name", "client", MAP_TEXT, NULL},
    {RUN "client-version", "clientVersion", MAP_TEXT, NULL},
    {RUN "ingress", "ingress", MAP_WORD, ingresses},
    {RUN "launch-stage", "launchStage", MAP_WORD, launch_stages},
    {RUN "binary-authorization-breakglass", "binaryAuthorization.breakglassJustification", MAP_TEXT, NULL},
    {RUN "minScale", "scaling.minInstanceCount", MAP_INTEGER, NULL},
    {RUN "maxScale", "scaling.maxInstanceCount", MAP_INTEGER, NULL},
    {RUN "scalingMode", "scaling.scalingMode", MAP_WORD, scaling_modes},
    {RUN "manualInstanceCount", "scaling.manualInstanceCount", MAP_INTEGER, NULL},
    {RUN "invoker-iam-disabled", "invokerIamDisabled", MAP_BOOL, NULL},
    {RUN "default-url-disabled", "defaultUriDisabled", MAP_BOOL, NULL},
    {RUN "iap-enabled", "iapEnabled", MAP_BOOL, NULL},
    {RUN "custom-audiences", "customAudiences", MAP_JSON, NULL},
    {RUN "regions", "multiRegionSettings.regions", MAP_LIST, NULL},
    {RUN "build-source-location", "buildConfig.sourceLocation", MAP_TEXT, NULL},
    {RUN "build-function-target", "buildConfig.functionTarget", MAP_TEXT, NULL},
    {RUN "build-image-uri", "buildConfig.imageUri", MAP_TEXT, NULL},
    {RUN "build-base-image", "buildConfig.baseImage", MAP_TEXT, NULL},
    {RUN "build-enable-automatic-updates", "buildConfig.enableAutomaticUpdates", MAP_BOOL, NULL},
    {RUN "build-worker-pool", "buildConfig.workerPool", MAP_TEXT, NULL},
    {RUN "build-environment-variables", "buildConfig.environmentVariables", MAP_JSON, NULL},
    {RUN "build-service-account", "buildConfig.serviceAccount", MAP_TEXT, NULL},
    /* By hand: "default", or the name of a policy. */
    {RUN "binary-authorization", NULL, MAP_TEXT, NULL},
    {RUN "build-id", NULL, MAP_KEPT, NULL},
    {RUN "build-name", NULL, MAP_KEPT, NULL},
    {RUN "base-images", NULL, MAP_KEPT, NULL},
    {RUN "gc-traffic-tags", NULL, MAP_KEPT, NULL},
    {RUN "max-surge", NULL, MAP_KEPT, NULL},
    {RUN "max-unavailable", NULL, MAP_KEPT, NULL},
    {RUN "threat-detection", NULL, MAP_KEPT, NULL},
    {RUN "source-location", NULL, MAP_KEPT, NULL},
    {RUN "function-target", NULL, MAP_KEPT, NULL},
    {RUN "image-uri", NULL, MAP_KEPT, NULL},
    {RUN "enable-automatic-updates", NULL, MAP_KEPT, NULL},
    {RUN "operation-id", NULL, MAP_OUTPUT, NULL},
    {RUN "ingress-status", NULL, MAP_OUTPUT, NULL},
    {RUN "urls", NULL, MAP_OUTPUT, NULL},
    {"serving.knative.dev/creator", NULL, MAP_OUTPUT, NULL},
    {"serving.knative.dev/lastModifier", NULL, MAP_OUTPUT, NULL},
    {0}};
const struct annotation_kind service_annotations = {"Service", "metadata.annotations", service_rows};

static const struct mapping_row revision_rows[] = {
    {"autoscaling.knative.dev/minScale", "scaling.minInstanceCount", MAP_INTEGER, NULL},
    {"autoscaling.knative.dev/maxScale", "scaling.maxInstanceCount", MAP_INTEGER, NULL},
    {RUN "client-name", "client", MAP_TEXT, NULL},
    {RUN "client-version", "clientVersion", MAP_TEXT, NULL},
    {RUN "execution-environment", "executionEnvironment", MAP_WORD, environments},
    {RUN "vpc-access-connector", "vpcAccess.connector", MAP_TEXT, NULL},
    {RUN "vpc-access-egress", "vpcAccess.egress", MAP_WORD, egresses},
    {RUN "network-interfaces", "vpcAccess.networkInterfaces", MAP_JSON, NULL},
    {RUN "encryption-key", "encryptionKey", MAP_TEXT, NULL},
    {RUN "encryption-key-shutdown-hours", "encryptionKeyShutdownDuration", MAP_HOURS, NULL},
    {RUN "post-key-revocation-action-type", "encryptionKeyRevocationAction", MAP_WORD, revocations},
    {RUN "sessionAffinity", "sessionAffinity", MAP_BOOL, NULL},
    {RUN "health-check-disabled", "healthCheckDisabled", MAP_BOOL, NULL},
    {RUN "gpu-zonal-redundancy-disabled", "gpuZonalRedundancyDisabled", MAP_BOOL, NULL},
    {RUN "mesh", "serviceMesh.mesh", MAP_TEXT, NULL},
    /* By hand, in pod.c: they are about containers and volumes. */
    {RUN "cloudsql-instances", NULL, MAP_TEXT, NULL},
    {RUN "secrets", NULL, MAP_TEXT, NULL},
    {RUN "cpu-throttling", NULL, MAP_TEXT, NULL},
    {RUN "startup-cpu-boost", NULL, MAP_TEXT, NULL},
    {RUN "container-dependencies", NULL, MAP_TEXT, NULL},
    {RUN "base-images", NULL, MAP_TEXT, NULL},
    {RUN "sources", NULL, MAP_KEPT, NULL},
    {RUN "secure-session-agent", NULL, MAP_KEPT, NULL},
    {RUN "overflow-scaling", NULL, MAP_KEPT, NULL},
    {RUN "scaling-concurrency-target", NULL, MAP_KEPT, NULL},
    {RUN "scaling-cpu-target", NULL, MAP_KEPT, NULL},
    {RUN "identity", NULL, MAP_KEPT, NULL},
    {RUN "enable-workload-certificate", NULL, MAP_KEPT, NULL},
    {RUN "mesh-dataplane", NULL, MAP_KEPT, NULL},
    {RUN "linux-base-image-update", NULL, MAP_KEPT, NULL},
    {RUN "operation-id", NULL, MAP_OUTPUT, NULL},
    {"serving.knative.dev/creator", NULL, MAP_OUTPUT, NULL},
    {0}};
const struct annotation_kind revision_annotations = {"Revision", "spec.template.metadata.annotations", revision_rows};

/* ---- jobs ---- */

static const struct mapping_row job_rows[] = {
    {RUN "client-name", "client", MAP_TEXT, NULL},
    {RUN "client-version", "clientVersion", MAP_TEXT, NULL},
    {RUN "launch-stage", "launchStage", MAP_WORD, launch_stages},
    {RUN "binary-authorization", NULL, MAP_TEXT, NULL},
    {RUN "binary-authorization-breakglass", "binaryAuthorization.breakglassJustification", MAP_TEXT, NULL},
    {RUN "creator", NULL, MAP_OUTPUT, NULL},
    {RUN "lastModifier", NULL, MAP_OUTPUT, NULL},
    {RUN "operation-id", NULL, MAP_OUTPUT, NULL},
    {"serving.knative.dev/creator", NULL, MAP_OUTPUT, NULL},
    {"serving.knative.dev/lastModifier", NULL, MAP_OUTPUT, NULL},
    {0}};
const struct annotation_kind job_annotations = {"Job", "metadata.annotations", job_rows};

/* Of what v2 has in the TaskTemplate; the client, which it has in the ExecutionTemplate, is done by hand in job.c. */
static const struct mapping_row execution_rows[] = {
    {RUN "execution-environment", "executionEnvironment", MAP_WORD, environments},
    {RUN "vpc-access-connector", "vpcAccess.connector", MAP_TEXT, NULL},
    {RUN "vpc-access-egress", "vpcAccess.egress", MAP_WORD, egresses},
    {RUN "network-interfaces", "vpcAccess.networkInterfaces", MAP_JSON, NULL},
    {RUN "encryption-key", "encryptionKey", MAP_TEXT, NULL},
    {RUN "gpu-zonal-redundancy-disabled", "gpuZonalRedundancyDisabled", MAP_BOOL, NULL},
    {RUN "client-name", NULL, MAP_TEXT, NULL},
    {RUN "client-version", NULL, MAP_TEXT, NULL},
    /* By hand, in pod.c. */
    {RUN "cloudsql-instances", NULL, MAP_TEXT, NULL},
    {RUN "secrets", NULL, MAP_TEXT, NULL},
    {RUN "creator", NULL, MAP_OUTPUT, NULL},
    {RUN "operation-id", NULL, MAP_OUTPUT, NULL},
    {0}};
const struct annotation_kind execution_annotations = {"Execution", "spec.template.metadata.annotations",
                                                      execution_rows};
