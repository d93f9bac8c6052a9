/* What the tasks of a job printed. */
#include "gcp/logging.h"
#include "gcp/run/job.h"
#include "gcp/run/operation.h"
#include "tools/pl-run-job/actions.h"

#include <string.h>
#include <time.h>

enum {
    LINES_DEFAULT = 100,
    LINES_MOST = 1000,
    TEXT_LIMIT = 32 << 20,
    FOLLOW_MILLISECONDS = 2000,
    LOCAL_MILLISECONDS = 300
};

/* RFC 3339 */
static void time_before(long long seconds, char *text, size_t size) {
    time_t then = time(NULL) - (time_t)seconds;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* "2026-11-24T06:00:00.123 migrate-x7k2p 0 text" */
static void add_entry(struct buffer *out, const struct json *entry) {
    const char *text = logging_entry_text(entry), *severity = json_get_text(entry, "severity", "DEFAULT");
    const char *execution = logging_entry_label(entry, "run.googleapis.com/execution_name");
    const char *task = logging_entry_label(entry, "run.googleapis.com/task_index");
    AUTO_LIST struct text_list lines = {0};
    if (text_is_empty(text))
        return;
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (*lines.items[i] || i + 1 < lines.count)
            buffer_append_format(out, "%.23s %s %s %s%s%s\n", json_get_text(entry, "timestamp", ""),
                                 execution ? execution : "-", task ? task : "-",
                                 text_equal(severity, "DEFAULT") ? "" : severity,
                                 text_equal(severity, "DEFAULT") ? "" : " ", lines.items[i]);
}

static int show_new(struct command_context *context, struct cloud *cloud, const struct logging_query *query,
                    struct log_tail *tail, size_t *count, struct error *error) {
    AUTO_JSON struct json *news = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    if (log_tail_read(cloud, query, tail, &news, error) < 0)
        return -1;
    *count = json_count(news);
    for (size_t i = 0; i < json_count(news); i++)
        add_entry(&out, json_at(news, i));
    if (buffer_check(&out, "the log", error) < 0)
        return -1;
    AUTO_FREE char *text = text_scrub(buffer_text(&out), out.length, true);
    return *text ? command_print(context, text, error) : 0;
}

static int follow(struct command_context *context, struct cloud *cloud, const struct logging_query *query,
                  struct log_tail *tail, struct error *error) {
    size_t count;
    while (!progress_cancelled(context->progress)) {
        run_pause(endpoints_are_local() ? LOCAL_MILLISECONDS : FOLLOW_MILLISECONDS);
        if (progress_cancelled(context->progress))
            break;
        cloud_renew(cloud);
        if (show_new(context, cloud, query, tail, &count, error) < 0)
            return progress_cancelled(context->progress) ? 0 : -1;
    }
    return 0;
}

int action_log(struct command_context *context, struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    AUTO_JSON struct json *job = NULL;
    AUTO_LOG_TAIL struct log_tail tail = {0};
    char from[40] = "";
    size_t count = 0;
    if (arguments->lines > LINES_MOST)
        return error_set(error, ERROR_USAGE, "--lines can be at most %d", LINES_MOST);
    const char *name = action_open(context, arguments, &cloud, error);
    AUTO_FREE char *path = name ? run_job_path(&cloud, name) : NULL;
    if (!name || run_resource_find(&cloud, &run_job_kind, path, &job, error) < 0)
        return -1;
    if (arguments->since > 0)
        time_before(arguments->since, from, sizeof(from));
    const struct logging_query query = {.job = name,
                                        .execution = arguments->execution,
                                        .from = *from ? from : NULL,
                                        .most = arguments->lines > 0 ? (unsigned)arguments->lines : LINES_DEFAULT};
    int result = show_new(context, &cloud, &query, &tail, &count, error);
    if (result == 0 && count == 0 && !arguments->follow)
        progress_note(context->progress, "job %s has printed nothing%s", name, *from ? " in this time" : "");
    return result == 0 && arguments->follow ? follow(context, &cloud, &query, &tail, error) : result;
}
