/* Private to gcp/run: rows of options, written in one line each. A file that has rows defines SETTING(member) first. */
#ifndef GCP_RUN_SETTING_ROW_H
#define GCP_RUN_SETTING_ROW_H

#include "common/command/command.h"

#define TEXT_ROW(option_name, value, text, member)                                                                     \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, SETTING(member) }
#define NUMBER_ROW(option_name, value, text, member)                                                                   \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_NUMBER, SETTING(member) }
#define LIST_ROW(option_name, value, text, member)                                                                     \
    {                                                                                                                  \
        .name = option_name, .value_name = value, .help = text, .kind = OPTION_TEXT, .traits = OPTION_REPEATABLE,      \
        SETTING(member)                                                                                                \
    }
#define SWITCH_ROW(option_name, text, member)                                                                          \
    { .name = option_name, .help = text, .kind = OPTION_FLAG, .traits = OPTION_NEGATABLE, SETTING(member) }
#define CHOICE_ROW(option_name, value, text, names, member)                                                            \
    { .name = option_name, .value_name = value, .help = text, .kind = OPTION_CHOICE, .choices = names, SETTING(member) }

#endif
