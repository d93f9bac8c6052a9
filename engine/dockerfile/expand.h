/* Variables of a Dockerfile: what ARG and ENV set, and their replacement in the words of an instruction. */
#ifndef DOCKERFILE_EXPAND_H
#define DOCKERFILE_EXPAND_H

#include "common/base/error.h"
#include "common/base/text.h"

/* "NAME=value" pairs; a later one replaces an earlier. */
void variables_set(struct text_list *variables, const char *name, const char *value);
/* Borrowed, or NULL. */
const char *variables_get(const struct text_list *variables, const char *name);

/* Replaces $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:+word}, ${NAME+word}, ${NAME:?word}; `environment` is
 * asked before `arguments`. The escape character takes the next one as it is. With remove_quotes, quotes are taken away
 * and nothing is replaced inside single ones. NULL with ERROR_DATA when it is malformed. The caller frees. */
char *variables_expand(const char *text, char escape, bool remove_quotes, const struct text_list *environment,
                       const struct text_list *arguments, struct error *error);

/* Splits "a b "c d"" at white space outside of quotes; the words keep their quotes. */
void words_split(struct text_list *words, const char *text, char escape);

#endif
