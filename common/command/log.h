/* Private to common/command: the full log of a run, ${XDG_STATE_HOME:-~/.local/state}/pl/logs/TIME-TOOL-PID.log. */
#ifndef COMMAND_LOG_H
#define COMMAND_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum { LOG_KEPT = 50 };

struct log {
    char *path; /* NULL until something was written, and when the log could not be written */
    int fd;
    bool tried;
};

/* Opened (and old logs removed, all but the newest LOG_KEPT) by the first write. Losing the log is no failure. */
void log_write(struct log *log, const char *tool, const char *text, size_t length);
void log_close(struct log *log);

#endif
