#include "gcp/logging_options.h"

#include <string.h>
#include <time.h>

enum {
    LINES_DEFAULT = 100,
    LINES_MOST = 1000,
    TEXT_LIMIT = 32 << 20,
    FOLLOW_MILLISECONDS = 2000,
    LOCAL_MILLISECONDS = 300
};

#define MEMBER(name) .offset = offsetof(struct logging_options, name)

const struct option logging_option_rows[] = {
    {.name = "logs", .help = "what it has printed", .kind = OPTION_FLAG, .variable = "", MEMBER(logs)},
    {.name = "follow",
     .help = "with --logs: go on with what comes",
     .kind = OPTION_FLAG,
     .variable = "",
     MEMBER(follow)},
    {.name = "lines",
     .value_name = "N",
     .help = "with --logs: the last so many, 100 without it",
     .kind = OPTION_NUMBER,
     .variable = "",
     MEMBER(lines)},
    {.name = "since",
     .value_name = "TIME",
     .help = "with --logs: of the last 30m, 2h, 7d",
     .kind = OPTION_DURATION,
     .variable = "",
     MEMBER(since)},
    {0},
};

/* RFC 3339 */
static void time_before(long long seconds, char *text, size_t size) {
    time_t then = time(NULL) - (time_t)seconds;
    struct tm parts;
    gmtime_r(&then, &parts);
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* "2026-11-24T06:00:00.123 shop-00001 ERROR text" */
static void add_entry(const struct logging_view *view, const struct json *entry, struct buffer *out) {
    const char *text = logging_entry_text(entry), *severity = json_get_text(entry, "severity", "DEFAULT");
    bool is_default = text_equal(severity, "DEFAULT");
    AUTO_LIST struct text_list lines = {0};
    if (text_is_empty(text))
        return;
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (!*lines.items[i] && i + 1 == lines.count)
            continue;
        buffer_append_format(out, "%.23s ", json_get_text(entry, "timestamp", ""));
        view->add_origin(entry, out);
        buffer_append_format(out, " %s%s%s\n", is_default ? "" : severity, is_default ? "" : " ", lines.items[i]);
    }
}

static int print_new(struct command_context *context, struct cloud *cloud, const struct logging_view *view,
                     struct log_tail *tail, size_t *count, struct error *error) {
    AUTO_JSON struct json *news = NULL;
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    if (log_tail_read(cloud, &view->query, tail, &news, error) < 0)
        return -1;
    *count = json_count(news);
    for (size_t i = 0; i < json_count(news); i++)
        add_entry(view, json_at(news, i), &out);
    return out.length > 0 ? command_print_scrubbed(context, &out, "the log", error) : 0;
}

static int follow(struct command_context *context, struct cloud *cloud, const struct logging_view *view,
                  struct log_tail *tail, struct error *error) {
    const long milliseconds = endpoints_are_local() ? LOCAL_MILLISECONDS : FOLLOW_MILLISECONDS;
    const struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    size_t count;
    while (!progress_cancelled(context->progress)) {
        nanosleep(&pause, NULL);
        if (progress_cancelled(context->progress))
            break;
        cloud_renew(cloud);
        if (print_new(context, cloud, view, tail, &count, error) < 0)
            return progress_cancelled(context->progress) ? 0 : -1;
    }
    return 0;
}

int logging_options_check(const struct logging_options *options, struct error *error) {
    return options->lines > LINES_MOST ? error_set(error, ERROR_USAGE, "--lines can be at most %d", LINES_MOST) : 0;
}

int logging_view_print(struct command_context *context, struct cloud *cloud, const struct logging_options *options,
                       const struct logging_view *view, struct error *error) {
    AUTO_LOG_TAIL struct log_tail tail = {0};
    struct logging_view asked = *view;
    char from[40] = "";
    size_t count = 0;
    if (options->since > 0)
        time_before(options->since, from, sizeof(from));
    asked.query.from = *from ? from : NULL;
    asked.query.most = options->lines > 0 ? (unsigned)options->lines : LINES_DEFAULT;
    if (print_new(context, cloud, &asked, &tail, &count, error) < 0)
        return -1;
    if (count == 0 && !options->follow)
        progress_note(context->progress, "%s %s has printed nothing%s", view->noun, view->name,
                      *from ? " in this time" : "");
    return options->follow ? follow(context, cloud, &asked, &tail, error) : 0;
}
