#include "gcp/run/operands.h"

#include "gcp/cloud.h"

#include <string.h>

static bool is_image(const char *operand) {
    return strpbrk(operand, "/@:") != NULL;
}

size_t run_operands_before_image(const struct command_context *context) {
    size_t first = 0;
    while (first < context->operand_count && !is_image(context->operands[first]))
        first++;
    return first;
}

const char *run_operands_name(const struct run_operands *operands) {
    const struct command_context *context = operands->context;
    if (operands->given)
        return operands->given;
    for (size_t i = 0; i < context->operand_count; i++)
        if (!is_image(context->operands[i]))
            return context->operands[i];
    return NULL;
}

int run_operands_check(const struct run_operands *operands, bool takes_image, struct error *error) {
    const struct command_context *context = operands->context;
    size_t names = run_operands_before_image(context), images = context->operand_count - names;
    const char *name = run_operands_name(operands);
    if (images > 1 || names > 1)
        return error_set(error, ERROR_USAGE, "it takes one %s and one image", operands->noun);
    if (images > 0 && !takes_image)
        return error_set(error, ERROR_USAGE, "%s is an image; here it takes only the name of a %s",
                         context->operands[names], operands->noun);
    if (operands->given && names > 0 && !text_equal(operands->given, context->operands[0]))
        return error_set(error, ERROR_USAGE, "the %s is named twice: %s and --name %s", operands->noun,
                         context->operands[0], operands->given);
    return name ? operands->check(name, error) : 0;
}

const char *run_operands_open(const struct run_operands *operands, const struct credential_options *credentials,
                              const char *project, const char *region, struct cloud *cloud, struct error *error) {
    const char *name = run_operands_name(operands);
    if (!name) {
        error_set(error, ERROR_USAGE, "which %s?", operands->noun);
        error_next(error, "name it: %s NAME …", operands->tool);
        return NULL;
    }
    bool opened = operands->check(name, error) == 0 &&
                  cloud_open(cloud, credentials, operands->context->progress, project, region, error) == 0;
    return opened ? name : NULL;
}

int run_operands_read_images(struct command_context *context, int (*preflight)(void *, struct error *),
                             void *preflight_context, struct record_list *list, struct error *error) {
    size_t first = run_operands_before_image(context);
    char *const *operands = context->operands;
    context->operands = first ? operands + first : operands;
    context->operand_count -= first;
    int result = command_read_records(context, RECORD_IMAGE, preflight, preflight_context, list, error);
    context->operands = operands;
    context->operand_count += first;
    return result;
}
