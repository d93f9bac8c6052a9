/* The version of pl, in one place. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define PL_VERSION "0.1.0"
/* Its day, on the manual pages. */
#define PL_DATE "2026-11-24"

#endif
