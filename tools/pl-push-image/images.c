/* What is done with the images of a repository instead of pushing one: --list and --clean. */
#include "tools/pl-push-image/images.h"

#include "gcp/artifact_images.h"
#include "gcp/run/images.h"

#include <string.h>
#include <time.h>

enum { TEXT_LIMIT = 8 << 20, SHORT_DIGEST = 19, KEEP_MOST = 1000 };

static const char *const reasons[] = {[ARTIFACT_IS_OLD] = "old",
                                      [ARTIFACT_IS_NEW] = "new",
                                      [ARTIFACT_IS_YOUNG] = "young",
                                      [ARTIFACT_IS_TAGGED] = "kept tag",
                                      [ARTIFACT_IS_USED] = "in use"};

static void add_line(struct buffer *out, const struct artifact_image *image, const char *state) {
    buffer_append_format(out, "%-8s  %-24s  %.*s  %9.1f MB  %.10s %.8s ", state, image->name, SHORT_DIGEST,
                         image->digest, (double)image->size / 1e6, image->time,
                         strlen(image->time) > 11 ? image->time + 11 : "");
    for (size_t i = 0; i < image->tags.count; i++)
        buffer_append_format(out, "%s%s", i == 0 ? " " : ",", image->tags.items[i]);
    buffer_append_byte(out, '\n');
}

static int list(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                struct error *error) {
    AUTO_ARTIFACT_IMAGES struct artifact_images images = {0};
    AUTO_LIST struct text_list used = {0};
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    struct error failure = {0};
    if (artifact_images_list(cloud, arguments->region, arguments->repo, &images, error) < 0)
        return -1;
    /* A project may have images and no Cloud Run. */
    bool known = run_images_in_use(cloud, &used, &failure) == 0;
    if (!known)
        progress_note(context->progress, "which of them run is not known: %s", failure.text);
    const struct artifact_retention all = {.keep = KEEP_MOST};
    artifact_images_judge(&images, &all, &used, (int64_t)time(NULL));
    for (size_t i = 0; i < images.count; i++)
        add_line(&out, &images.items[i],
                 images.items[i].verdict == ARTIFACT_IS_USED ? reasons[ARTIFACT_IS_USED]
                 : known                                     ? "-"
                                                             : "?");
    if (images.count == 0)
        progress_note(context->progress, "no images in %s", arguments->repo);
    return command_print_scrubbed(context, &out, "the list of images", error);
}

/* ---- cleaning ---- */

static int delete_old(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                      const struct artifact_images *images, struct error *error) {
    size_t deleted = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < images->count; i++) {
        const struct artifact_image *image = &images->items[i];
        bool gone = false;
        if (image->verdict != ARTIFACT_IS_OLD)
            continue;
        if (progress_cancelled(context->progress))
            return error_set(error, ERROR_CANCELLED, "stopped: %zu images are deleted, the others are as they were",
                             deleted);
        if (artifact_image_delete(cloud, arguments->region, arguments->repo, image, &gone, error) < 0)
            return error_wrap(error, "%zu images are deleted", deleted);
        if (!gone)
            progress_note(context->progress, "%s@%.*s stays: another image consists of it, or it is gone already",
                          image->name, SHORT_DIGEST, image->digest);
        deleted += gone;
        size += gone ? image->size : 0;
    }
    command_summary(context, "%zu of %zu images of %s are deleted (%.1f MB)", deleted, images->count, arguments->repo,
                    (double)size / 1e6);
    return 0;
}

static int confirm(const struct arguments *arguments, size_t old, struct error *error) {
    if (text_equal(arguments->confirm, arguments->repo))
        return 0;
    error_set(error, ERROR_USAGE, "%zu images would be deleted from %s", old, arguments->repo);
    return error_next(error, "if that is right, add: --confirm %s", arguments->repo);
}

static int clean_now(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                     const struct artifact_retention *retention, struct error *error) {
    AUTO_ARTIFACT_IMAGES struct artifact_images images = {0};
    AUTO_LIST struct text_list used = {0};
    AUTO_BUFFER struct buffer out = BUFFER(TEXT_LIMIT);
    size_t old = 0;
    if (artifact_images_list(cloud, arguments->region, arguments->repo, &images, error) < 0 ||
        run_images_in_use(cloud, &used, error) < 0)
        return -1;
    artifact_images_judge(&images, retention, &used, (int64_t)time(NULL));
    for (size_t i = 0; i < images.count; i++) {
        add_line(&out, &images.items[i], reasons[images.items[i].verdict]);
        old += images.items[i].verdict == ARTIFACT_IS_OLD;
    }
    if (command_print_scrubbed(context, &out, "the list of images", error) < 0)
        return -1;
    if (old == 0 || arguments->dry_run) {
        command_summary(context, "%zu of %zu images of %s are old%s", old, images.count, arguments->repo,
                        arguments->dry_run ? ": nothing was deleted (--dry-run)" : "");
        return 0;
    }
    return confirm(arguments, old, error) < 0 ? -1 : delete_old(context, arguments, cloud, &images, error);
}

static int clean_daily(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                       const struct artifact_retention *retention, struct error *error) {
    bool changed = false;
    if (artifact_repository_set_retention(cloud, arguments->region, arguments->repo, retention, &changed, error) < 0)
        return -1;
    command_summary(context, "%s: %s; Artifact Registry cleans it once a day", arguments->repo,
                    changed ? "the clean-up policies are set"
                            : "unchanged, the clean-up policies are as they should be");
    return 0;
}

static int clean(struct command_context *context, const struct arguments *arguments, struct cloud *cloud,
                 struct error *error) {
    const struct artifact_retention retention = {.keep = (uint64_t)arguments->keep,
                                                 .seconds = (uint64_t)arguments->older_than,
                                                 .kept_tags = arguments->keep_tags};
    return arguments->daily ? clean_daily(context, arguments, cloud, &retention, error)
                            : clean_now(context, arguments, cloud, &retention, error);
}

static int check(const struct command_context *context, const struct arguments *arguments, struct error *error) {
    if (arguments->list && arguments->clean)
        return error_set(error, ERROR_USAGE, "--list and --clean exclude each other");
    if (strchr(arguments->repo, '/'))
        return error_set(error, ERROR_USAGE,
                         "--list and --clean go with the name of a repository of Artifact Registry");
    if (context->operand_count > 0)
        return error_set(error, ERROR_USAGE, "--list and --clean take no container");
    if (arguments->keep < 0 || arguments->keep > KEEP_MOST)
        return error_set(error, ERROR_USAGE, "--keep is 0 to %d", KEEP_MOST);
    if (arguments->daily && arguments->dry_run)
        return error_set(error, ERROR_USAGE, "--daily and --dry-run exclude each other");
    return region_check(arguments->region, error);
}

bool images_wanted(const struct arguments *arguments) {
    return arguments->list || arguments->clean;
}

int images_run(struct command_context *context, const struct arguments *arguments, struct error *error) {
    AUTO_CLOUD struct cloud cloud = {0};
    if (check(context, arguments, error) < 0 || cloud_open(&cloud, &arguments->credentials, context->progress,
                                                           arguments->project, arguments->region, error) < 0)
        return -1;
    return arguments->list ? list(context, arguments, &cloud, error) : clean(context, arguments, &cloud, error);
}
