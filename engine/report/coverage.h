/* How much of the code was covered, as two tools write it down:
 *   coverage.xml            Cobertura's form, of coverage.py: <coverage line-rate="0.83" …>
 *   coverage-summary.json   Istanbul's, of vitest and jest: {"total": {"lines": {"pct": 83.33}}} */
#ifndef REPORT_COVERAGE_H
#define REPORT_COVERAGE_H

/* In percent, with two decimals; -1 when the file does not say it. `name` decides about the form. */
double coverage_read(int fd, const char *name);

#endif
