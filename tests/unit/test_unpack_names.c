/* The unpack cases 1 to 29 of tests/hostile_inputs.txt: names, links and whiteouts. */
#include "tests/unit/hostile_archive.h"

#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* ---- names ---- */

static void dots(struct buffer *layers) {
    file(layers, "../../canary/f", "x");
}
static void dots_in_the_middle(struct buffer *layers) {
    file(layers, "a/../../canary/f", "x");
}
static void absolute(struct buffer *layers) {
    file(layers, "/etc/passwd", "inside");
}
static void absolute_is_inside(void) {
    assert_content("etc/passwd", "inside");
}
static void dot_as_link(struct buffer *layers) {
    symlink_entry(layers, ".", canary);
    file(layers, "f", "x");
}
static void slash_as_link(struct buffer *layers) {
    symlink_entry(layers, "/", canary);
    file(layers, "f", "x");
}
static void empty_name(struct buffer *layers) {
    file(layers, "", "x");
}
static void empty_name_in_pax(struct buffer *layers) {
    pax(layers, 'x', "path", "", 0);
    file(layers, "x", "x");
}
static void name_with_nul(struct buffer *layers) {
    pax(layers, 'x', "path", "a\0../../canary/f", 16);
    file(layers, "x", "x");
}
static void key_with_nul(struct buffer *layers) {
    static const char record[] = "17 path\0x=canary\n";
    raw_entry(layers, (struct raw){.name = "pax", .type = 'x', .content = record, .length = sizeof(record) - 1});
    file(layers, "x", "x");
}

/* `count` times the part, as the path of a file. */
static void long_path(struct buffer *layers, const char *part, size_t count) {
    AUTO_BUFFER struct buffer path = BUFFER(ARCHIVE_LIMIT);
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&path, part);
    pax(layers, 'x', "path", path.data, path.length);
    file(layers, "x", "x");
}
static void path_over_the_limit(struct buffer *layers) {
    long_path(layers, "abcdefghij/", 450);
}
static void name_over_the_limit(struct buffer *layers) {
    long_path(layers, "abcd", 64);
}

/* ---- symbolic links ---- */

static void through_a_link(struct buffer *layers) {
    symlink_entry(layers, "x", canary);
    file(layers, "x/f", "inside");
}
static void lies_where_the_link_leads(void) {
    assert_content(canary_file, "inside");
    assert_true(S_ISLNK(status_of("x").st_mode));
}
static void through_a_link_upwards(struct buffer *layers) {
    symlink_entry(layers, "x", "../..");
    file(layers, "x/y", "inside");
}
static void lies_at_the_root(void) {
    assert_content("y", "inside");
}
static void two_hops(struct buffer *layers) {
    symlink_entry(layers, "a", "b/..");
    symlink_entry(layers, "b", "../..");
    file(layers, "a/y", "inside");
}
static void two_hops_to_nowhere(struct buffer *layers) {
    symlink_entry(layers, "a", "none/../b/x");
    symlink_entry(layers, "b", "../../../deep/er");
    file(layers, "a/y", "inside");
}
static void lies_at_the_end_of_both(void) {
    assert_content("deep/er/x/y", "inside");
}
static void loop(struct buffer *layers) {
    symlink_entry(layers, "a", "b");
    symlink_entry(layers, "b", "a");
    file(layers, "a/f", "x");
}
static void loop_that_grows(struct buffer *layers) {
    symlink_entry(layers, "a", "a/x/y");
    file(layers, "a/f", "x");
}
static void link_in_the_layer_below(struct buffer *layers) {
    symlink_entry(&layers[0], "x", canary);
    file(&layers[1], "x/f", "inside");
}
static void directory_over_a_link(struct buffer *layers) {
    symlink_entry(layers, "d", canary);
    raw_entry(layers, (struct raw){.name = "d", .type = '5', .mode = "0000777"});
}
static void is_a_directory_of_its_own(void) {
    assert_int_equal(status_of("d").st_mode, S_IFDIR | 0777);
}
static void file_below_a_link_to_a_file(struct buffer *layers) {
    file(layers, "precious", "kept");
    symlink_entry(layers, "d", "precious");
    file(layers, "d/f", "inside");
}
static void the_link_became_a_directory(void) {
    assert_content("precious", "kept");
    assert_content("d/f", "inside");
}
static void metadata_of_a_link(struct buffer *layers) {
    symlink_entry(layers, "l", canary_file);
    raw_entry(layers, (struct raw){.name = "l",
                                   .type = '2',
                                   .link = canary_file,
                                   .mode = "0006777",
                                   .uid = "0002322",
                                   .gid = "0002322",
                                   .time = "00000000777"});
}
static void the_link_itself_has_it(void) {
    struct stat status = status_of("l");
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(status.st_mtim.tv_sec, 0777);
    assert_int_equal(status.st_uid, geteuid() == 0 ? 02322 : geteuid());
}

/* ---- hard links ---- */

static void hard_link_out(struct buffer *layers) {
    hardlink(layers, "link", "../../canary/f");
}
static void hard_link_to_the_host(struct buffer *layers) {
    hardlink(layers, "link", canary_file);
}
static void hard_link_to_an_absolute_path(struct buffer *layers) {
    file(layers, "etc/x", "inside");
    hardlink(layers, "link", "/etc/x");
}
static void is_linked(void) {
    assert_int_equal(status_of("link").st_ino, status_of("etc/x").st_ino);
}
static void hard_link_through_a_link(struct buffer *layers) {
    symlink_entry(layers, "up", outer);
    hardlink(layers, "link", "up/canary/f");
}
static void hard_link_to_a_link(struct buffer *layers) {
    folder(layers, "d/e");
    symlink_entry(layers, "d/e/s", "../../../canary");
    hardlink(layers, "s", "d/e/s");
    file(layers, "s/f", "inside");
}
static void the_link_is_linked(void) {
    assert_true(S_ISLNK(status_of("s").st_mode));
    assert_int_equal(status_of("s").st_ino, status_of("d/e/s").st_ino);
    assert_content("canary/f", "inside");
}
static void hard_link_with_data(struct buffer *layers) {
    file(layers, "a", "x");
    entry(layers, "b", '1', "a", "data");
}
static void hard_link_to_itself(struct buffer *layers) {
    file(layers, "a", "x");
    hardlink(layers, "a", "a");
}
static void hard_link_forward(struct buffer *layers) {
    hardlink(layers, "a", "b");
    file(layers, "b", "x");
}
static void file_over_a_hard_link(struct buffer *layers) {
    file(layers, "a", "one");
    hardlink(layers, "b", "a");
    file(layers, "b", "two");
}
static void the_twin_is_unchanged(void) {
    assert_content("a", "one");
    assert_content("b", "two");
    assert_int_equal(status_of("a").st_nlink, 1);
}

/* ---- whiteouts ---- */

static bool is_whiteout(const char *path) {
    struct stat status = status_of(path);
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}
static bool is_opaque(const char *path) {
    char value[2];
    return lgetxattr(inside(path), geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque", value, 2) == 1;
}
static void whiteout_of_nothing(struct buffer *layers) {
    file(layers, "d/.wh.", "");
}
static void whiteout_of_the_directory_above(struct buffer *layers) {
    file(layers, ".wh...", "");
}
static void whiteout_of_the_directory(struct buffer *layers) {
    file(layers, ".wh..", "");
}
static void file_in_a_whiteout(struct buffer *layers) {
    file(layers, ".wh.etc/f", "x");
}
static void whiteout_through_a_link(struct buffer *layers) {
    symlink_entry(layers, "x", canary);
    file(layers, "x/.wh.f", "");
}
static void hides_inside(void) {
    assert_true(is_whiteout(canary_file));
}
static void opaque_root(struct buffer *layers) {
    file(layers, "kept", "kept");
    file(layers, ".wh..wh..opq", "");
}
static void the_root_is_opaque(void) {
    assert_true(is_opaque(""));
    assert_content("kept", "kept");
}
static void many_opaque_marks(struct buffer *layers) {
    for (int i = 0; i < 2000; i++)
        file(layers, "d/.wh..wh..opq", "");
}
static void is_opaque_once(void) {
    assert_true(is_opaque("d"));
}
static void whiteouts_of_its_own(struct buffer *layers) {
    file(layers, "before", "kept");
    file(layers, ".wh.before", "");
    file(layers, ".wh.after", "");
    file(layers, "after", "kept");
    file(layers, "d/f", "kept");
    file(layers, ".wh.d", "");
    file(layers, ".wh.e", "");
    folder(layers, "e");
    file(layers, "e/f", "kept");
    file(layers, ".wh.g", "");
    file(layers, "g/f", "kept");
}
static void what_is_its_own_stays(void) {
    static const char *const kept[] = {"before", "after", "d/f", "e/f", "g/f"}, *const opaque[] = {"d", "e", "g"};
    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++)
        assert_content(kept[i], "kept");
    for (size_t i = 0; i < ARRAY_LENGTH(opaque); i++)
        assert_true(is_opaque(opaque[i]));
}
static void whiteout_with_data(struct buffer *layers) {
    file(layers, ".wh.foo", "data");
}
static void opaque_mark_with_data(struct buffer *layers) {
    file(layers, ".wh..wh..opq", "data");
}
static void overlay_whiteout(struct buffer *layers) {
    raw_entry(layers, (struct raw){.name = "etc", .type = '3', .device = "0000000\0000000000"});
}

static double processor_time(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The processor's time for marks in `count` directories, and as many again in one. */
static double time_of_marks(int count) {
    AUTO_BUFFER struct buffer archive = BUFFER(ARCHIVE_LIMIT);
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *name = text_format("%d/%d/.wh..wh..opq", i % 100, i);
        file(&archive, name, "");
        file(&archive, "one/.wh..wh..opq", "");
    }
    double begin = processor_time();
    assert_int_equal(unpack_layer(&archive, NULL, NULL), 0);
    return processor_time() - begin;
}
static void opaque_marks_take_linear_time(void **state) {
    (void)state;
    double few = time_of_marks(500), many = time_of_marks(8000);
    /* Sixteen times as many; were it quadratic, it would be more than two hundred. */
    if (many > 80 * few)
        fail_msg("%.3f s for 500, %.3f s for 8000", few, many);
}

static const struct hostile table[] = {
    {1, "a name that begins with ../..", "leaves the archive's root", dots, NULL},
    {2, "a name with /../.. in it", "leaves the archive's root", dots_in_the_middle, NULL},
    {3, "an absolute name", NULL, absolute, absolute_is_inside},
    {4, "the root . as a symbolic link", "the archive's root is not a directory", dot_as_link, NULL},
    {5, "the root / as a symbolic link", "the archive's root is not a directory", slash_as_link, NULL},
    {6, "an empty name", "has no name", empty_name, NULL},
    {6, "an empty name in a pax header", "has no name", empty_name_in_pax, NULL},
    {7, "a NUL byte in the path of a pax header", "NUL byte", name_with_nul, NULL},
    {7, "a NUL byte in the key of a pax header", "malformed", key_with_nul, NULL},
    {8, "a path over PATH_MAX", "nested too deep", path_over_the_limit, NULL},
    {8, "a name over 255 bytes", "longer than 255 bytes", name_over_the_limit, NULL},
    {9, "a file through a link to an absolute path", NULL, through_a_link, lies_where_the_link_leads},
    {10, "a file through a link to ../..", NULL, through_a_link_upwards, lies_at_the_root},
    {11, "a file through two links", NULL, two_hops, lies_at_the_root},
    {11, "a file through two links to what is not there", NULL, two_hops_to_nowhere, lies_at_the_end_of_both},
    {12, "a loop of links above a file", "cannot be placed", loop, NULL},
    {12, "a link into itself above a file", "cannot be placed", loop_that_grows, NULL},
    {13, "a link in one layer and a file through it in the next", NULL, link_in_the_layer_below,
     lies_where_the_link_leads},
    {14, "a directory in the place of a link", NULL, directory_over_a_link, is_a_directory_of_its_own},
    {14, "a file below a link to a file", NULL, file_below_a_link_to_a_file, the_link_became_a_directory},
    {15, "owner, mode and time of a link", NULL, metadata_of_a_link, the_link_itself_has_it},
    {16, "a hard link to ../../canary", "leaves the archive's root", hard_link_out, NULL},
    {17, "a hard link to an absolute path of the host", "which the archive does not have", hard_link_to_the_host, NULL},
    {17, "a hard link to an absolute path inside", NULL, hard_link_to_an_absolute_path, is_linked},
    {17, "a hard link through a symbolic link", "which the archive does not have", hard_link_through_a_link, NULL},
    {18, "a hard link to a symbolic link that escapes", NULL, hard_link_to_a_link, the_link_is_linked},
    {19, "a hard link with data", "only a regular file may have data", hard_link_with_data, NULL},
    {20, "a hard link to itself", "a hard link to itself", hard_link_to_itself, NULL},
    {20, "a hard link to what comes later", "which the archive does not have", hard_link_forward, NULL},
    {21, "a file over a hard link", NULL, file_over_a_hard_link, the_twin_is_unchanged},
    {22, "a whiteout without a name", "is malformed", whiteout_of_nothing, NULL},
    {23, "a whiteout of the directory above", "is malformed", whiteout_of_the_directory_above, NULL},
    {23, "a whiteout of its own directory", "is malformed", whiteout_of_the_directory, NULL},
    {23, "a file in a whiteout", "lies in a whiteout", file_in_a_whiteout, NULL},
    {24, "a whiteout through a link", NULL, whiteout_through_a_link, hides_inside},
    {25, "an opaque mark at the root", NULL, opaque_root, the_root_is_opaque},
    {26, "an opaque mark two thousand times", NULL, many_opaque_marks, is_opaque_once},
    {27, "whiteouts of what the layer has itself", NULL, whiteouts_of_its_own, what_is_its_own_stays},
    {28, "a whiteout with data", "is malformed", whiteout_with_data, NULL},
    {28, "an opaque mark with data", "is malformed", opaque_mark_with_data, NULL},
    {29, "a device 0:0 as a whiteout", "is an overlay whiteout", overlay_whiteout, NULL},
};

int main(int argc, char **argv) {
    const struct CMUnitTest more[] = {
        {"unpack 26: opaque marks take linear time", opaque_marks_take_linear_time, make_place, remove_place, NULL},
    };
    return hostile_main(argc, argv, table, ARRAY_LENGTH(table), more, ARRAY_LENGTH(more));
}
