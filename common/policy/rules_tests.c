/* Rules about what was found out before: by pl-test over the same source digest, by a scanner of the same image. */
#include "common/base/units.h"
#include "common/evidence/evidence.h"
#include "common/policy/facts.h"
#include "common/policy/internal.h"

#include <string.h>
#include <time.h>

/* A digest's first letters, for people. */
enum { SHOWN = 19 };

/* The last run of the suite over the source that this was built from; NULL after a breach. The caller releases. */
static int find_run(struct judging *judging, const char *suite, struct json **run, struct error *error) {
    AUTO_JSON struct json *build = NULL;
    *run = NULL;
    if (facts_build(judging->facts, &build, error) < 0)
        return -1;
    if (!build) {
        judge_unknown(
            judging,
            "which source this was built from is not known here, so no %s report can be its own: run pl-build "
            "and pl-test with the same store",
            suite);
        return 0;
    }
    if (facts_test(judging->facts, build, suite, run, error) < 0)
        return -1;
    if (!*run)
        judge_unknown(judging,
                      "there is no %s report of this source (%.*s…): run pl-test --suite %s, without arguments", suite,
                      SHOWN, json_get_text(build, "source", ""), suite);
    return 0;
}

static void judge_age(struct judging *judging, const char *suite, const struct json *run) {
    const char *text = json_get_text(judging->value, "max_age", NULL);
    long long most;
    int64_t age = (int64_t)time(NULL) - json_get_integer(run, "time", 0);
    if (text && parse_duration(text, &most) && age > most)
        judge_breach(judging, "the %s report of this source is %lld hours old, the oldest allowed is %s", suite,
                     (long long)(age / 3600), text);
}

static int check_suite(struct judging *judging, const char *suite, struct error *error) {
    AUTO_JSON struct json *run = NULL;
    if (find_run(judging, suite, &run, error) < 0)
        return -1;
    if (!run)
        return 0;
    if (!json_get_bool(run, "passed", false))
        judge_breach(judging, "the last %s report of this source is not green", suite);
    judge_age(judging, suite, run);
    return 0;
}

int check_tests(struct judging *judging, struct error *error) {
    const struct json *suites = json_get(judging->value, "suites");
    for (size_t i = 0; i < json_count(suites); i++)
        if (check_suite(judging, json_text(json_at(suites, i)), error) < 0)
            return -1;
    return 0;
}

/* Without "refuse" nothing may have been found at all. */
int check_audit(struct judging *judging, struct error *error) {
    AUTO_JSON struct json *run = NULL;
    const char *refuse = json_get_text(judging->value, "refuse", "low");
    if (find_run(judging, "audit", &run, error) < 0)
        return -1;
    if (!run)
        return 0;
    const struct json *findings = json_get(run, "findings");
    uint64_t count = evidence_findings_count(findings, refuse);
    if (!findings && !json_get_bool(run, "passed", false))
        judge_breach(judging, "the audit of this source found something, and does not say how severe it is");
    else if (count > 0)
        judge_breach(judging, "the audit of this source has %llu finding%s that %s at least %s",
                     (unsigned long long)count, count == 1 ? "" : "s", count == 1 ? "is" : "are", refuse);
    judge_age(judging, "audit", run);
    return 0;
}

int check_coverage(struct judging *judging, struct error *error) {
    AUTO_JSON struct json *run = NULL;
    double floor = json_get_real(judging->value, "at_least", 0);
    if (find_run(judging, "unit", &run, error) < 0)
        return -1;
    double coverage = json_get_real(run, "coverage", -1);
    if (run && coverage < 0)
        judge_breach(judging, "the tests did not say how much of the code they cover; the floor is %.4g %%", floor);
    else if (run && coverage < floor)
        judge_breach(judging, "the coverage is %.4g %%, the floor is %.4g %%", coverage, floor);
    return 0;
}

static const struct policy_scan *find_scan(const struct policy_scans *scans, const char *id) {
    for (size_t i = 0; id && scans && i < scans->count; i++)
        if (text_equal(scans->items[i].image, id))
            return &scans->items[i];
    return NULL;
}

static int check_scan_of(struct judging *judging, const char *image, struct error *error) {
    AUTO_FACTS_IMAGE struct facts_image found = {0};
    const char *refuse = json_get_text(judging->value, "refuse", "low");
    if (facts_image(judging->facts, image, &found, error) < 0)
        return -1;
    const struct policy_scan *scan = find_scan(judging->subject->scans, found.id);
    uint64_t count = scan ? evidence_findings_count(scan->findings, refuse) : 0;
    if (!image)
        judge_unknown(judging, "the image is not known, so no scan can be its own");
    else if (!scan)
        judge_unknown(judging, "there is no scan of the image %s (image ID %s): give Trivy's with --scan", image,
                      found.id ? found.id : "not known");
    else if (count > 0)
        judge_breach(judging, "the scan of the image %.*s has %llu finding%s that %s at least %s",
                     (int)strcspn(image, "@"), image, (unsigned long long)count, count == 1 ? "" : "s",
                     count == 1 ? "is" : "are", refuse);
    return 0;
}

int check_scan(struct judging *judging, struct error *error) {
    const struct json *containers = facts_containers(judging->subject);
    for (size_t i = 0; i < json_count(containers); i++)
        if (check_scan_of(judging, json_get_text(json_at(containers, i), "image", NULL), error) < 0)
            return -1;
    return 0;
}
