/* A tool that waits for a record does not hold the store meanwhile: gc need not wait for a pipe that has not begun. */
#ifndef CHAIN_WAIT_H
#define CHAIN_WAIT_H

#include "common/command/command.h"
#include "common/store/store.h"

/* From now on command_read_records lets the store rest while it waits. The store lives as long as that. */
void chain_rest_while_waiting(struct command_context *context, struct store *store);

#endif
