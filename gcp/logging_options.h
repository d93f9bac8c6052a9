/* The options --logs, --follow, --lines and --since, and what they ask for: one table of rows, shared as a group. */
#ifndef GCP_LOGGING_OPTIONS_H
#define GCP_LOGGING_OPTIONS_H

#include "common/command/command.h"
#include "gcp/logging.h"

struct logging_options {
    bool logs, follow;
    long long lines, since; /* -1: not said; seconds */
};

extern const struct option logging_option_rows[];
#define LOGGING_OPTIONS(member)                                                                                        \
    { .title = "Logs", .options = logging_option_rows, INTO(member) }

struct logging_view {
    struct logging_query query; /* its `from` and `most` come from the options */
    const char *noun, *name;    /* "service", "shop": for "… has printed nothing" */
    /* The words between the time and the text: "shop-00001". */
    void (*add_origin)(const struct json *entry, struct buffer *out);
};
/* ERROR_USAGE. */
int logging_options_check(const struct logging_options *options, struct error *error) MUST_CHECK;
/* Prints the entries, line by line, and with --follow what comes, until a signal arrives. */
int logging_view_print(struct command_context *context, struct cloud *cloud, const struct logging_options *options,
                       const struct logging_view *view, struct error *error) MUST_CHECK;

#endif
