# Sourced by the tests of the chain: a root file system of busybox, and looking at what a record names.
root() { [ -e "$WORK/root.tar" ] || "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"; echo "rootfs:$WORK/root.tar"; }
ref() { jq -r .ref; }
object() { cat "$PL_STORE/objects/${1:0:2}/${1:2}"; } # object HEX
config() { object "$(ref | sed 's/.*sha256://')"; }   # config < RECORD
# refused CODE TEXT NEXT COMMAND...: in the pipe an error record, on stderr the reason and what to do
refused() {
    local code=$1 text=$2 next=$3; shift 3
    status "$code" "$@" > refusal 2> log || { cat log; return 1; }
    contains "$(cat log)" "$text"
    contains "$(cat log)" "$next"
    contains "$(cat refusal)" '"type":"error"'
}
