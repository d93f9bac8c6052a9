#include "gcp/credentials/options.h"

#define MEMBER(member) .offset = offsetof(struct credential_options, member)

const struct option credential_option_rows[] = {
    {.name = "workload-identity-provider",
     .value_name = "PROVIDER",
     .help = "sign in by federation with this provider of a workload identity pool (projects/NUMBER/…/providers/NAME), "
             "with the identity token of GitHub Actions or that of --id-token",
     .kind = OPTION_TEXT,
     MEMBER(provider)},
    {.name = "id-token",
     .value_name = "SOURCE",
     .help = "where the identity token (a JWT) for the provider is, such as env:GITLAB_OIDC_TOKEN; a file is read anew "
             "for each exchange",
     .kind = OPTION_TEXT,
     .traits = OPTION_SECRET,
     MEMBER(id_token)},
    {.name = "federation-audience",
     .value_name = "AUDIENCE",
     .help = "the audience that GitHub's identity token is asked for; without it https://iam.googleapis.com/PROVIDER",
     .kind = OPTION_TEXT,
     MEMBER(audience)},
    {.name = "impersonate-service-account",
     .value_name = "EMAIL",
     .help = "act as this service account, for which the credentials that are found may make tokens",
     .kind = OPTION_TEXT,
     MEMBER(account)},
    {.name = "delegate",
     .value_name = "EMAIL",
     .help = "a service account on the way to that one, first to last",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     MEMBER(delegates)},
    {.name = "credentials",
     .value_name = "SOURCE",
     .help = "where the content of a credentials file is, such as env:GOOGLE_CREDENTIALS; without it "
             "GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata server",
     .kind = OPTION_TEXT,
     .traits = OPTION_SECRET,
     MEMBER(document)},
    {.name = "quota-project",
     .value_name = "ID",
     .help = "the project that pays for the calls and whose quota they use",
     .kind = OPTION_TEXT,
     .variable = "GOOGLE_CLOUD_QUOTA_PROJECT",
     MEMBER(quota_project)},
    {0},
};
