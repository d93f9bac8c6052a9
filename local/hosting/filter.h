/* include and exclude of a copied version: which of its paths are taken over, by regular expressions. */
#ifndef LOCAL_HOSTING_FILTER_H
#define LOCAL_HOSTING_FILTER_H

#include "common/json/json.h"

struct path_filter;
/* Each is {"regexes": […]} or NULL. ERROR_DATA. */
struct path_filter *path_filter_compile(const struct json *include, const struct json *exclude,
                                        struct error *error) MUST_CHECK;
/* One of the included ones (when there are any), and none of the excluded. */
bool path_filter_passes(const struct path_filter *filter, const char *path);
void path_filter_release(struct path_filter **filter);

#endif
