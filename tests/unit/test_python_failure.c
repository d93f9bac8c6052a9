/* Why a package manager failed: what they really print, and what is made of it. */
#include "common/base/text.h"
#include "engine/stacks/python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BASE "apt:bookworm?python3"

static struct error explain(const char *text, const char *base) {
    struct plan_step step = {.name = (char *)"install", .input_name = (char *)"requirements.txt"};
    struct error error;
    error_set(&error, ERROR_STEP, "install failed with exit code 1");
    python_explain_failure(text, base, &step, &error);
    assert_int_equal(error.kind, ERROR_STEP);
    return error;
}

static void what_is_missing_in_the_base_is_named_with_what_to_type(void **state) {
    (void)state;
    static const struct {
        const char *printed, *text, *next;
    } cases[] = {
        {"Collecting psutil==7.0.0\n  error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'\n"
         "  ERROR: Failed building wheel for psutil\nFailed to build psutil\n",
         "install: psutil is compiled from its source, and the base does not have a C compiler",
         "--base 'apt:bookworm?python3,gcc,g++,libc6-dev,python3-dev'"},
        {"Collecting bottle\nCollecting psycopg2==2.9.10\n  Error: pg_config executable not found.\n",
         "install: psycopg2==2.9.10 is compiled from its source, and the base does not have PostgreSQL's library "
         "(pg_config)",
         "python3-dev,libpq-dev'; psycopg2-binary in place of psycopg2"},
        {"src/x.c:3:10: fatal error: Python.h: No such file or directory\nERROR: Failed building wheel for x\n",
         "x is compiled from its source, and the base does not have Python's header files", "python3-dev"},
        {"a.c:1:10: fatal error: sasl/sasl.h: No such file or directory\nFailed to build `python-ldap==3.4`\n",
         "python-ldap==3.4 is compiled from its source, and the base does not have sasl/sasl.h", "apt-file search"},
        {"error: linker `cc` not found\nERROR: Failed building wheel for cryptography\n",
         "cryptography is compiled from its source, and the base does not have a C compiler", "gcc"},
        {"error: can't find Rust compiler\nERROR: Failed building wheel for orjson\n",
         "orjson is compiled from its source, and the base does not have a Rust compiler", "rustc,cargo"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = explain(cases[i].printed, BASE);
        if (!strstr(error.text, cases[i].text) || !strstr(error.next, cases[i].next))
            fail_msg("%s / %s", error.text, error.next);
    }
    struct error error = explain(cases[0].printed, "python:3.12-slim");
    assert_non_null(strstr(error.next, "--base python:3.12"));
    assert_null(strstr(error.next, "slim"));
    error = explain(cases[0].printed, "oci:/x");
    assert_non_null(strstr(error.next, "--base"));
}

static void what_is_declared_wrongly_is_named(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"ERROR: Could not find a version that satisfies the requirement nope==1 (from versions: none)\n",
         "install: the package index has no nope==1"},
        {"ERROR: Could not find a version that satisfies the requirement bottle==99.1 (from versions: 0.4.3, 0.13)\n",
         "install: bottle==99.1 does not exist, though other versions of it do"},
        {"ERROR: Ignored the following versions that require a different python version: 2.5.0\n"
         "ERROR: Could not find a version that satisfies the requirement numpy==2.5.0 (from versions: 1.3.0)\n",
         "install: numpy==2.5.0 does not exist for the base's version of Python"},
        {"The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.\n",
         "install: uv.lock does not fit pyproject.toml"},
        {"pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix.\n",
         "install: poetry.lock does not fit pyproject.toml"},
        {"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n",
         "install: requirements.txt names another hash"},
        {"ERROR: Cannot install -r requirements.txt (line 1) and b==2 because these package versions have conflicting "
         "dependencies.\n",
         "install: Cannot install -r requirements.txt (line 1) and b==2 because"},
        {"pyproject.toml asks for Python >=3.12, and the base has Python 3.11\n",
         "install: pyproject.toml asks for Python >=3.12, and the base has Python 3.11"},
        {"Failed to establish a new connection: [Errno -3] Temporary failure in name resolution\n",
         "install: the package index cannot be reached"},
        {"something else\n", "install failed with exit code 1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = explain(cases[i][0], BASE);
        if (!text_starts_with(error.text, cases[i][1]) || text_is_empty(error.next))
            fail_msg("%s / %s", error.text, error.next);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_in_the_base_is_named_with_what_to_type),
        cmocka_unit_test(what_is_declared_wrongly_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
