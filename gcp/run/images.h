/* Which images Cloud Run runs. */
#ifndef GCP_RUN_IMAGES_H
#define GCP_RUN_IMAGES_H

#include "gcp/cloud.h"

/* The references of every container of the project, in all regions, that may run: of services, of their revisions with
 * traffic or a tag, of jobs. Appended to `references`. */
int run_images_in_use(struct cloud *cloud, struct text_list *references, struct error *error) MUST_CHECK;

#endif
