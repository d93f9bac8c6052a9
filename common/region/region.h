/* The regions of Cloud Run with what people call them: https://cloud.google.com/run/docs/locations. */
#ifndef REGION_REGION_H
#define REGION_REGION_H

struct region {
    const char *name;  /* "us-central1" */
    const char *place; /* "Iowa" */
};
/* In the order of their names; ends with a row without a name. */
extern const struct region regions[];

#endif
