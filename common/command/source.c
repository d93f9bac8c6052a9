#include "common/command/source.h"

#include "common/command/command.h"
#include "common/file/file.h"

#include <string.h>
#include <sys/stat.h>

enum { NAME_LIMIT = 49 };

char *source_directory(const char *given, struct error *error) {
    struct stat status;
    int failed = stat(given, &status) < 0 ? errno : 0;
    AUTO_FREE char *path = failed ? NULL : path_resolve(given, error);
    if (failed == ENOENT)
        error_set(error, ERROR_DATA, "%s does not exist", given);
    else if (failed)
        error_set_errno(error, failed, "cannot open %s", given);
    else if (path && S_ISDIR(status.st_mode))
        return take_pointer(&path);
    else if (path)
        error_set(error, ERROR_DATA, "%s is not a directory", given);
    error_next(error, "name the directory that holds the application");
    return NULL;
}

/* Other characters become dashes. */
static char *name_of(const char *path) {
    AUTO_FREE char *name = text_copy(path_base(path));
    size_t length = 0;
    for (const char *at = name; *at && length < NAME_LIMIT; at++) {
        char c = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && length > 0);
        if (plain)
            name[length++] = c;
        else if (length > 0 && name[length - 1] != '-')
            name[length++] = '-';
    }
    while (length > 0 && name[length - 1] == '-')
        length--;
    name[length] = '\0';
    return length ? take_pointer(&name) : text_copy("app");
}

char *source_name(const char *given, const char *directory, struct error *error) {
    if (!given)
        return name_of(directory);
    size_t length = strspn(given, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (length > 0 && length <= NAME_LIMIT && !given[length] && *given >= 'a' && *given <= 'z' &&
        given[length - 1] != '-')
        return text_copy(given);
    error_set(error, ERROR_USAGE, "\"%s\" cannot be the name of an application", given);
    error_next(error, "take up to %d lower-case letters, digits and dashes, beginning with a letter", NAME_LIMIT);
    return NULL;
}

int source_check_pairs(const struct text_list *pairs, const char *option, struct error *error) {
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->items[i], '=');
        if (!equals || equals == pairs->items[i])
            return error_set(error, ERROR_USAGE, "%s takes NAME=VALUE, not \"%s\"", option, pairs->items[i]);
    }
    return 0;
}

int source_epoch(int64_t *epoch, struct error *error) {
    const char *text = getenv("SOURCE_DATE_EPOCH");
    uint64_t value = 0;
    if (!text_is_empty(text) && !text_to_u64(text, 253402300799ULL, &value)) {
        error_set(error, ERROR_USAGE, "SOURCE_DATE_EPOCH is no number of seconds");
        return error_next(error, "unset it, or set it to the seconds since 1970");
    }
    *epoch = (int64_t)value;
    return 0;
}

static bool is_secret_id(const char *id, size_t length) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return length > 0 && *id != '.' && strspn(id, allowed) >= length;
}

int source_read_secrets(const struct text_list *given, struct source_secrets *secrets, struct error *error) {
    if (given->count > SOURCE_SECRET_LIMIT)
        return error_set(error, ERROR_USAGE, "more than %d secrets", SOURCE_SECRET_LIMIT);
    for (size_t i = 0; i < given->count; i++) {
        const char *text = given->items[i], *equals = strchr(text, '=');
        if (!equals || !is_secret_id(text, (size_t)(equals - text)))
            return error_set(error, ERROR_USAGE, "--secret takes ID=env:NAME or ID=file:PATH");
        AUTO_FREE char *id = text_copy_length(text, (size_t)(equals - text));
        char *value;
        size_t size;
        if (command_secret_content(equals + 1, &value, &size, error) < 0)
            return error_wrap(error, "the secret %s", id);
        secrets->items[secrets->count++] =
            (struct source_secret){.id = take_pointer(&id), .value = value, .length = size};
    }
    return 0;
}

void source_secrets_release(struct source_secrets *secrets) {
    for (size_t i = 0; i < secrets->count; i++) {
        memory_wipe(secrets->items[i].value, secrets->items[i].length);
        free(secrets->items[i].value);
        free(secrets->items[i].id);
    }
    secrets->count = 0;
}
