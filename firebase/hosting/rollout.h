/* Showing a version that is there already: promoting a preview, going back. */
#ifndef FIREBASE_HOSTING_ROLLOUT_H
#define FIREBASE_HOSTING_ROLLOUT_H

#include "firebase/hosting/deploy.h"

/* Makes live show what `channel` shows. */
int hosting_promote(struct hosting *hosting, const char *channel, const char *message, struct hosting_outcome *outcome,
                    struct error *error) MUST_CHECK;

/* Makes the channel show `version` (its id, or a resource name), or, when that is NULL, the newest version that it
 * showed before and that is older than the one it shows; so each repetition goes one further back. */
int hosting_rollback(struct hosting *hosting, const char *channel, const char *version, const char *message,
                     struct hosting_outcome *outcome, struct error *error) MUST_CHECK;

#endif
