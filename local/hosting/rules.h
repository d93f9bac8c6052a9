/* The configuration of a version (Google's ServingConfig), checked and made ready for matching. */
#ifndef LOCAL_HOSTING_RULES_H
#define LOCAL_HOSTING_RULES_H

#include "common/base/text.h"
#include "common/json/json.h"
#include "local/hosting/pattern.h"

struct local_cloud;
struct captures;

enum { RULES_LIMIT = 2000 /* of each kind */, HEADERS_LIMIT = 50 /* of a rule */ };

struct redirect {
    struct pattern pattern;
    struct captures *captures; /* NULL: the location is as it stands */
    char *location;
    unsigned status;
};

enum rewrite_kind { REWRITE_PATH, REWRITE_RUN, REWRITE_FUNCTION, REWRITE_DYNAMIC_LINKS };
struct rewrite {
    struct pattern pattern;
    enum rewrite_kind kind;
    char *path; /* of a file */
    char *service, *region, *tag;
};

struct header_rule {
    struct pattern pattern;
    struct text_list headers; /* name, value, name, value… */
};

enum trailing_slash { SLASH_AS_IT_IS, SLASH_ADD, SLASH_REMOVE };

struct rules {
    struct redirect *redirects;
    struct rewrite *rewrites;
    struct header_rule *headers;
    size_t redirect_count, rewrite_count, header_count;
    bool clean_urls;
    bool app_association; /* made when the site has none: the default */
    enum trailing_slash trailing_slash;
    char *i18n_root; /* or NULL */
};

/* ERROR_DATA in Google's words: unknown fields, wrong types, patterns that are none, what may not stand in a header. */
struct rules *rules_compile(const struct json *config, struct error *error) MUST_CHECK;
void rules_release(struct rules **rules);
/* Every service of a rewrite is there: else ERROR_ANSWER_NO. */
int rules_check_services(const struct rules *rules, const struct local_cloud *cloud, struct error *error) MUST_CHECK;

#endif
