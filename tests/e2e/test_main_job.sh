#!/usr/bin/env bash
# The main job: from source to a running URL through the pipe, and what happens when it is done again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

test_from_source_to_a_running_url() {
    shared_store
    cloud
    cp -R "$ROOT/examples/shop/backend" backend
    deploy() { pl-build backend | pl-push-image --repo demo | pl-run-deploy --region us-central1 "$@"; }
    deploy > record 2> story
    equal "$(jq -r .type record)" service
    url=$(jq -r .ref record)
    equal "$(curl -sf "$url/items" | jq -r '.[0].name')" Notebook
    equal "$(curl -sf "$url/" | jq -r .revision)" "$(jq -r .revision record)"

    echo "the same again changes nothing"
    deploy > again 2> story
    equal "$(jq -r .revision again)" "$(jq -r .revision record)"
    contains "$(cat story)" "unchanged"
    contains "$(cat story)" "2 steps found, 0 made"

    echo "a difference is shown and not made"
    deploy --dry-run --env 'LIST=a,b=c' --memory 1Gi > difference 2> story
    contains "$(cat difference)" "LIST"
    contains "$(cat difference)" "1Gi"
    lacks "$(cat difference)" "a,b=c"
    equal "$(curl -sf "$url/" | jq -r .revision)" "$(jq -r .revision record)"

    echo "one line of the source: one layer, a new revision, at the same URL"
    sed -i 's/Notebook/Sketchbook/' backend/src/main.py
    deploy --env 'SHOP_NAME=a,b=c' > changed 2> story
    equal "$(jq -r .ref changed)" "$url"
    contains "$(cat story)" "1 steps found, 1 made"
    equal "$(curl -sf "$url/items" | jq -r '.[0].name')" Sketchbook
    equal "$(curl -sf "$url/" | jq -r .shop)" 'a,b=c'

    echo "what was set stays without being said again"
    deploy --label team=web > labelled 2> story
    equal "$(curl -sf "$url/" | jq -r .shop)" 'a,b=c'
}

# broken NAME WORDS...: its own explanation, and the service goes on with what ran before
broken() {
    local name=$1 word
    shift
    status 70 sh -c "pl-build --name app $ROOT/tests/fixtures/broken-$name | pl-push-image --repo demo |
        pl-run-deploy --region us-central1" > "out-$name" 2> "error-$name"
    for word in "$@"; do contains "$(cat "error-$name")" "$word"; done
}

test_five_broken_applications_have_five_explanations() {
    shared_store
    cloud --startup-time 14
    web_app good "good"
    url=$(ship good app)
    broken crash "its process ended with exit code 1" "No module named 'module_that_nobody_installed'"
    broken exits "its process ended by itself (exit code 0)" "nothing to do, good bye"
    broken port-9999 "it listens on port 9999" "--port 9999"
    broken loopback-only "it listens on 127.0.0.1:8080 only" "0.0.0.0"
    broken never-listens "listens on no port within 14 s" "waiting for something that never comes"
    equal "$(curl -sf "$url/")" "good"
    equal "$(tail -qn 2 error-* | grep -c '^pl-run-deploy: ')" 5
}

run_tests
