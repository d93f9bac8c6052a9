#include "engine/report/junit.h"

#include "common/base/text.h"
#include "common/xml/xml.h"

#include <math.h>
#include <string.h>

enum { TEXT_LIMIT = 64 * 1024, NAME_LIMIT = 1000, BLOCK = 64 * 1024 };

enum outcome { PASSED, SKIPPED, FAILED, ERROR };

struct reading {
    const struct place_search *search;
    struct junit *junit;
    unsigned depth, suites, in_case, in_failure; /* in_*: the depth of that element, 0: not in one */
    double seconds, root_seconds;                /* of the outermost suites, and what the document says of all */
    char *name, *class, *file, *previous;        /* of the current case; the name of the one before, if that failed */
    unsigned line;
    enum outcome outcome;
    struct buffer message, text;
};

static double read_seconds(const char *const *attributes) {
    const char *text = xml_attribute(attributes, "time");
    double seconds = text ? strtod(text, NULL) : 0;
    return isfinite(seconds) && seconds > 0 && seconds < 1e9 ? seconds : 0;
}

static char *copy_attribute(const char *const *attributes, const char *name) {
    const char *value = xml_attribute(attributes, name);
    value = value ? value + strspn(value, " ") : NULL;
    return text_is_empty(value) ? NULL : text_copy_length(value, strnlen(value, NAME_LIMIT));
}

/* ---- names ---- */

/* "tests.test_a.TestB" of tests/test_a.py to "tests/test_a.py::TestB", which pytest takes on its command line. */
static char *python_name(const struct reading *reading) {
    AUTO_FREE char *module = text_copy_length(reading->file, strlen(reading->file) - strlen(".py"));
    for (char *at = module; *at; at++)
        if (*at == '/')
            *at = '.';
    size_t length = strlen(module);
    const char *class = reading->class;
    if (!class) /* a module that could not be imported has its own name */
        return text_copy(text_equal(reading->name, module) ? reading->file : reading->name);
    struct buffer name = BUFFER(4 * NAME_LIMIT);
    buffer_append_text(&name, reading->file);
    if (strncmp(class, module, length) == 0 && class[length] == '.') {
        buffer_append_text(&name, "::");
        for (const char *at = class + length + 1; *at; at++)
            buffer_append_text(&name, *at == '.' ? "::" : (char[]){*at, '\0'});
    }
    buffer_append_format(&name, "::%s", reading->name);
    return buffer_take(&name);
}

static char *case_name(const struct reading *reading) {
    const char *class = reading->class, *name = reading->name ? reading->name : "?";
    if (reading->name && reading->file && text_ends_with(reading->file, ".py"))
        return python_name(reading);
    /* "test" is what node's runner says of every test. */
    if (!class || text_equal(class, "test") || text_starts_with(name, class))
        return text_copy(name);
    return text_format("%s › %s", class, name);
}

/* ---- one case ---- */

static void begin_case(struct reading *reading, const char *const *attributes) {
    reading->in_case = reading->depth;
    reading->name = copy_attribute(attributes, "name");
    reading->class = copy_attribute(attributes, "classname");
    reading->outcome = PASSED;
    uint64_t line = 0;
    AUTO_FREE char *path = copy_attribute(attributes, "file");
    reading->file = path ? place_file(reading->search, path) : NULL;
    /* vitest names the file there; node's runner calls a file that could not be run to its end like a test. */
    if (!reading->file && reading->class)
        reading->file = place_file(reading->search, reading->class);
    if (!reading->file && reading->name)
        reading->file = place_file(reading->search, reading->name);
    const char *text = xml_attribute(attributes, "line");
    if (text && text_to_u64(text, 10000000, &line))
        reading->line = (unsigned)line + 1;
    if (reading->suites == 0)
        reading->seconds += read_seconds(attributes);
}

/* pytest says of a module that cannot be imported only that; why is in the lines that begin with E. */
static void explain_collection(struct reading *reading) {
    const char *found = NULL;
    for (const char *at = strstr(buffer_text(&reading->text), "\nE   "); at; at = strstr(at + 1, "\nE   "))
        found = at + 5;
    if (!text_equal(buffer_text(&reading->message), "collection failure") || !found)
        return;
    found += strspn(found, " ");
    buffer_clear(&reading->message);
    buffer_append(&reading->message, found, strcspn(found, "\n"));
}

static char *take_message(struct reading *reading) {
    explain_collection(reading);
    struct buffer *from = reading->message.length ? &reading->message : &reading->text;
    const char *text = buffer_text(from) + strspn(buffer_text(from), " \n\t");
    /* jest's title of a failure; what follows says more */
    if (text_starts_with(text, "●") && text[strcspn(text, "\n")])
        text += strcspn(text, "\n"), text += strspn(text, " \n\t");
    size_t length = reading->message.length ? strlen(text) : strcspn(text, "\n");
    return text_copy_length(text, length < JUNIT_MESSAGE_LIMIT ? length : JUNIT_MESSAGE_LIMIT);
}

static void keep_failure(struct reading *reading, const char *name, struct place *place) {
    struct junit *junit = reading->junit;
    if (junit->failure_count == JUNIT_FAILURES_KEPT)
        return;
    junit->failures = memory_resize(junit->failures, junit->failure_count + 1, sizeof(*junit->failures));
    struct junit_failure *failure = &junit->failures[junit->failure_count++];
    *failure = (struct junit_failure){.name = text_copy(name), .is_error = reading->outcome == ERROR, .place = *place};
    *place = (struct place){0};
    if (!failure->place.file && reading->file)
        failure->place = (struct place){text_copy(reading->file), reading->line ? reading->line : 1};
    failure->message = take_message(reading);
}

static void reset_case(struct reading *reading) {
    free(reading->name);
    free(reading->class);
    free(reading->file);
    reading->name = reading->class = reading->file = NULL;
    reading->line = 0;
    reading->in_case = 0;
    buffer_clear(&reading->message);
    buffer_clear(&reading->text);
}

static void end_case(struct reading *reading) {
    struct junit *junit = reading->junit;
    bool is_bad = reading->outcome == FAILED || reading->outcome == ERROR;
    /* pytest writes one without a name for the test that it was interrupted in. */
    if (!reading->name && !is_bad) {
        reset_case(reading);
        return;
    }
    struct place place = {0};
    AUTO_FREE char *name = is_bad ? case_name(reading) : NULL;
    bool has_place = is_bad && place_find(reading->search, reading->file, buffer_text(&reading->text), &place);
    /* pytest writes a test that fails and whose fixture then fails too as two cases; jest-junit a file that cannot be
     * loaded, the second without anything new. */
    bool is_repeated = is_bad && text_equal(name, reading->previous);
    if (is_repeated && !has_place) {
        reset_case(reading);
        return;
    }
    junit->tests += !is_repeated;
    junit->bad += is_bad && !is_repeated;
    junit->passed += reading->outcome == PASSED;
    junit->skipped += reading->outcome == SKIPPED;
    junit->failed += reading->outcome == FAILED;
    junit->errors += reading->outcome == ERROR;
    if (is_bad)
        keep_failure(reading, name, &place);
    free(place.file);
    free(reading->previous);
    reading->previous = take_pointer(&name);
    reset_case(reading);
}

/* ---- elements ---- */

/* Of several in one case the worst decides; the first one's text is kept. */
static void begin_outcome(struct reading *reading, enum outcome outcome, const char *const *attributes) {
    const char *message = xml_attribute(attributes, "message");
    if (reading->outcome < FAILED && outcome >= FAILED) {
        reading->in_failure = reading->depth;
        if (message)
            buffer_append(&reading->message, message, strnlen(message, JUNIT_MESSAGE_LIMIT));
    }
    if (outcome > reading->outcome)
        reading->outcome = outcome;
}

/* An error of a whole suite counts as a case of its own. */
static void begin_suite_error(struct reading *reading, const char *name, const char *const *attributes) {
    static const char *const no_attributes[] = {NULL};
    begin_case(reading, no_attributes);
    reading->name = text_copy("(outside of the tests)");
    begin_outcome(reading, text_equal(name, "failure") ? FAILED : ERROR, attributes);
}

static int on_open(void *context, const char *name, const char *const *attributes, struct error *error) {
    struct reading *reading = context;
    reading->depth++;
    bool is_suite = text_equal(name, "testsuite");
    bool is_bad = text_equal(name, "failure") || text_equal(name, "error");
    if (reading->depth == 1 && !is_suite && !text_equal(name, "testsuites"))
        return error_set(error, ERROR_DATA, "it is no JUnit document: it begins with <%.100s>", name);
    if (reading->depth == 1 && !is_suite)
        reading->root_seconds = read_seconds(attributes);
    if (is_suite && reading->suites++ == 0)
        reading->seconds += read_seconds(attributes);
    if (text_equal(name, "testcase") && !reading->in_case)
        begin_case(reading, attributes);
    else if (is_bad && !reading->in_case && reading->suites > 0)
        begin_suite_error(reading, name, attributes);
    else if (is_bad && reading->depth == reading->in_case + 1)
        begin_outcome(reading, text_equal(name, "failure") ? FAILED : ERROR, attributes);
    else if (text_equal(name, "skipped") && reading->depth == reading->in_case + 1)
        begin_outcome(reading, SKIPPED, attributes);
    return 0;
}

static int on_close(void *context, const char *name, struct error *error) {
    struct reading *reading = context;
    (void)error;
    if (reading->depth == reading->in_failure)
        reading->in_failure = 0;
    if (reading->depth == reading->in_case)
        end_case(reading);
    reading->suites -= text_equal(name, "testsuite");
    reading->depth--;
    return 0;
}

/* Of a long text the middle is dropped: places stand at its begin (JavaScript) or its end (Python). */
static void on_text(void *context, const char *text, size_t length) {
    struct reading *reading = context;
    struct buffer *kept = &reading->text;
    if (!reading->in_failure)
        return;
    if (length > TEXT_LIMIT / 4) {
        text += length - TEXT_LIMIT / 4;
        length = TEXT_LIMIT / 4;
    }
    if (kept->length + length > TEXT_LIMIT) {
        memmove(kept->data + TEXT_LIMIT / 2, kept->data + kept->length - TEXT_LIMIT / 4, TEXT_LIMIT / 4);
        kept->length = TEXT_LIMIT / 2 + TEXT_LIMIT / 4;
    }
    buffer_append(kept, text, length);
}

/* ---- the document ---- */

static int read_document(int fd, struct reading *reading, struct error *error) {
    struct xml_handler handler = {.context = reading, .open = on_open, .close = on_close, .text = on_text};
    AUTO_XML struct xml_reader *reader = xml_reader_new("the JUnit document", JUNIT_DOCUMENT_LIMIT, &handler);
    AUTO_FREE char *block = memory_allocate(BLOCK, 1);
    for (ssize_t got; (got = read(fd, block, BLOCK)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read the JUnit document");
        if (xml_feed(reader, block, (size_t)got, error) < 0)
            return -1;
    }
    return xml_finish(reader, error);
}

int junit_read(int fd, const struct place_search *search, struct junit *junit, struct error *error) {
    *junit = (struct junit){0};
    struct reading reading = {
        .search = search, .junit = junit, .message = BUFFER(TEXT_LIMIT), .text = BUFFER(TEXT_LIMIT + 1)};
    int result = read_document(fd, &reading, error);
    double seconds = reading.seconds > 0 ? reading.seconds : reading.root_seconds;
    junit->milliseconds = (uint64_t)(seconds * 1000 + 0.5);
    reset_case(&reading);
    free(reading.previous);
    buffer_release(&reading.message);
    buffer_release(&reading.text);
    if (result < 0)
        junit_release(junit);
    return result;
}

void junit_release(struct junit *junit) {
    for (size_t i = 0; i < junit->failure_count; i++) {
        free(junit->failures[i].name);
        free(junit->failures[i].message);
        free(junit->failures[i].place.file);
    }
    free(junit->failures);
    *junit = (struct junit){0};
}
