/* What the tools that take a source directory have in common: which directory it is, what the application is called,
 * what the user gives to its steps. */
#ifndef COMMAND_SOURCE_H
#define COMMAND_SOURCE_H

#include "common/base/error.h"
#include "common/base/text.h"

#include <stdint.h>

/* The absolute path of the directory; NULL with ERROR_DATA. The caller frees. */
char *source_directory(const char *given, struct error *error) MUST_CHECK;

/* What an application may be called: up to 49 lower-case letters, digits and dashes, beginning with a letter. `given`
 * is checked (ERROR_USAGE); NULL: made from the directory's name. The caller frees. */
char *source_name(const char *given, const char *directory, struct error *error) MUST_CHECK;

/* ERROR_USAGE unless each is NAME=VALUE; `option` is named. */
int source_check_pairs(const struct text_list *pairs, const char *option, struct error *error) MUST_CHECK;

/* SOURCE_DATE_EPOCH, or 0. */
int source_epoch(int64_t *epoch, struct error *error) MUST_CHECK;

enum { SOURCE_SECRET_LIMIT = 64 };

/* --secret ID=SOURCE, where SOURCE is as command_secret_content takes it. */
struct source_secrets {
    struct source_secret {
        char *id, *value;
        size_t length; /* of the value, which may hold anything */
    } items[SOURCE_SECRET_LIMIT];
    size_t count;
};
int source_read_secrets(const struct text_list *given, struct source_secrets *secrets, struct error *error) MUST_CHECK;
/* Wipes them. */
void source_secrets_release(struct source_secrets *secrets);

#endif
