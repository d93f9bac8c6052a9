/* Quantities as Kubernetes writes them, which Cloud Run took over:
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
#ifndef POLICY_QUANTITY_H
#define POLICY_QUANTITY_H

#include "common/json/json.h"

/* 2, 0.5, "2", "0.5", "500m", "512Mi", "1G": false when it is none, or negative. */
bool quantity_of(const struct json *value, double *number);
bool quantity_parse(const char *text, double *number);

#endif
