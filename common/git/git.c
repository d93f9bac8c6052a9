#include "common/git/git.h"

#include "common/base/text.h"
#include "common/process/process.h"

#include <string.h>

extern char **environ;

enum { ANSWER_LIMIT = 1 << 20, WORDS_LIMIT = 4000, GIT_SECONDS = 30 };

static void make_environment(struct text_list *environment) {
    for (char **at = environ; *at; at++)
        if (!text_starts_with(*at, "GIT_") && !text_starts_with(*at, "LC_ALL="))
            text_list_add(environment, *at);
    text_list_add(environment, "GIT_OPTIONAL_LOCKS=0");
    text_list_add(environment, "GIT_TERMINAL_PROMPT=0");
    text_list_add(environment, "LC_ALL=C.UTF-8");
}

int git_run(const char *directory, const char *const *arguments, struct buffer *out, struct error *error) {
    AUTO_LIST struct text_list environment = {0}, argv = {0};
    AUTO_BUFFER struct buffer words = BUFFER(WORDS_LIMIT);
    int status = 0;
    make_environment(&environment);
    text_list_add(&argv, "git");
    for (; *arguments; arguments++)
        text_list_add(&argv, *arguments);
    const struct process process = {.argv = (const char *const *)argv.items,
                                    .environment = (const char *const *)environment.items,
                                    .directory = directory,
                                    .out = out,
                                    .err = &words,
                                    .timeout = GIT_SECONDS};
    if (process_run(&process, &status, error) < 0)
        return -1;
    const char *said = buffer_text(&words);
    if (status != 0)
        return error_set(error, ERROR_STEP, "git: %.*s", (int)strcspn(said, "\n"), *said ? said : "it has no answer");
    return buffer_check(out, "git's answer", error);
}

char *git_ask(const char *directory, const char *const *arguments, struct error *error) {
    AUTO_BUFFER struct buffer out = BUFFER(ANSWER_LIMIT);
    if (git_run(directory, arguments, &out, error) < 0)
        return NULL;
    char *text = buffer_take(&out);
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    return text;
}
