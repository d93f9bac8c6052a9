/* engine/stacks: what is found in a source directory and what is planned for it. */
#include "engine/stacks/python.h"
#include "engine/stacks/toml.h"
#include "tests/unit/stack_fixture.h"

#define REQUIREMENTS                                                                                                   \
    { "requirements.txt", "fastapi==0.115.12\nuvicorn==0.34.2\n" }
#define FASTAPI "from fastapi import FastAPI\napp = FastAPI()\n"

/* ---- the main case ---- */

static void a_fastapi_service_is_planned_whole(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES(REQUIREMENTS, {"README.md", "x"}, {"src/__init__.py", ""}, {"src/main.py", FASTAPI},
                        {"src/items.py", ""}, {"tests/test_main.py", FASTAPI}));
    assert_string_equal(it.plan.base, "python:3.12-slim");
    assert_string_equal(it.plan.fallback_base, "apt:bookworm?python3,python3-venv,ca-certificates");
    assert_int_equal(it.plan.step_count, 3);
    const struct plan_step *install = &it.plan.steps[0], *copy = &it.plan.steps[1], *config = &it.plan.steps[2];
    assert_int_equal(install->type, PLAN_EXEC);
    assert_int_equal(install->files.count, 1);
    assert_string_equal(install->files.items[0], "requirements.txt");
    assert_string_equal(install->input_name, "requirements.txt");
    assert_true(text_list_contains(&install->environment, "PYTHONHASHSEED=0"));
    assert_string_equal(install->caches[0].id, "pip");
    assert_string_equal(install->argv.items[4], "requirements.txt");
    assert_int_equal(copy->type, PLAN_COPY);
    assert_true(text_list_contains(&copy->files, "src/main.py"));
    assert_false(text_list_contains(&copy->files, "tests/test_main.py"));
    assert_string_equal(command_of(&it), "uvicorn src.main:app --host 0.0.0.0 --port ${PORT:-8080}");
    assert_string_equal(json_get_text(config->config, "User", ""), "10001:10001");
    assert_string_equal(json_get_text(config->config, "WorkingDir", ""), "/app");
    assert_non_null(json_get(json_get(config->config, "ExposedPorts"), "8080/tcp"));
    assert_string_equal(json_get_text(json_get(config->config, "Labels"), "org.opencontainers.image.title", ""), "it");
    assert_true(has_environment(&it, "PATH=/opt/venv/bin:${PATH}"));
    assert_true(has_note(&it, "found requirements.txt: pip"));
    assert_true(has_note(&it, "found app = FastAPI(...) in src/main.py: src.main:app"));
    fixture_end(&it);
}

static void the_same_files_give_the_same_plan(void **state) {
    (void)state;
    struct buffer texts[2] = {BUFFER(1 << 20), BUFFER(1 << 20)};
    for (int i = 0; i < 2; i++) {
        struct fixture it;
        plan_for(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI}));
        assert_int_equal(stack_plan_print(&it.plan, &texts[i], NULL), 0);
        assert_null(strstr(buffer_text(&texts[i]), it.directory));
        fixture_end(&it);
    }
    assert_string_equal(buffer_text(&texts[0]), buffer_text(&texts[1]));
    assert_non_null(strstr(buffer_text(&texts[0]), "sees requirements.txt"));
    buffer_release(&texts[0]);
    buffer_release(&texts[1]);
}

/* ---- the application object ---- */

static void the_application_is_found_wherever_it_is(void **state) {
    (void)state;
    static const struct {
        struct file files[4];
        const char *object, *note;
    } cases[] = {
        {{{"main.py", FASTAPI}}, "main:app", NULL},
        {{{"main.py", "import fastapi\napi: fastapi.FastAPI = fastapi.FastAPI(\n    title='x')\n"}}, "main:api", NULL},
        {{{"app/main.py", FASTAPI}, {"app/__init__.py", ""}}, "app.main:app", NULL},
        {{{"main.py", "import uvicorn\nfrom app.main import app\nuvicorn.run(app)\n"}, {"app/main.py", FASTAPI}},
         "app.main:app",
         NULL},
        {{{"src/shop/api/main.py", FASTAPI}, {"src/shop/__init__.py", ""}}, "shop.api.main:app", NULL},
        {{{"src/shop/main.py", "from src.shop import x\n" FASTAPI}, {"src/shop/x.py", ""}}, "src.shop.main:app", NULL},
        {{{"main.py", "'''\napp = FastAPI()\n'''\n# app = FastAPI()\n"}, {"service/entry.py", FASTAPI}},
         "service.entry:app",
         NULL},
        {{{"tests/main.py", FASTAPI}, {"examples/main.py", FASTAPI}, {"deep/er/thing.py", FASTAPI}},
         "deep.er.thing:app",
         NULL},
        {{{"main.py", "def create_app(settings=None, *args):\n    return FastAPI()\n"}},
         "--factory main:create_app",
         "found create_app() for FastAPI"},
        {{{"app/__init__.py", "def create_app():\n    return FastAPI()\n"},
          {"asgi.py", "from app import create_app\napp = create_app()\n"}},
         "asgi:app",
         NULL},
        {{{"main.py", "def create_app(settings):\n    return FastAPI()\n"}, {"other.py", FASTAPI}}, "other:app", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        fixture_begin(&it, cases[i].files);
        write_file(&it, "requirements.txt", "fastapi\nuvicorn\n");
        if (detect(&it) < 0)
            fail_msg("case %zu: %s", i, it.error.text);
        AUTO_FREE char *wanted = text_format("uvicorn %s --host", cases[i].object);
        if (!text_starts_with(command_of(&it), wanted))
            fail_msg("case %zu: %s", i, command_of(&it));
        assert_true(!cases[i].note || has_note(&it, cases[i].note));
        fixture_end(&it);
    }
}

static void a_module_that_imports_its_neighbours_is_run_from_its_directory(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it,
             FILES(REQUIREMENTS, {"backend/main.py", "from models import Item\n" FASTAPI}, {"backend/models.py", ""}));
    assert_string_equal(command_of(&it), "uvicorn main:app --host 0.0.0.0 --port ${PORT:-8080}");
    assert_string_equal(json_get_text(step_of(&it, PLAN_CONFIG)->config, "WorkingDir", ""), "/app/backend");
    fixture_end(&it);
    plan_for(&it, FILES(REQUIREMENTS, {"backend/main.py", "from backend.models import Item\n" FASTAPI},
                        {"backend/models.py", ""}));
    assert_string_equal(command_of(&it), "uvicorn backend.main:app --host 0.0.0.0 --port ${PORT:-8080}");
    fixture_end(&it);
}

static void packages_in_src_are_on_the_module_path(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES(REQUIREMENTS, {"src/shop/main.py", FASTAPI}, {"src/shop/__init__.py", ""}));
    assert_true(has_environment(&it, "PYTHONPATH=/app/src"));
    fixture_end(&it);
    plan_for(&it, FILES(REQUIREMENTS, {"src/main.py", FASTAPI}, {"src/__init__.py", ""}));
    assert_false(has_environment(&it, "PYTHONPATH=/app/src"));
    fixture_end(&it);
}

static void frameworks_get_the_server_they_need(void **state) {
    (void)state;
    static const struct {
        const char *requirements, *module, *command;
        bool added;
    } cases[] = {
        {"flask\n", "app = Flask(__name__)\n", "gunicorn --bind 0.0.0.0:${PORT:-8080} ", true},
        {"Flask==3.0\ngunicorn\n", "app = Flask(__name__)\n", "gunicorn --bind 0.0.0.0:${PORT:-8080} ", false},
        {"flask\nWaitress\n", "app = Flask(__name__)\n", "waitress-serve --listen=0.0.0.0:${PORT:-8080} main:app",
         false},
        {"flask\n", "def create_app():\n    return Flask(__name__)\n", "gunicorn ", true},
        {"fastapi\n", "app = FastAPI()\n", "uvicorn main:app ", true},
        {"fastapi[standard]\n", "app = FastAPI()\n", "uvicorn main:app ", false},
        {"fastapi\nhypercorn\n", "app = FastAPI()\n", "hypercorn --bind 0.0.0.0:${PORT:-8080} main:app", false},
        {"quart\n", "app = Quart(__name__)\n", "hypercorn --bind 0.0.0.0:${PORT:-8080} main:app", false},
        {"starlette\nuvicorn[standard]>=0.20 ; python_version > '3'\n", "app = Starlette()\n", "uvicorn main:app ",
         false},
        {"litestar[standard]\n", "app = Litestar([])\n", "uvicorn main:app ", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        plan_for(&it, FILES({"requirements.txt", cases[i].requirements}, {"main.py", cases[i].module}));
        if (!text_starts_with(command_of(&it), cases[i].command))
            fail_msg("case %zu: %s", i, command_of(&it));
        assert_int_equal(has_note(&it, "is added"), cases[i].added);
        assert_int_equal(strstr(script_of(&it), "] || pip_install /opt/venv") != NULL, cases[i].added);
        fixture_end(&it);
    }
}

static void django_is_served_by_its_wsgi_module(void **state) {
    (void)state;
    static const struct file wsgi = {"site1/wsgi.py", "application = get_wsgi_application()\n"},
                             asgi = {"site1/asgi.py", "application = get_asgi_application()\n"};
    struct fixture it;
    plan_for(&it, FILES({"requirements.txt", "django\n"}, {"manage.py", "import os\n"}, wsgi, asgi));
    assert_non_null(strstr(command_of(&it), "site1.wsgi:application"));
    assert_true(text_starts_with(command_of(&it), "gunicorn "));
    fixture_end(&it);
    plan_for(&it, FILES({"requirements.txt", "django\nuvicorn\n"}, {"manage.py", "import os\n"}, wsgi, asgi));
    assert_true(text_starts_with(command_of(&it), "uvicorn site1.asgi:application"));
    fixture_end(&it);
}

static void a_program_without_a_framework_is_run_as_it_is(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES({"main.py", "print()\n"}));
    assert_string_equal(command_of(&it), "python3 main.py");
    assert_null(step_of(&it, PLAN_EXEC));
    fixture_end(&it);
}

/* ---- what decides over the search ---- */

static void a_procfile_decides(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI},
                        {"Procfile", "release: x\r\nweb:  uvicorn main:app --port $PORT \r\nworker: y\n"}));
    assert_string_equal(command_of(&it), "uvicorn main:app --port $PORT");
    fixture_end(&it);
    plan_for(&it, FILES({"requirements.txt", "fastapi\n"}, {"Procfile", "web: gunicorn -b :9000 main:app\n"}));
    assert_int_equal(it.plan.port, 9000);
    assert_true(has_environment(&it, "PORT=9000"));
    assert_true(has_note(&it, "gunicorn is not among the dependencies"));
    fixture_end(&it);
    plan_for(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI}, {"Procfile", "worker: y\n"}));
    assert_true(text_starts_with(command_of(&it), "uvicorn main:app "));
    fixture_end(&it);
}

static void a_command_that_needs_the_shell_keeps_it(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES(REQUIREMENTS, {"Procfile", "web: ./migrate && python main.py\n"}));
    const struct json *command = json_get(step_of(&it, PLAN_CONFIG)->config, "Cmd");
    assert_string_equal(json_text(json_at(command, 2)), "./migrate && python main.py");
    fixture_end(&it);
    plan_for(&it, FILES({"Procfile", "web: python main.py\n"}, {"main.py", ""}));
    assert_string_equal(step_of(&it, PLAN_EXEC)->name, "make a virtual environment");
    fixture_end(&it);
}

static void pl_json_decides_over_everything(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it,
             FILES(REQUIREMENTS, {"main.py", FASTAPI}, {"Procfile", "web: x\n"},
                   {"pl.json", "{\"build\":{\"start\":[\"python3\",\"-m\",\"a b\"],\"port\":9,\"python\":\"3.9\"}}"}));
    const struct json *command = json_get(step_of(&it, PLAN_CONFIG)->config, "Cmd");
    assert_int_equal(json_count(command), 3);
    assert_string_equal(json_text(json_at(command, 2)), "a b");
    assert_int_equal(it.plan.port, 9);
    assert_string_equal(it.plan.base, "python:3.9-slim");
    fixture_end(&it);
    plan_for(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI}, {"pl.json", "{\"build\":{\"app\":\"x.y:make()\"}}"}));
    assert_true(text_starts_with(command_of(&it), "uvicorn --factory x.y:make --host"));
    fixture_end(&it);
    static const char *const wrong[] = {"{", "{\"build\":{\"start\":7}}", "{\"build\":{\"port\":0}}",
                                        "{\"build\":{\"app\":\"main\"}}", "{\"build\":{\"app\":\"a:b;c\"}}"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        fixture_begin(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI}, {"pl.json", wrong[i]}));
        assert_int_equal(detect(&it), -1);
        assert_int_equal(it.error.kind, ERROR_DATA);
        fixture_end(&it);
    }
}

/* ---- dependencies ---- */

static void each_package_manager_is_told_by_its_files(void **state) {
    (void)state;
    static const char project[] =
        "[project]\nname = 'p'\nversion = '1'\ndependencies = ['fastapi>=0.100', 'uvicorn']\n";
    static const char poetry[] = "[tool.poetry.dependencies]\npython = '^3.10'\nfastapi = '*'\n"
                                 "uvicorn = {version = '*', extras = ['standard']}\n";
    static const struct {
        struct file files[4];
        const char *note, *command;
        size_t seen;
    } cases[] = {
        {{{"pyproject.toml", project}, {"uv.lock", "version = 1\n"}}, "found uv.lock: uv", "uv sync --locked", 2},
        {{{"pyproject.toml", poetry}, {"poetry.lock", "# This file is automatically @generated by Poetry 1.8.2 and\n"}},
         "found poetry.lock: poetry",
         "tool='poetry==1.8.2'",
         2},
        {{{"pyproject.toml", project}, {"pdm.lock", ""}}, "found pdm.lock: pdm", "pdm sync --prod", 2},
        {{{"pyproject.toml", project}}, "found pyproject.toml: pip", "pip_install /opt/venv -- \"$@\"", 0},
        {{{"pyproject.toml", poetry}}, "found pyproject.toml: poetry", "tool='poetry'", 1},
        {{{"Pipfile", "[packages]\nfastapi = '*'\nuvicorn = '*'\n"}, {"Pipfile.lock", "{}"}},
         "found Pipfile.lock: pipenv",
         "pipenv sync",
         2},
        {{{"requirements/base.txt", "fastapi\n"}, {"requirements/prod.txt", "-r base.txt\nuvicorn\n"}},
         "found requirements/prod.txt: pip",
         "-r \"$1\"",
         2},
        {{{"pyproject.toml", project}, {"uv.lock", ""}, {"requirements.txt", "x\n"}},
         "found requirements.txt too: uv.lock decides",
         "uv sync",
         2},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        fixture_begin(&it, cases[i].files);
        write_file(&it, "main.py", FASTAPI);
        if (detect(&it) < 0)
            fail_msg("case %zu: %s", i, it.error.text);
        if (!has_note(&it, cases[i].note) || !strstr(script_of(&it), cases[i].command))
            fail_msg("case %zu: %s, %s", i, it.plan.notes.items[0], script_of(&it));
        assert_int_equal(step_of(&it, PLAN_EXEC)->files.count, cases[i].seen);
        if (cases[i].seen != 2 || i != 7)
            assert_false(has_note(&it, "is added"));
        fixture_end(&it);
    }
}

static void declared_dependencies_alone_make_the_step(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES({"pyproject.toml",
                         "[project]\nname = 'p'\ndescription = 'd'\ndependencies = ['a>1', \"b ; x == 'y'\"]\n"},
                        {"main.py", FASTAPI}));
    const struct plan_step *install = step_of(&it, PLAN_EXEC);
    assert_string_equal(install->argv.items[4], "a>1");
    assert_string_equal(install->argv.items[5], "b ; x == 'y'");
    assert_int_equal(install->files.count, 0);
    fixture_end(&it);
}

static void requirements_are_followed_and_stay_inside(void **state) {
    (void)state;
    struct fixture it;
    plan_for(&it, FILES({"requirements.txt",
                         "\xEF\xBB\xBF-r requirements/a.txt # comment\r\n-c=constraints.txt\n./wheels/x.whl\n"
                         "uvicorn \\\n  --hash=sha256:00\n--index-url https://x/\n"},
                        {"requirements/a.txt", "-r ../requirements.txt\nFast_API.x\nfastapi\n"},
                        {"constraints.txt", ""}, {"wheels/x.whl", ""}, {"main.py", FASTAPI}));
    const struct plan_step *install = step_of(&it, PLAN_EXEC);
    assert_int_equal(install->files.count, 4);
    assert_true(text_list_contains(&install->files, "wheels/x.whl"));
    assert_false(has_note(&it, "is added"));
    fixture_end(&it);
    plan_for(&it, FILES({"requirements.txt", "-e .\nuvicorn\n"}, {"setup.py", ""}, {"main.py", FASTAPI}));
    assert_int_equal(step_of(&it, PLAN_EXEC)->files.count, 3);
    assert_true(has_note(&it, "every edit installs"));
    fixture_end(&it);
    static const char *const wrong[] = {"-r ../x.txt\n", "-r /etc/passwd\n", "-r missing.txt\n", "-e ../mine\n",
                                        "./missing.whl\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        fixture_begin(&it, FILES({"requirements.txt", wrong[i]}, {"main.py", FASTAPI}));
        assert_int_equal(detect(&it), -1);
        assert_int_equal(it.error.kind, ERROR_DATA);
        assert_non_null(strstr(it.error.text, "requirements.txt"));
        fixture_end(&it);
    }
}

/* ---- the version ---- */

static void the_version_asked_for_chooses_the_base(void **state) {
    (void)state;
    static const struct {
        struct file file;
        const char *base, *fallback;
    } cases[] = {
        {{".python-version", "3.11.4\n"}, "python:3.11-slim", "apt:bookworm?"},
        {{".python-version", "# x\ncpython@3.13\n"}, "python:3.13-slim", "apt:trixie?"},
        {{"runtime.txt", "python-3.10.2"}, "python:3.10-slim", NULL},
        {{".tool-versions", "nodejs 20\npython 3.9.1\n"}, "python:3.9-slim", NULL},
        {{"Pipfile", "[requires]\npython_version = '3.11'\n"}, "python:3.11-slim", "apt:bookworm?"},
        {{"pyproject.toml", "[project]\nrequires-python = '>=3.9,<3.12'\n"}, "python:3.11-slim", "apt:bookworm?"},
        {{"pyproject.toml", "[project]\nrequires-python = '>=3.13'\n"}, "python:3.14-slim", "apt:trixie?"},
        {{"pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.11'\n"}, "python:3.12-slim", "apt:bookworm?"},
        {{"pyproject.toml", "[project]\nrequires-python = '==3.12.*'\n"}, "python:3.12-slim", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        plan_for(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI}, cases[i].file));
        if (!text_equal(it.plan.base, cases[i].base))
            fail_msg("case %zu: %s", i, it.plan.base);
        if (cases[i].fallback)
            assert_true(text_starts_with(it.plan.fallback_base, cases[i].fallback));
        else
            assert_null(it.plan.fallback_base);
        fixture_end(&it);
    }
    struct fixture it;
    fixture_begin(&it, FILES(REQUIREMENTS, {"main.py", FASTAPI}, {"runtime.txt", "python-2.7"}));
    assert_int_equal(detect(&it), -1);
    fixture_end(&it);
}

static void constraints_are_understood(void **state) {
    (void)state;
    static const struct {
        const char *constraint;
        unsigned minor;
        bool satisfied;
    } cases[] = {
        {">=3.8", 12, true},         {">=3.13", 12, false},
        {"<3.12", 12, false},        {"<3.12.1", 12, true},
        {"<=3.11", 12, false},       {">3.12", 12, false},
        {">3.12.1", 12, true},       {"~=3.11", 12, true},
        {"~=3.11.2", 12, false},     {"~3.11", 12, false},
        {"^3.9", 12, true},          {"==3.*", 12, true},
        {"3.12", 12, true},          {"3.11", 12, false},
        {"!=3.12", 12, false},       {"!=3.12.1", 12, true},
        {">=3.8,<4.0", 12, true},    {">=3.8, <3.10", 9, true},
        {"~3.9 || ~3.11", 11, true}, {"*", 12, true},
        {">=2.7,!=3.0.*", 12, true}, {"", 12, true},
        {"<3", 12, false},           {"rubbish", 12, true},
        {">=4", 12, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (python_version_satisfies(cases[i].minor, cases[i].constraint) != cases[i].satisfied)
            fail_msg("%s with 3.%u", cases[i].constraint, cases[i].minor);
}

/* ---- which stack ---- */

static void the_stack_is_told_by_its_files(void **state) {
    (void)state;
    static const struct {
        struct file files[3];
        enum stack_kind kind;
        const char *text, *next;
    } cases[] = {
        {{REQUIREMENTS}, STACK_PYTHON, NULL, NULL},
        {{REQUIREMENTS, {"Dockerfile", ""}}, STACK_DOCKERFILE, NULL, NULL},
        {{{"pl.json", "{\"build\":{\"stack\":\"python\"}}"}, {"Dockerfile", ""}}, STACK_PYTHON, NULL, NULL},
        {{{"pl.json", "{\"build\":{\"stack\":\"cobol\"}}"}}, STACK_UNKNOWN, "not cobol", NULL},
        {{{"x.txt", ""}}, STACK_UNKNOWN, "found no stack", "Dockerfile"},
        {{{"backend/main.py", ""}, {"web/x", ""}}, STACK_UNKNOWN, "found no stack", "/backend"},
        {{{NULL, NULL}}, STACK_UNKNOWN, "is empty", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        enum stack_kind kind;
        fixture_begin(&it, cases[i].files);
        int result = stack_find(it.directory, &kind, &it.error);
        assert_int_equal(kind, cases[i].kind);
        assert_int_equal(result, cases[i].kind == STACK_UNKNOWN ? -1 : 0);
        assert_true(!cases[i].text || strstr(it.error.text, cases[i].text));
        assert_true(!cases[i].next || strstr(it.error.next, cases[i].next));
        fixture_end(&it);
    }
    struct error error = {0};
    enum stack_kind kind;
    assert_int_equal(stack_find("/nonexistent", &kind, &error), -1);
    assert_non_null(strstr(error.text, "does not exist"));
}

static void what_cannot_be_started_is_refused_with_advice(void **state) {
    (void)state;
    struct fixture it;
    fixture_begin(&it, FILES(REQUIREMENTS, {"thing.py", "x = 1\n"}));
    assert_int_equal(detect(&it), -1);
    assert_non_null(strstr(it.error.next, "Procfile"));
    fixture_end(&it);
    fixture_begin(&it, FILES({"main.py", FASTAPI}));
    assert_int_equal(detect(&it), -1);
    assert_non_null(strstr(it.error.next, "requirements.txt"));
    fixture_end(&it);
}

static void names_decide_what_is_left_out(void **state) {
    (void)state;
    assert_true(stack_leaves_out("a/__pycache__", true));
    assert_true(stack_leaves_out(".git", true));
    assert_true(stack_leaves_out("a/b.pyc", false));
    assert_true(stack_leaves_out("p.egg-info", true));
    assert_false(stack_leaves_out("venv", false));
    assert_false(stack_leaves_out("src", true));
    assert_false(stack_leaves_out("env", true));
}

/* ---- TOML ---- */

static void toml_reads_as_the_json_that_means_the_same(void **state) {
    (void)state;
    static const char text[] = "# c\r\n a.b.\"c d\" = 'x\\y' # c\n"
                               "list = [ 1, 2,\n # c\n 3, ]\n"
                               "inline = { p = 'q', r.s = true }\n"
                               "long = \"\"\"\nab\\\n   c\\u00e9\\\"\"\"\"\n"
                               "raw = '''a'b''c'''\n"
                               "day = 1979-05-27 07:32:00Z\nnumber = -1.5e3\n"
                               "[t]\nk = \"v\"\n[[t.arr]]\nn = 1\n[[t.arr]]\nn = 2\n[t.arr.sub]\nz = 0\n";
    AUTO_JSON struct json *value = toml_parse(text, strlen(text), "x", NULL);
    assert_non_null(value);
    AUTO_FREE char *json = json_format(value, JSON_COMPACT_STYLE);
    assert_string_equal(
        json, "{\"a\":{\"b\":{\"c d\":\"x\\\\y\"}},\"list\":[1,2,3],\"inline\":{\"p\":\"q\",\"r\":{\"s\":true}},"
              "\"long\":\"abc\xC3\xA9\\\"\",\"raw\":\"a'b''c\",\"day\":\"1979-05-27 07:32:00Z\","
              "\"number\":\"-1.5e3\",\"t\":{\"k\":\"v\",\"arr\":[{\"n\":1},{\"n\":2,\"sub\":{\"z\":0}}]}}");
}

static void hostile_toml_is_refused_with_its_line(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "a",
        "a =",
        "a = \"x",
        "a = 'x\ny'",
        "= 1",
        "[a",
        "[[a]",
        "a = [1",
        "a = [1 2]",
        "a = {b=1",
        "a = 1 b = 2",
        "a = \"\\q\"",
        "a = \"\\u12\"",
        "a=1\na=2",
        "a=1\n[a]\n",
        "[a]\n[[a]]\n",
        "a = \"\\ud800\"",
        "a = \"\"\"x",
        "\x01 = 1",
        "a.b=1\na.b.c=1",
    };
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        AUTO_JSON struct json *value = toml_parse(wrong[i], strlen(wrong[i]), "pyproject.toml", &error);
        if (value)
            fail_msg("accepted: %s", wrong[i]);
        assert_int_equal(error.kind, ERROR_DATA);
        assert_true(text_starts_with(error.text, "pyproject.toml:"));
    }
    AUTO_BUFFER struct buffer deep = BUFFER(1 << 20);
    buffer_append_text(&deep, "a = ");
    for (int i = 0; i < 100000; i++)
        buffer_append_byte(&deep, '[');
    assert_null(toml_parse(buffer_text(&deep), deep.length, "x", &error));
    assert_null(toml_parse("a = 1\0\n", 7, "x", &error));
}

static void any_cut_of_a_file_is_read_or_refused(void **state) {
    (void)state;
    static const char text[] = "[project]\nname = \"p\\u0041\"\ndependencies = ['a', \"\"\"b\n\"\"\"]\n[[x.y]]\nd = {e "
                               "= 1979-05-27 07:32:00}\n";
    for (size_t length = 0; length < strlen(text); length++) {
        AUTO_FREE char *cut = memory_allocate(length + 1, 1);
        memcpy(cut, text, length);
        struct error error = {0};
        AUTO_JSON struct json *value = toml_parse(cut, length, "x", &error);
        assert_true(value || error.kind == ERROR_DATA);
        static const char module[] =
            "from a.b import c\nx: int = d.FastAPI('''a\\'''', \"b\\\"\")\ndef create_app(a=(1,), *b):\n";
        size_t part = length < strlen(module) ? length : strlen(module);
        AUTO_FREE char *source = memory_allocate(part + 1, 1);
        memcpy(source, module, part);
        struct python_module found;
        python_scan_module(source, part, &found);
        python_module_release(&found);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fastapi_service_is_planned_whole),
        cmocka_unit_test(the_same_files_give_the_same_plan),
        cmocka_unit_test(the_application_is_found_wherever_it_is),
        cmocka_unit_test(a_module_that_imports_its_neighbours_is_run_from_its_directory),
        cmocka_unit_test(packages_in_src_are_on_the_module_path),
        cmocka_unit_test(frameworks_get_the_server_they_need),
        cmocka_unit_test(django_is_served_by_its_wsgi_module),
        cmocka_unit_test(a_program_without_a_framework_is_run_as_it_is),
        cmocka_unit_test(a_procfile_decides),
        cmocka_unit_test(a_command_that_needs_the_shell_keeps_it),
        cmocka_unit_test(pl_json_decides_over_everything),
        cmocka_unit_test(each_package_manager_is_told_by_its_files),
        cmocka_unit_test(declared_dependencies_alone_make_the_step),
        cmocka_unit_test(requirements_are_followed_and_stay_inside),
        cmocka_unit_test(the_version_asked_for_chooses_the_base),
        cmocka_unit_test(constraints_are_understood),
        cmocka_unit_test(the_stack_is_told_by_its_files),
        cmocka_unit_test(what_cannot_be_started_is_refused_with_advice),
        cmocka_unit_test(names_decide_what_is_left_out),
        cmocka_unit_test(toml_reads_as_the_json_that_means_the_same),
        cmocka_unit_test(hostile_toml_is_refused_with_its_line),
        cmocka_unit_test(any_cut_of_a_file_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
