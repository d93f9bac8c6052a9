#include "local/hosting/filter.h"

#include "common/regex/regex.h"

enum { EXPRESSIONS_LIMIT = 200 };

struct expressions {
    struct regex **items;
    size_t count;
};

struct path_filter {
    struct expressions include, exclude;
};

static int compile(const struct json *filter, const char *name, struct expressions *out, struct error *error) {
    const struct json *regexes = json_get(filter, "regexes");
    if (json_count(regexes) > EXPRESSIONS_LIMIT)
        return error_set(error, ERROR_DATA, "Invalid value at '%s.regexes': more than %d", name, EXPRESSIONS_LIMIT);
    out->items = memory_allocate(json_count(regexes) + 1, sizeof(*out->items));
    for (; out->count < json_count(regexes); out->count++) {
        const char *text = json_text(json_at(regexes, out->count));
        out->items[out->count] = regex_compile(text ? text : "", REGEX_RE2, error);
        if (!out->items[out->count])
            return error_wrap(error, "Invalid regex at '%s.regexes[%zu]'", name, out->count);
    }
    return 0;
}

struct path_filter *path_filter_compile(const struct json *include, const struct json *exclude, struct error *error) {
    struct path_filter *filter = memory_allocate(1, sizeof(*filter));
    if (compile(include, "include", &filter->include, error) < 0 ||
        compile(exclude, "exclude", &filter->exclude, error) < 0)
        path_filter_release(&filter);
    return filter;
}

static bool one_matches(const struct expressions *expressions, const char *path) {
    for (size_t i = 0; i < expressions->count; i++)
        if (regex_matches(expressions->items[i], path))
            return true;
    return false;
}

bool path_filter_passes(const struct path_filter *filter, const char *path) {
    return (!filter->include.count || one_matches(&filter->include, path)) && !one_matches(&filter->exclude, path);
}

static void expressions_release(struct expressions *expressions) {
    for (size_t i = 0; i < expressions->count; i++)
        regex_release(&expressions->items[i]);
    free(expressions->items);
}

void path_filter_release(struct path_filter **filter) {
    if (!*filter)
        return;
    expressions_release(&(*filter)->include);
    expressions_release(&(*filter)->exclude);
    free(*filter);
    *filter = NULL;
}
