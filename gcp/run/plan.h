/* What a service should become, and how that differs from what it is: no network here. */
#ifndef GCP_RUN_PLAN_H
#define GCP_RUN_PLAN_H

#include "common/base/text.h"
#include "common/json/json.h"

#include <stdint.h>

/* What the user asked for; what is NULL, -1 or empty stays as it is (for a new service: as Google decides). */
struct run_settings {
    const char *image; /* HOST/REPO@sha256:… */
    int64_t port;
    const char *cpu; /* "1", "0.5", "500m" */
    int64_t memory;  /* bytes */
    int64_t min_instances, max_instances;
    int64_t concurrency;
    int64_t timeout; /* seconds */
    const char *service_account;
    struct text_list environment; /* "NAME=value"; everything after the first '=' is the value; borrowed */
    struct text_list labels;      /* "key=value"; borrowed */
};

/* Checks what can be checked without a server: names, ranges of numbers. ERROR_USAGE. */
int run_settings_check(const struct run_settings *settings, struct error *error) MUST_CHECK;

/* The writable part of the service with the settings put in; `current` is NULL for a new one. All that the settings do
 * not name is kept, also what pl does not know. The template's revision name is left out, so that a new one is made. */
struct json *run_service_plan(const struct json *current, const struct run_settings *settings);

/* The writable part of a service as it is, in the same form. */
struct json *run_service_writable(const struct json *current);

/* "template,labels": the top-level fields that differ; "" when none does. The caller frees. */
char *run_plan_mask(const struct json *before, const struct json *after);

/* One line for each field that differs, for people:
 *   ~ template.containers[0].image: "a" -> "b"      + … : new value      - … : old value
 * Lists whose elements have a name (env, volumes) are compared by name. Values of env are not shown: they may be
 * secret; it is said that they change. */
void run_plan_difference(const struct json *before, const struct json *after, struct buffer *out);

#endif
