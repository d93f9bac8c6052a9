/* How many threads are of use. */
#ifndef BASE_PROCESSORS_H
#define BASE_PROCESSORS_H

/* The processors that this process may run on (taskset, a container's cpuset), at least 1. What is made with several
 * threads must be the same with one. */
unsigned processors_usable(void);

#endif
