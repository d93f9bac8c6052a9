/* The labels that say where an image comes from. */
#ifndef TOOLS_PL_BUILD_LABELS_H
#define TOOLS_PL_BUILD_LABELS_H

#include "common/base/progress.h"
#include "common/json/json.h"

/* Sets org.opencontainers.image.source and .revision from what GitHub Actions or GitLab CI say of the checkout, and
 * .created from SOURCE_DATE_EPOCH; tells which through `progress`. Elsewhere nothing is set: the same source is to give
 * the same image whatever directory, commit or clock it is built with. */
void labels_of_origin(struct json *labels, struct progress *progress);

#endif
