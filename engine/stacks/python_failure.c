/* What the package managers print when they fail, and what helps. */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <string.h>

/* ---- what is printed ---- */

static const char *find_last(const char *text, const char *sign) {
    const char *last = NULL;
    for (const char *at = strstr(text, sign); at; at = strstr(at + 1, sign))
        last = at;
    return last;
}

/* The word behind the last `sign`, without quotes and what follows a ';' or ','. NULL: there is none. */
static char *word_after(const char *text, const char *sign) {
    const char *at = find_last(text, sign);
    if (!at)
        return NULL;
    at += strlen(sign);
    at += strspn(at, " `'\"");
    size_t length = strcspn(at, " `'\";,\n(");
    return length > 0 && length < 200 ? text_copy_length(at, length) : NULL;
}

/* The whole line that holds `at`, without what stands in front of a message. The caller frees. */
static char *line_of(const char *text, const char *at) {
    while (at > text && at[-1] != '\n')
        at--;
    at += strspn(at, " \t");
    if (text_starts_with(at, "ERROR: "))
        at += strlen("ERROR: ");
    size_t length = strcspn(at, "\r\n");
    return text_copy_length(at, length < 400 ? length : 400);
}

/* The package that was being built: the managers say it in several ways, and at least what was collected last. */
static char *find_package(const char *text) {
    static const char *const signs[] = {"Failed building wheel for ", "Failed to build ", "Could not build wheels for ",
                                        "Collecting "};
    for (size_t i = 0; i < ARRAY_LENGTH(signs); i++) {
        char *name = word_after(text, signs[i]);
        if (name)
            return name;
    }
    return text_copy("a package");
}

/* ---- what has to be compiled ---- */

#define COMPILER "gcc,g++,libc6-dev,python3-dev"

static const struct missing {
    const char *sign;
    const char *what;     /* NULL: the word behind the sign */
    const char *packages; /* of Debian, beside a compiler */
    const char *advice;
} missing[] = {
    {"pg_config executable not found", "PostgreSQL's library (pg_config)", "libpq-dev",
     "; psycopg2-binary in place of psycopg2 needs neither"},
    {"MYSQLCLIENT_CFLAGS", "MySQL's library (mysql_config)", "default-libmysqlclient-dev,pkg-config", ""},
    {"libxml2 and libxslt development packages", "libxml2 and libxslt", "libxml2-dev,libxslt1-dev,zlib1g-dev", ""},
    {"fatal error: Python.h: No such file", "Python's header files (Python.h)", NULL, ""},
    {"fatal error: ffi.h: No such file", "libffi (ffi.h)", "libffi-dev", ""},
    {"fatal error: openssl/", "OpenSSL's header files", "libssl-dev", ""},
    {"fatal error: ", NULL, NULL, " and the Debian package that has the file (apt-file search NAME tells)"},
    {"cannot find -l", NULL, NULL, " and the Debian package of that library (NAME-dev)"},
    {"can't find Rust compiler", "a Rust compiler", "rustc,cargo", ""},
    {"the Rust package manager, is not installed", "a Rust compiler", "rustc,cargo", ""},
    {"CMake must be installed", "CMake", "cmake", ""},
    {"No such file or directory: 'cmake'", "CMake", "cmake", ""},
    {"-gcc'", "a C compiler", NULL, ""},
    {"'gcc' failed: No such file", "a C compiler", NULL, ""},
    {"unable to execute 'gcc'", "a C compiler", NULL, ""},
    {"No such file or directory: 'gcc'", "a C compiler", NULL, ""},
    {"No such file or directory: 'cc'", "a C compiler", NULL, ""},
    {"linker `cc` not found", "a C compiler", NULL, ""},
    {"no acceptable C compiler", "a C compiler", NULL, ""},
    {"Unknown compiler(s)", "a C compiler", NULL, ""},
    {"CMAKE_C_COMPILER not set", "a C compiler", NULL, ""},
};

/* The base with what is missing: Debian's packages are added by name, the images of Python have a full variant. */
static void advise_base(const char *base, const struct missing *found, struct error *error) {
    if (text_starts_with(base, "apt:")) {
        error_next(error, "add what is missing to the base: --base '%s%s" COMPILER "%s%s'%s", base,
                   strchr(base, '?') ? "," : "?", found->packages ? "," : "", found->packages ? found->packages : "",
                   found->advice);
        return;
    }
    const char *slim = strstr(base, "-slim");
    if (text_starts_with(base, "python:") && slim)
        error_next(error, "take a base with a compiler and the usual libraries: --base %.*s%s", (int)(slim - base),
                   base, found->advice);
    else
        error_next(error, "take a base that has it, with --base%s", found->advice);
}

static bool explain_missing(const char *text, const char *base, struct error *error) {
    for (size_t i = 0; i < ARRAY_LENGTH(missing); i++) {
        const struct missing *found = &missing[i];
        if (!strstr(text, found->sign))
            continue;
        AUTO_FREE char *package = find_package(text), *word = found->what ? NULL : word_after(text, found->sign);
        if (word && text_ends_with(word, ":"))
            word[strlen(word) - 1] = '\0';
        error_set(error, ERROR_STEP, "%s is compiled from its source, and the base does not have %s", package,
                  found->what ? found->what
                  : word      ? word
                              : "what that needs");
        advise_base(base, found, error);
        return true;
    }
    return false;
}

/* ---- what is declared wrongly ---- */

static bool explain_version(const char *text, const char *files, struct error *error) {
    static const char sign[] = "Could not find a version that satisfies the requirement ";
    AUTO_FREE char *wanted = word_after(text, sign);
    if (!wanted)
        return false;
    if (strstr(find_last(text, sign), "(from versions: none)")) {
        error_set(error, ERROR_STEP, "the package index has no %s", wanted);
        /* An index that wants a login hides what it has. */
        error_next(error, "correct it in %s, or log in to an index of your own: --secret pip.conf=file:PATH", files);
    } else if (strstr(text, "require a different python version")) {
        error_set(error, ERROR_STEP, "%s does not exist for the base's version of Python", wanted);
        error_next(error, "correct it in %s, or ask for another Python in .python-version", files);
    } else {
        error_set(error, ERROR_STEP, "%s does not exist, though other versions of it do", wanted);
        error_next(error, "correct it in %s", files);
    }
    return true;
}

static const struct misfit {
    const char *sign, *reason, *next;
} misfits[] = {
    {"`uv.lock` needs to be updated", "uv.lock does not fit pyproject.toml", "run: uv lock"},
    {"poetry.lock was last generated", "poetry.lock does not fit pyproject.toml", "run: poetry lock"},
    {"Lock file hash doesn't match", "pdm.lock does not fit pyproject.toml", "run: pdm lock"},
    {"Pipfile.lock (", "Pipfile.lock does not fit Pipfile", "run: pipenv lock"},
    {"CERTIFICATE_VERIFY_FAILED", "the package index shows a certificate that is not trusted",
     "add its authority to this machine's (update-ca-certificates): steps trust what the machine trusts"},
    {"certificate verify failed", "the package index shows a certificate that is not trusted",
     "add its authority to this machine's (update-ca-certificates): steps trust what the machine trusts"},
    {"401 Client Error", "the package index wants a login",
     "give it as a secret: --secret netrc=file:PATH or --secret pip.conf=file:PATH"},
    {"403 Client Error", "the package index refuses the login",
     "give another as a secret: --secret netrc=file:PATH or --secret pip.conf=file:PATH"},
    {"error: 401", "the package index wants a login",
     "give it as a secret: --secret netrc=file:PATH or --secret pip.conf=file:PATH"},
    {"name resolution", "the package index cannot be reached",
     "look at the network and the proxy variables, or name another index with --secret pip.conf=file:PATH"},
    {"Failed to establish a new connection", "the package index cannot be reached",
     "look at the network and the proxy variables, or name another index with --secret pip.conf=file:PATH"},
    {"Max retries exceeded", "the package index cannot be reached",
     "look at the network and the proxy variables, or name another index with --secret pip.conf=file:PATH"},
};

static bool explain_misfit(const char *text, struct error *error) {
    for (size_t i = 0; i < ARRAY_LENGTH(misfits); i++) {
        if (!strstr(text, misfits[i].sign))
            continue;
        error_set(error, ERROR_STEP, "%s", misfits[i].reason);
        error_next(error, "%s", misfits[i].next);
        return true;
    }
    return false;
}

static bool explain_declaration(const char *text, const char *base, const char *files, struct error *error) {
    const char *version = find_last(text, ", and the base has Python ");
    const char *conflict = find_last(text, "because these package versions have conflicting dependencies");
    if (version || conflict) {
        AUTO_FREE char *line = line_of(text, version ? version : conflict);
        error_set(error, ERROR_STEP, "%s", line);
        if (version)
            error_next(error, "leave out --base %s, or name one with another Python", base);
        else
            error_next(error, "loosen the versions in %s until they fit", files);
        return true;
    }
    if (strstr(text, "THESE PACKAGES DO NOT MATCH THE HASHES")) {
        error_set(error, ERROR_STEP, "%s names another hash than that of what was downloaded", files);
        error_next(error,
                   "make the hashes anew (pip-compile --generate-hashes); if nobody changed them, find out who did");
        return true;
    }
    return false;
}

void python_explain_failure(const char *printed, const char *base, const struct plan_step *step, struct error *error) {
    const char *files = text_is_empty(step->input_name) ? "what it runs" : step->input_name;
    if (explain_declaration(printed, base, files, error) || explain_misfit(printed, error) ||
        explain_version(printed, files, error) || explain_missing(printed, base, error))
        error_wrap(error, "%s", step->name);
    else
        error_next(error, "the reason is in the lines above; correct %s", files);
}
