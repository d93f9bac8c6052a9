#include "common/base/progress.h"

#include <stdarg.h>

int progress_begin(struct progress *progress, const char *format, ...) {
    if (!progress || !progress->begin)
        return -1;
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    return progress->begin(progress->context, name);
}

void progress_show(struct progress *progress, int step) {
    if (progress && progress->show)
        progress->show(progress->context, step);
}

void progress_output(struct progress *progress, int step, const char *data, size_t length) {
    if (progress && progress->output)
        progress->output(progress->context, step, data, length);
}

void progress_end(struct progress *progress, int step, enum progress_outcome outcome) {
    if (progress && progress->end)
        progress->end(progress->context, step, outcome);
}

void progress_note(struct progress *progress, const char *format, ...) {
    if (!progress || !progress->note)
        return;
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    progress->note(progress->context, text);
}

bool progress_cancelled(struct progress *progress) {
    return progress && progress->cancelled && progress->cancelled(progress->context);
}
