/* The containers beside the one that requests come to, and the volumes of them all: tables of options, and what they
 * mean in a template of the API. What is not named stays as it is. No network here. */
#ifndef GCP_RUN_CONTAINERS_H
#define GCP_RUN_CONTAINERS_H

#include "gcp/run/workload.h"

/* Of services and jobs. */
struct run_volumes {
    struct text_list added;  /* "NAME=KIND[:…]" */
    struct text_list mounts; /* "NAME=/path", in the serving container, or that of a job */
    struct text_list removed;
};

extern const struct option run_volume_rows[];
#define RUN_VOLUME_OPTIONS(member)                                                                                     \
    { .title = "Volumes", .options = run_volume_rows, INTO(member) }

/* ERROR_USAGE. */
int run_volumes_check(const struct run_volumes *volumes, struct error *error) MUST_CHECK;
void run_volumes_apply(const struct run_volumes *volumes, struct json *template, struct json *container);

/* Of services. */
struct run_containers {
    struct run_volumes volumes;
    /* "NAME=IMAGE" or "NAME:OPTION=VALUE", where OPTION is one of those that containers_read.c lists */
    struct text_list sidecars;
    struct text_list removed_sidecars;
    struct text_list dependencies; /* names of sidecars that the serving container waits for */
};

extern const struct option run_container_rows[];
#define RUN_CONTAINER_OPTIONS(member)                                                                                  \
    RUN_VOLUME_OPTIONS(member.volumes), {                                                                              \
        .title = "Sidecars", .options = run_container_rows, INTO(member)                                               \
    }

/* ERROR_USAGE. */
int run_containers_check(const struct run_containers *containers, struct error *error) MUST_CHECK;
/* After the serving container has what the other settings say of it. Where there are several containers, it gets a name
 * and a port when it has none. */
void run_containers_apply(const struct run_containers *containers, struct json *template, struct json *serving);

/* ---- private ---- */

/* What the options say of one sidecar. */
struct run_sidecar {
    char *name;
    const char *image, *startup_probe, *liveness_probe; /* borrowed */
    struct run_workload workload;
    struct text_list dependencies, mounts;
};
/* All that `containers` says of the one that its setting `index` names. ERROR_USAGE. */
int run_sidecar_read(const struct run_containers *containers, size_t index, struct run_sidecar *sidecar,
                     struct error *error) MUST_CHECK;
void run_sidecar_release(struct run_sidecar *sidecar);
#define AUTO_SIDECAR AUTO(run_sidecar_release)
/* A Volume, from its "NAME=KIND[:…]". NULL and ERROR_USAGE. */
struct json *run_volume_parse(const char *text, struct error *error);
/* "NAME=/path"; the caller frees both. ERROR_USAGE. */
int run_mount_parse(const char *text, char **name, char **path, struct error *error) MUST_CHECK;

#endif
