#include "local/hosting/internal.h"

#include "common/crypto/random.h"

#include <string.h>

enum { RETAINED = 10, RETAINED_MOST = 100 };
#define LONGEST_LIFE (INT64_C(30) * 24 * 3600 * 1000000)

static const char *const channel_fields[] = {"ttl", "expireTime", "labels", "retainedReleaseCount", NULL};

static struct json *need_channel(struct call *call) {
    struct json *document = channel_read(call->hosting, call->names[0], call->names[1]);
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

static void show(struct call *call, const char *channel, const struct json *document) {
    reply_json(call->reply, 200, channel_show(call, channel, document));
}

void channel_list(struct call *call) {
    AUTO_LIST struct text_list ids = {0};
    if (!need_site(call))
        return;
    struct json *channels = json_new_array();
    resource_ids(call->hosting, call->names[0], "channels", &ids);
    for (size_t i = 0; i < ids.count; i++) {
        AUTO_JSON struct json *document = channel_read(call->hosting, call->names[0], ids.items[i]);
        if (document)
            json_append(channels, channel_show(call, ids.items[i], document));
    }
    call_page(call, "channels", channels, 10, 100);
}

void channel_get(struct call *call) {
    AUTO_JSON struct json *document = need_channel(call);
    if (document)
        show(call, call->names[1], document);
}

/* "ttl" from now or "expireTime"; the live channel has no end. */
static int set_end(struct call *call, const char *field, struct json *document, struct error *error) {
    const char *text = json_get_text(call->body, field, NULL);
    int64_t now = timestamp_now(), end = 0;
    bool is_ttl = text_equal(field, "ttl");
    if (!text) {
        json_remove(document, "expireTime");
        return 0;
    }
    if (is_ttl ? !duration_parse(text, &end) : !timestamp_parse(text, &end))
        return error_set(error, ERROR_DATA, "Invalid value at 'channel.%s' (%s), \"%.60s\"", field,
                         is_ttl ? "type.googleapis.com/google.protobuf.Duration"
                                : "type.googleapis.com/google.protobuf.Timestamp",
                         text);
    end += is_ttl ? now : 0;
    if (end <= now || end > now + LONGEST_LIFE)
        return error_set(error, ERROR_DATA, "A channel expires in the future and within 30 days.");
    json_set_text(document, "expireTime", timestamp_format(end).text);
    return 0;
}

static int set_field(struct call *call, const char *field, struct json *document, struct error *error) {
    struct json *value = json_get(call->body, field);
    if (text_equal(field, "ttl") || text_equal(field, "expireTime"))
        return set_end(call, field, document, error);
    if (text_equal(field, "retainedReleaseCount")) {
        int64_t count = value ? json_number(value) : RETAINED;
        if (count < 1 || count > RETAINED_MOST)
            return error_set(error, ERROR_DATA, "retainedReleaseCount is a number from 1 to 100.");
        json_set_integer(document, field, count);
        return 0;
    }
    if (value && !json_is_object(value))
        return error_set(error, ERROR_DATA, "Invalid value at 'channel.labels'");
    if (value)
        json_set(document, "labels", json_share(value));
    else
        json_remove(document, "labels");
    return 0;
}

void channel_create(struct call *call) {
    const char *id = request_query(call->request, "channelId");
    AUTO_LIST struct text_list ids = {0};
    AUTO_JSON struct json *document = json_new_object();
    struct error error = {0};
    char suffix[9];
    if (!need_site(call))
        return;
    if (!id || !channel_id_is_valid(id)) {
        reply_google_error(call->reply, 400, "Invalid channel id: `%.70s`", id ? id : "");
        return;
    }
    AUTO_JSON struct json *existing = channel_read(call->hosting, call->names[0], id);
    resource_ids(call->hosting, call->names[0], "channels", &ids);
    if (existing) {
        reply_google_error(call->reply, 409, "Requested entity already exists");
        return;
    }
    if (ids.count > CHANNELS_LIMIT) {
        reply_google_error(call->reply, 429,
                           "Couldn't create channel on `projects/%s/sites/%s`: channel quota reached.",
                           call->cloud->number, call->names[0]);
        return;
    }
    random_hex(suffix, sizeof(suffix));
    json_set_text(document, "suffix", suffix);
    json_set_text(document, "createTime", call->now.text);
    json_set_text(document, "updateTime", call->now.text);
    json_set_integer(document, "retainedReleaseCount", RETAINED);
    json_set(document, "releases", json_new_array());
    for (size_t i = 0; channel_fields[i]; i++)
        if (json_get(call->body, channel_fields[i]) && set_field(call, channel_fields[i], document, &error) < 0) {
            call_fail(call, &error);
            return;
        }
    if (channel_write(call->hosting, call->names[0], id, document, &error) < 0)
        call_fail(call, &error);
    else
        show(call, id, document);
}

void channel_patch(struct call *call) {
    AUTO_JSON struct json *document = need_channel(call);
    AUTO_LIST struct text_list fields = {0};
    struct error error = {0};
    if (!document || !call_mask(call, channel_fields, &fields))
        return;
    bool live = text_equal(call->names[1], "live");
    for (size_t i = 0; i < fields.count; i++) {
        AUTO_FREE char *field = text_copy_length(fields.items[i], strcspn(fields.items[i], "."));
        if (live && (text_equal(field, "ttl") || text_equal(field, "expireTime"))) {
            reply_google_error(call->reply, 400, "The live channel does not expire.");
            return;
        }
        if (set_field(call, field, document, &error) < 0) {
            call_fail(call, &error);
            return;
        }
    }
    json_set_text(document, "updateTime", call->now.text);
    if (channel_write(call->hosting, call->names[0], call->names[1], document, &error) < 0)
        call_fail(call, &error);
    else
        show(call, call->names[1], document);
}

void channel_delete(struct call *call) {
    AUTO_JSON struct json *document = need_channel(call);
    if (!document)
        return;
    if (text_equal(call->names[1], "live")) {
        reply_google_error(call->reply, 400, "The live channel cannot be deleted.");
        return;
    }
    channel_remove(call->hosting, call->names[0], call->names[1]);
    reply_json(call->reply, 200, json_new_object());
}
