#include "gcp/run/workload_internal.h"

#include <ctype.h>
#include <string.h>

enum { LEAST_MEMORY = 128 << 20 };

int run_range_check(const char *option, int64_t value, int64_t least, int64_t most, struct error *error) {
    if (value == -1 || (value >= least && value <= most))
        return 0;
    return error_set(error, ERROR_USAGE, "--%s is %lld; it can be %lld to %lld", option, (long long)value,
                     (long long)least, (long long)most);
}

static bool is_cpu(const char *cpu) {
    size_t digits = strspn(cpu, "0123456789.");
    return digits && digits <= 6 && cpu[0] != '.' && (!cpu[digits] || text_equal(cpu + digits, "m"));
}

static int check_pairs(const struct text_list *list, const char *option, bool is_label, struct error *error) {
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        size_t length = equals ? (size_t)(equals - list->items[i]) : 0;
        const char *allowed = is_label ? "abcdefghijklmnopqrstuvwxyz0123456789_-"
                                       : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
        if (!length || strspn(list->items[i], allowed) < length || isdigit((unsigned char)list->items[i][0]))
            return error_set(error, ERROR_USAGE, "--%s takes NAME=VALUE; its argument number %zu does not begin so",
                             option, i + 1);
        if (is_label && (length > 63 || strlen(equals + 1) > 63 || strspn(equals + 1, allowed) < strlen(equals + 1)))
            return error_set(error, ERROR_USAGE, "--%s %.140s: lower-case letters, digits, - and _, at most 63 each",
                             option, list->items[i]);
    }
    return 0;
}

/* ---- secrets ---- */

static bool is_version(const char *version) {
    size_t length = strlen(version);
    return text_equal(version, "latest") || (length > 0 && length < 20 && strspn(version, "0123456789") == length);
}

/* "SECRET[:VERSION]" or "projects/P/secrets/SECRET[:VERSION]" */
static bool is_secret(const char *text) {
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.";
    return length > 0 && length < 400 && strspn(text, allowed) >= length && (!colon || is_version(colon + 1));
}

static bool is_mount(const char *name, size_t length) {
    return name[0] == '/' && length > 3 && length < 400 && name[length - 1] != '/' &&
           memrchr(name, '/', length) != name;
}

static int check_secrets(const struct text_list *secrets, struct error *error) {
    for (size_t i = 0; i < secrets->count; i++) {
        const char *text = secrets->items[i], *equals = strchr(text, '=');
        size_t length = equals ? (size_t)(equals - text) : 0;
        bool file = length > 0 && text[0] == '/';
        if (!length || !is_secret(equals + 1) || (file && !is_mount(text, length))) {
            error_set(error, ERROR_USAGE,
                      "--secret %.100s is no NAME=SECRET[:VERSION] and no /path/file=SECRET[:VERSION]", text);
            return error_next(error, "such as API_KEY=api-key:latest, or /secrets/api/key=api-key:3");
        }
        const char *slash = file ? memrchr(text, '/', length) : NULL;
        for (size_t j = 0; slash && j < i; j++)
            if (strncmp(secrets->items[j], text, (size_t)(slash - text) + 1) == 0 &&
                !memchr(secrets->items[j] + (slash - text) + 1, '/',
                        strcspn(secrets->items[j] + (slash - text) + 1, "=")))
                return error_set(error, ERROR_USAGE,
                                 "--secret %.100s: Cloud Run mounts one secret in a directory; "
                                 "another is there already",
                                 text);
    }
    return 0;
}

static int check_removed_secrets(const struct run_workload *workload, struct error *error) {
    for (size_t i = 0; i < workload->removed_secrets.count; i++) {
        const char *name = workload->removed_secrets.items[i];
        if (name[0] == '/' && !is_mount(name, strlen(name)))
            return error_set(error, ERROR_USAGE, "--remove-secret %.100s is no NAME and no /path/file", name);
    }
    return 0;
}

static int check_key(const struct run_workload *workload, struct error *error) {
    const char *key = workload->encryption_key;
    if (!text_is_empty(key) && (!text_starts_with(key, "projects/") || !strstr(key, "/cryptoKeys/")))
        return error_set(
            error, ERROR_USAGE,
            "--encryption-key %.100s is no projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY", key);
    return 0;
}

/* ---- all ---- */

double run_workload_processors(const struct run_workload *workload) {
    double cpu = workload->cpu ? strtod(workload->cpu, NULL) : 1;
    return workload->cpu && strchr(workload->cpu, 'm') ? cpu / 1000 : cpu;
}

static int check_numbers(const struct run_workload *workload, struct error *error) {
    if (run_range_check("gpu", workload->gpus, 0, 8, error) < 0)
        return -1;
    if (workload->memory != -1 && workload->memory < LEAST_MEMORY)
        return error_set(error, ERROR_USAGE, "--memory is less than 128Mi, the least that Cloud Run gives");
    if (workload->cpu && !is_cpu(workload->cpu))
        return error_set(error, ERROR_USAGE, "--cpu is \"%.20s\"; give a number such as 1, 2, 0.5 or 500m",
                         workload->cpu);
    return 0;
}

static int check_network(const struct run_workload *workload, struct error *error) {
    if (workload->no_vpc && (workload->vpc_connector || workload->network || workload->subnet || workload->vpc_egress ||
                             workload->network_tags.count > 0))
        return error_set(error, ERROR_USAGE, "--no-vpc excludes the options of a VPC network");
    if (workload->vpc_connector && (workload->network || workload->subnet || workload->network_tags.count > 0))
        return error_set(error, ERROR_USAGE, "--vpc-connector excludes --network, --subnet and --network-tag");
    for (size_t i = 0; i < workload->cloudsql_instances.count; i++) {
        const char *name = workload->cloudsql_instances.items[i], *first = strchr(name, ':');
        if (!first || !strchr(first + 1, ':') || strlen(name) > 200)
            return error_set(error, ERROR_USAGE, "--cloudsql-instance %.100s is no PROJECT:REGION:NAME", name);
    }
    return 0;
}

int run_workload_check(const struct run_workload *workload, struct error *error) {
    if (check_numbers(workload, error) < 0 || check_network(workload, error) < 0 ||
        check_pairs(&workload->environment, "env", false, error) < 0 ||
        check_pairs(&workload->labels, "label", true, error) < 0 || check_secrets(&workload->secrets, error) < 0 ||
        check_removed_secrets(workload, error) < 0 || check_key(workload, error) < 0)
        return -1;
    for (size_t i = 0; i < workload->annotations.count; i++)
        if (!strchr(workload->annotations.items[i], '='))
            return error_set(error, ERROR_USAGE, "--annotation %.100s is no NAME=VALUE",
                             workload->annotations.items[i]);
    if (workload->working_directory && workload->working_directory[0] != '/')
        return error_set(error, ERROR_USAGE, "--working-directory %.100s does not begin with /",
                         workload->working_directory);
    return 0;
}
