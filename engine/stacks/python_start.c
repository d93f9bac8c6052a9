/* How the container starts: the server, the command that honours $PORT, the port. */
#include "common/base/text.h"
#include "engine/stacks/python.h"
#include "engine/stacks/start.h"

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
    project->add_server = !brings(project, name);
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

static void read_command(struct python_project *project, const char *command, const char *where) {
    for (size_t i = 0; i < ARRAY_LENGTH(servers) && !project->server; i++)
        if (start_names_program(command, servers[i].program))
            use_server(project, servers[i].name);
    start_take_port(project->plan, command, where);
}

static int take_procfile(struct python_project *project, struct error *error) {
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    bool exists;
    if (python_read(project, "Procfile", &text, &exists, error) < 0)
        return -1;
    AUTO_FREE char *command = exists ? start_procfile_command(buffer_text(&text)) : NULL;
    if (exists && !command)
        plan_note(project->plan, "found a Procfile without a line \"web: COMMAND\": it decides nothing");
    if (!command)
        return 0;
    if (json_get(project->settings, "app")) {
        plan_note(project->plan, "found a Procfile: it decides nothing, because pl.json names the application");
        return 0;
    }
    plan_note(project->plan, "found a Procfile: %s", command);
    start_add_shell(&project->command, command);
    read_command(project, command, "the Procfile");
    return 0;
}

static int take_setting(struct python_project *project, struct error *error) {
    const char *text;
    if (start_read_setting(project->settings, &project->command, &text, error) < 0)
        return -1;
    if (!text)
        return 0;
    read_command(project, text, "pl.json");
    plan_note(project->plan, "found the start command in pl.json");
    return 0;
}

/* ---- */

static int no_start(const struct python_project *project, struct error *error) {
    error_set(error, ERROR_DATA,
              "found %s, but no application: of the %zu Python files that were looked at none has app = FastAPI(...), "
              "Flask, Starlette, Litestar, Quart, Bottle or Django at its top level, and there is no main.py",
              project->manifest ? project->manifest : "Python", project->application.modules);
    return error_next(error,
                      "write into a Procfile: web: COMMAND (it must listen on $PORT), or into pl.json: {\"build\": "
                      "{\"app\": \"MODULE:OBJECT\"}}");
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
    start_add_shell(&project->command, command);
    return 0;
}

int python_find_start(struct python_project *project, struct error *error) {
    if (start_read_port(project->settings, &project->plan->port, error) < 0 || take_setting(project, error) < 0)
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
        project->manager != PYTHON_NO_MANAGER || project->add_server || start_names_program(last, "python");
    plan_note(project->plan, "starts with: %s", text_starts_with(last, "exec ") ? last + 5 : last);
    return 0;
}
