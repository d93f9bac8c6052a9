/* A text into the member of an option, checked by the option's kind. */
#include "common/command/options.h"

#include <limits.h>
#include <string.h>

bool parse_truth(const char *text, bool *truth) {
    static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < ARRAY_LENGTH(yes); i++)
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *truth = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    return false;
}

static int refuse(const struct option *option, const char *text, const char *origin, const char *wanted,
                  struct error *error) {
    if (option->traits & OPTION_SECRET)
        return error_set(error, ERROR_USAGE, "%s: what was given is not %s", origin, wanted);
    return error_set(error, ERROR_USAGE, "%s: \"%s\" is not %s", origin, text, wanted);
}

static int check_choice(const struct option *option, const char *text, const char *origin, struct error *error) {
    AUTO_BUFFER struct buffer all = BUFFER(1024);
    for (size_t i = 0; option->choices[i]; i++) {
        if (text_equal(option->choices[i], text))
            return 0;
        buffer_append_format(&all, "%s%s", i ? ", " : "", option->choices[i]);
    }
    AUTO_FREE char *wanted = text_format("one of: %s", buffer_text(&all));
    return refuse(option, text, origin, wanted, error);
}

static int put_number(struct setting *setting, const char *text, const char *origin, struct error *error) {
    long long *member = setting->member;
    uint64_t number = 0;
    switch (setting->option->kind) {
    case OPTION_DURATION:
        return parse_duration(text, member)
                   ? 0
                   : refuse(setting->option, text, origin, "a time such as 90s, 5m, 2h", error);
    case OPTION_SIZE:
        return parse_size(text, member) ? 0 : refuse(setting->option, text, origin, "a size such as 512Mi, 2Gi", error);
    default:
        if (!text_to_u64(text, LLONG_MAX, &number))
            return refuse(setting->option, text, origin, "a number", error);
        *member = (long long)number;
        return 0;
    }
}

int setting_put(struct setting *setting, const char *text, const char *origin, struct error *error) {
    const struct option *option = setting->option;
    bool truth = false;
    switch (option->kind) {
    case OPTION_FLAG:
        if (!parse_truth(text, &truth))
            return refuse(option, text, origin, "true or false", error);
        if (option->traits & OPTION_NEGATABLE)
            *(int *)setting->member = truth;
        else
            *(bool *)setting->member = truth;
        return 0;
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return put_number(setting, text, origin, error);
    case OPTION_CHOICE:
        if (check_choice(option, text, origin, error) < 0)
            return -1;
        break;
    default:
        break;
    }
    if (option->traits & OPTION_REPEATABLE)
        text_list_add(setting->member, text);
    else
        *(const char **)setting->member = text;
    return 0;
}
