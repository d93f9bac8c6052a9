/* Artifact Registry v1: the repositories that images are pushed to. */
#ifndef GCP_ARTIFACT_REGISTRY_H
#define GCP_ARTIFACT_REGISTRY_H

#include "gcp/cloud.h"

/* Makes a repository for images in cloud->project and `region` unless it is there. *made: it was made now. Waits for
 * it. ERROR_DATA when there is one of another format. */
int artifact_repository_ensure(struct cloud *cloud, const char *region, const char *repository, bool *made,
                               struct error *error) MUST_CHECK;

#endif
