/* The record of an image that is to be deployed. */
#ifndef GCP_RUN_IMAGE_H
#define GCP_RUN_IMAGE_H

#include "common/record/record.h"

/* By digest, for an architecture that Cloud Run has: known before anything is asked. ERROR_DATA. */
int run_image_check(const struct record *record, struct error *error) MUST_CHECK;
/* The last part of the repository, for a bare reference that has no name. The caller frees. */
char *run_image_name(const char *ref);

#endif
