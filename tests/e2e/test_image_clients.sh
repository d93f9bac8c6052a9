#!/usr/bin/env bash
# skopeo, podman and umoci read what pl pushed, and pl reads what they pushed: in pl-local's registry and in Debian's.
. "$(dirname "$0")/../lib.sh"

# A root file system of busybox, and an application on it with owners, modes, a link, a changed and a removed file.
application() {
    mkdir -p root/bin root/etc root/tmp root/old app/data
    cp /bin/busybox root/bin/
    for tool in sh cat chmod chown id ln mkdir rm stat; do ln -sf busybox "root/bin/$tool"; done
    printf 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n' > root/etc/passwd
    echo old > root/old/file
    chmod 1777 root/tmp
    tar -C root --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf base.tar .
    echo hello > app/data/file
    cat > app/Dockerfile <<END
FROM rootfs:$PWD/base.tar
COPY --chown=1000:1000 --chmod=640 data/file /app/data/file
RUN rm -r /old && echo made > /app/made && chown 7:8 /app/made && chmod 4755 /app/made && ln -s data/file /app/link
WORKDIR /app
USER app
ENV GREETING="a b=c"
CMD ["cat", "link"]
END
    pl-build --name shop --label org.opencontainers.image.title=shop app > container
}
cloud() {
    export PL_LOCAL_STATE=$PWD/cloud REGISTRY_AUTH_FILE=$PWD/auth.json
    eval "$(pl-local start 2> /dev/null)"
    trap 'pl-local stop 2> /dev/null' EXIT
    H=${PL_CLOUD_URL#http://} ACCESS=$(curl -s -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
}
# podman takes a run directory of at most 50 characters.
POD=$(mktemp -d /tmp/pl-pod.XXXXXX)
ATEXIT='rm -rf "$POD"'
pod() { podman --root "$PWD/podman" --runroot "$POD" --storage-driver vfs --events-backend none --cgroup-manager cgroupfs "$@"; }
skopeo_copy() { skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
raw() { skopeo inspect --raw --tls-verify=false "docker://$1"; }
digest_in() { jq -r .digest "$1"; }

# clients_read REF DIGEST: the three clients see the image that was built
clients_read() {
    skopeo inspect --tls-verify=false "docker://$1" > inspect.json
    equal "$(jq -r '.Digest, .Os, .Architecture, .Labels["org.opencontainers.image.title"]' inspect.json | tr '\n' ' ')" "$2 linux amd64 shop "
    contains "$(jq -c .RepoTags inspect.json)" '"v1"'
    equal "sha256:$(raw "$1" | sha256sum | cut -d' ' -f1)" "$2"
    rm -rf layout bundle
    skopeo_copy "docker://$1" oci:layout:v1
    local rootless=
    [ "$(id -u)" = 0 ] || rootless=--rootless
    umoci unpack $rootless --image layout:v1 bundle
    equal "$(cat bundle/rootfs/app/link)" hello
    equal "$(cd bundle/rootfs && stat -c '%a %F %n' tmp app/data/file app/made app/link | tr '\n' ',')" \
        "1777 directory tmp,640 regular file app/data/file,4755 regular file app/made,777 symbolic link app/link,"
    [ -n "$rootless" ] || equal "$(cd bundle/rootfs && stat -c '%u:%g' app/data/file app/made etc/passwd | tr '\n' ' ')" "1000:1000 7:8 0:0 "
    [ ! -e bundle/rootfs/old ]
    [ -z "$(find bundle/rootfs -name '.wh.*')" ]
    equal "$(jq -c '[.process.args, .process.cwd, .process.user.uid]' bundle/config.json)" '[["cat","link"],"/app",1000]'
    contains "$(jq -c .process.env bundle/config.json)" '"GREETING=a b=c"'
    pod pull -q --tls-verify=false "$1"
    equal "$(pod inspect "$1" | jq -c '.[0] | [.Config.User, .Config.Cmd, .Digest]')" "[\"app\",[\"cat\",\"link\"],\"$2\"]"
    pod create -q --name reader "$1" > /dev/null
    pod export reader | tar tv --numeric-owner | awk '{ print $1, $2, $6, $7, $8 }' > listing
    pod rm -f reader > /dev/null
    grep -q '^-rwsr-xr-x 7/8 app/made' listing
    grep -q '^-rw-r----- 1000/1000 app/data/file' listing
    grep -q '^lrwxrwxrwx 0/0 app/link -> data/file' listing
    absent ' old' listing
}

test_clients_read_what_pl_pushed_to_pl_local() {
    cloud
    application
    pl-push-image --repo demo --tag v1 < container > image
    equal "$(jq -r .ref image)" "$H/pl-local/demo/shop@$(digest_in image)"
    status 1 skopeo inspect --tls-verify=false "docker://$H/pl-local/demo/shop:v1" 2> refused
    contains "$(cat refused)" "403 (Forbidden)"
    status 1 skopeo login --tls-verify=false -u oauth2accesstoken -p wrong "$H" 2> refused
    contains "$(cat refused)" "invalid username/password"
    skopeo login --tls-verify=false -u oauth2accesstoken --password-stdin "$H" <<< "$ACCESS"
    clients_read "$H/pl-local/demo/shop:v1" "$(digest_in image)"
    rm auth.json
    podman login --tls-verify=false -u _json_key --password-stdin "$H" < "$GOOGLE_APPLICATION_CREDENTIALS"
    skopeo inspect --tls-verify=false "docker://$(jq -r .ref image)" > /dev/null
}

test_clients_read_what_pl_pushed_to_debians_registry() {
    [ -x "$(command -v docker-registry)" ] || skip "docker-registry is not installed"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' \
        "$PWD/registry" "$port" > registry.yml
    docker-registry serve registry.yml > registry.log 2>&1 &
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
    application
    pl-push-image --repo "127.0.0.1:$port/team/shop" --tag v1 < container > image
    clients_read "127.0.0.1:$port/team/shop:v1" "$(digest_in image)"
}

# pl_reads REF: a step of pl runs on the image
pl_reads() {
    mkdir -p reader
    printf 'FROM %s\nUSER root\nRUN cat /app/link; stat -c "%%u:%%g %%a" /app/made; test ! -e /old\n' "$1" > reader/Dockerfile
    PL_STORE=$PWD/other-store pl-build --no-cache reader > /dev/null 2> reader.log || { cat reader.log; return 1; }
    contains "$(cat reader.log)" "│   hello"
    contains "$(cat reader.log)" "│   7:8 4755"
}

test_pl_reads_what_clients_pushed() {
    cloud
    application
    pl-push-image --repo demo --tag v1 < container > image
    skopeo login --tls-verify=false -u oauth2accesstoken --password-stdin "$H" <<< "$ACCESS"
    from=$H/pl-local/demo/shop:v1 to=$H/pl-local/demo
    skopeo_copy "docker://$from" "docker://$to/copied:v1"
    equal "$(raw "$to/copied:v1" | sha256sum)" "$(raw "$from" | sha256sum)"
    pl_reads "$to/copied:v1"
    skopeo_copy --format v2s2 "docker://$from" "docker://$to/docker:v1"
    contains "$(raw "$to/docker:v1")" "application/vnd.docker.image.rootfs.diff.tar.gzip"
    pl_reads "$to/docker:v1"
    pod pull -q --tls-verify=false "$from"
    pod push -q --tls-verify=false --remove-signatures "$from" "docker://$to/podman:v1"
    pl_reads "$to/podman:v1"
    for format in oci v2s2; do
        pod manifest create "list-$format" > /dev/null
        pod manifest add --tls-verify=false "list-$format" "docker://$to/copied:v1" > /dev/null
        pod manifest push -q --tls-verify=false --all --format $format "list-$format" "docker://$to/list:$format" > /dev/null
        contains "$(raw "$to/list:$format")" '"manifests"'
        pl_reads "$to/list:$format"
    done
    skopeo_copy --all "docker://$to/list:oci" "docker://$to/list-copied:v1"
    equal "$(raw "$to/list-copied:v1")" "$(raw "$to/list:oci")"
    equal "$(skopeo list-tags --tls-verify=false "docker://$to/list" | jq -c .Tags)" '["oci","v2s2"]'
    skopeo delete --tls-verify=false "docker://$to/list:oci"
    equal "$(skopeo list-tags --tls-verify=false "docker://$to/list" | jq -c .Tags)" '["v2s2"]'
}

test_pl_reads_layers_in_zstd() {
    cloud
    application
    # Content that no registry has yet, or skopeo would send the layers that it knows.
    mkdir -p root/app plain && rm -r root/old
    echo hello > root/app/link && head -c 20000 /dev/urandom > root/random
    install -m 4755 /dev/null root/app/made && chown 7:8 root/app/made && chmod 4755 root/app/made
    tar -C root --numeric-owner -cf layer .
    sha() { sha256sum "$1" | cut -d' ' -f1; }
    printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(sha layer)" > config
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
        "$(sha config)" "$(stat -c %s config)" "$(sha layer)" "$(stat -c %s layer)" > plain/manifest.json
    printf 'Directory Transport Version: 1.1\n' > plain/version
    cp config "plain/$(sha config)"; cp layer "plain/$(sha layer)"
    skopeo login --tls-verify=false -u oauth2accesstoken --password-stdin "$H" <<< "$ACCESS"
    skopeo_copy --dest-compress --dest-compress-format zstd dir:plain "docker://$H/pl-local/demo/zstd:v1"
    contains "$(raw "$H/pl-local/demo/zstd:v1")" "application/vnd.oci.image.layer.v1.tar+zstd"
    pl_reads "$H/pl-local/demo/zstd:v1"
}

run_tests
