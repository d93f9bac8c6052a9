/* The operands of the tools that deploy to Cloud Run: [NAME] [IMAGE]. */
#ifndef GCP_RUN_OPERANDS_H
#define GCP_RUN_OPERANDS_H

#include "common/command/command.h"
#include "gcp/credentials/options.h"

struct cloud;

/* What a tool deploys, and what its user says of it. */
struct run_operands {
    const struct command_context *context;
    const char *noun;  /* "service" */
    const char *tool;  /* "pl-run-deploy" */
    const char *given; /* --name, or NULL */
    int (*check)(const char *name, struct error *error);
};

/* How many operands come before the first that is an image: that has a slash at least, HOST/REPOSITORY@sha256:…, which
 * no name has. */
size_t run_operands_before_image(const struct command_context *context);
/* --name, or the operand that is no image. NULL when the line names none. Borrowed. */
const char *run_operands_name(const struct run_operands *operands);
/* A name first, then an image, or a name alone: anything else has been mixed up. ERROR_USAGE, ERROR_DATA. */
int run_operands_check(const struct run_operands *operands, bool takes_image, struct error *error) MUST_CHECK;

/* The name, needed, and the session with Google's APIs. NULL and ERROR_USAGE without a name. */
const char *run_operands_open(const struct run_operands *operands, const struct credential_options *credentials,
                              const char *project, const char *region, struct cloud *cloud, struct error *error);

/* command_read_records for images: only those among the operands are records. */
int run_operands_read_images(struct command_context *context, int (*preflight)(void *, struct error *),
                             void *preflight_context, struct record_list *list, struct error *error) MUST_CHECK;

#endif
