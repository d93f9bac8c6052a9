/* The version of pl, in one place. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define PL_VERSION "0.1.0"

#endif
