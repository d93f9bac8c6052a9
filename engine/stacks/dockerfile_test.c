/* Tests in the image of a Dockerfile: which stage, and which language's runner. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/dockerfile/parse.h"
#include "engine/stacks/components.h"
#include "engine/stacks/test.h"

#include <string.h>
#include <strings.h>

/* "FROM base AS test": the name, or NULL. */
static const char *stage_name(const struct instruction *instruction) {
    bool is_named = text_equal(instruction->name, "FROM") && instruction->words.count == 3 &&
                    strcasecmp(instruction->words.items[1], "as") == 0;
    return is_named ? instruction->words.items[2] : NULL;
}

/* A stage that is there for the tests. */
static int find_stage(const struct test_request *request, struct test_plan *plan, struct error *error) {
    static const char *const names[] = {"test", "tests", "testing", "unittest"};
    AUTO_DOCKERFILE struct dockerfile file = {0};
    AUTO_BUFFER struct buffer text = BUFFER(STACK_FILE_LIMIT);
    AUTO_FREE char *usual = path_join(request->directory, "Dockerfile");
    const char *path = request->dockerfile ? request->dockerfile : usual;
    if (file_read(path, &text, NULL, error) < 0 ||
        dockerfile_parse(path_base(path), buffer_text(&text), &file, error) < 0)
        return -1;
    for (size_t n = 0; n < ARRAY_LENGTH(names) && !plan->target; n++)
        for (size_t i = 0; i < file.count && !plan->target; i++) {
            const char *name = stage_name(&file.instructions[i]);
            if (name && strcasecmp(name, names[n]) == 0)
                plan->target = text_copy(name);
        }
    return 0;
}

int dockerfile_test_detect(const struct test_request *request, struct test_plan *plan, struct error *error) {
    enum stack_kind kind = stack_kind_beside(request->directory);
    plan->is_dockerfile = true;
    if (kind != STACK_PYTHON && kind != STACK_NODE) {
        error_set(error, ERROR_DATA,
                  "beside the Dockerfile is no requirements.txt, pyproject.toml or package.json: "
                  "nothing says how the tests are run");
        return error_next(error, "run them in a stage of the Dockerfile: pl-build --target test");
    }
    if (request->target)
        plan->target = text_copy(request->target);
    else if (find_stage(request, plan, error) < 0)
        return -1;
    if (plan->target)
        plan_note(&plan->plan, "the tests run in the stage %s of the Dockerfile", plan->target);
    else
        plan_note(&plan->plan, "the tests run in the Dockerfile's image: it has no stage \"test\"");
    return (kind == STACK_PYTHON ? python_test_detect : node_test_detect)(request, plan, error);
}
