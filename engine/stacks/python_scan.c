/* What one Python module defines at its top level, read without running it. */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *constructor, *framework;
    enum python_interface interface;
} constructors[] = {
    {"FastAPI", "FastAPI", PYTHON_ASGI},
    {"Starlette", "Starlette", PYTHON_ASGI},
    {"Litestar", "Litestar", PYTHON_ASGI},
    {"Quart", "Quart", PYTHON_ASGI},
    {"Flask", "Flask", PYTHON_WSGI},
    {"APIFlask", "APIFlask", PYTHON_WSGI},
    {"Bottle", "Bottle", PYTHON_WSGI},
    {"get_wsgi_application", "Django", PYTHON_WSGI},
    {"get_asgi_application", "Django", PYTHON_ASGI},
};

static const char *const factories[] = {
    "create_app", "make_app",           "build_app",        "get_app",         "app_factory",
    "create_api", "create_application", "make_application", "get_application", "init_app",
};

/* Puts spaces over strings and comments, so that only code is left; line ends stay. A prefix such as r or f does not
 * matter: a backslash keeps the next character in the string in all of them. */
static void blank_strings(char *text, size_t length) {
    size_t i = 0;
    while (i < length) {
        char c = text[i];
        if (c == '#') {
            while (i < length && text[i] != '\n')
                text[i++] = ' ';
            continue;
        }
        if (c != '"' && c != '\'') {
            i++;
            continue;
        }
        bool triple = i + 2 < length && text[i + 1] == c && text[i + 2] == c;
        size_t marks = triple ? 3 : 1;
        memset(text + i, ' ', marks);
        for (i += marks; i < length; i++) {
            if (!triple && text[i] == '\n')
                break;
            if (text[i] == c && (!triple || (i + 2 < length && text[i + 1] == c && text[i + 2] == c))) {
                memset(text + i, ' ', marks);
                i += marks;
                break;
            }
            if (text[i] == '\\' && i + 1 < length) {
                text[i++] = ' ';
                if (text[i] == '\n')
                    continue;
            }
            if (text[i] != '\n')
                text[i] = ' ';
        }
    }
}

static size_t identifier_length(const char *text) {
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_' || (text[length] & 0x80))
        length++;
    return isdigit((unsigned char)*text) ? 0 : length;
}

/* The length of "name" or "module.name"; *last is where the last name begins. */
static size_t dotted_length(const char *text, const char **last) {
    size_t length = 0;
    for (;;) {
        size_t part = identifier_length(text + length);
        if (part == 0)
            return 0;
        *last = text + length;
        length += part;
        if (text[length] != '.')
            return length;
        length++;
    }
}

static const char *skip_blanks(const char *text) {
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

static bool is_word(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static const char *factory_name(const char *text, size_t length) {
    for (size_t i = 0; i < ARRAY_LENGTH(factories); i++)
        if (is_word(text, length, factories[i]))
            return factories[i];
    return NULL;
}

/* What an application is usually called comes first; 3 is any other name. */
static unsigned rank_name(const char *name) {
    static const char *const usual[] = {"app", "application", "api"};
    for (unsigned i = 0; i < ARRAY_LENGTH(usual); i++)
        if (text_equal(name, usual[i]))
            return i;
    return ARRAY_LENGTH(usual);
}

static void take_object(struct python_module *module, const char *line, size_t length, const char *framework,
                        enum python_interface interface) {
    AUTO_FREE char *name = text_copy_length(line, length);
    if (text_equal(name, module->object))
        return;
    unsigned rank = rank_name(name), best = module->object ? rank_name(module->object) : UINT32_MAX;
    if (rank < best) {
        free(module->object);
        free(take_pointer(&module->rival));
        module->object = take_pointer(&name);
        module->framework = framework;
        module->interface = interface;
    } else if (rank == best && !module->rival) {
        module->rival = take_pointer(&name);
    }
}

/* "app = FastAPI(", "app: FastAPI = fastapi.FastAPI(", "app = create_app(" */
static void scan_assignment(const char *line, struct python_module *module) {
    size_t name = identifier_length(line);
    const char *at = skip_blanks(line + name);
    if (name == 0)
        return;
    if (*at == ':') {
        at += strcspn(at, "=\n");
        at = skip_blanks(at);
    }
    if (*at != '=' || at[1] == '=')
        return;
    at = skip_blanks(at + 1);
    const char *last = NULL;
    size_t length = dotted_length(at, &last);
    if (length == 0 || *skip_blanks(at + length) != '(')
        return;
    size_t last_length = (size_t)(at + length - last);
    for (size_t i = 0; i < ARRAY_LENGTH(constructors); i++)
        if (is_word(last, last_length, constructors[i].constructor))
            take_object(module, line, name, constructors[i].framework, constructors[i].interface);
    if (factory_name(last, last_length))
        take_object(module, line, name, NULL, PYTHON_SCRIPT);
}

/* Whether a function can be called without arguments: each parameter has a default, or is *args or **kwargs. `at` is
 * behind the opening parenthesis. */
static bool needs_no_arguments(const char *at) {
    unsigned depth = 0;
    bool is_empty = true, has_default = false;
    for (; *at; at++) {
        if (depth == 0 && (*at == ',' || *at == ')')) {
            if (!is_empty && !has_default)
                return false;
            if (*at == ')')
                return true;
            is_empty = true;
            has_default = false;
            continue;
        }
        depth += *at == '(' || *at == '[' || *at == '{';
        depth -= depth > 0 && (*at == ')' || *at == ']' || *at == '}');
        if (isspace((unsigned char)*at))
            continue;
        if (depth == 0 && (*at == '=' || (is_empty && (*at == '*' || *at == '/'))))
            has_default = true;
        is_empty = false;
    }
    return false;
}

static void scan_definition(const char *line, struct python_module *module) {
    if (!text_starts_with(line, "def ") || module->factory)
        return;
    line = skip_blanks(line + 4);
    size_t length = identifier_length(line);
    const char *name = factory_name(line, length);
    const char *at = skip_blanks(line + length);
    if (name && *at == '(' && needs_no_arguments(at + 1))
        module->factory = text_copy(name);
}

static void scan_import(const char *line, struct python_module *module) {
    line = skip_blanks(line);
    bool is_from = text_starts_with(line, "from ");
    if (!is_from && !text_starts_with(line, "import "))
        return;
    const char *at = line + (is_from ? 5 : 7);
    do {
        at = skip_blanks(at);
        const char *last = NULL;
        size_t length = dotted_length(at, &last);
        if (length == 0)
            return;
        if (module->imports.count < 1000)
            text_list_take(&module->imports, text_copy_length(at, length));
        at += length + strcspn(at + length, ",\n");
    } while (!is_from && *at++ == ',');
}

/* The framework of a factory: the first constructor that is called anywhere in the module. */
static void find_constructor(const char *text, struct python_module *module) {
    const char *first = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(constructors); i++) {
        const char *name = constructors[i].constructor;
        size_t length = strlen(name);
        for (const char *at = strstr(text, name); at; at = strstr(at + length, name)) {
            bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
            if (!begins || *skip_blanks(at + length) != '(')
                continue;
            if (!first || at < first) {
                first = at;
                module->framework = constructors[i].framework;
                module->interface = constructors[i].interface;
            }
            break;
        }
    }
}

void python_scan_module(char *text, size_t length, struct python_module *module) {
    *module = (struct python_module){0};
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    blank_strings(text, length);
    for (const char *line = text; line;) {
        scan_assignment(line, module);
        scan_definition(line, module);
        scan_import(line, module);
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!module->framework)
        find_constructor(text, module);
}

void python_module_release(struct python_module *module) {
    free(module->object);
    free(module->rival);
    free(module->factory);
    text_list_release(&module->imports);
    *module = (struct python_module){0};
}
