#include "tools/pl/complete.h"

#include "common/file/file.h"
#include "tools/pl/tools.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

enum { OFFERS_MOST = 2000, SECONDS = 2, SECONDS_MOST = 60, EXIT_USAGE = 64 };

static const struct {
    const char *name;
    complete_kind *answer;
} kinds[] = {
    {"angular-configurations", complete_angular_configurations},
    {"angular-projects", complete_angular_projects},
    {"applications", complete_applications},
    {"caches", complete_caches},
    {"channels", complete_channels},
    {"commits", complete_commits},
    {"containers", complete_containers},
    {"deploy-targets", complete_deploy_targets},
    {"executions", complete_executions},
    {"images", complete_images},
    {"jobs", complete_jobs},
    {"local-workloads", complete_local_workloads},
    {"platforms", complete_platforms},
    {"projects", complete_projects},
    {"regions", complete_regions},
    {"registry-hosts", complete_registry_hosts},
    {"repositories", complete_repositories},
    {"revisions", complete_revisions},
    {"secret-sources", complete_secret_sources},
    {"secrets", complete_secrets},
    {"services", complete_services},
    {"sites", complete_sites},
    {"stages", complete_stages},
    {"tools", complete_tools},
    {"traffic-tags", complete_traffic_tags},
    {"traffic-targets", complete_traffic_targets},
};

/* ---- offering ---- */

bool complete_is_harmless(const char *value) {
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+=,?%~-";
    return value[0] && !strchr("-~=", value[0]) && strlen(value) < 512 && strspn(value, harmless) == strlen(value);
}

void complete_offer(struct completion *completion, const char *value, const char *description) {
    if (!value || !complete_is_harmless(value) || !text_starts_with(value, completion->prefix) ||
        completion->offered.count >= OFFERS_MOST || text_list_contains(&completion->offered, value))
        return;
    text_list_add(&completion->offered, value);
    AUTO_FREE char *clean = description ? text_scrub(description, strlen(description), false) : NULL;
    for (size_t i = 0; clean && clean[i]; i++)
        clean[i] = clean[i] == '\t' ? ' ' : clean[i];
    AUTO_FREE char *line = text_format("%s%s%s%s%s\n", completion->before, value, completion->after,
                                       text_is_empty(clean) ? "" : "\t", clean ? clean : "");
    if (fd_write_all(STDOUT_FILENO, line, strlen(line), NULL) < 0)
        _exit(0);
}

const char *complete_option(const struct completion *completion, const char *name) {
    return json_get_text(completion->options, name, NULL);
}

const char *complete_directory(const struct completion *completion) {
    return completion->operands.count ? completion->operands.items[0] : ".";
}

/* ---- the line ---- */

/* The row of an option "--name" or "-n" in what the tool says of itself, or NULL. */
static const struct json *find_row(const struct json *rows, const char *word, size_t length) {
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    length -= is_long ? 2 : 1;
    for (size_t i = 0; i < json_count(rows); i++) {
        const char *own = json_get_text(json_at(rows, i), is_long ? "name" : "letter", "");
        if (strlen(own) == length && strncmp(own, name, length) == 0)
            return json_at(rows, i);
    }
    return NULL;
}

static void read_line(struct completion *completion, const struct json *description, char **words, size_t count) {
    const struct json *rows = json_get(description, "options");
    for (size_t i = 0; i < count && !text_equal(words[i], "--"); i++) {
        const char *word = words[i], *equals = strchr(word, '=');
        if (word[0] != '-' || !word[1]) {
            text_list_add(&completion->operands, word);
            continue;
        }
        bool is_joined = word[1] == '-' && equals;
        const struct json *row = find_row(rows, word, is_joined ? (size_t)(equals - word) : strlen(word));
        if (!row || text_equal(json_get_text(row, "kind", ""), "flag"))
            continue;
        const char *value = is_joined ? equals + 1 : i + 1 < count ? words[++i] : NULL;
        json_set_text(completion->options, json_get_text(row, "name", ""), value);
    }
}

/* ---- asking ---- */

static void stop(int number) {
    (void)number;
    _exit(0);
}

static unsigned seconds_allowed(void) {
    uint64_t seconds = SECONDS;
    const char *wanted = getenv("PL_COMPLETE_SECONDS");
    return wanted && text_to_u64(wanted, SECONDS_MOST, &seconds) ? (unsigned)seconds : SECONDS;
}

bool complete_may_ask(void) {
    return seconds_allowed() > 0;
}

/* Nothing on the terminal, nothing from it, and an end. */
static void withdraw(void) {
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
    }
    unsetenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, stop);
    unsigned seconds = seconds_allowed();
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_sec = seconds ? seconds : SECONDS}, NULL);
}

static complete_kind *find_kind(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (text_equal(kinds[i].name, name))
            return kinds[i].answer;
    return NULL;
}

int complete_main(size_t count, char **arguments) {
    if (count < 3)
        return EXIT_USAGE;
    const char *kind = arguments[0], *prefix = arguments[1];
    bool is_value = text_starts_with(kind, "NAME="), is_name = text_ends_with(kind, "=VALUE");
    kind += is_value ? strlen("NAME=") : 0;
    AUTO_FREE char *name = text_copy_length(kind, strcspn(kind, "="));
    complete_kind *answer = find_kind(name);
    if (!answer)
        return EXIT_USAGE;
    withdraw();
    const char *equals = strchr(prefix, '=');
    if (is_value != (equals != NULL) && (is_value || is_name))
        return 0;
    AUTO_FREE char *before = is_value ? text_copy_length(prefix, (size_t)(equals + 1 - prefix)) : text_copy("");
    /* What pl says of itself is what all others say. */
    bool is_front = text_equal(arguments[2], "pl");
    AUTO_JSON struct json *options = json_new_object();
    AUTO_JSON struct json *description = is_front ? NULL : tools_describe(arguments[2]);
    struct completion completion = {.prefix = is_value ? equals + 1 : prefix,
                                    .before = before,
                                    .after = is_name ? "=" : "",
                                    .tool = arguments[2],
                                    .options = options};
    read_line(&completion, description, arguments + 3, count - 3);
    answer(&completion);
    text_list_release(&completion.operands);
    text_list_release(&completion.offered);
    return 0;
}
