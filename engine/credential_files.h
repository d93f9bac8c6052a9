/* Files that hold credentials and must not get into an image by accident.
 *
 * A file is told by its name (.netrc, gha-creds-*.json, id_ed25519, …) or, where the name only makes it possible,
 * by what is in its first 64 KiB (a service account's key in any .json, a private key in any .pem, a token in .npmrc).
 * An environment file (.env, .env.production) is one unless every variable in it is of those that build tools compile
 * into the pages for everybody to read (VITE_*, NG_APP_*, REACT_APP_*, NEXT_PUBLIC_*, PUBLIC_*, …), and none of these
 * is called a secret. The check comes before a file is read into the store. Examples (.env.example, .env.sample, …) are
 * no credentials. */
#ifndef ENGINE_CREDENTIAL_FILES_H
#define ENGINE_CREDENTIAL_FILES_H

#include "common/base/text.h"
#include "engine/tree.h"

/* Raised with every change of the rules: what passed the old ones is looked at once more. */
enum { CREDENTIAL_RULES = 2, CREDENTIALS_MOST = 1000 };

/* What kind of credential a file holds ("the key of a service account"), or NULL. A file that cannot be read holds
 * none: whoever wants its content will say so. */
const char *credential_file_kind(const char *directory, const char *path);

/* Zeroed but for the first two. */
struct credential_check {
    const char *directory;           /* absolute */
    const struct text_list *allowed; /* --allow-file: a path in the directory, or a bare name; may be NULL */
    struct text_list found;          /* "PATH (KIND)" of those that were refused */
    struct text_list paths;          /* their paths; both at most CREDENTIALS_MOST */
    bool too_many;                   /* there are more: then all of the directory counts as used */
};

/* Whether the file may be used; a refused one is remembered. `path` is relative to the directory. */
bool credential_check_file(struct credential_check *check, const char *path);
/* ERROR_DATA naming all that were refused, and what to do about it. */
int credential_check_finish(const struct credential_check *check, struct error *error) MUST_CHECK;
/* The same for those alone whose paths `selects` says yes to: where only a part of the directory is used. */
int credential_check_selected(const struct credential_check *check, bool (*selects)(void *context, const char *path),
                              void *context, struct error *error) MUST_CHECK;
void credential_check_release(struct credential_check *check);

/* credential_check_file as a tree_inspect; `check` is a struct credential_check. */
enum tree_verdict credential_check_inspect(void *check, const char *path);

#endif
