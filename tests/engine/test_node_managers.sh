#!/usr/bin/env bash
# Each package manager of Node, with a lock file that the manager itself has written, and real packages.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/node_lib.sh"

# The same packages by each: the same site.
check() { # check NAME MANAGER
    shared_store
    application "$1"
    echo "// $RANDOM" >> "$1/build.js"
    site=$(build "$1")
    contains "$(cat said)" ": $2"
    contains "$(cat said)" "build (${2%% *} run build)"
    equal "$(content "$site" index.html)" "1 is odd: true"

    sed -i 's/"is-number": "7.0.0"/"is-number": "6.0.0"/' "$1/package.json"
    status 70 build "$1" > /dev/null 2> why
    contains "$(cat why)" "does not match package.json: run ${2%% *} install and commit it"
}

test_npm() { check npm npm; }
test_pnpm() { check pnpm "pnpm 10"; }
test_yarn_1() { check yarn "yarn 1"; }
test_yarn_4() { check berry "yarn 4"; }
test_bun() { check bun "bun 1"; }

test_the_manager_of_package_json_is_what_it_says() {
    shared_store
    application pnpm
    # The hash as `corepack use` writes it: that of the package.
    npm_pack() { (cd "$WORK" && python3 - "$1" "$2") <<'PY'
import hashlib, json, os, sys, urllib.request
registry = os.environ.get("npm_config_registry", "https://registry.npmjs.org").rstrip("/")
name, version = sys.argv[1:]
data = urllib.request.urlopen(f"{registry}/{name}/-/{name}-{version}.tgz").read()
print(hashlib.sha512(data).hexdigest())
PY
    }
    hash=$(npm_pack pnpm 9.15.9)
    jq --arg manager "pnpm@9.15.9+sha512.$hash" '. + {packageManager: $manager}' pnpm/package.json > new; mv new pnpm/package.json
    contains "$(content "$(build pnpm)" index.html)" "is odd"
    contains "$(cat said)" "pnpm 9.15.9, as \"packageManager\" says"
    sed -i "s/sha512\.$hash/sha512.0000/" pnpm/package.json
    status 70 build pnpm > /dev/null 2> why
    contains "$(cat why)" 'pnpm@9.15.9 is not what "packageManager" of package.json says'
}

deep test_yarn_1 test_bun # beside npm, pnpm and yarn 4; what they plan is in test_node.c

run_tests
