/* Source directories made of a few files, and the plans for them. Included by the tests of engine/stacks. */
#ifndef TESTS_UNIT_STACK_FIXTURE_H
#define TESTS_UNIT_STACK_FIXTURE_H

#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/stacks/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct file {
    const char *path, *content;
};

/* A source directory made of a few files, and its tree. */
struct fixture {
    char *directory;
    struct tree tree;
    struct stack_plan plan;
    struct error error;
};

static inline void add_entry(struct tree *tree, const char *path, char type, size_t size) {
    if (tree_find(tree, path))
        return;
    tree->entries = memory_resize(tree->entries, tree->count + 1, sizeof(*tree->entries));
    size_t at = tree->count++;
    for (; at > 0 && strcmp(tree->entries[at - 1].path, path) > 0; at--)
        tree->entries[at] = tree->entries[at - 1];
    tree->entries[at] = (struct tree_entry){.path = text_copy(path), .type = type, .size = size};
}

static inline void write_file(struct fixture *fixture, const char *path, const char *content) {
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        AUTO_FREE char *directory = text_copy_length(path, (size_t)(slash - path));
        add_entry(&fixture->tree, directory, 'd', 0);
    }
    AUTO_FREE char *full = path_join(fixture->directory, path);
    AUTO_FREE char *parent = text_copy_length(full, (size_t)(strrchr(full, '/') - full));
    assert_int_equal(directory_make(parent, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(full, content, strlen(content), 0644, NULL), 0);
    add_entry(&fixture->tree, path, 'f', strlen(content));
}

static inline void fixture_begin(struct fixture *fixture, const struct file *files) {
    char template[] = "/tmp/pl-stacks-XXXXXX";
    *fixture = (struct fixture){0};
    assert_non_null(mkdtemp(template));
    fixture->directory = text_copy(template);
    for (; files->path; files++)
        write_file(fixture, files->path, files->content);
}

static inline void fixture_end(struct fixture *fixture) {
    tree_remove(fixture->directory, NULL);
    tree_release(&fixture->tree);
    stack_plan_release(&fixture->plan);
    free(fixture->directory);
}

/* What is asked for beside the files; the kind decides which stack it is. */
static inline int detect_as(struct fixture *fixture, struct stack_source source) {
    source.directory = fixture->directory;
    source.tree = &fixture->tree;
    source.name = "it";
    return stack_detect(&source, &fixture->plan, &fixture->error);
}

static inline int detect(struct fixture *fixture) {
    return detect_as(fixture, (struct stack_source){.kind = STACK_PYTHON});
}

#define FILES(...) ((const struct file[]){__VA_ARGS__, {NULL, NULL}})

/* The plan for some files; fails when there is none. */
static inline void plan_for(struct fixture *fixture, const struct file *files) {
    fixture_begin(fixture, files);
    if (detect(fixture) < 0)
        fail_msg("%s", fixture->error.text);
}

static inline const struct plan_step *step_of(const struct fixture *fixture, enum plan_step_type type) {
    for (size_t i = 0; i < fixture->plan.step_count; i++)
        if (fixture->plan.steps[i].type == type)
            return &fixture->plan.steps[i];
    return NULL;
}

static inline const char *command_of(const struct fixture *fixture) {
    const struct json *command = json_get(step_of(fixture, PLAN_CONFIG)->config, "Cmd");
    const char *last = json_text(json_at(command, json_count(command) - 1));
    return text_starts_with(last, "exec ") ? last + 5 : last;
}

static inline const char *script_of(const struct fixture *fixture) {
    return step_of(fixture, PLAN_EXEC)->argv.items[2];
}

static inline bool has_environment(const struct fixture *fixture, const char *variable) {
    const struct json *environment = json_get(step_of(fixture, PLAN_CONFIG)->config, "Env");
    for (size_t i = 0; i < json_count(environment); i++)
        if (text_equal(json_text(json_at(environment, i)), variable))
            return true;
    return false;
}

static inline bool has_note(const struct fixture *fixture, const char *part) {
    for (size_t i = 0; i < fixture->plan.notes.count; i++)
        if (strstr(fixture->plan.notes.items[i], part))
            return true;
    return false;
}

#endif
