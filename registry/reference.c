#include "registry/reference.h"

#include "common/base/text.h"
#include "common/http/http.h"

#include <ctype.h>
#include <string.h>

enum { REFERENCE_LIMIT = 1024, REPOSITORY_LIMIT = 255, TAG_LIMIT = 128 };

bool reference_tag_is_valid(const char *tag) {
    size_t length = tag ? strlen(tag) : 0;
    if (!length || length > TAG_LIMIT || tag[0] == '.' || tag[0] == '-')
        return false;
    for (const char *at = tag; *at; at++)
        if ((unsigned char)*at >= 128 || (!isalnum((unsigned char)*at) && !strchr("._-", *at)))
            return false;
    return true;
}

static bool is_word_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/* The separator between two words of a path part: ".", "_", "__" or any number of dashes. */
static size_t separator_length(const char *text) {
    if (*text == '.')
        return 1;
    if (*text == '_')
        return text[1] == '_' ? 2 : 1;
    return strspn(text, "-");
}

bool reference_repository_is_valid(const char *repository) {
    if (text_is_empty(repository) || strlen(repository) > REPOSITORY_LIMIT)
        return false;
    for (const char *at = repository;;) {
        if (!is_word_byte(*at))
            return false;
        while (is_word_byte(*at))
            at++;
        if (!*at)
            return true;
        size_t length = *at == '/' ? 1 : separator_length(at);
        if (!length)
            return false;
        at += length;
    }
}

static bool is_host(const char *part) {
    return strpbrk(part, ".:") || text_equal(part, "localhost");
}

static int take_host(struct reference *reference, char **rest, struct error *error) {
    char *slash = strchr(*rest, '/');
    if (slash) {
        AUTO_FREE char *first = text_copy_length(*rest, (size_t)(slash - *rest));
        if (is_host(first)) {
            for (char *at = first; *at; at++)
                *at = (char)tolower((unsigned char)*at);
            AUTO_FREE char *url = text_format("https://%s/", first), *checked = url_origin(url);
            if (!checked || strpbrk(first, "?#"))
                return error_set(error, ERROR_DATA, "\"%.100s\" is no host", first);
            bool is_hub = text_equal(first, "index.docker.io") || text_equal(first, "registry-1.docker.io");
            reference->host = is_hub ? text_copy("docker.io") : take_pointer(&first);
            *rest = slash + 1;
            return 0;
        }
    }
    reference->host = text_copy("docker.io");
    return 0;
}

static int take_digest(struct reference *reference, char *rest, struct error *error) {
    char *at = strchr(rest, '@');
    if (!at)
        return 0;
    *at = 0;
    reference->has_digest = true;
    return digest_parse(at + 1, &reference->digest, error);
}

static int take_tag(struct reference *reference, char *rest, struct error *error) {
    char *slash = strrchr(rest, '/'), *colon = strchr(slash ? slash : rest, ':');
    if (!colon)
        return 0;
    *colon = 0;
    if (!reference_tag_is_valid(colon + 1))
        return error_set(error, ERROR_DATA, "\"%.140s\" is no tag (letters, digits, '_', '.', '-'; at most %d)",
                         colon + 1, TAG_LIMIT);
    reference->tag = text_copy(colon + 1);
    return 0;
}

static int parse(const char *text, struct reference *reference, struct error *error) {
    if (text_is_empty(text) || strlen(text) > REFERENCE_LIMIT)
        return error_set(error, ERROR_DATA, "it is empty or longer than %d bytes", REFERENCE_LIMIT);
    AUTO_FREE char *copy = text_copy(text);
    char *rest = copy;
    if (take_digest(reference, rest, error) < 0 || take_host(reference, &rest, error) < 0 ||
        take_tag(reference, rest, error) < 0)
        return -1;
    bool is_library = text_equal(reference->host, "docker.io") && !strchr(rest, '/');
    reference->repository = text_format("%s%s", is_library ? "library/" : "", rest);
    if (!reference_repository_is_valid(reference->repository))
        return error_set(error, ERROR_DATA,
                         "\"%.260s\" is no repository (lower-case letters and digits, joined by '.', '_', '-' and '/')",
                         rest);
    return 0;
}

int reference_parse(const char *text, struct reference *reference, struct error *error) {
    *reference = (struct reference){0};
    if (parse(text, reference, error) == 0)
        return 0;
    reference_release(reference);
    return error_wrap(error, "\"%.300s\" is no image reference", text ? text : "");
}

char *reference_format(const struct reference *reference) {
    return text_format("%s/%s%s%s%s%s", reference->host, reference->repository, reference->tag ? ":" : "",
                       reference->tag ? reference->tag : "", reference->has_digest ? "@" : "",
                       reference->has_digest ? digest_format(&reference->digest).text : "");
}

void reference_release(struct reference *reference) {
    free(reference->host);
    free(reference->repository);
    free(reference->tag);
    *reference = (struct reference){0};
}

char *reference_registry_url(const char *host) {
    if (text_equal(host, "docker.io"))
        return text_copy("https://registry-1.docker.io");
    AUTO_FREE char *plain = text_format("http://%s", host);
    return url_is_loopback(plain) ? take_pointer(&plain) : text_format("https://%s", host);
}
