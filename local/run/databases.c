#include "local/run/databases.h"

#include "common/file/file.h"
#include "local/run/gateway.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { BACKLOG = 64 };

struct databases {
    struct store *store;
    char *scratch;
    struct gateway *gateway;
};

/* ---- where they are ---- */

int run_database_parse(const char *text, struct run_database *database, struct error *error) {
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    const char *address = equals ? equals + 1 : "", *colon = strrchr(address, ':');
    struct in_addr ignored;
    uint64_t port;
    *database = (struct run_database){.is_mysql = text_starts_with(address, "mysql:")};
    address += database->is_mysql ? strlen("mysql:") : 0;
    bool good = length > 0 && length < sizeof(database->name) && colon > address &&
                (size_t)(colon - address) < sizeof(database->address) && text_to_u64(colon + 1, 65535, &port) &&
                port > 0 && memchr(text, ':', length) && !memchr(text, '/', length);
    if (good) {
        database->port = (unsigned)port;
        snprintf(database->name, sizeof(database->name), "%.*s", (int)length, text);
        snprintf(database->address, sizeof(database->address), "%.*s", (int)(colon - address), address);
        if (text_equal(database->address, "localhost"))
            snprintf(database->address, sizeof(database->address), "127.0.0.1");
        good = inet_pton(AF_INET, database->address, &ignored) == 1;
    }
    if (good)
        return 0;
    error_set(error, ERROR_USAGE, "--cloudsql %.120s is no PROJECT:REGION:NAME=ADDRESS:PORT", text);
    return error_next(error, "such as shop:us-central1:main=127.0.0.1:5432, or =mysql:127.0.0.1:3306");
}

static bool find(const struct local_cloud *cloud, const char *name, struct run_database *database) {
    for (size_t i = 0; i < cloud->databases.count; i++)
        if (run_database_parse(cloud->databases.items[i], database, NULL) == 0 && text_equal(database->name, name))
            return true;
    return false;
}

/* ---- sockets ---- */

/* The address of a socket has little room: the folder is named by a descriptor. */
static int listen_at(const char *folder, const char *name, struct error *error) {
    AUTO_CLOSE int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FREE char *path = path_join(folder, name);
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory, name);
    if (length >= (int)sizeof(address.sun_path))
        return error_set(error, ERROR_DATA, "the name %.120s is too long for a socket", name);
    if (directory < 0 || fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        chmod(path, 0777) < 0 || listen(fd, BACKLOG) < 0)
        return error_set_errno(error, errno, "cannot make the socket of a database");
    return take_fd(&fd);
}

static int add_database(struct databases *databases, const struct run_database *database, struct error *error) {
    AUTO_FREE char *folder = path_join(databases->scratch, database->name);
    if (!database->is_mysql && (directory_make(folder, 0755, error) < 0 || chmod(folder, 0755) < 0))
        return -1;
    int listener = database->is_mysql ? listen_at(databases->scratch, database->name, error)
                                      : listen_at(folder, ".s.PGSQL.5432", error);
    if (listener < 0)
        return -1;
    gateway_add(databases->gateway, listener, database->address, database->port);
    return 0;
}

static int fail(struct error *error, struct failure *failure) {
    failure_set(failure, "UNKNOWN", "A Cloud SQL volume could not be made: %.600s", error->text);
    error_clear(error);
    return -1;
}

static int add_volume(struct instance *instance, const struct json *names, struct failure *failure) {
    struct run_database database;
    struct error error = {0};
    if (!instance->databases) {
        instance->databases = memory_allocate(1, sizeof(*instance->databases));
        instance->databases->store = instance->run->cloud->store;
        instance->databases->gateway = gateway_new(instance->run);
        if (store_scratch(instance->databases->store, &instance->databases->scratch, &error) < 0)
            return fail(&error, failure);
    }
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_at(names, i));
        if (!find(instance->run->cloud, name, &database)) {
            failure_set(failure, "UNKNOWN",
                        "The local cloud has no database for the Cloud SQL instance %.200s: start it with --cloudsql "
                        "%.200s=127.0.0.1:5432, where one listens that stands for it.",
                        name, name);
            return -1;
        }
        if (add_database(instance->databases, &database, &error) < 0)
            return fail(&error, failure);
    }
    return 0;
}

int databases_open(struct instance *instance, const struct json *document, struct failure *failure) {
    const struct json *volumes = json_get(document, "volumes");
    for (size_t i = 0; i < json_count(volumes); i++) {
        const struct json *source = json_get(json_at(volumes, i), "cloudSqlInstance");
        if (source && add_volume(instance, json_get(source, "instances"), failure) < 0)
            return -1;
    }
    if (instance->databases && !gateway_start(instance->databases->gateway)) {
        failure_set(failure, "UNKNOWN", "The local cloud has no room for one more thread.");
        return -1;
    }
    return 0;
}

void databases_close(struct databases **pointer) {
    struct databases *databases = *pointer;
    *pointer = NULL;
    if (!databases)
        return;
    gateway_close(&databases->gateway);
    if (databases->scratch)
        store_scratch_remove(databases->store, databases->scratch);
    free(databases->scratch);
    free(databases);
}

const char *databases_directory(const struct databases *databases) {
    return databases->scratch;
}
