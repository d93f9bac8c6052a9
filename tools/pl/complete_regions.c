/* Regions, and the hosts of Artifact Registry in them. */
#include "tools/pl/complete.h"

#include "common/region/region.h"

void complete_regions(struct completion *completion) {
    for (const struct region *region = regions; region->name; region++)
        complete_offer(completion, region->name, region->place);
}

void complete_registry_hosts(struct completion *completion) {
    for (const struct region *region = regions; region->name; region++) {
        AUTO_FREE char *host = text_format("%s-docker.pkg.dev", region->name);
        complete_offer(completion, host, region->place);
    }
}
