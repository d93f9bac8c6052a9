/* Service Usage v1: which of Google's APIs a project has switched on. */
#ifndef GCP_SERVICE_USAGE_H
#define GCP_SERVICE_USAGE_H

#include "gcp/cloud.h"

enum { SERVICE_USAGE_MOST = 20 };

/* Those of `services` ("run.googleapis.com", at most SERVICE_USAGE_MOST) that are off in cloud->project, appended to
 * `off`. */
int service_usage_find_off(struct cloud *cloud, const struct text_list *services, struct text_list *off,
                           struct error *error) MUST_CHECK;
/* Switches them on, waits for that, and tells each through cloud->progress. */
int service_usage_enable(struct cloud *cloud, const struct text_list *services, struct error *error) MUST_CHECK;

#endif
