/* Where the services of rewrites answer: the one place where Hosting asks the local Cloud Run. */
#ifndef LOCAL_HOSTING_SERVICES_H
#define LOCAL_HOSTING_SERVICES_H

#include <stdbool.h>

struct local_cloud;

/* The port on 127.0.0.1. False when the project has no such service in that region. */
bool service_find(const struct local_cloud *cloud, const char *region, const char *service, unsigned *port);

#endif
