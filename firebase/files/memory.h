/* Private to firebase/files: which gzip form a content was given, remembered in the store.
 *
 * One file for each site and encoder, packed/SHA256 in the store: records of content and packed digest and the packed
 * size, sorted, with the sha256 of all at the end. A damaged or missing one costs time, never correctness. */
#ifndef FIREBASE_FILES_MEMORY_H
#define FIREBASE_FILES_MEMORY_H

#include "firebase/files/files.h"

/* Fills the packed form of every file whose content is known. */
void memory_recall(struct site_files *files, const char *site);
/* Remembers exactly what `files` holds. Failure to write is no error. */
void memory_keep(const struct site_files *files, const char *site);
void memory_forget(const struct site_files *files, const char *site);

#endif
