#include "tools/pl-run-job/policy.h"

#include "registry/registries.h"

static int find_container(void *context, const char *image, struct store *store, struct digest *container, bool *found,
                          struct error *error) {
    const struct permission *permission = context;
    struct cloud *cloud = permission->cloud;
    AUTO_GOOGLE_LOGIN struct google_login login = {
        .options = &permission->arguments->credentials, .progress = cloud->progress, .credentials = cloud->credentials};
    AUTO_REGISTRIES struct registries registries = {
        .progress = cloud->progress, .open = google_login_open, .context = &login};
    struct image_source source = registries_source(&registries);
    if (image_source_config(&source, image, "linux/amd64", store, container, error) < 0)
        return error_wrap(error, "cannot look at the image");
    *found = true;
    return 0;
}

void permission_labels(const struct permission *permission, const struct run_job_settings *settings,
                       struct text_list *labels) {
    AUTO_JSON struct json *job = json_new_object();
    run_job_settings_apply(settings, job);
    const struct hop_list *hops = credentials_hops(permission->cloud->credentials);
    const struct policy_subject subject = {.kind = POLICY_JOB,
                                           .name = permission->job,
                                           .project = permission->cloud->project,
                                           .region = permission->cloud->region,
                                           .planned = job,
                                           .claims = hops ? hops->claims : NULL};
    text_list_add_all(labels, &settings->workload.labels);
    policy_labels(permission->policies, &subject, labels);
}

int permission_check(void *context, const struct json *current, const struct json *after, struct error *error) {
    struct permission *permission = context;
    struct cloud *cloud = permission->cloud;
    const struct hop_list *hops = credentials_hops(cloud->credentials);
    (void)current;
    const struct policy_subject subject = {.kind = POLICY_JOB,
                                           .name = permission->job,
                                           .project = cloud->project,
                                           .region = cloud->region,
                                           .planned = after,
                                           .scans = permission->scans,
                                           .claims = hops ? hops->claims : NULL,
                                           .context = permission,
                                           .find_container = find_container};
    return policy_enforce(permission->policies, &subject, cloud->progress, error);
}
