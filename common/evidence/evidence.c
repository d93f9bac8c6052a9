#include "common/evidence/evidence.h"

#include "common/base/text.h"

#include <string.h>
#include <time.h>

/* Nothing is written when it is known already: a build in which nothing changed writes nothing. */
static int write_hint(struct store *store, const char *kind, const struct digest *key, const struct json *value,
                      struct error *error) {
    AUTO_JSON struct json *known = NULL;
    if (store_name_read(store, kind, digest_format_hex(key).text, &known, NULL) == 0 && known &&
        json_same(known, value))
        return 0;
    return store_hint_write(store, kind, digest_format_hex(key).text, value, error);
}

/* ---- builds and pushes ---- */

int evidence_write_build(struct store *store, const struct digest *made, const struct evidence_source *source,
                         const char *directory, const char *base, struct error *error) {
    AUTO_JSON struct json *value = json_new_object();
    json_set_text(value, "source", digest_format(&source->tree).text);
    json_set_text(value, "member", text_is_empty(source->member) ? NULL : source->member);
    json_set_text(value, "directory", directory);
    json_set_text(value, "base", base);
    return write_hint(store, "built", made, value, error);
}

int evidence_read_build(struct store *store, const struct digest *made, struct json **value, struct error *error) {
    return store_name_read(store, "built", digest_format_hex(made).text, value, error);
}

int evidence_write_push(struct store *store, const struct digest *manifest, const struct digest *container,
                        struct error *error) {
    AUTO_JSON struct json *value = json_new_object();
    json_set_text(value, "container", digest_format(container).text);
    return write_hint(store, "pushed", manifest, value, error);
}

int evidence_read_push(struct store *store, const struct digest *manifest, struct digest *container, bool *found,
                       struct error *error) {
    AUTO_JSON struct json *value = NULL;
    *found = false;
    if (store_name_read(store, "pushed", digest_format_hex(manifest).text, &value, error) < 0)
        return -1;
    *found = digest_parse(json_get_text(value, "container", ""), container, NULL) == 0;
    return 0;
}

/* ---- tests ---- */

static const char *const severities[SEVERITIES] = {[SEVERITY_LOW] = "low",
                                                   [SEVERITY_MEDIUM] = "medium",
                                                   [SEVERITY_HIGH] = "high",
                                                   [SEVERITY_CRITICAL] = "critical",
                                                   [SEVERITY_UNKNOWN] = "unknown"};

const char *evidence_severity_name(enum evidence_severity severity) {
    return severities[severity];
}

struct json *evidence_findings_json(const struct evidence_findings *findings) {
    struct json *json = json_new_object();
    for (size_t i = 0; i < SEVERITIES; i++)
        json_set_integer(json, severities[i], (int64_t)findings->counts[i]);
    return json;
}

uint64_t evidence_findings_count(const struct json *findings, const char *least) {
    uint64_t count = 0;
    size_t at = 0;
    while (at < SEVERITY_UNKNOWN && !text_equal(severities[at], least))
        at++;
    for (; at < SEVERITIES; at++)
        count += (uint64_t)json_get_integer(findings, severities[at], 0);
    return count;
}

/* Members of one workspace have one source, and each its own tests. */
static struct digest test_key(const char *source, const char *member) {
    AUTO_FREE char *text = text_format("%s\n%s", source, member ? member : "");
    return digest_of(text, strlen(text));
}

int evidence_write_test(struct store *store, const struct evidence_source *source, const char *suite,
                        const struct evidence_test *test, struct error *error) {
    AUTO_JSON struct json *value = json_new_object();
    AUTO_FREE char *kind = text_format("tested-%s", suite);
    struct digest key = test_key(digest_format(&source->tree).text, source->member);
    json_set_bool(value, "passed", test->passed);
    json_set(value, "coverage", json_new_real(test->coverage));
    json_set_integer(value, "tests", (int64_t)test->tests);
    json_set_text(value, "report", test->report ? digest_format(test->report).text : NULL);
    if (test->findings.is_known)
        json_set(value, "findings", evidence_findings_json(&test->findings));
    json_set_integer(value, "time", (int64_t)time(NULL));
    return write_hint(store, kind, &key, value, error);
}

int evidence_read_test(struct store *store, const struct json *build, const char *suite, struct json **value,
                       struct error *error) {
    AUTO_FREE char *kind = text_format("tested-%s", suite);
    struct digest key = test_key(json_get_text(build, "source", ""), json_get_text(build, "member", NULL));
    return store_name_read(store, kind, digest_format_hex(&key).text, value, error);
}
