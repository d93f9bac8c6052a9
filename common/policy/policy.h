/* The policy of an organisation: what may be deployed, by whomever. docs/policy.md is the manual of the file.
 *
 * A policy is a JSON file of rules. Several may bind at once (PL_POLICY, and the member "policy" of pl.json,
 * $XDG_CONFIG_HOME/pl/config.json and /etc/pl/config.json): each of them does, and none replaces another, so that
 * nothing that a command line or a project says takes a rule away. Rules speak of what will be deployed, after
 * everything was put together, and never of the options that asked for it.
 *
 * A file that cannot be read or understood is ERROR_CONFIGURATION (78): without its policy nothing is deployed. What a
 * policy forbids is ERROR_PERMISSION (77). */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/json/json.h"

struct digest;
struct store;

enum { POLICY_FILES_LIMIT = 16, POLICY_BYTES_LIMIT = 256 << 10 };

struct policy {
    char *origin; /* the path or URL that it was read from */
    struct json *json;
};
struct policies {
    struct policy items[POLICY_FILES_LIMIT];
    size_t count;
};

/* Reads all that bind: a path, relative ones from where they are named, or "https://…#sha256:HEX", which is fetched
 * (once: the store keeps it by its digest) and refused when it is anything else. */
int policies_read(struct policies *policies, struct progress *progress, struct error *error) MUST_CHECK;
void policies_release(struct policies *policies);
#define AUTO_POLICIES AUTO(policies_release)

/* The text of one policy, checked whole: every unknown key, wrong type, malformed pattern and missing member is an
 * error with line and column, and the nearest name that there is. */
int policy_parse(struct policy *policy, const char *origin, const char *text, size_t length,
                 struct error *error) MUST_CHECK;

/* ---- what is judged ---- */

enum policy_kind {
    POLICY_SERVICE = 1 << 0,  /* a service of Cloud Run, as it will be */
    POLICY_TRAFFIC = 1 << 1,  /* its traffic goes back to what it was */
    POLICY_REVISION = 1 << 5, /* one of its revisions gets traffic: the service with the revision as its template */
    POLICY_JOB = 1 << 2,
    POLICY_SITE = 1 << 3,    /* of Firebase Hosting: new content */
    POLICY_RELEASE = 1 << 4, /* a site shows again what it has shown before */
};

/* What Trivy found in images: --scan of the tools. */
enum { POLICY_SCANS_LIMIT = 16 };
struct policy_scans {
    struct policy_scan {
        char *image;           /* the digest of its config, "sha256:…" */
        struct json *findings; /* as evidence_findings_json makes it */
    } items[POLICY_SCANS_LIMIT];
    size_t count;
};
/* ERROR_DATA: a file is no report of Trivy's on an image. */
int policy_scans_read(struct policy_scans *scans, const struct text_list *paths, struct error *error) MUST_CHECK;
void policy_scans_release(struct policy_scans *scans);
#define AUTO_POLICY_SCANS AUTO(policy_scans_release)

struct policy_subject {
    enum policy_kind kind;
    const char *name;    /* of the service, job or site */
    const char *project; /* these NULL: not known, only while is_offline; a site has no region */
    const char *region;
    const struct json *planned; /* the Service or Job of the API, v2, with everything that it will be; else NULL */
    const char *channel;        /* of a site: "live", or a preview's */
    const char *content;        /* of a site: "directory:sha256:…", or NULL */
    const char *directory;      /* where git is asked when it is not known where this was built; NULL: here */
    const struct policy_scans *scans; /* or NULL */
    const struct json *claims;        /* of the identity token that Google has accepted for us, or NULL */
    bool is_offline; /* what cannot be known here is not decided; else it is a breach: what must be shown was not */
    /* What only a server knows, asked when a rule needs it; each may be NULL. */
    void *context;
    /* Whether everybody may call the service when this is done. */
    int (*is_public)(void *context, bool *answer, struct error *error);
    /* The digest of the config of an image in a registry ("HOST/…@sha256:…"), which is then an object of the store. */
    int (*find_container)(void *context, const char *image, struct store *store, struct digest *container, bool *found,
                          struct error *error);
};

enum policy_answer { POLICY_BREACH, POLICY_UNDECIDED, POLICY_EXCEPTED };

struct policy_finding {
    enum policy_answer answer;
    const char *rule;  /* its key in the file, "regions" */
    char *policy;      /* the policy's name, else its origin */
    char *environment; /* whose rule it is, or NULL: one for all */
    char *message;     /* what is, and what may be */
    char *why;         /* the rule's own explanation, or NULL */
};
struct policy_verdict {
    struct policy_finding *findings; /* in the order of the policies, and of the rules in a fixed order */
    size_t count, breaches;
};
void policy_verdict_release(struct policy_verdict *verdict);
#define AUTO_VERDICT AUTO(policy_verdict_release)

/* The labels ("name=value") that the rules set which bind (their "set"), for those that the line does not name. */
void policy_labels(const struct policies *policies, const struct policy_subject *subject, struct text_list *labels);

/* All rules at once. -1 when what one asks about cannot be read; the verdict is that of the others then. */
int policy_check(const struct policies *policies, const struct policy_subject *subject, struct policy_verdict *verdict,
                 struct error *error) MUST_CHECK;

/* "acme, production, regions: the region is …; allowed: … (why)". The caller frees. */
char *policy_finding_text(const struct policy_finding *finding);
/* {"breaches": [{"policy", "environment", "rule", "message", "why"}], "undecided": […], "excepted": […]} */
struct json *policy_verdict_json(const struct policy_verdict *verdict);

/* policy_check before a change: every finding is told through `progress`; with a breach ERROR_PERMISSION, which names
 * the rules. */
int policy_enforce(const struct policies *policies, const struct policy_subject *subject, struct progress *progress,
                   struct error *error) MUST_CHECK;

#endif
