#include "engine/stacks/start.h"

#include "common/base/text.h"

#include <ctype.h>
#include <string.h>

static bool is_simple(const char *command) {
    size_t first = strcspn(command, " \t");
    bool assigns = memchr(command, '=', first) != NULL;
    return !assigns && !strpbrk(command, ";&|<>()\n") && !text_starts_with(command, "cd ") &&
           !text_starts_with(command, "exec ");
}

void start_add_shell(struct text_list *command, const char *text) {
    text_list_add(command, "/bin/sh");
    text_list_add(command, "-c");
    text_list_add_format(command, "%s%s", is_simple(text) ? "exec " : "", text);
}

unsigned start_literal_port(const char *command) {
    for (const char *at = command; *at; at++) {
        size_t skip = 0;
        if (*at == ':')
            skip = 1;
        else if (text_starts_with(at, "--port") && (at[6] == ' ' || at[6] == '='))
            skip = 7;
        else if (text_starts_with(at, " -p "))
            skip = 4;
        size_t digits = skip ? strspn(at + skip, "0123456789") : 0;
        if (digits < 2 || digits > 5 || isalnum((unsigned char)at[skip + digits]))
            continue;
        AUTO_FREE char *text = text_copy_length(at + skip, digits);
        uint64_t port;
        if (text_to_u64(text, 65535, &port) && port > 0)
            return (unsigned)port;
    }
    return 0;
}

bool start_names_program(const char *command, const char *program) {
    size_t length = strlen(program);
    for (const char *at = strstr(command, program); at; at = strstr(at + length, program)) {
        bool begins = at == command || strchr(" \t/;&|", at[-1]);
        if (begins && (at[length] == '\0' || strchr(" \t;&|", at[length])))
            return true;
    }
    return false;
}

void start_take_port(struct stack_plan *plan, const char *command, const char *where) {
    if (strstr(command, "$PORT") || strstr(command, "${PORT") || !start_literal_port(command))
        return;
    plan->port = start_literal_port(command);
    plan_note(plan, "%s names port %u itself: the container cannot be moved to another; $PORT would do", where,
              plan->port);
}

int start_read_port(const struct json *settings, unsigned *port, struct error *error) {
    const struct json *set = json_get(settings, "port");
    *port = STACK_PORT;
    if (!set)
        return 0;
    if (!json_is_integer(set) || json_number(set) < 1 || json_number(set) > 65535)
        return error_set(error, ERROR_DATA, "pl.json: \"port\" must be a number from 1 to 65535");
    *port = (unsigned)json_number(set);
    return 0;
}

int start_read_setting(const struct json *settings, struct text_list *command, const char **text, struct error *error) {
    const struct json *start = json_get(settings, "start");
    size_t before = command->count;
    *text = NULL;
    if (!start)
        return 0;
    if (!text_is_empty(json_text(start))) {
        *text = json_text(start);
        start_add_shell(command, *text);
    }
    for (size_t i = 0; json_is_array(start) && i < json_count(start); i++) {
        const char *word = json_text(json_at(start, i));
        if (!word)
            return error_set(error, ERROR_DATA, "pl.json: \"start\" must be a text or a list of texts");
        text_list_add(command, word);
        *text = *text ? *text : word;
    }
    return command->count > before
               ? 0
               : error_set(error, ERROR_DATA, "pl.json: \"start\" must be a text or a list of texts");
}

char *start_procfile_command(const char *procfile) {
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, procfile, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        if (!text_starts_with(line, "web:"))
            continue;
        line += 4 + strspn(line + 4, " \t");
        size_t length = strlen(line);
        while (length > 0 && isspace((unsigned char)line[length - 1]))
            length--;
        return length > 0 ? text_copy_length(line, length) : NULL;
    }
    return NULL;
}

void start_plan_config(struct stack_plan *plan, const char *directory, struct json *environment,
                       const struct text_list *command, struct json *labels) {
    struct json *config = json_new_object(), *ports = json_new_object(), *words = json_new_array();
    AUTO_FREE char *user = text_format("%d:%d", STACK_USER_ID, STACK_USER_ID);
    AUTO_FREE char *port = text_format("%u/tcp", plan->port), *variable = text_format("PORT=%u", plan->port);
    json_append_text(environment, variable);
    json_set(config, "Env", environment);
    json_set_text(config, "WorkingDir", directory);
    json_set_text(config, "User", user);
    json_set(ports, port, json_new_object());
    json_set(config, "ExposedPorts", ports);
    json_set(config, "Entrypoint", json_new_null());
    for (size_t i = 0; i < command->count; i++)
        json_append_text(words, command->items[i]);
    json_set(config, "Cmd", words);
    json_set(config, "Labels", labels);
    plan_add_step(plan, PLAN_CONFIG, "configure")->config = config;
    plan_note(plan, "listens on port %u, runs as user %d", plan->port, STACK_USER_ID);
}
