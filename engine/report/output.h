/* What a runner prints, read along: the findings of linters, type checkers and audits, a line each, and the last part
 * of all, which tells where a runner was that crashed or had to be stopped. */
#ifndef REPORT_OUTPUT_H
#define REPORT_OUTPUT_H

#include "engine/report/junit.h"

enum { OUTPUT_LINE_LIMIT = 16 * 1024, OUTPUT_TAIL_LIMIT = 64 * 1024 };

struct output_reader {
    const struct place_search *search;
    struct junit
        *findings; /* gets a failure for each, `skipped` for what was not audited; NULL: they are not looked for */
    struct buffer line, tail;
    char *previous; /* the line before */
    char *file;     /* the file whose findings follow, in the form that names it on a line of its own */
    enum { OUTPUT_NO_TABLE, OUTPUT_VULNERABLE, OUTPUT_NOT_AUDITED } table; /* of pip-audit, whose rows follow */
};

/* `search` and `findings` (zeroed) outlive the reader. */
void output_reader_open(struct output_reader *reader, const struct place_search *search, struct junit *findings);
void output_reader_release(struct output_reader *reader);

/* As check.output takes it; the context is the reader. */
void output_read(void *context, int stream, const char *data, size_t length);
/* The last line, without its newline. */
void output_end(struct output_reader *reader);

/* Where a runner was that a signal or a time limit ended, as far as its last words tell: Python's "Fatal Python error"
 * with its traceback, pytest's "FILE:LINE: KeyboardInterrupt". */
bool output_last_place(const struct output_reader *reader, struct place *place);

#endif
