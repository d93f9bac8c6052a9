/* What a runner prints, read along: its findings, and the last part of all, which tells where it was when it crashed or
 * had to be stopped. */
#ifndef REPORT_OUTPUT_H
#define REPORT_OUTPUT_H

#include "engine/report/findings.h"

enum { OUTPUT_LINE_LIMIT = 16 * 1024, OUTPUT_TAIL_LIMIT = 64 * 1024 };

struct output_reader {
    struct findings findings;
    struct buffer line, tail;
};

/* `search` and `found` (zeroed) outlive the reader. */
void output_reader_open(struct output_reader *reader, const struct place_search *search, enum findings_kind kind,
                        struct junit *found);
void output_reader_release(struct output_reader *reader);

/* As check.output takes it; the context is the reader. */
void output_read(void *context, int stream, const char *data, size_t length);
/* The last line, without its newline. */
void output_end(struct output_reader *reader);

/* Where a runner was that a signal or a time limit ended, as far as its last words tell: Python's "Fatal Python error"
 * with its traceback, pytest's "FILE:LINE: KeyboardInterrupt". */
bool output_last_place(const struct output_reader *reader, struct place *place);

#endif
