#include "local/timestamp.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MICRO = 1000000 };

int64_t timestamp_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MICRO + now.tv_nsec / 1000;
}

struct timestamp timestamp_format(int64_t microseconds) {
    struct timestamp result;
    time_t seconds = microseconds / MICRO;
    struct tm parts;
    char text[32];
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &parts));
    snprintf(result.text, sizeof(result.text), "%s.%06uZ", text, (unsigned)(microseconds % MICRO));
    return result;
}

/* ".123" as microseconds; what is finer is dropped. Moves behind it. */
static bool parse_fraction(const char **text, int64_t *microseconds) {
    const char *at = *text;
    int64_t unit = MICRO / 10;
    *microseconds = 0;
    if (*at != '.')
        return true;
    if (!isdigit((unsigned char)*++at))
        return false;
    for (; isdigit((unsigned char)*at); at++, unit /= 10)
        *microseconds += (*at - '0') * unit;
    *text = at;
    return true;
}

/* "Z" or "+02:00": seconds to take away. */
static bool parse_zone(const char *text, int64_t *seconds) {
    unsigned hours, minutes;
    int used = 0;
    *seconds = 0;
    if (text_equal(text, "Z") || text_equal(text, "z"))
        return true;
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &used) != 2 || used != 5 ||
        text[6] || hours > 23 || minutes > 59)
        return false;
    *seconds = (*text == '+' ? 60 : -60) * (int64_t)(hours * 60 + minutes);
    return true;
}

bool timestamp_parse(const char *text, int64_t *microseconds) {
    struct tm parts = {0};
    int64_t fraction, zone;
    const char *rest =
        text && strlen(text) < sizeof(struct timestamp) ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (!rest || !parse_fraction(&rest, &fraction) || !parse_zone(rest, &zone) || parts.tm_year < 70 ||
        parts.tm_year > 8099)
        return false;
    *microseconds = ((int64_t)timegm(&parts) - zone) * MICRO + fraction;
    return *microseconds >= 0;
}

bool duration_parse(const char *text, int64_t *microseconds) {
    size_t digits = text ? strspn(text, "0123456789") : 0;
    AUTO_FREE char *whole = digits ? text_copy_length(text, digits) : NULL;
    const char *rest = digits ? text + digits : "";
    uint64_t seconds;
    int64_t fraction;
    if (!whole || !text_to_u64(whole, UINT64_C(315576000000), &seconds) || !parse_fraction(&rest, &fraction) ||
        !text_equal(rest, "s"))
        return false;
    *microseconds = (int64_t)seconds * MICRO + fraction;
    return true;
}
