/* Where in the source something is, as test runners, compilers and linters print it:
 *   tests/test_a.py:12: AssertionError         pytest, mypy, flake8, ruff
 *   File "/app/tests/test_a.py", line 12       a traceback of Python
 *   at Object.<anonymous> (/app/a.test.js:5:1) JavaScript
 *   src/a.ts(3,5): error TS2322                tsc
 * Only files of the source are places: what stands in a library or is no file at all is passed over. */
#ifndef REPORT_PLACE_H
#define REPORT_PLACE_H

#include "engine/tree.h"

struct place {
    char *file; /* relative to the source; the caller frees */
    unsigned line;
};

enum place_order {
    PLACE_LAST,  /* the innermost frame comes last: Python */
    PLACE_FIRST, /* it comes first: JavaScript */
};

struct place_search {
    const struct tree *source;
    const char *root;   /* where the source is in the container: "/app" */
    const char *folder; /* where in the source the tool is run, whose paths are relative to that: "apps/web"; or NULL */
    enum place_order order;
};

/* A path as it is printed ("/app/a.py", "./a.py", "file:///app/a.js") to that of a file in the source, or NULL. The
 * caller frees. */
char *place_file(const struct place_search *search, const char *path);

/* The place in a text; one in the file `preferred` (may be NULL) goes before all others. */
bool place_find(const struct place_search *search, const char *preferred, const char *text, struct place *place);

#endif
