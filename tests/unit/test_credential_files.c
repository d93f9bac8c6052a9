/* engine/credential_files: what must not get into an image by accident. */
#include "common/base/text.h"
#include "common/file/file.h"
#include "engine/credential_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char directory[] = "/tmp/pl-credentials-XXXXXX";

static int make_directory(void **state) {
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
    (void)state;
    return tree_remove(directory, NULL);
}

static void write_file(const char *path, const char *content) {
    AUTO_FREE char *full = path_join(directory, path);
    AUTO_FREE char *parent = text_copy_length(full, (size_t)(strrchr(full, '/') - full));
    assert_int_equal(directory_make(parent, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(full, content, strlen(content), 0600, NULL), 0);
}

#define PEM "-----BEGIN " /* cut, so that no scanner takes this file for a key */ "PRIVATE KEY-----\nMII\n"

static void credentials_are_told_from_other_files(void **state) {
    (void)state;
    static const struct {
        const char *path, *content, *kind;
    } cases[] = {
        {"gha-creds-0123456789abcdef.json", "{}", "google-github-actions"},
        {"config/key.json", "{\"type\": \"service_account\", \"private_key\": \"x\"}", "service account"},
        {"adc.json", "{\"type\": \"authorized_user\",\n\"refresh_token\": \"x\"}", "user's"},
        {"wif.json", "{\"type\":\"external_account\",\"credential_source\":{}}", "workload"},
        {"other.json", "{\"key\":\"-----BEGIN RSA PRIVATE KEY-----\"}", "private key"},
        {"package.json", "{\"name\":\"service_account\"}", NULL},
        {"discovery.json", "{\"schema\":\"type, private_key\"}", NULL},
        {".env", "", "environment"},
        {"a/b/.env.production", "X=1", "environment"},
        {".env.example", "X=", NULL},
        {"f/.env.production", "# public\n\nVITE_API=https://x\r\nexport VITE_NAME = \"a b\"\nNODE_ENV=production\n",
         NULL},
        {"f/.env", "NG_APP_A=1\nREACT_APP_B=2\nNEXT_PUBLIC_C=3\nPUBLIC_URL=/\nVUE_APP_X=\nGATSBY_Y=1\nEXPO_PUBLIC_Z=1",
         NULL},
        {"f/.env.local", "VITE_API=x\nDATABASE_PASSWORD=y\n", "environment"},
        {"f/.env.a", "VITE_STRIPE_SECRET_KEY=x\n", "environment"},
        {"f/.env.b", "VITE_=x\n", "environment"},
        {"f/.env.c", "VITE_A=\"x\nAPI_TOKEN=1\"\n", "environment"},
        {"f/.env.d", "VITE_A x\n", "environment"},
        {"f/.env.e", "# nothing\n", "environment"},
        {"f/.env.f", "VITE_A=" PEM, "environment"},
        {"f/.env.g", "XVITE_A=1\n", "environment"},
        {"env.py", "", NULL},
        {".envrc", "", NULL},
        {".netrc", "", "logins"},
        {".npmrc", "//registry.npmjs.org/:_authToken=npm_x\n", "token"},
        {"b/.npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nregistry=https://x/\n", NULL},
        {"c/.npmrc", "_authToken=${A}\n_password = \"abc\"\n", "token"},
        {".pypirc", "[pypi]\nusername=u\npassword = p\n", "password"},
        {"d/.pypirc", "[distutils]\nindex-servers=pypi\n", NULL},
        {"pip.conf", "[global]\nindex-url = https://u:p@host/simple\n", "password"},
        {"e/pip.conf", "[global]\nindex-url = https://host/simple\n", NULL},
        {"id_rsa", "x", "SSH"},
        {"id_rsa.pub", "ssh-rsa AAAA", NULL},
        {"deploy_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "private key"},
        {"tls/server.key", PEM, "private key"},
        {"tls/server.pem", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" PEM, "private key"},
        {"tls/ca.pem", "-----BEGIN CERTIFICATE-----\n", NULL},
        {"public.pem", "-----BEGIN PUBLIC KEY-----\n", NULL},
        {"store.p12", "x", "key store"},
        {".aws/credentials", "[default]\naws_secret_access_key = x\n", "AWS"},
        {".docker/config.json", "{\"auths\":{\"h\":{\"auth\":\"dTpw\"}}}", "registry"},
        {"main.py", PEM, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        write_file(cases[i].path, cases[i].content);
        const char *kind = credential_file_kind(directory, cases[i].path);
        if ((kind == NULL) != (cases[i].kind == NULL) || (kind && !strstr(kind, cases[i].kind)))
            fail_msg("%s: %s", cases[i].path, kind ? kind : "nothing");
    }
}

static void all_that_are_refused_are_named_with_what_to_do(void **state) {
    (void)state;
    AUTO(credential_check_release) struct credential_check check = {.directory = directory};
    write_file("x/.env", "");
    write_file("x/.netrc", "");
    assert_true(credential_check_file(&check, "x/main.py"));
    assert_false(credential_check_file(&check, "x/.env"));
    assert_false(credential_check_file(&check, "x/.netrc"));
    struct error error = {0};
    assert_int_equal(credential_check_finish(&check, &error), -1);
    assert_int_equal(error.kind, ERROR_DATA);
    assert_non_null(strstr(error.text, "x/.env (environment file), x/.netrc (logins)"));
    assert_non_null(strstr(error.next, "--allow-file x/.env"));
}

static void what_is_allowed_by_name_passes(void **state) {
    (void)state;
    AUTO_LIST struct text_list allowed = {0};
    text_list_add(&allowed, ".env");
    text_list_add(&allowed, "tls/server.key");
    AUTO(credential_check_release) struct credential_check check = {.directory = directory, .allowed = &allowed};
    write_file("other/server.key", PEM);
    assert_int_equal(credential_check_inspect(&check, "any/where/.env"), TREE_ACCEPTED);
    assert_int_equal(credential_check_inspect(&check, "tls/server.key"), TREE_ACCEPTED);
    assert_int_equal(credential_check_inspect(&check, "main.py"), TREE_HARMLESS);
    struct error error = {0};
    assert_int_equal(credential_check_inspect(&check, "other/server.key"), TREE_REFUSED);
    assert_int_equal(credential_check_finish(&check, &error), -1);
    assert_non_null(strstr(error.text, "other/server.key"));
    assert_null(strstr(error.text, "MII"));
}

static void odd_files_do_not_stop_the_check(void **state) {
    (void)state;
    AUTO_FREE char *pipe = path_join(directory, "pipe.json");
    AUTO_FREE char *link = path_join(directory, "link.pem");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink("/etc/shadow", link), 0);
    assert_null(credential_file_kind(directory, "pipe.json"));
    assert_null(credential_file_kind(directory, "link.pem"));
    assert_null(credential_file_kind(directory, "missing.json"));
}

static bool lies_in(void *folder, const char *path) {
    return text_starts_with(path, folder);
}

static void only_what_is_used_is_refused(void **state) {
    (void)state;
    struct credential_check check = {.directory = directory};
    struct error error;
    assert_false(credential_check_file(&check, "used/.netrc"));
    assert_false(credential_check_file(&check, "other/.netrc"));
    assert_int_equal(credential_check_selected(&check, lies_in, (char[]){"none/"}, &error), 0);
    assert_int_equal(credential_check_selected(&check, lies_in, (char[]){"used/"}, &error), -1);
    assert_non_null(strstr(error.text, "used/.netrc"));
    assert_null(strstr(error.text, "other/.netrc"));
    error_clear(&error);
    credential_check_release(&check);
}

/* What is not remembered one by one is not forgotten. */
static void more_than_can_be_named_are_all_refused(void **state) {
    (void)state;
    struct credential_check check = {.directory = directory};
    struct error error;
    for (int i = 0; i <= CREDENTIALS_MOST; i++) {
        AUTO_FREE char *path = text_format("%d/.netrc", i);
        assert_false(credential_check_file(&check, path));
    }
    assert_int_equal(check.paths.count, CREDENTIALS_MOST);
    assert_int_equal(credential_check_selected(&check, lies_in, (char[]){"none/"}, &error), -1);
    error_clear(&error);
    credential_check_release(&check);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(credentials_are_told_from_other_files),
                                       cmocka_unit_test(all_that_are_refused_are_named_with_what_to_do),
                                       cmocka_unit_test(what_is_allowed_by_name_passes),
                                       cmocka_unit_test(odd_files_do_not_stop_the_check),
                                       cmocka_unit_test(only_what_is_used_is_refused),
                                       cmocka_unit_test(more_than_can_be_named_are_all_refused)};
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
