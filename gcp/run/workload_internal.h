/* Private to gcp/run: what the files of workload.h share. */
#ifndef GCP_RUN_WORKLOAD_INTERNAL_H
#define GCP_RUN_WORKLOAD_INTERNAL_H

#include "gcp/run/workload.h"

/* ---- workload_mounts.c ---- */

void put_secret_file(struct json *template, struct json *container, const char *path, const char *secret,
                     const char *version);
/* Those that are to go, before others are put. */
void remove_secret_files(struct json *template, struct json *container, const struct run_workload *workload);
void put_databases(struct json *template, struct json *container, const struct run_workload *workload);

#endif
