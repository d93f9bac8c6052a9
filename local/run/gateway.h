/* Ways out of an instance: who connects to a listener reaches an address of the host. */
#ifndef LOCAL_RUN_GATEWAY_H
#define LOCAL_RUN_GATEWAY_H

#include "local/run/internal.h"

enum { GATEWAY_WAYS_MOST = 32 };

struct gateway;
/* Takes no connections yet. */
struct gateway *gateway_new(struct run *run);
/* Takes the listener; -1, and one too many, are left out. */
void gateway_add(struct gateway *gateway, int listener, const char *address, unsigned port);
/* False: no thread could be made. */
bool gateway_start(struct gateway *gateway);
/* The metadata server and this cloud, in an instance's network. NULL: no thread could be made. */
struct gateway *gateway_open(struct run *run, int network);
void gateway_close(struct gateway **gateway);

#endif
