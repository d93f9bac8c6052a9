/* Findings: what linters, type checkers and audits print a line each, and what a test runner prints when something went
 * wrong outside of the tests. There is no standard; the forms are told apart line by line.
 *
 * FINDINGS_TOOL
 *   src/a.py:1:8: F401 `os` imported but unused           ruff, flake8, mypy, pyright, tsc, biome
 *   src/a.ts(3,5): error TS2322: …                        tsc
 *   /app/src/a.js, then "  7:10  error  … no-unused-vars" eslint
 *   Name Version ID Fix Versions, then rows               pip-audit ("Name Skip Reason": what was not audited)
 *   lodash  <=4.17.20, then "Severity: high"              npm audit
 * FINDINGS_RUNNER
 *   ✘ [ERROR] TS2307: …, then "    src/a.ts:1:24:"        esbuild, ng
 *   conftest.py:1: in <module>, then "E   …"              pytest, when it cannot begin
 *   ⎯⎯ Unhandled Error ⎯⎯, then the error and where       vitest
 * FINDINGS_KARMA: the tests themselves, which karma only prints
 *   BROWSER (OS) app fails FAILED, then "\tExpected …"    a test that failed, and where
 *   BROWSER (OS): Executed 5 of 6 (2 FAILED) (skipped 1)  how many so far
 */
#ifndef REPORT_FINDINGS_H
#define REPORT_FINDINGS_H

#include "engine/report/junit.h"

enum findings_kind { FINDINGS_TOOL, FINDINGS_RUNNER, FINDINGS_KARMA };

struct findings {
    enum findings_kind kind;
    const struct place_search *search;
    struct junit *found; /* gets a failure for each, `skipped` for what was not audited; of karma all counts at the end,
                            and no tests when the browser was lost */
    char *file;          /* whose findings follow */
    char *previous;      /* the line before */
    char *message;       /* whose place follows, or an error whose end has not come */
    struct place place;  /* whose message follows, or the error's */
    enum { FINDINGS_NO_TABLE, FINDINGS_VULNERABLE, FINDINGS_NOT_AUDITED } table; /* whose rows follow */
    bool is_unhandled; /* the message is that of an unhandled error; still empty: it is the next line */
    struct {
        uint64_t executed, failed, skipped;
        bool is_lost; /* the browser is gone */
        char *name;   /* the test whose messages follow */
    } karma;
};

/* Zeroed but for the first three. */
void findings_read_line(struct findings *findings, const char *line);
/* The end of the output. */
void findings_end(struct findings *findings);
void findings_release(struct findings *findings);

#endif
