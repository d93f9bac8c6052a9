#include "tools/pl-serve/command.h"

static const char *const networks[] = {"own", "host", NULL};

static const struct option options[] = {
    {.name = "up",
     .help = "serve until Ctrl-C, and show what the container prints",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(up)},
    {.name = "terminal",
     .help = "open a terminal in a new container of it: a shell, or the COMMAND",
     .kind = OPTION_FLAG,
     .variable = "",
     INTO(terminal)},
    {.name = "port",
     .value_name = "[PORT][:CONTAINER]",
     .help = "the port on 127.0.0.1, without it a free one; and the one that the container is told in $PORT, without "
             "it 8080",
     .kind = OPTION_TEXT,
     .variable = "",
     INTO(port)},
    {.name = "env",
     .value_name = "NAME=VALUE",
     .help = "a variable of the container",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     .variable = "",
     INTO(environment)},
    {.name = "env-file",
     .value_name = "FILE",
     .help = "a file of NAME=VALUE lines, as pl-run-deploy reads it; --env comes last",
     .kind = OPTION_FILE,
     .traits = OPTION_REPEATABLE,
     .variable = "",
     INTO(environment_files)},
    {.name = "health",
     .value_name = "PATH",
     .help = "ready is who answers a GET of this path with 200 to 399; without it who listens",
     .kind = OPTION_TEXT,
     INTO(health)},
    {.name = "startup-time",
     .value_name = "TIME",
     .help = "how long it may take until it is ready",
     .kind = OPTION_DURATION,
     .fallback = "60s",
     INTO(startup_time)},
    {.name = "memory",
     .value_name = "SIZE",
     .help = "how much memory it may take; without it no limit",
     .kind = OPTION_SIZE,
     INTO(memory)},
    {.name = "network",
     .value_name = "WHICH",
     .help = "own: nothing of the host and of the world is reached from it; host: it has the host's network, for what "
             "needs the world, and a free port in $PORT; without it host for --terminal, else own",
     .kind = OPTION_CHOICE,
     .choices = networks,
     .variable = "",
     INTO(network)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-build ./backend | pl-serve --up --port 8080", "look at it in a browser"},
    {"pl-build ./backend | pl-serve -- pytest tests/integration", "a test against the real service, which reads "
                                                                  "$PL_SERVICE_URL"},
    {"pl-build ./backend | pl-serve --health /ready -- sh -c 'curl -fsS $PL_SERVICE_URL/items'",
     "wait until it says that it is ready"},
    {"pl-build ./backend | pl-serve --terminal", "a shell in it, of which nothing is kept"},
    {"pl-from python:3.12-slim | pl-serve --terminal -- python3", "another program on the terminal"},
    {"{ pl-build ./web; pl-build ./api; } | pl-serve -- ./smoke-test", "two: $WEB_URL and $API_URL"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "bad record, or a container for another architecture"},
    {66, "no record arrived"},
    {69, "a registry does not answer"},
    {70, "the container ended before it was ready, or was not ready in time"},
    {73, "the store cannot be written"},
    {78, "there is no such command, no containers can be run here, or --terminal without a terminal"},
    {0},
};

static const char *const see_also[] = {"pl-build", "pl-with", "pl-test", "pl-local", NULL};

const struct command pl_serve_command = {
    .name = "pl-serve",
    .summary = "run a container as a service on loopback, for a person or while a command runs",
    .synopsis = "[CONTAINER...] [-- COMMAND [ARGUMENT...]]",
    .description =
        "Reads container records and starts each as Cloud Run does: its entrypoint, with $PORT, on which it has to "
        "listen on all addresses. What connects to 127.0.0.1 at the service's port comes to it. Nothing that it writes "
        "is kept.\n\n"
        "With --up it is served until Ctrl-C; the record of the service is printed when it is ready. When a container "
        "ends by itself, its exit code is that of pl-serve.\n\n"
        "With a COMMAND, that is run on the host when all are ready, with PL_SERVICE_URL, PL_SERVICE_HOST and "
        "PL_SERVICE_PORT of the first, and NAME_URL of each that has a name. When it ends, the containers are stopped, "
        "and its exit code is that of pl-serve.\n\n"
        "With --terminal nothing is served: a shell of the image, or the COMMAND, is run in a new container on a "
        "terminal of its own, with the image's user, directory and variables, and what it prints comes to your "
        "terminal "
        "as it is. Its exit code is that of pl-serve. Standard input and output stay pipes: it is /dev/tty that is "
        "used.\n\n"
        "A container is stopped with SIGTERM, and ten seconds later with SIGKILL. It never outlives pl-serve, also "
        "when that is killed.",
    .reads = "container",
    .writes = "service",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 16,
    .takes_rest = true,
    .operand_kind = OPTION_TEXT,
    .operand_values = "containers",
    .arguments_size = sizeof(struct arguments),
};
