/* Where Cloud Run is, for clients that let people choose. The local cloud takes any region. */
#include "local/knative/internal.h"

static const char *const regions[] = {"africa-south1",
                                      "asia-east1",
                                      "asia-east2",
                                      "asia-northeast1",
                                      "asia-northeast2",
                                      "asia-northeast3",
                                      "asia-south1",
                                      "asia-south2",
                                      "asia-southeast1",
                                      "asia-southeast2",
                                      "australia-southeast1",
                                      "australia-southeast2",
                                      "europe-central2",
                                      "europe-north1",
                                      "europe-north2",
                                      "europe-southwest1",
                                      "europe-west1",
                                      "europe-west2",
                                      "europe-west3",
                                      "europe-west4",
                                      "europe-west6",
                                      "europe-west8",
                                      "europe-west9",
                                      "europe-west10",
                                      "europe-west12",
                                      "me-central1",
                                      "me-central2",
                                      "me-west1",
                                      "northamerica-northeast1",
                                      "northamerica-northeast2",
                                      "northamerica-south1",
                                      "southamerica-east1",
                                      "southamerica-west1",
                                      "us-central1",
                                      "us-east1",
                                      "us-east4",
                                      "us-east5",
                                      "us-south1",
                                      "us-west1",
                                      "us-west2",
                                      "us-west3",
                                      "us-west4"};

void knative_locations(struct knative_call *call) {
    if (!request_is(call->request, "GET"))
        return;
    struct json *answer = json_new_object(), *locations = json_new_array();
    for (size_t i = 0; i < ARRAY_LENGTH(regions); i++) {
        struct json *location = json_new_object();
        AUTO_FREE char *name = text_format("projects/%s/locations/%s", call->path->project, regions[i]);
        json_set_text(location, "name", name);
        json_set_text(location, "locationId", regions[i]);
        json_append(locations, location);
    }
    json_set(answer, "locations", locations);
    reply_json(call->reply, 200, answer);
}
