/* engine: trees, layers of copied files, Dockerfiles that need no sandbox. */
#include "common/file/file.h"
#include "engine/base.h"
#include "engine/container.h"
#include "engine/dockerfile/dockerfile.h"
#include "engine/layer.h"
#include "engine/tree.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

static char folder[] = "/tmp/pl-test-engine-XXXXXX";
static char *source;
static struct engine engine;
static struct text_list notes;

static void note(void *context, const char *text) {
    (void)context;
    text_list_add(&notes, text);
}

static int no_step(void *context, const char *name) {
    (void)context, (void)name;
    return 0;
}

static void no_output(void *context, int step, const char *data, size_t length) {
    (void)context, (void)step, (void)data, (void)length;
}

static void no_end(void *context, int step, enum progress_outcome outcome) {
    (void)context, (void)step, (void)outcome;
}

static bool not_cancelled(void *context) {
    (void)context;
    return false;
}

static struct progress progress = {
    .begin = no_step, .output = no_output, .end = no_end, .note = note, .cancelled = not_cancelled};

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    AUTO_FREE char *place = path_join(folder, "store");
    source = path_join(folder, "source");
    engine = (struct engine){.store = store_open(place, NULL), .progress = &progress, .scope = source};
    return engine.store ? mkdir(source, 0755) : -1;
}

static int tear_down(void **state) {
    (void)state;
    store_close(&engine.store);
    text_list_release(&notes);
    free(source);
    return tree_remove(folder, NULL);
}

static void write_file(const char *name, const char *content, mode_t mode) {
    AUTO_FREE char *path = path_join(source, name), *parent = text_copy(path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(directory_make(parent, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(path, content, strlen(content), mode, NULL), 0);
}

static int scan(struct digest *digest, struct error *error) {
    AUTO_TREE struct tree tree = {0};
    struct tree_scan options = {.directory = source, .follow_nothing_outside = true};
    if (tree_scan(&engine, &options, &tree, error) < 0)
        return -1;
    return tree_store(&engine, &tree, digest, error);
}

/* ---- trees ---- */

static void a_tree_covers_names_content_and_the_executable_bit_only(void **state) {
    (void)state;
    struct digest first, second;
    write_file("a b/file%name", "content", 0644);
    write_file("run", "content", 0700);
    assert_int_equal(scan(&first, NULL), 0);
    AUTO_FREE char *path = path_join(source, "a b/file%name"), *run = path_join(source, "run");
    assert_int_equal(chmod(path, 0600), 0);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(scan(&second, NULL), 0);
    assert_true(digest_equal(&first, &second));
    assert_int_equal(chmod(run, 0644), 0);
    assert_int_equal(scan(&second, NULL), 0);
    assert_false(digest_equal(&first, &second));
}

static void a_tree_object_is_read_back(void **state) {
    (void)state;
    struct digest digest;
    AUTO_TREE struct tree tree = {0};
    write_file("a b/file%name\n", "content", 0644);
    AUTO_FREE char *link = path_join(source, "a b/link");
    assert_int_equal(symlink("file%name\n", link), 0);
    assert_int_equal(scan(&digest, NULL), 0);
    assert_int_equal(tree_load(&engine, &digest, &tree, NULL), 0);
    assert_int_equal(tree.count, 3);
    assert_string_equal(tree.entries[1].path, "a b/file%name\n");
    assert_int_equal(tree.entries[1].size, 7);
    assert_string_equal(tree.entries[2].target, "file%name\n");
    assert_ptr_equal(tree_find(&tree, "a b"), &tree.entries[0]);
    assert_null(tree_find(&tree, "b"));
}

static void owners_and_modes_of_a_container_are_read_back(void **state) {
    (void)state;
    struct digest digest, plain;
    AUTO_TREE struct tree read = {0};
    AUTO_TREE struct tree tree = {.entries = memory_allocate(3, sizeof(struct tree_entry)), .count = 3};
    const char *names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        tree.entries[i] = (struct tree_entry){.path = text_copy(names[i]), .type = "fdl"[i]};
    tree.entries[2].target = text_copy("a");
    assert_int_equal(tree_store(&engine, &tree, &plain, NULL), 0);
    tree_entry_set_owner(&tree.entries[0], 0, 0, 0644);
    tree_entry_set_owner(&tree.entries[1], 0, 0, 0755);
    tree_entry_set_owner(&tree.entries[2], 0, 0, 0777);
    assert_int_equal(tree_store(&engine, &tree, &digest, NULL), 0);
    assert_true(digest_equal(&plain, &digest));
    tree_entry_set_owner(&tree.entries[0], 0, 0, 04755);
    tree_entry_set_owner(&tree.entries[1], 4294967294, 7, 01777);
    tree_entry_set_owner(&tree.entries[2], 5, 6, 0);
    assert_int_equal(tree_store(&engine, &tree, &digest, NULL), 0);
    assert_false(digest_equal(&plain, &digest));
    assert_int_equal(tree_load(&engine, &digest, &read, NULL), 0);
    assert_int_equal(tree_entry_mode(&read.entries[0]), 04755);
    assert_int_equal(read.entries[1].uid, 4294967294);
    assert_int_equal(read.entries[1].gid, 7);
    assert_int_equal(tree_entry_mode(&read.entries[1]), 01777);
    assert_int_equal(tree_entry_mode(&read.entries[2]), 0777);
    read.entries[0].capability_length = TREE_CAPABILITY_LIMIT;
    memset(read.entries[0].capability, 0xAB, TREE_CAPABILITY_LIMIT);
    AUTO_TREE struct tree again = {0};
    assert_int_equal(tree_store(&engine, &read, &digest, NULL), 0);
    assert_int_equal(tree_load(&engine, &digest, &again, NULL), 0);
    assert_int_equal(again.entries[0].capability_length, TREE_CAPABILITY_LIMIT);
    assert_memory_equal(again.entries[0].capability, read.entries[0].capability, TREE_CAPABILITY_LIMIT);
    static const char *const damaged[] = {"@1:2:0755",
                                          "@1:2 d - - a\n",
                                          "@1:2:999 d - - a\n",
                                          "@-1:2:0755 d - - a\n",
                                          "@1:2:00755 d - - a\n",
                                          "@1:2:0755:0 d - - a\n",
                                          "@1:2:0755: d - - a\n",
                                          "@1:2:0755:0g d - - a\n",
                                          "@1:2:0755:00000000000000000000000000000000000000000000000000 d - - a\n",
                                          "@1:2:0755:00:00 d - - a\n",
                                          "@1:2:0755 @1:2:0755 d - - a\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(damaged); i++) {
        AUTO_TREE struct tree none = {0};
        assert_int_equal(store_put(engine.store, damaged[i], strlen(damaged[i]), &digest, NULL), 0);
        assert_int_equal(tree_load(&engine, &digest, &none, NULL), -1);
    }
}

static void a_change_right_after_a_scan_is_seen(void **state) {
    (void)state;
    struct digest first, second;
    for (int i = 0; i < 20; i++) {
        AUTO_FREE char *path = path_join(source, "file");
        write_file("file", i % 2 ? "one" : "two", 0644);
        assert_int_equal(scan(&first, NULL), 0);
        int fd = open(path, O_WRONLY);
        assert_int_equal(write(fd, i % 2 ? "two" : "one", 3), 3);
        close(fd);
        assert_int_equal(scan(&second, NULL), 0);
        assert_false(digest_equal(&first, &second));
    }
}

struct inspection {
    unsigned harmless, accepted, refused;
};

static enum tree_verdict judge(void *context, const char *path) {
    struct inspection *inspection = context;
    if (*path == 'h')
        return inspection->harmless++, TREE_HARMLESS;
    return *path == 'a' ? (inspection->accepted++, TREE_ACCEPTED) : (inspection->refused++, TREE_REFUSED);
}

static void inspect(struct inspection *inspection, uint32_t rules, size_t files) {
    AUTO_TREE struct tree tree = {0};
    struct tree_scan options = {
        .directory = source, .inspect = judge, .inspect_context = inspection, .rules = rules, .byte_limit = 100};
    *inspection = (struct inspection){0};
    assert_int_equal(tree_scan(&engine, &options, &tree, NULL), 0);
    assert_int_equal(tree.count, files);
}

static void a_file_is_looked_into_until_it_is_known_to_be_harmless(void **state) {
    (void)state;
    struct inspection inspection;
    struct digest secret = digest_of("secret", 6);
    write_file("harmless", "one", 0644);
    write_file("accepted", "two", 0644);
    write_file("refused", "secret", 0644);
    inspect(&inspection, 1, 2);
    assert_false(store_has(engine.store, &secret));
    /* Until their times lie far enough back to be believed. */
    for (int i = 0; inspection.harmless > 0 && i < 1000; i++) {
        inspect(&inspection, 1, 2);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(inspection.harmless, 0);
    assert_int_equal(inspection.accepted, 1);
    assert_int_equal(inspection.refused, 1);
    inspect(&inspection, 2, 2);
    assert_int_equal(inspection.harmless, 1);
    inspect(&inspection, 2, 2);
    assert_int_equal(inspection.harmless, 0);
    inspect(&inspection, 1, 2);
    assert_int_equal(inspection.harmless, 1);
    AUTO_FREE char *old = path_join(source, "accepted"), *new = path_join(source, "harmful");
    assert_int_equal(rename(old, new), 0);
    inspect(&inspection, 1, 2);
    assert_int_equal(inspection.harmless, 1);
    assert_false(store_has(engine.store, &secret));
}

static void a_link_out_of_the_source_is_refused_by_name(void **state) {
    (void)state;
    struct error error;
    struct digest digest;
    AUTO_FREE char *link = path_join(source, "escape");
    assert_int_equal(symlink("../../etc/passwd", link), 0);
    assert_int_equal(scan(&digest, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_non_null(strstr(error.text, "escape"));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(scan(&digest, &error), -1);
}

static void a_pipe_in_the_source_is_refused_by_name(void **state) {
    (void)state;
    struct error error;
    struct digest digest;
    AUTO_FREE char *path = path_join(source, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(scan(&digest, &error), -1);
    assert_non_null(strstr(error.text, "pipe"));
}

/* ---- Dockerfiles ---- */

static int build(const char *dockerfile, struct container *container, struct error *error) {
    write_file("Dockerfile", dockerfile, 0644);
    struct dockerfile_build options = {.context = source, .platform = "linux/amd64"};
    struct text_list none = {0};
    options.arguments = &none;
    return dockerfile_build(&engine, &options, container, error);
}

static void a_dockerfile_of_files_alone_is_built(void **state) {
    (void)state;
    AUTO_CONTAINER struct container first = {0}, second = {0};
    write_file("app/main.py", "print(1)\n", 0644);
    write_file("app/skip.pyc", "x", 0644);
    write_file(".dockerignore", "**/*.pyc\nDockerfile\n", 0644);
    const char *text = "FROM scratch AS base\n"
                       "ARG WHERE=/srv/app\n"
                       "WORKDIR $WHERE\n"
                       "COPY app/ ./\n"
                       "COPY <<EOF note.txt\nhello $WHERE\nEOF\n"
                       "ENV A=1 B=\"two words\"\n"
                       "LABEL x=y\n"
                       "EXPOSE 8080/tcp\n"
                       "USER 1000:1000\n"
                       "CMD [\"run\"]\n";
    struct error error;
    if (build(text, &first, &error) < 0)
        fail_msg("%s", error.text);
    assert_int_equal(container_layer_count(&first), 3); /* WORKDIR makes its directory */
    const struct json *config = json_get(first.config, "config");
    assert_string_equal(json_get_text(config, "WorkingDir", ""), "/srv/app");
    assert_string_equal(json_get_text(config, "User", ""), "1000:1000");
    assert_string_equal(json_text(json_at(json_get(config, "Env"), 2)), "B=two words");
    unsigned made = engine.steps_made;
    assert_int_equal(build(text, &second, &error), 0);
    assert_true(digest_equal(&first.digest, &second.digest));
    assert_int_equal(engine.steps_made, made);
}

static void the_umask_and_the_store_do_not_show_in_the_image(void **state) {
    (void)state;
    AUTO_CONTAINER struct container first = {0}, second = {0};
    struct error error;
    write_file("file", "content", 0600);
    assert_int_equal(build("FROM scratch\nCOPY file /data/\n", &first, &error), 0);
    mode_t mask = umask(077);
    AUTO_FREE char *place = path_join(folder, "second");
    store_close(&engine.store);
    engine.store = store_open(place, NULL);
    assert_int_equal(build("FROM scratch\nCOPY file /data/\n", &second, &error), 0);
    umask(mask);
    assert_true(digest_equal(&first.digest, &second.digest));
}

static void what_changed_is_named(void **state) {
    (void)state;
    AUTO_CONTAINER struct container first = {0}, second = {0};
    write_file("app/one.py", "1", 0644);
    write_file("app/two.py", "2", 0644);
    assert_int_equal(build("FROM scratch\nCOPY app /app\n", &first, NULL), 0);
    write_file("app/two.py", "22", 0644);
    engine.explain = true;
    assert_int_equal(build("FROM scratch\nCOPY app /app\n", &second, NULL), 0);
    assert_int_equal(notes.count, 1);
    assert_non_null(strstr(notes.items[0], "two.py changed"));
    assert_null(strstr(notes.items[0], "one.py"));
}

static void unknown_words_are_refused_by_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"FROM scratch\nONBUILD RUN x\n", ":2"},
        {"FROM scratch\nNONSENSE\n", "NONSENSE"},
        {"FROM scratch\nCOPY --parents a /\n", "--parents"},
        {"FROM scratch\nCOPY missing /\n", "missing"},
        {"FROM scratch\nCOPY ../secret /\n", "leaves the build context"},
        {"FROM scratch\nADD https://example.com/x /\n", "URL"},
        {"COPY a /\n", "before the first FROM"},
        {"FROM scratch\nRUN --security=insecure true\n", "--security"},
        {"FROM scratch\nCOPY --chmod=u+x Dockerfile /\n", "octal"},
        {"FROM scratch AS b\nCOPY --from=b x /\n", ":2: the stage b does not come before this one"},
        {"FROM scratch\nFROM scratch\nCOPY --from=1 x /\n", ":3: there is no stage 1 before this one"},
        {"FROM scratch\nCOPY one D* /one/\nCOPY *e /name\n", ":3: several files are copied: end the destination"},
        {"FROM scratch\nCOPY Dockerfile /a\nCOPY Dockerfile /a/b\n", "/a is no directory in the image"},
        {"FROM scratch\nWORKDIR /Dockerfile\nCOPY . /\n", "/Dockerfile is a directory in the image"},
        {"", ""},
    };
    write_file("one", "1", 0644);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_CONTAINER struct container container = {0};
        struct error error = {0};
        assert_int_equal(build(cases[i].text, &container, &error), -1);
        if (!strstr(error.text, cases[i].part))
            fail_msg("\"%s\" lacks \"%s\"", error.text, cases[i].part);
    }
}

/* ---- layers ---- */

static int count_bytes(void *context, const void *data, size_t length, struct error *error) {
    (void)data, (void)error;
    *(size_t *)context += length;
    return 0;
}

static void a_layer_is_compressed_once_and_has_its_promised_digest(void **state) {
    (void)state;
    AUTO_CONTAINER struct container container = {0};
    struct layer_descriptor one = {0}, two = {0};
    struct digest diff_id;
    size_t bytes = 0;
    write_file("file", "content", 0600);
    assert_int_equal(build("FROM scratch\nCOPY file /data/\n", &container, NULL), 0);
    assert_int_equal(container_layer(&container, 0, &diff_id, NULL), 0);
    assert_int_equal(layer_write_tar(&engine, &diff_id, count_bytes, &bytes, NULL), 0);
    assert_int_equal(bytes % 512, 0);
    assert_int_equal(layer_describe(&engine, &diff_id, &one, NULL), 0);
    assert_int_equal(layer_describe(&engine, &diff_id, &two, NULL), 0);
    assert_true(digest_equal(&one.digest, &two.digest));
    assert_true(one.is_local);
    layer_descriptor_release(&one);
    layer_descriptor_release(&two);
}

static int no_registry(void *context, const char *reference, const char *platform, struct buffer *manifest,
                       char **canonical, struct error *error) {
    (void)context, (void)platform, (void)manifest, (void)canonical;
    return error_set(error, ERROR_UNAVAILABLE, "%s: it does not answer", reference);
}

static void packages_are_named_that_stand_for_an_official_image(void **state) {
    (void)state;
    static const struct {
        const char *reference, *instead;
    } cases[] = {{"python:3.12-slim", "'apt:bookworm?python3,"},
                 {"docker.io/library/node", "&node=22."},
                 {"debian@sha256:1", "'apt:bookworm?ca-certificates'"},
                 {"pythons:3", "?PACKAGE,PACKAGE'"},
                 {"other/python:3", "?PACKAGE,PACKAGE'"}};
    const struct image_source registry = {.manifest = no_registry};
    engine.source = &registry;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = {0};
        struct container container = {0};
        assert_int_equal(base_resolve(&engine, cases[i].reference, "linux/amd64", &container, &error), -1);
        assert_non_null(strstr(error.next, cases[i].instead));
    }
}

#define WITH_SOURCE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SOURCE(a_tree_covers_names_content_and_the_executable_bit_only),
        WITH_SOURCE(a_tree_object_is_read_back),
        WITH_SOURCE(owners_and_modes_of_a_container_are_read_back),
        WITH_SOURCE(a_change_right_after_a_scan_is_seen),
        WITH_SOURCE(a_file_is_looked_into_until_it_is_known_to_be_harmless),
        WITH_SOURCE(a_link_out_of_the_source_is_refused_by_name),
        WITH_SOURCE(a_pipe_in_the_source_is_refused_by_name),
        WITH_SOURCE(a_dockerfile_of_files_alone_is_built),
        WITH_SOURCE(the_umask_and_the_store_do_not_show_in_the_image),
        WITH_SOURCE(what_changed_is_named),
        WITH_SOURCE(unknown_words_are_refused_by_line),
        WITH_SOURCE(packages_are_named_that_stand_for_an_official_image),
        WITH_SOURCE(a_layer_is_compressed_once_and_has_its_promised_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
