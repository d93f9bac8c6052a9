/* What git says, asked with git itself. */
#include "common/policy/facts.h"
#include "common/process/process.h"

#include <string.h>

extern char **environ;

enum { OUTPUT_LIMIT = 1 << 20, GIT_SECONDS = 30 };

/* Ours without GIT_DIR and its like, which would make it another repository's answer. */
static void make_environment(struct text_list *environment) {
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "GIT_"))
            text_list_add(environment, *at);
    text_list_add(environment, "GIT_OPTIONAL_LOCKS=0");
}

/* Its standard output without the last newline; NULL when it ended with another status than 0. `failure` (may be NULL)
 * is filled with what it said. The caller frees. */
static char *ask(const char *directory, const char *const *argv, const struct text_list *environment, char **failure) {
    AUTO_BUFFER struct buffer out = BUFFER(OUTPUT_LIMIT), err = BUFFER(4000);
    struct error error = {0};
    int status = 0;
    const struct process process = {.argv = argv,
                                    .environment = (const char *const *)environment->items,
                                    .directory = directory,
                                    .out = &out,
                                    .err = &err,
                                    .timeout = GIT_SECONDS};
    int result = process_run(&process, &status, &error);
    if (result == 0 && status == 0) {
        char *text = buffer_take(&out);
        size_t length = strlen(text);
        if (length > 0 && text[length - 1] == '\n')
            text[length - 1] = '\0';
        return text;
    }
    if (failure && !*failure) {
        const char *said = result < 0 ? error.text : buffer_text(&err);
        *failure = text_format("git: %.*s", (int)strcspn(said, "\n"), *said ? said : "it has no answer");
    }
    return NULL;
}

static void split_lines(struct text_list *list, const char *text) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (*lines.items[i])
            text_list_add(list, lines.items[i]);
}

void git_facts_read(const char *directory, struct git_facts *git) {
    static const char *const commit[] = {"git", "rev-parse", "--verify", "HEAD^{commit}", NULL};
    static const char *const branch[] = {"git", "symbolic-ref", "--quiet", "--short", "HEAD", NULL};
    static const char *const tags[] = {"git", "tag", "--points-at", "HEAD", NULL};
    static const char *const remotes[] = {"git", "remote", NULL};
    static const char *const branches[] = {
        "git", "for-each-ref", "--contains", "HEAD", "--format=%(refname:lstrip=3)", "refs/remotes", NULL};
    static const char *const changes[] = {"git", "status", "--porcelain", "--untracked-files=no", NULL};
    AUTO_LIST struct text_list environment = {0};
    *git = (struct git_facts){0};
    make_environment(&environment);
    git->commit = ask(directory, commit, &environment, &git->failure);
    if (!git->commit)
        return;
    git->branch = ask(directory, branch, &environment, NULL);
    AUTO_FREE char *tag_lines = ask(directory, tags, &environment, &git->failure);
    AUTO_FREE char *remote_lines = ask(directory, remotes, &environment, &git->failure);
    AUTO_FREE char *branch_lines = ask(directory, branches, &environment, &git->failure);
    AUTO_FREE char *changed = ask(directory, changes, &environment, &git->failure);
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
