#!/usr/bin/env bash
# make demo, from the line after which everything is built: both halves, a browser, and the same again; and the example's own
# Makefile and script.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

demo() { DEMO=$PWD/demo "$ROOT/examples/demo" > shown 2> story || { tail -n 30 story; return 1; }; }

test_the_demo_deploys_both_halves_and_shows_the_page() {
    shared_store
    trap 'PL_LOCAL_STATE=$PWD/demo/cloud pl-local stop -q' EXIT
    demo
    equal "$(sed -n '1s/ .*//p; 2s/ .*//p' shown | tr '\n' ' ')" "401 401 "
    for text in Notebook 'Fountain pen' 'Ink, blue-black' €4.90 'You are visitor '; do contains "$(cat shown)" "$text"; done
    [ "$(head -c 8 demo/shop.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail "no picture"
    PL_LOCAL_STATE=$PWD/demo/cloud pl-local logs backend > log
    contains "$(cat log)" '"GET /api/items HTTP/1.1" 200'

    echo "the same again finds everything"
    demo
    equal "$(grep -c ' steps found, 0 made' story)" 2
    equal "$(grep -c ': unchanged, ' story)" 2
    contains "$(cat story)" " 0 blobs sent"
    contains "$(cat story)" "5 files, 0 sent"
    contains "$(cat shown)" Notebook

    echo "without a browser it says so, and goes on"
    mkdir bin; ln -s /usr/bin/* /bin/* bin 2> /dev/null || :
    rm -f bin/chromium* bin/google-chrome* demo/shop.png
    PATH=$OUT/bin:$PWD/bin demo
    contains "$(cat story)" "NOT SHOWN: there is no Chromium"
    contains "$(cat story)" "The service stays at http://127.0.0.1:"
    lacks "$(cat shown)" Notebook
}

# The example's own two ways to write it all down: the second finds what the first has made.
test_the_makefile_and_the_script_of_the_example() {
    shared_store
    cloud
    cp -R "$ROOT/examples/shop" shop
    rm -rf shop/frontend/node_modules shop/out
    make -s -C shop deploy 2> story || { tail -n 30 story; return 1; }
    equal "$(jq -r .type shop/out/* | sort | tr '\n' ' ')" "container directory image report report service site "
    site=$(jq -r .ref shop/out/frontend.site)
    equal "$(curl -s -o body -w '%{http_code}' "$site/")" 200
    contains "$(cat body)" "<app-root>"
    equal "$(curl -s -o body -w '%{http_code}' "$site/api/items")" 401
    sh shop/deploy > refs 2> story || { tail -n 30 story; return 1; }
    equal "$(jq -r .ref refs | tail -n 1)" "$site"
    equal "$(grep -c ': unchanged, ' story)" 2
    equal "$(grep -c 'passed before; not run again' story)" 2
}

run_tests
