/* Records: what flows through the pipe. Design section 2.
 *
 * One artifact is one line of JSON, UTF-8, at most RECORD_LIMIT bytes with its newline, written with one write(). The
 * first key is "pl":1. Unknown keys are kept. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "common/base/error.h"
#include "common/json/json.h"

enum { RECORD_LIMIT = 4096, RECORD_MAJOR = 1, RECORD_COUNT_LIMIT = 1000 };

enum record_type {
    RECORD_DIRECTORY = 1 << 0,
    RECORD_FILE = 1 << 1,
    RECORD_CONTAINER = 1 << 2,
    RECORD_IMAGE = 1 << 3,
    RECORD_SERVICE = 1 << 4,
    RECORD_SITE = 1 << 5,
    RECORD_REPORT = 1 << 6,
    RECORD_CREDENTIAL = 1 << 7,
    RECORD_JOB = 1 << 8,
    RECORD_ERROR = 1 << 9,
};

struct record {
    enum record_type type;
    struct json *json; /* the whole object, with "pl" first; owned */
};

struct record_list {
    struct record *items;
    size_t count;
};

/* "container" and so on; never NULL. */
const char *record_type_name(enum record_type type);

/* A new record with type and ref (digest is added when the ref ends in one); set, seq and of are filled when it is
 * written. */
struct record record_new(enum record_type type, const char *ref);
const char *record_ref(const struct record *record);
const char *record_text(const struct record *record, const char *key); /* NULL when absent */
/* Sets the key digest when the ref ends in one and the key is absent. */
void record_add_digest(struct record *record);
void record_release(struct record *record);
void record_list_release(struct record_list *list);
void record_list_add(struct record_list *list, struct record record); /* takes it over */

/* One line (without its newline) into a record. A line that does not begin with '{' is a bare ref, typed by its form.
 * ERROR_DATA: malformed, too long, a higher major (both are named), no type or ref. */
int record_parse(const char *line, size_t length, struct record *record, struct error *error) MUST_CHECK;

/* Reads to end of input and checks completeness and types: `accepted` is a mask of enum record_type.
 * ERROR_NO_INPUT: nothing arrived ("the command before the pipe failed or printed nothing"). ERROR_DATA: fewer than
 * `of`, a wrong type (named, with the tool to put in between). An `error` record fills *error with the upstream's
 * stage, code and message (error->exit_code = its code) and *upstream (may be NULL) with the record to forward. */
int record_read_all(int fd, unsigned accepted, struct record_list *list, struct record *upstream,
                    struct error *error) MUST_CHECK;
/* The same on text that was read before: all that arrived until the end of input. */
int record_read_text(const char *text, size_t length, unsigned accepted, struct record_list *list,
                     struct record *upstream, struct error *error) MUST_CHECK;
/* Operands on the command line, as bare refs or records, checked alike. */
int record_read_operands(char *const *operands, size_t count, unsigned accepted, struct record_list *list,
                         struct error *error) MUST_CHECK;

/* The line that the error record below consists of, with its newline; at most RECORD_LIMIT bytes. The caller frees. */
char *record_error_line(const char *stage, const struct error *failure);
/* Fills set (one random id), seq and of, and writes each record with one write(). A record that is too long is
 * ERROR_INTERNAL. */
int record_write_all(int fd, struct record_list *list, struct error *error) MUST_CHECK;
/* The `error` record of a failing tool; the message is cut so that the line fits. */
int record_write_error(int fd, const char *stage, const struct error *failure) MUST_CHECK;

#endif
