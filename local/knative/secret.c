/* Aliases: v1 names a secret of another project by a word that an annotation explains. */
#include "common/base/text.h"
#include "local/knative/pod.h"

#include <string.h>

char *secret_of_alias(const char *aliases, const char *name) {
    AUTO_LIST struct text_list parts = {0};
    size_t length = strlen(name);
    if (aliases)
        text_list_split(&parts, aliases, ',');
    for (size_t i = 0; i < parts.count; i++)
        if (strncmp(parts.items[i], name, length) == 0 && parts.items[i][length] == ':')
            return text_copy(parts.items[i] + length + 1);
    return text_copy(name);
}

/* "projects/P/secrets/S" → "S-of-P", in the letters that a name may have. */
char *alias_of_secret(const char *secret, struct json *aliases) {
    AUTO_LIST struct text_list parts = {0};
    text_list_split(&parts, secret, '/');
    if (parts.count != 4 || !text_equal(parts.items[0], "projects"))
        return text_copy(secret);
    char *alias = text_format("%s-of-%s", parts.items[3], parts.items[1]);
    json_set_text(aliases, alias, secret);
    return alias;
}

char *aliases_text(const struct json *aliases) {
    AUTO_BUFFER struct buffer text = BUFFER(64 << 10);
    for (void *i = json_first(aliases); i; i = json_next(aliases, i))
        buffer_append_format(&text, "%s%s:%s", text.length ? "," : "", json_key(i), json_text(json_value(i)));
    return text.length ? text_copy(buffer_text(&text)) : NULL;
}
