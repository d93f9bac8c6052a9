#include "chain/session.h"
#include "gcp/run/workload.h"
#include "tools/pl-serve/caller.h"
#include "tools/pl-serve/served.h"
#include "tools/pl-serve/terminal.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum { PORT_DEFAULT = 8080, PORT_MOST = 65535, LOOK_MILLISECONDS = 20, COMMAND_GRACE = 10 };

struct serving {
    struct command_context *context;
    const struct arguments *arguments;
    struct chain_session session;
    struct caller caller;
    struct served services[SERVICES_MOST];
    size_t count;
};

/* ---- the line ---- */

static int read_port(const char *text, size_t length, unsigned *port, struct error *error) {
    AUTO_FREE char *digits = text_copy_length(text, length);
    uint64_t number;
    if (!length)
        return 0;
    if (!text_to_u64(digits, PORT_MOST, &number) || number == 0)
        return error_set(error, ERROR_USAGE, "--port: \"%s\" is no port", digits);
    *port = (unsigned)number;
    return 0;
}

/* 9000, 9000:80, :80 */
static int read_ports(const char *given, unsigned *host, unsigned *container, struct error *error) {
    *host = 0;
    *container = PORT_DEFAULT;
    if (!given)
        return 0;
    size_t length = strcspn(given, ":");
    if (read_port(given, length, host, error) < 0)
        return -1;
    return given[length] ? read_port(given + length + 1, strlen(given + length + 1), container, error) : 0;
}

/* What the line names comes last, and so wins. */
static int read_environment(struct arguments *arguments, struct error *error) {
    AUTO_LIST struct text_list all = {0};
    for (size_t i = 0; i < arguments->environment_files.count; i++)
        if (environment_file_read(arguments->environment_files.items[i], &all, error) < 0)
            return -1;
    text_list_add_all(&all, &arguments->environment);
    text_list_release(&arguments->environment);
    arguments->environment = all;
    all = (struct text_list){0};
    return 0;
}

static int check_environment(const struct text_list *environment, struct error *error) {
    for (size_t i = 0; i < environment->count; i++) {
        const char *pair = environment->items[i];
        if (*pair == '=' || !strchr(pair, '='))
            return error_set(error, ERROR_USAGE, "--env: \"%s\" is not NAME=VALUE", pair);
        if (text_starts_with(pair, "PORT=")) {
            error_set(error, ERROR_USAGE, "--env: PORT is told by pl-serve, as by Cloud Run");
            return error_next(error, "say which one: --port :%s", pair + strlen("PORT="));
        }
    }
    return 0;
}

static int check(const struct serving *serving, struct error *error) {
    const struct arguments *arguments = serving->arguments;
    if (arguments->up && serving->context->rest_count)
        return error_set(error, ERROR_USAGE, "--up and a command exclude each other");
    if (arguments->terminal && (arguments->up || arguments->port || arguments->health))
        return error_set(error, ERROR_USAGE, "--terminal serves nothing: --up, --port and --health do not go with it");
    if (!arguments->up && !arguments->terminal && !serving->context->rest_count) {
        error_set(error, ERROR_USAGE, "serve until when?");
        return error_next(error,
                          "until Ctrl-C: pl-serve --up; while a command runs: pl-serve -- COMMAND; a shell in it: "
                          "pl-serve --terminal");
    }
    if (arguments->health && *arguments->health != '/')
        return error_set(error, ERROR_USAGE, "--health: a path begins with \"/\"");
    return check_environment(&arguments->environment, error);
}

/* ---- the services ---- */

static int prepare_all(struct serving *serving, const struct record_list *list, struct error *error) {
    unsigned host, port;
    if (read_ports(serving->arguments->port, &host, &port, error) < 0)
        return -1;
    if (list->count > SERVICES_MOST)
        return error_set(error, ERROR_USAGE, "got %zu containers; at most %d are served", list->count, SERVICES_MOST);
    if (host && list->count > 1)
        return error_set(error, ERROR_USAGE, "--port %u is for one container, and there are %zu", host, list->count);
    if (serving->arguments->terminal && list->count > 1)
        return error_set(error, ERROR_USAGE, "--terminal is for one container, and there are %zu", list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct served *service = &serving->services[serving->count];
        *service = (struct served){.engine = &serving->session.engine,
                                   .arguments = serving->arguments,
                                   .step = -1,
                                   .door = {.listener = -1, .network = -1},
                                   .output = {.fd = -1, .step = -1, .lock = PTHREAD_MUTEX_INITIALIZER}};
        if (artifact_open(service->engine, &list->items[i], &service->artifact, error) < 0)
            return -1;
        serving->count++;
        if (served_prepare(service, host, port, error) < 0)
            return -1;
    }
    return 0;
}

static int start_all(struct serving *serving, struct error *error) {
    for (size_t i = 0; i < serving->count; i++)
        if (served_start(&serving->services[i], error) < 0)
            return -1;
    for (size_t i = 0; i < serving->count; i++)
        if (served_open(&serving->services[i], error) < 0)
            return -1;
    for (size_t i = 0; i < serving->count; i++)
        if (served_wait(&serving->services[i], error) < 0)
            return -1;
    return 0;
}

static char *url_of(const struct served *service) {
    return text_format("http://127.0.0.1:%u", service->door.port);
}

/* ---- --up ---- */

static int write_records(struct serving *serving, struct error *error) {
    struct record_list out = {0};
    for (size_t i = 0; i < serving->count; i++) {
        const struct served *service = &serving->services[i];
        AUTO_FREE char *url = url_of(service);
        struct record record = record_new(RECORD_SERVICE, url);
        json_set_text(record.json, "name", service->name);
        json_append_text(json_need_array(record.json, "from"), json_get_text(service->artifact.record, "ref", ""));
        record_list_add(&out, record);
    }
    int result = command_write_records(serving->context, &out, error);
    record_list_release(&out);
    return result;
}

static void wait_a_little(void) {
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MILLISECONDS * 1000000}, NULL);
}

/* Records end what is told of the steps before them: what the containers print then goes on in a step of its own. */
static int tell_up(struct serving *serving, struct error *error) {
    struct progress *progress = serving->context->progress;
    for (size_t i = 0; i < serving->count; i++) {
        output_pause(&serving->services[i].output);
        progress_end(progress, serving->services[i].step, PROGRESS_MADE);
    }
    int result = write_records(serving, error);
    for (size_t i = 0; i < serving->count; i++) {
        struct served *service = &serving->services[i];
        service->step = progress_begin(progress, "%s is up", service->name);
        progress_show(progress, service->step);
        output_resume(&service->output, service->step);
    }
    return result;
}

static int serve_until_the_end(struct serving *serving, struct error *error) {
    if (tell_up(serving, error) < 0)
        return -1;
    while (!progress_cancelled(serving->context->progress)) {
        for (size_t i = 0; i < serving->count; i++) {
            int status;
            if (!served_ended(&serving->services[i], &status))
                continue;
            AUTO_FREE char *words = served_end_words(&serving->services[i], status);
            if (status == 0) {
                progress_note(serving->context->progress, "%s", words);
                return 0;
            }
            error_set(error, ERROR_STEP, "%s", words);
            error->exit_code = status;
            return -1;
        }
        wait_a_little();
    }
    return 0;
}

/* ---- a command ---- */

/* "shop-api" gives SHOP_API_URL; a name that no variable can have gives none, and of two with one name the first does.
 */
static void add_named_url(struct text_list *environment, const struct served *service, const char *url) {
    AUTO_FREE char *variable = text_copy(service->name);
    for (char *at = variable; *at; at++) {
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_')
            return;
        *at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
    }
    AUTO_FREE char *begin = text_format("%s_URL=", variable);
    for (size_t i = 0; i < environment->count; i++)
        if (text_starts_with(environment->items[i], begin))
            return;
    if (!isdigit((unsigned char)*variable))
        text_list_add_format(environment, "%s_URL=%s", variable, url);
}

static void make_environment(const struct serving *serving, struct text_list *environment) {
    const struct served *first = &serving->services[0];
    text_list_add_format(environment, "PL_SERVICE_URL=http://127.0.0.1:%u", first->door.port);
    text_list_add(environment, "PL_SERVICE_HOST=127.0.0.1");
    text_list_add_format(environment, "PL_SERVICE_PORT=%u", first->door.port);
    for (size_t i = 0; i < serving->count; i++) {
        AUTO_FREE char *url = url_of(&serving->services[i]);
        add_named_url(environment, &serving->services[i], url);
    }
}

static void tell_the_last_words(struct serving *serving) {
    for (size_t i = 0; i < serving->count; i++) {
        struct served *service = &serving->services[i];
        AUTO_FREE char *tail = output_tail(&service->output);
        AUTO_LIST struct text_list lines = {0};
        if (!*tail)
            continue;
        text_list_split(&lines, tail, '\n');
        progress_note(serving->context->progress, "the last that %s printed:", service->name);
        for (size_t j = 0; j < lines.count; j++)
            progress_note(serving->context->progress, "  │ %s", lines.items[j]);
    }
}

/* Said once, when one ends while the command runs. */
static void look_at_services(struct serving *serving, bool *told) {
    int status;
    for (size_t i = 0; i < serving->count && !*told; i++)
        if (served_ended(&serving->services[i], &status)) {
            AUTO_FREE char *words = served_end_words(&serving->services[i], status);
            progress_note(serving->context->progress, "%s while the command runs", words);
            *told = true;
        }
}

static int serve_a_command(struct serving *serving, struct error *error) {
    AUTO_LIST struct text_list environment = {0};
    bool told = false;
    int status;
    make_environment(serving, &environment);
    for (size_t i = 0; i < serving->count; i++) {
        struct served *service = &serving->services[i];
        output_hide(&service->output);
        progress_end(serving->context->progress, service->step, PROGRESS_MADE);
        service->step = -1;
    }
    /* From here on standard output is the command's. */
    if (command_print(serving->context, "", error) < 0 || caller_begin(&serving->caller, &environment, error) < 0)
        return -1;
    while (!caller_ended(&serving->caller, &status)) {
        if (progress_cancelled(serving->context->progress))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        look_at_services(serving, &told);
        wait_a_little();
    }
    if (status == 0)
        return 0;
    tell_the_last_words(serving);
    error_set(error, ERROR_STEP, "%s ended with exit code %d", serving->context->rest[0], status);
    error->exit_code = status;
    return -1;
}

/* ---- all ---- */

static int serve(struct serving *serving, struct error *error) {
    struct record_list list = {0};
    int result = command_read_records(serving->context, RECORD_CONTAINER, NULL, NULL, &list, error);
    if (result == 0)
        result = prepare_all(serving, &list, error);
    record_list_release(&list);
    if (result == 0 && serving->arguments->terminal)
        return terminal_serve(serving->context, &serving->services[0], error);
    if (result < 0 || start_all(serving, error) < 0)
        return -1;
    return serving->arguments->up ? serve_until_the_end(serving, error) : serve_a_command(serving, error);
}

static int run(struct command_context *context, void *arguments, struct error *error) {
    struct serving serving = {.context = context, .arguments = arguments, .caller = {.go = -1}};
    int result = read_environment(arguments, error);
    if (result == 0)
        result = check(&serving, error);
    if (result == 0 && context->rest_count && !serving.arguments->terminal)
        result = caller_prepare(&serving.caller, context->rest, error);
    if (result == 0)
        result = chain_open(&serving.session, context, &serving.arguments->credentials, error);
    if (result == 0)
        result = serve(&serving, error);
    caller_stop(&serving.caller, COMMAND_GRACE);
    for (size_t i = 0; i < serving.count; i++)
        served_ask(&serving.services[i]);
    for (size_t i = 0; i < serving.count; i++)
        served_stop(&serving.services[i], result == 0                      ? PROGRESS_MADE
                                          : error->kind == ERROR_CANCELLED ? PROGRESS_CANCELLED
                                                                           : PROGRESS_FAILED);
    chain_close(&serving.session);
    return result;
}

int main(int argc, char **argv) {
    return command_main(&pl_serve_command, run, argc, argv);
}
