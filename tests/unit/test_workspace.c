/* engine/stacks: members of a workspace, and directories that hold several applications. */
#include "engine/stacks/components.h"
#include "tests/unit/stack_fixture.h"

#define VITE "{\"name\":\"web\",\"scripts\":{\"build\":\"vite build\"},\"devDependencies\":{\"vite\":\"8\"}%s}"

/* What `member` below the fixture is found to be a member of: "" itself, or the path of the root. */
static void locate(struct fixture *fixture, const char *member, const char *root, const char *inside) {
    AUTO_FREE char *directory = *member ? path_join(fixture->directory, member) : text_copy(fixture->directory);
    AUTO_FREE char *wanted = *root ? path_join(fixture->directory, root) : text_copy(fixture->directory);
    AUTO_FREE char *found = NULL, *found_member = NULL;
    if (workspace_locate(directory, &found, &found_member, &fixture->error) < 0)
        fail_msg("%s", fixture->error.text);
    assert_string_equal(found, wanted);
    assert_string_equal(found_member, inside);
}

static void a_member_is_built_from_its_workspace(void **state) {
    (void)state;
    static const struct {
        const char *manifest, *yaml, *member;
        bool is_member;
    } cases[] = {
        {"{\"workspaces\":[\"apps/*\"]}", NULL, "apps/web", true},
        {"{\"workspaces\":[\"./apps/web/\"]}", NULL, "apps/web", true},
        {"{\"workspaces\":{\"packages\":[\"apps/**\"]}}", NULL, "apps/a/b", true},
        {"{\"workspaces\":[\"apps/*\",\"!apps/web\"]}", NULL, "apps/web", false},
        {"{\"workspaces\":[\"packages/*\"]}", NULL, "apps/web", false},
        {"{}", NULL, "apps/web", false},
        {"{}", "packages:\n  - 'apps/*' # all\n  - \"!apps/old\"\n", "apps/web", true},
        {"{}", "packages:\n- apps/*\n- '!apps/web'\n", "apps/web", false},
        {"{}", "onlyBuiltDependencies:\n  - apps/*\n", "apps/web", false},
        {"{\"workspaces\":[\"apps/*\"]}", "packages:\n  - packages/*\n", "apps/web", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture it;
        fixture_begin(&it, FILES({"package.json", cases[i].manifest}));
        if (cases[i].yaml)
            write_file(&it, "pnpm-workspace.yaml", cases[i].yaml);
        AUTO_FREE char *manifest = path_join(cases[i].member, "package.json");
        write_file(&it, manifest, "{}");
        locate(&it, cases[i].member, cases[i].is_member ? "" : cases[i].member,
               cases[i].is_member ? cases[i].member : "");
        fixture_end(&it);
    }
}

static void a_lock_file_or_a_repository_of_its_own_makes_it_no_member(void **state) {
    (void)state;
    static const char *const own[] = {"apps/web/package-lock.json", "apps/web/bun.lock", "apps/web/.git/config",
                                      "apps/.git/config"};
    for (size_t i = 0; i < ARRAY_LENGTH(own); i++) {
        struct fixture it;
        fixture_begin(&it, FILES({"package.json", "{\"workspaces\":[\"apps/*\"]}"}, {"apps/web/package.json", "{}"},
                                 {own[i], "{}"}));
        locate(&it, "apps/web", "apps/web", "");
        fixture_end(&it);
    }
    struct fixture it;
    fixture_begin(&it, FILES({"package.json", "{\"workspaces\":[\"apps/*\"]}"}, {"apps/web/package.json", "{}"},
                             {".git/config", ""}));
    locate(&it, "apps/web", "", "apps/web");
    locate(&it, "", "", "");
    fixture_end(&it);
}

static void the_members_it_depends_on_are_built_before(void **state) {
    (void)state;
    static const char library[] = "{\"name\":\"%s\",\"scripts\":{\"build\":\"tsc\"},\"dependencies\":{%s}}";
    AUTO_FREE char *web = text_format(VITE, ",\"dependencies\":{\"ui\":\"*\",\"plain\":\"*\"}");
    AUTO_FREE char *ui = text_format(library, "ui", "\"core\":\"*\"");
    AUTO_FREE char *core = text_format(library, "core", "\"ui\":\"*\",\"web\":\"*\"");
    AUTO_FREE char *other = text_format(library, "other", "");
    struct fixture it;
    fixture_begin(&it, FILES({"package.json", "{\"workspaces\":[\"*/*\"],\"packageManager\":\"pnpm@10.1.0\","
                                              "\"engines\":{\"node\":\"24\"}}"},
                             {"pnpm-lock.yaml", "lockfileVersion: '9.0'\n"}, {"apps/web/package.json", web},
                             {"apps/web/dist/index.html", "old"}, {"packages/ui/package.json", ui},
                             {"packages/core/package.json", core}, {"packages/other/package.json", other},
                             {"packages/plain/package.json", "{\"name\":\"plain\"}"}));
    struct stack_source source = {.kind = STACK_NODE, .member = "apps/web"};
    if (detect_as(&it, source) < 0)
        fail_msg("%s", it.error.text);
    assert_string_equal(it.plan.base, "node:24-slim");
    const struct plan_step *install = &it.plan.steps[0], *copy = &it.plan.steps[1], *build = &it.plan.steps[2];
    assert_int_equal(install->files.count, 7);
    assert_true(text_list_contains(&install->files, "packages/other/package.json"));
    assert_false(text_list_contains(&copy->files, "apps/web/dist/index.html"));
    assert_string_equal(build->directory, "/app/apps/web");
    const char *first = strstr(build->argv.items[2], "cd '/app/packages/core'");
    const char *second = strstr(build->argv.items[2], "cd '/app/packages/ui'");
    assert_true(first && second && first < second);
    assert_null(strstr(build->argv.items[2], "other"));
    assert_null(strstr(build->argv.items[2], "plain"));
    assert_string_equal(step_of(&it, PLAN_TAKE)->directory, "/app/apps/web");
    assert_string_equal(step_of(&it, PLAN_TAKE)->places.items[0], "dist");
    fixture_end(&it);
}

static void a_workspace_is_no_application(void **state) {
    (void)state;
    struct fixture it;
    fixture_begin(&it,
                  FILES({"package.json", "{\"workspaces\":[\"apps/*\"]}"},
                        {"apps/web/package.json", "{\"scripts\":{\"build\":\"x\"}}"}, {"apps/lib/package.json", "{}"}));
    assert_int_equal(detect_as(&it, (struct stack_source){.kind = STACK_NODE}), -1);
    assert_non_null(strstr(it.error.text, "workspace and no application itself: apps/web"));
    assert_null(strstr(it.error.text, "apps/lib"));
    assert_true(text_ends_with(it.error.next, "/apps/web"));
    fixture_end(&it);
}

static void components_are_named_with_how_to_build_them(void **state) {
    (void)state;
    struct fixture it;
    enum stack_kind kind;
    fixture_begin(&it, FILES({"README.md", ""}, {"backend/requirements.txt", ""}, {"frontend/package.json", "{}"},
                             {"frontend/inner/package.json", "{}"}, {"services/mail/Dockerfile", ""},
                             {"node_modules/x/package.json", "{}"}, {"a/b/c/package.json", "{}"},
                             {".hidden/package.json", "{}"}));
    assert_int_equal(stack_find(it.directory, &kind, &it.error), -1);
    assert_int_equal(it.error.kind, ERROR_DATA);
    assert_non_null(
        strstr(it.error.text, "below it there are backend (Python), frontend (Node), services/mail (Dockerfile)"));
    assert_null(strstr(it.error.text, "inner"));
    assert_null(strstr(it.error.text, "node_modules"));
    assert_null(strstr(it.error.text, "a/b/c"));
    assert_null(strstr(it.error.text, "hidden"));
    AUTO_FREE char *command = text_format("pl-build %s/backend, or pl-build %s/frontend, or pl-build %s/services/mail",
                                          it.directory, it.directory, it.directory);
    assert_string_equal(it.error.next, command);
    fixture_end(&it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_built_from_its_workspace),
        cmocka_unit_test(a_lock_file_or_a_repository_of_its_own_makes_it_no_member),
        cmocka_unit_test(the_members_it_depends_on_are_built_before),
        cmocka_unit_test(a_workspace_is_no_application),
        cmocka_unit_test(components_are_named_with_how_to_build_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
