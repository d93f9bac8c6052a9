#!/usr/bin/env bash
# Sites built for real: packages from npm's registry, the scripts of the projects themselves.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/node_lib.sh"

test_a_vite_project_of_its_generator() {
    shared_store
    application vite
    echo "document.title = '$RANDOM$RANDOM'" >> vite/src/main.ts
    cp -r vite vite-before
    site=$(build vite)
    equal "$(jq -r '.type + " " + .name' <<< "$site")" "directory vite"
    equal "$(jq -r .ref <<< "$site")" "directory:$(jq -r .digest <<< "$site")"
    contains "$(cat said)" "found Vite"
    contains "$(cat said)" "the site is what is in dist"
    contains "$(files "$site")" "index.html"
    contains "$(content "$site" index.html)" '/assets/index-'

    # A source file changes: the packages are there already, and the site is another.
    echo "document.title = '$RANDOM$RANDOM'" >> vite/src/main.ts
    changed=$(build vite --explain)
    contains "$(cat said)" "install dependencies (package-lock.json): cached"
    contains "$(cat said)" "src/main.ts"
    [ "$(jq -r .digest <<< "$changed")" != "$(jq -r .digest <<< "$site")" ]

    # The first source again: the first site again, and nothing is run.
    cp vite-before/src/main.ts vite/src/main.ts
    equal "$(jq -r .digest <<< "$(build vite)")" "$(jq -r .digest <<< "$site")"
    contains "$(cat said)" "0 made"
}

test_the_shops_angular_frontend() {
    shared_store
    cp -r "$ROOT/examples/shop/frontend" .
    rm -rf frontend/node_modules frontend/dist
    site=$(build frontend)
    contains "$(cat said)" "found angular.json: project frontend, builder @angular/build:application"
    contains "$(cat said)" "firebase.json serves the same directory: dist/frontend/browser"
    contains "$(files "$site")" "main-"
    equal "$(content "$site" config.json)" "{}"
    contains "$(content "$site" index.html)" "<app-root>"
    # The lock file names no registry but the public one.
    lacks "$(grep '"resolved"' frontend/package-lock.json | grep -v '"https://registry.npmjs.org/' || true)" resolved
}

test_a_build_is_the_same_when_it_is_made_again() {
    shared_store
    project it 'mkdir -p dist && echo hello > dist/index.html'
    first=$(build it --no-cache)
    second=$(build it --no-cache)
    equal "$(jq -r .digest <<< "$first")" "$(jq -r .digest <<< "$second")"
}

test_yesterdays_output_is_not_todays() {
    shared_store
    project it 'mkdir -p dist && echo new > dist/new.html && cp dist/new.html dist/index.html' '{"devDependencies": {}}'
    mkdir it/dist; echo old > it/dist/old.html
    printf '{"build": {"output": "dist"}}' > it/pl.json
    equal "$(files "$(build it)" | tr '\n' ' ')" "index.html new.html "
}

test_a_build_without_a_site_names_what_could_be_one() {
    shared_store
    project it 'mkdir -p target/a target/b/docs && touch target/a/index.html target/b/index.html target/b/docs/index.html'
    status 65 build it 2> why
    contains "$(cat why)" "it wrote one to: target/a, target/b"
    contains "$(cat why)" "it wrote one to: target/a, target/b
"
    contains "$(cat why)" '"output": "target/a"'
    printf '{"build": {"output": "target/b"}}' > it/pl.json
    contains "$(files "$(build it)")" "docs/index.html"

    project none 'echo nothing'
    status 65 build none 2> why
    contains "$(cat why)" "it wrote no index.html"
}

test_the_only_directory_with_an_index_will_do() {
    shared_store
    project it 'mkdir -p target/site && touch target/site/index.html'
    contains "$(files "$(build it)")" "index.html"
    contains "$(cat said)" "target/site is the only directory that the build wrote an index.html to"
    # Not when a framework says that it is elsewhere.
    project vite 'mkdir -p target/site && touch target/site/index.html' '{"devDependencies": {"vite": "file:./fake"}}'
    mkdir vite/fake; echo '{"name": "vite", "version": "8.0.0"}' > vite/fake/package.json; rm vite/package-lock.json
    status 65 build vite 2> why
    contains "$(cat why)" "there is no index.html in dist; it wrote one to: target/site"
}

test_a_lock_file_that_does_not_match() {
    shared_store
    project it 'true' '{"dependencies": {"left-pad": "1.3.0"}}'
    status 70 build it 2> why
    contains "$(cat why)" "install dependencies (package-lock.json) failed"
    contains "$(cat why)" "when package-lock.json does not match package.json: run npm install and commit it"
}

test_a_failing_build_says_so() {
    shared_store
    project it 'echo the reason >&2; exit 3'
    status 70 build it 2> why
    contains "$(cat why)" "the reason"
    contains "$(cat why)" "build (npm run build) failed"
    contains "$(cat why)" "npm run build on this machine shows the same"
}

test_secrets_reach_the_installation_alone() {
    shared_store
    project it x '{"scripts": {"preinstall": "test \"$(printf %s \"$NPM_TOKEN\" | wc -c)\" = 18", "build": "test -z \"$NPM_TOKEN\" && test ! -e /run/secrets/NPM_TOKEN && mkdir dist && touch dist/index.html"}}'
    TOKEN=seventimessecret.. build it --secret NPM_TOKEN=env:TOKEN > /dev/null
    status 70 build it --no-cache > /dev/null 2> why
    contains "$(cat why)" "install dependencies"
    absent -rlF seventimessecret.. "$PL_STORE/names" "$PL_STORE/trees"
}

test_variables_reach_the_build_of_a_site() {
    shared_store
    project it 'mkdir dist && echo "$VITE_API" > dist/index.html'
    equal "$(content "$(build it --env VITE_API=https://api.example)" index.html)" "https://api.example"
    status 64 build it --label a=b 2> why
    contains "$(cat why)" "--label is for containers"
}

test_a_member_of_a_workspace() {
    shared_store
    application workspace
    echo "// $RANDOM" >> workspace/apps/web/build.js
    site=$(build workspace/apps/web)
    equal "$(jq -r .name <<< "$site")" web
    equal "$(content "$site" index.html)" "<p>7</p>"
    contains "$(cat said)" "apps/web depends on packages/ui, which is built before"
    # The same from inside of it, and nothing is run.
    here=$PWD
    cd workspace/apps/web
    again=$(pl-build --base "$BASE" --output json 2> "$here/said")
    equal "$(jq -r .digest <<< "$again")" "$(jq -r .digest <<< "$site")"
    contains "$(cat "$here/said")" "0 made"
}

test_files_are_a_site_as_they_are() {
    mkdir site; echo hello > site/index.html; echo '{}' > site/firebase.json; mkdir site/a; echo a > site/a/b.css
    site=$(pl-build --output json site 2> said)
    equal "$(files "$site" | tr '\n' ' ')" "a/b.css index.html "
    contains "$(cat said)" "nothing to build: the files are the site"
}

run_tests
