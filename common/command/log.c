#include "common/command/log.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

static char *log_folder(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (!text_is_empty(state) && state[0] == '/')
        return text_format("%s/pl/logs", state);
    return text_is_empty(home) || home[0] != '/' ? NULL : text_format("%s/.local/state/pl/logs", home);
}

/* Names begin with the time, so that their order is that of age. */
static void remove_old(const char *folder) {
    AUTO_LIST struct text_list names = {0};
    if (directory_list(folder, &names, NULL) < 0)
        return;
    size_t logs = 0;
    for (size_t i = names.count; i-- > 0;)
        if (text_ends_with(names.items[i], ".log") && ++logs >= LOG_KEPT) {
            AUTO_FREE char *path = path_join(folder, names.items[i]);
            unlink(path);
        }
}

static void open_log(struct log *log, const char *tool) {
    AUTO_FREE char *folder = log_folder();
    log->tried = true;
    log->fd = -1;
    if (!folder || directory_make(folder, 0700, NULL) < 0)
        return;
    remove_old(folder);
    struct tm parts;
    time_t now = time(NULL);
    char stamp[32] = "";
    if (gmtime_r(&now, &parts))
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
    AUTO_FREE char *path = text_format("%s/%s-%s-%d.log", folder, stamp, tool, (int)getpid());
    log->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd >= 0)
        log->path = take_pointer(&path);
}

void log_write(struct log *log, const char *tool, const char *text, size_t length) {
    if (!log->tried)
        open_log(log, tool);
    if (log->fd >= 0 && fd_write_all(log->fd, text, length, NULL) < 0)
        log_close(log);
}

void log_close(struct log *log) {
    if (log->tried && log->fd >= 0)
        close(log->fd);
    free(log->path);
    *log = (struct log){.fd = -1, .tried = true};
}
