/* The version of Node that is asked for, and the bases that have it. */
#include "common/base/text.h"
#include "engine/node_releases.h"
#include "engine/stacks/node.h"

#include <ctype.h>
#include <string.h>

struct request {
    const char *where; /* ".nvmrc", or NULL: nobody asks */
    char *text;        /* a version, a range, or a name such as "lts/jod" */
};

static void request_release(struct request *request) {
    free(request->text);
}

/* The first word of the first line that says something. The caller frees. */
static char *first_word(const char *text) {
    while (*text) {
        text += strspn(text, " \t\r\n");
        size_t length = strcspn(text, "\r\n#");
        while (length > 0 && isspace((unsigned char)text[length - 1]))
            length--;
        if (length > 0)
            return text_copy_length(text, length < 60 ? length : 60);
        text += strcspn(text, "\n");
    }
    return NULL;
}

/* .tool-versions has "nodejs 22.1.0" or "node 22" on a line of its own. */
static char *tool_version_of(const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (text_starts_with(line, "nodejs ") || text_starts_with(line, "node "))
            return first_word(strchr(line, ' '));
    }
    return NULL;
}

static int read_file_request(const struct node_project *project, struct request *request, struct error *error) {
    static const char *const files[] = {".nvmrc", ".node-version", ".tool-versions"};
    for (size_t i = 0; i < ARRAY_LENGTH(files) && !request->text; i++) {
        AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
        bool found;
        if (node_read(project, files[i], &text, &found, error) < 0 ||
            (!found && node_read_root(project, files[i], &text, &found, error) < 0))
            return -1;
        if (!found)
            continue;
        const char *content = buffer_text(&text);
        request->text = text_equal(files[i], ".tool-versions") ? tool_version_of(content) : first_word(content);
        request->where = files[i];
    }
    return 0;
}

/* Names that nvm and its like know. NULL: it is none. */
static const char *version_of_name(const char *text) {
    static const char *const names[][2] = {{"lts/*", "24"},        {"lts", "24"},     {"--lts", "24"},
                                           {"lts/krypton", "24"},  {"lts/jod", "22"}, {"lts/iron", "20"},
                                           {"lts/hydrogen", "18"}, {"node", "*"},     {"stable", "*"},
                                           {"latest", "*"},        {"current", "*"}};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcasecmp(text, names[i][0]) == 0)
            return names[i][1];
    return NULL;
}

/* The version that a text stands for: one of ours where it leaves a choice. */
struct choice {
    struct semver version;
    unsigned given; /* how many parts were asked for: they make the tag of the image */
};

static void choose_release(const struct node_release *release, struct choice *choice) {
    unsigned given;
    (void)semver_parse(release->version, &choice->version, &given);
    choice->given = 1;
}

/* Versions that the range itself names: "~20.11.0" is satisfied by none of ours. */
static bool choose_named(const char *range, struct choice *choice) {
    for (const char *at = range; *at;) {
        if (!isdigit((unsigned char)*at)) {
            at++;
            continue;
        }
        size_t length = strspn(at, "0123456789.");
        AUTO_FREE char *text = text_copy_length(at, length < 40 ? length : 40);
        struct semver version;
        unsigned given;
        if (semver_parse(text, &version, &given) && version.part[0] >= 16 && semver_satisfies(&version, range, NULL)) {
            *choice = (struct choice){.version = version, .given = 3};
            return true;
        }
        at += length;
    }
    return false;
}

static bool choose(const char *text, struct choice *choice) {
    const char *name = version_of_name(text);
    size_t count;
    const struct node_release *releases = node_releases(&count);
    unsigned given = 0;
    text = name ? name : text;
    if (semver_parse(text, &choice->version, &given) && given == 3) {
        choice->given = 3;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        choose_release(&releases[i], choice);
        if (semver_satisfies(&choice->version, text, NULL))
            return true;
    }
    return choose_named(text, choice);
}

static void plan_bases(struct node_project *project, const struct choice *choice) {
    struct stack_plan *plan = project->plan;
    const unsigned *part = choice->version.part;
    AUTO_FREE char *full = text_format("%u.%u.%u", part[0], part[1], part[2]);
    plan->base = choice->given == 3 ? text_format("node:%s-slim", full) : text_format("node:%u-slim", part[0]);
    plan->fallback_base = text_format("apt:bookworm?ca-certificates&node=%s", full);
    plan->fallback_note = text_format("Debian bookworm with Node %s from npm's registry", full);
}

static int refuse(const char *where, const char *text, struct error *error) {
    error_set(error, ERROR_DATA, "%s asks for Node %s: that is no version pl knows", where, text);
    return error_next(error, "ask for a version such as 22 or 24.11.0, or name a base with --base");
}

/* engines decides; a version in a file is taken when it is one of those that engines allows. */
static int decide(struct node_project *project, const char *engines, const struct request *file, struct choice *choice,
                  struct error *error) {
    struct stack_plan *plan = project->plan;
    if (file->text && !choose(file->text, choice))
        return refuse(file->where, file->text, error);
    if (file->text && (!engines || semver_satisfies(&choice->version, engines, NULL))) {
        plan_bases(project, choice);
        plan_note(plan, "found Node %s in %s: base %s", file->text, file->where, plan->base);
        return 0;
    }
    if (engines && !choose(engines, choice))
        return refuse("\"engines\" of package.json", engines, error);
    if (!engines)
        choose("*", choice);
    plan_bases(project, choice);
    if (engines)
        plan_note(plan, "found Node %s in \"engines\" of package.json: base %s", engines, plan->base);
    else
        plan_note(plan, "no Node version is asked for: base %s", plan->base);
    if (file->text)
        plan_note(plan, "%s asks for Node %s, which \"engines\" does not allow", file->where, file->text);
    return 0;
}

int node_find_version(struct node_project *project, struct error *error) {
    AUTO(request_release) struct request file = {0};
    struct choice choice = {0};
    const char *set, *engines = json_text(json_get_path(project->package, "engines.node"));
    if (!engines)
        engines = json_text(json_get_path(project->root, "engines.node"));
    if (project->source->base) {
        project->plan->base = text_copy(project->source->base);
        plan_note(project->plan, "the base is the one given: %s", project->plan->base);
        return 0;
    }
    if (node_setting(project, "node", &set, error) < 0 || read_file_request(project, &file, error) < 0)
        return -1;
    if (set) {
        if (!choose(set, &choice))
            return refuse("pl.json", set, error);
        plan_bases(project, &choice);
        plan_note(project->plan, "found Node %s in pl.json: base %s", set, project->plan->base);
        return 0;
    }
    return decide(project, text_is_empty(engines) ? NULL : engines, &file, &choice, error);
}
