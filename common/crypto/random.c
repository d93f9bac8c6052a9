#include "common/crypto/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t got = getrandom((char *)out + done, length - done, 0);
        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0)
            done += (size_t)got;
    }
}

void random_hex(char *out, size_t length) {
    static const char digits[] = "0123456789abcdef";
    if (length == 0)
        return;
    random_bytes(out, length - 1);
    for (size_t i = 0; i + 1 < length; i++)
        out[i] = digits[(unsigned char)out[i] & 15];
    out[length - 1] = '\0';
}
