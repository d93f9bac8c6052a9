/* Cloud SQL's sockets in an instance: each leads to a database of this machine that whoever started the cloud has named
 * (run.h). PostgreSQL's is INSTANCE/.s.PGSQL.5432 in the volume, MySQL's is INSTANCE. */
#ifndef LOCAL_RUN_DATABASES_H
#define LOCAL_RUN_DATABASES_H

#include "local/run/container.h"

/* Makes instance->databases where a volume has Cloud SQL instances. -1 with *failure when one is not named. */
int databases_open(struct instance *instance, const struct json *document, struct failure *failure);
void databases_close(struct databases **databases);
/* What is mounted; borrowed. */
const char *databases_directory(const struct databases *databases);

#endif
