#!/usr/bin/env bash
# What pl-build makes of Node sources, as far as nothing is run: plans, and what it refuses with which code and words.
. "$(dirname "$0")/../lib.sh"

workspace() { # workspace DIR PROJECTS-JSON
    mkdir -p "$1"
    echo '{"name": "it", "scripts": {"build": "ng build"}, "dependencies": {"@angular/core": "21"}}' > "$1/package.json"
    echo '{"lockfileVersion": 3}' > "$1/package-lock.json"
    echo "{\"projects\": $2}" > "$1/angular.json"
}
APPLICATION='{"architect": {"build": {"builder": "@angular/build:application", "options": {OPTIONS}, "configurations": {"staging": {}}}}}'

refused() { # refused CODE TEXT NEXT DIR [OPTIONS]: by --plan, before anything is fetched or run
    local code=$1 text=$2 next=$3; shift 3
    status "$code" pl-build --plan "$@" > record 2> why
    contains "$(cat why)" "$text"
    contains "$(cat why)" "$next"
    equal "$(jq -r '.type + " \(.code)"' record)" "error $code"
}

test_two_angular_projects_without_a_default() {
    one=${APPLICATION/OPTIONS/}
    workspace it "{\"shop\": $one, \"admin\": $one}"
    refused 65 "angular.json has 2 applications and no default: shop, admin" "pl-build --project shop" it
    contains "$(pl-build --plan --project admin it)" "from /app/dist/admin/browser"
    contains "$(pl-build --plan --project admin --configuration staging it)" "admin --configuration staging"
    refused 65 "the project admin has no configuration live" "it has: staging" --project admin --configuration live it
    refused 65 "angular.json has no project web" "" --project web it
}

test_an_output_path_outside_of_the_project() {
    workspace it "{\"shop\": ${APPLICATION/OPTIONS/\"outputPath\": \"../../public\"}}"
    refused 65 "the outputPath of shop lies outside of the project: ../../public" "dist/shop" it
}

test_a_directory_of_components() {
    mkdir -p all/backend all/frontend all/docs; touch all/backend/main.py all/frontend/index.html all/docs/x
    refused 65 "below it there are backend (Python), frontend (Node)" "pl-build all/backend, or pl-build all/frontend" all
    (cd all && refused 65 "below it there are backend" "pl-build backend, or pl-build frontend" .)
}

test_options_that_are_not_for_it() {
    mkdir python; echo 'print(1)' > python/main.py
    refused 64 "--project and --configuration are for Angular" "" --project x python
}

test_a_plan_says_nothing_of_the_machine() {
    workspace it "{\"shop\": ${APPLICATION/OPTIONS/}}"
    workspace elsewhere/other "{\"shop\": ${APPLICATION/OPTIONS/}}"
    first=$(pl-build --plan it); second=$(pl-build --plan elsewhere/other)
    equal "$first" "$second"
    contains "$first" "npm ci"
    contains "$first" "cache angular shop at /app/.angular/cache"
    contains "$first" "apt:bookworm?ca-certificates&node=22."
}

test_a_site_says_where_it_was_built_from() {
    mkdir site; touch site/index.html
    record=$(pl-build --output json site 2> said)
    equal "$(jq -r '.type + " " + .source' <<< "$record")" "directory $PWD/site"
}

run_tests
