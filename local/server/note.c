#include "local/server/server.h"

#include <stdarg.h>
#include <string.h>

void server_note(const char *format, ...) {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    AUTO_FREE char *clean = text_scrub(text, strlen(text), false);
    dprintf(STDERR_FILENO, "pl-local: %s\n", clean);
}
