/* Plans as data: built up, released, printed. */
#include "common/base/text.h"
#include "engine/stacks/stack.h"

#include <stdarg.h>
#include <string.h>

struct plan_step *plan_add_step(struct stack_plan *plan, enum plan_step_type type, const char *name) {
    plan->steps = memory_resize(plan->steps, plan->step_count + 1, sizeof(*plan->steps));
    struct plan_step *step = &plan->steps[plan->step_count++];
    *step = (struct plan_step){.type = type, .name = text_copy(name)};
    return step;
}

void plan_add_cache(struct plan_step *step, const char *id, const char *target) {
    step->caches = memory_resize(step->caches, step->cache_count + 1, sizeof(*step->caches));
    step->caches[step->cache_count++] = (struct plan_cache){.id = text_copy(id), .target = text_copy(target)};
}

void plan_note(struct stack_plan *plan, const char *format, ...) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    text_list_add(&plan->notes, text);
}

static void step_release(struct plan_step *step) {
    free(step->name);
    free(step->input_name);
    free(step->directory);
    free(step->advice);
    text_list_release(&step->except);
    text_list_release(&step->places);
    text_list_release(&step->argv);
    text_list_release(&step->environment);
    text_list_release(&step->files);
    json_release(&step->config);
    for (size_t i = 0; i < step->cache_count; i++) {
        free(step->caches[i].id);
        free(step->caches[i].target);
    }
    free(step->caches);
}

void stack_plan_release(struct stack_plan *plan) {
    for (size_t i = 0; i < plan->step_count; i++)
        step_release(&plan->steps[i]);
    free(plan->steps);
    free(plan->stack);
    free(plan->base);
    free(plan->fallback_base);
    free(plan->fallback_note);
    text_list_release(&plan->notes);
    *plan = (struct stack_plan){0};
}

/* ---- printing ---- */

static void print_files(const struct text_list *files, struct buffer *out) {
    for (size_t i = 0; i < files->count; i++)
        buffer_append_format(out, "     sees %s\n", files->items[i]);
}

/* One word of a command, quoted where a shell would need it. */
static void print_word(const char *word, struct buffer *out) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    if (*word && word[strspn(word, plain)] == '\0') {
        buffer_append_format(out, " %s", word);
        return;
    }
    buffer_append_text(out, " '");
    for (; *word; word++)
        if (*word == '\'')
            buffer_append_text(out, "'\\''");
        else if (*word == '\n' && word[1])
            buffer_append_text(out, "\n          ");
        else if (*word != '\n')
            buffer_append_byte(out, *word);
    buffer_append_byte(out, '\'');
}

static void print_exec(const struct plan_step *step, struct buffer *out) {
    print_files(&step->files, out);
    for (size_t i = 0; i < step->cache_count; i++)
        buffer_append_format(out, "     cache %s at %s\n", step->caches[i].id, step->caches[i].target);
    for (size_t i = 0; i < step->environment.count; i++)
        buffer_append_format(out, "     with %s\n", step->environment.items[i]);
    buffer_append_text(out, "     run ");
    for (size_t i = 0; i < step->argv.count; i++)
        print_word(step->argv.items[i], out);
    buffer_append_byte(out, '\n');
}

static void print_config(const struct plan_step *step, struct buffer *out) {
    for (void *i = json_first(step->config); i; i = json_next(step->config, i)) {
        AUTO_FREE char *value = json_format(json_value(i), JSON_COMPACT_STYLE);
        buffer_append_format(out, "     set  %s %s\n", json_key(i), value);
    }
}

static void print_take(const struct plan_step *step, struct buffer *out) {
    for (size_t i = 0; i < step->places.count; i++)
        buffer_append_format(out, "     %s %s/%s\n", i > 0 ? "or  " : "from", step->directory, step->places.items[i]);
    if (step->places.count == 0)
        buffer_append_format(out, "     from %s\n", step->directory);
    for (size_t i = 0; i < step->except.count; i++)
        buffer_append_format(out, "     but  %s\n", step->except.items[i]);
}

static void print_step(const struct plan_step *step, size_t number, struct buffer *out) {
    if (step->copies_taken)
        buffer_append_format(out, "%2zu   %s to %s\n", number, step->name, step->directory);
    else if (step->type == PLAN_COPY)
        buffer_append_format(out, "%2zu   %s: %zu files to %s\n", number, step->name, step->files.count,
                             step->directory);
    else if (step->type == PLAN_GATHER)
        buffer_append_format(out, "%2zu   %s: %zu files\n", number, step->name, step->files.count);
    else
        buffer_append_format(out, "%2zu   %s\n", number, step->name);
    if (step->type == PLAN_EXEC)
        print_exec(step, out);
    else if (step->type == PLAN_COPY || step->type == PLAN_GATHER)
        print_files(&step->files, out);
    else if (step->type == PLAN_TAKE)
        print_take(step, out);
    else if (step->type == PLAN_CONFIG)
        print_config(step, out);
}

int stack_plan_print(const struct stack_plan *plan, struct buffer *out, struct error *error) {
    struct buffer raw = BUFFER(4 << 20);
    for (size_t i = 0; i < plan->notes.count; i++)
        buffer_append_format(&raw, "%s\n", plan->notes.items[i]);
    buffer_append_byte(&raw, '\n');
    if (plan->base)
        buffer_append_format(&raw, " 1   base %s\n", plan->base);
    if (plan->fallback_base)
        buffer_append_format(&raw, "     or, when no registry can be reached, %s\n", plan->fallback_base);
    for (size_t i = 0; i < plan->step_count; i++)
        print_step(&plan->steps[i], i + (plan->base ? 2 : 1), &raw);
    int result = buffer_check(&raw, "the plan", error);
    if (result == 0) {
        AUTO_FREE char *clean = text_scrub(buffer_text(&raw), raw.length, true);
        buffer_append_text(out, clean);
        result = buffer_check(out, "the plan", error);
    }
    buffer_release(&raw);
    return result;
}
