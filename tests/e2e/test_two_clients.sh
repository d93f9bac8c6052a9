#!/usr/bin/env bash
# firebase-tools and pl-firebase-deploy deploy the same directory and the same firebase.json to the local cloud as two
# sites: both are served alike, and each client reads what the other released.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/hosting.sh"
. "$ROOT/tests/e2e/firebase_tools.sh"

# Two sites, site-a of firebase-tools and site-b of pl (names of one length, as they are in answers), and a project that uses much of firebase.json.
two_sites() {
    start_cloud; eval "$(cat environment)"
    "$ROOT/tests/wire/make_hosting_site.py" public
    mkdir -p 'public/größe'; echo 'größe' > 'public/größe/ü ?#%2e.txt'; echo page > public/a.b.html; head -c 3000000 /dev/urandom > public/large.bin
    mkdir -p public/node_modules/x; echo no > public/node_modules/x/y; echo no > public/.secret; ln -s about.html public/link.html
    for site in site-a site-b; do expect 200 POST "/v1beta1/projects/-/sites?siteId=$site" -d '{}'; done
    cat > firebase.json << 'END'
{ // for both
  "hosting": { "public": "public", "ignore": ["firebase.json", "**/.*", "**/node_modules/**"], "cleanUrls": true, "trailingSlash": false,
    "i18n": {"root": "/intl"}, "appAssociation": "NONE",
    "redirects": [{"source": "/old/:p*", "destination": "/docs/:p*", "type": 301}, {"regex": "^/re/(?P<x>[a-z]+)$", "destination": "/:x", "type": 302},
                  {"source": "/ext/{a,b}/@(x|y)", "destination": "https://example.org/"}],
    "rewrites": [{"source": "/app/**", "destination": "/index.html"}, {"regex": "^/r[0-9]+$", "destination": "/about.html"}],
    "headers": [{"source": "**/*.js", "headers": [{"key": "Cache-Control", "value": "max-age=600"}, {"key": "X-A", "value": "b"}]},
                {"regex": "^/docs/.*", "headers": [{"key": "X-Docs", "value": "1"}]}, {"source": "**", "headers": [{"key": "X-All", "value": "yes"}]}] } }
END
    mkdir -p tools; cp -a public tools/; sed 's|"hosting": {|"hosting": {"site": "site-a",|' firebase.json > tools/firebase.json
    ( cd tools; firebase deploy --only hosting --message one )
    pl-firebase-deploy --site site-b --message one . > record
}

test_both_sites_are_served_alike() {
    two_sites
    equal "$(jq -r .ref record)" "http://site-b.localhost:$PORT"
    expect 200 GET /v1beta1/sites/site-a/channels/live; get '.release.version.config' > tools.config
    expect 200 GET /v1beta1/sites/site-b/channels/live; get '.release.version.config' > pl.config
    diff <(jq -S . tools.config) <(jq -S . pl.config)
    python3 "$ROOT/tests/e2e/compare_sites.py" "$PORT" site-a site-b public
}

test_each_client_reads_what_the_other_released() {
    two_sites
    # pl sees the files of firebase-tools: none is new, none is gone.
    pl-firebase-deploy --site site-a --dry-run . > changes 2> said
    equal "$(grep -c -e '^+ /' -e '^- /' changes)" 0
    contains "$(cat said)" "deployed by another tool"
    echo two > public/new.html; echo two > tools/public/new.html
    ( cd tools; firebase hosting:channel:deploy next --expires 2d )
    pl-firebase-deploy --site site-a --promote next > record
    equal "$(visit site-a /new)$(cat body)" "200two"
    pl-firebase-deploy --site site-a --rollback > record
    equal "$(visit site-a /new)" 404
    # And firebase-tools copies, lists and deletes what is pl's.
    pl-firebase-deploy --site site-b --channel next . > record
    label=$(jq -r '.ref' record | sed 's|http://||; s|\..*||')
    ( cd tools
        firebase hosting:channel:list --site site-b; contains "$(cat tool.log)" "$label"
        firebase hosting:clone site-b:next site-a:live
        firebase hosting:channel:delete next --site site-b --force )
    equal "$(visit site-a /new)$(cat body)" "200two"
    equal "$(visit "$label" /new)" 404
    # What firebase-tools copied carries pl's label: the same content is unchanged.
    pl-firebase-deploy --site site-a . > /dev/null 2> said
    contains "$(cat said)" unchanged
}

run_tests
