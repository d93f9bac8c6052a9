#include "common/base/units.h"

#include "common/base/text.h"

#include <limits.h>
#include <string.h>

struct unit {
    const char *name;
    unsigned long long factor;
};

static bool parse_with_unit(const char *text, const struct unit *units, size_t count, long long *value) {
    size_t digits = strspn(text, "0123456789");
    AUTO_FREE char *number = text_copy_length(text, digits);
    uint64_t amount = 0, product = 0;
    if (!text_to_u64(number, LLONG_MAX, &amount))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(text + digits, units[i].name) == 0) {
            if (__builtin_mul_overflow(amount, units[i].factor, &product) || product > LLONG_MAX)
                return false;
            *value = (long long)product;
            return true;
        }
    return false;
}

bool parse_duration(const char *text, long long *seconds) {
    static const struct unit units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    return parse_with_unit(text, units, ARRAY_LENGTH(units), seconds);
}

bool parse_size(const char *text, long long *bytes) {
    static const struct unit units[] = {
        {"", 1},         {"k", 1000},     {"K", 1000},     {"M", 1000000},     {"G", 1000000000}, {"T", 1000000000000},
        {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1ULL << 40},
    };
    return parse_with_unit(text, units, ARRAY_LENGTH(units), bytes);
}
