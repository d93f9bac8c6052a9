/* The options that only a service has. */
#include "gcp/run/setting_row.h"
#include "gcp/run/settings.h"

#define SETTING(member) .offset = offsetof(struct run_settings, member)

static const char *const revocations[] = {"prevent-new", "shut-down", NULL};
static const char *const ingresses[] = {"all", "internal", "internal-and-cloud-load-balancing", NULL};

const struct option run_setting_rows[] = {
    {.name = "service",
     .value_name = "FILE",
     .help = "a service as --export prints it, or as the YAML of gcloud run services replace: its fields replace the "
             "service's, the options here are laid over it",
     .kind = OPTION_FILE,
     SETTING(service_file)},
    NUMBER_ROW("port", "PORT", "the port that the container listens on, given to it as $PORT", port),
    SWITCH_ROW("http2", "speak HTTP/2 without TLS (h2c) to the container", http2),
    SWITCH_ROW("cpu-throttling", "CPU only while requests are answered", cpu_throttling),
    SWITCH_ROW("cpu-boost", "more CPU while an instance starts", cpu_boost),
    NUMBER_ROW("min-instances", "N", "instances of a revision that are kept running", min_instances),
    NUMBER_ROW("max-instances", "N", "the most instances of a revision that run at once", max_instances),
    NUMBER_ROW("min", "N", "instances of the service that are kept running, whichever revisions serve",
               service_min_instances),
    NUMBER_ROW("max", "N", "the most instances of the service, all its revisions together", service_max_instances),
    TEXT_ROW("scaling", "N|auto", "so many instances, whatever the load; \"auto\": as the load asks for", scaling),
    NUMBER_ROW("concurrency", "N", "requests that one instance takes at once", concurrency),
    {.name = "timeout",
     .value_name = "TIME",
     .help = "the longest that a request may take: 60s, 5m",
     .kind = OPTION_DURATION,
     SETTING(timeout)},
    TEXT_ROW("description", "TEXT", "what the service is, for people", description),
    CHOICE_ROW("ingress", "FROM", "whose requests reach it", ingresses, ingress),
    SWITCH_ROW("invoker-check", "without it everybody may call the service, whatever its policy says", invoker_check),
    LIST_ROW("audience", "URL", "an audience beside its URL that ID tokens may be for", audiences),
    LIST_ROW("remove-audience", "URL", "one that goes", removed_audiences),
    {.name = "replace-audiences",
     .help = "audiences that are not named here go",
     .kind = OPTION_FLAG,
     SETTING(replace_audiences)},
    SWITCH_ROW("default-url", "the URL of run.app; without it only load balancers reach the service", default_url),
    TEXT_ROW("binary-authorization", "POLICY",
             "which images may run: \"default\", the project's policy, or one by name; \"\": any",
             binary_authorization),
    TEXT_ROW("breakglass", "WHY", "run an image that the policy forbids, and why", breakglass),
    CHOICE_ROW("key-revocation", "ACTION", "what happens when the key of --encryption-key is revoked", revocations,
               key_revocation),
    {.name = "key-shutdown-time",
     .value_name = "TIME",
     .help = "how long after that instances end, with shut-down: 2h; whole hours",
     .kind = OPTION_DURATION,
     SETTING(key_shutdown_time)},
    SWITCH_ROW("gpu-zonal-redundancy", "GPUs are kept in a second zone, too", gpu_zonal_redundancy),
    SWITCH_ROW("session-affinity", "requests of one client to one instance, as far as possible", session_affinity),
    TEXT_ROW("startup-probe", "PROBE", "when it has started: httpGet.path=/ready,periodSeconds=2; \"\" removes it",
             startup_probe),
    TEXT_ROW("liveness-probe", "PROBE", "whether it still works, in the same form", liveness_probe),
    TEXT_ROW("readiness-probe", "PROBE", "whether it takes requests now, in the same form", readiness_probe),
    {0},
};
