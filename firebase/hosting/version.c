#include "firebase/hosting/internal.h"

#include <string.h>

enum { FILE_PAGE = 1000 };

static const long missing_is_fine[] = {404, 0};

int hosting_version_create(struct hosting *hosting, const struct json *config, const struct json *labels,
                           struct json **version, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/versions");
    AUTO_FREE char *what = text_format("cannot make a version of site %s", hosting->site);
    AUTO_JSON struct json *body = json_new_object();
    json_set_text(body, "status", "CREATED");
    json_set(body, "config", json_copy_deep(config));
    json_set(body, "labels", json_copy_deep(labels));
    /* One that is made twice and used once is thrown away by Google after 12 hours. */
    struct cloud_request request = {.method = "POST",
                                    .url = url,
                                    .body = body,
                                    .what = what,
                                    .idempotent = true,
                                    .response_limit = HOSTING_LIST_LIMIT};
    const char *id;
    if (cloud_call(hosting->cloud, &request, version, NULL, error) < 0)
        return -1;
    return hosting_version_id(*version, &id, error);
}

int hosting_version_get(struct hosting *hosting, const char *id, struct json **version, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/versions/%s", id);
    AUTO_FREE char *what = text_format("cannot read version %s of site %s", id, hosting->site);
    struct cloud_request request = {
        .url = url, .what = what, .accept = missing_is_fine, .response_limit = HOSTING_LIST_LIMIT};
    return cloud_call(hosting->cloud, &request, version, NULL, error);
}

int hosting_version_finalize(struct hosting *hosting, const char *id, const struct json *config, struct json **version,
                             bool *refused, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/versions/%s?updateMask=status,config", id);
    AUTO_FREE char *what = text_format("cannot finalize version %s of site %s", id, hosting->site);
    AUTO_JSON struct json *body = json_new_object();
    json_set_text(body, "status", "FINALIZED");
    json_set(body, "config", json_copy_deep(config));
    struct cloud_request request = {.method = "PATCH",
                                    .url = url,
                                    .body = body,
                                    .what = what,
                                    .idempotent = true,
                                    .response_limit = HOSTING_LIST_LIMIT};
    struct error failure = {0};
    long status = 0;
    *refused = false;
    if (cloud_call(hosting->cloud, &request, version, &status, &failure) == 0)
        return 0;
    /* The answer to an earlier try may have been lost. */
    if (status == 400 && hosting_version_get(hosting, id, version, NULL) == 0 && *version) {
        if (text_equal(json_get_text(*version, "status", NULL), "FINALIZED"))
            return 0;
        json_release(version);
    }
    *refused = status == 400;
    if (error)
        *error = failure;
    return *refused ? 0 : -1;
}

int hosting_version_list(struct hosting *hosting, struct json **versions, struct error *error) {
    AUTO_FREE char *url = hosting_url(hosting, "/versions?pageSize=25");
    AUTO_FREE char *what = text_format("cannot list the versions of site %s", hosting->site);
    AUTO_JSON struct json *reply = NULL;
    struct cloud_request request = {.url = url, .what = what, .response_limit = HOSTING_LIST_LIMIT};
    if (cloud_call(hosting->cloud, &request, &reply, NULL, error) < 0)
        return -1;
    struct json *list = json_get(reply, "versions");
    *versions = json_is_array(list) ? json_share(list) : json_new_array();
    return 0;
}

int hosting_version_files(struct hosting *hosting, const char *id, hosting_file_visit *visit, void *context,
                          struct error *error) {
    AUTO_FREE char *token = text_copy("");
    do {
        AUTO_FREE char *encoded = url_encode(token);
        AUTO_FREE char *url = hosting_url(hosting, "/versions/%s/files?pageSize=%d&status=ACTIVE%s%s", id, FILE_PAGE,
                                          *encoded ? "&pageToken=" : "", encoded);
        AUTO_JSON struct json *reply = NULL;
        struct cloud_request request = {
            .url = url, .what = "cannot list the files of the version", .response_limit = HOSTING_LIST_LIMIT};
        if (cloud_call(hosting->cloud, &request, &reply, NULL, error) < 0)
            return -1;
        const struct json *files = json_get(reply, "files");
        for (size_t i = 0; i < json_count(files); i++)
            if (visit(context, json_get_text(json_at(files, i), "path", ""),
                      json_get_text(json_at(files, i), "hash", ""), error) < 0)
                return -1;
        free(token);
        token = text_copy(json_get_text(reply, "nextPageToken", ""));
    } while (*token);
    return 0;
}
