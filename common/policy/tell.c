/* Verdicts for people and for programs. */
#include "common/policy/internal.h"

char *policy_finding_text(const struct policy_finding *finding) {
    static const char *const answers[] = {
        [POLICY_BREACH] = "", [POLICY_UNDECIDED] = "not decided: ", [POLICY_EXCEPTED] = "excepted: "};
    return text_format("policy %s%s%s, %s: %s%s%s%s%s", finding->policy, finding->environment ? ", " : "",
                       finding->environment ? finding->environment : "", finding->rule, answers[finding->answer],
                       finding->message, finding->why ? " (" : "", finding->why ? finding->why : "",
                       finding->why ? ")" : "");
}

static struct json *findings_json(const struct policy_verdict *verdict, enum policy_answer answer) {
    struct json *list = json_new_array();
    for (size_t i = 0; i < verdict->count; i++) {
        const struct policy_finding *finding = &verdict->findings[i];
        if (finding->answer != answer)
            continue;
        struct json *item = json_new_object();
        json_set_text(item, "policy", finding->policy);
        json_set_text(item, "environment", finding->environment);
        json_set_text(item, "rule", finding->rule);
        json_set_text(item, "message", finding->message);
        json_set_text(item, "why", finding->why);
        json_append(list, item);
    }
    return list;
}

struct json *policy_verdict_json(const struct policy_verdict *verdict) {
    struct json *json = json_new_object();
    json_set(json, "breaches", findings_json(verdict, POLICY_BREACH));
    json_set(json, "undecided", findings_json(verdict, POLICY_UNDECIDED));
    json_set(json, "excepted", findings_json(verdict, POLICY_EXCEPTED));
    return json;
}

static int refuse(const struct policy_verdict *verdict, struct error *error) {
    AUTO_BUFFER struct buffer rules = BUFFER(1000);
    for (size_t i = 0; i < verdict->count; i++)
        if (verdict->findings[i].answer == POLICY_BREACH)
            buffer_append_format(&rules, "%s%s", rules.length ? ", " : "", verdict->findings[i].rule);
    error_set(error, ERROR_PERMISSION, "the policy forbids it, %zu breach%s: %s", verdict->breaches,
              verdict->breaches == 1 ? "" : "es", buffer_text(&rules));
    return error_next(error, "nothing was changed; put right what the lines above say, or ask who keeps the policy");
}

int policy_enforce(const struct policies *policies, const struct policy_subject *subject, struct progress *progress,
                   struct error *error) {
    AUTO_VERDICT struct policy_verdict verdict;
    int result = policy_check(policies, subject, &verdict, error);
    for (size_t i = 0; i < verdict.count; i++) {
        AUTO_FREE char *text = policy_finding_text(&verdict.findings[i]);
        progress_note(progress, "%s", text);
    }
    return verdict.breaches ? refuse(&verdict, error) : result;
}
