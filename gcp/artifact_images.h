/* Artifact Registry v1: the images of a repository, which of them are old, and how those go: now, or every day by a
 * clean-up policy that Google applies. */
#ifndef GCP_ARTIFACT_IMAGES_H
#define GCP_ARTIFACT_IMAGES_H

#include "gcp/cloud.h"

enum artifact_verdict {
    ARTIFACT_IS_OLD, /* nothing speaks for it */
    ARTIFACT_IS_NEW, /* among the newest of its name */
    ARTIFACT_IS_YOUNG,
    ARTIFACT_IS_TAGGED, /* with a tag that is kept */
    ARTIFACT_IS_USED,   /* a service or a job runs it */
};

struct artifact_image {
    char *name;   /* below the repository: "backend", "team/backend" */
    char *digest; /* "sha256:…" */
    char *time;   /* of its upload, RFC 3339 */
    uint64_t size;
    struct text_list tags;
    enum artifact_verdict verdict;
};
struct artifact_images {
    struct artifact_image *items; /* by name, then the newest first */
    size_t count;
};
void artifact_images_release(struct artifact_images *images);
#define AUTO_ARTIFACT_IMAGES AUTO(artifact_images_release)

/* All images of a repository of cloud->project. ERROR_CONFIGURATION when there is no such repository. */
int artifact_images_list(struct cloud *cloud, const char *region, const char *repository,
                         struct artifact_images *images, struct error *error) MUST_CHECK;

struct artifact_retention {
    uint64_t keep;              /* so many of each name stay: the newest, 0 to 1000 */
    uint64_t seconds;           /* and what is younger than this */
    struct text_list kept_tags; /* and what has a tag that begins with one of these */
};
/* Sets every image's verdict. `used` are references (HOST/…@sha256:… or a tag) that something runs; `now` is RFC 3339.
 */
void artifact_images_judge(struct artifact_images *images, const struct artifact_retention *retention,
                           const struct text_list *used, int64_t now);

/* Deletes one with its tags, and waits for that. *deleted is false when the registry keeps it, because another image
 * consists of it. */
int artifact_image_delete(struct cloud *cloud, const char *region, const char *repository,
                          const struct artifact_image *image, bool *deleted, struct error *error) MUST_CHECK;

/* Writes the retention into the repository as its clean-up policies pl-keep, pl-old and pl-tags, whatever others it
 * has. *changed is false when they were there. What Google then deletes it does not ask Cloud Run about. */
int artifact_repository_set_retention(struct cloud *cloud, const char *region, const char *repository,
                                      const struct artifact_retention *retention, bool *changed,
                                      struct error *error) MUST_CHECK;

#endif
