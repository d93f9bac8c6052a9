/* common/policy: what a policy's text may be, and what each rule says of a service as the API describes it. */
#include "common/policy/policy.h"
#include "common/policy/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct json *parse(const char *text) {
    struct error error = {0};
    struct json *value = json_parse(text, strlen(text), "test", &error);
    if (!value)
        fail_msg("%s", error.text);
    return value;
}

static void read_policy(struct policies *policies, const char *text) {
    struct error error = {0};
    struct policy *policy = &policies->items[policies->count];
    if (policy_parse(policy, "acme.json", text, strlen(text), &error) < 0)
        fail_msg("%s", error.text);
    policies->count++;
}

/* All findings, one a line. The caller frees. */
static char *judge(const struct policies *policies, const struct policy_subject *subject) {
    AUTO_VERDICT struct policy_verdict verdict = {0};
    struct error error = {0};
    struct buffer text = BUFFER(10000);
    if (policy_check(policies, subject, &verdict, &error) < 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < verdict.count; i++) {
        AUTO_FREE char *line = policy_finding_text(&verdict.findings[i]);
        buffer_append_format(&text, "%s\n", line);
    }
    return buffer_take(&text);
}

static char *judge_one(const char *rules, enum policy_kind kind, const char *planned, bool is_offline) {
    AUTO_POLICIES struct policies policies = {0};
    AUTO_JSON struct json *json = planned ? parse(planned) : NULL;
    AUTO_FREE char *text = text_format("{\"rules\": {%s}}", rules);
    const struct policy_subject subject = {.kind = kind,
                                           .name = "shop",
                                           .project = "demo",
                                           .region = "us-central1",
                                           .planned = json,
                                           .is_offline = is_offline};
    read_policy(&policies, text);
    return judge(&policies, &subject);
}

/* ---- the text ---- */

static void a_mistake_is_named_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *says, *next;
    } cases[] = {
        {"{\"rules\": {\n  \"region\": {\"allow\": [\"a\"]}}}", "acme.json:2:3: \"region\" is no rule", "\"regions\"?"},
        {"{\"rule\": {}}", "acme.json:1:2: \"rule\" is no part of a policy", "\"rules\"?"},
        {"{\"rules\": {\"regions\": {\"alow\": [\"a\"]}}}", "\"alow\" is no member of the rule \"regions\"",
         "\"allow\"?"},
        {"{\"rules\": {\"regions\": {}}}", "the rule \"regions\" needs \"allow\"", ""},
        {"{\"rules\": {\"regions\": {\"allow\": []}}}", "not an empty one", ""},
        {"{\"rules\": {\"regions\": {\"allow\": [1]}}}", "1:34: this is a text", ""},
        {"{\"rules\": {\"regions\": [\"a\"]}}", "this is an object", ""},
        {"{\"rules\": {\"cpu\": {\"why\": \"x\"}}}", "the rule \"cpu\" says nothing", ""},
        {"{\"rules\": {\"cpu\": {\"at_most\": \"2 cores\"}}}", "this is a quantity", ""},
        {"{\"rules\": {\"timeout\": {\"at_most\": 90}}}", "this is a time", ""},
        {"{\"rules\": {\"max_instances\": {\"at_most\": -1}}}", "this is a whole number", ""},
        {"{\"rules\": {\"coverage\": {\"at_least\": 101}}}", "from 0 to 100", ""},
        {"{\"rules\": {\"names\": {\"pattern\": \"a(\"}}}", "acme.json:1:22:", ""},
        {"{\"rules\": {\"tests\": {\"suites\": [\"units\"]}}}", "\"units\" is no suite", ""},
        {"{\"rules\": {\"public_access\": {\"allow\": \"no\"}}}", "this is true or false", ""},
        {"{\"rules\": {\"labels\": {\"required\": {\"team\": 1}}}}", "this is a text", ""},
        {"{\"rules\": {\"labels\": {\"required\": {\"c\": \"git:comit\"}}}}", "\"git:comit\" is not git:commit", ""},
        {"{\"environments\": {\"p\": {\"rules\": {}}}}", "needs \"when\" and \"rules\"", ""},
        {"{\"environments\": {\"p\": {\"when\": {}, \"rules\": {}}}}", "\"when\" says nothing", ""},
        {"{\"rules\": {}, \"exceptions\": [{\"rule\": \"cpu\", \"names\": [\"a\"], \"why\": \"x\"}]}",
         "needs \"until\"", ""},
        {"{\"rules\": {}, \"exceptions\": [{\"rule\": \"cpu\", \"names\": [\"a\"], \"until\": \"2026-13-01\", \"why\": "
         "\"x\"}]}",
         "this is a date", ""},
        {"{\"rules\": {}, \"exceptions\": [{\"rule\": \"cpu\", \"names\": [\"a\"], \"until\": \"2026-12-01\"}]}",
         "an exception needs \"why\"", ""},
        {"{\"rules\": {}, \"exceptions\": [{\"rule\": \"cpus\", \"names\": [\"a\"], \"until\": \"2026-12-01\", "
         "\"why\": \"x\"}]}",
         "\"cpus\" is no rule", ""},
        {"{}", "\"rules\" or \"environments\"", ""},
        {"[]", "this is an object", ""},
        {"{\"rules\": {}, \"rules\": {}}", "duplicate", ""},
        {"{\"rules\": ", "acme.json", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct policy policy = {0};
        struct error error = {0};
        assert_int_equal(policy_parse(&policy, "acme.json", cases[i].text, strlen(cases[i].text), &error), -1);
        assert_int_equal(error.kind, ERROR_CONFIGURATION);
        if (!strstr(error.text, cases[i].says) || !strstr(error.next, cases[i].next))
            fail_msg("%s: %s (%s)", cases[i].text, error.text, error.next);
    }
}

/* ---- rules ---- */

#define CONTAINER(limits) "{\"image\": \"h/p/r/shop@sha256:0\", \"resources\": {\"limits\": {" limits "}}}"
#define SERVICE(members) "{" members "\"template\": {\"containers\": [" CONTAINER("") "]}}"

static void rules_speak_of_the_service_as_it_will_be(void **state) {
    (void)state;
    static const struct {
        const char *rule, *planned, *says; /* says NULL: it is allowed */
    } cases[] = {
        {"\"regions\": {\"allow\": [\"us-*\"]}", NULL, NULL},
        {"\"regions\": {\"allow\": [\"us\"]}", NULL, "the region is us-central1; allowed: us"},
        {"\"names\": {\"pattern\": \"sh|op\"}", NULL, "the name is shop; it must match sh|op"},
        {"\"names\": {\"pattern\": \"sh(op)?\"}", NULL, NULL},
        {"\"registries\": {\"allow\": [\"h/p/\"]}", SERVICE(""), NULL},
        {"\"registries\": {\"allow\": [\"h/p/r/sh\", \"h/*/s\"]}", SERVICE(""), "the image is h/p/r/shop; allowed"},
        {"\"max_instances\": {\"at_most\": 50}", SERVICE(""), "maximum of instances is 100 (Cloud Run's own"},
        {"\"max_instances\": {\"at_most\": 50}", "{\"scaling\": {\"maxInstanceCount\": 40}, \"template\": {}}", NULL},
        {"\"max_instances\": {\"at_most\": 50}", "{\"template\": {\"scaling\": {\"maxInstanceCount\": 51}}}",
         "is 51, the most"},
        {"\"max_instances\": {\"at_most\": 5}",
         "{\"scaling\": {\"scalingMode\": \"MANUAL\", \"manualInstanceCount\": 9}, \"template\": {\"scaling\": "
         "{\"maxInstanceCount\": 1}}}",
         "set by hand, is 9"},
        {"\"min_instances\": {\"at_least\": 1}", SERVICE(""), "the minimum of instances is 0"},
        {"\"min_instances\": {\"at_least\": 1}", "{\"scaling\": {\"minInstanceCount\": 1}, \"template\": {}}", NULL},
        {"\"min_instances\": {\"at_most\": 1}", "{\"scaling\": {\"minInstanceCount\": 2}, \"template\": {}}",
         "is 2, the most"},
        {"\"cpu\": {\"at_most\": \"1500m\"}",
         "{\"template\": {\"containers\": [" CONTAINER("\"cpu\": \"1\"") ", " CONTAINER("\"cpu\": \"1000m\"") "]}}",
         "CPU is 2, the most allowed is 1.5"},
        {"\"cpu\": {\"at_least\": 1}", SERVICE(""), NULL},
        {"\"memory\": {\"at_most\": \"1Gi\"}",
         "{\"template\": {\"containers\": [" CONTAINER("\"memory\": \"1073741825\"") "]}}", "memory is"},
        {"\"memory\": {\"at_most\": \"512Mi\"}", SERVICE(""), NULL},
        {"\"concurrency\": {\"at_most\": 79}", SERVICE(""), "concurrency is 80 (Cloud Run's own"},
        {"\"concurrency\": {\"at_most\": 79}", "{\"template\": {\"containers\": [" CONTAINER("\"cpu\": \"0.5\"") "]}}",
         NULL},
        {"\"timeout\": {\"at_most\": \"4m\"}", SERVICE(""), "the timeout is 300s (Cloud Run's own"},
        {"\"timeout\": {\"at_most\": \"4m\"}", "{\"template\": {\"timeout\": \"240.5s\"}}",
         "240.5s, the most allowed is 240s"},
        {"\"public_access\": {\"allow\": false}", "{\"invokerIamDisabled\": true}", "the invoker check is off"},
        {"\"public_access\": {\"allow\": true}", "{\"invokerIamDisabled\": true}", NULL},
        {"\"ingress\": {\"allow\": [\"internal\"]}", "{\"ingress\": \"INGRESS_TRAFFIC_INTERNAL_ONLY\"}", NULL},
        {"\"ingress\": {\"allow\": [\"internal\"]}", "{\"ingress\": \"INGRESS_TRAFFIC_UNSPECIFIED\"}",
         "the ingress is all"},
        {"\"ingress\": {\"allow\": [\"internal\"]}", "{}", "the ingress is all"},
        {"\"service_accounts\": {\"allow\": [\"*@p.iam.gserviceaccount.com\"]}",
         "{\"template\": {\"serviceAccount\": \"a@p.iam.gserviceaccount.com\"}}", NULL},
        {"\"service_accounts\": {\"allow\": [\"*@p.iam.gserviceaccount.com\"]}", SERVICE(""),
         "default compute account"},
        {"\"labels\": {\"required\": {\"team\": \"w*\"}}", "{\"labels\": {\"team\": \"web\"}}", NULL},
        {"\"labels\": {\"required\": {\"team\": \"w*\"}}", "{\"labels\": {\"team\": \"api\"}}",
         "the label team is \"api\"; it must be w*"},
        {"\"labels\": {\"required\": {\"team\": \"*\"}}", "{}", "the label team is missing"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        /* Who may call is not known here: of no interest but for its own rule. */
        AUTO_FREE char *text =
            judge_one(cases[i].rule, POLICY_SERVICE, cases[i].planned ? cases[i].planned : "{}", true);
        bool told = *text && !strstr(text, "not decided");
        if (cases[i].says ? !strstr(text, cases[i].says) : told)
            fail_msg("%s of %s: %s", cases[i].rule, cases[i].planned, text);
    }
}

static void a_job_is_judged_by_its_tasks(void **state) {
    (void)state;
    static const char job[] =
        "{\"template\": {\"taskCount\": 20, \"parallelism\": 8, \"template\": {\"timeout\": \"3600s\", "
        "\"containers\": [" CONTAINER("\"memory\": \"4Gi\"") "]}}}";
    AUTO_FREE char *text =
        judge_one("\"max_instances\": {\"at_most\": 7}, \"memory\": {\"at_most\": \"2Gi\"}, \"timeout\": "
                  "{\"at_most\": \"10m\"}, \"min_instances\": {\"at_least\": 1}, \"service_accounts\": "
                  "{\"allow\": [\"a\"]}",
                  POLICY_JOB, job, false);
    assert_string_equal(
        text, "policy acme.json, max_instances: the number of tasks at a time is 8, the most allowed is 7\n"
              "policy acme.json, memory: memory is 4096Mi, the most allowed is 2048Mi\n"
              "policy acme.json, timeout: the timeout is 3600s, the most allowed is 600s\n"
              "policy acme.json, service_accounts: it would run as the default compute account, since no service "
              "account is named; allowed: a\n");
}

/* What cannot be shown is not decided where nothing is sent, and forbidden where something is. */
static void what_is_not_known_is_no_permission(void **state) {
    (void)state;
    static const char rule[] = "\"public_access\": {\"allow\": false, \"why\": \"w\"}";
    AUTO_FREE char *offline = judge_one(rule, POLICY_SERVICE, "{}", true);
    AUTO_FREE char *deployed = judge_one(rule, POLICY_SERVICE, "{}", false);
    assert_non_null(strstr(offline, "public_access: not decided: whether everybody may call it"));
    assert_non_null(strstr(deployed, "public_access: whether everybody may call it"));
}

/* ---- which rules bind ---- */

static char *judge_named(struct policies *policies, const char *name, const char *project) {
    AUTO_JSON struct json *planned = parse("{}");
    const struct policy_subject subject = {
        .kind = POLICY_SERVICE, .name = name, .project = project, .region = "r", .planned = planned};
    return judge(policies, &subject);
}

static void an_environment_adds_its_rules(void **state) {
    (void)state;
    AUTO_POLICIES struct policies policies = {0};
    read_policy(
        &policies,
        "{\"name\": \"acme\", \"require_environment\": true, \"rules\": {\"projects\": {\"allow\": [\"acme-*\"]}}, "
        "\"environments\": {\"production\": {\"when\": {\"names\": [\"*-prod\"], \"projects\": [\"acme-p*\"]}, "
        "\"rules\": {\"regions\": {\"allow\": [\"x\"]}}}, \"staging\": {\"when\": {\"names\": [\"*-stage\"]}, "
        "\"rules\": {}}}}");
    AUTO_FREE char *production = judge_named(&policies, "a-prod", "acme-p1");
    AUTO_FREE char *staging = judge_named(&policies, "a-stage", "other");
    AUTO_FREE char *neither = judge_named(&policies, "a-prod", "acme-q");
    assert_string_equal(production, "policy acme, production, regions: the region is r; allowed: x\n");
    assert_string_equal(staging, "policy acme, projects: the project is other; allowed: acme-*\n");
    assert_string_equal(neither,
                        "policy acme, require_environment: a-prod in project acme-q belongs to no environment of this "
                        "policy\n");
}

/* A second policy that allows everything takes nothing away. */
static void all_policies_bind(void **state) {
    (void)state;
    AUTO_POLICIES struct policies policies = {0};
    read_policy(&policies, "{\"name\": \"one\", \"rules\": {\"regions\": {\"allow\": [\"x\"]}}}");
    read_policy(&policies,
                "{\"name\": \"two\", \"rules\": {\"regions\": {\"allow\": [\"*\"]}}, \"exceptions\": [{\"rule\": "
                "\"regions\", \"names\": [\"*\"], \"until\": \"9999-12-31\", \"why\": \"mine\"}]}");
    AUTO_FREE char *text = judge_named(&policies, "a", "p");
    assert_string_equal(text, "policy one, regions: the region is r; allowed: x\n");
}

static void an_exception_ends(void **state) {
    (void)state;
    static const char form[] =
        "{\"rules\": {\"regions\": {\"allow\": [\"x\"]}}, \"exceptions\": [{\"rule\": \"regions\", "
        "\"names\": [\"old-*\"], \"until\": \"%s\", \"why\": \"it moves\"}]}";
    AUTO_POLICIES struct policies now = {0}, over = {0};
    AUTO_FREE char *now_text = text_format(form, "9999-12-31"), *over_text = text_format(form, "2020-01-01");
    read_policy(&now, now_text);
    read_policy(&over, over_text);
    AUTO_FREE char *excepted = judge_named(&now, "old-shop", "p"), *other = judge_named(&now, "shop", "p");
    AUTO_FREE char *ended = judge_named(&over, "old-shop", "p");
    assert_string_equal(excepted,
                        "policy acme.json, regions: excepted: the region is r; allowed: x; allowed until 9999-12-31: "
                        "it moves\n");
    assert_string_equal(other, "policy acme.json, regions: the region is r; allowed: x\n");
    assert_string_equal(
        ended, "policy acme.json, regions: the region is r; allowed: x; its exception ended with 2020-01-01\n");
}

/* Google has checked the identity token; git is not asked. */
static void a_branch_is_that_of_the_accepted_identity(void **state) {
    (void)state;
    static const struct {
        const char *claims, *says; /* says NULL: it is allowed */
    } cases[] = {
        {"{\"ref\": \"refs/heads/main\"}", NULL},
        {"{\"ref\": \"refs/heads/release/2\"}", NULL},
        {"{\"ref\": \"main\", \"ref_type\": \"branch\"}", NULL},
        {"{\"ref\": \"main\", \"ref_type\": \"tag\"}",
         "the identity of this run is that of main; allowed: main, release/*"},
        {"{\"ref\": \"refs/heads/mainly\"}", "that of mainly;"},
        {"{\"ref\": \"refs/tags/main\"}", "that of refs/tags/main;"},
        {"{\"ref\": \"refs/pull/7/merge\"}", "that of refs/pull/7/merge;"},
    };
    AUTO_POLICIES struct policies policies = {0};
    read_policy(&policies, "{\"rules\": {\"branches\": {\"allow\": [\"main\", \"release/*\"]}}}");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_JSON struct json *claims = parse(cases[i].claims), *planned = parse("{}");
        const struct policy_subject subject = {
            .kind = POLICY_SERVICE, .name = "a", .project = "p", .region = "r", .planned = planned, .claims = claims};
        AUTO_FREE char *text = judge(&policies, &subject);
        if (cases[i].says ? !strstr(text, cases[i].says) : *text != '\0')
            fail_msg("%s: %s", cases[i].claims, text);
    }
}

/* What is not known matches; an identity without a branch is not known. */
static void an_environment_may_be_a_branch(void **state) {
    (void)state;
    static const struct {
        const char *claims;
        bool binds;
    } cases[] = {{"{\"ref\": \"refs/heads/main\"}", true},
                 {"{\"ref\": \"refs/heads/feature\"}", false},
                 {"{\"ref\": \"refs/tags/v1\"}", true}};
    AUTO_POLICIES struct policies policies = {0};
    read_policy(&policies,
                "{\"environments\": {\"p\": {\"when\": {\"branches\": [\"main\"]}, \"rules\": {\"regions\": "
                "{\"allow\": [\"x\"]}, \"labels\": {\"required\": {\"env\": \"environment\", \"a\": \"b\", \"c\": "
                "\"*\", \"d\": \"e\"}, \"set\": true}}}}}");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_JSON struct json *claims = parse(cases[i].claims),
                              *planned =
                                  parse("{\"labels\": {\"env\": \"p\", \"a\": \"b\", \"c\": \"x\", \"d\": \"e\"}}");
        const struct policy_subject subject = {
            .kind = POLICY_SERVICE, .name = "a", .project = "p", .region = "r", .planned = planned, .claims = claims};
        AUTO_FREE char *text = judge(&policies, &subject);
        AUTO_LIST struct text_list labels = {0};
        text_list_add(&labels, "d=mine");
        policy_labels(&policies, &subject, &labels);
        assert_string_equal(text, cases[i].binds ? "policy acme.json, p, regions: the region is r; allowed: x\n" : "");
        assert_int_equal(labels.count, cases[i].binds ? 3 : 1);
        if (cases[i].binds)
            assert_true(text_equal(labels.items[1], "env=p") && text_equal(labels.items[2], "a=b"));
    }
}

static void a_label_may_be_the_branch(void **state) {
    (void)state;
    AUTO_POLICIES struct policies policies = {0};
    AUTO_JSON struct json *claims = parse("{\"ref\": \"refs/heads/Feature/One.2\"}"),
                          *planned = parse("{\"labels\": {\"branch\": \"feature-one-2\"}}"),
                          *other = parse("{\"labels\": {\"branch\": \"main\"}}");
    read_policy(&policies, "{\"rules\": {\"labels\": {\"required\": {\"branch\": \"git:branch\"}}}}");
    struct policy_subject subject = {.kind = POLICY_SERVICE, .planned = planned, .claims = claims};
    AUTO_FREE char *right = judge(&policies, &subject);
    subject.planned = other;
    AUTO_FREE char *wrong = judge(&policies, &subject);
    assert_string_equal(right, "");
    assert_string_equal(wrong, "policy acme.json, labels: the label branch is \"main\"; it must be feature-one-2\n");
}

static void quantities_are_kubernetes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double number;
    } good[] = {{"1", 1}, {"0.5", 0.5}, {"500m", 0.5}, {"1Ki", 1024}, {"1.5Gi", 1.5 * (1 << 30)}, {"2G", 2e9}};
    static const char *const bad[] = {"", "-1", "1.", ".5", "1 Gi", "1gi", "0x10", "1e3", "9999999999999999", "inf"};
    double number;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(quantity_parse(good[i].text, &number));
        assert_true(number > good[i].number * 0.999999 && number < good[i].number * 1.000001);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(quantity_parse(bad[i], &number));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_named_with_its_place),
        cmocka_unit_test(rules_speak_of_the_service_as_it_will_be),
        cmocka_unit_test(a_job_is_judged_by_its_tasks),
        cmocka_unit_test(what_is_not_known_is_no_permission),
        cmocka_unit_test(an_environment_adds_its_rules),
        cmocka_unit_test(all_policies_bind),
        cmocka_unit_test(an_exception_ends),
        cmocka_unit_test(an_environment_may_be_a_branch),
        cmocka_unit_test(a_label_may_be_the_branch),
        cmocka_unit_test(a_branch_is_that_of_the_accepted_identity),
        cmocka_unit_test(quantities_are_kubernetes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
