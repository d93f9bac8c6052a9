/* Who uses the store at this moment, as the kernel tells of its locks. */
#include "common/file/file.h"
#include "common/store/internal.h"
#include "common/store/maintenance.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LOCKS_LIMIT = 4 * 1024 * 1024, NAME_LIMIT = 64, PROCESS_LIMIT = 1 << 30 };

static void add_user(uint64_t process, struct text_list *users) {
    AUTO_FREE char *path = text_format("/proc/%llu/comm", (unsigned long long)process);
    AUTO_BUFFER struct buffer name = BUFFER(NAME_LIMIT);
    bool found = false;
    if (process == (uint64_t)getpid() || file_read(path, &name, &found, NULL) < 0 || !found)
        return;
    size_t length = strcspn(buffer_text(&name), "\n");
    AUTO_FREE char *clean = text_scrub(buffer_text(&name), length, false);
    AUTO_FREE char *user = text_format("%s (%llu)", clean, (unsigned long long)process);
    if (!text_list_contains(users, user))
        text_list_add(users, user);
}

/* "1: FLOCK  ADVISORY  READ  4711 fe:00:1234 0 EOF": the words, with empty ones where there are several spaces. */
static void read_line(const char *line, const char *file, struct text_list *users) {
    AUTO_LIST struct text_list words = {0};
    uint64_t process;
    text_list_split(&words, line, ' ');
    for (size_t i = 1; i < words.count; i++)
        if (text_equal(words.items[i], file) && text_to_u64(words.items[i - 1], PROCESS_LIMIT, &process))
            add_user(process, users);
}

void store_users(const struct store *store, struct text_list *users) {
    AUTO_BUFFER struct buffer text = BUFFER(LOCKS_LIMIT);
    AUTO_LIST struct text_list lines = {0};
    struct stat status;
    if (fstat(store->lock_fd, &status) < 0 || file_read("/proc/locks", &text, NULL, NULL) < 0)
        return;
    AUTO_FREE char *file =
        text_format("%02x:%02x:%llu", major(status.st_dev), minor(status.st_dev), (unsigned long long)status.st_ino);
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++)
        read_line(lines.items[i], file, users);
}
