/* One line into a record: every key that pl itself acts on is checked here. */
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/record/record.h"

#include <string.h>

static bool has_url_scheme(const char *ref) {
    return text_starts_with(ref, "https://") || text_starts_with(ref, "http://");
}

/* HOST[:PORT]/REPOSITORY with a tag or digest: the host has a dot or a port, or is localhost. */
static bool is_image_ref(const char *ref) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    AUTO_FREE char *in_host = text_format("%s.-", letters), *in_path = text_format("%s._-/:@+", letters);
    size_t host = strspn(ref, in_host), end = host;
    if (ref[host] == ':')
        end += 1 + strspn(ref + host + 1, "0123456789");
    const char *path = ref + end + 1;
    if (host == 0 || ref[end] != '/' || !*path || path[strspn(path, in_path)] || strstr(path, "//") ||
        strstr(path, ".."))
        return false;
    return memchr(ref, '.', host) || end > host || (host == 9 && memcmp(ref, "localhost", 9) == 0);
}

static bool is_store_ref(const char *ref, const char *prefix) {
    struct digest digest;
    return text_starts_with(ref, prefix) && digest_parse(ref + strlen(prefix), &digest, NULL) == 0;
}

/* "projects/P/locations/R/jobs/J" */
static bool is_job_ref(const char *ref) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, ref, '/');
    bool fits = parts.count == 6 && text_equal(parts.items[0], "projects") && text_equal(parts.items[2], "locations") &&
                text_equal(parts.items[4], "jobs");
    for (size_t i = 0; i < parts.count; i++)
        fits = fits && *parts.items[i];
    return fits;
}

static bool fits_type(enum record_type type, const char *ref) {
    switch (type) {
    case RECORD_DIRECTORY:
        return is_store_ref(ref, "directory:");
    case RECORD_CONTAINER:
        return is_store_ref(ref, "container:");
    case RECORD_FILE:
    case RECORD_REPORT:
        return is_store_ref(ref, "file:");
    case RECORD_IMAGE:
        return is_image_ref(ref);
    case RECORD_SERVICE:
    case RECORD_SITE:
        return has_url_scheme(ref);
    case RECORD_JOB:
        return is_job_ref(ref);
    default:
        return *ref != '\0';
    }
}

/* Printable and without a space: what a ref may consist of. */
static bool is_plain(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F)
            return false;
    AUTO_FREE char *clean = text_scrub(text, length, false);
    return strlen(clean) == length && memcmp(clean, text, length) == 0;
}

/* What is shown of a foreign line. */
static char *excerpt(const char *line, size_t length) {
    AUTO_FREE char *clean = text_scrub(line, length, false);
    return strlen(clean) > 60 ? text_format("%.60s…", clean) : take_pointer(&clean);
}

static int parse_ref(const char *line, size_t length, struct record *record, struct error *error) {
    static const enum record_type types[] = {RECORD_CONTAINER, RECORD_DIRECTORY, RECORD_FILE,
                                             RECORD_SERVICE,   RECORD_IMAGE,     RECORD_JOB};
    AUTO_FREE char *ref = text_copy_length(line, length);
    for (size_t i = 0; is_plain(line, length) && i < ARRAY_LENGTH(types); i++)
        if (fits_type(types[i], ref)) {
            *record = record_new(types[i], ref);
            return 0;
        }
    AUTO_FREE char *shown = excerpt(line, length);
    error_set(error, ERROR_DATA, "\"%s\" is neither a record nor a ref", shown);
    return error_next(error, "give a line that a pl tool printed, or container:sha256:…, HOST/REPOSITORY@sha256:…, "
                             "https://…");
}

static int check_major(const struct json *json, struct error *error) {
    const struct json *major = json_get(json, "pl");
    if (!json_is_integer(major) || json_number(major) < 1)
        return error_set(error, ERROR_DATA, "not a record: it has no \"pl\" with a number");
    if (json_number(major) <= RECORD_MAJOR)
        return 0;
    error_set(error, ERROR_DATA, "the record is of version %lld; this pl understands version %d",
              (long long)json_number(major), RECORD_MAJOR);
    return error_next(error, "use the same version of pl at both ends of the pipe");
}

static int check_type(const struct json *json, enum record_type *type, struct error *error) {
    const char *name = json_get_text(json, "type", NULL);
    if (!name)
        return error_set(error, ERROR_DATA, "the record has no type");
    for (unsigned bit = RECORD_DIRECTORY; bit <= RECORD_ERROR; bit <<= 1)
        if (text_equal(name, record_type_name((enum record_type)bit))) {
            *type = (enum record_type)bit;
            return 0;
        }
    AUTO_FREE char *shown = excerpt(name, strlen(name));
    return error_set(error, ERROR_DATA, "the record has the unknown type \"%s\"", shown);
}

static int check_error_record(const struct json *json, struct error *error) {
    int64_t code = json_get_integer(json, "code", 0);
    if (!json_get_text(json, "stage", NULL) || code < 1 || code > 255)
        return error_set(error, ERROR_DATA, "the error record lacks its stage or a code from 1 to 255");
    return 0;
}

static int check_ref(const struct json *json, enum record_type type, struct error *error) {
    const char *ref = json_get_text(json, "ref", NULL);
    const char *name = record_type_name(type);
    if (!ref)
        return error_set(error, ERROR_DATA, "the record of a %s has no ref", name);
    if (!is_plain(ref, strlen(ref)) || !fits_type(type, ref)) {
        AUTO_FREE char *shown = excerpt(ref, strlen(ref));
        return error_set(error, ERROR_DATA, "\"%s\" is not the ref of a %s", shown, name);
    }
    const struct json *digest = json_get(json, "digest");
    struct digest parsed;
    if (digest && (!json_is_text(digest) || digest_parse(json_text(digest), &parsed, NULL) < 0))
        return error_set(error, ERROR_DATA, "the record of a %s has a malformed digest", name);
    const char *in_ref = strstr(ref, "sha256:");
    if (digest && in_ref && !has_url_scheme(ref) && !text_equal(in_ref, json_text(digest)))
        return error_set(error, ERROR_DATA, "the record of a %s has another digest than its ref", name);
    return 0;
}

/* What is written out again begins with "pl", whatever order it came in. */
static struct json *with_version_first(struct json *json) {
    if (text_equal(json_key(json_first(json)), "pl"))
        return json;
    struct json *ordered = json_new_object();
    json_set(ordered, "pl", json_share(json_get(json, "pl")));
    for (void *i = json_first(json); i; i = json_next(json, i))
        if (!text_equal(json_key(i), "pl"))
            json_set(ordered, json_key(i), json_share(json_value(i)));
    json_release(&json);
    return ordered;
}

int record_parse(const char *line, size_t length, struct record *record, struct error *error) {
    *record = (struct record){0};
    if (length + 1 > RECORD_LIMIT)
        return error_set(error, ERROR_DATA, "a record is longer than %d bytes", RECORD_LIMIT);
    if (length == 0 || line[0] != '{')
        return parse_ref(line, length, record, error);
    AUTO_JSON struct json *json = json_parse(line, length, "record", error);
    if (!json)
        return -1;
    enum record_type type = RECORD_ERROR;
    if (check_major(json, error) < 0 || check_type(json, &type, error) < 0 ||
        (type == RECORD_ERROR ? check_error_record(json, error) : check_ref(json, type, error)) < 0)
        return -1;
    record->type = type;
    record->json = with_version_first(take_pointer(&json));
    record_add_digest(record);
    return 0;
}
