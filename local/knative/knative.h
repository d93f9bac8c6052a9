/* Cloud Run's API v1, the one that gcloud speaks: Kubernetes objects of Knative's kinds. There is one truth, the
 * documents of v2 (local/run); what v1 says is made of them, and what a client of v1 writes becomes one of them.
 * Nothing that one of the two can say is lost when the other writes: what v1 has no word for stays when a client of v1
 * replaces a service that he has read, and what v2 has no word for is kept in annotations that v2 does not show.
 *
 *   /apis/serving.knative.dev/v1/namespaces/PROJECT/{services,revisions,routes,configurations}[/NAME]
 *   /apis/run.googleapis.com/v1/namespaces/PROJECT/{jobs,executions,tasks}[/NAME][:run, :cancel]
 *   /v1/projects/PROJECT/locations/REGION/{services,revisions,jobs,…}[/NAME][:getIamPolicy, …]
 *   /v1/projects/PROJECT/locations[/REGION/operations/OPERATION:wait]
 *
 * In the first form the region is in the name of the host, as at Google, where it is REGION-run.googleapis.com: here
 * REGION-run.googleapis.localhost. Without one (run.googleapis.localhost, 127.0.0.1) a list has every region, a name is
 * looked for in all of them, and what is made must say where by the label cloud.googleapis.com/location.
 *
 * Errors are Google's: a google.rpc.Status whose BadRequest names the field. */
#ifndef LOCAL_KNATIVE_KNATIVE_H
#define LOCAL_KNATIVE_KNATIVE_H

#include "local/server/server.h"

struct local_cloud;

bool knative_is_path(const char *path);
void knative_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

#endif
