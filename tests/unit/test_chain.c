/* The parts of the chain that need no store: paths, trees in memory, .gitignore. */
#include "chain/gitignore.h"
#include "chain/path.h"
#include "chain/tree_edit.h"
#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check_path(const char *directory, const char *given, const char *want) {
    struct error error = {0};
    AUTO_FREE char *path = NULL;
    int result = chain_path(directory, given, &path, &error);
    assert_int_equal(result, want ? 0 : -1);
    if (want)
        assert_string_equal(path, want);
    else
        assert_int_equal(error.kind, ERROR_USAGE);
}

static void paths_stay_inside(void **state) {
    (void)state;
    check_path("/app", "x", "/app/x");
    check_path("/app", "./a//b/./c/", "/app/a/b/c");
    check_path("/app", "../x", "/x");
    check_path("/app", "/x/../y", "/y");
    check_path("/", ".", "/");
    check_path("/app/", "..", "/");
    check_path("/app", "../../x", NULL);
    check_path("/app", "/..", NULL);
    check_path("/", "a/../../b", NULL);
    check_path("/", "", NULL);
    AUTO_FREE char *longest = memory_allocate(9000, 1);
    memset(longest, 'a', 8999);
    check_path("/", longest, NULL);
    assert_true(chain_path_names_directory("a/"));
    assert_true(chain_path_names_directory("a/."));
    assert_true(chain_path_names_directory(".."));
    assert_false(chain_path_names_directory("a.b"));
}

static void add(struct tree *tree, char type, const char *path) {
    tree->entries = memory_resize(tree->entries, tree->count + 1, sizeof(*tree->entries));
    tree->entries[tree->count++] =
        (struct tree_entry){.path = text_copy(path), .type = type, .target = type == 'l' ? text_copy("target") : NULL};
}

/* "d a|f a/b" and so on. */
static char *shown(const struct tree *tree) {
    struct buffer out = BUFFER(4096);
    for (size_t i = 0; i < tree->count; i++)
        buffer_append_format(&out, "%s%c %s", i ? "|" : "", tree->entries[i].type, tree->entries[i].path);
    return buffer_take(&out);
}

static void check_tree(const struct tree *tree, const char *want) {
    AUTO_FREE char *text = shown(tree);
    assert_string_equal(text, want);
}

static void make(struct tree *tree) {
    *tree = (struct tree){0};
    add(tree, 'd', "a");
    add(tree, 'f', "a-b");
    add(tree, 'f', "a/f");
    add(tree, 'l', "a/l");
    add(tree, 'd', "b");
}

static void what_is_laid(void **state) {
    (void)state;
    AUTO_TREE struct tree tree = {0}, what = {0};
    struct error error = {0};
    make(&tree);
    add(&what, 'd', "d");
    add(&what, 'f', "d/x");
    add(&what, 'x', "f");
    add(&what, 'f', "l");
    assert_int_equal(tree_lay(&tree, &what, "a", &error), 0);
    /* A file takes the place of a file and of a link; all is sorted by bytes. */
    check_tree(&tree, "d a|f a-b|d a/d|f a/d/x|x a/f|f a/l|d b");
    assert_int_equal(tree_lay(&tree, &what, "n/e/w", &error), 0);
    check_tree(&tree,
               "d a|f a-b|d a/d|f a/d/x|x a/f|f a/l|d b|d n|d n/e|d n/e/w|d n/e/w/d|f n/e/w/d/x|x n/e/w/f|f n/e/w/l");
}

static void what_cannot_be_laid(void **state) {
    (void)state;
    AUTO_TREE struct tree tree = {0}, file = {0}, folder = {0};
    struct error error = {0};
    make(&tree);
    add(&file, 'f', "b");
    add(&folder, 'd', "l");
    assert_int_equal(tree_lay(&tree, &file, "", &error), -1);
    assert_non_null(strstr(error.text, "b is a directory"));
    assert_int_equal(tree_lay(&tree, &folder, "a", &error), -1);
    assert_int_equal(tree_lay(&tree, &file, "a/l", &error), -1);
    assert_non_null(strstr(error.text, "a/l is no directory"));
    assert_int_equal(tree_lay(&tree, &file, "a/f/deeper", &error), -1);
    check_tree(&tree, "d a|f a-b|f a/f|l a/l|d b");
}

static void what_is_taken(void **state) {
    (void)state;
    AUTO_TREE struct tree tree = {0}, below = {0}, one = {0}, none = {0};
    make(&tree);
    assert_true(tree_below(&tree, "a", &below));
    check_tree(&below, "f f|l l");
    assert_true(tree_below(&tree, "a/f", &one));
    check_tree(&one, "f f");
    assert_false(tree_below(&tree, "a/none", &none));
    assert_false(tree_drop(&tree, "a/none"));
    assert_true(tree_drop(&tree, "a"));
    check_tree(&tree, "f a-b|d b");
    tree_own(&tree, 7, 8, true, 0755);
    assert_int_equal(tree.entries[0].type, 'x');
    assert_int_equal(tree.entries[0].uid, 7);
    assert_int_equal(tree_entry_mode(&tree.entries[1]), 0755);
}

static void patterns_of_git(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_GITIGNORE struct gitignore *gitignore = gitignore_new();
    assert_int_equal(
        gitignore_add(gitignore, "", "*.log\n!keep.log\n/top\nfolder/\na/**\nb/*.c\n\\#x\nend  \n", &error), 0);
    assert_int_equal(gitignore_add(gitignore, "sub", "!x.log\n/here\r\n", &error), 0);
    static const struct {
        const char *path;
        bool is_directory, left_out;
    } cases[] = {{"x.log", false, true},      {"deep/x.log", false, true},   {"keep.log", false, false},
                 {"top", false, true},        {"sub/top", false, false},     {"folder", true, true},
                 {"folder", false, false},    {"q/folder", true, true},      {"a", true, false},
                 {"a/x", false, true},        {"b/x.c", false, true},        {"q/b/x.c", false, false},
                 {"b/d/x.c", false, false},   {"#x", false, true},           {"end", false, true},
                 {"sub/x.log", false, false}, {"sub/q/x.log", false, false}, {"sub/here", false, true},
                 {"sub/q/here", false, false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (gitignore_matches(gitignore, cases[i].path, cases[i].is_directory) != cases[i].left_out)
            fail_msg("%s", cases[i].path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_stay_inside), cmocka_unit_test(what_is_laid),    cmocka_unit_test(what_cannot_be_laid),
        cmocka_unit_test(what_is_taken),     cmocka_unit_test(patterns_of_git),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
