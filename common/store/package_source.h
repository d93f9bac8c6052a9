/* How engine gets packages of npm's registry without knowing HTTP: registry/ implements this, a tool connects the two.
 */
#ifndef STORE_PACKAGE_SOURCE_H
#define STORE_PACKAGE_SOURCE_H

#include "common/store/store.h"

struct package_source {
    void *context;
    /* Fetches the tarball of NAME@VERSION into the store, checked against `integrity` ("sha512-…"); NULL: against the
     * one that the registry itself tells. ERROR_DATA: there is no such version; ERROR_PROTOCOL: it is not what it must
     * be; ERROR_PERMISSION; ERROR_UNAVAILABLE. */
    int (*tarball)(void *context, const char *name, const char *version, const char *integrity, struct store *store,
                   struct digest *digest, struct error *error);
};

#endif
