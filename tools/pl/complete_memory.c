/* What others answered in the last minute. */
#include "tools/pl/complete.h"

#include "common/crypto/digest.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

extern char **environ;

enum { ANSWER_SECONDS = 60, SILENCE_SECONDS = 10, ANSWER_LIMIT = 1 << 20, FOLDER_MODE = 0700, FILE_MODE = 0600 };

static char *folder_path(void) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!text_is_empty(cache))
        return path_join(cache, "pl-complete");
    return text_is_empty(home) ? NULL : path_join(home, ".cache/pl-complete");
}

/* Variables that say which cloud, which credentials and which registry login. */
static bool matters(const char *variable) {
    static const char *const beginnings[] = {
        "PL_",   "GOOGLE_",          "GCLOUD_",          "CLOUDSDK_", "GCE_", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE",
        "HOME=", "XDG_CONFIG_HOME=", "XDG_RUNTIME_DIR=", "AWS_"};
    for (size_t i = 0; i < ARRAY_LENGTH(beginnings); i++)
        if (text_starts_with(variable, beginnings[i]))
            return !text_starts_with(variable, "PL_COMPLETE_SECONDS=");
    return false;
}

static struct digest question_digest(const struct completion *completion, const char *what) {
    AUTO_HASHER struct hasher *hasher = hasher_new();
    AUTO_FREE char *options = json_format(completion->options, JSON_CANONICAL), *here = getcwd(NULL, 0);
    const char *parts[] = {completion->tool, what, options, here ? here : ""};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        hasher_add(hasher, parts[i], strlen(parts[i]) + 1);
    AUTO_LIST struct text_list variables = {0};
    for (char **variable = environ; *variable; variable++)
        if (matters(*variable))
            text_list_add(&variables, *variable);
    text_list_sort(&variables);
    for (size_t i = 0; i < variables.count; i++)
        hasher_add(hasher, variables.items[i], strlen(variables.items[i]) + 1);
    return hasher_finish(hasher);
}

/* Whether the folder is there, and nobody else's to write into. */
static bool is_private(const char *folder) {
    struct stat status;
    return directory_make(folder, FOLDER_MODE, NULL) == 0 && lstat(folder, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid() && (status.st_mode & 022) == 0;
}

/* True: the file says what was answered, or that nobody answered just now. */
static bool recall(const char *path, struct buffer *answer) {
    struct stat status;
    if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid())
        return false;
    int64_t age = (int64_t)time(NULL) - status.st_mtim.tv_sec;
    bool found = false;
    return age >= 0 && age < (status.st_size > 0 ? ANSWER_SECONDS : SILENCE_SECONDS) &&
           file_read(path, answer, &found, NULL) == 0 && found;
}

/* Answers that are too old to be taken. */
static void forget(const char *folder) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *path = path_join(folder, names.items[i]);
        struct stat status;
        if (lstat(path, &status) == 0 && (int64_t)time(NULL) - status.st_mtim.tv_sec > ANSWER_SECONDS)
            unlink(path);
    }
}

void complete_line(struct text_list *lines, const char *value, const char *description) {
    if (!complete_is_harmless(value))
        return;
    AUTO_FREE char *clean = description ? text_scrub(description, strlen(description), false) : text_copy("");
    text_list_add_format(lines, "%s\t%s", value, clean);
}

static void offer_all(struct completion *completion, const struct text_list *lines) {
    for (size_t i = 0; i < lines->count; i++) {
        char *tab = strchr(lines->items[i], '\t');
        if (tab)
            *tab = '\0';
        complete_offer(completion, lines->items[i], tab ? tab + 1 : NULL);
    }
}

void complete_remembered(struct completion *completion, const char *what, complete_ask *ask) {
    struct digest question = question_digest(completion, what);
    if (!complete_may_ask())
        return;
    AUTO_FREE char *folder = folder_path();
    AUTO_FREE char *path = folder && is_private(folder) ? path_join(folder, digest_format_hex(&question).text) : NULL;
    AUTO_BUFFER struct buffer answer = BUFFER(ANSWER_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    if (path && recall(path, &answer)) {
        text_list_split(&lines, buffer_text(&answer), '\n');
        offer_all(completion, &lines);
        return;
    }
    /* Whoever presses the key again while this waits in vain does not wait, too: an empty file is silence. */
    if (path)
        forget(folder);
    bool is_kept = path && file_replace(path, "", 0, FILE_MODE, NULL) == 0;
    if (ask(completion, what, &lines, NULL) < 0)
        return;
    for (size_t i = 0; i < lines.count; i++)
        buffer_append_format(&answer, "%s\n", lines.items[i]);
    if (is_kept && !answer.failed)
        (void)!file_replace(path, buffer_text(&answer), answer.length, FILE_MODE, NULL);
    offer_all(completion, &lines);
}
