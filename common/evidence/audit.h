/* What an audit of dependencies or a scanner of images found, by how severe it is, as other tools write it down:
 *   npm audit --json        {"auditReportVersion": 2, "vulnerabilities": {"lodash": {"severity": "high", …}}}
 *   pip-audit -f json       {"dependencies": [{"name", "version", "vulns": [{"id", …}]}]}: no severity
 *   trivy … -f json         {"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"Severity", …}]}], "Metadata":
 * {"ImageID"}} SARIF 2.1.0             {"version": "2.1.0", "runs": [{"results": [{"ruleId", "level"}]}]}; the rule's
 * property security-severity (0 to 10, as GitHub takes it) goes before the level */
#ifndef EVIDENCE_AUDIT_H
#define EVIDENCE_AUDIT_H

#include "common/evidence/evidence.h"

enum { AUDIT_DOCUMENT_LIMIT = 32 << 20, AUDIT_KEPT = 50, AUDIT_MESSAGE_LIMIT = 2000 };

struct audit_finding {
    char *name; /* "critical CVE-2026-1 of lodash 4.17.20" */
    char *message;
};
struct audit {
    struct evidence_findings findings;
    uint64_t total, skipped;               /* skipped: packages that were not looked at */
    struct audit_finding kept[AUDIT_KEPT]; /* the first of them */
    size_t kept_count;
    char *form;  /* "npm audit", "pip-audit", "Trivy", "SARIF" */
    char *image; /* the image ID that Trivy looked at, "sha256:…", or NULL */
};
/* ERROR_DATA: none of these forms. */
int audit_read(const struct json *document, const char *what, struct audit *audit, struct error *error) MUST_CHECK;
int audit_read_file(const char *path, struct audit *audit, struct error *error) MUST_CHECK;
void audit_release(struct audit *audit);
#define AUTO_AUDIT AUTO(audit_release)

#endif
