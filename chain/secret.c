#include "chain/secret.h"

#include "common/base/text.h"

#include <string.h>

static const char *const providers[] = {"env", "file", "cmd", "gcp"};

/* "env://NAME" is env:NAME; "file:///k" is file:/k. The caller frees. */
static char *plain_form(const char *source) {
    for (size_t i = 0; i < ARRAY_LENGTH(providers); i++) {
        size_t length = strlen(providers[i]);
        if (strncmp(source, providers[i], length) == 0 && text_starts_with(source + length, "://"))
            return text_format("%s:%s", providers[i], source + length + 3);
    }
    return text_copy(source);
}

int chain_secret_read(struct chain_session *session, const char *source, struct chain_secret *secret,
                      struct error *error) {
    AUTO_FREE char *plain = plain_form(source);
    (void)session;
    *secret = (struct chain_secret){0};
    if (text_equal(plain, "-"))
        return error_set(error, ERROR_USAGE, "standard input is where the record comes from, not a secret");
    return command_secret_content(plain, &secret->content, &secret->length, error);
}

void chain_secret_release(struct chain_secret *secret) {
    if (secret->content)
        memory_wipe(secret->content, secret->length);
    free(take_pointer(&secret->content));
}
