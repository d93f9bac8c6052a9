#include "local/hosting/services.h"

#include "local/cloud.h"
#include "local/run/run.h"

bool service_find(const struct local_cloud *cloud, const char *region, const char *service, unsigned *port) {
    return run_service_port(cloud, cloud->project, region, service, port);
}
