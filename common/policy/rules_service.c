/* Rules about the settings of a service or job: how many, how large, how long, and who may reach it. */
#include "common/base/units.h"
#include "common/policy/facts.h"
#include "common/policy/internal.h"
#include "common/policy/quantity.h"

#include <string.h>

/* What Cloud Run does where a service says nothing:
 * https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services */
enum { DEFAULT_MAXIMUM = 100, DEFAULT_CONCURRENCY = 80, DEFAULT_SECONDS = 300, DEFAULT_TASK_SECONDS = 600 };
#define DEFAULT_CPU 1.0
#define DEFAULT_MEMORY (512.0 * (1 << 20))

static const struct json *template_of(const struct policy_subject *subject) {
    return json_get_path(subject->planned, subject->kind == POLICY_JOB ? "template.template" : "template");
}

/* ---- amounts ---- */

struct amount {
    const char *what;
    double value;
    bool is_default; /* Cloud Run's own, nobody said it */
};

static void write_memory(double bytes, char *text, size_t size) {
    if (bytes >= 1 << 20)
        snprintf(text, size, "%.6gMi", bytes / (1 << 20));
    else
        snprintf(text, size, "%.6g bytes", bytes);
}

static void write_plain(double value, char *text, size_t size) {
    snprintf(text, size, "%.6g", value);
}

static void write_seconds(double value, char *text, size_t size) {
    snprintf(text, size, "%.6gs", value);
}

/* A member of the rule as a number; false when the rule does not have it. "m" is a minute of a time, else a thousandth.
 */
static bool limit_of(const struct json *rule, const char *member, bool is_time, double *limit) {
    const struct json *value = json_get(rule, member);
    long long seconds;
    if (!is_time)
        return quantity_of(value, limit);
    if (!json_text(value) || !parse_duration(json_text(value), &seconds))
        return false;
    *limit = (double)seconds;
    return true;
}

static int judge_amount(struct judging *judging, const struct amount *amount,
                        void (*write)(double value, char *text, size_t size)) {
    char is[64], limit_text[64];
    double limit;
    bool is_time = write == write_seconds;
    write(amount->value, is, sizeof(is));
    const char *source = amount->is_default ? " (Cloud Run's own value: nothing else is set)" : "";
    if (limit_of(judging->value, "at_least", is_time, &limit) && amount->value < limit) {
        write(limit, limit_text, sizeof(limit_text));
        judge_breach(judging, "%s is %s%s, the least allowed is %s", amount->what, is, source, limit_text);
    }
    if (limit_of(judging->value, "at_most", is_time, &limit) && amount->value > limit) {
        write(limit, limit_text, sizeof(limit_text));
        judge_breach(judging, "%s is %s%s, the most allowed is %s", amount->what, is, source, limit_text);
    }
    return 0;
}

/* MANUAL: the number of instances is what somebody set, whatever the limits say. */
static const struct json *manual_count(const struct policy_subject *subject) {
    const struct json *scaling = json_get(subject->planned, "scaling");
    return text_equal(json_get_text(scaling, "scalingMode", NULL), "MANUAL") ? json_get(scaling, "manualInstanceCount")
                                                                             : NULL;
}

int check_min_instances(struct judging *judging, struct error *error) {
    const struct policy_subject *subject = judging->subject;
    const struct json *manual = manual_count(subject);
    int64_t of_service = json_get_integer(json_get(subject->planned, "scaling"), "minInstanceCount", 0);
    int64_t of_revision = json_get_integer(json_get(template_of(subject), "scaling"), "minInstanceCount", 0);
    (void)error;
    struct amount amount = {"the minimum of instances", (double)(of_service > of_revision ? of_service : of_revision),
                            of_service == 0 && of_revision == 0};
    if (manual)
        amount = (struct amount){"the number of instances, which is set by hand,", (double)json_number(manual), false};
    return judge_amount(judging, &amount, write_plain);
}

int check_max_instances(struct judging *judging, struct error *error) {
    const struct policy_subject *subject = judging->subject;
    const struct json *manual = manual_count(subject);
    (void)error;
    if (subject->kind == POLICY_JOB) {
        const struct json *execution = json_get(subject->planned, "template");
        int64_t tasks = json_get_integer(execution, "taskCount", 1);
        int64_t parallel = json_get_integer(execution, "parallelism", 0);
        struct amount amount = {"the number of tasks at a time",
                                (double)(parallel > 0 && parallel < tasks ? parallel : tasks), false};
        return judge_amount(judging, &amount, write_plain);
    }
    int64_t of_service = json_get_integer(json_get(subject->planned, "scaling"), "maxInstanceCount", 0);
    int64_t of_revision = json_get_integer(json_get(template_of(subject), "scaling"), "maxInstanceCount", 0);
    int64_t least = of_service > 0 && (of_revision == 0 || of_service < of_revision) ? of_service : of_revision;
    struct amount amount = {"the maximum of instances", (double)(least > 0 ? least : DEFAULT_MAXIMUM), least == 0};
    if (manual)
        amount = (struct amount){"the number of instances, which is set by hand,", (double)json_number(manual), false};
    return judge_amount(judging, &amount, write_plain);
}

/* Of all containers of an instance together. */
static struct amount sum_of(const struct policy_subject *subject, const char *what, const char *resource,
                            double fallback) {
    const struct json *containers = facts_containers(subject);
    struct amount amount = {what, 0, false};
    for (size_t i = 0; i < json_count(containers); i++) {
        const struct json *limits = json_get_path(json_at(containers, i), "resources.limits");
        double value = fallback;
        if (!quantity_of(json_get(limits, resource), &value))
            amount.is_default = true;
        amount.value += value;
    }
    return amount;
}

int check_cpu(struct judging *judging, struct error *error) {
    struct amount amount = sum_of(judging->subject, "CPU", "cpu", DEFAULT_CPU);
    (void)error;
    return judge_amount(judging, &amount, write_plain);
}

int check_memory(struct judging *judging, struct error *error) {
    struct amount amount = sum_of(judging->subject, "memory", "memory", DEFAULT_MEMORY);
    (void)error;
    return judge_amount(judging, &amount, write_memory);
}

int check_concurrency(struct judging *judging, struct error *error) {
    int64_t set = json_get_integer(template_of(judging->subject), "maxInstanceRequestConcurrency", 0);
    struct amount cpu = sum_of(judging->subject, "CPU", "cpu", DEFAULT_CPU);
    (void)error;
    struct amount amount = {"concurrency", set > 0 ? (double)set : cpu.value < 1 ? 1 : DEFAULT_CONCURRENCY, set == 0};
    return judge_amount(judging, &amount, write_plain);
}

int check_timeout(struct judging *judging, struct error *error) {
    const struct policy_subject *subject = judging->subject;
    const char *text = json_get_text(template_of(subject), "timeout", NULL);
    AUTO_FREE char *number = text ? text_copy_length(text, strcspn(text, "s")) : NULL;
    struct amount amount = {"the timeout", subject->kind == POLICY_JOB ? DEFAULT_TASK_SECONDS : DEFAULT_SECONDS, true};
    (void)error;
    if (number && quantity_parse(number, &amount.value))
        amount.is_default = false;
    return judge_amount(judging, &amount, write_seconds);
}

/* ---- who may reach it, and as whom it runs ---- */

int check_public_access(struct judging *judging, struct error *error) {
    int is_public = -1;
    if (json_get_bool(judging->value, "allow", false))
        return 0;
    if (json_get_bool(judging->subject->planned, "invokerIamDisabled", false))
        judge_breach(judging, "everybody may call it: the invoker check is off");
    if (facts_public(judging->facts, &is_public, error) < 0)
        return -1;
    if (is_public < 0)
        judge_unknown(judging, "whether everybody may call it (allUsers has roles/run.invoker) is not known here");
    else if (is_public)
        judge_breach(judging, "everybody may call it: allUsers has roles/run.invoker");
    return 0;
}

int check_ingress(struct judging *judging, struct error *error) {
    static const char *const names[][2] = {
        {"INGRESS_TRAFFIC_ALL", "all"},
        {"INGRESS_TRAFFIC_INTERNAL_ONLY", "internal"},
        {"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", "internal-and-cloud-load-balancing"},
        {"INGRESS_TRAFFIC_NONE", "none"}};
    const char *value = json_get_text(judging->subject->planned, "ingress", "INGRESS_TRAFFIC_ALL"), *shown = value;
    const struct json *allow = json_get(judging->value, "allow");
    AUTO_FREE char *list = policy_list_text(allow);
    (void)error;
    if (text_equal(value, "INGRESS_TRAFFIC_UNSPECIFIED"))
        shown = "all";
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal(names[i][0], value))
            shown = names[i][1];
    if (!policy_globs_accept(allow, shown))
        judge_breach(judging, "the ingress is %s; allowed: %s", shown, list);
    return 0;
}

int check_service_accounts(struct judging *judging, struct error *error) {
    const char *account = json_get_text(template_of(judging->subject), "serviceAccount", NULL);
    const struct json *allow = json_get(judging->value, "allow");
    AUTO_FREE char *list = policy_list_text(allow);
    (void)error;
    if (text_is_empty(account))
        judge_breach(judging,
                     "it would run as the default compute account, since no service account is named; allowed: %s",
                     list);
    else if (!policy_globs_accept(allow, account))
        judge_breach(judging, "it runs as %s; allowed: %s", account, list);
    return 0;
}
