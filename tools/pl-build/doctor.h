/* pl-build --doctor. */
#ifndef TOOLS_PL_BUILD_DOCTOR_H
#define TOOLS_PL_BUILD_DOCTOR_H

#include "common/command/command.h"

int doctor(struct command_context *context, struct error *error);

#endif
