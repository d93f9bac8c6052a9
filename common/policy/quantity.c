#include "common/policy/quantity.h"

#include "common/base/text.h"

#include <string.h>

bool quantity_parse(const char *text, double *number) {
    static const struct {
        const char *suffix;
        double factor;
    } units[] = {{"", 1},     {"m", 1e-3},    {"k", 1e3},     {"K", 1e3},     {"M", 1e6},    {"G", 1e9},
                 {"T", 1e12}, {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}};
    size_t digits = strspn(text, "0123456789"), end = digits;
    if (digits == 0 || digits > 15)
        return false;
    if (text[end] == '.') {
        end += 1 + strspn(text + end + 1, "0123456789");
        if (end == digits + 1 || end > 25)
            return false;
    }
    /* The C locale's point, whatever the user's. */
    double value = 0, place = 1;
    for (size_t i = 0; i < end; i++) {
        if (text[i] == '.')
            continue;
        value = value * 10 + (text[i] - '0');
        place = i > digits ? place * 10 : place;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (strcmp(text + end, units[i].suffix) == 0) {
            *number = value / place * units[i].factor;
            return true;
        }
    return false;
}

bool quantity_of(const struct json *value, double *number) {
    AUTO_JSON struct json *holder = NULL;
    if (json_is_text(value))
        return quantity_parse(json_text(value), number);
    if (!value || json_is_object(value) || json_is_array(value) || json_is_bool(value) || json_is_null(value))
        return false;
    holder = json_new_object();
    json_set(holder, "n", json_copy_deep(value));
    *number = json_get_real(holder, "n", -1);
    return *number >= 0;
}
