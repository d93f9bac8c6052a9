/* The regions of Cloud Run with what people call them: https://cloud.google.com/run/docs/locations. */
#include "tools/pl/complete.h"

static const char *const regions[][2] = {
    {"africa-south1", "Johannesburg"},
    {"asia-east1", "Taiwan"},
    {"asia-east2", "Hong Kong"},
    {"asia-northeast1", "Tokyo"},
    {"asia-northeast2", "Osaka"},
    {"asia-northeast3", "Seoul"},
    {"asia-south1", "Mumbai"},
    {"asia-south2", "Delhi"},
    {"asia-southeast1", "Singapore"},
    {"asia-southeast2", "Jakarta"},
    {"asia-southeast3", "Bangkok"},
    {"australia-southeast1", "Sydney"},
    {"australia-southeast2", "Melbourne"},
    {"europe-central2", "Warsaw"},
    {"europe-north1", "Finland"},
    {"europe-north2", "Stockholm"},
    {"europe-southwest1", "Madrid"},
    {"europe-west1", "Belgium"},
    {"europe-west10", "Berlin"},
    {"europe-west12", "Turin"},
    {"europe-west2", "London"},
    {"europe-west3", "Frankfurt"},
    {"europe-west4", "Netherlands"},
    {"europe-west6", "Zürich"},
    {"europe-west8", "Milan"},
    {"europe-west9", "Paris"},
    {"me-central1", "Doha"},
    {"me-central2", "Dammam"},
    {"me-west1", "Tel Aviv"},
    {"northamerica-northeast1", "Montréal"},
    {"northamerica-northeast2", "Toronto"},
    {"northamerica-south1", "Mexico"},
    {"southamerica-east1", "São Paulo"},
    {"southamerica-west1", "Santiago"},
    {"us-central1", "Iowa"},
    {"us-east1", "South Carolina"},
    {"us-east4", "Northern Virginia"},
    {"us-east5", "Columbus"},
    {"us-south1", "Dallas"},
    {"us-west1", "Oregon"},
    {"us-west2", "Los Angeles"},
    {"us-west3", "Salt Lake City"},
    {"us-west4", "Las Vegas"},
};

void complete_regions(struct completion *completion) {
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
        complete_offer(completion, regions[i][0], regions[i][1]);
}

void complete_registry_hosts(struct completion *completion) {
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        AUTO_FREE char *host = text_format("%s-docker.pkg.dev", regions[i][0]);
        complete_offer(completion, host, regions[i][1]);
    }
}
