#include "common/evidence/audit.h"

#include "common/base/text.h"

#include <string.h>

struct words {
    const char *word;
    enum evidence_severity severity;
};

static enum evidence_severity severity_of(const char *word) {
    static const struct words words[] = {{"critical", SEVERITY_CRITICAL}, {"high", SEVERITY_HIGH},
                                         {"moderate", SEVERITY_MEDIUM},   {"medium", SEVERITY_MEDIUM},
                                         {"low", SEVERITY_LOW},           {"info", SEVERITY_LOW},
                                         {"negligible", SEVERITY_LOW}};
    for (size_t i = 0; word && i < ARRAY_LENGTH(words); i++)
        if (strcasecmp(word, words[i].word) == 0)
            return words[i].severity;
    return SEVERITY_UNKNOWN;
}

static void add(struct audit *audit, enum evidence_severity severity, const char *id, const char *package,
                const char *version, const char *title) {
    audit->findings.counts[severity]++;
    audit->total++;
    if (audit->kept_count == AUDIT_KEPT)
        return;
    struct audit_finding *finding = &audit->kept[audit->kept_count++];
    finding->name =
        text_format("%s %s%s%s%s%s", evidence_severity_name(severity), id ? id : "a finding", package ? " of " : "",
                    package ? package : "", version ? " " : "", version ? version : "");
    const char *message = title ? title : finding->name;
    finding->message = text_copy_length(message, strnlen(message, AUDIT_MESSAGE_LIMIT));
}

/* ---- forms ---- */

static void read_npm(const struct json *document, struct audit *audit) {
    const struct json *vulnerable = json_get(document, "vulnerabilities");
    for (void *i = json_first(vulnerable); i; i = json_next(vulnerable, i)) {
        const struct json *package = json_value(i), *first = json_at(json_get(package, "via"), 0);
        add(audit, severity_of(json_get_text(package, "severity", NULL)), NULL, json_key(i),
            json_get_text(package, "range", NULL), json_get_text(first, "title", NULL));
    }
}

static void read_pip(const struct json *document, struct audit *audit) {
    const struct json *all = json_get(document, "dependencies");
    for (size_t i = 0; i < json_count(all); i++) {
        const struct json *package = json_at(all, i), *found = json_get(package, "vulns");
        audit->skipped += json_get(package, "skip_reason") != NULL;
        for (size_t k = 0; k < json_count(found); k++)
            add(audit, SEVERITY_UNKNOWN, json_get_text(json_at(found, k), "id", NULL),
                json_get_text(package, "name", NULL), json_get_text(package, "version", NULL),
                json_get_text(json_at(found, k), "description", NULL));
    }
}

static void read_trivy_list(const struct json *list, const char *id, struct audit *audit) {
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = json_at(list, i);
        if (!text_equal(json_get_text(item, "Status", NULL), "PASS"))
            add(audit, severity_of(json_get_text(item, "Severity", NULL)), json_get_text(item, id, NULL),
                json_get_text(item, "PkgName", NULL), json_get_text(item, "InstalledVersion", NULL),
                json_get_text(item, "Title", NULL));
    }
}

static void read_trivy(const struct json *document, struct audit *audit) {
    const struct json *results = json_get(document, "Results");
    audit->image = text_copy(json_text(json_get_path(document, "Metadata.ImageID")));
    for (size_t i = 0; i < json_count(results); i++) {
        const struct json *result = json_at(results, i);
        read_trivy_list(json_get(result, "Vulnerabilities"), "VulnerabilityID", audit);
        read_trivy_list(json_get(result, "Misconfigurations"), "ID", audit);
        read_trivy_list(json_get(result, "Secrets"), "RuleID", audit);
    }
}

/* https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
 */
static enum evidence_severity sarif_severity(const struct json *run, const struct json *result) {
    const struct json *rules = json_get_path(run, "tool.driver.rules");
    const char *id = json_get_text(result, "ruleId", NULL), *level = json_get_text(result, "level", "warning");
    for (size_t i = 0; id && i < json_count(rules); i++) {
        const struct json *properties = json_get(json_at(rules, i), "properties");
        const char *text = json_get_text(properties, "security-severity", NULL);
        if (!text || !text_equal(json_get_text(json_at(rules, i), "id", NULL), id))
            continue;
        /* "9.8": the part before the point decides. */
        uint64_t score;
        AUTO_FREE char *whole = text_copy_length(text, strcspn(text, "."));
        if (text_to_u64(whole, 10, &score))
            return score >= 9   ? SEVERITY_CRITICAL
                   : score >= 7 ? SEVERITY_HIGH
                   : score >= 4 ? SEVERITY_MEDIUM
                                : SEVERITY_LOW;
    }
    return text_equal(level, "error")     ? SEVERITY_HIGH
           : text_equal(level, "warning") ? SEVERITY_MEDIUM
           : text_equal(level, "note")    ? SEVERITY_LOW
                                          : SEVERITY_UNKNOWN;
}

static void read_sarif(const struct json *document, struct audit *audit) {
    const struct json *runs = json_get(document, "runs");
    for (size_t i = 0; i < json_count(runs); i++) {
        const struct json *run = json_at(runs, i), *results = json_get(run, "results");
        for (size_t k = 0; k < json_count(results); k++) {
            const struct json *result = json_at(results, k);
            const char *kind = json_get_text(result, "kind", "fail");
            if (text_equal(kind, "fail") && !text_equal(json_get_text(result, "level", NULL), "none"))
                add(audit, sarif_severity(run, result), json_get_text(result, "ruleId", NULL), NULL, NULL,
                    json_text(json_get_path(result, "message.text")));
        }
    }
}

int audit_read(const struct json *document, const char *what, struct audit *audit, struct error *error) {
    const struct {
        const char *form;
        bool is_it;
        void (*read)(const struct json *document, struct audit *audit);
    } forms[] = {
        {"npm audit", json_get(document, "auditReportVersion") && json_is_object(json_get(document, "vulnerabilities")),
         read_npm},
        {"pip-audit", json_is_array(json_get(document, "dependencies")), read_pip},
        {"Trivy", json_get(document, "SchemaVersion") && json_get(document, "ArtifactName"), read_trivy},
        {"SARIF", json_is_array(json_get(document, "runs")), read_sarif},
    };
    *audit = (struct audit){.findings = {.is_known = true}};
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (!forms[i].is_it)
            continue;
        audit->form = text_copy(forms[i].form);
        forms[i].read(document, audit);
        return 0;
    }
    error_set(error, ERROR_DATA, "%s is no report that is known", what);
    return error_next(error, "give the JSON of npm audit, pip-audit or Trivy, or SARIF 2.1.0");
}

int audit_read_file(const char *path, struct audit *audit, struct error *error) {
    *audit = (struct audit){0};
    AUTO_JSON struct json *document = json_parse_file(path, AUDIT_DOCUMENT_LIMIT, error);
    return document ? audit_read(document, path, audit, error) : -1;
}

void audit_release(struct audit *audit) {
    for (size_t i = 0; i < audit->kept_count; i++) {
        free(audit->kept[i].name);
        free(audit->kept[i].message);
    }
    free(audit->form);
    free(audit->image);
    *audit = (struct audit){0};
}
