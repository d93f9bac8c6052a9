/* A region that a path names. */
#include "common/region/region.h"
#include "local/run/internal.h"

#include <string.h>

bool region_admits(const char *name, struct reply *reply) {
    bool exists = text_equal(name, "-");
    for (const struct region *region = regions; region->name && !exists; region++)
        exists = text_equal(region->name, name);
    if (!exists)
        reply_google_error(reply, 403, "Permission denied on 'locations/%s' (or it may not exist).", name);
    return exists;
}
