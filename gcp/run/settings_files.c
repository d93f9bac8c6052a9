/* A whole service from a file. */
#include "gcp/run/knative.h"
#include "gcp/run/plan.h"
#include "gcp/run/settings.h"

#include <string.h>

static int read_service(struct run_settings *settings, struct error *error) {
    AUTO_JSON struct json *file = run_document_read(settings->service_file, run_knative_service, error);
    if (!file)
        return -1;
    const struct json *template = json_get(file, "template");
    if (!json_is_object(file) || (template && !json_is_object(template)) ||
        (json_get(template, "containers") && !json_is_array(json_get(template, "containers")))) {
        error_set(error, ERROR_DATA, "%s is no Service of the Cloud Run API", settings->service_file);
        return error_next(error, "what one looks like: pl-run-deploy SERVICE --region REGION --export");
    }
    const char *name = json_get_text(file, "name", NULL), *slash = name ? strrchr(name, '/') : NULL;
    settings->service_name = text_copy(slash ? slash + 1 : name);
    settings->service = run_service_writable(file);
    json_remove(settings->service, "traffic");
    return 0;
}

int run_settings_read(struct run_settings *settings, struct error *error) {
    if (settings->service_file && read_service(settings, error) < 0)
        return -1;
    return run_workload_read(&settings->workload, error);
}

void run_settings_release(struct run_settings *settings) {
    json_release(&settings->service);
    free(take_pointer(&settings->service_name));
}
