#include "tools/pl-gcp-auth/command.h"

static const char *const kinds[] = {"access-token", "id-token", NULL};

static const struct option options[] = {
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
    {.name = "force", .help = "print a token to a terminal, too", .kind = OPTION_FLAG, INTO(force)},
    {.name = "project",
     .value_name = "ID",
     .help = "the project; without it GOOGLE_CLOUD_PROJECT, then what the credentials say",
     .kind = OPTION_TEXT,
     INTO(project)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-gcp-auth", "who am I, and from where"},
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
    .synopsis = "",
    .description =
        "All tools of pl find their credentials by themselves, in the same way, and mint tokens when they need them: "
        "this tool is for looking, and for programs that are not pl's. Without an option it makes a token, throws it "
        "away, and writes a credential record: the principal, and where it comes from.\n\n"
        "Credentials are looked for in this order: --credentials; --workload-identity-provider with the identity token "
        "of GitHub Actions or of --id-token; the file of GOOGLE_APPLICATION_CREDENTIALS; gcloud's application default "
        "credentials; the metadata server. --impersonate-service-account makes of them a service account's.",
    .writes = "credential",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operand_kind = OPTION_TEXT,
    .arguments_size = sizeof(struct arguments),
};
