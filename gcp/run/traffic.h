/* Who gets the requests of a service: planning its `traffic`. No network here.
 *
 * `service` is a Service of the API. What is planned is always a new list for its `traffic` (the caller releases it);
 * tags stay with the revisions that they name. A target of 0 percent is only there for its tag. */
#ifndef GCP_RUN_TRAFFIC_H
#define GCP_RUN_TRAFFIC_H

#include "common/base/text.h"
#include "common/json/json.h"

/* All to the newest revision, now and in the future (a target of type LATEST). */
struct json *run_traffic_latest(const struct json *service);
/* As it is now, but no revision that comes later gets anything: LATEST becomes the revision that it means. */
struct json *run_traffic_pinned(const struct json *service);
/* All to one revision (short name): to LATEST when it is the newest one that is ready. */
struct json *run_traffic_all(const struct json *service, const char *revision);
/* `percent` to one revision; what the others have is made smaller in proportion, and adds up with it to 100. */
struct json *run_traffic_share(const struct json *service, const char *revision, unsigned percent);
/* Gives the tag to a revision; it is taken from the one that had it. */
void run_traffic_tag(struct json *traffic, const char *tag, const char *revision);
void run_traffic_untag(struct json *traffic, const char *tag);
/* "NAME=PERCENT" each; NAME is a revision, a tag or "latest". ERROR_USAGE when they do not add up to 100,
 * ERROR_CONFIGURATION when a name is unknown as a tag and no revision's. */
struct json *run_traffic_parse(const struct json *service, const struct text_list *targets, struct error *error);

/* Lower-case letters, digits and hyphens, a letter first, at most 46 characters with the service's name. ERROR_USAGE.
 */
int run_tag_check(const char *tag, const char *service, struct error *error) MUST_CHECK;

/* By what the API says of now (trafficStatuses). The short name of the revision that a tag names, or NULL; its own URL,
 * or NULL; the percent that a revision gets. Borrowed. */
const char *run_traffic_tagged(const struct json *service, const char *tag);
const char *run_traffic_tag_url(const struct json *service, const char *tag);
unsigned run_traffic_percent(const struct json *service, const char *revision);
/* Whether what the API says of now is what a plan wants. */
bool run_traffic_holds(const struct json *service, const struct json *traffic);

/* The way back: the revision that served before the last change of pl, kept as an annotation of the service. NULL: none
 * is noted, or it is to be forgotten. Borrowed. */
const char *run_previous(const struct json *service);
void run_note_previous(struct json *service, const char *revision);

#endif
