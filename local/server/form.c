#include "local/server/server.h"

#include <ctype.h>
#include <string.h>

static int hex_value(char c) {
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

char *form_value(const char *form, const char *name) {
    size_t length = strlen(name);
    for (const char *at = form; at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        at += length + 1;
        size_t size = strcspn(at, "&");
        char *value = memory_allocate(size + 1, 1), *out = value;
        for (size_t i = 0; i < size; i++) {
            int high = at[i] == '%' && i + 2 < size ? hex_value(at[i + 1]) : -1;
            int low = high >= 0 ? hex_value(at[i + 2]) : -1;
            bool escaped = high >= 0 && low >= 0 && (high || low);
            *out++ = escaped ? (char)(high * 16 + low) : at[i] == '+' ? ' ' : at[i];
            i += escaped ? 2 : 0;
        }
        return value;
    }
    return NULL;
}
