/* Scope-bound ownership.
 *
 * A variable declared with one of these attributes is released when its scope ends, on every path.
 * Give it up with take_pointer() or take_fd(). Destructors accept NULL or -1 and keep errno. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A variable may be there for its release alone. */
#define AUTO(destructor) __attribute__((cleanup(destructor), unused))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

static inline void cleanup_free(void *pointer) {
    int saved = errno;
    free(*(void **)pointer);
    errno = saved;
}

static inline void cleanup_close(const int *fd) {
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

static inline void cleanup_file(FILE **file) {
    int saved = errno;
    if (*file)
        fclose(*file);
    errno = saved;
}

#define AUTO_FREE AUTO(cleanup_free)
#define AUTO_CLOSE AUTO(cleanup_close)
#define AUTO_FILE AUTO(cleanup_file)

/* Hands the pointer over to the caller: the variable is NULL afterwards. */
#define take_pointer(pointer)                                                                                          \
    __extension__({                                                                                                    \
        __auto_type taken_ = *(pointer);                                                                               \
        *(pointer) = NULL;                                                                                             \
        taken_;                                                                                                        \
    })

/* Hands the file descriptor over to the caller: the variable is -1 afterwards. */
static inline int take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
