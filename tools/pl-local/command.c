#include "tools/pl-local/command.h"

static const char *const issuers[] = {"github", "gitlab", NULL};

static const struct option options[] = {
    {.name = "state",
     .value_name = "DIR",
     .help = "where the cloud keeps its state; without it ~/.local/state/pl-local",
     .kind = OPTION_DIRECTORY,
     .variable = "PL_LOCAL_STATE",
     INTO(state)},
    {.letter = 'p',
     .name = "port",
     .value_name = "PORT",
     .help = "start: the port on 127.0.0.1; without it a free one, which is kept",
     .kind = OPTION_NUMBER,
     .variable = "PL_LOCAL_PORT",
     INTO(port)},
    {.name = "project",
     .value_name = "ID",
     .help = "start: the id of the one project; without it the last one, or pl-local",
     .kind = OPTION_TEXT,
     .variable = "PL_LOCAL_PROJECT",
     INTO(project)},
    {.name = "startup-time",
     .value_name = "TIME",
     .help = "start: how long a container may take until it listens, unless its startup probe says otherwise",
     .kind = OPTION_DURATION,
     .variable = "PL_LOCAL_STARTUP_TIME",
     .fallback = "240",
     INTO(startup_time)},
    {.name = "idle-time",
     .value_name = "TIME",
     .help = "start: how long an instance is kept without a request, beyond the minimum of its service",
     .kind = OPTION_DURATION,
     .variable = "PL_LOCAL_IDLE_TIME",
     .fallback = "900",
     INTO(idle_time)},
    {.name = "queue-time",
     .value_name = "TIME",
     .help = "start: how long a request waits for an instance when the maximum is reached, before it is answered 429",
     .kind = OPTION_DURATION,
     .variable = "PL_LOCAL_QUEUE_TIME",
     .fallback = "10",
     INTO(queue_time)},
    {.name = "cloudsql",
     .value_name = "INSTANCE=ADDRESS:PORT",
     .help = "start: the database of this machine that a Cloud SQL instance stands for: "
             "PROJECT:REGION:NAME=127.0.0.1:5432, or =mysql:127.0.0.1:3306",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     .variable = "PL_LOCAL_CLOUDSQL",
     INTO(databases)},
    {.name = "token-lifetime",
     .value_name = "TIME",
     .help = "start: how long tokens live at most, to see what happens when they end",
     .kind = OPTION_DURATION,
     .variable = "PL_LOCAL_TOKEN_LIFETIME",
     .fallback = "3600",
     INTO(token_lifetime)},
    {.name = "strict",
     .help = "start: nobody calls a service without permission, not even who runs the cloud",
     .kind = OPTION_FLAG,
     .variable = "PL_LOCAL_STRICT",
     INTO(strict)},
    {.letter = 'f',
     .name = "follow",
     .help = "logs: go on printing what comes",
     .kind = OPTION_FLAG,
     .variable = "PL_LOCAL_FOLLOW",
     INTO(follow)},
    {.letter = 'n',
     .name = "lines",
     .value_name = "N",
     .help = "logs: the last N lines",
     .kind = OPTION_NUMBER,
     .variable = "PL_LOCAL_LINES",
     .fallback = "1000",
     INTO(lines)},
    {.name = "repository",
     .value_name = "OWNER/NAME",
     .help = "federation: whose jobs may deploy",
     .kind = OPTION_TEXT,
     .variable = "PL_LOCAL_REPOSITORY",
     INTO(repository)},
    {.name = "issuer",
     .value_name = "NAME",
     .help = "federation: where the jobs run",
     .kind = OPTION_CHOICE,
     .choices = issuers,
     .fallback = "github",
     .variable = "PL_LOCAL_ISSUER",
     INTO(issuer)},
    {.name = "direct",
     .help = "federation: the jobs themselves get the roles, without a service account in between",
     .kind = OPTION_FLAG,
     .variable = "PL_LOCAL_DIRECT",
     INTO(direct)},
    {.name = "claim",
     .value_name = "NAME=VALUE",
     .help = "federation: what the job's identity token says, such as environment=production, ref=refs/heads/main or "
             "event_name=pull_request",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     .variable = "PL_LOCAL_CLAIM",
     INTO(claims)},
    {.name = "unset",
     .help = "env: lines that take the settings away again",
     .kind = OPTION_FLAG,
     .variable = "PL_LOCAL_UNSET",
     INTO(unset)},
    {0},
};

static const struct command_example examples[] = {
    {"eval \"$(pl-local start)\"", "start it and point pl and this shell at it"},
    {"pl-build ./backend | pl-push-image --repo demo | pl-run-deploy --region us-central1", "then deploy as always"},
    {"pl-local status", "whether it runs, and the URLs of the services"},
    {"pl-local logs backend -f", "what a service prints"},
    {"eval \"$(pl-local federation --repository shop/backend)\"", "be a job of GitHub Actions: no key, OIDC instead"},
    {"eval \"$(pl-local env --unset)\"; pl-local stop", "back to Google's cloud"},
    {0},
};

static const struct command_exit exits[] = {
    {1, "status: it does not run"},
    {65, "reset: the directory is no state of a local cloud"},
    {66, "logs: no such service or job"},
    {69, "env, federation: it does not run"},
    {73, "the state cannot be written"},
    {78, "start: it runs already, with other settings"},
    {124, "it did not start or stop in time"},
    {0},
};

static const char *const see_also[] = {"pl-push-image", "pl-run-deploy", "pl-firebase-deploy", NULL};
static const struct command_word words[] = {
    {.name = "start", .help = "start the cloud and print the settings that point at it", .kind = OPTION_TEXT},
    {.name = "env", .help = "print the settings once more", .kind = OPTION_TEXT},
    {.name = "status", .help = "whether it runs, and what is in it", .kind = OPTION_TEXT},
    {.name = "logs", .help = "what a service or a job printed", .kind = OPTION_TEXT, .values = "local-workloads"},
    {.name = "federation", .help = "let the jobs of a repository deploy without a key", .kind = OPTION_TEXT},
    {.name = "stop", .help = "end the cloud and every container", .kind = OPTION_TEXT},
    {.name = "reset", .help = "stop it and remove what is in it", .kind = OPTION_TEXT},
    {0},
};

const struct command pl_local_command = {
    .name = "pl-local",
    .summary = "a complete local cloud: registry, credentials, Cloud Run, Hosting, sign-in",
    .synopsis = "start|env|status|logs NAME|federation|stop|reset",
    .description =
        "start returns when the cloud is ready and prints lines that point pl at it: eval \"$(pl-local start)\". "
        "Where it runs already, it says the same again. env prints them once more. Everything listens on 127.0.0.1 "
        "only, and every request needs a token, as in Google's cloud.\n\n"
        "status tells whether it runs and which services, jobs and sites there are. logs prints what a service or a "
        "job printed. stop "
        "ends the "
        "cloud and every container; its state stays and the next start carries on with it, also after a crash. reset "
        "stops it and removes images, services, sites, users, logs and keys.\n\n"
        "federation sets up what a repository's jobs need to deploy without a key (a workload identity pool and "
        "provider, a service account, its roles) and prints the environment of such a job, whose identity tokens the "
        "local cloud makes in GitHub's or GitLab's place.\n\n"
        "Services run in the same containers that pl-build uses, each in a network of its own, and answer at "
        "http://127.0.0.1:PORT, one port each. A container has 240 seconds to listen on $PORT. Sites answer at "
        "http://SITE.localhost:PORT, which browsers and curl find on this machine. Firebase's JavaScript SDK signs in "
        "anonymously when its auth emulator is the URL of this cloud.",
    .reads = NULL,
    .writes = NULL,
    .options = options,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 1,
    .operands_maximum = 2,
    .operand_kind = OPTION_CHOICE,
    .words = words,
    .arguments_size = sizeof(struct arguments),
};
