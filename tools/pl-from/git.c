/* Git repositories, by the program git. Of a branch or tag the server is asked each time what it is; a commit that was
 * fetched once is in the store. */
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/file/file.h"
#include "common/process/process.h"
#include "engine/tree.h"
#include "tools/pl-from/origin.h"

#include <string.h>

enum { OUTPUT_LIMIT = 4 * 1024 * 1024, GIT_SECONDS = 1800, COMMIT_HEX = 40, URL_LIMIT = 1000 };

struct repository {
    struct origin *origin;
    const char *source; /* as it was given */
    char *url, *ref;    /* "" is the default branch */
    char *inside;       /* "" is all of it */
    char commit[COMMIT_HEX + 1];
    struct text_list environment;
};

static void repository_release(struct repository *repository) {
    free(repository->url);
    free(repository->ref);
    free(repository->inside);
    text_list_release(&repository->environment);
}

bool origin_is_git(const char *source) {
    AUTO_FREE char *url = text_copy_length(source, strcspn(source, "#"));
    return text_starts_with(url, "git+") || text_starts_with(url, "git://") || text_starts_with(url, "ssh://") ||
           text_starts_with(url, "git@") || text_starts_with(url, "file://") || text_ends_with(url, ".git");
}

static bool is_commit(const char *text) {
    return strlen(text) == COMMIT_HEX && strspn(text, "0123456789abcdef") == COMMIT_HEX;
}

/* What is no option, no name with white space, and no way out: git checks the rest. */
static bool is_ref(const char *ref) {
    return *ref != '-' && !strpbrk(ref, " \t\n~^:?*[\\") && !strstr(ref, "..");
}

static int check_url(const struct repository *repository, struct error *error) {
    static const char *const schemes[] = {"https://", "http://", "ssh://", "git://", "file://", "git@"};
    const char *url = repository->url, *authority = strstr(url, "://");
    bool known = false;
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
        known = known || text_starts_with(url, schemes[i]);
    if (!known || strlen(url) > URL_LIMIT || strpbrk(url, " \t\n"))
        return error_set(error, ERROR_USAGE, "%.200s is no URL of a git repository (https, ssh, git or file)", url);
    size_t length = authority ? strcspn(authority + 3, "/") : 0;
    const char *at = authority ? memchr(authority + 3, '@', length) : NULL;
    if (!at || !memchr(authority + 3, ':', (size_t)(at - authority - 3)))
        return 0;
    error_set(error, ERROR_USAGE, "the URL of a git repository must not hold a password: it would be kept");
    return error_next(error, "let git know it: git config credential.helper, or take an ssh URL");
}

static int repository_open(struct repository *repository, struct error *error) {
    const char *source = repository->source, *url = source + (text_starts_with(source, "git+") ? 4 : 0);
    const char *hash = strchr(url, '#'), *colon = hash ? strchr(hash, ':') : NULL;
    repository->url = text_copy_length(url, hash ? (size_t)(hash - url) : strlen(url));
    repository->ref = !hash   ? text_copy("")
                      : colon ? text_copy_length(hash + 1, (size_t)(colon - hash - 1))
                              : text_copy(hash + 1);
    if (colon && colon[1] ? chain_path_inside(colon + 1, &repository->inside, error) < 0 : false)
        return -1;
    if (!repository->inside)
        repository->inside = text_copy("");
    if (!is_ref(repository->ref))
        return error_set(error, ERROR_USAGE, "\"%.100s\" is no branch, tag or commit", repository->ref);
    return check_url(repository, error);
}

/* ---- running git ---- */

static bool is_git_variable(const char *entry) {
    static const char *const names[] = {
        "GIT_DIR=",     "GIT_WORK_TREE=", "GIT_INDEX_FILE=",       "GIT_TERMINAL_PROMPT=", "GIT_ASKPASS=",
        "SSH_ASKPASS=", "GIT_NAMESPACE=", "GIT_OBJECT_DIRECTORY=", "GIT_SSH_COMMAND=",     "GIT_ALLOW_PROTOCOL="};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_starts_with(entry, names[i]))
            return true;
    return false;
}

/* No question is ever asked. */
static void set_environment(struct repository *repository) {
    static const char *const ours[] = {"GIT_TERMINAL_PROMPT=0",
                                       "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
                                       "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file"};
    for (char **at = environ; *at; at++)
        if (!is_git_variable(*at))
            text_list_add(&repository->environment, *at);
    for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
        text_list_add(&repository->environment, ours[i]);
}

static bool is_cancelled(void *context) {
    return progress_cancelled(context);
}

static int explain(const struct repository *repository, const char *said, struct error *error) {
    AUTO_FREE char *clean = text_scrub(said, strlen(said), false);
    if (strstr(said, "terminal prompts disabled") || strstr(said, "Authentication failed") ||
        strstr(said, "Permission denied")) {
        error_set(error, ERROR_PERMISSION, "the git repository %s wants a login: %.300s", repository->url, clean);
        return error_next(error, "give git one that needs no question: a credential helper (git config "
                                 "credential.helper), or an ssh URL with a key");
    }
    bool missing = strstr(said, "not found") || strstr(said, "does not exist") || strstr(said, "not our ref") ||
                   strstr(said, "couldn't find remote ref") || strstr(said, "not appear to be");
    return error_set(error, missing ? ERROR_DATA : ERROR_UNAVAILABLE, "git cannot read %s: %.300s", repository->url,
                     clean);
}

static int run_git(struct repository *repository, const char *directory, const char *const *arguments,
                   struct buffer *out, struct error *error) {
    static const char *const settings[] = {"git",
                                           "-c",
                                           "core.autocrlf=false",
                                           "-c",
                                           "core.symlinks=true",
                                           "-c",
                                           "core.hooksPath=/dev/null",
                                           "-c",
                                           "advice.detachedHead=false",
                                           "-c",
                                           "filter.lfs.smudge=",
                                           "-c",
                                           "filter.lfs.process=",
                                           "-c",
                                           "filter.lfs.required=false"};
    AUTO_LIST struct text_list argv = {0};
    AUTO_BUFFER struct buffer said = BUFFER(64 * 1024);
    struct progress *progress = repository->origin->session.engine.progress;
    int status = 1;
    for (size_t i = 0; i < ARRAY_LENGTH(settings); i++)
        text_list_add(&argv, settings[i]);
    for (size_t i = 0; arguments[i]; i++)
        text_list_add(&argv, arguments[i]);
    struct process process = {.argv = (const char *const *)argv.items,
                              .environment = (const char *const *)repository->environment.items,
                              .directory = directory,
                              .out = out,
                              .err = &said,
                              .timeout = GIT_SECONDS,
                              .cancelled = is_cancelled,
                              .cancelled_context = progress,
                              .lead_group = true};
    if (process_run(&process, &status, error) < 0)
        return -1;
    return status == 0 ? 0 : explain(repository, buffer_text(&said), error);
}

/* ---- what a branch or tag is ---- */

/* The id of the line "HEX<tab>NAME", or NULL. */
static const char *find_line(const struct text_list *lines, const char *name) {
    for (size_t i = 0; i < lines->count; i++) {
        const char *line = lines->items[i];
        if (strlen(line) > COMMIT_HEX + 1 && line[COMMIT_HEX] == '\t' && text_equal(line + COMMIT_HEX + 1, name))
            return line;
    }
    return NULL;
}

/* A branch wins over a tag of its name; a tag with a message is what it names. */
static int ask_server(struct repository *repository, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(OUTPUT_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    const char *ref = *repository->ref ? repository->ref : "HEAD", *line = NULL;
    AUTO_FREE char *peeled = text_format("%s^{}", ref);
    const char *const arguments[] = {"ls-remote", "--", repository->url, ref, peeled, NULL};
    if (run_git(repository, NULL, arguments, &out, error) < 0)
        return -1;
    text_list_split(&lines, buffer_text(&out), '\n');
    for (size_t i = 0; !line && i < 3; i++) {
        AUTO_FREE char *name = i == 0   ? text_format("refs/heads/%s", ref)
                               : i == 1 ? text_format("refs/tags/%s^{}", ref)
                                        : text_format("refs/tags/%s", ref);
        line = find_line(&lines, name);
    }
    if (!line)
        line = find_line(&lines, ref);
    if (!line) {
        error_set(error, ERROR_DATA, "%s has no branch or tag \"%s\"", repository->url, ref);
        return error_next(error, "see which there are: git ls-remote %s",
                          text_is_plain_word(repository->url) ? repository->url : "URL");
    }
    snprintf(repository->commit, sizeof(repository->commit), "%.*s", COMMIT_HEX, line);
    return is_commit(repository->commit) ? 0 : error_set(error, ERROR_PROTOCOL, "git names no commit: %.80s", line);
}

static int find_commit(struct repository *repository, struct error *error) {
    const char *meaning;
    if (is_commit(repository->ref)) {
        snprintf(repository->commit, sizeof(repository->commit), "%s", repository->ref);
        return 0;
    }
    if (origin_find_locked(repository->origin, repository->source, "git", &meaning, error) < 0)
        return -1;
    if (!meaning)
        return ask_server(repository, error);
    const char *commit = meaning + strlen("commit:");
    if (!text_starts_with(meaning, "commit:") || !is_commit(commit))
        return error_set(error, ERROR_DATA, "the lock file names no commit for %s", repository->source);
    snprintf(repository->commit, sizeof(repository->commit), "%s", commit);
    return 0;
}

/* ---- its files ---- */

/* Most servers give a commit that is asked for by its id; from others the branch or tag that it was found under. */
static int fetch(struct repository *repository, const char *folder, struct error *error) {
    const char *const begin[] = {"init", "-q", "--template=", ".", NULL};
    const char *const commit[] = {"fetch", "-q", "--depth=1", "--no-tags", "--", repository->url, repository->commit,
                                  NULL};
    const char *const named[] = {"fetch", "-q", "--depth=1", "--", repository->url, repository->ref, NULL};
    const char *const lay_out[] = {"checkout", "-q", "--detach", repository->commit, NULL};
    if (run_git(repository, folder, begin, NULL, error) < 0)
        return -1;
    if (run_git(repository, folder, commit, NULL, error) < 0 &&
        (error->kind == ERROR_PERMISSION || !*repository->ref || is_commit(repository->ref) ||
         run_git(repository, folder, named, NULL, error) < 0))
        return -1;
    return run_git(repository, folder, lay_out, NULL, error);
}

static int make_tree(struct repository *repository, struct digest *digest, struct error *error) {
    struct engine *engine = &repository->origin->session.engine;
    AUTO_FREE char *folder = NULL;
    AUTO_TREE struct tree tree = {0};
    if (store_scratch(engine->store, &folder, error) < 0)
        return -1;
    int step = progress_begin(engine->progress, "fetch %s at %.12s", repository->url, repository->commit);
    struct tree_scan scan = {.directory = folder, .is_temporary = true};
    int result = fetch(repository, folder, error);
    if (result == 0)
        result = tree_scan(engine, &scan, &tree, error);
    if (result == 0)
        result = tree_store(engine, &tree, digest, error);
    progress_end(engine->progress, step, result == 0 ? PROGRESS_MADE : PROGRESS_FAILED);
    store_scratch_remove(engine->store, folder);
    return result;
}

static int find_tree(struct repository *repository, struct digest *digest, struct error *error) {
    struct store *store = repository->origin->session.engine.store;
    AUTO_FREE char *text = text_format("%s\n%s", repository->url, repository->commit);
    struct digest key = digest_of(text, strlen(text));
    AUTO_JSON struct json *known = NULL, *fresh = json_new_object();
    if (store_name_read(store, "git", digest_format_hex(&key).text, &known, error) < 0)
        return -1;
    if (known && digest_parse(json_get_text(known, "tree", ""), digest, NULL) == 0 && store_has(store, digest))
        return 0;
    if (make_tree(repository, digest, error) < 0)
        return -1;
    json_set_text(fresh, "tree", digest_format(digest).text);
    return store_name_write(store, "git", digest_format_hex(&key).text, fresh, error);
}

static int take_inside(struct repository *repository, struct digest *digest, struct error *error) {
    struct engine *engine = &repository->origin->session.engine;
    AUTO_TREE struct tree all = {0}, below = {0};
    if (!*repository->inside)
        return 0;
    if (tree_load(engine, digest, &all, error) < 0)
        return -1;
    const struct tree_entry *entry = tree_find(&all, repository->inside);
    if (!entry || entry->type != 'd' || !tree_below(&all, repository->inside, &below))
        return error_set(error, ERROR_DATA, "%s has no directory %s at %.12s", repository->url, repository->inside,
                         repository->commit);
    return tree_store(engine, &below, digest, error);
}

static char *repository_name(const char *url) {
    const char *base = strrchr(url, '/') ? strrchr(url, '/') + 1 : url;
    return text_copy_length(base, strlen(base) - (text_ends_with(base, ".git") ? 4 : 0));
}

static int take(struct repository *repository, struct artifact *artifact, struct error *error) {
    struct digest digest;
    if (repository_open(repository, error) < 0)
        return -1;
    set_environment(repository);
    AUTO_FREE char *name = repository_name(repository->url);
    if (find_commit(repository, error) < 0 || find_tree(repository, &digest, error) < 0 ||
        take_inside(repository, &digest, error) < 0)
        return -1;
    AUTO_FREE char *meaning = text_format("commit:%s", repository->commit);
    if (!is_commit(repository->ref) && origin_lock(repository->origin, repository->source, "git", meaning, error) < 0)
        return -1;
    artifact_set_directory(artifact, &digest);
    if (!json_get(artifact->record, "name"))
        json_set_text(artifact->record, "name", *repository->inside ? path_base(repository->inside) : name);
    json_set_text(artifact->record, "commit", repository->commit);
    return 0;
}

int origin_git(struct origin *origin, const char *source, struct artifact *artifact, struct error *error) {
    struct repository repository = {.origin = origin, .source = source};
    int result = take(&repository, artifact, error);
    repository_release(&repository);
    return result;
}
