/* The hosts from whose pages people may sign in: the authorized domains of Firebase Authentication.
 *
 * The host of a preview is not among them by itself, and without it signing in with a provider fails there; so
 * firebase-tools adds it when it deploys a preview, and removes those of previews that are gone. Reference: the
 * discovery document of identitytoolkit.v2 (projects.getConfig, projects.updateConfig). */
#ifndef FIREBASE_HOSTING_DOMAINS_H
#define FIREBASE_HOSTING_DOMAINS_H

#include "firebase/hosting/hosting.h"

/* After this the host of `url` (NULL: none) is authorized, and those of the site's previews that are gone are not.
 * Nothing is written when that is so already, or when the project has no Firebase Authentication. */
int hosting_domains_update(struct hosting *hosting, const char *url, struct error *error) MUST_CHECK;

#endif
