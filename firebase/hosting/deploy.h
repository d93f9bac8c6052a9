/* One deployment: from files and configuration to a channel that shows them.
 *
 * Before the release nothing that is served changes; the release changes all at once. What is interrupted is taken up
 * again: a version carries the hash of files and configuration as the label "pl-content", so the next run finds it,
 * whichever machine it runs on, and sends only what is missing. */
#ifndef FIREBASE_HOSTING_DEPLOY_H
#define FIREBASE_HOSTING_DEPLOY_H

#include "firebase/hosting/content.h"
#include "firebase/hosting/hosting.h"

struct hosting_deployment {
    struct site_files *files;  /* sorted */
    const struct json *config; /* a ServingConfig */
    const char *channel;       /* an id; "live" */
    int64_t ttl;               /* seconds until a preview channel ends; not looked at for live */
    bool evict_expired;        /* delete channels that have expired when the site can have no more */
    const char *message;       /* of the release, may be NULL */
    const char *pins;          /* what the configuration leaves open (see services.h), may be NULL */
    /* Completes the configuration once the version's id is known; may be NULL. */
    int (*complete)(void *context, const char *version, struct json *config, struct error *error);
    void *context;
};

struct hosting_outcome {
    bool unchanged; /* the channel showed exactly this: nothing was released */
    bool resumed;   /* a version was there already */
    char *url;
    char *version;     /* its id */
    char *expire_time; /* of the channel; NULL for one that does not end */
    struct content_outcome content;
};
void hosting_outcome_release(struct hosting_outcome *outcome);
#define AUTO_HOSTING_OUTCOME AUTO(hosting_outcome_release)

int hosting_deploy(struct hosting *hosting, const struct hosting_deployment *deployment,
                   struct hosting_outcome *outcome, struct error *error) MUST_CHECK;

/* How what is deployed differs from what the channel shows. */
struct hosting_difference {
    size_t added, changed, removed;
    bool config;  /* the configuration differs */
    bool foreign; /* what is shown was packed by another tool, so that equal files may count as changed */
    struct buffer text;
};
/* What hosting_deploy would do, one line for each path and setting that differs: "+ /a", "~ /b", "- /c", then the
 * configuration. Changes nothing. */
int hosting_deploy_dry(struct hosting *hosting, const struct hosting_deployment *deployment,
                       struct hosting_difference *difference, struct error *error) MUST_CHECK;

#endif
