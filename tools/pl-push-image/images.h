/* --list and --clean of pl-push-image. */
#ifndef TOOLS_PL_PUSH_IMAGE_IMAGES_H
#define TOOLS_PL_PUSH_IMAGE_IMAGES_H

#include "tools/pl-push-image/command.h"

bool images_wanted(const struct arguments *arguments);
int images_run(struct command_context *context, const struct arguments *arguments, struct error *error) MUST_CHECK;

#endif
