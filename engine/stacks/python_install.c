/* The step that installs the dependencies into /opt/venv. It sees only the files that declare them. Nothing of it
 * depends on when or where it runs: no modification times in compiled files, a fixed hash seed, no temporary files
 * left.
 */
#include "common/base/text.h"
#include "engine/stacks/python.h"

/* Something that a manager needs; the cache of each is a directory of its own. */
struct recipe {
    const char *tool;           /* installed by pip into a virtual environment that is dropped again; NULL: only pip */
    const char *extra;          /* of the tool's package */
    const char *cache_variable; /* the tool's own cache; pip's is there in any case */
    const char *command;        /* run in the directory with the manifests; pip_install is there */
};

/* PYTHON is the base's interpreter. pip comes with the base (python:3.12-slim), or as a wheel (Debian's python3-venv),
 * or inside of the standard library. */
static const char prepare_environment[] = "mkdir -p /opt/build/home\n"
                                          "\"$PYTHON\" -m venv --without-pip /opt/venv\n";

static const char prepare_pip[] =
    "wheel=$(echo /usr/share/python-wheels/pip-*.whl)\n"
    "if [ -e \"$wheel\" ]; then\n"
    "  pip_install() { venv=$1; shift; \"$venv/bin/python\" \"$wheel/pip\" install --no-compile \"$@\"; }\n"
    "else\n"
    "  pip=$PYTHON\n"
    "  \"$pip\" -m pip --version > /dev/null 2>&1 ||\n"
    "    { \"$PYTHON\" -m venv /opt/build/pip; pip=/opt/build/pip/bin/python; }\n"
    "  pip_install() { venv=$1; shift; \"$pip\" -m pip --python \"$venv/bin/python\" install --no-compile \"$@\"; }\n"
    "fi\n"
    "[ ! -e /run/secrets/netrc ] || ln -s /run/secrets/netrc /opt/build/home/.netrc\n"
    "[ ! -e /run/secrets/pip.conf ] || export PIP_CONFIG_FILE=/run/secrets/pip.conf\n"
    "[ ! -e /run/secrets/uv.toml ] || export UV_CONFIG_FILE=/run/secrets/uv.toml\n";

/* The base may be one that the user named. */
static const char check_version[] = "version=$(\"$PYTHON\" -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])')\n"
                                    "case \"$allowed \" in *\" $version \"*) ;; *)\n"
                                    "  echo \"$constraint, and the base has Python $version\" >&2\n"
                                    "  exit 1 ;;\n"
                                    "esac\n";

static const char prepare_tool[] = "\"$PYTHON\" -m venv --without-pip /opt/build/tool\n"
                                   "pip_install /opt/build/tool -q \"$tool\"\n"
                                   "export VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:/opt/build/tool/bin:$PATH\n";

/* Compiled files say by a hash what they were made from, not by a time. A package may hold files that are no Python of
 * this version: they are not compiled. */
static const char finish[] =
    "/opt/venv/bin/python -m compileall -qq --invalidation-mode unchecked-hash /opt/venv/lib || true\n"
    "rm -rf /opt/build\n";

static const struct recipe recipes[] = {
    [PYTHON_NO_MANAGER] = {.command = ""},
    [PYTHON_PIP] = {.command = "pip_install /opt/venv -r \"$1\"\n"},
    [PYTHON_PROJECT] = {.command = "[ $# = 0 ] || pip_install /opt/venv -- \"$@\"\n"},
    [PYTHON_SETUP] = {.command = "pip_install /opt/venv .\n"},
    [PYTHON_UV] = {"uv", "", "UV_CACHE_DIR", "uv sync --locked --no-dev --no-install-project --no-progress\n"},
    [PYTHON_POETRY] = {"poetry", "", "POETRY_CACHE_DIR", "poetry install --only main --no-root --no-ansi\n"},
    /* "locked": the versions that pdm was tested with */
    [PYTHON_PDM] = {"pdm", "[locked]", "PDM_CACHE_DIR", "pdm sync --prod --no-self\n"},
    [PYTHON_PIPENV] = {"pipenv", "", "PIPENV_CACHE_DIR",
                       "if [ -e Pipfile.lock ]; then pipenv sync; else pipenv install --skip-lock; fi\n"},
};

static const char *const fixed_environment[] = {
    "PYTHONHASHSEED=0",
    "PYTHONDONTWRITEBYTECODE=1",
    /* 1980-01-01, the first day that a zip archive knows: some packages are zipped while they are built */
    "SOURCE_DATE_EPOCH=315532800",
    "HOME=/opt/build/home",
    "TMPDIR=/opt/build",
    "LC_ALL=C.UTF-8",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
    "PIP_NO_INPUT=1",
    "PIP_ROOT_USER_ACTION=ignore",
    "PIP_PROGRESS_BAR=off",
};

static const char *const tool_environment[] = {
    "UV_PROJECT_ENVIRONMENT=/opt/venv",
    "UV_PYTHON=/opt/venv/bin/python",
    "UV_PYTHON_DOWNLOADS=never",
    "UV_LINK_MODE=copy",
    "POETRY_NO_INTERACTION=1",
    "POETRY_VIRTUALENVS_CREATE=false",
    "PDM_CHECK_UPDATE=0",
    "PDM_IGNORE_SAVED_PYTHON=1",
    "PIPENV_VERBOSITY=-1",
    "PIPENV_NOSPIN=1",
};

static void set_environment(const struct python_project *project, const struct recipe *recipe, struct plan_step *step) {
    for (size_t i = 0; i < ARRAY_LENGTH(fixed_environment); i++)
        text_list_add(&step->environment, fixed_environment[i]);
    text_list_add_format(&step->environment, "PYTHON=%s",
                         project->source->interpreter ? project->source->interpreter : "python3");
    text_list_add(&step->environment, "PIP_CACHE_DIR=/var/cache/pip");
    plan_add_cache(step, "pip", "/var/cache/pip");
    if (!recipe->tool)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(tool_environment); i++)
        text_list_add(&step->environment, tool_environment[i]);
    AUTO_FREE char *target = text_format("/var/cache/%s", recipe->tool);
    text_list_add_format(&step->environment, "%s=%s", recipe->cache_variable, target);
    plan_add_cache(step, recipe->tool, target);
}

static void add_preparation(const struct python_project *project, const struct recipe *recipe, struct buffer *script) {
    buffer_append_text(script, prepare_pip);
    if (!recipe->tool)
        return;
    buffer_append_format(script, "tool='%s%s%s%s'\n", recipe->tool, recipe->extra, project->tool_version ? "==" : "",
                         project->tool_version ? project->tool_version : "");
    buffer_append_text(script, prepare_tool);
}

static void set_command(const struct python_project *project, const struct recipe *recipe, struct plan_step *step) {
    struct buffer script = BUFFER(1 << 16);
    if (project->version_constraint) {
        buffer_append_format(&script, "allowed='%s' constraint=$1\nshift\n", project->allowed_versions);
        buffer_append_text(&script, check_version);
    }
    buffer_append_text(&script, prepare_environment);
    add_preparation(project, recipe, &script);
    buffer_append_text(&script, recipe->command);
    if (project->add_server)
        buffer_append_format(&script, "[ -e /opt/venv/bin/%s ] || pip_install /opt/venv %s==%s\n",
                             project->server->program, project->server->name, project->server->version);
    buffer_append_text(&script, finish);
    text_list_add(&step->argv, "/bin/sh");
    text_list_add(&step->argv, "-ec");
    text_list_take(&step->argv, buffer_take(&script));
    text_list_add(&step->argv, "sh");
    if (project->version_constraint)
        text_list_add(&step->argv, project->version_constraint);
    if (project->manager == PYTHON_PIP)
        text_list_add(&step->argv, project->manifest);
    text_list_add_all(&step->argv, &project->arguments);
}

/* "requirements.txt, constraints.txt" */
static char *describe_files(const struct python_project *project, const struct text_list *files) {
    if (project->needs_all_files)
        return text_copy("source");
    struct buffer names = BUFFER(300);
    for (size_t i = 0; i < files->count && i < 4; i++)
        buffer_append_format(&names, "%s%s", i > 0 ? ", " : "", files->items[i]);
    return buffer_take(&names);
}

void python_plan_install(struct python_project *project, const struct text_list *all_files) {
    if (!project->has_environment)
        return;
    const struct recipe *recipe = &recipes[project->manager];
    bool installs = project->manager != PYTHON_NO_MANAGER || project->add_server;
    AUTO_FREE char *name = installs ? text_format("install dependencies (%s)",
                                                  project->manifest ? project->manifest : project->server->name)
                                    : text_copy("make a virtual environment");
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    step->directory = text_copy("/app");
    step->input_name = describe_files(project, &project->files);
    step->sees_secrets = true;
    step->explain = python_explain_failure;
    text_list_add_all(&step->files, project->needs_all_files ? all_files : &project->files);
    text_list_sort(&step->files);
    set_environment(project, recipe, step);
    set_command(project, recipe, step);
}

/* ---- development dependencies ---- */

/* What is there stays, also where the lock file does not know it: a server that was added. */
static const char *const development_commands[] = {
    [PYTHON_UV] = "uv sync --locked --inexact --no-install-project --no-progress \"$@\"\n",
    [PYTHON_POETRY] = "poetry install --no-root --no-ansi \"$@\"\n",
    [PYTHON_PDM] = "pdm sync --no-self \"$@\"\n",
    [PYTHON_PIPENV] = "if [ -e Pipfile.lock ]; then pipenv sync --dev; else pipenv install --dev --skip-lock; fi\n",
};

static void add_pairs(struct text_list *argv, const char *option, const struct text_list *values) {
    for (size_t i = 0; i < values->count; i++) {
        text_list_add(argv, option);
        text_list_add(argv, values->items[i]);
    }
}

static void add_development_arguments(const struct python_project *project,
                                      const struct python_development *development, struct text_list *argv) {
    switch (project->manager) {
    case PYTHON_UV:
        add_pairs(argv, "--group", &development->groups);
        add_pairs(argv, "--extra", &development->extras);
        break;
    case PYTHON_POETRY:
        add_pairs(argv, "--with", &development->groups);
        add_pairs(argv, "--extras", &development->extras);
        break;
    case PYTHON_PDM:
        add_pairs(argv, "-G", &development->groups);
        add_pairs(argv, "-G", &development->extras);
        break;
    case PYTHON_PIPENV:
        break;
    default:
        add_pairs(argv, "-r", &development->files);
        text_list_add_all(argv, &development->arguments);
    }
}

static char *development_script(const struct python_project *project, const struct python_development *development,
                                const struct recipe *recipe) {
    struct buffer script = BUFFER(1 << 16);
    buffer_append_text(&script, "mkdir -p /opt/build/home\n");
    add_preparation(project, recipe, &script);
    if (development->is_declared)
        buffer_append_text(&script,
                           recipe->tool ? development_commands[project->manager] : "pip_install /opt/venv \"$@\"\n");
    if (development->added)
        buffer_append_format(&script, "[ -e /opt/venv/bin/%s ] || pip_install /opt/venv '%s'\n",
                             development->added_program, development->added);
    buffer_append_text(&script, finish);
    return buffer_take(&script);
}

static void add_all_files(const struct python_project *project, struct text_list *files) {
    const struct tree *tree = project->source->tree;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->entries[i].type != 'd')
            text_list_add(files, tree->entries[i].path);
}

void python_plan_development(struct python_project *project, const struct python_development *development) {
    if (!development->is_declared && !development->added)
        return;
    /* Only pip is needed for what no file declares. */
    const struct recipe *recipe = &recipes[development->is_declared ? project->manager : PYTHON_PIP];
    const struct text_list *named = development->files.count ? &development->files : &project->files;
    AUTO_FREE char *files = describe_files(project, named);
    AUTO_FREE char *name = development->is_declared ? text_format("install development dependencies (%s)", files)
                                                    : text_format("install %s", development->added_program);
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    step->directory = text_copy("/app");
    step->input_name = text_copy(files);
    step->sees_secrets = true;
    step->explain = python_explain_failure;
    if (development->is_declared && project->needs_all_files)
        add_all_files(project, &step->files);
    else if (development->is_declared)
        text_list_add_all(&step->files, &project->files);
    text_list_sort(&step->files);
    set_environment(project, recipe, step);
    text_list_add(&step->argv, "/bin/sh");
    text_list_add(&step->argv, "-ec");
    text_list_take(&step->argv, development_script(project, development, recipe));
    text_list_add(&step->argv, "sh");
    if (development->is_declared)
        add_development_arguments(project, development, &step->argv);
}

/* ---- in an image that is not ours ---- */

#define MANIFESTS "/run/pl/manifests"

static const char *const image_environment[] = {
    "HOME=/tmp",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
    "PIP_NO_INPUT=1",
    "PIP_ROOT_USER_ACTION=ignore",
    "PIP_PROGRESS_BAR=off",
    "PIP_CACHE_DIR=/var/cache/pip",
    /* Debian's Python wants only Debian's packages; the image is dropped after the tests. */
    "PIP_BREAK_SYSTEM_PACKAGES=1",
};

void python_plan_image_development(struct python_project *project, const struct python_development *development) {
    bool installs = development->files.count + development->arguments.count > 0;
    if (!installs && !development->added)
        return;
    const struct text_list *named = development->files.count ? &development->files : &project->files;
    AUTO_FREE char *files = describe_files(project, named);
    AUTO_FREE char *name = installs ? text_format("install development dependencies (%s)", files)
                                    : text_format("install %s", development->added_program);
    struct plan_step *step = plan_add_step(project->plan, PLAN_EXEC, name);
    struct buffer script = BUFFER(1 << 16);
    step->directory = text_copy(MANIFESTS);
    step->input_name = text_copy(files);
    step->sees_secrets = true;
    step->advice =
        text_copy("an image without pip has to bring the development dependencies itself, in a stage \"test\"");
    if (installs && project->needs_all_files)
        add_all_files(project, &step->files);
    else if (installs)
        text_list_add_all(&step->files, &project->files);
    text_list_sort(&step->files);
    for (size_t i = 0; i < ARRAY_LENGTH(image_environment); i++)
        text_list_add(&step->environment, image_environment[i]);
    plan_add_cache(step, "pip", "/var/cache/pip");
    buffer_append_text(&script, "[ ! -e /run/secrets/pip.conf ] || export PIP_CONFIG_FILE=/run/secrets/pip.conf\n");
    if (installs)
        buffer_append_text(&script, "python3 -m pip install \"$@\"\n");
    if (development->added)
        buffer_append_format(&script, "python3 -c 'import %s' 2> /dev/null || python3 -m pip install '%s'\n",
                             development->added_program, development->added);
    text_list_add(&step->argv, "/bin/sh");
    text_list_add(&step->argv, "-ec");
    text_list_take(&step->argv, buffer_take(&script));
    text_list_add(&step->argv, "sh");
    add_pairs(&step->argv, "-r", &development->files);
    text_list_add_all(&step->argv, &development->arguments);
}
