#include "common/command/lines.h"

#include "common/base/text.h"
#include "common/command/github.h"
#include "common/crypto/base64.h"

#include <string.h>

enum { SHORTEST_SECRET = 6 };

static struct text_list secrets;

static void hide_encoded(const char *secret, size_t length) {
    struct buffer text = BUFFER_SECRET(2 * length + 8);
    base64_encode(BASE64_STANDARD, secret, length, &text);
    if (length >= SHORTEST_SECRET && !text_list_contains(&secrets, buffer_text(&text)))
        text_list_add(&secrets, buffer_text(&text));
    buffer_release(&text);
}

/* Each line of a secret by itself: a key in PEM form is printed line by line. And all of it as base64, which is what
 * programs make of it. */
void lines_hide(const char *secret) {
    size_t length = strlen(secret);
    hide_encoded(secret, length);
    if (length > 0 && secret[length - 1] == '\n')
        hide_encoded(secret, length - 1);
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, secret, '\n');
    for (size_t i = 0; i < parts.count; i++) {
        if (strlen(parts.items[i]) >= SHORTEST_SECRET && !text_list_contains(&secrets, parts.items[i]))
            text_list_add(&secrets, parts.items[i]);
        memory_wipe(parts.items[i], strlen(parts.items[i]));
    }
}

static size_t secret_at(const char *text, size_t length) {
    size_t longest = 0;
    for (size_t i = 0; i < secrets.count; i++) {
        size_t size = strlen(secrets.items[i]);
        if (size <= length && size > longest && memcmp(text, secrets.items[i], size) == 0)
            longest = size;
    }
    return longest;
}

/* The length of the escape sequence at `text` (ECMA-48: CSI, OSC and the other strings, two-byte ones), or 0. */
static size_t escape_at(const char *text, size_t length) {
    if (length < 2 || text[0] != '\x1b')
        return 0;
    size_t at = 2;
    if (text[1] == '[') {
        while (at < length && (unsigned char)text[at] >= 0x20 && (unsigned char)text[at] < 0x40)
            at++;
        return at < length ? at + 1 : at;
    }
    if (!strchr("]PX^_", text[1]))
        return text[1] >= 0x20 && text[1] < 0x7F ? 2 : 0;
    for (; at < length && text[at] != '\n'; at++) {
        if (text[at] == '\a')
            return at + 1;
        if (text[at] == '\x1b' && at + 1 < length && text[at + 1] == '\\')
            return at + 2;
    }
    return 2;
}

char *lines_clean(const char *text, size_t length, bool keep_newlines, bool for_github) {
    AUTO_BUFFER struct buffer out = BUFFER(4 << 20);
    for (size_t i = 0; i < length;) {
        size_t secret = secrets.count ? secret_at(text + i, length - i) : 0;
        size_t escape = secret ? 0 : escape_at(text + i, length - i);
        if (secret)
            buffer_append_text(&out, "***");
        else if (!escape)
            buffer_append_byte(&out, text[i]);
        i += secret ? secret : escape ? escape : 1;
    }
    AUTO_FREE char *clean = text_scrub(buffer_text(&out), out.length, keep_newlines);
    return for_github ? github_disarm(clean) : take_pointer(&clean);
}

void lines_clean_error(struct error *error) {
    AUTO_FREE char *text = lines_clean(error->text, strlen(error->text), true, false);
    AUTO_FREE char *next = lines_clean(error->next, strlen(error->next), true, false);
    snprintf(error->text, sizeof(error->text), "%s", text);
    snprintf(error->next, sizeof(error->next), "%s", next);
}

static void take_part(struct line_cutter *cutter, line_taker *take, void *context) {
    take(context, buffer_text(&cutter->part), cutter->part.length);
    buffer_clear(&cutter->part);
}

void lines_cut(struct line_cutter *cutter, const char *data, size_t length, line_taker *take, void *context) {
    cutter->part.limit = LINE_LIMIT;
    for (size_t i = 0; i < length;) {
        size_t size = 0, room = LINE_LIMIT - cutter->part.length;
        while (i + size < length && size < room && data[i + size] != '\n' && data[i + size] != '\r')
            size++;
        buffer_append(&cutter->part, data + i, size);
        i += size;
        if (i == length)
            return;
        bool at_end = data[i] == '\n' || data[i] == '\r';
        /* "\r\n" ends one line, and a progress bar's lone "\r" leaves no empty lines. */
        if (data[i] != '\r' || cutter->part.length)
            take_part(cutter, take, context);
        if (at_end && data[i] == '\r' && i + 1 < length && data[i + 1] == '\n')
            i++;
        i += at_end;
    }
}

void lines_flush(struct line_cutter *cutter, line_taker *take, void *context) {
    if (cutter->part.length)
        take_part(cutter, take, context);
    buffer_release(&cutter->part);
}
