/* What git says, asked with git itself. */
#include "common/git/git.h"
#include "common/policy/facts.h"

#include <string.h>

/* NULL when git has no answer; `failure` (may be NULL) is filled with the first reason. The caller frees. */
static char *ask(const char *directory, const char *const *arguments, char **failure) {
    struct error error = {0};
    char *text = git_ask(directory, arguments, &error);
    if (!text && failure && !*failure)
        *failure = text_copy(error.text);
    return text;
}

static void split_lines(struct text_list *list, const char *text) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (*lines.items[i])
            text_list_add(list, lines.items[i]);
}

void git_facts_read(const char *directory, struct git_facts *git) {
    static const char *const commit[] = {"rev-parse", "--verify", "HEAD^{commit}", NULL};
    static const char *const branch[] = {"symbolic-ref", "--quiet", "--short", "HEAD", NULL};
    static const char *const tags[] = {"tag", "--points-at", "HEAD", NULL};
    static const char *const remotes[] = {"remote", NULL};
    static const char *const branches[] = {"for-each-ref", "--contains", "HEAD", "--format=%(refname:lstrip=3)",
                                           "refs/remotes", NULL};
    static const char *const changes[] = {"status", "--porcelain", "--untracked-files=no", NULL};
    *git = (struct git_facts){0};
    git->commit = ask(directory, commit, &git->failure);
    if (!git->commit)
        return;
    git->branch = ask(directory, branch, NULL);
    AUTO_FREE char *tag_lines = ask(directory, tags, &git->failure);
    AUTO_FREE char *remote_lines = ask(directory, remotes, &git->failure);
    AUTO_FREE char *branch_lines = ask(directory, branches, &git->failure);
    AUTO_FREE char *changed = ask(directory, changes, &git->failure);
    if (git->failure)
        return;
    split_lines(&git->tags, tag_lines);
    split_lines(&git->branches, branch_lines);
    git->has_remote = *remote_lines != '\0';
    git->has_changes = *changed != '\0';
}

void git_facts_release(struct git_facts *git) {
    free(git->failure);
    free(git->branch);
    free(git->commit);
    text_list_release(&git->tags);
    text_list_release(&git->branches);
    *git = (struct git_facts){0};
}
