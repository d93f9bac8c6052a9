#include "common/file/file.h"
#include "common/json/json.h"
#include "common/store/maintenance.h"
#include "common/store/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static char folder[] = "/tmp/pl-test-store-XXXXXX";
static char *place;

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    place = path_join(folder, "store");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(place);
    return tree_remove(folder, NULL);
}

static struct store *open_store(void) {
    struct error error;
    struct store *store = store_open(place, &error);
    assert_non_null(store);
    return store;
}

static struct digest put(struct store *store, const char *text) {
    struct digest digest;
    assert_int_equal(store_put(store, text, strlen(text), &digest, NULL), 0);
    return digest;
}

static void an_object_is_found_under_its_digest(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    struct digest digest = put(store, "content"), expected = digest_of("content", 7);
    AUTO_BUFFER struct buffer out = BUFFER(100);
    assert_true(digest_equal(&digest, &expected));
    assert_true(store_has(store, &digest));
    assert_int_equal(store_read(store, &digest, &out, NULL), 0);
    assert_string_equal(buffer_text(&out), "content");
}

static void another_digest_than_expected_stores_nothing(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    struct digest expected = digest_of("promised", 8), got = digest_of("delivered", 9);
    struct error error;
    AUTO_WRITER struct store_writer *writer = store_put_begin(store, &expected, 100, &error);
    assert_int_equal(store_put_write(writer, "delivered", 9, &error), 0);
    assert_int_equal(store_put_commit(&writer, NULL, NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_PROTOCOL);
    assert_false(store_has(store, &expected));
    assert_false(store_has(store, &got));
}

static void an_object_over_its_limit_is_refused(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    struct error error;
    AUTO_WRITER struct store_writer *writer = store_put_begin(store, NULL, 4, &error);
    assert_int_equal(store_put_write(writer, "1234", 4, &error), 0);
    assert_int_equal(store_put_write(writer, "5", 1, &error), -1);
}

static void a_damaged_object_is_put_into_quarantine(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    struct digest digest = put(store, "content");
    AUTO_FREE char *path = store_object_path(store, &digest);
    assert_int_equal(chmod(path, 0600), 0);
    int fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, "CONTENT", 7), 7);
    close(fd);
    AUTO_BUFFER struct buffer out = BUFFER(100);
    struct error error;
    assert_int_equal(store_read(store, &digest, &out, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_int_equal(out.length, 0);
    assert_false(store_has(store, &digest));
    put(store, "content");
    assert_int_equal(store_read(store, &digest, &out, &error), 0);
}

static void a_truncated_object_gives_way_to_the_right_one(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    struct digest digest = put(store, "content");
    AUTO_FREE char *path = store_object_path(store, &digest);
    assert_int_equal(truncate(path, 3), 0);
    put(store, "content");
    AUTO_BUFFER struct buffer out = BUFFER(100);
    assert_int_equal(store_read(store, &digest, &out, NULL), 0);
}

static void a_batch_names_its_objects_at_the_end(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    store_batch_begin(store);
    struct digest digests[1000];
    for (int i = 0; i < 1000; i++) {
        AUTO_FREE char *text = text_format("file %d", i);
        digests[i] = put(store, text);
    }
    assert_int_equal(store_batch_end(store, NULL), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(store_has(store, &digests[i]));
}

static int told = -1;

static void tell(void *context, bool is_durable) {
    (void)context;
    told = is_durable;
}

static void name(struct store *store, const char *key, const struct digest *digest) {
    AUTO_JSON struct json *value = json_new_object();
    json_set_text(value, "object", digest_format(digest).text);
    assert_int_equal(store_name_write(store, "steps", key, value, NULL), 0);
}

static bool is_named(struct store *store, const char *key, const struct digest *digest) {
    AUTO_JSON struct json *value = NULL;
    assert_int_equal(store_name_read(store, "steps", key, &value, NULL), 0);
    return text_equal(json_get_text(value, "object", ""), digest_format(digest).text);
}

static void what_a_batch_holds_back_is_seen_by_itself_alone(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store(), *other = open_store();
    AUTO_BUFFER struct buffer out = BUFFER(100);
    store_batch_begin(store);
    struct digest one = put(store, "one"), two = put(store, "two");
    name(store, "abc", &one);
    name(store, "abc", &two);
    store_batch_then(store, tell, NULL);
    assert_int_equal(told, -1);
    assert_true(store_has(store, &one) && !store_has(other, &one));
    assert_true(is_named(store, "abc", &two) && !is_named(other, "abc", &two));
    for (int i = 0; i < 2; i++) {
        buffer_clear(&out);
        assert_int_equal(store_read(store, &two, &out, NULL), 0);
        assert_string_equal(buffer_text(&out), "two");
    }
    store_batch_begin(store);
    struct digest three = put(store, "three");
    assert_int_equal(store_batch_end(store, NULL), 0);
    assert_false(store_has(other, &three));
    assert_int_equal(store_batch_flush(store, NULL), 0);
    assert_int_equal(told, true);
    assert_true(store_has(other, &three) && is_named(other, "abc", &two));
    name(store, "abd", &one);
    assert_int_equal(store_batch_end(store, NULL), 0);
    assert_true(is_named(other, "abd", &one) && !store_in_batch(store));
    assert_int_equal(store_batch_end(store, NULL), -1);
    name(store, "abe", &one);
    assert_true(is_named(other, "abe", &one));
}

static void a_batch_that_does_not_end_leaves_nothing(void **state) {
    (void)state;
    struct store *store = open_store();
    told = -1;
    store_batch_begin(store);
    struct digest one = put(store, "one");
    name(store, "abc", &one);
    store_batch_then(store, tell, NULL);
    store_close(&store);
    assert_int_equal(told, false);
    AUTO_STORE struct store *again = open_store();
    assert_false(store_has(again, &one) || is_named(again, "abc", &one));
    AUTO_FREE char *names = path_join(place, "names/steps");
    AUTO_LIST struct text_list left = {0};
    assert_int_equal(directory_list(names, &left, NULL), 0);
    assert_int_equal(left.count, 0);
}

/* The names cannot be written: then nothing is named, and the next batch is not disturbed. */
static void a_batch_that_fails_fails_as_a_whole(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    struct error error = {0};
    AUTO_FREE char *names = path_join(place, "names/steps");
    told = -1;
    store_batch_begin(store);
    struct digest one = put(store, "one");
    name(store, "abc", &one);
    name(store, "abd", &one);
    store_batch_then(store, tell, NULL);
    assert_int_equal(tree_remove(names, NULL), 0);
    assert_int_equal(store_batch_end(store, &error), -1);
    assert_int_equal(told, false);
    assert_false(is_named(store, "abc", &one));
    name(store, "abc", &one);
    assert_true(is_named(store, "abc", &one));
}

static void a_name_is_read_back_and_a_damaged_one_is_absent(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    AUTO_JSON struct json *value = json_new_object(), *read = NULL, *damaged = NULL;
    json_set_text(value, "key", "value");
    assert_int_equal(store_name_write(store, "steps", "abc", value, NULL), 0);
    assert_int_equal(store_name_read(store, "steps", "abc", &read, NULL), 0);
    assert_true(json_same(value, read));
    AUTO_FREE char *path = path_join(place, "names/steps/abc");
    assert_int_equal(truncate(path, 5), 0);
    assert_int_equal(store_name_read(store, "steps", "abc", &damaged, NULL), 0);
    assert_null(damaged);
}

static void names_cannot_leave_their_folder(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    AUTO_JSON struct json *value = json_new_object();
    assert_int_equal(store_name_write(store, "steps", "../x", value, NULL), -1);
    assert_int_equal(store_name_write(store, "../steps", "x", value, NULL), -1);
    assert_int_equal(store_name_write(store, "steps", "", value, NULL), -1);
}

static void a_tree_appears_only_when_it_is_complete(void **state) {
    (void)state;
    AUTO_STORE struct store *store = open_store();
    AUTO_FREE char *path = NULL;
    assert_int_equal(store_tree_begin(store, &path, NULL), 0);
    assert_null(store_tree_path(store, "0123456789abcdef-root"));
    assert_int_equal(store_tree_commit(store, path, "0123456789abcdef-root", NULL), 0);
    AUTO_FREE char *found = store_tree_path(store, "0123456789abcdef-root");
    assert_non_null(found);
    AUTO_FREE char *second = NULL;
    assert_int_equal(store_tree_begin(store, &second, NULL), 0);
    assert_int_equal(store_tree_commit(store, second, "0123456789abcdef-root", NULL), 0);
    assert_false(directory_exists(second));
}

static void what_a_dead_process_left_is_removed_by_the_next(void **state) {
    (void)state;
    struct store *store = open_store();
    AUTO_FREE char *tree = NULL, *scratch = NULL;
    assert_int_equal(store_tree_begin(store, &tree, NULL), 0);
    assert_int_equal(store_scratch(store, &scratch, NULL), 0);
    struct store *second = open_store();
    assert_true(directory_exists(tree));
    store_close(&second);
    store_close(&store);
    store = open_store();
    assert_false(directory_exists(tree));
    assert_false(directory_exists(scratch));
    store_close(&store);
}

static void a_store_of_another_version_is_refused(void **state) {
    (void)state;
    struct store *store = open_store();
    store_close(&store);
    AUTO_FREE char *path = path_join(place, "version");
    assert_int_equal(file_write_atomic(path, "99\n", 3, 0600, NULL), 0);
    struct error error;
    assert_null(store_open(place, &error));
    assert_int_equal(error.kind, ERROR_CONFIGURATION);
}

/* Children that are killed at any moment, half of them in batches, leave a store that is right. */
static void killed_writers_leave_a_right_store(void **state) {
    (void)state;
    struct store *store = open_store();
    store_close(&store);
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct store *own = store_open(place, NULL);
            for (int i = 0; own; i++) {
                AUTO_FREE char *text = text_format("round %d, object %d", round, i);
                struct digest digest;
                if (round % 2 && i % 5 == 0 &&
                    ((i > 0 && store_batch_end(own, NULL) < 0) || (store_batch_begin(own), false)))
                    break;
                if (store_put(own, text, strlen(text), &digest, NULL) < 0)
                    break;
                AUTO_JSON struct json *value = json_new_object();
                json_set_text(value, "object", digest_format(&digest).text);
                if (store_name_write(own, "steps", digest_format_hex(&digest).text, value, NULL) < 0)
                    break;
            }
            _exit(1);
        }
        usleep((useconds_t)(1000 + round * 3000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    store = open_store();
    struct store_findings findings;
    assert_int_equal(store_verify(store, NULL, &findings, NULL), 0);
    assert_int_equal(findings.damaged_objects + findings.damaged_names + findings.broken_trees, 0);
    assert_true(findings.objects > 0);
    text_list_release(&findings.complaints);
    AUTO_LIST struct text_list keys = {0};
    assert_int_equal(store_name_list(store, "steps", &keys, NULL), 0);
    for (size_t i = 0; i < keys.count; i++) {
        struct digest digest;
        assert_int_equal(digest_parse_hex(keys.items[i], &digest, NULL), 0);
        assert_true(store_has(store, &digest));
    }
    store_close(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_object_is_found_under_its_digest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_digest_than_expected_stores_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_over_its_limit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_object_is_put_into_quarantine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_truncated_object_gives_way_to_the_right_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_names_its_objects_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_batch_holds_back_is_seen_by_itself_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_does_not_end_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_fails_fails_as_a_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_read_back_and_a_damaged_one_is_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_cannot_leave_their_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tree_appears_only_when_it_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_dead_process_left_is_removed_by_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_of_another_version_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_writers_leave_a_right_store, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
