/* firebase/: what is a hashed name, which regular expressions RE2 has, what is ignored, how files are packed and
 * remembered. */
#include "common/archive/archive.h"
#include "common/base/text.h"
#include "common/file/file.h"
#include "firebase/config/config.h"
#include "firebase/config/defaults.h"
#include "firebase/config/regex.h"
#include "firebase/files/files.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char folder[] = "/tmp/pl-test-firebase-XXXXXX";
static struct store *store;

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    AUTO_FREE char *path = path_join(folder, "store");
    store = store_open(path, NULL);
    return store ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    store_close(&store);
    return tree_remove(folder, NULL);
}

/* ---- defaults ---- */

static const char *const hashed[] = {
    "main-ABCDEFGH.js",
    "chunk-5INURTSO.js",
    "styles-5INURTSO.css",
    "main.5f3c2a1b9d8e7f60.js",
    "runtime.8a7f3c21.js.map",
    "static/js/main.8a7f3c21.js",
    "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
    "assets/index-DiwrgTda.js",
    "assets/index-B0x_9aQz.css",
    "assets/index--x9aQzB0.css",
    "_astro/index.Bd3x9k2a.css",
    "_next/static/chunks/main.js",
    "_next/static/x/_buildManifest.js",
    "_app/immutable/entry/start.CvL7a9dE.js",
    "media/roboto-ABCDEFG2.woff2",
};
static const char *const plain[] = {
    "index.html",
    "main.js",
    "favicon.ico",
    "assets/logo.png",
    "assets/hero-graphics.png",
    "assets/hero-Graphics.png",
    "report-20240101.json",
    "jquery-migrate.js",
    "my-component.js",
    "ngsw-worker.js",
    "main-ABCDEFGH.html",
    "ABCDEFGH.js",
    "a/ABCDEFGH",
    "main-ABCDEFG.js",
    "main-ABCDEFGHI.js",
    "notes-deadbeef.txt",
    "robots.txt",
    "_next/data/x.json",
};

static void names_with_a_hash_are_known(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(hashed); i++)
        if (!defaults_is_hashed(hashed[i]))
            fail_msg("%s is not taken for hashed", hashed[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(plain); i++)
        if (defaults_is_hashed(plain[i]))
            fail_msg("%s is taken for hashed", plain[i]);
}

static void add(struct site_files *files, const char *path, const char *content) {
    struct digest digest;
    assert_int_equal(store_put(store, content, strlen(content), &digest, NULL), 0);
    assert_int_equal(site_files_add(files, text_copy(path), NULL, &digest, strlen(content), NULL), 0);
}

/* The value of Cache-Control that the rules give a path; a regular expression of theirs is one for regcomp as well. */
static const char *cached(const struct json *rules, const char *path) {
    const char *value = "";
    AUTO_FREE char *url = text_format("/%s", path);
    for (size_t i = 0; i < json_count(rules); i++) {
        const struct json *rule = json_at(rules, i);
        const char *regex = json_get_text(rule, "regex", NULL);
        regex_t compiled;
        assert_true(!regex || regex_check(regex, NULL) == 0);
        if (regex)
            assert_int_equal(regcomp(&compiled, regex, REG_EXTENDED), 0);
        if (!regex || regexec(&compiled, url, 0, NULL, 0) == 0)
            value = json_get_text(json_get(rule, "headers"), "Cache-Control", "");
        if (regex)
            regfree(&compiled);
    }
    return value;
}

/* The rules that are made for a site give exactly its hashed files a year, whatever else is in it. */
static void only_hashed_files_are_kept_by_browsers(void **state) {
    (void)state;
    for (size_t odd = 0; odd <= ARRAY_LENGTH(plain); odd++) {
        AUTO_SITE_FILES struct site_files files;
        site_files_init(&files, store);
        for (size_t i = 0; i < ARRAY_LENGTH(hashed); i++)
            add(&files, hashed[i], "x");
        if (odd < ARRAY_LENGTH(plain))
            add(&files, plain[odd], "y");
        site_files_sort(&files);
        AUTO_JSON struct json *rules = defaults_headers(&files, NULL);
        if (odd < ARRAY_LENGTH(plain))
            assert_string_equal(cached(rules, plain[odd]), CACHE_NOT);
        else
            for (size_t i = 0; i < files.count; i++)
                assert_string_equal(cached(rules, files.items[i].path), CACHE_FOREVER);
        assert_string_equal(cached(rules, "index.html"), CACHE_NOT);
        assert_string_equal(cached(rules, ""), CACHE_NOT);
    }
}

static void a_site_is_an_application_or_has_pages(void **state) {
    (void)state;
    bool pages;
    AUTO_SITE_FILES struct site_files files;
    site_files_init(&files, store);
    add(&files, "index.html", "x");
    AUTO_JSON struct json *application = defaults_config(&files, &pages);
    assert_false(pages);
    assert_string_equal(json_get_text(json_at(json_get(application, "rewrites"), 0), "path", ""), "/index.html");
    add(&files, "404.html", "x");
    site_files_sort(&files);
    AUTO_JSON struct json *site = defaults_config(&files, &pages);
    assert_true(pages);
    assert_null(json_get(site, "rewrites"));
    assert_true(json_get_bool(site, "cleanUrls", false));
}

/* ---- regular expressions ---- */

static void regular_expressions_are_those_of_re2(void **state) {
    (void)state;
    static const char *const right[] = {
        "",
        "^/a$",
        "/(.*)/b",
        "(?P<name>a)(?<other>b)",
        "(?i)a(?s-m:b)",
        "[a-z]+?",
        "[]a]",
        "[^]a-]",
        "[[:alpha:]_]",
        "a{2}b{2,}c{2,3}",
        "a{,2}",
        "{",
        "\\d\\w\\S\\.\\/\\-",
        "\\pL\\p{Greek}\\P{^Lu}",
        "\\x41\\x{1F600}",
        "\\Q(a\\E",
        "a|b|",
        "\\bfoo\\b",
        "\\A\\z",
        "\\012",
        "(a(b(c)))",
        "\\C",
    };
    static const struct {
        const char *regex, *why;
    } wrong[] = {
        {"(?=a)", "look-ahead"},
        {"a(?!b)", "look-ahead"},
        {"(?<=a)b", "look-behind"},
        {"(?<!a)b", "look-behind"},
        {"(a)\\1", "back reference"},
        {"(?>a)", "kind of group"},
        {"(?#x)", "kind of group"},
        {"(?P=n)", "kind of group"},
        {"(a", "a ( without its )"},
        {"a)", "a ) without its ("},
        {"[a", "a [ without its ]"},
        {"[z-a]", "ends before it begins"},
        {"[[:foo:]]", "unknown class"},
        {"*a", "repetition of nothing"},
        {"a**", "repetition of a repetition"},
        {"a++", "repetition of a repetition"},
        {"a{3,2}", "number of repetitions"},
        {"a{1001}", "number of repetitions"},
        {"\\", "nothing behind it"},
        {"\\h", "does not know"},
        {"\\Z", "does not know"},
        {"\\p{}", "name of a class"},
        {"\\xZ", "hexadecimal"},
        {"\\x{110000}", "number"},
        {"[a-\\d]", "class of characters"},
        {"(?P<a b>c)", "proper name"},
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_LENGTH(right); i++)
        if (regex_check(right[i], &error) < 0)
            fail_msg("%s: %s", right[i], error.text);
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(regex_check(wrong[i].regex, &error), -1);
        if (!strstr(error.text, wrong[i].why))
            fail_msg("%s: %s", wrong[i].regex, error.text);
    }
}

/* ---- what is left out ---- */

static void patterns_leave_out_what_they_do_for_firebase_tools(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool is_directory, out;
    } cases[] = {
        {"firebase.json", "firebase.json", false, true},
        {"firebase.json", "a/firebase.json", false, false},
        {"**/.*", ".env", false, true},
        {"**/.*", ".well-known/a", false, false},
        {"**/.*", ".git", true, false},
        {"**/node_modules/**", "a/node_modules", true, true},
        {"**/node_modules/**", "node_modules/a/b", false, true},
        {"node_modules", "node_modules/a", false, false},
        {"node_modules", "node_modules", true, false},
        {"a/**", "a", true, true},
        {"*.map", "a.map", false, true},
        {"*.map", "x/a.map", false, false},
        {"./a", "a", false, true},
        {"/a", "a", false, false},
        {"!a", "a", false, false},
        {"!a", "!a", false, true},
        {"x/", "x", false, true},
        {"{a,b}.@(js|css)", "b.css", false, true},
        {"none", "firebase-debug.log", false, true},
        {"none", "x/firebase-debug.2.log", false, true},
        {"none", ".firebase/x", false, true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_SITE_IGNORE struct site_ignore *ignore = site_ignore_new();
        assert_int_equal(site_ignore_add(ignore, cases[i].pattern, 0, NULL), 0);
        if (site_ignore_matches(ignore, cases[i].path, cases[i].is_directory) != cases[i].out)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
    }
}

/* ---- files ---- */

static void pack(struct site_files *files, size_t packed) {
    struct error error = {0};
    if (site_files_pack(files, "site", NULL, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(files->packed_now, packed);
}

/* Every file's hash is that of the bytes in its spool. */
static void check_spools(const struct site_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        const struct site_file *file = &files->items[i];
        AUTO_FREE char *packed = memory_allocate(file->packed_size, 1);
        assert_true(file->spool >= 0);
        assert_int_equal(pread(files->spools[(int)file->spool], packed, file->packed_size, (off_t)file->spool_offset),
                         file->packed_size);
        struct digest digest = digest_of(packed, file->packed_size);
        assert_true(digest_equal(&digest, &file->packed));
    }
}

static void a_content_is_packed_once_and_remembered(void **state) {
    (void)state;
    char content[64], path[64];
    for (int round = 0; round < 2; round++) {
        AUTO_SITE_FILES struct site_files files;
        site_files_init(&files, store);
        for (int i = 0; i < 500; i++) {
            snprintf(content, sizeof(content), "content %d", i / 2);
            snprintf(path, sizeof(path), "%d/%d", i % 7, i);
            add(&files, path, content);
        }
        site_files_sort(&files);
        pack(&files, round == 0 ? 250 : 0);
        if (round == 0)
            check_spools(&files);
        struct digest absent = digest_of("x", 1);
        assert_false(site_files_require(&files, &absent));
        assert_true(site_files_require(&files, &files.items[17].packed));
        assert_int_equal(site_files_spool(&files, "site", NULL, NULL), 0);
        size_t required = 0, spooled = 0;
        for (size_t i = 0; i < files.count; i++) {
            required += files.items[i].is_required;
            spooled += files.items[i].is_required && files.items[i].spool >= 0;
        }
        assert_int_equal(required, 1);
        assert_int_equal(spooled, 1);
    }
}

static void a_damaged_memory_costs_time_only(void **state) {
    (void)state;
    AUTO_SITE_FILES struct site_files files, again, last;
    site_files_init(&files, store);
    add(&files, "a", "1");
    pack(&files, 1);
    AUTO_FREE char *packed = path_join(store_path(store), "packed");
    AUTO_LIST struct text_list names = {0};
    assert_int_equal(directory_list(packed, &names, NULL), 0);
    assert_int_equal(names.count, 1);
    AUTO_FREE char *path = path_join(packed, names.items[0]);
    AUTO_BUFFER struct buffer text = BUFFER(4096);
    assert_int_equal(file_read(path, &text, NULL, NULL), 0);
    text.data[12] ^= 1;
    assert_int_equal(file_write_atomic(path, text.data, text.length, 0600, NULL), 0);
    site_files_init(&again, store);
    add(&again, "a", "1");
    pack(&again, 1);
    site_files_init(&last, store);
    add(&last, "a", "1");
    pack(&last, 0);
}

static void a_file_that_changes_is_refused_by_name(void **state) {
    (void)state;
    AUTO_SITE_FILES struct site_files files;
    struct digest digest = digest_of("one", 3);
    struct error error = {0};
    AUTO_FREE char *path = path_join(folder, "page.html");
    assert_int_equal(file_write_atomic(path, "two", 3, 0600, NULL), 0);
    site_files_init(&files, store);
    files.directory = text_copy(folder);
    assert_int_equal(site_files_add(&files, text_copy("page.html"), "page.html", &digest, 3, NULL), 0);
    assert_int_equal(site_files_pack(&files, "site", NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_non_null(strstr(error.text, "page.html changed while it was deployed"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(site_files_pack(&files, "site", NULL, &error), -1);
    assert_non_null(strstr(error.text, "page.html is no file any more"));
}

static void names_that_hosting_cannot_have_are_refused(void **state) {
    (void)state;
    AUTO_SITE_FILES struct site_files files;
    struct digest digest = digest_of("", 0);
    static const char *const right[] = {"a b",
                                        "#?%2e%2e",
                                        ("gr\xc3\xb6\xc3\x9f"
                                         "e"),
                                        "\xf0\x9f\x98\x80",
                                        "a\\b",
                                        "..."};
    static const char *const wrong[] = {"a\nb", "\x1b[31m", "a\xff", "a\x7f", "a\tb"};
    struct error error = {0};
    site_files_init(&files, store);
    for (size_t i = 0; i < ARRAY_LENGTH(right); i++)
        assert_int_equal(site_files_add(&files, text_copy(right[i]), NULL, &digest, 0, &error), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_int_equal(site_files_add(&files, text_copy(wrong[i]), NULL, &digest, 0, &error), -1);
    assert_int_equal(site_files_add(&files, text_copy("large"), NULL, &digest, SITE_FILE_LIMIT + 1, &error), -1);
    assert_int_equal(files.count, ARRAY_LENGTH(right));
    /* Of two with one path the later one stays. */
    struct digest other = digest_of("x", 1);
    assert_int_equal(site_files_add(&files, text_copy("a b"), NULL, &other, 1, &error), 0);
    site_files_sort(&files);
    assert_int_equal(files.count, ARRAY_LENGTH(right));
    assert_int_equal(site_files_find(&files, "a b")->size, 1);
    assert_null(site_files_find(&files, "b"));
}

/* ---- firebase.json ---- */

static void any_damage_to_a_firebase_json_is_survived(void **state) {
    (void)state;
    static const char text[] = "{\"hosting\": [{\"site\": \"a\", \"public\": \"p\", \"ignore\": [\"**/.*\", "
                               "\"{a,b}\"], \"rewrites\": [{\"source\": \"/a\", "
                               "\"run\": {\"serviceId\": \"s\", \"pinTag\": true}}, {\"regex\": \"^/(b|c)$\", "
                               "\"destination\": \"/d\"}, {\"glob\": \"/f\", "
                               "\"function\": {\"functionId\": \"f\"}}], /* x */ \"headers\": [{\"source\": \"**\", "
                               "\"headers\": [{\"key\": \"A\", \"value\": "
                               "\"b\"}]}]}, {\"target\": \"t\"}]}";
    AUTO_FREE char *path = path_join(folder, "firebase.json");
    for (size_t at = 0; at < sizeof(text) - 1; at++)
        for (int how = 0; how < 3; how++) {
            AUTO_FREE char *broken = text_copy(text);
            AUTO_FIREBASE_FILE struct firebase_file file = {0};
            AUTO_SITE_CONFIG struct site_config config = {0};
            size_t index;
            struct error error = {0};
            if (how == 2)
                broken[at] = '\0';
            else
                broken[at] = how ? '"' : ']';
            assert_int_equal(file_write_atomic(path, broken, strlen(broken), 0600, NULL), 0);
            if (firebase_file_read(path, &file, &error) == 0 &&
                config_choose(&file, NULL, &(struct config_wish){.site = "a"}, &index, &error) == 0 &&
                config_read(&file, index, &config, &error) == 0)
                continue;
            assert_true(error.kind == ERROR_DATA || error.kind == ERROR_CONFIGURATION);
        }
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_with_a_hash_are_known),
        WITH_STORE(only_hashed_files_are_kept_by_browsers),
        WITH_STORE(a_site_is_an_application_or_has_pages),
        cmocka_unit_test(regular_expressions_are_those_of_re2),
        cmocka_unit_test(patterns_leave_out_what_they_do_for_firebase_tools),
        WITH_STORE(a_content_is_packed_once_and_remembered),
        WITH_STORE(a_damaged_memory_costs_time_only),
        WITH_STORE(a_file_that_changes_is_refused_by_name),
        WITH_STORE(names_that_hosting_cannot_have_are_refused),
        WITH_STORE(any_damage_to_a_firebase_json_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
