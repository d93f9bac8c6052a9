#include "gcp/run/image.h"

#include "common/base/text.h"
#include "common/crypto/digest.h"

#include <string.h>

int run_image_check(const struct record *record, struct error *error) {
    const char *ref = record_ref(record);
    const char *at = strrchr(ref, '@');
    struct digest parsed;
    if (!at || digest_parse(at + 1, &parsed, NULL) < 0) {
        error_set(error, ERROR_DATA, "%s names no digest, so what it means can change", ref);
        return error_next(error, "give it as HOST/REPOSITORY@sha256:…, as pl-push-image prints it");
    }
    const char *platform = record_text(record, "platform");
    if (!platform || text_equal(platform, "linux/amd64"))
        return 0;
    error_set(error, ERROR_DATA, "the image is for %s; Cloud Run runs linux/amd64", platform);
    return error_next(error, "build it with: pl-build --platform linux/amd64");
}

char *run_image_name(const char *ref) {
    const char *at = strrchr(ref, '@');
    AUTO_FREE char *repository = text_copy_length(ref, at ? (size_t)(at - ref) : strlen(ref));
    const char *slash = strrchr(repository, '/');
    const char *base = slash ? slash + 1 : repository;
    return text_copy_length(base, strcspn(base, ":"));
}
