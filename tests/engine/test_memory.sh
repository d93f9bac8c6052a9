#!/usr/bin/env bash
# No input makes pl-build or pl-cache take more than 64 MiB.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" = 0 ] && [ -d /dev/shm ]; then PLACE=$(mktemp -d /dev/shm/pl-test.XXXXXX); ATEXIT="rm -rf $PLACE; $ATEXIT"
else PLACE=$WORK/place; mkdir "$PLACE"; fi

fits() { # fits COMMAND...: succeeds, and neither it nor what it waited for had more than 64 MiB at any time
    python3 - "$@" <<'EOF'
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{peak} KiB: {' '.join(sys.argv[1:])}")
sys.exit(code or (1 if peak > 64 * 1024 else 0))
EOF
}

test_a_hundred_thousand_files() {
    cd "$PLACE"; export PL_STORE=$PLACE/files
    mkdir source
    python3 -c '
import os
for i in range(100000):
    if i % 1000 == 0: os.mkdir(f"source/{i // 1000}")
    with open(f"source/{i // 1000}/a-file-with-a-rather-long-name-{i}.txt", "w") as f: f.write(str(i))'
    printf 'FROM scratch\nCOPY . /app\n' > source/Dockerfile
    fits pl-build -q source
    fits pl-build -q source
    fits pl-cache status
    fits pl-cache verify
    fits pl-cache gc --keep-days 0
    rm -rf "$PL_STORE" source
}

test_large_files_and_layers() {
    cd "$PLACE"; export PL_STORE=$PLACE/large
    mkdir source; "$ROOT/tests/engine/make_rootfs" source/root.tar
    head -c 200000000 /dev/zero > source/large
    cat > source/Dockerfile <<'EOF'
FROM rootfs:root.tar
COPY large /large
RUN cp /large /copy && mkdir /many && cd /many && i=0 && while [ $i -lt 20000 ]; do : > file-with-a-rather-long-name-$i; i=$((i + 1)); done
RUN rm -r /many
EOF
    (cd source && fits pl-build -q .)
    fits pl-cache verify
    [ "$(id -u)" != 0 ] || (cd source && PL_SANDBOX=chroot PL_STORE=$PLACE/copies fits pl-build -q .)
    rm -rf "$PL_STORE" "$PLACE/copies" source
}

test_a_step_that_prints_without_end() {
    "$ROOT/tests/engine/make_rootfs" root.tar
    printf 'FROM rootfs:root.tar\nRUN head -c 50000000 /dev/zero | tr "\\\\\\\\0" x; i=0; while [ $i -lt 100000 ]; do echo line $i; i=$((i + 1)); done\n' > Dockerfile
    printf '*\n' > .dockerignore
    fits pl-build -q . 2> log
    fits pl-build --no-cache . 2> log
    [ "$(stat -c %s log)" -gt 50000000 ]
}

run_tests
