/* gcp/run/traffic: who gets the requests, planned without a network. */
#include "gcp/run/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LATEST(percent) "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST\",\"percent\":" percent "}"
#define PINNED(name, percent)                                                                                          \
    "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"" name "\",\"percent\":" percent "}"
#define TAGGED(name, tag)                                                                                              \
    "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"" name "\",\"tag\":\"" tag "\"}"

static struct json *service(const char *list) {
    struct error error = {0};
    AUTO_FREE char *text = text_format("{\"name\":\"projects/p/locations/r/services/s\",\"latestReadyRevision\":"
                                       "\"projects/p/locations/r/services/s/revisions/s-3\",\"latestCreatedRevision\":"
                                       "\"projects/p/locations/r/services/s/revisions/s-3\",\"traffic\":%s,"
                                       "\"trafficStatuses\":%s}",
                                       list, list);
    struct json *value = json_parse(text, strlen(text), "test", &error);
    assert_non_null(value);
    return value;
}

static void assert_traffic(struct json *plan, const char *wanted) {
    AUTO_JSON struct json *traffic = plan;
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    for (size_t i = 0; i < json_count(traffic); i++) {
        const struct json *target = json_at(traffic, i);
        const char *tag = json_get_text(target, "tag", NULL);
        buffer_append_format(&text, "%s%s=%d%s%s", i ? " " : "", json_get_text(target, "revision", "latest"),
                             (int)json_get_integer(target, "percent", 0), tag ? "@" : "", tag ? tag : "");
    }
    assert_string_equal(buffer_text(&text), wanted);
}

static void all_goes_to_the_latest_and_tags_stay(void **state) {
    (void)state;
    AUTO_JSON struct json *pinned = service("[" PINNED("s-1", "100") "," TAGGED("s-2", "blue") "]");
    AUTO_JSON struct json *latest = service("[" LATEST("100") "," TAGGED("s-2", "blue") "]");
    assert_traffic(run_traffic_latest(pinned), "latest=100 s-2=0@blue");
    assert_traffic(run_traffic_latest(latest), "latest=100 s-2=0@blue");
    assert_traffic(run_traffic_pinned(latest), "s-3=100 s-2=0@blue");
    assert_traffic(run_traffic_all(pinned, "s-2"), "s-2=100 s-2=0@blue");
    assert_traffic(run_traffic_all(pinned, "s-3"), "latest=100 s-2=0@blue");
}

static void a_tag_that_has_percents_loses_them_alone(void **state) {
    (void)state;
    AUTO_JSON struct json *both =
        service("[{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"s-1\",\"percent\":100,"
                "\"tag\":\"green\"}]");
    assert_traffic(run_traffic_latest(both), "latest=100 s-1=0@green");
    assert_string_equal(run_traffic_tagged(both, "green"), "s-1");
    assert_null(run_traffic_tagged(both, "blue"));
}

static void shares_add_up_to_a_hundred(void **state) {
    (void)state;
    AUTO_JSON struct json *one = service("[" LATEST("100") "]");
    AUTO_JSON struct json *three = service("[" PINNED("s-1", "33") "," PINNED("s-2", "33") "," PINNED("s-4", "34") "]");
    AUTO_JSON struct json *running = service("[" PINNED("s-9", "10") "," PINNED("s-3", "90") "]");
    assert_traffic(run_traffic_share(one, "s-9", 10), "s-9=10 s-3=90");
    assert_traffic(run_traffic_share(running, "s-9", 30), "s-9=30 s-3=70");
    assert_traffic(run_traffic_share(running, "s-9", 0), "s-3=100");
    AUTO_JSON struct json *shared = run_traffic_share(three, "s-9", 50);
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(shared); i++)
        sum += json_get_integer(json_at(shared, i), "percent", 0);
    assert_int_equal(sum, 100);
}

static void a_tag_moves(void **state) {
    (void)state;
    AUTO_JSON struct json *now = service("[" LATEST("100") "," TAGGED("s-1", "blue") "]");
    struct json *traffic = run_traffic_latest(now);
    run_traffic_tag(traffic, "blue", "s-2");
    assert_traffic(traffic, "latest=100 s-2=0@blue");
    traffic = run_traffic_latest(now);
    run_traffic_untag(traffic, "blue");
    assert_traffic(traffic, "latest=100");
}

static void what_is_and_what_should_be(void **state) {
    (void)state;
    AUTO_JSON struct json *now = service("[" LATEST("100") "," TAGGED("s-1", "blue") "]");
    AUTO_JSON struct json *same = run_traffic_all(now, "s-3");
    AUTO_JSON struct json *other = run_traffic_all(now, "s-1");
    assert_true(run_traffic_holds(now, same));
    assert_false(run_traffic_holds(now, other));
    assert_int_equal(run_traffic_percent(now, "s-3"), 100);
    assert_int_equal(run_traffic_percent(now, "s-1"), 0);
}

static struct json *parse_targets(const struct json *of, const char *first, const char *second, enum error_kind *kind) {
    struct error error = {0};
    AUTO_LIST struct text_list targets = {0};
    text_list_add(&targets, first);
    if (second)
        text_list_add(&targets, second);
    struct json *traffic = run_traffic_parse(of, &targets, &error);
    *kind = error.kind;
    error_clear(&error);
    return traffic;
}

static void targets_are_read(void **state) {
    (void)state;
    enum error_kind kind;
    AUTO_JSON struct json *now = service("[" LATEST("100") "," TAGGED("s-1", "blue") "]");
    assert_traffic(parse_targets(now, "blue=10", "latest=90", &kind), "s-1=10 latest=90 s-1=0@blue");
    assert_traffic(parse_targets(now, "s-2=100", "blue=0", &kind), "s-2=100 s-1=0@blue");
    static const char *const wrong[] = {"blue", "=100", "blue=", "blue=101", "blue=-1", "blue=1e2", "blue=99"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_null(parse_targets(now, wrong[i], NULL, &kind));
        assert_int_equal(kind, ERROR_USAGE);
    }
    assert_null(parse_targets(now, "other=100", NULL, &kind));
    assert_int_equal(kind, ERROR_CONFIGURATION);
}

static void tags_have_a_form(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "", "1a", "A", "a_b", "a-", "a---b", "a234567890123456789012345678901234567890123456"};
    struct error error;
    assert_int_equal(run_tag_check("pr-12", "shop", &error), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(run_tag_check(wrong[i], "shop", &error), -1);
        error_clear(&error);
    }
}

static void the_way_back_is_noted(void **state) {
    (void)state;
    AUTO_JSON struct json *of = service("[" LATEST("100") "]");
    assert_null(run_previous(of));
    run_note_previous(of, "s-2");
    assert_string_equal(run_previous(of), "s-2");
    run_note_previous(of, NULL);
    assert_null(run_previous(of));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_goes_to_the_latest_and_tags_stay),
        cmocka_unit_test(a_tag_that_has_percents_loses_them_alone),
        cmocka_unit_test(shares_add_up_to_a_hundred),
        cmocka_unit_test(a_tag_moves),
        cmocka_unit_test(what_is_and_what_should_be),
        cmocka_unit_test(targets_are_read),
        cmocka_unit_test(tags_have_a_form),
        cmocka_unit_test(the_way_back_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
