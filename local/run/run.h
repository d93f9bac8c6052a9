/* Cloud Run of the local cloud: the Admin API v2 for services and jobs, and the services themselves, each at its own
 * port of 127.0.0.1, running in the engine's sandbox under Cloud Run's contract.
 *
 *   run/PROJECT/REGION/SERVICE.json    the service, its policy, its revisions, its last operations, its port
 *   run/PROJECT/REGION/jobs/JOB.json   the job, its policy, its executions with their tasks, its last operations
 *   logs/PROJECT/REGION/SERVICE.log    what its containers printed (log.h); jobs/JOB.log
 *
 * A change of the template makes a revision. Its container is started, must listen on $PORT within the startup time,
 * and only then gets the traffic; the revision before serves until then, and goes on when the new one fails. An
 * instance that ended, or that belongs to a cloud that was started anew, is started again by the next request.
 *
 * Each instance has a network of its own: two that both insist on port 8080 do not meet. In it, 169.254.169.254 is the
 * metadata server, and 127.0.0.1:PORT of this cloud is this cloud; nothing else can be reached. Where the sandbox can
 * make no network namespace (mode chroot), the instance has the host's network and a free $PORT.
 *
 * An execution of a job runs its tasks at once, as many as its parallelism says (TASKS_AT_ONCE at most), each attempt
 * in a container of its own that has no $PORT. What runs when the cloud stops is cancelled; executions are not resumed.
 *
 * Who may call: allUsers in roles/run.invoker, invokerIamDisabled, an identity token, or whoever runs the cloud: a
 * request that comes directly from that user's programs counts as an authenticated developer's (`start --strict` takes
 * this away). What Hosting forwards never does. */
#ifndef LOCAL_RUN_RUN_H
#define LOCAL_RUN_RUN_H

#include "common/base/error.h"
#include "local/server/server.h"

struct local_cloud;
struct run;

enum { SERVICES_LIMIT = 200, REVISIONS_LIMIT = 1000 };
enum {
    IDLE_SECONDS = 900, /* without a request, then an instance is stopped; Google: up to 15 minutes */
    QUEUE_SECONDS = 10, /* that a request waits for an instance; Google: these, or 3.5 times what a start takes */
};

/* A database of this machine that stands for a Cloud SQL instance: "PROJECT:REGION:NAME=[mysql:]ADDRESS:PORT", an IPv4
 * address or localhost. */
struct run_database {
    char name[201];
    bool is_mysql;
    char address[46];
    unsigned port;
};
int run_database_parse(const char *text, struct run_database *database, struct error *error) MUST_CHECK;

/* Needs cloud->store and cloud->registry. Makes threads. */
struct run *run_open(const struct local_cloud *cloud, struct error *error) MUST_CHECK;
/* Ends every instance and waits for all that is under way. */
void run_close(struct run **run);

/* /v2/projects/P/locations/L/…: whether a path belongs here, and the request. */
bool run_is_path(const char *path);
void run_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);
/* Cloud Logging's entries:list, for what services printed. */
void run_entries_begin(struct local_cloud *cloud, struct request *request, struct reply *reply);

/* Where a service is called ("127.0.0.1", *port). False when there is none. A caller that forwards for somebody else
 * sets X-Forwarded-Host, so that the request is not taken for the developer's own. */
bool run_service_port(const struct local_cloud *cloud, const char *project, const char *region, const char *service,
                      unsigned *port);
/* One line for each service, "NAME REGION URL STATE", into `out`. Needs no running cloud: reads the state. */
void run_list_services(const char *state, struct buffer *out);
/* Likewise for jobs: "NAME REGION LAST-EXECUTION STATE". */
void run_list_jobs(const char *state, struct buffer *out);

#endif
