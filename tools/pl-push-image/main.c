#include "tools/pl-push-image/command.h"

#include "chain/image.h"
#include "chain/wait.h"
#include "common/command/source.h"
#include "common/evidence/evidence.h"
#include "gcp/artifact_registry.h"
#include "gcp/cloud.h"
#include "registry/credentials.h"
#include "tools/pl-push-image/images.h"
#include "tools/pl-push-image/target.h"

#include <string.h>
#include <time.h>

enum { DEADLINE = 3600, SHORT_DIGEST = 12, FROM_LIMIT = 16 };

struct session {
    struct command_context *context;
    const struct arguments *arguments;
    struct target target;
    char *commit; /* of a clean work tree, for the default tag */
    struct http *http;
    struct google_login google;
    struct docker_login docker;
    struct login_source sources[2];
    struct registry *registry;
    struct image_source source;
    struct engine engine;
};

static int make_repository(struct session *session, char *project, struct error *error) {
    const struct arguments *arguments = session->arguments;
    struct cloud cloud = {.http = session->http,
                          .credentials = session->google.credentials,
                          .progress = session->context->progress,
                          .project = project};
    bool made = false;
    if (artifact_repository_ensure(&cloud, arguments->region, arguments->repo, &made, error) < 0)
        return -1;
    if (made)
        progress_note(session->context->progress, "made the repository %s in %s", arguments->repo, arguments->region);
    return 0;
}

/* Google's own project and credentials are needed only for "--repo my-repo". */
static int find_project(struct session *session, struct error *error) {
    const struct arguments *arguments = session->arguments;
    struct google_login *google = &session->google;
    google->credentials = credentials_find(&arguments->credentials, session->http, session->context->progress, error);
    google->owned = true;
    if (!google->credentials)
        return -1;
    AUTO_FREE char *project = credentials_project(google->credentials, session->http, arguments->project, error);
    if (!project || target_set_project(&session->target, arguments, project, error) < 0)
        return -1;
    return arguments->create_repo ? make_repository(session, project, error) : 0;
}

static int preflight(void *context, struct error *error) {
    struct session *session = context;
    AUTO_REFERENCE struct reference reference = {0};
    if (endpoints_check(error) < 0 || (session->target.wants_name && find_project(session, error) < 0))
        return -1;
    /* The name may still be unknown: whether the login is taken does not depend on it. */
    const char *name = session->arguments->name ? session->arguments->name : "image";
    if (target_reference(&session->target, name, &reference, error) < 0 ||
        registry_check_access(session->registry, &reference, true, error) < 0)
        return -1;
    if (!session->target.tags.count)
        session->commit = clean_commit();
    return 0;
}

/* SOURCE_DATE_EPOCH as pl-build saw it: a layer that is packed only now must come out the same. */
static int read_epoch(int64_t *epoch, struct error *error) {
    const char *value = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds = 0;
    if (!text_is_empty(value) && !text_to_u64(value, INT64_MAX, &seconds))
        return error_set(error, ERROR_CONFIGURATION, "SOURCE_DATE_EPOCH is \"%.40s\", which is no number of seconds",
                         value);
    *epoch = (int64_t)seconds;
    return 0;
}

static int session_open(struct session *session, struct error *error) {
    struct progress *progress = session->context->progress;
    if (target_read(session->arguments, &session->target, error) < 0)
        return -1;
    if (session->arguments->create_repo && !session->target.wants_name)
        return error_set(error, ERROR_USAGE,
                         "--create-repo goes with the name of a repository of Artifact Registry alone");
    session->engine = (struct engine){.progress = progress, .source = &session->source};
    if (read_epoch(&session->engine.epoch, error) < 0)
        return -1;
    session->engine.store = store_open(NULL, error);
    if (!session->engine.store)
        return -1;
    chain_rest_while_waiting(session->context, session->engine.store);
    session->http = cloud_http_new(progress, DEADLINE);
    session->google =
        (struct google_login){.options = &session->arguments->credentials, .http = session->http, .progress = progress};
    session->docker = (struct docker_login){.progress = progress};
    session->sources[1] = docker_login_source(&session->docker, NULL);
    session->sources[0] = google_login_source(&session->google, &session->sources[1]);
    struct registry_options options = {.http = session->http, .progress = progress, .logins = &session->sources[0]};
    session->registry = registry_new(&options);
    session->source = registry_image_source(session->registry);
    return 0;
}

static void session_close(struct session *session) {
    registry_release(&session->registry);
    google_login_release(&session->google);
    if (session->http)
        http_release(&session->http);
    if (session->engine.store)
        store_close(&session->engine.store);
    target_release(&session->target);
    free(session->commit);
}

/* "container:sha256:…" */
static int config_digest(const struct record *record, struct digest *digest, struct error *error) {
    const char *ref = record_ref(record), *prefix = "container:";
    if (!text_starts_with(ref, prefix) || digest_parse(ref + strlen(prefix), digest, NULL) < 0)
        return error_set(error, ERROR_DATA, "\"%.120s\" is no container (container:sha256:…)", ref);
    return 0;
}

static void choose_tags(const struct session *session, const struct chain_image *image, struct text_list *tags) {
    text_list_add_all(tags, &session->target.tags);
    if (tags->count)
        return;
    struct digest digest = digest_of(image->manifest.data, image->manifest.length);
    if (session->commit)
        text_list_add(tags, session->commit);
    else
        text_list_take(tags, text_copy_length(digest_format_hex(&digest).text, SHORT_DIGEST));
}

/* What the container's record said beyond what is ours to say is passed on. */
static void pass_on(const struct record *container, struct json *image) {
    static const char *const ours[] = {"pl", "type", "ref", "digest", "set", "seq", "of", "from", "tags"};
    for (void *i = json_first(container->json); i; i = json_next(container->json, i)) {
        bool is_ours = false;
        for (size_t j = 0; j < ARRAY_LENGTH(ours); j++)
            is_ours = is_ours || text_equal(json_key(i), ours[j]);
        if (!is_ours)
            json_set(image, json_key(i), json_share(json_value(i)));
    }
}

static void add_origins(const struct record *container, struct json *image) {
    struct json *from = json_new_array();
    const struct json *earlier = json_get(container->json, "from");
    json_append_text(from, record_ref(container));
    for (size_t i = 0; i < json_count(earlier) && i < FROM_LIMIT; i++)
        if (json_is_text(json_at(earlier, i)))
            json_append_text(from, json_text(json_at(earlier, i)));
    json_set(image, "from", from);
}

static struct record image_record(const struct record *container, const struct chain_image *image,
                                  const struct reference *reference, const struct push_outcome *outcome,
                                  const struct text_list *tags) {
    AUTO_FREE char *ref =
        text_format("%s/%s@%s", reference->host, reference->repository, digest_format(&outcome->digest).text);
    struct record record = record_new(RECORD_IMAGE, ref);
    const char *slash = strrchr(reference->repository, '/');
    AUTO_FREE char *platform = text_format("%s/%s", json_get_text(image->container.config, "os", "linux"),
                                           container_architecture(&image->container));
    pass_on(container, record.json);
    if (!record_text(&record, "name"))
        json_set_text(record.json, "name", slash ? slash + 1 : reference->repository);
    json_set_text(record.json, "platform", platform);
    struct json *list = json_new_array();
    for (size_t i = 0; i < tags->count; i++)
        json_append_text(list, tags->items[i]);
    json_set(record.json, "tags", list);
    add_origins(container, record.json);
    return record;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void summarize(struct session *session, const struct reference *reference, const struct text_list *tags,
                      const struct push_outcome *outcome, double seconds) {
    command_summary(session->context, "%s/%s:%s: %u blobs sent (%.1f MB), %u mounted, %u already there (%.2f s)",
                    reference->host, reference->repository, tags->items[0], outcome->uploaded,
                    (double)outcome->uploaded_bytes / 1e6, outcome->mounted, outcome->existing, seconds);
}

/* A chain that begins with an image has no name unless it was given one. Then it is the working directory's, as with
 * pl-build. A bare ref may have come from anywhere and says nothing about this directory; nor do several records. */
static int choose_name(const struct session *session, const struct record *container, char **name,
                       struct error *error) {
    const char *said = session->arguments->name ? session->arguments->name : record_text(container, "name");
    bool is_one = json_get_integer(container->json, "of", 1) == 1;
    *name = said ? text_copy(said) : NULL;
    if (said || !session->target.wants_name || !is_one || !record_text(container, "tool"))
        return 0;
    AUTO_FREE char *directory = source_directory(".", error);
    if (!directory || !(*name = source_name(NULL, directory, error)))
        return -1;
    progress_note(session->context->progress,
                  "the image is called %s, as this directory; another name: pl-with name NAME, or --name", *name);
    return 0;
}

static int push_record(struct session *session, const struct record *container, struct record_list *out,
                       struct error *error) {
    AUTO_REFERENCE struct reference reference = {0};
    AUTO_CHAIN_IMAGE struct chain_image image = {0};
    AUTO_LIST struct text_list tags = {0};
    struct digest config;
    double begin = seconds_now();
    AUTO_FREE char *name = NULL;
    if (config_digest(container, &config, error) < 0 || choose_name(session, container, &name, error) < 0 ||
        target_reference(&session->target, name, &reference, error) < 0 ||
        chain_image_make(&session->engine, &config, json_get(container->json, "annotations"), &image, error) < 0)
        return -1;
    choose_tags(session, &image, &tags);
    struct chain_image_fetch fetch = {.engine = &session->engine, .image = &image};
    struct push push = {.target = &reference,
                        .blobs = image.blobs,
                        .blob_count = image.blob_count,
                        .media_type = MEDIA_TYPE_OCI_MANIFEST,
                        .manifest = image.manifest.data,
                        .manifest_length = image.manifest.length,
                        .tags = &tags,
                        .store = session->engine.store,
                        .fetch = chain_image_fetch_blob,
                        .context = &fetch};
    struct push_outcome outcome;
    if (registry_push(session->registry, &push, &outcome, error) < 0)
        return error_wrap(error, "cannot push to %s/%s", reference.host, reference.repository);
    if (evidence_write_push(session->engine.store, &outcome.digest, &config, error) < 0)
        return -1;
    record_list_add(out, image_record(container, &image, &reference, &outcome, &tags));
    summarize(session, &reference, &tags, &outcome, seconds_now() - begin);
    return 0;
}

/* Two images under one tag of one repository would leave only the second. */
static int check_targets(const struct session *session, const struct record_list *list, struct error *error) {
    if (list->count > 1 && (!session->target.wants_name || session->arguments->name)) {
        error_set(error, ERROR_USAGE, "got %zu containers for one repository", list->count);
        return error_next(error, "push them one by one, or to --repo my-repo, where each has its own name");
    }
    return 0;
}

static int push_all(struct session *session, struct error *error) {
    struct record_list list = {0}, out = {0};
    int result = command_read_records(session->context, RECORD_CONTAINER, preflight, session, &list, error);
    if (result == 0) {
        http_renew_deadline(session->http);
        result = check_targets(session, &list, error);
    }
    for (size_t i = 0; result == 0 && i < list.count; i++)
        result = push_record(session, &list.items[i], &out, error);
    if (result == 0)
        result = command_write_records(session->context, &out, error);
    record_list_release(&list);
    record_list_release(&out);
    return result;
}

static int run(struct command_context *context, void *given, struct error *error) {
    struct session session = {.context = context, .arguments = given};
    if (images_wanted(given))
        return images_run(context, given, error);
    int result = session_open(&session, error);
    if (result == 0)
        result = push_all(&session, error);
    session_close(&session);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_push_image_command, run, argc, argv);
}
