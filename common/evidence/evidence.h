/* What pl itself saw being made: from which source and base, what that source's tests said, and what was pushed as
 * what. The tools write it into the store as they work; the policy of an organisation asks for it (common/policy), so
 * that a claim in a record or a label decides nothing.
 *
 * Hints of the store: a later one of the same name replaces an earlier one, and whoever may write the store may write
 * them. Reading what is not there gives 0 with *value NULL. */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "common/crypto/digest.h"
#include "common/json/json.h"
#include "common/store/store.h"

/* The source as an image sees it (what .dockerignore and .plignore name is left out), and the member of the workspace
 * that was built or tested, or NULL. */
struct evidence_source {
    struct digest tree;
    const char *member;
};

/* names/built/DIGEST: `made` is the digest of a container's config, or of a site's directory. `directory` is where the
 * source was (absolute), `base` the reference of the base image as the user or the stack named it, or NULL. */
int evidence_write_build(struct store *store, const struct digest *made, const struct evidence_source *source,
                         const char *directory, const char *base, struct error *error) MUST_CHECK;
/* {"source", "member", "directory", "base"} */
int evidence_read_build(struct store *store, const struct digest *made, struct json **value,
                        struct error *error) MUST_CHECK;

/* names/pushed/DIGEST: the container that an image in a registry is, by the digest of its manifest. */
int evidence_write_push(struct store *store, const struct digest *manifest, const struct digest *container,
                        struct error *error) MUST_CHECK;
/* *found: it was pushed from here. */
int evidence_read_push(struct store *store, const struct digest *manifest, struct digest *container, bool *found,
                       struct error *error) MUST_CHECK;

/* How severe findings are; `unknown` counts as the worst. */
enum evidence_severity {
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
    SEVERITY_UNKNOWN,
    SEVERITIES
};
/* "low" … "unknown" */
const char *evidence_severity_name(enum evidence_severity severity);
struct evidence_findings {
    bool is_known; /* else only whether there were some is known */
    uint64_t counts[SEVERITIES];
};
/* {"low": 0, …}. The caller releases. */
struct json *evidence_findings_json(const struct evidence_findings *findings);
/* How many are at least so severe, of such an object. */
uint64_t evidence_findings_count(const struct json *findings, const char *least);

/* names/tested-SUITE/…: the last run of a suite over the whole of a source. `coverage` in percent, -1: not measured. */
struct evidence_test {
    bool passed;
    double coverage;
    uint64_t tests;
    const struct digest *report; /* the JUnit document, or NULL */
    struct evidence_findings findings;
};
int evidence_write_test(struct store *store, const struct evidence_source *source, const char *suite,
                        const struct evidence_test *test, struct error *error) MUST_CHECK;
/* For a build as evidence_read_build gives it: {"passed", "coverage", "tests", "report", "findings", "time"}, the time
 * in seconds since 1970. */
int evidence_read_test(struct store *store, const struct json *build, const char *suite, struct json **value,
                       struct error *error) MUST_CHECK;

#endif
