/* Private to firebase/hosting. */
#ifndef FIREBASE_HOSTING_INTERNAL_H
#define FIREBASE_HOSTING_INTERNAL_H

#include "firebase/hosting/deploy.h"

#include <time.h>

/* All pages of a list; *all is an array of what stands under `key`. */
int hosting_list(struct cloud *cloud, const char *url, const char *key, const char *what, struct json **all,
                 struct error *error) MUST_CHECK;

/* Reads Google's time ("2026-01-31T12:00:00.123456Z"); false when it is none. */
bool hosting_time(const char *text, struct timespec *time);
bool hosting_is_later(const struct timespec *time, const struct timespec *other);

/* What a channel shows, into an outcome. */
int hosting_describe(struct hosting *hosting, const struct json *channel, struct hosting_outcome *outcome,
                     struct error *error) MUST_CHECK;

#endif
