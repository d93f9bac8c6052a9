/* What a chain hands from stage to stage: a container, a directory or a file of the store, with the record that it came
 * in.
 *
 * Beside what docs/records.md says of all records, those of a chain may have
 *   "fresh": true        no command has run in the container since its base
 *   "epoch": SECONDS     of pl-with timestamps: the times of what later stages make
 *   "annotations": {…}   of the image's manifest
 *   "exec": {"stdout":"file:sha256:…","stderr":"file:sha256:…","status":0}   of the last command that was run
 *   "executable": true   of a file */
#ifndef CHAIN_ARTIFACT_H
#define CHAIN_ARTIFACT_H

#include "common/record/record.h"
#include "engine/container.h"

enum { CHAIN_TYPES = RECORD_CONTAINER | RECORD_DIRECTORY | RECORD_FILE };

struct artifact {
    enum record_type type;
    struct json *record;        /* owned */
    struct container container; /* RECORD_CONTAINER */
    struct digest digest;       /* of the directory's tree or of the file's content */
};

/* ERROR_DATA, with what to do, when the store does not have it. A report counts as the file that it is. */
int artifact_open(struct engine *engine, const struct record *record, struct artifact *artifact,
                  struct error *error) MUST_CHECK;
/* Each takes the place of what was there: the record says the new ref. */
void artifact_set_container(struct artifact *artifact, struct container *container);
void artifact_set_directory(struct artifact *artifact, const struct digest *tree);
void artifact_set_file(struct artifact *artifact, const struct digest *content, const char *name, bool is_executable);
/* For the tool's output: a reference to the artifact's record. */
struct record artifact_record(const struct artifact *artifact);
void artifact_release(struct artifact *artifact);
#define AUTO_ARTIFACT AUTO(artifact_release)

/* ERROR_DATA "the store has no …", with what to do. */
int artifact_is_gone(const char *ref, struct error *error);

#endif
