/* Braces, and the parts of a path. */
#include "common/glob/glob.h"

#include "common/base/text.h"
#include "common/glob/part.h"

#include <ctype.h>
#include <string.h>

struct piece {
    bool is_globstar;
    struct glob_part *part;
};

/* One of the patterns that the braces make. */
struct alternative {
    struct piece *pieces;
    size_t count;
};

struct glob {
    struct alternative *alternatives;
    size_t count;
    bool dot;
};

/* ---- braces ---- */

/* The '}' that belongs to text[0] == '{', or 0; *commas counts those that separate its alternatives. */
static size_t brace_end(const char *text, size_t *commas) {
    int depth = 0;
    *commas = 0;
    for (size_t at = 0; text[at]; at++) {
        if (text[at] == '\\' && text[at + 1])
            at++;
        else if (text[at] == '{')
            depth++;
        else if (text[at] == ',' && depth == 1)
            ++*commas;
        else if (text[at] == '}' && --depth == 0)
            return at;
    }
    return 0;
}

/* The width that numbers are filled up to with zeros: that of the longer end when one of them is written so. */
static int padded_width(const char *range) {
    size_t first = strspn(range, "-0123456789"), last = strspn(range + first + 2, "-0123456789");
    bool padded = false;
    for (const char *at = range; at; at = at == range ? range + first + 2 : NULL)
        padded = padded || (at[*at == '-'] == '0' && isdigit((unsigned char)at[(*at == '-') + 1]));
    return padded ? (int)(first > last ? first : last) : 0;
}

/* "1..9", "01..10", "a..f", "1..9..2": what it counts through, or nothing. */
static void add_range(const char *text, size_t length, struct text_list *out) {
    AUTO_FREE char *range = text_copy_length(text, length);
    long first, last, step = 1;
    char first_letter, last_letter;
    int used = 0;
    bool letters = false;
    if (sscanf(range, "%6ld..%6ld%n", &first, &last, &used) != 2) {
        if (sscanf(range, "%c..%c%n", &first_letter, &last_letter, &used) != 2 ||
            !isalpha((unsigned char)first_letter) || !isalpha((unsigned char)last_letter))
            return;
        letters = true;
        first = (unsigned char)first_letter;
        last = (unsigned char)last_letter;
    }
    int rest = 0;
    if (range[used] && (sscanf(range + used, "..%6ld%n", &step, &rest) != 1 || range[used + rest]))
        return;
    step = step < 0 ? -step : step ? step : 1;
    int width = letters ? 0 : padded_width(range);
    for (long at = first; first <= last ? at <= last : at >= last; at += first <= last ? step : -step) {
        if (out->count > GLOB_BRACES_LIMIT)
            return;
        if (letters)
            text_list_add_format(out, "%c", (char)at);
        else
            text_list_add_format(out, "%0*ld", width, at);
    }
}

static void split_alternatives(const char *text, size_t length, struct text_list *out) {
    int depth = 0;
    size_t begin = 0;
    for (size_t at = 0; at <= length; at++) {
        if (at == length || (text[at] == ',' && depth == 0)) {
            text_list_take(out, text_copy_length(text + begin, at - begin));
            begin = at + 1;
        } else if (text[at] == '\\') {
            at += at + 1 < length;
        } else {
            depth += (text[at] == '{') - (text[at] == '}');
        }
    }
}

static int too_many(struct error *error) {
    return error_set(error, ERROR_DATA, "its braces make more than %d patterns", GLOB_BRACES_LIMIT);
}

static int expand(const char *pattern, unsigned depth, struct text_list *out, struct error *error);

/* Everything before, each choice, everything that the rest makes. */
static int combine(const char *pattern, size_t before, const struct text_list *choices, const char *rest,
                   unsigned depth, struct text_list *out, struct error *error) {
    AUTO_LIST struct text_list ends = {0};
    if (expand(rest, depth + 1, &ends, error) < 0)
        return -1;
    for (size_t i = 0; i < choices->count; i++) {
        AUTO_LIST struct text_list middles = {0};
        if (expand(choices->items[i], depth + 1, &middles, error) < 0)
            return -1;
        for (size_t j = 0; j < middles.count; j++)
            for (size_t k = 0; k < ends.count; k++) {
                if (out->count >= GLOB_BRACES_LIMIT)
                    return too_many(error);
                text_list_add_format(out, "%.*s%s%s", (int)before, pattern, middles.items[j], ends.items[k]);
            }
    }
    return 0;
}

static int expand(const char *pattern, unsigned depth, struct text_list *out, struct error *error) {
    if (depth > 100)
        return too_many(error);
    for (size_t at = 0; pattern[at]; at++) {
        if (pattern[at] == '\\' && pattern[at + 1]) {
            at++;
            continue;
        }
        size_t commas,
            end = pattern[at] == '{' && (at == 0 || pattern[at - 1] != '$') ? brace_end(pattern + at, &commas) : 0;
        if (!end)
            continue;
        AUTO_LIST struct text_list choices = {0};
        if (commas)
            split_alternatives(pattern + at + 1, end - 1, &choices);
        else
            add_range(pattern + at + 1, end - 1, &choices);
        if (choices.count)
            return combine(pattern, at, &choices, pattern + at + end + 1, depth, out, error);
    }
    text_list_add(out, pattern);
    return 0;
}

/* ---- parts ---- */

static struct alternative alternative_new(const char *pattern) {
    struct alternative made = {0};
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, pattern, '/');
    made.pieces = memory_allocate(parts.count, sizeof(*made.pieces));
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        bool is_inner = i > 0 && i + 1 < parts.count, is_globstar = text_equal(part, "**");
        bool repeats = is_globstar && made.count && made.pieces[made.count - 1].is_globstar;
        if (repeats || text_equal(part, ".") || (is_inner && !*part))
            continue;
        made.pieces[made.count++] =
            (struct piece){.is_globstar = is_globstar, .part = is_globstar ? NULL : glob_part_new(part, strlen(part))};
    }
    return made;
}

struct glob *glob_new(const char *pattern, unsigned flags, struct error *error) {
    if (strlen(pattern) > GLOB_LENGTH_LIMIT) {
        error_set(error, ERROR_DATA, "a pattern is longer than %d bytes", GLOB_LENGTH_LIMIT);
        return NULL;
    }
    AUTO_LIST struct text_list patterns = {0};
    if (expand(pattern, 0, &patterns, error) < 0)
        return NULL;
    struct glob *glob = memory_allocate(1, sizeof(*glob));
    glob->dot = flags & GLOB_DOT;
    glob->alternatives = memory_allocate(patterns.count, sizeof(*glob->alternatives));
    for (; glob->count < patterns.count; glob->count++)
        glob->alternatives[glob->count] = alternative_new(patterns.items[glob->count]);
    return glob;
}

void glob_release(struct glob **glob) {
    if (!*glob)
        return;
    for (size_t i = 0; i < (*glob)->count; i++) {
        for (size_t j = 0; j < (*glob)->alternatives[i].count; j++)
            glob_part_release(&(*glob)->alternatives[i].pieces[j].part);
        free((*glob)->alternatives[i].pieces);
    }
    free((*glob)->alternatives);
    free(*glob);
    *glob = NULL;
}

/* A ** first takes no part; where the rest does not fit, the last ** takes one more. As with '*' in a simple pattern
 * it is enough to go back to the last one. */
static bool accepts(const struct alternative *alternative, const char *path, bool dot) {
    const char *at = path, *retry_at = NULL;
    size_t piece = 0, retry_piece = 0;
    for (;;) {
        size_t length = at ? strcspn(at, "/") : 0;
        const char *rest = at && at[length] ? at + length + 1 : NULL;
        if (piece < alternative->count && alternative->pieces[piece].is_globstar) {
            retry_piece = piece++;
            retry_at = at;
            /* At the end it must take one. */
            if (piece < alternative->count || !at)
                continue;
        } else if (piece < alternative->count && at &&
                   glob_part_matches(alternative->pieces[piece].part, at, length, dot)) {
            piece++;
            at = rest;
            if (!at && piece == alternative->count)
                return true;
            continue;
        }
        if (!retry_at || (*retry_at == '.' && !dot))
            return false;
        size_t taken = strcspn(retry_at, "/");
        retry_at = retry_at[taken] ? retry_at + taken + 1 : NULL;
        at = retry_at;
        piece = retry_piece + 1;
        if (!at)
            return piece == alternative->count;
    }
}

bool glob_accepts(const struct glob *glob, const char *path) {
    for (size_t i = 0; i < glob->count; i++)
        if (accepts(&glob->alternatives[i], path, glob->dot))
            return true;
    return false;
}
