#!/usr/bin/env bash
# pl-firebase-deploy from the outside, without any cloud: its options, and what it says about a firebase.json.
. "$(dirname "$0")/../lib.sh"
export CLOUDSDK_CONFIG=/nonexistent PL_CLOUD_URL=http://127.0.0.1:1
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT

test_help() { pl-firebase-deploy --help | golden firebase-deploy-help.txt; }

test_wrong_options_are_refused_before_anything_is_read() {
    mkdir -p site
    for arguments in '--site A' '--site a_b' '--site a --target b site' '--channel -x' '--expires 1d' '--channel a --expires 31d' \
        '--channel a --expires 1w' '--promote a --rollback' '--promote a site' '--promote a -n' '--delete-channel live' '--rollback a b' \
        '--runtime-config x' '--runtime-config =x' '--runtime-config-file x --runtime-config a=b' '--runtime-config-file /../x' \
        '--runtime-config-file /x/' "--message $(printf '%0600d' 0)" '--channel a%2Fb'; do
        # shellcheck disable=SC2086
        status 64 pl-firebase-deploy $arguments < /dev/null > out 2> error || fail "for: $arguments: $(cat error)"
    done
    status 65 pl-firebase-deploy missing 2> /dev/null > /dev/null
    touch file; status 65 pl-firebase-deploy file 2> error > /dev/null
    contains "$(cat error)" "file is not a directory"
}

# says STATUS TEXT [OPTION...] < firebase.json: what it says about it
says() {
    local want=$1 text=$2; shift 2
    mkdir -p site; cat > firebase.json
    status "$want" pl-firebase-deploy "$@" site > /dev/null 2> error || { cat error; return 1; }
    contains "$(cat error)" "$text"
}
# hosting STATUS TEXT MEMBERS: the same with {"hosting": {MEMBERS}}, the members on line 2
hosting() {
    printf '{"hosting": {"public": "site",\n%s\n}}' "$3" | says "$1" "$2"
    grep -qE '^pl-firebase-deploy: firebase.json:2:[0-9]+: ' error || fail "not with its line: $(cat error)"
}

test_a_right_one_leads_to_the_cloud() {
    says 77 "the local cloud at http://127.0.0.1:1 does not answer" << 'END'
// a comment
{ "$schema": "x", "firestore": {}, /* another
 */ "hosting": { "public": "site", "site": "a", "ignore": ["**/.*"], "cleanUrls": true, "trailingSlash": false, "appAssociation": "AUTO",
    "i18n": {"root": "/intl"}, "predeploy": "true", "postdeploy": ["true", "true"],
    "rewrites": [{"source": "/a", "destination": "/b"}, {"glob": "/c", "function": "f", "region": "us-east1"}, {"regex": "^/d$", "function": {"functionId": "f", "pinTag": false}},
                 {"source": "/e", "run": {"serviceId": "s", "region": "us-east1", "pinTag": true}}, {"source": "/f", "dynamicLinks": true}],
    "redirects": [{"source": "/a//* */b", "destination": "https://x//y", "type": 302}, {"regex": "(?P<x>a)", "destination": "/:x"}],
    "headers": [{"source": "**/*.@(jpg|png)", "headers": [{"key": "X-A", "value": ""}]}, {"glob": "/{a,b}", "headers": []}] } }
END
}

test_what_is_no_json_is_said_with_its_place() {
    echo '{"hosting": {
  "public": "x",}}' | says 65 'firebase.json:2:'
    echo '{"hosting": {"public": "x", "public": "y"}}' | says 65 'firebase.json:1:'
    echo '[1]' | says 65 'must be an object'
    says 65 'is empty' < /dev/null
    echo '{"hosting": 3}' | says 65 'firebase.json:1:2: hosting must be an object, or a list of objects'
    echo '{"functions": {}}' | says 65 'firebase.json has no "hosting"'
    echo '{"hostng": {}}' | says 65 'firebase.json:1:2: unknown key "hostng"
  did you mean "hosting"?'
    head -c 5000000 /dev/zero | tr '\0' ' ' | says 65 'larger than 4194304 bytes'
}

test_unknown_keys_and_wrong_types_are_said_with_their_place() {
    hosting 65 'unknown key "rewrite" in hosting
  did you mean "rewrites"?' '"rewrite": []'
    hosting 65 'unknown key "frameworks" in hosting' '"frameworks": []'
    hosting 65 'rewrites must be a list' '"rewrites": {}'
    hosting 65 'a rewrite must be an object' '"rewrites": [1]'
    hosting 65 'a rewrite needs a pattern' '"rewrites": [{"destination": "/x"}]'
    hosting 65 'a rewrite needs one of' '"rewrites": [{"source": "/x"}]'
    hosting 65 'a rewrite needs one of destination, function, run and dynamicLinks, not more' '"rewrites": [{"source": "/x", "destination": "/y", "run": {"serviceId": "s"}}]'
    hosting 65 'a rewrite takes one of' '"rewrites": [{"source": "/x", "regex": "y", "destination": "/y"}]'
    hosting 65 'unknown key "destnation" in a rewrite
  did you mean "destination"?' '"rewrites": [{"source": "/x", "destnation": "/y"}]'
    hosting 65 'unknown key "service" in run' '"rewrites": [{"source": "/x", "run": {"service": "s"}}]'
    hosting 65 'run needs "serviceId"' '"rewrites": [{"source": "/x", "run": {"region": "s"}}]'
    hosting 65 'pinTag must be true or false' '"rewrites": [{"source": "/x", "run": {"serviceId": "s", "pinTag": "yes"}}]'
    hosting 65 '"region" belongs into "run"' '"rewrites": [{"source": "/x", "region": "a", "run": {"serviceId": "s"}}]'
    hosting 65 'dynamicLinks can only be true' '"rewrites": [{"source": "/x", "dynamicLinks": false}]'
    hosting 65 'source must be a text' '"redirects": [{"source": 3, "destination": "/x"}]'
    hosting 65 'a redirect needs "destination"' '"redirects": [{"source": "/a"}]'
    hosting 65 'type must be the number of a redirection' '"redirects": [{"source": "/a", "destination": "/b","type": 200}]'
    hosting 65 'type must be the number of a redirection' '"redirects": [{"source": "/a", "destination": "/b","type": "301"}]'
    hosting 65 'cleanUrls must be true or false' '"cleanUrls": "true"'
    hosting 65 'appAssociation is AUTO or NONE, not "auto"' '"appAssociation": "auto"'
    hosting 65 'i18n needs "root"' '"i18n": {}'
    hosting 65 'ignore must be a list' '"ignore": "x"'
    hosting 65 'an element must be a text' '"predeploy": [ "a", 3]'
    hosting 65 '"source" (building a web framework)' '"source": "."'
    hosting 65 'a site has either "site" or "target", not both' '"site": "a", "target": "b"'
}

test_patterns_and_header_values_that_hosting_refuses() {
    hosting 65 'the regular expression "^/(?!api)" is not one that Hosting takes: a look-ahead, which RE2 has not, at character 3' '"rewrites": [{"regex": "^/(?!api)", "destination": "/x"}]'
    hosting 65 'the regular expression "(a" is not one that Hosting takes: a ( without its ) at character 3' '"redirects": [{"regex": "(a", "destination": "/x"}]'
    hosting 65 'the regular expression "(a)\1" is' '"headers": [{"regex": "(a)\\1", "headers": []}]'
    hosting 65 'the pattern "{1..9999}"' '"rewrites": [{"source": "{1..9999}", "destination": "/x"}]'
    hosting 65 'the pattern "{1..9999}": its braces make' '"ignore": ["{1..9999}"]'
    hosting 65 'the value of the header X-A has a line break' '"headers": [{"source": "**", "headers": [{"key": "X-A", "value": "a\r\nSet-Cookie: b"}]}]'
    hosting 65 'the value of the header X-A has a control character' '"headers": [{"source": "**", "headers": [{"key": "X-A", "value": "a\u0001"}]}]'
    hosting 65 '"X A" cannot be the name of a header' '"headers": [{"source": "**", "headers": [{"key": "X A", "value": "a"}]}]'
    hosting 65 'a header needs "key" and "value"' '"headers": [{"source": "**", "headers": [{"key": "X"}]}]'
}

test_one_of_several_sites_must_be_chosen() {
    cat > several << 'END'
{"hosting": [
  {"site": "shop", "public": "a"},
  {"target": "admin", "public": "b"},
  {"site": "docs", "public": "site"}]}
END
    mkdir -p a b c
    says 77 "" < several
    mv site old; mkdir site
    sed 's/"public": "site"/"public": "c"/' several > none
    says 78 'firebase.json has 3 sites (site shop, target admin, site docs)
  say which: --site SITE or --target TARGET' < none
    says 77 "" --site docs < none
    says 77 "" --target admin < none
    says 78 'firebase.json has no site dcos (it has site shop, target admin, site docs)
  did you mean docs?' --site dcos < none
    says 78 'firebase.json has no target admim' --target admim < none
    echo '{"targets": {"p": {"hosting": {"admin": ["shop-admin"]}}}}' > .firebaserc
    says 77 "" --site shop-admin < none
    echo '{"hosting": [{"public": "x"}]}' | says 65 'firebase.json:1:14: each of several sites needs "site" or "target"'
    echo '{"hosting": {"public": "x"}}' | says 78 'firebase.json has no target x' --target x
    rm .firebaserc firebase.json
    status 78 pl-firebase-deploy --target x site 2> error > /dev/null
    contains "$(cat error)" "there is no firebase.json that has the target x"
    echo 'x' > .firebaserc
    says 65 ".firebaserc:1:1: not valid JSON" < none
}

run_tests
