#!/usr/bin/env bash
# make demo, from the line after which everything is built: both halves, a browser, and the same again.
. "$(dirname "$0")/../lib.sh"

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

run_tests
