#!/usr/bin/env bash
# pl-firebase-deploy against a scripted Hosting: which requests it sends, what it does about failures, and that a channel
# shows the old or the new, whatever happens.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/firebase.sh"

test_the_first_deployment_takes_exactly_these_requests() {
    site; hosting
    deploy --message 'hello "you"' > record
    equal "$(requests)" "GET /v1beta1/projects/demo/sites?pageSize=100 200
GET /channels/live 200
GET /versions?pageSize=25 200
POST /versions 200
POST /versions/V0:populateFiles 200
POST upload 200
POST upload 200
POST upload 200
PATCH /versions/V0?updateMask=status,config 200
POST /channels/live/releases?versionName=V0 200
GET /channels/live 200"
    equal "$(log 'r[3]["body"]["status"], sorted(r[3]["body"]["labels"]), sorted(r[4]["body"]["files"])')" \
        "('CREATED', ['deployment-tool', 'pl-content'], ['/index.html', '/main-ABCDEFG7.js', '/sub/a.css'])"
    equal "$(log '[x["type"] for x in r if "/upload/" in x["path"]], r[-2]["body"], r[-3]["body"]["status"]')" \
        "([None, None, None], {'message': 'hello \"you\"'}, 'FINALIZED')"
    equal "$(log 'r[-3]["body"]["config"] == r[3]["body"]["config"], [h["headers"]["Cache-Control"] for h in r[-3]["body"]["config"]["headers"]], r[-3]["body"]["config"]["rewrites"]')" \
        "(True, ['no-cache', 'public, max-age=31536000, immutable'], [{'glob': '**', 'path': '/index.html'}])"
    equal "$(jq -r '"\(.type) \(.ref) \(.site) \(.version) \(.channel) \(.project) \(.expires)"' record)" \
        "site https://shop.web.app shop 0000000000abc000 live demo null"
    contains "$(jq -r '.from[0]' record)" "directory:sha256:"
}

test_the_same_again_is_unchanged_and_sends_nothing() {
    site; hosting
    deploy > first; : > "$LOG"
    deploy > second 2> said
    equal "$(requests)" "GET /v1beta1/projects/demo/sites?pageSize=100 200
GET /channels/live 200"
    contains "$(cat said)" "unchanged"
    equal "$(jq -c 'del(.set)' first)" "$(jq -c 'del(.set)' second)"
}

test_only_what_changed_is_sent_and_content_counts_not_time() {
    site; hosting
    deploy > /dev/null
    touch -d '2001-01-01' site/sub/a.css
    sleep 0.2; before=$(stat -c %y site/index.html)
    echo '<h1>two</h1>' > site/index.html
    touch -d "$before" site/index.html
    : > "$LOG"
    deploy > /dev/null
    equal "$(log 'sum("/upload/" in x["path"] for x in r)')" 1
    rm -rf "$PL_STORE"; : > "$LOG"
    deploy 2> said > /dev/null
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
    contains "$(cat said)" "unchanged"
}

test_a_record_is_deployed_from_the_store() {
    site; ln -s index.html site/start.html; hosting
    record site > record; ref=$(jq -r .ref record)
    rm -rf site
    pl-firebase-deploy --channel pr-1 -o ref < record > url
    equal "$(cat url)" "https://shop--pr-1-x7.web.app"
    equal "$(log '[sorted(x["body"]["files"]) for x in r if "populate" in x["path"]]')" "[['/index.html', '/main-ABCDEFG7.js', '/start.html', '/sub/a.css']]"
    equal "$(echo "$ref" | pl-firebase-deploy -o ref)" "https://shop.web.app"
    equal "$(pl-firebase-deploy "$ref" | jq -r '.from[0]')" "$ref"
    status 65 pl-firebase-deploy "directory:sha256:$(printf %064d 0)" 2> said > /dev/null
    contains "$(cat said)" "is not in the store"
    printf '{"pl":1,"type":"image","ref":"127.0.0.1:5000/r@sha256:%064d","set":"a","seq":1,"of":1}\n' 0 > image
    status 65 pl-firebase-deploy < image 2> said > /dev/null
    contains "$(cat said)" "got an image"
    printf '{"pl":1,"type":"error","stage":"pl-build","code":70,"message":"it failed"}\n' | status 70 pl-firebase-deploy > forwarded 2> said
    contains "$(cat forwarded)" "it failed"
    status 66 pl-firebase-deploy < /dev/null 2> said > /dev/null
}

test_a_directory_and_its_record_are_the_same() {
    site; hosting
    deploy > first
    record site | pl-firebase-deploy > second 2> said
    contains "$(cat said)" unchanged
    equal "$(jq -c .from first)" "$(jq -c .from second)"
}

# The nearest firebase.json is the one beside the source that the record names, not the one here.
test_the_firebase_json_of_a_record_is_that_of_its_source() {
    mkdir -p app/dist; echo x > app/dist/index.html; hosting sites=shop,app,here
    printf '{"hosting": {"site": "here", "public": "x"}}' > firebase.json
    printf '{"hosting": {"site": "app", "public": "dist", "cleanUrls": true}}' > app/firebase.json
    record app/dist > record
    equal "$(pl-firebase-deploy < record | jq -r .site)" app
    equal "$(jq -c 'del(.source)' record | pl-firebase-deploy | jq -r .site)" here
    equal "$(pl-firebase-deploy --config app/firebase.json --site shop < record 2> said | jq -r .site)" shop
    contains "$(cat said)" "app/firebase.json is for site app; --site shop is taken"
    status 65 pl-firebase-deploy --config missing.json < record 2> /dev/null > /dev/null
}

# A site that does not exist is said while the command before is still at work.
test_what_is_wrong_is_known_before_the_record_comes() {
    site; hosting sites=shop,admin
    mkfifo pipe; exec 3<> pipe # to which nobody writes, and which does not end
    status 78 timeout 10 pl-firebase-deploy --site shpo < pipe 2> said > /dev/null
    contains "$(cat said)" "project demo has no site shpo"
    contains "$(cat said)" "did you mean --site shop? To make shpo, add --create-site"
    kill "$SERVER"
    status 77 pl-firebase-deploy site 2> said > /dev/null
    contains "$(cat said)" "pl-local start"
}

# Nothing is made before everything else is known to be right.
test_a_site_is_made_when_asked() {
    site; hosting taken=mine,yours
    status 78 deploy --site brand-new 2> said > /dev/null
    contains "$(cat said)" "project demo has no site brand-new"
    contains "$(cat said)" "to make it, add --create-site; there is: shop"
    : > "$LOG"
    deploy --site brand-new --create-site --dry-run 2> said > /dev/null
    contains "$(cat said)" "site brand-new would be made"
    config '{"source": "/api/**", "run": {"serviceId": "missing"}}'
    status 78 deploy --site brand-new --create-site 2> /dev/null > /dev/null
    rm site/firebase.json
    equal "$(log '{x["path"].split("?")[1] for x in r if x["method"] == "POST"}')" "{'validateOnly=true&siteId=brand-new'}"
    : > "$LOG"
    deploy --site brand-new --create-site -o ref > url 2> said
    equal "$(cat url)" "https://brand-new.web.app"
    contains "$(cat said)" "made site brand-new of project demo"
    equal "$(log '[(x["method"], x["path"].split("projects/demo")[-1], x["body"]) for x in r][:4]')" \
        "[('GET', '/sites/brand-new', None), ('POST', '/sites?validateOnly=true&siteId=brand-new', {}), ('POST', '/sites?siteId=brand-new', {}), ('GET', '/sites/brand-new/channels/live', None)]"
    : > "$LOG"
    PL_CREATE_SITE=1 deploy --site brand-new > /dev/null 2> said
    contains "$(cat said)" unchanged
    equal "$(requests | grep -c POST)" 0
    # Ids are unique among all projects. What shows, promotes or deletes makes no site.
    status 78 deploy --site mine --create-site 2> said > /dev/null
    contains "$(cat said)" 'try something like `mine-1a2b3`'
    contains "$(cat said)" "give another one, --site ID"
    status 78 pl-firebase-deploy --site other --create-site --rollback 2> said > /dev/null
    contains "$(cat said)" "project demo has no site other"
}

# The answer is lost, and the request comes a second time.
test_a_site_whose_answer_is_lost_is_there() {
    site; hosting 'drop=POST /v1beta1/projects/demo/sites?siteId=fresh'
    deploy --site fresh --create-site -o ref > url
    equal "$(cat url)" "https://fresh.web.app"
}

test_previews_have_their_own_url_and_end() {
    site; hosting
    deploy --channel 'feature/a_1' --expires 2d > record
    equal "$(jq -r '.channel, .ref' record | tr '\n' ' ')" "feature-a-1 https://shop--feature-a-1-x7.web.app "
    equal "$(log '[x["body"] for x in r if "channelId" in x["path"]]')" "[{'ttl': '172800s'}]"
    contains "$(jq -r .expires record)" "T"
    equal "$(shown)" nothing
    : > "$LOG"
    deploy --channel feature-a-1 > record
    equal "$(log '[(x["method"], x["body"]) for x in r if x["method"] != "GET"]')" "[('PATCH', {'ttl': '604800s'})]"
    for wrong in '--expires 31d --channel a' '--expires 1h' '--channel -a' '--channel a%2Fb --expires 1d' '--expires 0 --channel a'; do
        # shellcheck disable=SC2086
        status 64 deploy $wrong 2> /dev/null > /dev/null
    done
}

# As firebase-tools does it: signing in with a provider works at a preview only when its host is authorized.
test_people_can_sign_in_at_a_preview() {
    site; hosting domains=localhost,demo.firebaseapp.com,shop--gone-x7.web.app,shop--kept-x7.web.app,other--a.web.app
    deploy --channel kept --no-authorized-domains > /dev/null
    deploy > /dev/null
    equal "$(log 'sum("/admin/" in x["path"] for x in r)')" 0
    deploy --channel new > /dev/null; deploy --channel new > /dev/null
    equal "$(log '[(x["path"], x["body"]) for x in r if x["method"] == "PATCH" and "/admin/" in x["path"]]')" \
        "[('/admin/v2/projects/demo/config?updateMask=authorizedDomains', {'authorizedDomains': ['localhost', 'demo.firebaseapp.com', 'shop--kept-x7.web.app', 'other--a.web.app', 'shop--new-x7.web.app']})]"
    pl-firebase-deploy --delete-channel new
    equal "$(log 'r[-1]["body"]["authorizedDomains"][2:]')" "['shop--kept-x7.web.app', 'other--a.web.app']"
    # It may be forbidden; without Firebase Authentication there is nothing to do, and nothing is said.
    hosting 'fault=/admin/|403' domains=localhost
    deploy --channel new -o ref > url 2> said
    contains "$(cat url)" https://shop--new
    contains "$(cat said)" "warning: people may not be able to sign in at the preview: cannot authorize"
    hosting
    deploy --channel new -o ref > url 2> said
    lacks "$(cat said)" "sign in"
}

test_a_full_quota_makes_room_only_when_asked() {
    site; hosting quota=1 state=state
    deploy --channel old --expires 1s > /dev/null
    status 75 deploy --channel new 2> said > /dev/null
    contains "$(cat said)" "channel quota reached"
    contains "$(cat said)" "--evict-expired"
    wait_for 10 python3 -c 'import json, datetime, sys
end = json.load(open("state"))["channels"]["shop/old"]["expireTime"]
sys.exit(end[:19] >= (datetime.datetime.utcnow() - datetime.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S"))'
    deploy --channel new --evict-expired 2> said > /dev/null
    contains "$(cat said)" "deleted channel old"
    status 75 deploy --channel newer --evict-expired 2> said > /dev/null
    contains "$(cat said)" "no channel has expired"
    pl-firebase-deploy --delete-channel new
    pl-firebase-deploy --delete-channel new 2> said
    contains "$(cat said)" "was not there"
    deploy --channel newer > /dev/null
    status 64 pl-firebase-deploy --delete-channel live 2> /dev/null > /dev/null
}

test_promote_and_rollback() {
    site; hosting
    deploy > /dev/null; echo two > site/index.html; deploy --channel pr > /dev/null
    equal "$(shown) $(shown pr)" "abc000 abc001"
    pl-firebase-deploy --promote pr -o json > record 2> /dev/null
    equal "$(jq -r '"\(.version) \(.channel) \(.ref)"' record)" "0000000000abc001 live https://shop.web.app"
    echo three > site/index.html; deploy > /dev/null
    equal "$(shown)" abc002
    pl-firebase-deploy --rollback > /dev/null; equal "$(shown)" abc001
    pl-firebase-deploy --rollback > /dev/null; equal "$(shown)" abc000
    status 78 pl-firebase-deploy --rollback 2> said > /dev/null
    contains "$(cat said)" "name one: --rollback VERSION (it showed"
    pl-firebase-deploy --rollback 0000000000abc002 > /dev/null; equal "$(shown)" abc002
    pl-firebase-deploy --rollback sites/shop/versions/0000000000abc002 2> said > /dev/null
    contains "$(cat said)" "unchanged"
    status 78 pl-firebase-deploy --rollback 0000000000abc777 2> said > /dev/null
    contains "$(cat said)" "has no version 0000000000abc777"
    status 64 pl-firebase-deploy --rollback 'x?y' 2> /dev/null > /dev/null
    status 78 pl-firebase-deploy --promote nothing 2> said > /dev/null
    contains "$(cat said)" "it has: "
    # What was rolled back from is made anew: the order of versions stays that of deployments.
    pl-firebase-deploy --rollback > /dev/null; equal "$(shown)" abc001
    deploy > /dev/null; equal "$(shown)" abc002
}

test_dry_run_says_what_would_change_and_changes_nothing() {
    site; hosting
    deploy --dry-run > first 2> /dev/null
    equal "$(head -n 3 first)" "+ /index.html
+ /main-ABCDEFG7.js
+ /sub/a.css"
    deploy > /dev/null
    equal "$(deploy -n 2> /dev/null)" "nothing would change"
    echo new > site/new.txt; echo changed > site/index.html; rm site/sub/a.css; : > "$LOG"
    equal "$(deploy -n 2> said)" "~ /index.html
+ /new.txt
- /sub/a.css"
    contains "$(cat said)" "1 would be added, 1 changed, 1 removed"
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
}

# ---- failures ----

test_temporary_failures_are_tried_again() {
    site; hosting 'fault=/upload/|503|2' 'fault=:populateFiles|429|1' 'fault=/versions|500|1'
    deploy > /dev/null 2> said
    contains "$(cat said)" "trying again"
    equal "$(shown)" abc000
}

# A server that has enough is asked by fewer at once, and the rest waits; one that never recovers ends it.
test_many_refusals_are_waited_out() {
    site; for i in $(seq 40); do echo "$i" > "site/$i.txt"; done
    hosting 'fault=/upload/|429|26'
    deploy > /dev/null 2> said
    contains "$(cat said)" "Hosting answered 429"
    contains "$(cat said)" ", 1 at once"
    [ "$(grep -c 'trying again' said)" -lt 10 ]
    equal "$(shown) $(log 'sum("/upload/" in x["path"] and x["status"] == 200 for x in r)')" "abc000 43"
    kill "$SERVER"; hosting 'fault=/upload/|429'
    status 75 deploy > /dev/null 2> said
    contains "$(cat said)" "cannot upload"
    [ "$(log 'sum("/upload/" in x["path"] for x in r)')" -le 30 ]
}

test_an_upload_that_is_there_already_is_done() {
    site; hosting twice=1 drop=/upload/
    deploy > /dev/null
    equal "$(log 'sorted(x["status"] for x in r if "/upload/" in x["path"])')" "[200, 200, 200, 409]"
}

test_a_release_whose_answer_is_lost_is_not_repeated() {
    site; hosting drop=/releases
    deploy > /dev/null 2> said
    contains "$(cat said)" "it took place"
    equal "$(log 'sum("/releases" in x["path"] for x in r)')" 1
}

test_a_release_that_did_not_take_place_is_repeated() {
    site; hosting lose=/releases 'fault=/releases|503|1'
    deploy > /dev/null 2> said
    contains "$(cat said)" "it did not take place"
    equal "$(shown)" abc000
}

test_a_token_that_ends_in_the_middle_is_replaced() {
    site; for i in $(seq 60); do echo "$i" > "site/$i.txt"; done
    for used in 2 5 6 20 40; do
        hosting "expired=$used"
        deploy > /dev/null
        equal "$(shown)" abc000
        kill "$SERVER"
    done
}

test_a_refusal_says_why_and_changes_nothing() {
    site; hosting "fault=POST /v1beta1/projects/demo/sites/shop/versions|403|1|Permission 'firebasehosting.sites.update' denied"
    status 77 deploy > /dev/null 2> said
    contains "$(cat said)" "gcloud projects add-iam-policy-binding demo --member=serviceAccount:dev@demo.iam.gserviceaccount.com --role=roles/firebasehosting.admin"
    equal "$(shown)" nothing
}

test_files_that_are_missing_at_the_end_are_sent_after_all() {
    site; hosting 'fault=PATCH|400|1'
    deploy > /dev/null
    equal "$(requests | grep -c populateFiles)" 2
    equal "$(shown)" abc000
    kill "$SERVER"; hosting 'fault=PATCH|400'
    status 78 deploy > /dev/null 2> said
    contains "$(cat said)" "cannot finalize version"
}

# again STATE [NAME=VALUE...]: the server goes on from that state, with other options
again() { cp "$1" state; shift; printf '%s\n' "$@" | curl -sf -X POST --data-binary @- "$PL_CLOUD_URL/scripted" > /dev/null; }

# Kills the tool before and after each request; then the channel shows the old or the new, and the next run completes it.
test_killed_at_any_request_the_site_is_old_or_new_and_the_next_run_completes_it() {
    site; hosting state=state
    deploy > /dev/null; cp state old
    echo two > site/index.html; echo three > site/c.txt
    local total number when
    again old; : > "$LOG"; deploy > /dev/null; total=$(wc -l < "$LOG")
    [ "$total" -ge 10 ]
    for number in $(seq 1 "$total"); do
        for when in before after; do
            again old "kill=$number:$when"; rm -f victim
            status 137 bash -c 'echo $$ > victim; exec pl-firebase-deploy site > /dev/null 2>&1'
            case $(shown) in abc000|abc001) ;; *) fail "killed $when request $number: shows $(shown)" ;; esac
            deploy > /dev/null 2>&1
            equal "$number $when $(shown) $(python3 -c 'import json; print(len(json.load(open("state"))["versions"]))')" "$number $when abc001 2"
        done
    done
}

# ---- services ----

test_services_are_looked_up_before_a_version_is_made() {
    hosting services=us-central1/api,europe-west1/shop-api,us-central1/broken!
    config '{"source": "/api/**", "run": {"serviceId": "api"}}'
    deploy > /dev/null
    equal "$(log '[x["body"]["config"]["rewrites"] for x in r if x["method"] == "PATCH"]')" \
        "[[{'glob': '/api/**', 'run': {'serviceId': 'api', 'region': 'us-central1'}}]]"
    : > "$LOG"
    config '{"source": "/api/**", "run": {"serviceId": "shop-api"}}'
    status 78 deploy > /dev/null 2> said
    contains "$(cat said)" "site/firebase.json:3: the rewrite /api/** leads to the service shop-api, which is not in us-central1 but in europe-west1"
    config '{"source": "/x", "destination": "/index.html"},
            {"source": "/api/**", "run": {"serviceId": "apy"}}'
    status 78 deploy > /dev/null 2> said
    contains "$(cat said)" "site/firebase.json:4: the rewrite /api/** leads to the service apy, which is not in us-central1 of project demo"
    contains "$(cat said)" 'did you mean "api"?'
    config '{"source": "/api/**", "run": {"serviceId": "broken"}}'
    status 78 deploy > /dev/null 2> said
    contains "$(cat said)" "which has no revision that is ready"
    config '{"source": "/api/**", "run": {"serviceId": "api", "region": "moon"}}'
    status 78 deploy > /dev/null 2> said
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
}

test_without_permission_to_look_services_are_left_to_google() {
    hosting services=us-central1/api 'fault=/services/|403'
    config '{"source": "/api/**", "run": {"serviceId": "api"}}'
    deploy > /dev/null 2> said
    contains "$(cat said)" "whether there is a service api is not known"
    equal "$(shown)" abc000
}

test_pinned_rewrites_go_to_the_revision_of_now() {
    hosting services=us-central1/api
    config '{"source": "/a", "run": {"serviceId": "api", "pinTag": true}}, {"source": "/b", "run": {"serviceId": "api", "pinTag": true}}'
    status 0 deploy > /dev/null
    equal "$(log '[x["body"]["traffic"] for x in r if "/v2/" in x["path"] and x["method"] == "PATCH"]')" \
        "[[{'type': 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', 'percent': 100}, {'type': 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', 'revision': 'api-00001', 'tag': 'fh-0000000000abc000'}]]"
    equal "$(log '[[w["run"]["tag"] for w in x["body"]["config"]["rewrites"]] for x in r if "/versions/" in x["path"] and x["method"] == "PATCH"]')" \
        "[['fh-0000000000abc000', 'fh-0000000000abc000']]"
    : > "$LOG"; contains "$(deploy 2>&1 > /dev/null)" unchanged
    config '{"source": "/a", "run": {"serviceId": "api"}}'
    deploy > /dev/null
    config '{"source": "/a", "run": {"serviceId": "api", "pinTag": true}}'
    status 78 deploy --channel pr > /dev/null 2> said
    contains "$(cat said)" "which live does not pin"
}

test_tags_that_no_version_needs_make_room() {
    hosting services=us-central1/api tags=500
    config '{"source": "/a", "run": {"serviceId": "api", "pinTag": true}}'
    deploy > /dev/null
    equal "$(log '[len(x["body"]["traffic"]) for x in r if "/v2/" in x["path"] and x["method"] == "PATCH"]')" "[2]"
    kill "$SERVER"; hosting services=us-central1/api tags=499
    deploy > /dev/null
    equal "$(log '[len(x["body"]["traffic"]) for x in r if "/v2/" in x["path"] and x["method"] == "PATCH"]')" "[501]"
}

test_a_function_of_the_second_generation_is_a_service() {
    hosting functions=europe-west1/my-fn
    config '{"source": "/f", "function": {"functionId": "My_Fn", "region": "europe-west1", "pinTag": true}}'
    deploy > /dev/null
    equal "$(log '[x["body"]["config"]["rewrites"] for x in r if x["method"] == "PATCH" and "/versions/" in x["path"]]')" \
        "[[{'glob': '/f', 'run': {'serviceId': 'my-fn', 'region': 'europe-west1', 'tag': 'fh-0000000000abc000'}}]]"
    config '{"source": "/f", "function": {"functionId": "other", "pinTag": true}}'
    status 78 deploy > /dev/null 2> said
    contains "$(cat said)" "leads to the function other, which is none of the second generation"
}

test_a_service_that_wants_credentials_is_warned_of() {
    hosting services=us-central1/api private=1
    config '{"source": "/api/**", "run": {"serviceId": "api"}}'
    deploy > /dev/null 2> said
    contains "$(cat said)" "site/firebase.json:3: the service api lets nobody in without credentials"
}

# ---- sizes ----

many() { python3 - "$@" << 'END'
import os, sys
count, root = int(sys.argv[1]), sys.argv[2]
for i in range(count):
    folder = f"{root}/{i // 1000}"
    if i % 1000 == 0: os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/page-{i}.html", "w") as file: file.write(f"<p>{i}</p>\n")
open(f"{root}/index.html", "w").write("x")
END
}

test_ten_thousand_files_of_which_ten_changed() {
    many 9999 site; hosting
    deploy > /dev/null
    equal "$(log 'sum("/upload/" in x["path"] for x in r), max(len(x["body"]["files"]) for x in r if "populate" in x["path"])')" "(10000, 1000)"
    for i in 0 1 2 3 4 5 6 7 8 9; do echo "changed $i" > "site/$i/page-${i}000.html"; done
    mv site/0/page-0000.html site/0/page-0.html 2> /dev/null; : > "$LOG"
    deploy > /dev/null
    equal "$(log 'sum("/upload/" in x["path"] for x in r)')" 10
    : > "$LOG"
    deploy > /dev/null 2> said
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
}

test_a_hundred_thousand_files_fit_into_memory() {
    hosting have=all
    python3 - << 'END'
import os, resource, shutil, subprocess
with open(shutil.which("pl-firebase-deploy"), "rb") as file: sanitized = b"__asan_init" in file.read()
# Hard links: what counts is their number.
for i in range(99999):
    name = f"site/section-{i // 1000}/some-longer-name-of-a-page-{i}.html"
    if i % 1000 == 0:
        os.makedirs(os.path.dirname(name))
        with open(name, "w") as file: file.write(f"<p>{i}</p>")
        first = name
    else:
        os.link(first, name)
with open("site/index.html", "w") as file: file.write("x")
subprocess.run(["pl-firebase-deploy", "site", "-o", "ref"], check=True)
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
assert most < 64 or sanitized, f"{most} MiB"
END
    equal "$(log 'sum(len(x["body"]["files"]) for x in r if "populate" in x["path"])')" 100000
}

# Of all that the other tests sent and got. Runs last, and checks the checker first.
test_zz_every_request_and_reply_is_valid_by_googles_discovery_document() {
    site; hosting services=us-central1/api
    deploy > /dev/null; deploy --channel pr > /dev/null; pl-firebase-deploy --promote pr > /dev/null
    deploy -n > /dev/null; pl-firebase-deploy --delete-channel pr
    config '{"source": "/api/**", "run": {"serviceId": "api", "pinTag": true}}'
    deploy > /dev/null
    sed 's/"versionName=/"versionname=/; s/"status": "CREATED", "config"/"state": "CREATED", "config"/' "$LOG" > broken
    status 1 valid_by_discovery broken > said
    contains "$(cat said)" "body has an unknown field state"
    # Requests that were made to fail say what the test made up.
    grep -v -e '"made to fail"' "$WORK"/test_*/log.[0-9] -h > all
    valid_by_discovery all
}

run_tests
