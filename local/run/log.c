#include "local/run/log.h"

#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

enum { FOLLOW_MILLISECONDS = 100 };

char *run_log_path(const char *state, const char *project, const char *region, const char *service) {
    return text_format("%s/logs/%s/%s/%s.log", state, project, region, service);
}

void run_time_now(char *text, size_t size) {
    struct timespec now;
    struct tm parts;
    char seconds[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, size, "%s.%06ldZ", seconds, now.tv_nsec / 1000);
}

/* The file is locked while a line is added, so that only one of its writers turns it over. */
static int open_for_append(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat info;
    if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &info) < 0 || info.st_size < RUN_LOG_LIMIT)
        return fd;
    AUTO_FREE char *old = text_format("%s.1", path);
    int turned = rename(path, old);
    close(fd);
    return turned == 0 ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
}

void run_log_append(const char *path, const struct run_log_origin *origin, const char *text, size_t length) {
    AUTO_JSON struct json *entry = json_new_object();
    AUTO_FREE char *line = text_copy_length(text, length < RUN_LOG_LINE ? length : RUN_LOG_LINE);
    char now[40];
    run_time_now(now, sizeof(now));
    json_set_text(entry, "time", now);
    json_set_text(entry, "revision", origin->revision);
    json_set_text(entry, "instance", origin->instance);
    if (origin->container)
        json_set_text(entry, "container", origin->container);
    json_set_text(entry, "text", line);
    AUTO_FREE char *json = json_format(entry, JSON_COMPACT_STYLE);
    AUTO_FREE char *whole = text_format("%s\n", json);
    AUTO_CLOSE int fd = open_for_append(path);
    struct error ignored;
    if (fd >= 0 && fd_write_all(fd, whole, strlen(whole), &ignored) < 0)
        error_clear(&ignored);
}

/* Told by the line's beginning, so that what is older is not parsed. */
static bool is_before(const char *line, const char *since) {
    static const char prefix[] = "{\"time\":\"";
    return since && text_starts_with(line, prefix) && strncmp(line + strlen(prefix), since, strlen(since)) < 0;
}

/* Calls `each` for the whole lines of a stream; false when `each` wanted no more. */
static bool read_entries(FILE *file, const char *since, bool (*each)(void *, const struct json *), void *context) {
    AUTO_FREE char *line = NULL;
    size_t size = 0;
    ssize_t length;
    long begin = ftell(file);
    while ((length = getline(&line, &size, file)) > 0 && line[length - 1] == '\n') {
        AUTO_JSON struct json *entry =
            is_before(line, since) ? NULL : json_parse(line, (size_t)length, "a log entry", NULL);
        if (json_is_object(entry) && !each(context, entry))
            return false;
        begin = ftell(file);
    }
    /* Half a line is read again when it is whole. */
    fseek(file, begin, SEEK_SET);
    clearerr(file);
    return true;
}

void run_log_each(const char *path, const char *since, bool (*each)(void *, const struct json *), void *context) {
    AUTO_FREE char *old = text_format("%s.1", path);
    AUTO_FILE FILE *before = fopen(old, "re");
    AUTO_FILE FILE *now = fopen(path, "re");
    if (!before || read_entries(before, since, each, context))
        if (now)
            read_entries(now, since, each, context);
}

/* ---- for the tool ---- */

struct tail {
    struct text_list *lines;
    size_t most, total;
};

/* "[cache] text" of one container of several. The caller frees. */
static char *shown(const struct json *entry) {
    const char *container = json_get_text(entry, "container", NULL), *text = json_get_text(entry, "text", "");
    return container ? text_format("[%s] %s", container, text) : text_copy(text);
}

static bool keep(void *context, const struct json *entry) {
    struct tail *tail = context;
    if (tail->most == 0)
        return true;
    if (tail->lines->count < tail->most) {
        text_list_take(tail->lines, shown(entry));
    } else {
        char **slot = &tail->lines->items[tail->total % tail->most];
        free(*slot);
        *slot = shown(entry);
    }
    tail->total++;
    return true;
}

/* The regions (or the one that is wanted) that have "NAME" or "jobs/NAME", as a log or as a state. */
static void find_regions(const struct run_log_query *query, const char *wanted, const char *name,
                         struct text_list *with) {
    static const char *const folders[] = {"logs", "run"}, *const endings[] = {"log", "json"};
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        AUTO_LIST struct text_list regions = {0};
        AUTO_FREE char *folder = text_format("%s/%s/%s", query->state, folders[i], query->project);
        if (!directory_exists(folder) || directory_list(folder, &regions, NULL) < 0)
            continue;
        for (size_t j = 0; j < regions.count; j++) {
            const char *region = regions.items[j];
            AUTO_FREE char *file = text_format("%s/%s/%s.%s", folder, region, name, endings[i]);
            if ((!wanted || text_equal(region, wanted)) && file_exists(file) && !text_list_contains(with, region))
                text_list_add(with, region);
        }
    }
}

/* Of the service of that name; of the job, when there is no such service. */
static int find_log(const struct run_log_query *query, char **path, struct error *error) {
    AUTO_LIST struct text_list with = {0};
    const char *slash = strchr(query->service, '/');
    const char *name = slash ? slash + 1 : query->service;
    AUTO_FREE char *region = slash ? text_copy_length(query->service, (size_t)(slash - query->service)) : NULL;
    AUTO_FREE char *job = text_format("jobs/%s", name);
    if (!path_is_below(query->service) || strchr(name, '/'))
        return error_set(error, ERROR_USAGE, "\"%.80s\" is no service and no job", query->service);
    find_regions(query, region, name, &with);
    bool of_service = with.count > 0;
    if (!of_service)
        find_regions(query, region, job, &with);
    if (with.count == 1) {
        *path = run_log_path(query->state, query->project, with.items[0], of_service ? name : job);
        return 0;
    }
    if (with.count > 1) {
        error_set(error, ERROR_USAGE, "%s %.60s is in several regions", of_service ? "service" : "job", name);
        return error_next(error, "name one: pl-local logs %s/%.60s", with.items[0], name);
    }
    error_set(error, ERROR_NO_INPUT, "there is no service and no job %.80s", query->service);
    return error_next(error, "see what there is: pl-local status");
}

struct passing {
    const struct run_log_query *query;
    struct error *error;
    bool failed;
};

static bool write_entry(void *context, const struct json *entry) {
    struct passing *passing = context;
    AUTO_FREE char *text = shown(entry), *line = text_format("%s\n", text);
    passing->failed = passing->query->write(passing->query->context, line, passing->error) < 0;
    return !passing->failed;
}

static int follow(const struct run_log_query *query, const char *path, long from, struct error *error) {
    struct passing passing = {.query = query, .error = error};
    AUTO_FILE FILE *file = fopen(path, "re");
    if (file)
        fseek(file, from, SEEK_SET);
    while (!query->cancelled(query->context)) {
        struct stat open_one, named;
        if (file && !read_entries(file, NULL, write_entry, &passing) && passing.failed)
            return -1;
        /* The log was turned over, or has just begun. */
        bool other =
            stat(path, &named) == 0 && (!file || fstat(fileno(file), &open_one) < 0 || open_one.st_ino != named.st_ino);
        if (other) {
            cleanup_file(&file);
            file = fopen(path, "re");
            continue;
        }
        nanosleep(&(struct timespec){.tv_nsec = FOLLOW_MILLISECONDS * 1000000}, NULL);
    }
    return 0;
}

int run_log_show(const struct run_log_query *query, struct error *error) {
    AUTO_FREE char *path = NULL;
    AUTO_LIST struct text_list lines = {0};
    if (find_log(query, &path, error) < 0)
        return -1;
    struct stat info = {0};
    long end = stat(path, &info) == 0 ? (long)info.st_size : 0;
    struct tail tail = {.lines = &lines, .most = query->lines};
    run_log_each(path, NULL, keep, &tail);
    for (size_t i = 0; i < lines.count; i++) {
        size_t at = tail.total > tail.most ? (tail.total + i) % tail.most : i;
        AUTO_FREE char *line = text_format("%s\n", lines.items[at]);
        if (query->write(query->context, line, error) < 0)
            return -1;
    }
    return query->follow ? follow(query, path, end, error) : 0;
}
