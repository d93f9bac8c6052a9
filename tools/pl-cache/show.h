/* What the files of pl-cache share. */
#ifndef TOOLS_PL_CACHE_SHOW_H
#define TOOLS_PL_CACHE_SHOW_H

#include "engine/engine.h"
#include "tools/pl-cache/command.h"

/* "1.2 MB". The caller frees. */
char *size_text(uint64_t bytes);
/* The same for one entry, which may be small: "3.4 kB". */
char *entry_size_text(uint64_t bytes);
/* "3 days", "now"; "-" of 0. The caller frees. */
char *age_text(int64_t since);
bool wants_json(const struct arguments *arguments);
int print_json(struct command_context *context, const struct json *json, struct error *error) MUST_CHECK;

int list_run(struct command_context *context, struct engine *engine, const struct arguments *arguments,
             struct error *error) MUST_CHECK;
int explain_run(struct command_context *context, struct engine *engine, const struct arguments *arguments,
                struct error *error) MUST_CHECK;

#endif
