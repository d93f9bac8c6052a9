/* What `pl-local status` says of who may sign in. */
#include "local/iam/internal.h"

#include "common/file/file.h"

#include <string.h>

enum { STATE_LIMIT = 16 << 20 };

static void list_providers(const struct json *pool, struct buffer *out) {
    const struct json *providers = json_get(pool, "providers");
    for (void *at = json_first(providers); at; at = json_next(providers, at)) {
        const struct json *provider = json_value(at);
        bool usable = text_equal(json_get_text(provider, "state", NULL), "ACTIVE") &&
                      text_equal(json_get_text(pool, "state", NULL), "ACTIVE") &&
                      !json_get_bool(provider, "disabled", false) && !json_get_bool(pool, "disabled", false);
        buffer_append_format(out, "provider  %s  %s  %s\n", json_get_text(provider, "name", ""),
                             json_get_text(json_get(provider, "oidc"), "issuerUri", ""),
                             usable ? "active" : "disabled or deleted");
    }
}

void iam_list(const char *state, struct buffer *out) {
    AUTO_FREE char *path = path_join(state, "iam/state.json");
    AUTO_JSON struct json *document = file_exists(path) ? json_parse_file(path, STATE_LIMIT, NULL) : NULL;
    const struct json *pools = json_get(document, "pools"), *accounts = json_get(document, "accounts");
    for (void *at = json_first(pools); at; at = json_next(pools, at))
        list_providers(json_value(at), out);
    for (void *at = json_first(accounts); at; at = json_next(accounts, at))
        buffer_append_format(out, "account  %s%s\n", json_key(at),
                             json_get_bool(json_value(at), "disabled", false) ? "  disabled" : "");
}
