#include "gcp/run/settings.h"

#include <string.h>

enum { SECONDS_OF_HOUR = 3600 };

static int check_numbers(const struct run_settings *settings, struct error *error) {
    if (run_range_check("port", settings->port, 1, 65535, error) < 0 ||
        run_range_check("min-instances", settings->min_instances, 0, 1000, error) < 0 ||
        run_range_check("max-instances", settings->max_instances, 1, 1000, error) < 0 ||
        run_range_check("min", settings->service_min_instances, 0, 1000, error) < 0 ||
        run_range_check("max", settings->service_max_instances, 1, 1000, error) < 0 ||
        run_range_check("concurrency", settings->concurrency, 1, 1000, error) < 0 ||
        run_range_check("timeout", settings->timeout, 1, 3600, error) < 0)
        return -1;
    if (run_workload_processors(&settings->workload) < 1 && settings->concurrency > 1) {
        error_set(error, ERROR_USAGE, "--cpu %s: less than one CPU takes one request at a time",
                  settings->workload.cpu);
        return error_next(error, "give --concurrency 1, or --cpu 1");
    }
    if (settings->min_instances > 0 && settings->max_instances > 0 && settings->min_instances > settings->max_instances)
        return error_set(error, ERROR_USAGE, "--min-instances is more than --max-instances");
    return 0;
}

static int check_scaling(const char *scaling, struct error *error) {
    uint64_t count;
    if (!scaling || text_equal(scaling, "auto") || text_to_u64(scaling, 1000, &count))
        return 0;
    return error_set(error, ERROR_USAGE, "--scaling is \"%.20s\"; it can be auto, or 0 to 1000", scaling);
}

static int check_probe(const char *text, struct error *error) {
    if (text_is_empty(text))
        return 0;
    AUTO_JSON struct json *probe = run_probe_parse(text, error);
    return probe ? 0 : -1;
}

int run_settings_check(const struct run_settings *settings, struct error *error) {
    if (run_workload_check(&settings->workload, error) < 0 || check_numbers(settings, error) < 0 ||
        run_containers_check(&settings->containers, error) < 0 || check_probe(settings->startup_probe, error) < 0 ||
        check_probe(settings->liveness_probe, error) < 0 || check_probe(settings->readiness_probe, error) < 0 ||
        check_scaling(settings->scaling, error) < 0)
        return -1;
    if (settings->key_shutdown_time != -1 && settings->key_shutdown_time % SECONDS_OF_HOUR != 0)
        return error_set(error, ERROR_USAGE, "--key-shutdown-time takes whole hours");
    for (size_t i = 0; i < settings->workload.environment.count; i++)
        if (text_starts_with(settings->workload.environment.items[i], "PORT=")) {
            error_set(error, ERROR_USAGE, "--env PORT: Cloud Run sets this variable itself");
            return error_next(error, "choose the port with --port");
        }
    if (settings->description && strlen(settings->description) > 512)
        return error_set(error, ERROR_USAGE, "--description has more than 512 bytes");
    return 0;
}
