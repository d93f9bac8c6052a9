/* Probes as gcloud takes them. */
#include "gcp/run/settings.h"

#include <string.h>

enum { NUMBER_MOST = 65535 };

/* ---- probes ---- */

static int wrong_probe(const char *part, struct error *error) {
    error_set(error, ERROR_USAGE, "\"%.100s\" is no part of a probe", part);
    return error_next(error, "such as httpGet.path=/ready,httpGet.port=8080,initialDelaySeconds=5,periodSeconds=2,"
                             "timeoutSeconds=1,failureThreshold=30");
}

static int put_part(struct json *probe, const char *part, struct error *error) {
    static const char *const numbers[] = {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold",
                                          "httpGet.port",        "tcpSocket.port", "grpc.port"};
    static const char *const texts[] = {"httpGet.path", "grpc.service"};
    const char *equals = strchr(part, '=');
    uint64_t number = 0;
    if (!equals)
        return wrong_probe(part, error);
    AUTO_FREE char *key = text_copy_length(part, (size_t)(equals - part));
    const char *dot = strchr(key, '.');
    AUTO_FREE char *kind = dot ? text_copy_length(key, (size_t)(dot - key)) : NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (text_equal(key, numbers[i]) && text_to_u64(equals + 1, NUMBER_MOST, &number)) {
            json_set_integer(dot ? json_need_object(probe, kind) : probe, dot ? dot + 1 : key, (int64_t)number);
            return 0;
        }
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (text_equal(key, texts[i])) {
            json_set_text(json_need_object(probe, kind), dot + 1, equals + 1);
            return 0;
        }
    return wrong_probe(part, error);
}

struct json *run_probe_parse(const char *text, struct error *error) {
    AUTO_LIST struct text_list parts = {0};
    AUTO_JSON struct json *probe = json_new_object();
    text_list_split(&parts, text, ',');
    for (size_t i = 0; i < parts.count; i++)
        if (put_part(probe, parts.items[i], error) < 0)
            return NULL;
    int kinds = !!json_get(probe, "httpGet") + !!json_get(probe, "tcpSocket") + !!json_get(probe, "grpc");
    if (kinds != 1) {
        error_set(error, ERROR_USAGE, "a probe asks by one of httpGet, tcpSocket and grpc; \"%.100s\" names %d", text,
                  kinds);
        return NULL;
    }
    return take_pointer(&probe);
}
