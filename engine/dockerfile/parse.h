/* The text of a Dockerfile as a list of instructions: continuation lines, comments, parser directives, here-documents,
 * flags, the JSON form. Variables are not replaced here (see expand.h). */
#ifndef DOCKERFILE_PARSE_H
#define DOCKERFILE_PARSE_H

#include "common/base/error.h"
#include "common/base/text.h"

struct heredoc {
    char *name;
    char *content;
    bool expands; /* its name was not quoted */
};

struct instruction {
    unsigned line;          /* where it begins, from 1 */
    char *name;             /* in capitals */
    struct text_list flags; /* "--from=build" … */
    char *rest;             /* what follows name and flags, continuation lines joined */
    bool is_json;           /* rest is a JSON list of texts, taken apart into words */
    struct text_list words;
    struct heredoc *heredocs;
    size_t heredoc_count;
};

struct dockerfile {
    char *path;
    char escape; /* '\\' or '`' */
    struct instruction *instructions;
    size_t count;
};

int dockerfile_parse(const char *path, const char *text, struct dockerfile *file, struct error *error) MUST_CHECK;
void dockerfile_release(struct dockerfile *file);
#define AUTO_DOCKERFILE AUTO(dockerfile_release)

/* ERROR_DATA "PATH:LINE: …". */
int dockerfile_error(const struct dockerfile *file, const struct instruction *instruction, struct error *error,
                     const char *format, ...) PRINTF_LIKE(4, 5);

#endif
