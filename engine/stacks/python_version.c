/* The Python version that is asked for, and the bases that have it. */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <ctype.h>
#include <string.h>

enum {
    OLDEST_MINOR = 8,
    NEWEST_MINOR = 14,
    DEFAULT_MINOR = 12,
    FUTURE = 20, /* versions that a base may have although pl does not choose them */
};

/* What Debian brings; the first that fits is used when no registry can be reached. */
static const struct {
    const char *suite;
    unsigned minor;
} debian[] = {{"bookworm", 11}, {"trixie", 13}};

/* "3", "3.12", "3.12.4", "3.12.*" at `text`: major, minor (-1: not given), patch (-1). Returns what follows, or NULL.
 */
static const char *read_version(const char *text, long parts[3]) {
    parts[0] = parts[1] = parts[2] = -1;
    for (int i = 0; i < 3; i++) {
        if (*text == '*')
            return text + 1;
        if (!isdigit((unsigned char)*text))
            return i == 0 ? NULL : text;
        long number = 0;
        for (; isdigit((unsigned char)*text); text++)
            number = number > 100000 ? number : number * 10 + (*text - '0');
        parts[i] = number;
        if (*text != '.')
            return text;
        text++;
    }
    while (*text == '.' || *text == '*' || isalnum((unsigned char)*text))
        text++;
    return text;
}

/* One clause such as ">=3.10". A patch level counts only where it moves the border between two minor versions: any
 * release of the minor version that satisfies the clause is enough. */
static bool clause_holds(long minor, const char *operation, size_t length, const long version[3]) {
    long wanted = version[1] < 0 ? 0 : version[1];
    bool has_minor = version[1] >= 0;
    if (version[0] != 3) { /* "<4", ">=2.7" */
        bool is_newer = version[0] > 3;
        return *operation == '<' || *operation == '!'   ? is_newer
               : *operation == '>' || *operation == '^' ? !is_newer
                                                        : false;
    }
    if (length == 2 && memcmp(operation, ">=", 2) == 0)
        return minor >= wanted;
    if (length == 2 && memcmp(operation, "<=", 2) == 0)
        return minor <= wanted;
    if (length == 2 && memcmp(operation, "!=", 2) == 0)
        return version[2] >= 0 || minor != wanted;
    if (length == 1 && *operation == '>')
        return version[2] >= 0 ? minor >= wanted : minor > wanted;
    if (length == 1 && *operation == '<')
        return version[2] > 0 ? minor <= wanted : minor < wanted;
    if (length == 1 && *operation == '^')
        return minor >= wanted;
    if (length == 2 && memcmp(operation, "~=", 2) == 0)
        return version[2] >= 0 ? minor == wanted : minor >= wanted;
    return !has_minor || minor == wanted; /* ==, ===, ~, nothing */
}

static bool alternative_satisfies(unsigned minor, const char *text, size_t length) {
    const char *end = text + length;
    while (text < end) {
        if (*text == ' ' || *text == ',' || *text == '\t') {
            text++;
            continue;
        }
        size_t operation = strspn(text, "<>=!~^");
        const char *number = text + operation + strspn(text + operation, " v");
        long version[3];
        const char *after = number < end ? read_version(number, version) : NULL;
        if (*number == '*' && number < end) {
            text = number + 1;
            continue;
        }
        if (!after)
            return true; /* what is not understood is left to the package manager */
        if (!clause_holds((long)minor, text, operation, version))
            return false;
        text = after;
    }
    return true;
}

bool python_version_satisfies(unsigned minor, const char *constraint) {
    for (;;) {
        size_t length = strcspn(constraint, "|");
        if (alternative_satisfies(minor, constraint, length))
            return true;
        constraint += length;
        if (*constraint == '\0')
            return false;
        constraint += strspn(constraint, "|");
    }
}

/* The first word of the first line that says something. The caller frees. */
static char *first_word(const char *text) {
    while (*text) {
        text += strspn(text, " \t\r\n");
        size_t length = strcspn(text, " \t\r\n#");
        if (length > 0)
            return text_copy_length(text, length < 40 ? length : 40);
        text += strcspn(text, "\n");
    }
    return NULL;
}

/* "python-3.12.4", "3.12", "cpython@3.12", "3" → the minor version; false when it names none. */
static bool parse_request(const char *text, unsigned *minor) {
    const char *at = text + strcspn(text, "0123456789");
    long version[3];
    if (!read_version(at, version) || version[0] != 3)
        return false;
    *minor = version[1] < 0 ? DEFAULT_MINOR : (unsigned)version[1];
    return version[1] >= 0 ? version[1] <= 99 : true;
}

/* A version as somebody wrote it. */
struct wish {
    char *where; /* ".python-version" */
    char *text;  /* "3.12.4", or ">=3.11" of a constraint */
};

/* One version by name, and what the project's metadata allow. */
struct request {
    struct wish exact, constraint;
};

static void request_release(struct request *request) {
    free(request->exact.where);
    free(request->exact.text);
    free(request->constraint.where);
    free(request->constraint.text);
}

/* tool-versions: "python 3.12.1" on a line of its own. */
static char *tool_version_of(const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (text_starts_with(line, "python "))
            return first_word(line + 7);
    }
    return NULL;
}

static void set_wish(struct wish *wish, const char *where, const char *text) {
    if (wish->text || text_is_empty(text))
        return;
    wish->where = text_copy(where);
    wish->text = text_copy(text);
}

static int read_request_file(struct python_project *project, const char *path, struct wish *wish, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool found;
    if (python_read(project, path, &text, &found, error) < 0)
        return -1;
    const char *content = buffer_text(&text);
    AUTO_FREE char *version = !found                               ? NULL
                              : text_equal(path, ".tool-versions") ? tool_version_of(content)
                                                                   : first_word(content);
    set_wish(wish, path, version);
    return 0;
}

static int find_request(struct python_project *project, struct request *request, struct error *error) {
    static const char *const files[] = {".python-version", "runtime.txt", ".tool-versions"};
    set_wish(&request->exact, "pl.json", json_get_text(project->settings, "python", NULL));
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        if (read_request_file(project, files[i], &request->exact, error) < 0)
            return -1;
    struct wish *constraint = &request->constraint;
    set_wish(constraint, "Pipfile", json_text(json_get_path(project->pipfile, "requires.python_version")));
    set_wish(constraint, "Pipfile", json_text(json_get_path(project->pipfile, "requires.python_full_version")));
    set_wish(constraint, "pyproject.toml", json_text(json_get_path(project->pyproject, "project.requires-python")));
    set_wish(constraint, "pyproject.toml",
             json_text(json_get_path(project->pyproject, "tool.poetry.dependencies.python")));
    return 0;
}

static bool is_allowed(const struct request *request, unsigned minor) {
    return !request->constraint.text || python_version_satisfies(minor, request->constraint.text);
}

/* The default when it is allowed, else the newest that is; 0: none. */
static unsigned choose_minor(const struct request *request) {
    if (is_allowed(request, DEFAULT_MINOR))
        return DEFAULT_MINOR;
    for (unsigned minor = NEWEST_MINOR; minor >= OLDEST_MINOR; minor--)
        if (is_allowed(request, minor))
            return minor;
    return 0;
}

static int decide_minor(const struct request *request, unsigned *minor, struct error *error) {
    const struct wish *wish = request->exact.text ? &request->exact : &request->constraint;
    bool known = !request->exact.text || parse_request(request->exact.text, minor);
    if (!request->exact.text)
        *minor = choose_minor(request);
    if (!known || *minor == 0) {
        error_set(error, ERROR_DATA, "%s asks for Python %s: that is no version pl knows", wish->where, wish->text);
        return error_next(error, "ask for 3.%d to 3.%d, or name a base with --base", OLDEST_MINOR, NEWEST_MINOR);
    }
    if (is_allowed(request, *minor))
        return 0;
    error_set(error, ERROR_DATA, "%s asks for Python %s, and %s for %s: no version fits both", wish->where, wish->text,
              request->constraint.where, request->constraint.text);
    return error_next(error, "change one of the two");
}

static void plan_fallback(struct python_project *project, const struct request *request, unsigned minor) {
    struct stack_plan *plan = project->plan;
    for (size_t i = 0; i < ARRAY_LENGTH(debian); i++) {
        if (request->exact.text ? debian[i].minor != minor : !is_allowed(request, debian[i].minor))
            continue;
        plan->fallback_base = text_format("apt:%s?python3,python3-venv,ca-certificates", debian[i].suite);
        plan->fallback_note = text_format("Debian %s's own Python 3.%u", debian[i].suite, debian[i].minor);
        return;
    }
    const struct wish *wish = request->exact.text ? &request->exact : &request->constraint;
    plan->fallback_note = text_format("%s asks for Python %s, which Debian does not have (it has 3.%u and 3.%u)",
                                      wish->where, wish->text, debian[0].minor, debian[1].minor);
}

/* What the step that installs dependencies checks, whatever the base is. */
static void set_allowed(struct python_project *project, const struct request *request) {
    struct buffer list = BUFFER(300);
    for (unsigned minor = OLDEST_MINOR; request->constraint.text && minor <= NEWEST_MINOR + FUTURE; minor++)
        if (is_allowed(request, minor))
            buffer_append_format(&list, " 3.%u", minor);
    project->allowed_versions = buffer_take(&list);
    if (request->constraint.text)
        project->version_constraint =
            text_format("%s asks for Python %s", request->constraint.where, request->constraint.text);
}

int python_find_version(struct python_project *project, struct error *error) {
    AUTO(request_release) struct request request = {0};
    unsigned minor = DEFAULT_MINOR;
    if (find_request(project, &request, error) < 0 || decide_minor(&request, &minor, error) < 0)
        return -1;
    const struct wish *wish = request.exact.text ? &request.exact : &request.constraint;
    project->version = text_format("3.%u", minor);
    set_allowed(project, &request);
    struct stack_plan *plan = project->plan;
    if (project->source->base) {
        plan->base = text_copy(project->source->base);
        if (wish->text)
            plan_note(plan, "the base is the one given: %s (%s asks for Python %s)", plan->base, wish->where,
                      wish->text);
        else
            plan_note(plan, "the base is the one given: %s", plan->base);
        return 0;
    }
    plan->base = text_format("python:%s-slim", project->version);
    if (wish->text)
        plan_note(plan, "found Python %s in %s: base %s", wish->text, wish->where, plan->base);
    else
        plan_note(plan, "no Python version is asked for: base %s", plan->base);
    plan_fallback(project, &request, minor);
    return 0;
}
