/* The files of a version: told to Hosting by their hashes, and uploaded where it has not got them yet. */
#ifndef FIREBASE_HOSTING_CONTENT_H
#define FIREBASE_HOSTING_CONTENT_H

#include "firebase/files/files.h"
#include "firebase/hosting/hosting.h"

struct content_outcome {
    size_t uploaded; /* files sent; what Hosting had already is not counted */
    uint64_t uploaded_bytes;
};

/* Tells Hosting all files (packed before), uploads what it asks for. May be repeated: only what is missing is sent. */
int content_fill(struct hosting *hosting, const char *version, struct site_files *files,
                 struct content_outcome *outcome, struct error *error) MUST_CHECK;

#endif
