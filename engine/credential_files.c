#include "engine/credential_files.h"
#include "common/file/file.h"
#include "engine/ignore.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { READ_LIMIT = 64 * 1024, SHOWN_LIMIT = 8 };

/* By name alone. */
static const struct {
    const char *pattern, *kind;
} names[] = {
    {"gha-creds-*.json", "credentials that google-github-actions/auth left behind"},
    {"application_default_credentials.json", "gcloud's application default credentials"},
    {".netrc", "logins"},
    {"_netrc", "logins"},
    {".git-credentials", "git's logins"},
    {".pgpass", "database passwords"},
    {".htpasswd", "password hashes"},
    {"id_rsa", "SSH private key"},
    {"id_dsa", "SSH private key"},
    {"id_ecdsa", "SSH private key"},
    {"id_ed25519", "SSH private key"},
    {"*.p12", "key store"},
    {"*.pfx", "key store"},
    {"*.jks", "key store"},
    {"*.ppk", "PuTTY private key"},
};

/* What these begin with is compiled into the pages, where everybody can read it: such names are a build tool's promise
 * that the value is no secret. (Vite, Angular's @ngx-env, Create React App, Next, Nuxt, Astro and SvelteKit, Vue CLI,
 * Gatsby, Expo.) */
static const char *const public_prefixes[] = {"VITE_",   "NG_APP_",  "REACT_APP_", "NEXT_PUBLIC_", "NUXT_PUBLIC_",
                                              "PUBLIC_", "VUE_APP_", "GATSBY_",    "EXPO_PUBLIC_"};
static const char *const settings[] = {"NODE_ENV", "GENERATE_SOURCEMAP"};
/* A name that breaks the promise. */
static const char *const secret_words[] = {"SECRET", "PASSWORD", "PRIVATE"};

static const char *const examples[] = {".env.example", ".env.sample",   ".env.template",
                                       ".env.dist",    ".env.defaults", ".env.schema"};

static const char private_key[] = "PRIVATE KEY-----";

/* By content, where the name says that it is possible. */
static bool holds(const char *text, const char *word) {
    return strstr(text, word) != NULL;
}

/* A line "NAME=value" or "NAME = value" (NAME may follow "//host/:") whose value is no ${VARIABLE}. */
static bool sets(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + length, name)) {
        const char *value = at + length + strspn(at + length, " \t");
        if (*value != '=' && *value != ':')
            continue;
        value += 1 + strspn(value + 1, " \t\"");
        if (*value && !strchr("$\r\n", *value))
            return true;
    }
    return false;
}

static bool is_public_name(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(settings); i++)
        if (text_equal(name, settings[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LENGTH(secret_words); i++)
        if (strstr(name, secret_words[i]))
            return false;
    for (size_t i = 0; i < ARRAY_LENGTH(public_prefixes); i++)
        if (text_starts_with(name, public_prefixes[i]) && name[strlen(public_prefixes[i])])
            return true;
    return false;
}

/* Every line is empty, a comment or "[export] NAME=value" with a public name, and there is one of the last. A value
 * that goes on in the next line is not understood, and so not public. */
static bool is_public_environment(const char *text) {
    AUTO_LIST struct text_list lines = {0};
    size_t count = 0;
    if (strlen(text) >= READ_LIMIT || strstr(text, private_key))
        return false;
    text_list_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i] + strspn(lines.items[i], " \t\r");
        if (!*line || *line == '#')
            continue;
        if (text_starts_with(line, "export "))
            line += strlen("export ");
        size_t length = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        AUTO_FREE char *name = text_copy_length(line, length);
        if (line[length + strspn(line + length, " \t")] != '=' || !is_public_name(name))
            return false;
        count++;
    }
    return count > 0;
}

static const char *kind_of_json(const char *text) {
    if (holds(text, "\"private_key\"") && (holds(text, "\"service_account\"") || holds(text, private_key)))
        return "the key of a service account";
    if (holds(text, "\"authorized_user\"") && holds(text, "\"refresh_token\""))
        return "a user's Google credentials";
    if (holds(text, "\"external_account\"") && holds(text, "\"credential_source\""))
        return "Google credentials of a workload identity";
    if (holds(text, private_key))
        return "private key";
    return NULL;
}

static const char *kind_of_content(const char *path, const char *name, const char *text) {
    if (text_ends_with(name, ".json")) {
        if ((text_ends_with(path, ".docker/config.json")) && sets(text, "\"auth\""))
            return "registry logins";
        return kind_of_json(text);
    }
    if (text_equal(name, ".npmrc") || text_equal(name, ".yarnrc") || text_equal(name, ".yarnrc.yml"))
        return sets(text, "_authToken") || sets(text, "_auth") || sets(text, "_password") || sets(text, "npmAuthToken")
                   ? "a token for a package registry"
                   : NULL;
    if (text_equal(name, ".pypirc") || text_equal(name, "pip.conf"))
        return sets(text, "password") || (holds(text, "://") && holds(text, "@") && sets(text, "index-url"))
                   ? "a password for a package index"
                   : NULL;
    if (text_ends_with(path, ".aws/credentials"))
        return sets(text, "aws_secret_access_key") ? "AWS credentials" : NULL;
    if (text_equal(name, ".dockercfg") || text_equal(name, ".dockerconfigjson"))
        return holds(text, "\"auth\"") ? "registry logins" : NULL;
    return holds(text, private_key) && holds(text, "-----BEGIN ") ? "private key" : NULL;
}

/* Whether the name makes it worth to look inside. */
static bool is_suspect(const char *path, const char *name) {
    static const char *const patterns[] = {"*.json",
                                           "*.pem",
                                           "*.key",
                                           "*.crt",
                                           "*.cer",
                                           "*.der",
                                           ".npmrc",
                                           ".yarnrc",
                                           ".yarnrc.yml",
                                           ".pypirc",
                                           "pip.conf",
                                           ".dockercfg",
                                           ".dockerconfigjson",
                                           "*_rsa",
                                           "*_ed25519",
                                           "*_ecdsa"};
    for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++)
        if (glob_matches(patterns[i], name))
            return true;
    return text_ends_with(path, ".aws/credentials");
}

static bool is_environment(const char *name) {
    return text_equal(name, ".env") || text_starts_with(name, ".env.");
}

static char *read_start(const char *directory, const char *path) {
    AUTO_FREE char *full = path_join(directory, path);
    AUTO_CLOSE int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat information;
    if (fd < 0 || fstat(fd, &information) < 0 || !S_ISREG(information.st_mode))
        return NULL;
    char *text = memory_allocate(READ_LIMIT + 1, 1);
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length<READ_LIMIT; length += got> 0 ? (size_t)got : 0)
        got = read(fd, text + length, READ_LIMIT - length);
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return text;
}

const char *credential_file_kind(const char *directory, const char *path) {
    const char *name = path_base(path);
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
        if (text_equal(name, examples[i]))
            return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (glob_matches(names[i].pattern, name))
            return names[i].kind;
    if (!is_suspect(path, name) && !is_environment(name))
        return NULL;
    AUTO_FREE char *text = read_start(directory, path);
    if (is_environment(name))
        return text && is_public_environment(text) ? NULL : "environment file";
    return text ? kind_of_content(path, name, text) : NULL;
}

static bool is_allowed(const struct credential_check *check, const char *path) {
    return check->allowed &&
           (text_list_contains(check->allowed, path) || text_list_contains(check->allowed, path_base(path)));
}

enum tree_verdict credential_check_inspect(void *context, const char *path) {
    struct credential_check *check = context;
    if (is_allowed(check, path))
        return TREE_ACCEPTED;
    const char *kind = credential_file_kind(check->directory, path);
    if (!kind)
        return TREE_HARMLESS;
    if (check->found.count == CREDENTIALS_MOST) {
        check->too_many = true;
        return TREE_REFUSED;
    }
    text_list_add_format(&check->found, "%s (%s)", path, kind);
    text_list_add(&check->paths, path);
    return TREE_REFUSED;
}

bool credential_check_file(struct credential_check *check, const char *path) {
    return credential_check_inspect(check, path) != TREE_REFUSED;
}

int credential_check_finish(const struct credential_check *check, struct error *error) {
    if (check->found.count == 0)
        return 0;
    AUTO_BUFFER struct buffer list = BUFFER(1200);
    for (size_t i = 0; i < check->found.count && i < SHOWN_LIMIT; i++)
        buffer_append_format(&list, "%s%s", i > 0 ? ", " : "", check->found.items[i]);
    if (check->found.count > SHOWN_LIMIT)
        buffer_append_format(&list, " and %zu more", check->found.count - SHOWN_LIMIT);
    error_set(error, ERROR_DATA, "credentials would get into the image: %s", buffer_text(&list));
    return error_next(error,
                      "name %s in .dockerignore or move it away; if it holds no secret, allow it: --allow-file %s",
                      check->found.count > 1 ? "them" : "it", check->paths.items[0]);
}

int credential_check_selected(const struct credential_check *check, bool (*selects)(void *context, const char *path),
                              void *context, struct error *error) {
    if (check->too_many)
        return credential_check_finish(check, error);
    struct credential_check selected = {.directory = check->directory};
    for (size_t i = 0; i < check->found.count; i++)
        if (selects(context, check->paths.items[i])) {
            text_list_add(&selected.found, check->found.items[i]);
            text_list_add(&selected.paths, check->paths.items[i]);
        }
    int result = credential_check_finish(&selected, error);
    credential_check_release(&selected);
    return result;
}

void credential_check_release(struct credential_check *check) {
    text_list_release(&check->found);
    text_list_release(&check->paths);
}
