/* All records of one input: complete, of the right type, no failure of the stage before. */
#include "common/base/text.h"
#include "common/record/record.h"

#include <string.h>

enum { INPUT_LIMIT = RECORD_LIMIT * RECORD_COUNT_LIMIT };

/* What turns one type into another, for the advice. */
static const struct {
    enum record_type from, to;
    const char *tool;
} bridges[] = {
    {RECORD_CONTAINER, RECORD_IMAGE, "pl-push-image"}, {RECORD_IMAGE, RECORD_CONTAINER, "pl-from"},
    {RECORD_CONTAINER, RECORD_DIRECTORY, "pl-export"}, {RECORD_IMAGE, RECORD_SERVICE, "pl-run-deploy"},
    {RECORD_CONTAINER, RECORD_SERVICE, "pl-serve"},    {RECORD_DIRECTORY, RECORD_SITE, "pl-firebase-deploy"},
    {RECORD_IMAGE, RECORD_JOB, "pl-run-job"},
};

static const char *article(const char *noun) {
    return strchr("aeiou", noun[0]) ? "an" : "a";
}

static bool is_tool_name(const char *name) {
    return name && text_starts_with(name, "pl-") && strlen(name) < 40 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name);
}

/* "got a container (from pl-build); put pl-push-image before it" */
static int refuse_type(const struct record *record, unsigned accepted, struct error *error) {
    const char *name = record_type_name(record->type);
    const char *tool = record_text(record, "tool");
    AUTO_FREE char *origin = is_tool_name(tool) ? text_format(" (from %s)", tool) : text_copy("");
    for (size_t i = 0; i < ARRAY_LENGTH(bridges); i++)
        if (bridges[i].from == record->type && (accepted & (unsigned)bridges[i].to) &&
            !text_equal(tool, bridges[i].tool))
            return error_set(error, ERROR_DATA, "got %s %s%s; put %s before it", article(name), name, origin,
                             bridges[i].tool);
    AUTO_BUFFER struct buffer wanted = BUFFER(512);
    for (unsigned bit = RECORD_DIRECTORY; bit < RECORD_ERROR; bit <<= 1)
        if (accepted & bit)
            buffer_append_format(&wanted, "%s%s", wanted.length ? " or " : "", record_type_name((enum record_type)bit));
    return error_set(error, ERROR_DATA, "got %s %s%s; it takes %s %s", article(name), name, origin,
                     article(buffer_text(&wanted)), buffer_text(&wanted));
}

/* A URL alone may be that of a service or of a site. */
static void settle_type(struct record *record, unsigned accepted, bool bare) {
    if (bare && record->type == RECORD_SERVICE && !(accepted & RECORD_SERVICE) && (accepted & RECORD_SITE)) {
        record->type = RECORD_SITE;
        json_set_text(record->json, "type", record_type_name(RECORD_SITE));
    }
}

static int stop_for_upstream(struct record *record, struct record *upstream, struct error *error) {
    const char *stage = record_text(record, "stage"), *message = record_text(record, "message");
    int code = (int)json_get_integer(record->json, "code", 70);
    if (text_is_empty(message))
        error_set(error, ERROR_STEP, "not started: %s failed (%d)", stage, code);
    else
        error_set(error, ERROR_STEP, "not started: %s failed (%d): %s", stage, code, message);
    error->exit_code = code;
    if (upstream)
        *upstream = *record;
    else
        record_release(record);
    return -1;
}

/* How many records of this record's set have arrived, and whether its number is new and its total the same. */
static int check_set(const struct record_list *list, size_t index, size_t *arrived, struct error *error) {
    const struct json *json = list->items[index].json;
    const char *set = json_get_text(json, "set", NULL);
    int64_t seq = json_get_integer(json, "seq", 0), of = json_get_integer(json, "of", 0);
    if (of < 1 || of > RECORD_COUNT_LIMIT || seq < 1 || seq > of)
        return error_set(error, ERROR_DATA, "a record says that it is number %lld of %lld", (long long)seq,
                         (long long)of);
    *arrived = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct json *other = list->items[i].json;
        if (!text_equal(json_get_text(other, "set", NULL), set))
            continue;
        ++*arrived;
        if (json_get_integer(other, "of", 0) != of)
            return error_set(error, ERROR_DATA, "the records do not agree on how many they are");
        if (i != index && json_get_integer(other, "seq", 0) == seq)
            return error_set(error, ERROR_DATA, "record %lld of %lld arrived twice", (long long)seq, (long long)of);
    }
    return 0;
}

static int check_complete(const struct record_list *list, struct error *error) {
    for (size_t i = 0; i < list->count; i++) {
        const struct json *json = list->items[i].json;
        if (!json_get(json, "set") && !json_get(json, "seq") && !json_get(json, "of"))
            continue;
        size_t arrived = 0;
        if (check_set(list, i, &arrived, error) < 0)
            return -1;
        if ((int64_t)arrived < json_get_integer(json, "of", 0)) {
            error_set(error, ERROR_DATA, "received %zu of %lld records", arrived,
                      (long long)json_get_integer(json, "of", 0));
            return error_next(error, "see what the command before the pipe said; it ended before it was done");
        }
    }
    return 0;
}

/* Takes one line in; -1 also when it is the upstream's error record. */
static int add_line(const char *line, size_t length, unsigned accepted, struct record_list *list,
                    struct record *upstream, struct error *error) {
    struct record record;
    if (list->count >= RECORD_COUNT_LIMIT)
        return error_set(error, ERROR_DATA, "more than %d records", RECORD_COUNT_LIMIT);
    if (record_parse(line, length, &record, error) < 0)
        return -1;
    if (record.type == RECORD_ERROR)
        return stop_for_upstream(&record, upstream, error);
    settle_type(&record, accepted, line[0] != '{');
    if (accepted & (unsigned)record.type) {
        record_list_add(list, record);
        return 0;
    }
    refuse_type(&record, accepted, error);
    record_release(&record);
    return -1;
}

static size_t trimmed(const char *line, size_t length) {
    while (length > 0 && strchr(" \t\r", line[length - 1]) && line[length - 1])
        length--;
    return length;
}

/* An error record wins over everything else that is wrong with the input: it is the cause. */
static bool find_upstream(const char *text, size_t length, struct record *found) {
    for (const char *at = text, *end = text + length; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        if (size > 0 && at[0] == '{' && size < RECORD_LIMIT && record_parse(at, trimmed(at, size), found, NULL) == 0) {
            if (found->type == RECORD_ERROR)
                return true;
            record_release(found);
        }
        at += size + 1;
    }
    return false;
}

static int add_lines(const char *text, size_t length, unsigned accepted, struct record_list *list,
                     struct error *error) {
    for (const char *at = text, *end = text + length; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at), used = trimmed(at, size);
        if (used > 0 && add_line(at, used, accepted, list, NULL, error) < 0) {
            if (!stop && at[0] == '{')
                error_wrap(error, "the last record is cut off");
            return -1;
        }
        at += size + 1;
    }
    return 0;
}

int record_read_text(const char *text, size_t length, unsigned accepted, struct record_list *list,
                     struct record *upstream, struct error *error) {
    struct record failed = {0};
    if (find_upstream(text, length, &failed))
        return stop_for_upstream(&failed, upstream, error);
    if (add_lines(text, length, accepted, list, error) < 0)
        return -1;
    if (list->count == 0) {
        error_set(error, ERROR_NO_INPUT, "nothing arrived: the command before the pipe failed or printed nothing");
        return error_next(error, "run the command before the pipe alone and see what it says");
    }
    return check_complete(list, error);
}

int record_read_all(int fd, unsigned accepted, struct record_list *list, struct record *upstream, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(INPUT_LIMIT);
    char block[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read standard input");
        if (got == 0)
            break;
        buffer_append(&text, block, (size_t)got);
        if (buffer_check(&text, "the input", error) < 0)
            return -1;
    }
    return record_read_text(buffer_text(&text), text.length, accepted, list, upstream, error);
}

int record_read_operands(char *const *operands, size_t count, unsigned accepted, struct record_list *list,
                         struct error *error) {
    for (size_t i = 0; i < count; i++)
        if (add_line(operands[i], strlen(operands[i]), accepted, list, NULL, error) < 0)
            return -1;
    return 0;
}
