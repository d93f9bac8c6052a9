/* How what a service or a job should become differs from what it is: no network here. */
#ifndef GCP_RUN_PLAN_H
#define GCP_RUN_PLAN_H

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "common/json/json.h"

/* The writable part of a service as it is, without what Google computes. The template's
 * revision name is left out, so that a new one is made. */
struct json *run_service_writable(const struct json *current);
/* The same of a job. */
struct json *run_job_writable(const struct json *current);

/* The container of a template or a revision that takes requests: the one with ports, else the first; NULL when there is
 * none. Borrowed. */
struct json *run_serving_container(const struct json *template);

/* "template,labels": the top-level fields that differ, or that are gone; "" when none does. The caller frees. */
char *run_plan_mask(const struct json *before, const struct json *after);

/* One line for each field that differs, for people:
 *   ~ template.containers[0].image: "a" -> "b"      + … : new value      - … : old value
 * Lists whose elements have a name (env, volumes) are compared by name. Values of env are not shown: they may be
 * secret; it is said that they change. */
void run_plan_difference(const struct json *before, const struct json *after, struct buffer *out);

#endif
