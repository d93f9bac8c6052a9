/* Where Cloud Run is, for clients that let people choose. */
#include "common/region/region.h"
#include "local/knative/internal.h"

void knative_locations(struct knative_call *call) {
    if (!request_is(call->request, "GET"))
        return;
    struct json *answer = json_new_object(), *locations = json_new_array();
    for (const struct region *region = regions; region->name; region++) {
        struct json *location = json_new_object();
        AUTO_FREE char *name = text_format("projects/%s/locations/%s", call->path->project, region->name);
        json_set_text(location, "name", name);
        json_set_text(location, "locationId", region->name);
        json_append(locations, location);
    }
    json_set(answer, "locations", locations);
    reply_json(call->reply, 200, answer);
}
