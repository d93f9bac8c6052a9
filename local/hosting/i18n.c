/* Which language and country a visitor has, and where content for them is looked for. */
#include "local/hosting/serve.h"

#include <ctype.h>
#include <string.h>

enum { LANGUAGES_LIMIT = 20 };

/* The value of a cookie; the caller frees; NULL when it is not there. */
static char *cookie_value(const struct request *request, const char *name) {
    const char *cookies = request_header(request, "Cookie");
    size_t length = strlen(name);
    for (const char *at = cookies; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
        at += strspn(at, " ");
        if (!strncmp(at, name, length) && at[length] == '=')
            return text_copy_length(at + length + 1, strcspn(at + length + 1, ";"));
    }
    return NULL;
}

/* Letters, digits and '_' only: it becomes a part of a path. */
static void add_language(struct text_list *languages, const char *text, size_t length) {
    AUTO_FREE char *language = text_copy_length(text, length);
    for (const char *at = language; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return;
    if (length && languages->count < LANGUAGES_LIMIT && !text_list_contains(languages, language))
        text_list_add(languages, language);
}

/* "de-AT,en;q=0.8": in the order given, each without its country. */
void visit_read_languages(struct visit *visit) {
    const char *accepted = request_header(visit->request, "Accept-Language");
    const char *country = request_header(visit->request, "X-Country-Code");
    AUTO_FREE char *language_cookie = cookie_value(visit->request, "firebase-language-override");
    AUTO_FREE char *country_cookie = cookie_value(visit->request, "firebase-country-override");
    const char *list = text_is_empty(language_cookie) ? accepted : language_cookie;
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        at += strspn(at, " ");
        add_language(&visit->languages, at, strcspn(at, list == accepted ? "-;, " : ";, "));
    }
    AUTO_LIST struct text_list checked = {0};
    const char *chosen = text_is_empty(country_cookie) ? country : country_cookie;
    add_language(&checked, chosen ? chosen : "", strlen(chosen ? chosen : ""));
    visit->country = text_copy(checked.count ? checked.items[0] : "");
}

static void add_path(const struct visit *visit, struct text_list *paths, const char *folder, const char *path) {
    AUTO_FREE char *joined = text_format("%s/%s/%s", visit->served->rules->i18n_root, folder, path);
    text_list_take(paths, pattern_root(joined));
}

void i18n_paths(const struct visit *visit, const char *path, struct text_list *paths) {
    const struct text_list *languages = &visit->languages;
    if (!visit->served->rules->i18n_root)
        return;
    for (size_t i = 0; i < languages->count && *visit->country; i++) {
        AUTO_FREE char *both = text_format("%s_%s", languages->items[i], visit->country);
        add_path(visit, paths, both, path);
    }
    if (*visit->country) {
        AUTO_FREE char *all = text_format("ALL_%s", visit->country);
        add_path(visit, paths, all, path);
    }
    for (size_t i = 0; i < languages->count; i++) {
        AUTO_FREE char *all = text_format("%s_ALL", languages->items[i]);
        add_path(visit, paths, all, path);
        add_path(visit, paths, languages->items[i], path);
    }
}
