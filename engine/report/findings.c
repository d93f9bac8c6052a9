#include "engine/report/findings.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { PATH_LIMIT = 1024, LINE_NUMBER_LIMIT = 10000000 };

static void replace(char **text, const char *by) {
    free(*text);
    *text = text_copy(by);
}

/* `name` and the place's file are taken over. */
static void add(struct findings *findings, char *name, const char *message, struct place place) {
    struct junit *found = findings->found;
    bool is_error = findings->kind == FINDINGS_RUNNER;
    found->tests++;
    found->failed += !is_error;
    found->errors += is_error;
    found->bad++;
    if (found->failure_count == JUNIT_FAILURES_KEPT) {
        free(name);
        free(place.file);
        return;
    }
    found->failures = memory_resize(found->failures, found->failure_count + 1, sizeof(*found->failures));
    found->failures[found->failure_count++] =
        (struct junit_failure){.name = name,
                               .message = text_copy_length(message, strnlen(message, JUNIT_MESSAGE_LIMIT)),
                               .place = place,
                               .is_error = is_error};
}

static void add_at(struct findings *findings, const char *file, unsigned line, const char *message) {
    add(findings, text_format("%s:%u", file, line), message, (struct place){text_copy(file), line});
}

/* ---- "FILE:12:5: message" ---- */

/* The message after "FILE:12", "FILE:12:5" or "FILE(12,5)". */
static const char *message_after(const char *text) {
    text += strspn(text, "0123456789,:");
    text += *text == ')';
    return text + strspn(text, ": -\t");
}

/* A place at the begin of a line; the caller frees its file. Returns what follows, or NULL. */
static const char *read_place(const struct findings *findings, const char *line, struct place *place) {
    const char *begin = line + strspn(line, " \t");
    for (const char *at = strpbrk(begin, ":("); at && at - begin < PATH_LIMIT; at = strpbrk(at + 1, ":(")) {
        uint64_t number;
        AUTO_FREE char *path = text_copy_length(begin, (size_t)(at - begin));
        AUTO_FREE char *file = isdigit((unsigned char)at[1]) ? place_file(findings->search, path) : NULL;
        AUTO_FREE char *digits = text_copy_length(at + 1, strspn(at + 1, "0123456789"));
        if (!file || !text_to_u64(digits, LINE_NUMBER_LIMIT, &number) || number == 0)
            continue;
        *place = (struct place){take_pointer(&file), (unsigned)number};
        return message_after(at + 1);
    }
    return NULL;
}

/* Notes and warnings come with findings and are none. */
static bool is_harmless(const char *message) {
    static const char *const words[] = {"note:", "warning", "info", "information"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (text_starts_with(message, words[i]))
            return true;
    return *message == '\0';
}

static bool read_single(struct findings *findings, const char *line) {
    struct place place = {0};
    const char *message = read_place(findings, line, &place);
    if (message && !is_harmless(message))
        add_at(findings, place.file, place.line, message);
    free(place.file);
    return message != NULL;
}

/* ---- tools that need more than a line ---- */

/* eslint */
static void read_grouped(struct findings *findings, const char *line) {
    const char *at = line + strspn(line, " \t");
    size_t digits = strspn(at, "0123456789");
    AUTO_FREE char *file = at == line ? place_file(findings->search, line) : NULL;
    if (file)
        replace(&findings->file, file);
    if (file || !findings->file || at == line || digits == 0 || digits > 7 || at[digits] != ':')
        return;
    const char *message = message_after(at);
    if (!text_starts_with(message, "error"))
        return;
    message += strlen("error");
    add_at(findings, findings->file, (unsigned)strtoul(at, NULL, 10), message + strspn(message, " "));
}

/* pip-audit: a header, a line of dashes, then rows to an empty line. */
static void read_table(struct findings *findings, const char *line) {
    size_t name = strcspn(line, " "), version = name + strspn(line + name, " ");
    const char *id = line + version + strcspn(line + version, " ");
    if (text_starts_with(line, "Name "))
        findings->table = strstr(line, " Skip Reason") ? FINDINGS_NOT_AUDITED
                          : strstr(line, " Version ")  ? FINDINGS_VULNERABLE
                                                       : FINDINGS_NO_TABLE;
    else if (name == 0 || version == name)
        findings->table = FINDINGS_NO_TABLE;
    else if (findings->table == FINDINGS_NOT_AUDITED && *line != '-')
        findings->found->tests++, findings->found->skipped++;
    else if (findings->table == FINDINGS_VULNERABLE && *line != '-')
        add(findings, text_format("%.*s %.*s", (int)name, line, (int)(id - line - (ptrdiff_t)version), line + version),
            id + strspn(id, " "), (struct place){0});
}

/* npm audit */
static void read_advisory(struct findings *findings, const char *line) {
    if (text_starts_with(line, "Severity: ") && !text_is_empty(findings->previous))
        add(findings, text_copy(findings->previous), line, (struct place){0});
    replace(&findings->previous, line);
}

static void read_tool(struct findings *findings, const char *line) {
    if (read_single(findings, line))
        return;
    read_grouped(findings, line);
    read_table(findings, line);
    read_advisory(findings, line);
}

/* ---- runners ---- */

static void forget(struct findings *findings) {
    free(findings->message);
    free(findings->place.file);
    findings->message = NULL;
    findings->place = (struct place){0};
    findings->is_unhandled = false;
}

/* What was collected of an unhandled error. */
static void end_unhandled(struct findings *findings) {
    if (findings->is_unhandled && findings->message) {
        add(findings, text_copy("(outside of the tests)"), findings->message, findings->place);
        findings->place = (struct place){0};
    }
    if (findings->is_unhandled)
        forget(findings);
}

static void read_unhandled(struct findings *findings, const char *line) {
    if (!findings->message && *line)
        replace(&findings->message, line);
    else if (!findings->place.file && strstr(line, "❯"))
        (void)place_find(findings->search, NULL, line, &findings->place);
}

/* The place of a message comes after it, or before. */
static void read_placed(struct findings *findings, const char *line) {
    struct place place = {0};
    const char *error = strstr(line, "[ERROR] "), *rest = read_place(findings, line, &place);
    if (error) {
        replace(&findings->message, error + strlen("[ERROR] "));
    } else if (rest && !*rest && findings->message) {
        add_at(findings, place.file, place.line, findings->message);
        forget(findings);
    } else if (rest && text_starts_with(rest, "in ")) {
        free(findings->place.file);
        findings->place = place;
        return;
    } else if (text_starts_with(line, "E   ") && findings->place.file) {
        add_at(findings, findings->place.file, findings->place.line, line + 1 + strspn(line + 1, " "));
        forget(findings);
    }
    free(place.file);
}

static void read_runner(struct findings *findings, const char *line) {
    bool begins =
        text_starts_with(line, "⎯") && (strstr(line, " Unhandled Error ") || strstr(line, " Unhandled Rejection "));
    if (begins || (findings->is_unhandled && text_starts_with(line, "⎯")))
        end_unhandled(findings);
    if (begins) {
        forget(findings);
        findings->is_unhandled = true;
    } else if (findings->is_unhandled) {
        read_unhandled(findings, line);
    } else {
        read_placed(findings, line);
    }
}

/* ---- karma ---- */

static uint64_t number_at(const char *text) {
    uint64_t number = 0;
    AUTO_FREE char *digits = text_copy_length(text, strspn(text, "0123456789"));
    return text_to_u64(digits, UINT32_MAX, &number) ? number : 0;
}

/* "…: Executed 5 of 6 (2 FAILED) (skipped 1) (0.1 secs / 0.09 secs)": the last one counts. */
static bool read_progress(struct findings *findings, const char *line) {
    static const char executed[] = ": Executed ", skipped[] = "(skipped ", failed[] = " FAILED)";
    const char *at = strstr(line, executed);
    if (!at)
        return false;
    at += strlen(executed);
    findings->karma.executed = number_at(at);
    findings->karma.failed = findings->karma.skipped = 0;
    findings->karma.is_lost = strstr(at, " DISCONNECTED") || strstr(at, " ERROR");
    for (at = strchr(at, '('); at; at = strchr(at + 1, '(')) {
        if (text_starts_with(at, skipped))
            findings->karma.skipped = number_at(at + strlen(skipped));
        else if (text_starts_with(at + 1 + strspn(at + 1, "0123456789"), failed))
            findings->karma.failed = number_at(at + 1);
    }
    return true;
}

static void end_failure(struct findings *findings) {
    if (findings->karma.name) {
        add(findings, findings->karma.name, findings->message ? findings->message : "", findings->place);
        findings->place = (struct place){0};
    }
    findings->karma.name = NULL;
    forget(findings);
}

static void read_karma(struct findings *findings, const char *line) {
    static const char failed[] = " FAILED";
    const char *text = line + strspn(line, " \t"), *name = strstr(line, ") ");
    if (text != line && findings->karma.name) {
        if (!findings->message)
            replace(&findings->message, text);
        else if (!findings->place.file)
            (void)place_find(findings->search, NULL, line, &findings->place);
        return;
    }
    end_failure(findings);
    if (!read_progress(findings, line) && name && text_ends_with(name, failed) && strlen(name) > strlen(failed) + 2)
        findings->karma.name = text_copy_length(name + 2, strlen(name) - 2 - strlen(failed));
}

static void end_karma(struct findings *findings) {
    struct junit *found = findings->found;
    uint64_t executed = findings->karma.executed, failed = findings->karma.failed;
    end_failure(findings);
    if (findings->karma.is_lost || failed > executed)
        executed = failed = findings->karma.skipped = 0;
    found->tests = executed + findings->karma.skipped;
    found->passed = executed - failed;
    found->failed = found->bad = failed;
    found->skipped = findings->karma.skipped;
}

/* ---- */

void findings_read_line(struct findings *findings, const char *line) {
    static void (*const readers[])(struct findings *, const char *) = {
        [FINDINGS_TOOL] = read_tool, [FINDINGS_RUNNER] = read_runner, [FINDINGS_KARMA] = read_karma};
    readers[findings->kind](findings, line);
}

void findings_end(struct findings *findings) {
    if (findings->kind == FINDINGS_KARMA)
        end_karma(findings);
    else
        end_unhandled(findings);
}

void findings_release(struct findings *findings) {
    forget(findings);
    free(findings->karma.name);
    findings->karma.name = NULL;
    free(findings->file);
    free(findings->previous);
    findings->file = findings->previous = NULL;
}
