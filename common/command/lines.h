/* Private to common/command: untrusted bytes into lines that are safe to show. */
#ifndef COMMAND_LINES_H
#define COMMAND_LINES_H

#include "common/base/buffer.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A secret that this run came to know: shown as *** wherever it appears from now on. Kept until the process ends. */
void lines_hide(const char *secret);

/* One line for a terminal and a log: escape sequences are dropped, secrets hidden, other control characters made '?';
 * for GitHub's runner also no command is left in it. Newlines are kept when asked for. The caller frees. */
char *lines_clean(const char *text, size_t length, bool keep_newlines, bool for_github);

/* The secrets in the texts of an error. */
void lines_clean_error(struct error *error);

/* Cuts a stream into lines at newlines and carriage returns; a longer line than LINE_LIMIT is cut there. */
enum { LINE_LIMIT = 16 * 1024 };

struct line_cutter {
    struct buffer part; /* the beginning of a line whose end has not come */
};

typedef void line_taker(void *context, const char *line, size_t length);
void lines_cut(struct line_cutter *cutter, const char *data, size_t length, line_taker *take, void *context);
/* What is left without a newline. */
void lines_flush(struct line_cutter *cutter, line_taker *take, void *context);

#endif
