#!/usr/bin/env bash
# The policy of an organisation and sites of Firebase Hosting: project, name, branch and reports; of the channel live.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/firebase.sh"
export XDG_CONFIG_HOME=
unset PL_POLICY

# Nothing was sent that changes something.
unchanged() { equal "$(log '[x["method"] + " " + x["path"] for x in r if x["method"] not in ("GET", "HEAD")]')" '[]'; }
# built DIGEST SOURCE: what pl-build leaves in the store
built() { mkdir -p "$PL_STORE/names/built"; printf '{"source": "sha256:%s", "directory": "%s"}' "$2" "$PWD/app" > "$PL_STORE/names/built/${1#directory:sha256:}"; }
tested() { # tested SOURCE VALUE: what pl-test leaves
    mkdir -p "$PL_STORE/names/tested-unit"
    echo "$2" > "$PL_STORE/names/tested-unit/$(printf 'sha256:%s\n' "$1" | sha256sum | cut -d' ' -f1)"
}

test_a_site_is_judged_by_its_channel_and_source() {
    export GIT_CONFIG_GLOBAL=/dev/null
    git init -q -b main app; git -C app -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first
    cat > acme.json <<'END'
{"name": "acme", "rules": {"projects": {"allow": ["demo"]}, "names": {"pattern": "shop|app"}},
 "environments": {"live": {"when": {"channels": ["live"]}, "rules": {
   "branches": {"allow": ["main"], "local": true}, "tests": {"suites": ["unit"]}, "coverage": {"at_least": 80}}}}}
END
    site; hosting sites=shop,other
    export PL_POLICY=$PWD/acme.json
    status 77 pl-firebase-deploy --site other --channel pr site 2> said > /dev/null || { cat said; false; }
    contains "$(cat said)" 'policy acme, names: the name is other; it must match shop|app'
    status 77 deploy 2> said > /dev/null
    contains "$(cat said)" 'policy acme, live, branches: which branch this is cannot be read (git: '
    contains "$(cat said)" 'policy acme, live, tests: which source this was built from is not known here'
    contains "$(cat said)" '3 breaches: branches, tests, coverage'
    unchanged
    local source digest; source=$(printf %064d 5)
    digest=$(record site | tee record | jq -r .ref); built "$digest" "$source"
    tested "$source" '{"passed": true, "coverage": 79.5, "tests": 1, "time": 1}'
    status 77 pl-firebase-deploy < record 2> said > /dev/null
    contains "$(cat said)" 'policy acme, live, coverage: the coverage is 79.5 %, the floor is 80 %'
    contains "$(cat said)" '1 breach: coverage'
    tested "$source" '{"passed": true, "coverage": 80, "tests": 1, "time": 1}'
    git -C app checkout -qb feature
    status 77 pl-firebase-deploy < record 2> said > /dev/null
    contains "$(cat said)" '1 breach: branches'
    unchanged
    # A preview is no way around: what another channel shows is of no known source.
    deploy --channel pr > /dev/null 2> said
    : > "$LOG"
    status 77 pl-firebase-deploy --promote pr 2> said > /dev/null
    contains "$(cat said)" 'breaches: branches, tests, coverage'
    unchanged
    git -C app checkout -q main
    pl-firebase-deploy < record > /dev/null 2> said
    echo two > site/index.html; built "$(record site | tee record | jq -r .ref)" "$source"
    pl-firebase-deploy < record > /dev/null 2> said
    pl-firebase-deploy --rollback > /dev/null 2> said # at night, whatever the branch
}

run_tests
