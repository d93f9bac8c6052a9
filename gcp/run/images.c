#include "gcp/run/images.h"

#include "gcp/run/resource.h"
#include "gcp/run/revision.h"

static void add_containers(const struct json *containers, struct text_list *references) {
    for (size_t i = 0; i < json_count(containers); i++) {
        const char *image = json_get_text(json_at(containers, i), "image", NULL);
        if (image && !text_list_contains(references, image))
            text_list_add(references, image);
    }
}

/* The revisions that get requests: a rollback may have left another one in place than the service's template. */
static int add_revisions(struct cloud *cloud, const struct json *service, struct text_list *references,
                         struct error *error) {
    const struct json *statuses = json_get(service, "trafficStatuses");
    const char *name = json_get_text(service, "name", "");
    for (size_t i = 0; i < json_count(statuses); i++) {
        const char *revision = json_get_text(json_at(statuses, i), "revision", NULL);
        AUTO_JSON struct json *found = NULL;
        if (!revision || !run_is_revision_name(run_short_name(revision)))
            continue;
        AUTO_FREE char *path = text_format("%s/revisions/%s", name, run_short_name(revision));
        if (run_revision_get(cloud, path, &found, error) < 0)
            return -1;
        add_containers(json_get(found, "containers"), references);
    }
    return 0;
}

static int list_all(struct cloud *cloud, const char *collection, struct json *all, struct error *error) {
    AUTO_FREE char *path = text_format("projects/%s/locations/-/%s", cloud->project, collection);
    AUTO_FREE char *url = run_url(path), *what = text_format("cannot see which images the %s run", collection);
    return cloud_list(cloud, url, collection, what, all, error);
}

int run_images_in_use(struct cloud *cloud, struct text_list *references, struct error *error) {
    AUTO_JSON struct json *services = json_new_array(), *jobs = json_new_array();
    if (list_all(cloud, "services", services, error) < 0 || list_all(cloud, "jobs", jobs, error) < 0)
        return -1;
    for (size_t i = 0; i < json_count(services); i++) {
        add_containers(json_get_path(json_at(services, i), "template.containers"), references);
        if (add_revisions(cloud, json_at(services, i), references, error) < 0)
            return -1;
    }
    for (size_t i = 0; i < json_count(jobs); i++)
        add_containers(json_get_path(json_at(jobs, i), "template.template.containers"), references);
    return 0;
}
