/* Rewrites to Cloud Run services: looked up before anything is sent, since Hosting only says "Precondition check
 * failed" about those that it does not find, and pinned to a revision where firebase.json says pinTag.
 *
 * A pinned rewrite goes to the revision that served when the version was made, also after later deployments of the
 * service: the revision gets a tag of the form fh-VERSION, as firebase-tools gives it. */
#ifndef FIREBASE_HOSTING_SERVICES_H
#define FIREBASE_HOSTING_SERVICES_H

#include "firebase/config/config.h"
#include "firebase/hosting/hosting.h"

struct services {
    struct hosting *hosting;
    const char *file; /* how messages name firebase.json */
    struct site_config *config;
    struct json **found; /* for each of config->services: the service, or NULL where it is none or may not be read */
    struct buffer pins;  /* which rewrite is pinned to which revision: part of what makes a version what it is */
};

/* Looks up every service; config->serving is completed: a function of the second generation becomes the service that it
 * is, a pinned revision that has a tag already gets it. ERROR_CONFIGURATION naming the line of firebase.json: no such
 * service, in another region, without a ready revision. `channel`: a preview may not pin what live does not pin. */
int services_resolve(struct services *services, struct hosting *hosting, const char *file, struct site_config *config,
                     const char *channel, struct error *error) MUST_CHECK;
/* Gives the revisions that are to be pinned their tags (fh-VERSION) and puts these into `serving`. */
int services_pin(struct services *services, const char *version, struct json *serving, struct error *error) MUST_CHECK;
void services_release(struct services *services);
#define AUTO_SERVICES AUTO(services_release)

#endif
