/* Which rules bind, what they find, and what excuses it. */
#include "common/glob/glob.h"
#include "common/policy/facts.h"
#include "common/policy/internal.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

/* ---- globs and lists ---- */

bool policy_globs_accept(const struct json *globs, const char *text) {
    for (size_t i = 0; i < json_count(globs); i++) {
        AUTO_GLOB struct glob *glob = glob_new(json_text(json_at(globs, i)), GLOB_DOT, NULL);
        if (glob && glob_accepts(glob, text))
            return true;
    }
    return false;
}

char *policy_list_text(const struct json *list) {
    struct buffer text = BUFFER(2000);
    for (size_t i = 0; i < json_count(list); i++)
        buffer_append_format(&text, "%s%s", i ? ", " : "", json_text(json_at(list, i)));
    return buffer_take(&text);
}

/* ---- findings ---- */

static const char *policy_name(const struct policy *policy) {
    return json_get_text(policy->json, "name", policy->origin);
}

static void add_finding(const struct judging *judging, enum policy_answer answer, char *message) {
    struct policy_verdict *verdict = judging->verdict;
    const char *why = json_get_text(judging->value, "why", NULL);
    verdict->findings = memory_resize(verdict->findings, verdict->count + 1, sizeof(*verdict->findings));
    verdict->findings[verdict->count++] = (struct policy_finding){.answer = answer,
                                                                  .rule = judging->rule->name,
                                                                  .policy = text_copy(policy_name(judging->policy)),
                                                                  .environment = text_copy(judging->environment),
                                                                  .message = message,
                                                                  .why = text_copy(why)};
    verdict->breaches += answer == POLICY_BREACH;
}

static char *format_list(const char *format, va_list arguments) PRINTF_LIKE(1, 0);
static char *format_list(const char *format, va_list arguments) {
    char *text = NULL;
    return vasprintf(&text, format, arguments) < 0 ? text_copy("") : text;
}

/* ---- exceptions ---- */

static void today(char *text, size_t size) {
    time_t now = time(NULL);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || strftime(text, size, "%Y-%m-%d", &parts) == 0)
        snprintf(text, size, "9999-12-31");
}

static bool exception_covers(const struct json *exception, const struct judging *judging) {
    const struct policy_subject *subject = judging->subject;
    const char *environment = json_get_text(exception, "environment", NULL);
    const struct json *projects = json_get(exception, "projects");
    return text_equal(json_get_text(exception, "rule", NULL), judging->rule->name) &&
           (!environment || text_equal(environment, judging->environment)) && subject->name &&
           policy_globs_accept(json_get(exception, "names"), subject->name) &&
           (!projects || (subject->project && policy_globs_accept(projects, subject->project)));
}

/* The exception of the policy that the rule stands in; *ended is the date of one that is over. */
static const struct json *find_exception(const struct judging *judging, const char **ended) {
    const struct json *exceptions = json_get(judging->policy->json, "exceptions");
    char now[11];
    today(now, sizeof(now));
    for (size_t i = 0; i < json_count(exceptions); i++) {
        const struct json *exception = json_at(exceptions, i);
        const char *until = json_get_text(exception, "until", "");
        if (!exception_covers(exception, judging))
            continue;
        if (strcmp(now, until) <= 0)
            return exception;
        *ended = until;
    }
    return NULL;
}

void judge_breach(struct judging *judging, const char *format, ...) {
    const char *ended = NULL;
    const struct json *exception = find_exception(judging, &ended);
    va_list arguments;
    va_start(arguments, format);
    AUTO_FREE char *message = format_list(format, arguments);
    va_end(arguments);
    if (exception)
        add_finding(judging, POLICY_EXCEPTED,
                    text_format("%s; allowed until %s: %s", message, json_get_text(exception, "until", ""),
                                json_get_text(exception, "why", "")));
    else if (ended)
        add_finding(judging, POLICY_BREACH, text_format("%s; its exception ended with %s", message, ended));
    else
        add_finding(judging, POLICY_BREACH, take_pointer(&message));
}

void judge_unknown(struct judging *judging, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    AUTO_FREE char *message = format_list(format, arguments);
    va_end(arguments);
    if (judging->subject->is_offline)
        add_finding(judging, POLICY_UNDECIDED, take_pointer(&message));
    else
        judge_breach(judging, "%s", message);
}

/* ---- which rules bind ---- */

/* A rule whose facts cannot be read hinders no other: the first such error is kept. */
static void judge_rules(struct judging *judging, const struct json *rules) {
    for (size_t i = 0; i < policy_rule_count; i++) {
        struct error failure = {0};
        judging->rule = &policy_rules[i];
        judging->value = json_get(rules, judging->rule->name);
        if (!judging->value || !(judging->rule->kinds & judging->subject->kind) ||
            judging->rule->check(judging, &failure) == 0 || judging->facts->failure.kind != ERROR_NONE)
            continue;
        error_wrap(&failure, "policy %s, rule %s", policy_name(judging->policy), judging->rule->name);
        judging->facts->failure = failure;
    }
}

/* What is not known matches: an environment must not be left by keeping something back. Only sites have channels. */
static bool when_matches(const struct json *when, struct facts *facts) {
    const struct policy_subject *subject = facts->subject;
    AUTO_FREE char *branch = json_get(when, "branches") ? facts_branch(facts) : NULL;
    const struct {
        const char *member, *value;
    } parts[] = {{"projects", subject->project},
                 {"regions", subject->region},
                 {"names", subject->name},
                 {"channels", subject->channel},
                 {"branches", branch}};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        const struct json *globs = json_get(when, parts[i].member);
        if (globs && parts[i].value && !policy_globs_accept(globs, parts[i].value))
            return false;
    }
    return true;
}

typedef void rules_visit(struct judging *judging, const struct json *rules);

/* Of one policy: the rules for all, then those of each environment that this belongs to. The number of those. */
static size_t visit_policy(struct judging *judging, rules_visit *visit) {
    const struct json *environments = json_get(judging->policy->json, "environments");
    size_t matching = 0;
    visit(judging, json_get(judging->policy->json, "rules"));
    for (void *i = json_first(environments); i; i = json_next(environments, i)) {
        if (!when_matches(json_get(json_value(i), "when"), judging->facts))
            continue;
        matching++;
        judging->environment = json_key(i);
        visit(judging, json_get(json_value(i), "rules"));
    }
    judging->environment = NULL;
    return matching;
}

static void judge_no_environment(struct judging *judging) {
    static const struct rule required = {.name = "require_environment"};
    const struct policy_subject *subject = judging->subject;
    judging->rule = &required;
    judging->value = NULL;
    judge_breach(judging, "%s in project %s belongs to no environment of this policy",
                 subject->name ? subject->name : "it", subject->project ? subject->project : "?");
}

int policy_check(const struct policies *policies, const struct policy_subject *subject, struct policy_verdict *verdict,
                 struct error *error) {
    struct facts facts = {.subject = subject, .is_public = -1};
    *verdict = (struct policy_verdict){0};
    for (size_t i = 0; i < policies->count; i++) {
        struct judging judging = {
            .policy = &policies->items[i], .subject = subject, .verdict = verdict, .facts = &facts};
        size_t matching = visit_policy(&judging, judge_rules);
        if (!matching && json_get_bool(judging.policy->json, "require_environment", false))
            judge_no_environment(&judging);
    }
    facts_release(&facts);
    if (facts.failure.kind == ERROR_NONE)
        return 0;
    if (error)
        *error = facts.failure;
    return -1;
}

void policy_labels(const struct policies *policies, const struct policy_subject *subject, struct text_list *labels) {
    struct facts facts = {.subject = subject, .is_public = -1};
    for (size_t i = 0; i < policies->count; i++) {
        struct judging judging = {.policy = &policies->items[i], .subject = subject, .facts = &facts, .labels = labels};
        visit_policy(&judging, policy_rule_labels);
    }
    facts_release(&facts);
}

void policy_verdict_release(struct policy_verdict *verdict) {
    for (size_t i = 0; i < verdict->count; i++) {
        free(verdict->findings[i].policy);
        free(verdict->findings[i].environment);
        free(verdict->findings[i].message);
        free(verdict->findings[i].why);
    }
    free(verdict->findings);
    *verdict = (struct policy_verdict){0};
}
