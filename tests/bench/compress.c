/* Compresses standard input as pl compresses a layer, to standard output. Linked for tests/bench/run only. */
#include "common/archive/archive.h"
#include "common/file/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_out(void *context, const void *data, size_t length, struct error *error) {
    (void)context;
    return fd_write_all(STDOUT_FILENO, data, length, error);
}

static int compress(enum compression kind, struct error *error) {
    static char block[128 * 1024];
    AUTO_COMPRESSOR struct compressor *compressor = compressor_new(kind, write_out, NULL);
    for (ssize_t got; (got = read(STDIN_FILENO, block, sizeof(block))) != 0;)
        if (got < 0 || compressor_write(compressor, block, (size_t)got, error) < 0)
            return got < 0 ? error_set_errno(error, errno, "cannot read") : -1;
    return compressor_finish(compressor, error);
}

int main(int argc, char **argv) {
    struct error error = {0};
    bool zstd = argc > 1 && strcmp(argv[1], "zstd") == 0;
    if (compress(zstd ? COMPRESSION_ZSTD : COMPRESSION_GZIP, &error) == 0)
        return 0;
    fprintf(stderr, "%s\n", error.text);
    return 1;
}
