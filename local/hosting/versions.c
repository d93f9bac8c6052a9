/* Versions: their states, their configuration, copies of them. */
#include "local/hosting/internal.h"

#include "common/crypto/random.h"
#include "local/hosting/filter.h"
#include "local/hosting/rules.h"

#include <string.h>

enum { LABELS_LIMIT = 64 };

static const char *const version_fields[] = {"status", "config", "labels", NULL};

static struct json *need_version(struct call *call) {
    struct json *document = version_read(call->hosting, call->names[0], call->names[1]);
    if (!document)
        call_not_found(call);
    return document;
}

static bool need_site(struct call *call) {
    AUTO_JSON struct json *document = site_read(call->hosting, call->names[0]);
    if (!document)
        call_not_found(call);
    return document != NULL;
}

static bool has_status(const struct json *document, const char *status) {
    return text_equal(json_get_text(document, "status", NULL), status);
}

void version_get(struct call *call) {
    AUTO_JSON struct json *document = need_version(call);
    if (document)
        reply_json(call->reply, 200, version_show(call, call->names[1], document));
}

static int newest_first(const void *left, const void *right) {
    return strcmp(*(char *const *)right, *(char *const *)left);
}

/* filter: status = "FINALIZED" is the one that clients use. */
static bool passes_filter(const struct call *call, const struct json *document) {
    const char *filter = request_query(call->request, "filter"), *status = json_get_text(document, "status", "");
    AUTO_FREE char *quoted = text_format("\"%s\"", status);
    return text_is_empty(filter) || !strstr(filter, "status") || strstr(filter, quoted) ||
           text_ends_with(filter, status);
}

void version_list(struct call *call) {
    AUTO_LIST struct text_list ids = {0}, order = {0};
    if (!need_site(call))
        return;
    struct json *versions = json_new_array();
    resource_ids(call->hosting, call->names[0], "versions", &ids);
    for (size_t i = 0; i < ids.count; i++) {
        AUTO_JSON struct json *document = version_read(call->hosting, call->names[0], ids.items[i]);
        if (document && passes_filter(call, document))
            text_list_add_format(&order, "%s %s", json_get_text(document, "createTime", ""), ids.items[i]);
    }
    if (order.count)
        qsort(order.items, order.count, sizeof(*order.items), newest_first);
    for (size_t i = 0; i < order.count; i++) {
        const char *id = strchr(order.items[i], ' ') + 1;
        AUTO_JSON struct json *document = version_read(call->hosting, call->names[0], id);
        if (document)
            json_append(versions, version_show(call, id, document));
    }
    call_page(call, "versions", versions, 25, 100);
}

/* ---- changing ---- */

/* A service of a rewrite that is not there is refused when the configuration is set, in Google's few words; the reason
 * stands in the details. */
static int check_config(struct call *call, const struct json *config, struct error *error) {
    AUTO(rules_release) struct rules *rules = rules_compile(config, error);
    return rules ? rules_check_services(rules, call->cloud, error) : -1;
}

static int check_labels(const struct json *labels, struct error *error) {
    if (!json_is_object(labels) || json_count(labels) > LABELS_LIMIT)
        return error_set(error, ERROR_DATA, "Invalid value at 'version.labels'");
    for (void *at = json_first(labels); at; at = json_next(labels, at))
        if (!json_is_text(json_value(at)))
            return error_set(error, ERROR_DATA, "Invalid value at 'version.labels[%.60s]' (TYPE_STRING)", json_key(at));
    return 0;
}

/* Sets one field of the body; `status` is left to the caller. */
static int set_field(struct call *call, const char *field, struct json *document, struct error *error) {
    struct json *value = json_get(call->body, field);
    if (text_equal(field, "config")) {
        if (value && check_config(call, value, error) < 0)
            return -1;
    } else if (value && check_labels(value, error) < 0)
        return -1;
    if (value)
        json_set(document, field, json_share(value));
    else
        json_remove(document, field);
    return 0;
}

static int known_fields_only(const struct json *body, struct error *error) {
    static const char *const known[] = {"name",       "status",     "config",       "labels",
                                        "createTime", "createUser", "finalizeTime", "finalizeUser",
                                        "deleteTime", "deleteUser", "fileCount",    "versionBytes"};
    for (void *at = json_first(body); at; at = json_next(body, at)) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
            found = found || text_equal(known[i], json_key(at));
        if (!found)
            return error_set(error, ERROR_DATA,
                             "Invalid JSON payload received. Unknown name \"%.100s\" at 'version': Cannot find field.",
                             json_key(at));
    }
    return 0;
}

/* A version of its own, not yet written. `id` has 17 bytes. */
static struct json *make_version(const struct call *call, char *id) {
    struct json *document = json_new_object();
    random_hex(id, 17);
    json_set_text(document, "status", "CREATED");
    json_set(document, "config", json_new_object());
    json_set_text(document, "createTime", call->now.text);
    json_set(document, "createUser", acting_user(call->user));
    return document;
}

static void write_and_show(struct call *call, const char *id, const struct json *document) {
    struct error error = {0};
    if (version_write(call->hosting, call->names[0], id, document, &error) < 0)
        call_fail(call, &error);
    else
        reply_json(call->reply, 200, version_show(call, id, document));
}

void version_create(struct call *call) {
    char id[17];
    struct error error = {0};
    if (!need_site(call))
        return;
    AUTO_JSON struct json *document = make_version(call, id);
    const char *status = json_get_text(call->body, "status", "CREATED");
    if (!text_equal(status, "CREATED") && !text_equal(status, "VERSION_STATUS_UNSPECIFIED")) {
        reply_google_error(call->reply, 400, "A version is made with the status CREATED, not %.40s.", status);
        return;
    }
    if (known_fields_only(call->body, &error) < 0 ||
        (json_get(call->body, "config") && set_field(call, "config", document, &error) < 0) ||
        (json_get(call->body, "labels") && set_field(call, "labels", document, &error) < 0))
        call_fail(call, &error);
    else
        write_and_show(call, id, document);
}

int version_finalize(struct call *call, const char *site, const char *version, struct json *document,
                     struct error *error) {
    uint64_t count = 0, bytes = 0;
    if (check_config(call, json_get(document, "config"), error) < 0 ||
        version_count_files(call->hosting, site, version, &count, &bytes, error) < 0)
        return -1;
    AUTO_FREE char *count_text = text_format("%llu", (unsigned long long)count);
    AUTO_FREE char *bytes_text = text_format("%llu", (unsigned long long)bytes);
    json_set_text(document, "status", "FINALIZED");
    json_set_text(document, "finalizeTime", call->now.text);
    json_set(document, "finalizeUser", acting_user(call->user));
    json_set_text(document, "fileCount", count_text);
    json_set_text(document, "versionBytes", bytes_text);
    return 0;
}

/* Only a CREATED version changes, but for its labels; finalizing again changes nothing. */
static int check_change(const struct json *document, const struct json *body, const struct text_list *fields,
                        struct error *error) {
    const char *status = json_get_text(body, "status", NULL);
    bool created = has_status(document, "CREATED");
    for (size_t i = 0; i < fields->count; i++) {
        const char *field = fields->items[i];
        if (text_starts_with(field, "status")) {
            bool same = status && has_status(document, status);
            if (!same && !(created && text_equal(status, "FINALIZED")))
                return error_set(error, ERROR_ANSWER_NO, "Version is %s and cannot become %.40s.",
                                 json_get_text(document, "status", ""), status ? status : "of no status");
        } else if (text_starts_with(field, "config")) {
            if (!text_equal(field, "config"))
                return error_set(error, ERROR_DATA, "Invalid field path in update_mask: %.100s", field);
            if (!created && !json_same(json_get(document, "config"), json_get(body, "config")))
                return error_set(error, ERROR_ANSWER_NO, "Version is %s: its configuration does not change.",
                                 json_get_text(document, "status", ""));
        }
    }
    return 0;
}

void version_patch(struct call *call) {
    AUTO_JSON struct json *document = need_version(call);
    AUTO_LIST struct text_list fields = {0};
    struct error error = {0};
    if (!document || !call_mask(call, version_fields, &fields))
        return;
    if (known_fields_only(call->body, &error) < 0 || check_change(document, call->body, &fields, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    bool created = has_status(document, "CREATED");
    for (size_t i = 0; i < fields.count; i++) {
        AUTO_FREE char *field = text_copy_length(fields.items[i], strcspn(fields.items[i], "."));
        bool kept = text_equal(field, "status") || (text_equal(field, "config") && !created);
        if (!kept && set_field(call, field, document, &error) < 0) {
            call_fail(call, &error);
            return;
        }
    }
    if (created && text_list_contains(&fields, "status") &&
        text_equal(json_get_text(call->body, "status", NULL), "FINALIZED") &&
        version_finalize(call, call->names[0], call->names[1], document, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    write_and_show(call, call->names[1], document);
}

void version_delete(struct call *call) {
    AUTO_JSON struct json *document = need_version(call);
    AUTO_FREE char *files = resource_path(call->hosting, call->names[0], "versions", call->names[1], ".files");
    struct error error = {0};
    if (!document)
        return;
    if (version_is_live(call->hosting, call->names[0], call->names[1])) {
        call_precondition(call, "Version `%s` is the current one of a channel and cannot be deleted.", call->names[1]);
        return;
    }
    json_set_text(document, "status", "DELETED");
    json_set_text(document, "deleteTime", call->now.text);
    json_set(document, "deleteUser", acting_user(call->user));
    if (version_write(call->hosting, call->names[0], call->names[1], document, &error) < 0) {
        call_fail(call, &error);
        return;
    }
    unlink(files);
    reply_json(call->reply, 200, json_new_object());
}

/* ---- copies ---- */

static int copy_files(struct call *call, const char *from_site, const char *from, const char *to, struct error *error) {
    AUTO_FILE_TABLE struct file_table table = {0};
    AUTO(path_filter_release)
    struct path_filter *filter =
        path_filter_compile(json_get(call->body, "include"), json_get(call->body, "exclude"), error);
    if (!filter || file_table_load(call->hosting, from_site, from, &table, error) < 0)
        return -1;
    size_t kept = 0;
    for (size_t i = 0; i < table.count; i++)
        if (path_filter_passes(filter, table.files[i].path))
            table.files[kept++] = table.files[i];
        else
            free(table.files[i].path);
    table.count = kept;
    return file_table_save(call->hosting, call->names[0], to, &table, error);
}

static void reply_done(struct call *call, struct json *response) {
    struct json *operation = json_new_object(), *operations = call->hosting->operations;
    char id[17];
    random_hex(id, sizeof(id));
    AUTO_FREE char *name = text_format("projects/%s/operations/%s", call->cloud->number, id);
    json_set_text(response, "@type", "type.googleapis.com/google.firebase.hosting.v1beta1.Version");
    json_set_text(operation, "name", name);
    json_set_bool(operation, "done", true);
    json_set(operation, "response", response);
    json_append(operations, json_share(operation));
    if (json_count(operations) > OPERATIONS_LIMIT)
        json_remove_at(operations, 0);
    reply_json(call->reply, 200, operation);
}

void version_clone(struct call *call) {
    const char *name = json_get_text(call->body, "sourceVersion", NULL);
    AUTO_FREE char *site = NULL, *version = NULL;
    char id[17];
    struct error error = {0};
    if (!need_site(call))
        return;
    if (!version_name_parse(name, &site, &version)) {
        reply_google_error(call->reply, 400, "Invalid source version: `%.200s`", name ? name : "");
        return;
    }
    AUTO_JSON struct json *source = version_read(call->hosting, site, version);
    if (!source) {
        call_not_found(call);
        return;
    }
    if (!has_status(source, "FINALIZED")) {
        call_precondition(call, "Version `%s` is %s, not FINALIZED.", name, json_get_text(source, "status", ""));
        return;
    }
    AUTO_JSON struct json *copy = make_version(call, id);
    json_set(copy, "config", json_copy_deep(json_get(source, "config")));
    if (json_get(source, "labels"))
        json_set(copy, "labels", json_copy_deep(json_get(source, "labels")));
    if (copy_files(call, site, version, id, &error) < 0 ||
        (json_get_bool(call->body, "finalize", false) &&
         version_finalize(call, call->names[0], id, copy, &error) < 0) ||
        version_write(call->hosting, call->names[0], id, copy, &error) < 0)
        call_fail(call, &error);
    else
        reply_done(call, version_show(call, id, copy));
}
