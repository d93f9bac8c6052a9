/* pl.lock as a file. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char folder[] = "/tmp/pl-test-lock-XXXXXX";
static char *path;

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    path = path_join(folder, "pl.lock");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(path);
    return tree_remove(folder, NULL);
}

static void assert_file(const char *expected) {
    AUTO_BUFFER struct buffer text = BUFFER(65536);
    assert_int_equal(file_read(path, &text, NULL, NULL), 0);
    assert_string_equal(buffer_text(&text), expected);
}

static void what_is_written_is_read_and_sorted(void **state) {
    (void)state;
    AUTO_LOCK struct lock *lock = lock_new(), *read = NULL;
    lock_set(lock, "python:3.12", "linux/amd64", "docker.io/library/python@sha256:1");
    lock_set(lock, "alpine", "linux/amd64", "docker.io/library/alpine@sha256:2");
    assert_int_equal(lock_write(lock, NULL, path, NULL), 0);
    assert_file("{\n  \"lock\": 1,\n  \"bases\": {\n    \"alpine\": {\n      \"linux/amd64\": "
                "\"docker.io/library/alpine@sha256:2\"\n    },\n    \"python:3.12\": {\n      \"linux/amd64\": "
                "\"docker.io/library/python@sha256:1\"\n    }\n  }\n}\n");
    assert_int_equal(lock_read(path, &read, NULL), 0);
    assert_string_equal(lock_find(read, "alpine", "linux/amd64"), "docker.io/library/alpine@sha256:2");
    assert_null(lock_find(read, "alpine", "linux/arm64"));
    assert_null(lock_find(read, "debian", "linux/amd64"));
    assert_null(lock_find(NULL, "alpine", "linux/amd64"));
}

static void another_platform_is_kept_and_the_own_one_is_replaced(void **state) {
    (void)state;
    AUTO_LOCK struct lock *old = lock_new(), *lock = lock_new(), *read = NULL;
    lock_set(old, "a", "linux/amd64", "sha256:1");
    lock_set(old, "a", "linux/arm64", "sha256:2");
    lock_set(old, "gone", "linux/amd64", "sha256:3");
    lock_set(lock, "a", "linux/amd64", "sha256:4");
    assert_int_equal(lock_write(lock, old, path, NULL), 0);
    assert_int_equal(lock_read(path, &read, NULL), 0);
    assert_string_equal(lock_find(read, "a", "linux/amd64"), "sha256:4");
    assert_string_equal(lock_find(read, "a", "linux/arm64"), "sha256:2");
    assert_null(lock_find(read, "gone", "linux/amd64"));
}

static void a_file_that_is_none_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{\"lock\": 2, \"bases\": {}}",
        "{\"lock\": 1}",
        "{\"lock\": 1, \"bases\": []}",
        "{\"lock\": 1, \"bases\": {\"a\": \"sha256:1\"}}",
        "{\"lock\": 1, \"bases\": {\"a\": {\"linux/amd64\": \"a:latest\"}}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        AUTO_LOCK struct lock *lock = NULL;
        struct error error;
        assert_int_equal(file_write_atomic(path, texts[i], strlen(texts[i]), 0644, NULL), 0);
        assert_int_equal(lock_read(path, &lock, &error), -1);
        assert_int_equal(error.kind, ERROR_DATA);
        assert_null(lock);
    }
    AUTO_LOCK struct lock *none = NULL;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lock_read(path, &none, NULL), 0);
    assert_null(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_and_sorted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_platform_is_kept_and_the_own_one_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_none_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
