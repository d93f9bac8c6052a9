/* The versions that are kept in memory for serving. A finalized version never changes: it is thrown out only when
 * others are wanted. */
#include "local/hosting/serve.h"

#include <string.h>

static void served_free(struct served *served) {
    free(served->site);
    free(served->version);
    file_table_release(&served->files);
    rules_release(&served->rules);
    free(served);
}

/* With the lock held. */
static void drop(struct served *served) {
    if (--served->users == 0)
        served_free(served);
}

static struct served *load(struct hosting *hosting, const char *site, const char *version, struct error *error) {
    AUTO_JSON struct json *document = version_read(hosting, site, version);
    struct served *served = memory_allocate(1, sizeof(*served));
    served->site = text_copy(site);
    served->version = text_copy(version);
    if (document) {
        served->rules = rules_compile(json_get(document, "config"), error);
        timestamp_parse(json_get_text(document, "finalizeTime", NULL), &served->released);
    } else
        error_set(error, ERROR_INTERNAL, "the version %s is missing", version);
    if (!served->rules || file_table_load(hosting, site, version, &served->files, error) < 0) {
        served_free(served);
        return NULL;
    }
    return served;
}

/* In a free place, or in that of the one that was used longest ago. */
static struct served *keep(struct hosting *hosting, struct served *served) {
    struct served **place = &hosting->served[0];
    for (size_t i = 0; i < SERVED_LIMIT && *place; i++)
        if (!hosting->served[i] || hosting->served[i]->used < (*place)->used)
            place = &hosting->served[i];
    if (*place)
        drop(*place);
    served->users = 1;
    return *place = served;
}

static struct served *find(struct hosting *hosting, const char *site, const char *version, struct error *error) {
    for (size_t i = 0; i < SERVED_LIMIT; i++) {
        struct served *served = hosting->served[i];
        if (served && text_equal(served->version, version) && text_equal(served->site, site))
            return served;
    }
    struct served *loaded = load(hosting, site, version, error);
    return loaded ? keep(hosting, loaded) : NULL;
}

enum shown served_find(struct hosting *hosting, const char *label, struct served **served, struct error *error) {
    AUTO_FREE char *site = NULL, *channel = NULL;
    enum shown shown = SHOWN_NO_SITE;
    *served = NULL;
    pthread_mutex_lock(&hosting->lock);
    if (channel_of_label(hosting, label, &site, &channel)) {
        AUTO_JSON struct json *document = channel_read(hosting, site, channel);
        const char *version = json_get_text(channel_current(document), "version", NULL);
        *served = version ? find(hosting, site, version, error) : NULL;
        shown = *served ? SHOWN_VERSION : version ? SHOWN_BROKEN : SHOWN_NOTHING;
    }
    if (*served) {
        (*served)->users++;
        (*served)->used = ++hosting->clock;
    }
    pthread_mutex_unlock(&hosting->lock);
    return shown;
}

void served_give(struct hosting *hosting, struct served **served) {
    if (!*served)
        return;
    pthread_mutex_lock(&hosting->lock);
    drop(*served);
    pthread_mutex_unlock(&hosting->lock);
    *served = NULL;
}

void served_release_all(struct hosting *hosting) {
    for (size_t i = 0; i < SERVED_LIMIT; i++)
        if (hosting->served[i])
            drop(hosting->served[i]);
}
