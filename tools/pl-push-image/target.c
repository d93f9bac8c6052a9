#include "tools/pl-push-image/target.h"

#include "common/git/git.h"
#include "gcp/endpoints.h"

#include <string.h>

static int add_tag(struct target *target, const char *tag, struct error *error) {
    if (!reference_tag_is_valid(tag))
        return error_set(error, ERROR_USAGE, "\"%.140s\" is no tag (letters, digits, '_', '.', '-'; at most 128)", tag);
    if (!text_list_contains(&target->tags, tag))
        text_list_add(&target->tags, tag);
    return 0;
}

/* "ghcr.io/me/shop": the first part is a host. "team/shop" would mean Docker Hub to Docker and something in Google's
 * registry to others: it is not guessed. */
static int read_full(const char *repo, struct target *target, struct error *error) {
    size_t length = strcspn(repo, "/");
    AUTO_FREE char *first = text_copy_length(repo, length);
    if (!strpbrk(first, ".:") && !text_equal(first, "localhost")) {
        error_set(error, ERROR_USAGE, "--repo %.200s: \"%.100s\" is no host", repo, first);
        return error_next(error,
                          "write the host too (docker.io/%.200s), or the name of a repository of Artifact "
                          "Registry alone",
                          repo);
    }
    if (reference_parse(repo, &target->reference, error) < 0) {
        error->kind = ERROR_USAGE;
        return error_wrap(error, "--repo");
    }
    if (target->reference.has_digest)
        return error_set(error, ERROR_USAGE, "--repo %.200s names a digest; a push makes its own", repo);
    return target->reference.tag ? add_tag(target, target->reference.tag, error) : 0;
}

int target_read(const struct arguments *arguments, struct target *target, struct error *error) {
    *target = (struct target){.wants_name = !strchr(arguments->repo, '/')};
    if (target->wants_name) {
        if (!reference_repository_is_valid(arguments->repo))
            return error_set(error, ERROR_USAGE, "--repo %.200s: no name of a repository (lower case, digits, dashes)",
                             arguments->repo);
        if (region_check(arguments->region, error) < 0)
            return -1;
    } else if (read_full(arguments->repo, target, error) < 0) {
        return -1;
    }
    if (arguments->name && !reference_repository_is_valid(arguments->name))
        return error_set(error, ERROR_USAGE, "--name %.200s: no name of an image (lower case, digits, dashes)",
                         arguments->name);
    for (size_t i = 0; i < arguments->tags.count; i++)
        if (add_tag(target, arguments->tags.items[i], error) < 0)
            return -1;
    return 0;
}

int target_set_project(struct target *target, const struct arguments *arguments, const char *project,
                       struct error *error) {
    /* A project of a domain, example.com:shop, is example.com/shop in the registry. */
    AUTO_FREE char *path = text_format("%s/%s", project, arguments->repo);
    char *colon = strchr(path, ':');
    if (colon)
        *colon = '/';
    if (!reference_repository_is_valid(path))
        return error_set(error, ERROR_CONFIGURATION, "\"%.200s\" is no repository of Artifact Registry", path);
    reference_release(&target->reference);
    target->reference.host = registry_host(arguments->region);
    target->reference.repository = take_pointer(&path);
    return 0;
}

int target_reference(const struct target *target, const char *name, struct reference *reference, struct error *error) {
    *reference = (struct reference){.host = text_copy(target->reference.host)};
    if (!target->wants_name) {
        reference->repository = text_copy(target->reference.repository);
        return 0;
    }
    if (text_is_empty(name)) {
        error_set(error, ERROR_USAGE, "the image has no name");
        return error_next(error, "give it one: --name NAME");
    }
    reference->repository = text_format("%s/%s", target->reference.repository, name);
    if (reference_repository_is_valid(name) && reference_repository_is_valid(reference->repository))
        return 0;
    error_set(error, ERROR_DATA, "\"%.200s\" cannot be the name of an image (lower case, digits, dashes)", name);
    return error_next(error, "give it another: --name NAME");
}

void target_release(struct target *target) {
    reference_release(&target->reference);
    text_list_release(&target->tags);
}

char *clean_commit(void) {
    static const char *const head[] = {"rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL};
    static const char *const changes[] = {"status", "--porcelain", "--no-renames", NULL};
    AUTO_FREE char *commit = git_ask(NULL, head, NULL);
    if (!commit)
        return NULL;
    AUTO_FREE char *changed = git_ask(NULL, changes, NULL);
    bool is_clean = changed && !*changed && reference_tag_is_valid(commit);
    return is_clean ? take_pointer(&commit) : NULL;
}
