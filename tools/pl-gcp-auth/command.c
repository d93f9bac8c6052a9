#include "tools/pl-gcp-auth/command.h"

static const char *const kinds[] = {"access-token", "id-token", NULL};

static const char *const tools[] = {"push-image", "run-deploy", "run-job", "firebase-deploy", NULL};
static const struct command_word words[] = {
    {.name = "get",
     .help = "as a credential helper of docker and podman: the login of a registry",
     .kind = OPTION_TEXT},
    {.name = "store", .help = "as a credential helper: keeps nothing", .kind = OPTION_TEXT},
    {.name = "erase", .help = "as a credential helper: removes nothing", .kind = OPTION_TEXT},
    {.name = "list", .help = "as a credential helper: the registries that it has a login for", .kind = OPTION_TEXT},
    {0},
};

static const struct option options[] = {
    {.letter = 'c',
     .name = "check",
     .help = "show each hop of the way to Google, the claims that are sent, and what may be done; for what is refused "
             "the command that grants it",
     .kind = OPTION_FLAG,
     INTO(check)},
    {.name = "for",
     .value_name = "TOOL",
     .help = "check the permissions of this tool; without it those of all but run-job",
     .kind = OPTION_CHOICE,
     .traits = OPTION_REPEATABLE,
     .choices = tools,
     INTO(tools)},
    {.name = "print",
     .value_name = "KIND",
     .help = "print a token and nothing else; masked in GitHub Actions first, and not to a terminal",
     .kind = OPTION_CHOICE,
     .choices = kinds,
     INTO(print)},
    {.name = "audience",
     .value_name = "AUDIENCE",
     .help = "whom an ID token is for, such as the URL of a service that is called with it",
     .kind = OPTION_TEXT,
     INTO(audience)},
    {.name = "include-email",
     .help = "the ID token says the account's e-mail address",
     .kind = OPTION_FLAG,
     INTO(include_email)},
    {.name = "scope",
     .value_name = "URL",
     .help = "a scope of the access token; without it cloud-platform",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(scopes)},
    {.name = "write-adc",
     .value_name = "FILE",
     .help = "write a credentials file for programs that are not pl's (mode 0600, outside of the workspace), and the "
             "environment that names it: to later steps in GitHub Actions, else as lines for eval",
     .kind = OPTION_FILE,
     INTO(write_adc)},
    {.name = "export",
     .help = "hand the environment on; --no-export writes the file alone",
     .kind = OPTION_FLAG,
     .traits = OPTION_NEGATABLE,
     INTO(export)},
    {.name = "cleanup",
     .help = "remove the file that --write-adc made: that one, or the one of GOOGLE_GHA_CREDS_PATH",
     .kind = OPTION_FLAG,
     INTO(cleanup)},
    {.name = "docker-login",
     .value_name = "HOST",
     .help = "let docker and podman ask pl for the logins of this registry, such as us-central1-docker.pkg.dev; no "
             "token is stored",
     .kind = OPTION_TEXT,
     .values = "registry-hosts",
     .traits = OPTION_REPEATABLE,
     INTO(docker_login)},
    {.name = "force",
     .help = "print a token to a terminal, too; write over a file that is there",
     .kind = OPTION_FLAG,
     INTO(force)},
    {.name = "project",
     .value_name = "ID",
     .help = "the project; without it GOOGLE_CLOUD_PROJECT, then what the credentials say",
     .kind = OPTION_TEXT,
     .values = "projects",
     INTO(project)},
    {.name = "repo",
     .value_name = "REPO",
     .help = "check pushing in this repository of Artifact Registry, not in the whole project",
     .kind = OPTION_TEXT,
     .values = "repositories",
     INTO(repo)},
    {.name = "region",
     .value_name = "REGION",
     .help = "the region of --repo",
     .kind = OPTION_TEXT,
     .values = "regions",
     .fallback = "us-central1",
     INTO(region)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-gcp-auth", "who am I, and from where"},
    {"pl-gcp-auth --check --for push-image --for run-deploy", "what stands in the way of a deployment"},
    {"eval \"$(pl-gcp-auth --write-adc ~/.cache/adc.json)\"; terraform apply",
     "for Google's own clients, until --cleanup"},
    {"pl-gcp-auth --docker-login us-central1-docker.pkg.dev; podman pull us-central1-docker.pkg.dev/…",
     "for docker and podman"},
    {"curl -H \"Authorization: Bearer $(pl-gcp-auth --print access-token)\" https://run.googleapis.com/v2/…",
     "a token for a call by hand"},
    {"pl-gcp-auth --print id-token --audience https://shop-abc.a.run.app",
     "for a service that wants to know who calls"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "a credentials file or an identity token is malformed"},
    {69, "a server does not answer"},
    {75, "a server is overloaded; try again"},
    {76, "a server does not speak its protocol"},
    {77, "there are no credentials, or they are refused"},
    {78, "something is missing or set up wrongly: the message says what, and what to type"},
    {0},
};

static const char *const see_also[] = {"pl-push-image", "pl-run-deploy", "pl-firebase-deploy", "pl-local", NULL};

const struct command pl_gcp_auth_command = {
    .name = "pl-gcp-auth",
    .summary = "find out who you are to Google Cloud, and hand that on",
    .synopsis = "[get|store|erase|list]",
    .description =
        "All tools of pl find their credentials by themselves, in the same way, and mint tokens when they need them: "
        "this tool is for looking, and for programs that are not pl's. Without an option it makes a token, throws it "
        "away, and writes a credential record: the principal, and where it comes from.\n\n"
        "Credentials are looked for in this order: --credentials; --workload-identity-provider with the identity token "
        "of GitHub Actions or of --id-token; the file of GOOGLE_APPLICATION_CREDENTIALS; gcloud's application default "
        "credentials; the metadata server. --impersonate-service-account makes of them a service account's.\n\n"
        "As docker-credential-pl it is a credential helper of docker's: get, store, erase and list are its verbs.",
    .writes = "credential",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_maximum = 1,
    .operand_kind = OPTION_CHOICE,
    .words = words,
    .arguments_size = sizeof(struct arguments),
};
