/* Settings of the image: nothing is run or laid. */
#include "common/base/text.h"
#include "common/command/source.h"
#include "common/file/file.h"
#include "engine/dockerfile/expand.h"
#include "tools/pl-with/with.h"

#include <signal.h>
#include <string.h>

enum { ENV_FILE_LIMIT = 1024 * 1024, NAME_LIMIT = 200 };

static struct text_list operand_list(const struct with *with) {
    struct text_list list = {0};
    for (size_t i = 0; i < with->operand_count; i++)
        text_list_add(&list, with->operands[i]);
    return list;
}

static int set_list(struct with *with, const char *key, const struct text_list *items, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    struct json *list = json_need_array(change, key);
    for (size_t i = 0; i < items->count; i++)
        json_append_text(list, items->items[i]);
    return with_change(with, change, error);
}

static int set_text(struct with *with, const char *key, const char *value, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    json_set_text(change, key, value);
    return with_change(with, change, error);
}

/* ---- variables ---- */

static int expand_values(const struct with *with, struct text_list *pairs, struct error *error) {
    const struct json *environment = json_get_path(with->artifact.container.config, "config.Env");
    AUTO_LIST struct text_list known = {0};
    const struct text_list none = {0};
    for (size_t i = 0; i < json_count(environment); i++)
        if (json_text(json_at(environment, i)))
            text_list_add(&known, json_text(json_at(environment, i)));
    for (size_t i = 0; i < pairs->count; i++) {
        char *expanded = variables_expand(pairs->items[i], '\\', false, &known, &none, error);
        if (!expanded)
            return -1;
        free(pairs->items[i]);
        pairs->items[i] = expanded;
    }
    return 0;
}

int with_env(struct with *with, struct error *error) {
    AUTO_LIST struct text_list pairs = operand_list(with);
    if (source_check_pairs(&pairs, "env", error) < 0 ||
        (with->arguments->expand && expand_values(with, &pairs, error) < 0))
        return -1;
    return set_list(with, "Env", &pairs, error);
}

/* NAME=VALUE, with quotes around the value taken away; an empty line or one that begins with # is none. */
static int add_line(struct text_list *pairs, char *line, unsigned number, struct error *error) {
    char *at = line + strspn(line, " \t");
    size_t length = strlen(at);
    while (length > 0 && strchr(" \t\r", at[length - 1]))
        at[--length] = '\0';
    if (!*at || *at == '#')
        return 0;
    if (text_starts_with(at, "export "))
        at += strlen("export ");
    char *equals = strchr(at, '=');
    if (!equals || equals == at)
        return error_set(error, ERROR_DATA, "line %u is not NAME=VALUE", number);
    char *value = equals + 1;
    size_t size = strlen(value);
    if (size >= 2 && (*value == '"' || *value == '\'') && value[size - 1] == *value) {
        value[size - 1] = '\0';
        value++;
    }
    text_list_add_format(pairs, "%.*s=%s", (int)(equals - at), at, value);
    return 0;
}

int with_env_file(struct with *with, struct error *error) {
    struct store *store = with->session.engine.store;
    AUTO_OPERAND struct operand operand = {0};
    AUTO_BUFFER struct buffer text = BUFFER(ENV_FILE_LIMIT);
    AUTO_LIST struct text_list lines = {0}, pairs = {0};
    struct selection_options options = with_selection(with);
    if (operand_need(&with->session.engine, with->operands[0], &options, false, &operand, error) < 0 ||
        store_read(store, &operand_file(&operand)->digest, &text, error) < 0)
        return -1;
    text_list_split(&lines, buffer_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (add_line(&pairs, lines.items[i], (unsigned)i + 1, error) < 0)
            return error_wrap(error, "%s", with->operands[0]);
    return set_list(with, "Env", &pairs, error);
}

/* ---- names and values ---- */

static int set_pairs(const struct with *with, struct json *object, struct error *error) {
    AUTO_LIST struct text_list pairs = operand_list(with);
    if (source_check_pairs(&pairs, with->word->name, error) < 0)
        return -1;
    for (size_t i = 0; i < pairs.count; i++) {
        char *equals = strchr(pairs.items[i], '=');
        *equals = '\0';
        json_set_text(object, pairs.items[i], equals + 1);
    }
    return 0;
}

int with_label(struct with *with, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    if (set_pairs(with, json_need_object(change, "Labels"), error) < 0)
        return -1;
    return with_change(with, change, error);
}

/* They belong to the manifest, which is written when the image is pushed or exported: till then the record has them. */
int with_annotation(struct with *with, struct error *error) {
    return set_pairs(with, json_need_object(with->artifact.record, "annotations"), error);
}

static int set_keys(struct with *with, const char *key, const struct text_list *names, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    struct json *object = json_need_object(change, key);
    for (size_t i = 0; i < names->count; i++)
        json_set(object, names->items[i], json_new_object());
    return with_change(with, change, error);
}

int with_port(struct with *with, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    for (size_t i = 0; i < with->operand_count; i++) {
        const char *port = with->operands[i], *slash = strchr(port, '/');
        AUTO_FREE char *number = text_copy_length(port, slash ? (size_t)(slash - port) : strlen(port));
        uint64_t value;
        if (!text_to_u64(number, 65535, &value) || value == 0 ||
            (slash && !text_equal(slash, "/tcp") && !text_equal(slash, "/udp")))
            return error_set(error, ERROR_USAGE, "\"%.60s\" is no port such as 8080 or 53/udp", port);
        text_list_add_format(&names, "%s%s", port, slash ? "" : "/tcp");
    }
    return set_keys(with, "ExposedPorts", &names, error);
}

int with_volume(struct with *with, struct error *error) {
    AUTO_LIST struct text_list names = {0};
    for (size_t i = 0; i < with->operand_count; i++) {
        char *path;
        if (with_path(with, with->operands[i], &path, error) < 0)
            return -1;
        text_list_take(&names, path);
    }
    return set_keys(with, "Volumes", &names, error);
}

int with_user(struct with *with, struct error *error) {
    const char *user = with->operands[0];
    if (!*user || strpbrk(user, " \t\n"))
        return error_set(error, ERROR_USAGE, "\"%.60s\" is no user such as app, 1000 or 1000:1000", user);
    return set_text(with, "User", user, error);
}

/* "SIGTERM", "TERM", "15", "SIGRTMIN+3" */
static bool is_signal(const char *text) {
    uint64_t number;
    const char *name = text_starts_with(text, "SIG") ? text + 3 : text;
    if (text_to_u64(text, (uint64_t)SIGRTMAX, &number))
        return number > 0;
    if (text_starts_with(name, "RTMIN") || text_starts_with(name, "RTMAX"))
        return true;
    for (int i = 1; i < NSIG; i++)
        if (text_equal(sigabbrev_np(i), name))
            return true;
    return false;
}

int with_stop_signal(struct with *with, struct error *error) {
    const char *signal = with->operands[0];
    if (!is_signal(signal))
        return error_set(error, ERROR_USAGE, "\"%.60s\" is no signal such as SIGTERM", signal);
    return set_text(with, "StopSignal", signal, error);
}

/* ---- commands ---- */

/* As with Docker, a new entrypoint takes the arguments away that were for the old one. */
int with_entrypoint(struct with *with, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    AUTO_LIST struct text_list argv = {0};
    if (with_argv(with, &argv, error) < 0)
        return -1;
    struct json *list = json_need_array(change, "Entrypoint");
    for (size_t i = 0; i < argv.count; i++)
        json_append_text(list, argv.items[i]);
    if (!with->arguments->keep_cmd)
        json_set(change, "Cmd", json_new_null());
    return with_change(with, change, error);
}

int with_cmd(struct with *with, struct error *error) {
    AUTO_LIST struct text_list argv = {0};
    if (with_argv(with, &argv, error) < 0)
        return -1;
    return set_list(with, "Cmd", &argv, error);
}

/* "90s", "2m", "500ms" in nanoseconds. */
static int set_time(struct json *health, const char *key, const char *text, struct error *error) {
    static const struct {
        const char *unit;
        int64_t size;
    } units[] = {{"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};
    uint64_t number;
    size_t digits = text ? strspn(text, "0123456789") : 0;
    if (!text)
        return 0;
    AUTO_FREE char *value = text_copy_length(text, digits);
    for (size_t i = 0; text_to_u64(value, 1000000, &number) && i < ARRAY_LENGTH(units); i++)
        if (text_equal(text + digits, units[i].unit)) {
            json_set_integer(health, key, (int64_t)number * units[i].size);
            return 0;
        }
    return error_set(error, ERROR_USAGE, "\"%.60s\" is no time such as 30s, 2m or 500ms", text);
}

int with_health_check(struct with *with, struct error *error) {
    const struct arguments *arguments = with->arguments;
    AUTO_JSON struct json *change = json_new_object();
    AUTO_LIST struct text_list argv = {0};
    struct json *health = json_need_object(change, "Healthcheck"), *test = json_need_array(health, "Test");
    if (arguments->none && (arguments->shell || with->rest_count > 0))
        return error_set(error, ERROR_USAGE, "--none goes without a command");
    if (!arguments->none && with_argv(with, &argv, error) < 0)
        return -1;
    json_append_text(test, arguments->none ? "NONE" : arguments->shell ? "CMD-SHELL" : "CMD");
    if (arguments->shell)
        json_append_text(test, arguments->shell);
    for (size_t i = 0; !arguments->shell && i < argv.count; i++)
        json_append_text(test, argv.items[i]);
    if (set_time(health, "Interval", arguments->interval, error) < 0 ||
        set_time(health, "Timeout", arguments->timeout, error) < 0 ||
        set_time(health, "StartPeriod", arguments->start_period, error) < 0)
        return -1;
    if (arguments->retries >= 0)
        json_set_integer(health, "Retries", arguments->retries);
    return with_change(with, change, error);
}

/* ---- of the record ---- */

int with_timestamps(struct with *with, struct error *error) {
    uint64_t seconds;
    if (!text_to_u64(with->operands[0], 253402300799ULL, &seconds))
        return error_set(error, ERROR_USAGE, "\"%.60s\" is no number of seconds since 1970", with->operands[0]);
    json_set_integer(with->artifact.record, "epoch", (int64_t)seconds);
    return 0;
}

int with_name(struct with *with, struct error *error) {
    const char *name = with->operands[0];
    bool is_file = with->artifact.type == RECORD_FILE;
    if (!*name || strlen(name) > NAME_LIMIT || (is_file && (strchr(name, '/') || text_starts_with(name, ".."))))
        return error_set(error, ERROR_USAGE, "\"%.100s\" cannot be a name", name);
    json_set_text(with->artifact.record, "name", name);
    return 0;
}
