/* --enable-apis: switches on what the deployment needs and the project has off. */
#include "gcp/service_usage.h"
#include "tools/pl-run-deploy/actions.h"

static void list_apis(const struct run_settings *settings, struct text_list *apis) {
    const struct run_workload *workload = &settings->workload;
    text_list_add(apis, endpoint_service(ENDPOINT_RUN));
    if (workload->secrets.count > 0)
        text_list_add(apis, endpoint_service(ENDPOINT_SECRET_MANAGER));
    if (workload->cloudsql_instances.count > 0)
        text_list_add(apis, "sqladmin.googleapis.com");
    if (workload->vpc_connector)
        text_list_add(apis, "vpcaccess.googleapis.com");
    if (workload->network || workload->subnet)
        text_list_add(apis, "compute.googleapis.com");
}

/* The service as it would be, to those who must permit it: a service of an API that is off is a new one. */
static int permit(struct cloud *cloud, const struct run_deployment *deployment, bool is_new, struct error *error) {
    AUTO_FREE char *path = run_service_path(cloud, deployment->service);
    AUTO_JSON struct json *current = NULL;
    if (!deployment->permit)
        return 0;
    if (!is_new && run_service_get(cloud, path, &current, error) < 0)
        return -1;
    AUTO_JSON struct json *after = run_service_writable(current);
    run_settings_apply(deployment->settings, after);
    return deployment->permit(deployment->permit_context, current, after, error);
}

int apis_enable(struct cloud *cloud, const struct run_deployment *deployment, struct error *error) {
    AUTO_LIST struct text_list apis = {0}, off = {0};
    list_apis(deployment->settings, &apis);
    if (service_usage_find_off(cloud, &apis, &off, error) < 0)
        return -1;
    if (off.count == 0)
        return 0;
    return permit(cloud, deployment, text_list_contains(&off, endpoint_service(ENDPOINT_RUN)), error) < 0
               ? -1
               : service_usage_enable(cloud, &off, error);
}
