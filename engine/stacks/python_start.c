/* How the container starts: the server, the command that honours $PORT, the port. */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <ctype.h>
#include <string.h>

static const struct python_server servers[] = {
    {"uvicorn", "uvicorn", "0.34.2"},
    {"hypercorn", "hypercorn", "0.17.3"},
    {"gunicorn", "gunicorn", "23.0.0"},
    {"waitress", "waitress-serve", "3.0.2"},
};

const struct python_server *python_server_of(const char *package) {
    for (size_t i = 0; i < ARRAY_LENGTH(servers); i++)
        if (text_equal(servers[i].name, package))
            return &servers[i];
    return NULL;
}

/* Whether a package is declared itself or comes with one that is. */
static bool brings(const struct python_project *project, const char *server) {
    static const struct {
        const char *server, *package;
    } along[] = {{"uvicorn", "fastapi[standard]"},     {"uvicorn", "fastapi[all]"},
                 {"uvicorn", "fastapi-cli[standard]"}, {"uvicorn", "fastapi-cli"},
                 {"uvicorn", "litestar[standard]"},    {"hypercorn", "quart"}};
    for (size_t i = 0; i < ARRAY_LENGTH(along); i++)
        if (text_equal(along[i].server, server) && python_declares(project, along[i].package))
            return true;
    return python_declares(project, server);
}

static void use_server(struct python_project *project, const char *name) {
    struct stack_plan *plan = project->plan;
    project->server = python_server_of(name);
    project->add_server = !brings(project, name) && project->manager != PYTHON_SETUP;
    if (project->add_server)
        plan_note(plan, "%s is not among the dependencies: %s %s is added", name, name, project->server->version);
    else
        plan_note(plan, "found %s among the dependencies: it serves", name);
}

static void choose_server(struct python_project *project) {
    static const char *const asgi[] = {"uvicorn", "hypercorn"}, *const wsgi[] = {"gunicorn", "waitress"};
    bool is_asgi = project->application.interface == PYTHON_ASGI;
    const char *const *names = is_asgi ? asgi : wsgi;
    use_server(project, !brings(project, names[0]) && brings(project, names[1]) ? names[1] : names[0]);
}

/* The command for an application object, for sh. The caller frees. */
static char *server_command(const struct python_project *project) {
    const struct python_application *application = &project->application;
    const char *object = application->object;
    bool factory = application->is_factory;
    if (text_equal(project->server->name, "uvicorn"))
        return text_format("uvicorn %s%s --host 0.0.0.0 --port ${PORT:-%u}", factory ? "--factory " : "", object,
                           project->plan->port);
    if (text_equal(project->server->name, "waitress"))
        return text_format("waitress-serve --listen=0.0.0.0:${PORT:-%u} %s%s", project->plan->port,
                           factory ? "--call " : "", object);
    if (text_equal(project->server->name, "hypercorn"))
        return text_format(factory ? "hypercorn --bind 0.0.0.0:${PORT:-%u} '%s()'"
                                   : "hypercorn --bind 0.0.0.0:${PORT:-%u} %s",
                           project->plan->port, object);
    /* One process with threads: Cloud Run itself starts more containers; 0: it also has its own time limit. */
    return text_format(factory ? "gunicorn --bind 0.0.0.0:${PORT:-%u} --workers 1 --threads 8 --timeout 0 '%s()'"
                               : "gunicorn --bind 0.0.0.0:${PORT:-%u} --workers 1 --threads 8 --timeout 0 %s",
                       project->plan->port, object);
}

/* ---- commands that somebody wrote ---- */

/* One command and no more can replace the shell, so that it gets the signals itself. */
static bool is_simple(const char *command) {
    size_t first = strcspn(command, " \t");
    bool assigns = memchr(command, '=', first) != NULL;
    return !assigns && !strpbrk(command, ";&|<>()\n") && !text_starts_with(command, "cd ") &&
           !text_starts_with(command, "exec ");
}

static void set_shell_command(struct python_project *project, const char *command) {
    text_list_add(&project->command, "/bin/sh");
    text_list_add(&project->command, "-c");
    text_list_add_format(&project->command, "%s%s", is_simple(command) ? "exec " : "", command);
}

/* A port between 1 and 65535 that the command names after "--port", "-p", "-b" or a colon; 0: none. */
static unsigned literal_port(const char *command) {
    for (const char *at = command; *at; at++) {
        size_t skip = 0;
        if (*at == ':')
            skip = 1;
        else if (text_starts_with(at, "--port") && (at[6] == ' ' || at[6] == '='))
            skip = 7;
        else if (text_starts_with(at, " -p "))
            skip = 4;
        size_t digits = skip ? strspn(at + skip, "0123456789") : 0;
        if (digits < 2 || digits > 5 || isalnum((unsigned char)at[skip + digits]))
            continue;
        AUTO_FREE char *text = text_copy_length(at + skip, digits);
        uint64_t port;
        if (text_to_u64(text, 65535, &port) && port > 0)
            return (unsigned)port;
    }
    return 0;
}

static bool names_program(const char *command, const char *program) {
    size_t length = strlen(program);
    for (const char *at = strstr(command, program); at; at = strstr(at + length, program)) {
        bool begins = at == command || strchr(" \t/;&|", at[-1]);
        if (begins && (at[length] == '\0' || strchr(" \t;&|", at[length])))
            return true;
    }
    return false;
}

static void read_command(struct python_project *project, const char *command, const char *where) {
    struct stack_plan *plan = project->plan;
    for (size_t i = 0; i < ARRAY_LENGTH(servers) && !project->server; i++)
        if (names_program(command, servers[i].program))
            use_server(project, servers[i].name);
    if (!strstr(command, "$PORT") && !strstr(command, "${PORT") && literal_port(command)) {
        plan->port = literal_port(command);
        plan_note(plan, "%s names port %u itself: the container cannot be moved to another; $PORT would do", where,
                  plan->port);
    }
}

/* The command after "web:"; NULL without *error: there is none. The caller frees. */
static char *procfile_command(struct python_project *project, bool *exists, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    if (python_read(project, "Procfile", &text, exists, error) < 0)
        return NULL;
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        if (!text_starts_with(line, "web:"))
            continue;
        line += 4 + strspn(line + 4, " \t");
        size_t length = strlen(line);
        while (length > 0 && isspace((unsigned char)line[length - 1]))
            length--;
        return length > 0 ? text_copy_length(line, length) : NULL;
    }
    return NULL;
}

static int take_procfile(struct python_project *project, struct error *error) {
    bool exists = false;
    struct error failure = {0};
    AUTO_FREE char *command = procfile_command(project, &exists, &failure);
    if (failure.kind != ERROR_NONE) {
        *error = failure;
        return -1;
    }
    if (exists && !command)
        plan_note(project->plan, "found a Procfile without a line \"web: COMMAND\": it decides nothing");
    if (!command)
        return 0;
    plan_note(project->plan, "found a Procfile: %s", command);
    set_shell_command(project, command);
    read_command(project, command, "the Procfile");
    return 0;
}

/* "start" of pl.json: a text for the shell, or a list that is run as it is. */
static int take_setting(struct python_project *project, struct error *error) {
    const struct json *start = json_get(project->settings, "start");
    if (!start)
        return 0;
    if (!text_is_empty(json_text(start))) {
        set_shell_command(project, json_text(start));
        read_command(project, json_text(start), "pl.json");
    }
    for (size_t i = 0; json_is_array(start) && i < json_count(start); i++) {
        const char *word = json_text(json_at(start, i));
        if (!word)
            return error_set(error, ERROR_DATA, "pl.json: \"start\" must be a text or a list of texts");
        text_list_add(&project->command, word);
        if (i == 0)
            read_command(project, word, "pl.json");
    }
    if (project->command.count == 0)
        return error_set(error, ERROR_DATA, "pl.json: \"start\" must be a text or a list of texts");
    plan_note(project->plan, "found the start command in pl.json");
    return 0;
}

static int take_port(struct python_project *project, struct error *error) {
    const struct json *port = json_get(project->settings, "port");
    project->plan->port = STACK_PORT;
    if (!port)
        return 0;
    if (!json_is_integer(port) || json_number(port) < 1 || json_number(port) > 65535)
        return error_set(error, ERROR_DATA, "pl.json: \"port\" must be a number from 1 to 65535");
    project->plan->port = (unsigned)json_number(port);
    return 0;
}

/* ---- */

static int no_start(const struct python_project *project, struct error *error) {
    error_set(error, ERROR_DATA,
              "found %s, but no application: no module has app = FastAPI(...), Flask, Starlette, Litestar, Quart or "
              "Django, and there is no main.py",
              project->manifest ? project->manifest : "Python");
    return error_next(error, "write a Procfile with the line: web: COMMAND (it must listen on $PORT)");
}

static int start_application(struct python_project *project, struct error *error) {
    const struct python_application *application = &project->application;
    if (python_find_application(project, error) < 0)
        return -1;
    if (!application->object)
        return no_start(project, error);
    AUTO_FREE char *command = NULL;
    if (application->interface == PYTHON_SCRIPT) {
        command = text_format("%s %s", project->source->interpreter ? project->source->interpreter : "python3",
                              application->object);
    } else {
        if (project->manager == PYTHON_NO_MANAGER) {
            error_set(error, ERROR_DATA, "%s uses %s, but nothing says which packages to install", application->file,
                      application->framework ? application->framework : "packages");
            return error_next(error, "write a requirements.txt that names them");
        }
        choose_server(project);
        command = server_command(project);
    }
    set_shell_command(project, command);
    return 0;
}

int python_find_start(struct python_project *project, struct error *error) {
    if (take_port(project, error) < 0 || take_setting(project, error) < 0)
        return -1;
    if (project->command.count == 0 && take_procfile(project, error) < 0)
        return -1;
    if (project->command.count == 0 && start_application(project, error) < 0)
        return -1;
    if (!project->application.directory) {
        project->application.directory = text_copy("");
        project->application.add_src = python_has_src_layout(project);
    }
    const char *last = project->command.items[project->command.count - 1];
    project->has_environment =
        project->manager != PYTHON_NO_MANAGER || project->add_server || names_program(last, "python");
    plan_note(project->plan, "starts with: %s", text_starts_with(last, "exec ") ? last + 5 : last);
    return 0;
}
