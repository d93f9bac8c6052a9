/* What a registry has: tags of a repository, repositories of a host. */
#include "registry/session.h"

#include "common/json/json.h"

#include <string.h>

enum { PAGES_MOST = 5, PAGE_LIMIT = 4 << 20 };

/* The page that `Link: </v2/…>; rel="next"` names, when it is on the same host; the caller frees. */
static char *next_page(const struct session *session, const char *url, const struct http_response *response) {
    const char *link = http_header(response, "link");
    const char *begin = link ? strchr(link, '<') : NULL, *end = begin ? strchr(begin, '>') : NULL;
    if (!end || !strstr(end, "next"))
        return NULL;
    AUTO_FREE char *location = text_copy_length(begin + 1, (size_t)(end - begin - 1)),
                   *next = url_resolve(url, location);
    AUTO_FREE char *origin = next ? url_origin(next) : NULL;
    return origin && text_equal(origin, session->origin) ? take_pointer(&next) : NULL;
}

static int list(struct session *session, const char *scope, const char *first, const char *member,
                bool (*is_valid)(const char *), struct text_list *list, struct error *error) {
    AUTO_FREE char *url = text_copy(first);
    for (int page = 0; url && page < PAGES_MOST; page++) {
        AUTO_RESPONSE struct http_response response = {0};
        struct http_request request = {.url = url, .response_limit = PAGE_LIMIT};
        if (session_perform(session, scope, &request, &response, error) < 0)
            return -1;
        if (response.status != 200)
            return session_refused(session, "list", &response, error);
        AUTO_JSON struct json *answer =
            json_parse(buffer_text(&response.body), response.body.length, "the list", error);
        if (!answer)
            return -1;
        const struct json *names = json_get(answer, member);
        for (size_t i = 0; i < json_count(names); i++) {
            const char *name = json_text(json_at(names, i));
            if (name && is_valid(name))
                text_list_add(list, name);
        }
        char *next = next_page(session, url, &response);
        free(url);
        url = next;
    }
    return 0;
}

int registry_list_tags(struct registry *registry, const struct reference *reference, struct text_list *tags,
                       struct error *error) {
    struct session *session = session_of(registry, reference->host);
    AUTO_FREE char *scope = session_scope(reference->repository, false);
    AUTO_FREE char *url = session_path(session, reference->repository, "tags/list?n=1000");
    return list(session, scope, url, "tags", reference_tag_is_valid, tags, error);
}

int registry_list_repositories(struct registry *registry, const char *host, struct text_list *repositories,
                               struct error *error) {
    struct session *session = session_of(registry, host);
    AUTO_FREE char *url = text_format("%s/v2/_catalog?n=1000", session->url);
    return list(session, "registry:catalog:*", url, "repositories", reference_repository_is_valid, repositories, error);
}
