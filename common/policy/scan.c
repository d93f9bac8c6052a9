/* Reports of a scanner, each bound to its image by the image's id. */
#include "common/evidence/audit.h"
#include "common/policy/policy.h"

static int read_scan(struct policy_scans *scans, const char *path, struct error *error) {
    AUTO_AUDIT struct audit audit = {0};
    if (audit_read_file(path, &audit, error) < 0)
        return error_wrap(error, "--scan");
    if (!audit.image) {
        error_set(error, ERROR_DATA, "--scan: %s does not say which image was scanned", path);
        return error_next(error, "scan the image itself: trivy image --format json --output scan.json IMAGE");
    }
    struct policy_scan *scan = &scans->items[scans->count++];
    scan->image = take_pointer(&audit.image);
    scan->findings = evidence_findings_json(&audit.findings);
    return 0;
}

int policy_scans_read(struct policy_scans *scans, const struct text_list *paths, struct error *error) {
    *scans = (struct policy_scans){0};
    if (paths->count > POLICY_SCANS_LIMIT)
        return error_set(error, ERROR_USAGE, "--scan is given more than %d times", POLICY_SCANS_LIMIT);
    for (size_t i = 0; i < paths->count; i++)
        if (read_scan(scans, paths->items[i], error) < 0)
            return -1;
    return 0;
}

void policy_scans_release(struct policy_scans *scans) {
    for (size_t i = 0; i < scans->count; i++) {
        free(scans->items[i].image);
        json_release(&scans->items[i].findings);
    }
    *scans = (struct policy_scans){0};
}
