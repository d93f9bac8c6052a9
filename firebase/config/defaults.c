#include "firebase/config/defaults.h"

#include "common/base/text.h"

#include <ctype.h>
#include <string.h>

enum { HASH_MINIMUM = 8, HASH_MAXIMUM = 40 };

#define BASE32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define BASE64 BASE32 "abcdefghijklmnopqrstuvwxyz_-"
#define HEX "0123456789abcdef"
#define EXTENSIONS                                                                                                     \
    "js|mjs|css|map|json|wasm|woff|woff2|ttf|otf|eot|svg|png|jpg|jpeg|gif|webp|avif|ico|mp3|mp4|webm|ogg|txt"

/* How the tools write a hash into a name, and the regular expression (RE2) of a path with such a name. */
static const struct family {
    const char *regex;
    const char *folder; /* at the beginning of the path, or NULL */
    const char *letters;
    size_t shortest, longest; /* of the hash */
    bool whole_folder;        /* everything below */
} families[] = {
    {.regex = "^/_next/static/.*$", .folder = "_next/static/", .whole_folder = true},
    {"^/(.*/)?[^/]*[.-][0-9a-f]{8,40}(\\.[a-z]+)?\\.(" EXTENSIONS ")$", NULL, HEX, HASH_MINIMUM, HASH_MAXIMUM, false},
    {"^/(.*/)?[^/]*[.-][0-9A-Z]{8}(\\.[a-z]+)?\\.(" EXTENSIONS ")$", NULL, BASE32, 8, 8, false},
    {"^/assets/(.*/)?[^/]*[.-][0-9A-Za-z_-]{8}(\\.[a-z]+)?\\.(" EXTENSIONS ")$", "assets/", BASE64, 8, 8, false},
    {"^/_astro/(.*/)?[^/]*[.-][0-9A-Za-z_-]{8}(\\.[a-z]+)?\\.(" EXTENSIONS ")$", "_astro/", BASE64, 8, 8, false},
    {"^/_app/immutable/(.*/)?[^/]*[.-][0-9A-Za-z_-]{8}(\\.[a-z]+)?\\.(" EXTENSIONS ")$", "_app/immutable/", BASE64, 8,
     8, false},
};

static bool is_extension(const char *text, size_t length) {
    AUTO_LIST struct text_list all = {0};
    AUTO_FREE char *wanted = text_copy_length(text, length);
    text_list_split(&all, EXTENSIONS, '|');
    return text_list_contains(&all, wanted);
}

/* Where the last extension begins, and before it perhaps a second one ("main-ABCDEFGH.js.map"). */
static size_t hash_end(const char *name, bool *right) {
    const char *dot = strrchr(name, '.');
    *right = dot && is_extension(dot + 1, strlen(dot + 1));
    if (!*right)
        return 0;
    return (size_t)(dot - name);
}

/* Whether letters of `allowed` stand between a '.' or '-' and `end`, in a number that the family has. */
static bool ends_in_hash(const struct family *family, const char *name, size_t end, const char **hash, size_t *length) {
    for (size_t size = family->shortest; size <= family->longest && size < end; size++) {
        const char *begin = name + end - size;
        if (!strchr(".-", begin[-1]) || strspn(begin, family->letters) < size)
            continue;
        *hash = begin;
        *length = size;
        return true;
    }
    return false;
}

/* Whether the family's regular expression matches, and the hash in it. */
static bool matches(const struct family *family, const char *path, const char **hash, size_t *length) {
    *hash = NULL;
    if (family->folder && !text_starts_with(path, family->folder))
        return false;
    if (family->whole_folder)
        return true;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    bool right;
    size_t end = hash_end(name, &right);
    if (!right)
        return false;
    if (ends_in_hash(family, name, end, hash, length))
        return true;
    size_t inner = end;
    while (inner > 0 && islower((unsigned char)name[inner - 1]))
        inner--;
    return inner > 1 && inner < end && name[inner - 1] == '.' && ends_in_hash(family, name, inner - 1, hash, length);
}

/* A hash and no word. Hexadecimal: digits and letters, as digits alone may be a date. Capitals and digits: not digits
 * alone. Any letters: not a word of small letters, also with a capital in front. */
static bool is_no_word(const struct family *family, const char *hash, size_t length) {
    size_t digits = 0, small = 0;
    for (size_t i = 0; i < length; i++) {
        digits += isdigit((unsigned char)hash[i]) != 0;
        small += islower((unsigned char)hash[i]) != 0;
    }
    if (text_equal(family->letters, HEX))
        return digits && small;
    if (text_equal(family->letters, BASE32))
        return digits < length;
    return small + (isupper((unsigned char)hash[0]) != 0) < length && digits < length;
}

static bool is_of(const struct family *family, const char *path) {
    const char *hash;
    size_t length = 0;
    return matches(family, path, &hash, &length) && (!hash || is_no_word(family, hash, length));
}

bool defaults_is_hashed(const char *path) {
    for (size_t i = 0; i < ARRAY_LENGTH(families); i++)
        if (is_of(&families[i], path))
            return true;
    return false;
}

static struct json *header(const char *kind, const char *pattern, const char *value) {
    struct json *rule = json_new_object(), *headers = json_new_object();
    json_set_text(rule, kind, pattern);
    json_set_text(headers, "Cache-Control", value);
    json_set(rule, "headers", headers);
    return rule;
}

/* The family's rule may be used when it has files, and matches no file whose name only looks alike. */
static bool is_usable(const struct family *family, const struct site_files *files) {
    bool any = false;
    for (size_t i = 0; i < files->count; i++) {
        const char *hash;
        size_t length = 0;
        if (!matches(family, files->items[i].path, &hash, &length))
            continue;
        any = true;
        if (!defaults_is_hashed(files->items[i].path))
            return false;
    }
    return any;
}

static bool rewrites_to_services(const struct json *config) {
    const struct json *rewrites = json_get(config, "rewrites");
    for (size_t i = 0; i < json_count(rewrites); i++)
        if (!json_get(json_at(rewrites, i), "path"))
            return true;
    return false;
}

struct json *defaults_headers(const struct site_files *files, const struct json *config) {
    struct json *headers = json_new_array();
    if (rewrites_to_services(config)) {
        json_append(headers, header("glob", "/", CACHE_NOT));
        json_append(headers, header("glob", "**/*.html", CACHE_NOT));
    } else {
        json_append(headers, header("glob", "**", CACHE_NOT));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(families); i++)
        if (is_usable(&families[i], files))
            json_append(headers, header("regex", families[i].regex, CACHE_FOREVER));
    return headers;
}

struct json *defaults_config(const struct site_files *files, bool *pages) {
    struct json *config = json_new_object();
    bool has_pages = site_files_find(files, "404.html") != NULL;
    if (has_pages) {
        json_set_bool(config, "cleanUrls", true);
    } else {
        struct json *rewrites = json_new_array(), *rewrite = json_new_object();
        json_set_text(rewrite, "glob", "**");
        json_set_text(rewrite, "path", "/index.html");
        json_append(rewrites, rewrite);
        json_set(config, "rewrites", rewrites);
    }
    json_set(config, "headers", defaults_headers(files, config));
    if (pages)
        *pages = has_pages;
    return config;
}
