#include "tools/pl-changed/base.h"

#include "common/base/text.h"
#include "common/git/git.h"
#include "common/json/json.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_LIMIT = 4 << 20 };

static bool is_commit(const char *text) {
    size_t length = text ? strlen(text) : 0;
    return (length == 40 || length == 64) && strspn(text, "0123456789abcdef") == length &&
           strspn(text, "0") != length; /* all zeros: a branch that is new */
}

/* The commit before the push, in the file that describes the event of a GitHub workflow. */
static char *before_github_push(void) {
    const char *path = getenv("GITHUB_EVENT_PATH");
    AUTO_JSON struct json *event = text_is_empty(path) ? NULL : json_parse_file(path, EVENT_LIMIT, NULL);
    const char *before = json_get_text(event, "before", NULL);
    return is_commit(before) ? text_copy(before) : NULL;
}

/* What to compare with when nobody says it: in GitHub, in GitLab, on a laptop. */
static char *guess(void) {
    static const char *const head[] = {"symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", NULL};
    static const char *const gitlab[] = {"CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA"};
    const char *target = getenv("GITHUB_BASE_REF");
    if (!text_is_empty(target))
        return text_format("origin/%s", target);
    char *before = before_github_push();
    if (before)
        return before;
    for (size_t i = 0; i < ARRAY_LENGTH(gitlab); i++)
        if (is_commit(getenv(gitlab[i])))
            return text_copy(getenv(gitlab[i]));
    return git_ask(NULL, head, NULL);
}

char *base_find(const char *since, struct error *error) {
    AUTO_FREE char *name = since ? text_copy(since) : guess();
    if (!name) {
        error_set(error, ERROR_USAGE, "since which commit?");
        error_next(error, "name it: --since origin/main");
        return NULL;
    }
    if (name[0] == '-') {
        error_set(error, ERROR_USAGE, "--since %.100s: no name of a commit", name);
        return NULL;
    }
    AUTO_FREE char *spelt = text_format("%s^{commit}", name);
    const char *const resolve[] = {"rev-parse", "--verify", "--quiet", "--end-of-options", spelt, NULL};
    AUTO_FREE char *commit = git_ask(NULL, resolve, NULL);
    if (!commit) {
        error_set(error, ERROR_STEP, "git does not know %.200s here", name);
        error_next(error, "fetch it: git fetch --unshallow, or actions/checkout with fetch-depth: 0; or let all count "
                          "as changed: --all-when-unknown");
        return NULL;
    }
    /* A history that was cut off, or another one: then the commit itself. */
    const char *const parted[] = {"merge-base", commit, "HEAD", NULL};
    char *base = git_ask(NULL, parted, NULL);
    return base ? base : text_copy(commit);
}
