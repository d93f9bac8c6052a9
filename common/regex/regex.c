#define PCRE2_CODE_UNIT_WIDTH 8
#include "common/regex/regex.h"

#include "common/regex/internal.h"

#include <pcre2.h>
#include <string.h>

enum { STEPS = 1000000, DEPTH = 20000, HEAP_KIB = 16384 };

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

struct regex *regex_compile(const char *pattern, unsigned language, struct error *error) {
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
                       (language & REGEX_IGNORE_CASE ? PCRE2_CASELESS : 0);
    int number;
    size_t offset;
    if (strlen(pattern) > REGEX_LENGTH) {
        error_set(error, ERROR_DATA, "the expression is longer than %d bytes", REGEX_LENGTH);
        return NULL;
    }
    if (!(language & REGEX_OURS) && re2_check(pattern, error) < 0)
        return NULL;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &number, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR text[160];
        pcre2_get_error_message(number, text, sizeof(text));
        error_set(error, ERROR_DATA, "%s at character %zu of `%.200s`", (char *)text, offset, pattern);
        return NULL;
    }
    uint32_t groups = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups > REGEX_GROUPS) {
        pcre2_code_free(code);
        error_set(error, ERROR_DATA, "the expression has more than %d groups", REGEX_GROUPS);
        return NULL;
    }
    struct regex *regex = memory_allocate(1, sizeof(*regex));
    regex->code = code;
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->limits) {
        pcre2_set_match_limit(regex->limits, STEPS);
        pcre2_set_depth_limit(regex->limits, DEPTH);
        pcre2_set_heap_limit(regex->limits, HEAP_KIB);
    }
    return regex;
}

void regex_release(struct regex **regex) {
    if (!*regex)
        return;
    pcre2_match_context_free((*regex)->limits);
    pcre2_code_free((*regex)->code);
    free(*regex);
    *regex = NULL;
}

bool regex_find(const struct regex *regex, const char *text, struct regex_groups *groups) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    int count = data && regex->limits
                    ? pcre2_match(regex->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, regex->limits)
                    : -1;
    if (groups)
        *groups = (struct regex_groups){0};
    if (count > 0 && groups) {
        size_t *offsets = pcre2_get_ovector_pointer(data);
        groups->count = pcre2_get_ovector_count(data);
        groups->items = memory_allocate(groups->count, sizeof(*groups->items));
        for (size_t i = 0; i < (size_t)count; i++)
            if (offsets[2 * i] != PCRE2_UNSET && offsets[2 * i] <= offsets[2 * i + 1])
                groups->items[i] = text_copy_length(text + offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i]);
    }
    pcre2_match_data_free(data);
    return count > 0;
}

bool regex_matches(const struct regex *regex, const char *text) {
    return regex_find(regex, text, NULL);
}

void regex_groups_release(struct regex_groups *groups) {
    for (size_t i = 0; i < groups->count; i++)
        free(groups->items[i]);
    free(groups->items);
    *groups = (struct regex_groups){0};
}

int regex_group_number(const struct regex *regex, const char *name) {
    int number = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);
    return number > 0 ? number : -1;
}
