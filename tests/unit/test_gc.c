/* What gc keeps: by age, size and free space; and what refers to what. */
#include "common/file/file.h"
#include "engine/gc_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { DAY = 24 * 60 * 60 };

/* ---- arithmetic ---- */

static void the_smaller_of_size_and_room_is_the_limit(void **state) {
    (void)state;
    struct gc none = {.size_limit = UINT64_MAX}, size = {.size_limit = 100},
              room = {.size_limit = UINT64_MAX, .free_wanted = 50}, both = {.size_limit = 100, .free_wanted = 50};
    assert_int_equal(gc_limit(&none, 1000, 0), UINT64_MAX);
    assert_int_equal(gc_limit(&size, 1000, 0), 100);
    assert_int_equal(gc_limit(&room, 1000, 50), UINT64_MAX);
    assert_int_equal(gc_limit(&room, 1000, 49), 999);
    assert_int_equal(gc_limit(&room, 1000, 0), 950);
    assert_int_equal(gc_limit(&room, 50, 0), 0);
    assert_int_equal(gc_limit(&room, 49, 0), 0);
    assert_int_equal(gc_limit(&both, 1000, 0), 100);
    assert_int_equal(gc_limit(&both, 120, 0), 70);
    assert_int_equal(gc_limit(&both, 120, 50), 100);
}

static void no_size_overflows(void **state) {
    (void)state;
    struct gc all = {.size_limit = UINT64_MAX, .free_wanted = UINT64_MAX};
    assert_int_equal(gc_limit(&all, UINT64_MAX, 0), 0);
    assert_int_equal(gc_limit(&all, UINT64_MAX, 1), 1);
    assert_int_equal(gc_limit(&all, UINT64_MAX, UINT64_MAX), UINT64_MAX);
    assert_int_equal(gc_limit(&all, 0, UINT64_MAX - 1), 0);
}

/* ---- selection, in a view that is not of a disk ---- */

static struct engine engine;
static char folder[] = "/tmp/pl-test-gc-XXXXXX";

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    engine = (struct engine){.store = store_open(folder, NULL)};
    return engine.store ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    store_close(&engine.store);
    return tree_remove(folder, NULL);
}

/* Package managers' caches refer to nothing. The first was used so many days ago, the next the day before it. */
static struct gc_view mounts_view(struct store_item *items, size_t count, int days, uint64_t bytes) {
    static char ids[8][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (size_t i = 0; i < count; i++)
        items[i] = (struct store_item){
            .id = ids[i], .used = (int64_t)time(NULL) - (days + (int)i) * DAY - DAY / 2, .bytes = bytes};
    return (struct gc_view){.engine = &engine, .mounts = {items, count}};
}

static size_t kept(struct gc_view *view, int64_t days, uint64_t limit) {
    struct gc gc = {.keep_seconds = days * DAY};
    struct gc_uses uses = {0};
    gc_list_uses(view, &uses);
    assert_int_equal(uses.count, view->mounts.count);
    for (size_t i = 1; i < uses.count; i++)
        assert_true(uses.items[i - 1].item->used >= uses.items[i].item->used);
    gc_mark(view, &gc, &uses, limit);
    assert_true(view->marked_bytes <= limit);
    free(uses.items);
    gc_forget_marks(view);
    return uses.kept;
}

static void the_latest_stay(void **state) {
    (void)state;
    struct store_item items[5];
    struct gc_view view = mounts_view(items, 5, 0, 100);
    assert_int_equal(kept(&view, 14, UINT64_MAX), 5);
    assert_int_equal(kept(&view, 3, UINT64_MAX), 3);
    assert_int_equal(kept(&view, 0, UINT64_MAX), 0);
    assert_int_equal(kept(&view, 14, 500), 5);
    assert_int_equal(kept(&view, 14, 499), 4);
    assert_int_equal(kept(&view, 14, 100), 1);
    assert_int_equal(kept(&view, 14, 99), 0);
    assert_int_equal(kept(&view, 14, 0), 0);
    assert_int_equal(kept(&view, 2, 499), 2);
}

static void a_large_one_keeps_what_is_older_from_staying(void **state) {
    (void)state;
    struct store_item items[4];
    struct gc_view view = mounts_view(items, 4, 0, 100);
    items[1].bytes = 10000;
    assert_int_equal(kept(&view, 14, 1000), 1);
    items[0].bytes = UINT64_MAX - 10000;
    assert_int_equal(kept(&view, 14, UINT64_MAX), 4);
}

static void an_object_that_no_name_knows_goes_when_it_does_not_fit(void **state) {
    (void)state;
    struct gc gc = {.keep_seconds = 14 * DAY};
    struct gc_view view = {.engine = &engine};
    struct gc_uses uses = {0};
    struct digest first, second;
    assert_int_equal(store_put(engine.store, "first", 5, &first, NULL), 0);
    assert_int_equal(store_put(engine.store, "second", 6, &second, NULL), 0);
    assert_int_equal(store_list_objects(engine.store, &view.objects, NULL), 0);
    assert_int_equal(view.objects.count, 2);
    for (size_t i = 0; i < 2; i++) {
        view.objects.items[i].bytes = 4096;
        if (digest_equal(&view.objects.items[i].digest, &first))
            view.objects.items[i].used -= 60;
    }
    gc_mark(&view, &gc, &uses, 8192);
    assert_int_equal(view.marked_objects.count, 2);
    gc_forget_marks(&view);
    gc_mark(&view, &gc, &uses, 8191);
    assert_int_equal(view.marked_objects.count, 1);
    assert_true(digest_set_has(&view.marked_objects, &second));
    gc_forget_marks(&view);
    gc_mark(&view, &gc, &uses, 0);
    assert_int_equal(view.marked_objects.count, 0);
    gc_forget_marks(&view);
    free(view.objects.items);
}

/* ---- references ---- */

struct seen {
    unsigned objects, trees, containers, layers;
};

static void count(void *context, enum reference kind, const struct digest *digest) {
    struct seen *seen = context;
    (void)digest;
    ++*(kind == REFERENCE_TREE        ? &seen->trees
        : kind == REFERENCE_CONTAINER ? &seen->containers
        : kind == REFERENCE_LAYER     ? &seen->layers
                                      : &seen->objects);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "\"sha256:" HEX64 "\""

static struct seen references_in(const char *text) {
    AUTO_JSON struct json *value = json_parse(text, strlen(text), "the test", NULL);
    struct seen seen = {0};
    assert_non_null(value);
    assert_int_equal(store_name_write(engine.store, "steps", HEX64, value, NULL), 0);
    references_of_name(&engine, "steps", HEX64, count, &seen);
    return seen;
}

static void the_member_says_what_a_digest_is_of(void **state) {
    (void)state;
    struct seen seen =
        references_in("{\"container\":" SHA ",\"definition\":{\"input\":" SHA ",\"mounts\":[{\"tree\":" SHA
                      "},{\"container\":" SHA "}],\"note\":\"sha256:short\"},\"layer\":" SHA "}");
    assert_int_equal(seen.containers, 2);
    assert_int_equal(seen.trees, 1);
    assert_int_equal(seen.layers, 1);
    assert_int_equal(seen.objects, 1);
    seen = references_in("{\"step\":\"" HEX64 "\",\"n\":7}");
    assert_int_equal(seen.objects + seen.containers + seen.trees + seen.layers, 0);
    references_of_name(&engine, "steps", "00", count, &seen);
    assert_int_equal(seen.objects, 0);
}

static void an_object_is_known_by_its_content(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum reference kind;
    } cases[] = {{"{\"rootfs\":{\"diff_ids\":[]}}", REFERENCE_CONTAINER},
                 {"{\"rootfs\":{}}", REFERENCE_OBJECT},
                 {"{\"half\":", REFERENCE_OBJECT},
                 {"f sha256:" HEX64 " a\n", REFERENCE_TREE},
                 {"plain text", REFERENCE_OBJECT},
                 {"", REFERENCE_OBJECT}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct store_object object = {.bytes = 4096};
        assert_int_equal(store_put(engine.store, cases[i].text, strlen(cases[i].text), &object.digest, NULL), 0);
        assert_int_equal(reference_kind_of(&engine, &object), cases[i].kind);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_of_size_and_room_is_the_limit),
        cmocka_unit_test(no_size_overflows),
        cmocka_unit_test_setup_teardown(the_latest_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_one_keeps_what_is_older_from_staying, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_no_name_knows_goes_when_it_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_member_says_what_a_digest_is_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_is_known_by_its_content, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
