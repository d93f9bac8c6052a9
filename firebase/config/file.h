/* firebase.json and .firebaserc: where they are, what is in them, and messages that name the line. */
#ifndef FIREBASE_CONFIG_FILE_H
#define FIREBASE_CONFIG_FILE_H

#include "common/json/json.h"

struct firebase_file {
    char *path;      /* absolute */
    char *shown;     /* as messages name it: relative when it is below the current directory */
    char *directory; /* absolute: what its paths are relative to */
    struct buffer text;
    struct json *json;
};

enum { FIREBASE_FILE_LIMIT = 4 << 20 };

/* The nearest firebase.json in `directory` (absolute) or above it; not above a directory that holds .git. The caller
 * frees; NULL when there is none. */
char *firebase_file_find(const char *directory);
/* Reads it. Comments are allowed, as firebase-tools allows them. ERROR_DATA with line and column when it is malformed.
 */
int firebase_file_read(const char *path, struct firebase_file *file, struct error *error) MUST_CHECK;
void firebase_file_release(struct firebase_file *file);
#define AUTO_FIREBASE_FILE AUTO(firebase_file_release)

/* ERROR_DATA "firebase.json:7:3: …" about the value; always -1. */
int firebase_file_wrong(const struct firebase_file *file, const struct json_step *value, struct error *error,
                        const char *format, ...) PRINTF_LIKE(4, 5);
unsigned firebase_file_line(const struct firebase_file *file, const struct json_step *value);

/* ---- .firebaserc, beside firebase.json ---- */

/* *rc is NULL when there is none. */
int firebaserc_read(const char *directory, struct json **rc, struct error *error) MUST_CHECK;
/* The project of an alias ("default"), or NULL. Borrowed. */
const char *firebaserc_project(const struct json *rc, const char *alias);
/* The site of a deploy target. ERROR_CONFIGURATION when it has none, or several. Borrowed. */
int firebaserc_site(const struct json *rc, const char *project, const char *target, const char **site,
                    struct error *error) MUST_CHECK;
/* Whether any project connects the target with the site. */
bool firebaserc_connects(const struct json *rc, const char *target, const char *site);

#endif
