/* Values in configurations that are JavaScript or TypeScript: found as text, nothing is run. */
#include "common/base/text.h"
#include "engine/stacks/node.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static const char *skip_space(const char *text) {
    return text + strspn(text, " \t\r\n");
}

/* The literal at `text`, with nothing computed in it, or NULL; *end is behind it. The caller frees. */
static char *literal(const char *text, const char **end) {
    char quote = *text;
    if (quote != '"' && quote != '\'' && quote != '`')
        return NULL;
    size_t length = 0;
    for (const char *at = text + 1; *at && *at != quote; at++, length++)
        if (*at == '\\' || *at == '\n' || (quote == '`' && *at == '$'))
            return NULL;
    *end = text + 1 + length;
    if (**end != quote)
        return NULL;
    (*end)++;
    return text_copy_length(text + 1, length);
}

/* "path.resolve(__dirname, 'dist')", "fileURLToPath(new URL('./dist', import.meta.url))": a path from where the
 * configuration lies. NULL when it is something else. */
static char *path_call(const char *text) {
    static const char *const bases[] = {"__dirname", "import.meta.dirname", "process.cwd()"};
    const char *open = text + strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.");
    const char *end;
    if (*open != '(')
        return NULL;
    size_t length = (size_t)(open - text);
    bool joins =
        (length >= 7 && strncmp(open - 7, "resolve", 7) == 0) || (length >= 4 && strncmp(open - 4, "join", 4) == 0);
    const char *at = skip_space(open + 1);
    if (joins) {
        size_t base = 0;
        for (size_t i = 0; i < ARRAY_LENGTH(bases); i++)
            if (text_starts_with(at, bases[i]))
                base = strlen(bases[i]);
        at = base ? skip_space(at + base) : NULL;
        at = at && *at == ',' ? skip_space(at + 1) : NULL;
    } else if (length == 13 && strncmp(text, "fileURLToPath", length) == 0 && text_starts_with(at, "new URL(")) {
        at = skip_space(at + strlen("new URL("));
    } else {
        return NULL;
    }
    AUTO_FREE char *value = at ? literal(at, &end) : NULL;
    if (!value)
        return NULL;
    end = skip_space(end);
    bool ends = joins ? *end == ')' : *end == ',' && text_starts_with(skip_space(end + 1), "import.meta.url");
    return ends ? take_pointer(&value) : NULL;
}

/* Whether what follows the value can only be the next member. */
static bool is_whole(const char *end) {
    end = skip_space(end);
    return *end == ',' || *end == '}' || *end == ';' || *end == '\0' || text_starts_with(end, "as const") ||
           text_starts_with(end, "satisfies ");
}

static enum script_value value_at(const char *text, char **value) {
    const char *end;
    AUTO_FREE char *found = literal(text, &end);
    if (found && !is_whole(end)) {
        free(found);
        found = NULL;
    }
    if (!found)
        found = path_call(text);
    if (!found)
        return SCRIPT_COMPUTED;
    free(*value);
    *value = take_pointer(&found);
    return SCRIPT_TEXT;
}

enum script_value script_find(const char *text, const char *key, char **value) {
    enum script_value result = SCRIPT_ABSENT;
    size_t length = strlen(key);
    *value = NULL;
    for (const char *at = strstr(text, key); at; at = strstr(at + length, key)) {
        const char *after = at + length;
        if ((at > text && (is_word(at[-1]) || at[-1] == '.')) || is_word(*after))
            continue;
        if (*after == '"' || *after == '\'')
            after++;
        after = skip_space(after);
        if (*after == ':')
            result = value_at(skip_space(after + 1), value);
        else if (*after == ',' || *after == '}') /* { outDir }: a variable of that name */
            result = SCRIPT_COMPUTED;
    }
    if (result != SCRIPT_TEXT) {
        free(*value);
        *value = NULL;
    }
    return result;
}
