/* The claims of GitHub Actions' and GitLab's identity tokens, as their documentation lists them
 * (docs.github.com/actions/reference/openid-connect-reference, docs.gitlab.com/ci/secrets/id_token_authentication). */
#include "local/issuer/internal.h"

#include "common/crypto/digest.h"

#include <string.h>

/* Eight digits that always belong to the same name. */
static char *number_of(const char *name) {
    struct digest digest = digest_of(name, strlen(name));
    unsigned number = 0;
    for (size_t i = 0; i < 4; i++)
        number = number << 8 | digest.bytes[i];
    return text_format("%u", 10000000 + number % 90000000);
}

static char *commit_of(const char *name) {
    struct digest digest = digest_of(name, strlen(name));
    return text_copy_length(digest_format_hex(&digest).text, 40);
}

static void set_number(struct json *claims, const char *key, const char *name) {
    AUTO_FREE char *number = number_of(name);
    json_set_text(claims, key, number);
}

static bool is_path(const char *path) {
    const char *slash = strchr(path, '/');
    return slash && slash != path && slash[1] && !strpbrk(path, " \t\r\n:?#\"'\\") && strlen(path) <= 200;
}

static void override(struct json *claims, const struct json *given) {
    for (void *at = json_first(given); at; at = json_next(given, at))
        json_set(claims, json_key(at), json_copy_deep(json_value(at)));
}

static const char *ref_type(const char *ref) {
    return text_starts_with(ref, "refs/tags/") ? "tag" : "branch";
}

static void set_github_subject(struct json *claims, const struct json *given) {
    const char *repository = json_get_text(claims, "repository", "");
    const char *environment = json_get_text(given, "environment", NULL);
    bool pull = text_starts_with(json_get_text(claims, "event_name", ""), "pull_request");
    AUTO_FREE char *what = environment ? text_format("environment:%s", environment)
                           : pull      ? text_copy("pull_request")
                                       : text_format("ref:%s", json_get_text(claims, "ref", ""));
    AUTO_FREE char *subject = text_format("repo:%s:%s", repository, what);
    json_set_text(claims, "sub", subject);
}

static void set_github_workflow(struct json *claims, const struct json *given) {
    const char *repository = json_get_text(claims, "repository", ""), *ref = json_get_text(claims, "ref", "");
    const char *sha = json_get_text(claims, "sha", "");
    AUTO_FREE char *workflow =
        text_format("%s/.github/workflows/%s@%s", repository, json_get_text(given, "workflow_file", "deploy.yml"), ref);
    json_set_text(claims, "workflow", "deploy");
    json_set_text(claims, "workflow_ref", workflow);
    json_set_text(claims, "workflow_sha", sha);
    json_set_text(claims, "job_workflow_ref", workflow);
    json_set_text(claims, "job_workflow_sha", sha);
}

struct json *github_claims(const struct json *given, struct error *error) {
    const char *repository = json_get_text(given, "repository", "octo-org/octo-repo");
    const char *ref = json_get_text(given, "ref", "refs/heads/main");
    if (!is_path(repository) || strchr(strchr(repository, '/') + 1, '/')) {
        error_set(error, ERROR_DATA, "\"%.100s\" is no repository: OWNER/NAME", repository);
        return NULL;
    }
    struct json *claims = json_new_object();
    AUTO_FREE char *owner = text_copy_length(repository, strcspn(repository, "/"));
    AUTO_FREE char *sha = commit_of(repository);
    json_set_text(claims, "iss", GITHUB_ISSUER);
    json_set_text(claims, "sub", "");
    json_set_text(claims, "ref", ref);
    json_set_text(claims, "sha", sha);
    json_set_text(claims, "repository", repository);
    json_set_text(claims, "repository_owner", owner);
    set_number(claims, "repository_owner_id", owner);
    set_number(claims, "run_id", ref);
    json_set_text(claims, "repository_visibility", "private");
    set_number(claims, "repository_id", repository);
    json_set_text(claims, "actor_id", "583231");
    json_set_text(claims, "actor", "octocat");
    json_set_text(claims, "run_number", "10");
    json_set_text(claims, "run_attempt", "1");
    json_set_text(claims, "head_ref", "");
    json_set_text(claims, "base_ref", "");
    json_set_text(claims, "event_name", json_get_text(given, "event_name", "push"));
    json_set_text(claims, "ref_protected", "true");
    json_set_text(claims, "ref_type", ref_type(ref));
    json_set_text(claims, "runner_environment", "github-hosted");
    set_github_subject(claims, given);
    set_github_workflow(claims, given);
    override(claims, given);
    json_remove(claims, "workflow_file");
    return claims;
}

static void set_gitlab_ref(struct json *claims, const char *project, const char *ref, const char *type) {
    AUTO_FREE char *subject = text_format("project_path:%s:ref_type:%s:ref:%s", project, type, ref);
    AUTO_FREE char *path = text_format("refs/%s/%s", text_equal(type, "tag") ? "tags" : "heads", ref);
    AUTO_FREE char *config = text_format("gitlab.com/%s//.gitlab-ci.yml@%s", project, path);
    json_set_text(claims, "sub", subject);
    json_set_text(claims, "ref", ref);
    json_set_text(claims, "ref_type", type);
    json_set_text(claims, "ref_path", path);
    json_set_text(claims, "ref_protected", "true");
    json_set_text(claims, "ci_config_ref_uri", config);
}

struct json *gitlab_claims(const struct json *given, struct error *error) {
    const char *project = json_get_text(given, "project_path", "my-group/my-project");
    if (!is_path(project)) {
        error_set(error, ERROR_DATA, "\"%.100s\" is no project: GROUP/NAME", project);
        return NULL;
    }
    struct json *claims = json_new_object();
    AUTO_FREE char *group = text_copy_length(project, (size_t)(strrchr(project, '/') - project));
    AUTO_FREE char *sha = commit_of(project);
    json_set_text(claims, "iss", GITLAB_ISSUER);
    set_gitlab_ref(claims, project, json_get_text(given, "ref", "main"), json_get_text(given, "ref_type", "branch"));
    set_number(claims, "namespace_id", group);
    json_set_text(claims, "namespace_path", group);
    set_number(claims, "project_id", project);
    json_set_text(claims, "project_path", project);
    json_set_text(claims, "user_id", "42");
    json_set_text(claims, "user_login", "sample-user");
    json_set_text(claims, "user_email", "sample-user@example.com");
    json_set_text(claims, "pipeline_id", "1212");
    json_set_text(claims, "pipeline_source", "push");
    json_set_text(claims, "job_id", "1212");
    json_set_integer(claims, "runner_id", 1);
    json_set_text(claims, "runner_environment", "gitlab-hosted");
    json_set_text(claims, "sha", sha);
    json_set_text(claims, "project_visibility", "private");
    json_set_text(claims, "ci_config_sha", sha);
    override(claims, given);
    return claims;
}
