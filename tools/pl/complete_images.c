/* References to images: what the store knows, files, and the tags and repositories of the registry that is named. */
#include "tools/pl/complete.h"

#include "gcp/cloud.h"
#include "gcp/credentials/credentials.h"
#include "registry/credentials.h"
#include "registry/registry.h"

#include <string.h>

enum { DEADLINE = 10 };

struct asked {
    struct docker_login docker;
    struct google_login google;
    struct login_source sources[2];
    struct http *http;
    struct registry *registry;
};

static void asked_open(struct asked *asked) {
    *asked = (struct asked){.docker = {.no_helpers = true}};
    asked->http = cloud_http_new(NULL, DEADLINE);
    asked->google.http = asked->http;
    asked->sources[1] = docker_login_source(&asked->docker, NULL);
    asked->sources[0] = google_login_source(&asked->google, &asked->sources[1]);
    asked->registry = registry_new(&(struct registry_options){.http = asked->http, .logins = &asked->sources[0]});
}

static void asked_release(struct asked *asked) {
    registry_release(&asked->registry);
    google_login_release(&asked->google);
    http_release(&asked->http);
}
#define AUTO_ASKED AUTO(asked_release)

/* `image` is a reference without a tag, as it was typed. */
static int ask_tags(struct completion *completion, const char *image, struct text_list *lines, struct error *error) {
    (void)completion;
    AUTO_REFERENCE struct reference reference = {0};
    AUTO_LIST struct text_list tags = {0};
    if (reference_parse(image, &reference, error) < 0)
        return -1;
    AUTO_ASKED struct asked asked;
    asked_open(&asked);
    if (registry_list_tags(asked.registry, &reference, &tags, error) < 0)
        return -1;
    for (size_t i = 0; i < tags.count; i++) {
        AUTO_FREE char *value = text_format("%s:%s", image, tags.items[i]);
        complete_line(lines, value, "tag");
    }
    return 0;
}

static int ask_repositories(struct completion *completion, const char *host, struct text_list *lines,
                            struct error *error) {
    (void)completion;
    AUTO_LIST struct text_list repositories = {0};
    AUTO_ASKED struct asked asked;
    asked_open(&asked);
    if (registry_list_repositories(asked.registry, host, &repositories, error) < 0)
        return -1;
    for (size_t i = 0; i < repositories.count; i++) {
        AUTO_FREE char *value = text_format("%s/%s", host, repositories.items[i]);
        complete_line(lines, value, "repository");
    }
    return 0;
}

/* "python:3" has a tag, "127.0.0.1:5000" a port and "127.0.0.1:5000/shop" no tag yet. */
static char *untagged(const char *prefix) {
    const char *slash = strrchr(prefix, '/'), *colon = strrchr(prefix, ':');
    bool has_tag = colon && (!slash || colon > slash) && !strchr(prefix, '@');
    return has_tag ? text_copy_length(prefix, (size_t)(colon - prefix)) : NULL;
}

static void complete_registry(struct completion *completion) {
    const char *prefix = completion->prefix, *slash = strchr(prefix, '/');
    AUTO_FREE char *image = untagged(prefix), *host = slash ? text_copy_length(prefix, (size_t)(slash - prefix)) : NULL;
    if (image)
        complete_remembered(completion, image, ask_tags);
    else if (host && (strpbrk(host, ".:") || text_equal(host, "localhost")))
        complete_remembered(completion, host, ask_repositories);
}

void complete_images(struct completion *completion) {
    static const struct {
        const char *lead, *meaning;
        bool only_directories;
    } files[] = {{"oci:", "an OCI layout", true},
                 {"docker-archive:", "what docker save wrote", false},
                 {"rootfs:", "a root file system in a tar file", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        if (text_starts_with(completion->prefix, files[i].lead)) {
            complete_paths(completion, files[i].lead, files[i].only_directories);
            return;
        }
    complete_bases(completion);
    if (text_starts_with(completion->prefix, "container:")) {
        complete_containers(completion);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        complete_offer(completion, files[i].lead, files[i].meaning);
    complete_offer(completion, "container:", "a container of the store");
    complete_offer(completion, "apt:", "made of Debian packages: apt:bookworm?PACKAGE,PACKAGE");
    if (text_equal(completion->tool, "pl-from"))
        complete_offer(completion, "scratch", "nothing");
    if (!text_starts_with(completion->prefix, "apt:"))
        complete_registry(completion);
}
