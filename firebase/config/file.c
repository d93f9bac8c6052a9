#include "firebase/config/file.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <stdarg.h>
#include <string.h>

/* ---- finding ---- */

char *firebase_file_find(const char *directory) {
    AUTO_FREE char *at = text_copy(directory);
    for (;;) {
        AUTO_FREE char *path = path_join(at, "firebase.json"), *git = path_join(at, ".git");
        if (file_exists(path))
            return take_pointer(&path);
        char *slash = strrchr(at, '/');
        if (file_exists(git) || directory_exists(git) || !slash || slash == at)
            return NULL;
        *slash = '\0';
    }
}

static char *shown_path(const char *path) {
    AUTO_FREE char *here = getcwd(NULL, 0);
    size_t length = here ? strlen(here) : 0;
    if (length > 1 && !strncmp(path, here, length) && path[length] == '/')
        return text_copy(path + length + 1);
    return text_copy(path);
}

/* ---- reading ---- */

/* Comments become spaces, so that every value keeps its line and column. */
static void blank_comments(char *text) {
    for (char *at = text; *at; at++) {
        if (*at == '"') {
            for (at++; *at && *at != '"'; at++)
                at += *at == '\\' && at[1];
            if (!*at)
                return;
        } else if (at[0] == '/' && at[1] == '/') {
            for (; *at && *at != '\n'; at++)
                *at = ' ';
            at -= 1;
        } else if (at[0] == '/' && at[1] == '*') {
            char *end = strstr(at + 2, "*/");
            for (char *stop = end ? end + 2 : at + strlen(at); at < stop; at++)
                *at = *at == '\n' ? '\n' : ' ';
            at -= 1;
        }
    }
}

int firebase_file_read(const char *path, struct firebase_file *file, struct error *error) {
    *file = (struct firebase_file){.text = BUFFER(FIREBASE_FILE_LIMIT)};
    file->path = path_resolve(path, error);
    if (!file->path)
        return -1;
    file->shown = shown_path(file->path);
    file->directory = text_copy(file->path);
    char *slash = strrchr(file->directory, '/');
    slash[slash == file->directory] = '\0';
    if (file_read(file->path, &file->text, NULL, error) < 0)
        return -1;
    if (!file->text.length)
        return error_set(error, ERROR_DATA, "%s is empty", file->shown);
    if (text_starts_with(file->text.data, "\xef\xbb\xbf"))
        memset(file->text.data, ' ', 3);
    blank_comments(file->text.data);
    file->json = json_parse(file->text.data, file->text.length, file->shown, error);
    return file->json ? 0 : -1;
}

void firebase_file_release(struct firebase_file *file) {
    free(file->path);
    free(file->shown);
    free(file->directory);
    buffer_release(&file->text);
    json_release(&file->json);
    *file = (struct firebase_file){0};
}

unsigned firebase_file_line(const struct firebase_file *file, const struct json_step *value) {
    return json_locate(buffer_text(&file->text), file->text.length, value).line;
}

int firebase_file_wrong(const struct firebase_file *file, const struct json_step *value, struct error *error,
                        const char *format, ...) {
    struct json_place place = json_locate(buffer_text(&file->text), file->text.length, value);
    va_list arguments;
    char *what = NULL;
    va_start(arguments, format);
    if (vasprintf(&what, format, arguments) < 0)
        what = NULL;
    va_end(arguments);
    error_set(error, ERROR_DATA, "%s:%u:%u: %s", file->shown, place.line, place.column, what ? what : "");
    free(what);
    return -1;
}

/* ---- .firebaserc ---- */

int firebaserc_read(const char *directory, struct json **rc, struct error *error) {
    AUTO_FREE char *path = path_join(directory, ".firebaserc");
    *rc = NULL;
    if (!file_exists(path))
        return 0;
    AUTO_FIREBASE_FILE struct firebase_file file = {0};
    if (firebase_file_read(path, &file, error) < 0)
        return -1;
    *rc = take_pointer(&file.json);
    return 0;
}

const char *firebaserc_project(const struct json *rc, const char *alias) {
    return json_get_text(json_get(rc, "projects"), alias, NULL);
}

static const struct json *sites_of(const struct json *rc, const char *project, const char *target) {
    const struct json *hosting = json_get(json_get(json_get(rc, "targets"), project), "hosting");
    return json_get(hosting, target);
}

int firebaserc_site(const struct json *rc, const char *project, const char *target, const char **site,
                    struct error *error) {
    const struct json *sites = sites_of(rc, project, target);
    if (json_count(sites) == 1 && json_is_text(json_at(sites, 0))) {
        *site = json_text(json_at(sites, 0));
        return 0;
    }
    if (json_count(sites) > 1)
        error_set(error, ERROR_CONFIGURATION, "the target %s stands for %zu sites in .firebaserc; it may be one",
                  target, json_count(sites));
    else
        error_set(error, ERROR_CONFIGURATION, ".firebaserc connects the target %s with no site of project %s", target,
                  project);
    return error_next(error,
                      "give --site SITE, or write in .firebaserc: \"targets\": {\"%s\": {\"hosting\": {\"%s\": "
                      "[\"SITE\"]}}}",
                      project, target);
}

bool firebaserc_connects(const struct json *rc, const char *target, const char *site) {
    const struct json *targets = json_get(rc, "targets");
    for (void *i = json_is_object(targets) ? json_first(targets) : NULL; i; i = json_next(targets, i)) {
        const struct json *sites = sites_of(rc, json_key(i), target);
        for (size_t j = 0; j < json_count(sites); j++)
            if (text_equal(json_text(json_at(sites, j)), site))
                return true;
    }
    return false;
}
