#include "gcp/run/explain.h"

#include "gcp/logging.h"
#include "gcp/run/failure.h"
#include "gcp/run/revision.h"
#include "gcp/run/service.h"

#include <string.h>
#include <time.h>

enum { LOG_LINES = 40, LOG_TRIES = 4 };

static char *conditions_text(const struct json *revision) {
    AUTO_BUFFER struct buffer text = BUFFER(65536);
    const struct json *conditions = json_get(revision, "conditions");
    for (size_t i = 0; i < json_count(conditions); i++)
        if (text_equal(json_get_text(json_at(conditions, i), "state", NULL), "CONDITION_FAILED"))
            buffer_append_format(&text, "%s %s\n", json_get_text(json_at(conditions, i), "reason", ""),
                                 json_get_text(json_at(conditions, i), "message", ""));
    return buffer_take(&text);
}

/* Log lines appear in Cloud Logging some seconds after they were printed. */
static void read_lines(struct cloud *cloud, const char *service, const char *revision, struct text_list *lines) {
    for (int i = 0; i < LOG_TRIES && !lines->count && !progress_cancelled(cloud->progress); i++) {
        struct timespec pause = {.tv_sec = i ? 2 : 0};
        if (!endpoints_are_local())
            nanosleep(&pause, NULL);
        if (logging_revision_lines(cloud, service, revision, LOG_LINES, lines, NULL) < 0 || endpoints_are_local())
            return;
    }
}

void run_show_last_lines(struct cloud *cloud, const char *service, const char *revision, struct text_list *lines) {
    AUTO_LIST struct text_list own = {0};
    struct text_list *all = lines ? lines : &own;
    read_lines(cloud, service, revision, all);
    int step = progress_begin(cloud->progress, "the last lines of %s", revision);
    for (size_t i = 0; i < all->count; i++) {
        progress_output(cloud->progress, step, all->items[i], strlen(all->items[i]));
        progress_output(cloud->progress, step, "\n", 1);
    }
    progress_end(cloud->progress, step, PROGRESS_FAILED);
}

int run_explain_failure(struct cloud *cloud, const char *path, const struct json *status, struct error *error) {
    const char *short_name = run_short_name(path);
    AUTO_JSON struct json *service = NULL;
    AUTO_JSON struct json *revision = NULL;
    AUTO_LIST struct text_list lines = {0};
    const char *created = NULL;
    if (run_service_get(cloud, path, &service, NULL) == 0)
        created = json_get_text(service, "latestCreatedRevision", NULL);
    const char *name = run_short_name(created);
    if (created && run_is_revision_name(name)) {
        AUTO_FREE char *revision_path = text_format("%s/revisions/%s", path, name);
        if (run_revision_get(cloud, revision_path, &revision, NULL) < 0)
            revision = NULL;
        run_show_last_lines(cloud, short_name, name, &lines);
    }
    AUTO_FREE char *conditions = conditions_text(revision);
    struct run_diagnosis diagnosis = run_failure_diagnose(status, conditions, &lines);
    const char *serving = run_service_serving_revision(service);
    if (serving && !text_equal(serving, name))
        progress_note(
            cloud->progress,
            "revision %s serves as before; the next deployment begins from the settings of the one that failed",
            serving);
    return run_failure_set(error, &diagnosis, status, short_name, name);
}
