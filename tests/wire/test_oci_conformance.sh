#!/usr/bin/env bash
# The OCI's own conformance suite for registries against pl-local's: about 780 checks that nobody here wrote.
. "$(dirname "$0")/../lib.sh"
SUITE=github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111

# Built once and kept in out/. It needs Go 1.24, which Debian 12 and Ubuntu 24.04 do not have.
build_suite() {
    local go; go=$(command -v go || echo /usr/local/go/bin/go)
    [ -x "$go" ] || skip "Go is not installed"
    [ "$("$go" env GOVERSION | sed 's/go1\.\([0-9]*\).*/\1/')" -ge 24 ] || skip "Go is older than 1.24"
    [ ! -x "$OUT/test/conformance" ] || return 0
    GOFLAGS=-modcacherw GOPATH=$OUT/test/go GOCACHE=$OUT/test/go/cache GOBIN=$OUT/test "$go" install "$SUITE"
    rm -rf "$OUT/test/go"
}

test_pl_local_passes_the_conformance_suite() {
    build_suite
    export PL_LOCAL_STATE=$PWD/cloud
    eval "$(pl-local start 2> /dev/null)"
    trap 'pl-local stop 2> /dev/null' EXIT
    export OCI_REGISTRY=${PL_CLOUD_URL#http://} OCI_TLS=disabled OCI_REPO1=p/r/one OCI_REPO2=p/r/two OCI_RESULTS_DIR=$PWD/results
    export OCI_USERNAME=_json_key OCI_PASSWORD="$(cat "$GOOGLE_APPLICATION_CREDENTIALS")"
    export OCI_API_BLOBS_DIGEST_HEADER=true OCI_API_MANIFESTS_DIGEST_HEADER=true OCI_API_BLOBS_UPLOAD_CANCEL=true
    export OCI_API_MANIFESTS_TAG_PARAM=true
    # Artifact Registry takes sha256 only; so does pl.
    export OCI_DATA_SHA512=false
    status 0 "$OUT/test/conformance" > report
    equal "$(sed -n 's/^ *FAIL\.*: *//p' report)" 0
    [ "$(sed -n 's/^ *Pass\.*: *//p' report)" -ge 770 ]
    # The suite asks for no right to read where it would mount from.
    equal "$(sed -n 's/^ *\(.*\): Skip$/\1/p' report | sed 's/.*\///' | sort | tr '\n' ' ')" "blob-mount blob-mount-anonymous "
}

run_tests
