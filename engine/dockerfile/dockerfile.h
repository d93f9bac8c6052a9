/* Building a Dockerfile with the engine's steps.
 *
 * What is understood: FROM (several, AS, another stage, scratch, --platform), ARG, ENV, WORKDIR, COPY (--from, --chown,
 * --chmod, --link, wildcards, here-documents, .dockerignore), ADD of local files and local tar archives, RUN (shell and
 * exec form, here-documents,
 * --mount=type=cache|secret|bind|tmpfs, --network), USER, LABEL, EXPOSE, ENTRYPOINT, CMD, SHELL, STOPSIGNAL,
 * HEALTHCHECK, VOLUME, MAINTAINER. Anything else is ERROR_DATA naming file, line and word; nothing is skipped.
 *
 * Only the stages that the target needs are built. Format: https://docs.docker.com/reference/dockerfile/ */
#ifndef DOCKERFILE_DOCKERFILE_H
#define DOCKERFILE_DOCKERFILE_H

#include "engine/credential_files.h"
#include "engine/step.h"
#include "engine/tree.h"

struct dockerfile_build {
    const char *context;               /* the directory that COPY sees, absolute */
    const char *file;                  /* the Dockerfile's path; NULL: context/Dockerfile */
    const char *shown;                 /* what it is called in messages; NULL: its path */
    const char *platform;              /* "linux/amd64" */
    const char *target;                /* a stage's name or number; NULL: the last */
    const struct text_list *arguments; /* "NAME=value" of --build-arg */
    const struct step_secret *secrets;
    size_t secret_count;
    char **base;          /* gets the image that the target stage goes back to, the caller frees; or NULL */
    struct tree *scanned; /* gets the context, if an instruction needed it; or NULL */
    struct credential_check *credentials; /* looks into the files of the context before they are taken; NULL: none */
};

int dockerfile_build(struct engine *engine, const struct dockerfile_build *build, struct container *container,
                     struct error *error) MUST_CHECK;

/* The instructions that dockerfile_build would run, one a line "LINE  STAGE  INSTRUCTION …", for --plan. */
int dockerfile_plan(const struct dockerfile_build *build, struct buffer *plan, struct error *error) MUST_CHECK;

#endif
