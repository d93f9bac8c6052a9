#include "tools/pl-cache/show.h"

#include <string.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, MEGABYTE = 1000000 };
#define GIGABYTES 10000000000

char *size_text(uint64_t bytes) {
    return bytes < GIGABYTES ? text_format("%.1f MB", (double)bytes / 1e6)
                             : text_format("%.1f GB", (double)bytes / 1e9);
}

char *entry_size_text(uint64_t bytes) {
    return bytes < MEGABYTE ? text_format("%.1f kB", (double)bytes / 1e3) : size_text(bytes);
}

char *age_text(int64_t since) {
    int64_t age = (int64_t)time(NULL) - since;
    if (since <= 0)
        return text_copy("-");
    if (age < MINUTE)
        return text_copy("now");
    bool days = age >= DAY, hours = age >= HOUR;
    int64_t count = age / (days ? DAY : hours ? HOUR : MINUTE);
    return text_format("%lld %s%s", (long long)count, days ? "day" : hours ? "hour" : "minute", count == 1 ? "" : "s");
}

bool wants_json(const struct arguments *arguments) {
    return text_equal(arguments->output, "json");
}

int print_json(struct command_context *context, const struct json *json, struct error *error) {
    AUTO_FREE char *text = json_format(json, JSON_PRETTY);
    return command_print(context, text, error);
}
