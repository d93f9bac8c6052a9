/* What runs: the spec of a Knative object with its containers and volumes, and the annotations that are about them,
 * beside the template of v2 (a RevisionTemplate, or a TaskTemplate).
 *
 * v1                                        v2
 * spec.containers, spec.volumes             containers, volumes
 * spec.serviceAccountName, timeoutSeconds   serviceAccount, timeout
 * spec.containerConcurrency                 maxInstanceRequestConcurrency
 * spec.maxRetries                           maxRetries
 * spec.nodeSelector                         nodeSelector.accelerator
 * annotations of `annotations.c`            scaling, vpcAccess, executionEnvironment, …
 * cloudsql-instances                        a volume and a mount at /cloudsql
 * secrets (aliases)                         the full name of a secret where it is used
 * cpu-throttling, startup-cpu-boost         resources.cpuIdle, resources.startupCpuBoost of every container
 * container-dependencies, base-images       dependsOn, baseImageUri of containers */
#ifndef LOCAL_KNATIVE_POD_H
#define LOCAL_KNATIVE_POD_H

#include "local/knative/metadata.h"

/* `metadata` and `spec` have been normalised (schema.h). `where` is the place of the spec in errors:
 * "spec.template.spec". Labels and annotations go to `labelled`, as in metadata_to_run. */
int pod_to_run(const struct annotation_kind *kind, const struct json *metadata, const struct json *spec,
               const char *where, struct json *template, struct json *labelled, struct error *error) MUST_CHECK;
void pod_to_knative(const struct annotation_kind *kind, const struct json *template, const struct json *labelled,
                    struct json *metadata, struct json *spec);

/* ---- container.c ---- */

/* `aliases`: the annotation run.googleapis.com/secrets, or NULL. */
struct json *container_to_run(const struct json *container, const char *aliases);
struct json *container_to_knative(const struct json *container, struct json *aliases);

/* ---- volume.c ---- */

/* ERROR_DATA when it is of no kind that Cloud Run has; `where` is its place. */
struct json *volume_to_run(const struct json *volume, const char *aliases, const char *where, struct error *error);
struct json *volume_to_knative(const struct json *volume, struct json *aliases);

/* ---- secret.c ---- */

/* "projects/P/secrets/S" for an alias, else the name itself. The caller frees. */
char *secret_of_alias(const char *aliases, const char *name);
/* The name by which v1 calls a secret: its alias when it lies elsewhere. `aliases` gets "ALIAS": "projects/…". */
char *alias_of_secret(const char *secret, struct json *aliases);
/* "ALIAS:projects/…,…" The caller frees; NULL when there are none. */
char *aliases_text(const struct json *aliases);

#endif
