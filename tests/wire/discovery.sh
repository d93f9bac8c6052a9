# Sourced by tests that check requests and replies against Google's discovery documents.

# Sets $DOCUMENTS, a folder with Google's documents, out of its own client library (made once in a run).
discovery_documents() {
    DOCUMENTS=$OUT/test/discovery
    [ ! -s "$DOCUMENTS/firebase.v1beta1.json" ] || return 0
    local folder; folder=$(mktemp -d "$WORK/pypi.XXXXXX")
    echo 'google-api-python-client==2.202.0 --hash=sha256:aaa90064c9bb642ff1d065b22ca8958a2cb6e345909cefe70d0e5452fc50e08b' > "$folder/wanted"
    python3 -m pip download -q --no-deps --disable-pip-version-check --require-hashes -r "$folder/wanted" -d "$folder"
    python3 - "$folder" "$DOCUMENTS" << 'END'
import glob, os, sys, zipfile
os.makedirs(sys.argv[2], exist_ok=True)
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as wheel:
    for name in ("firebasehosting.v1beta1", "run.v2", "identitytoolkit.v1", "identitytoolkit.v2", "firebase.v1beta1"):
        data = wheel.read(f"googleapiclient/discovery_cache/documents/{name}.json")
        with open(f"{sys.argv[2]}/{name}.json.{os.getpid()}", "wb") as file: file.write(data)
        os.replace(f"{sys.argv[2]}/{name}.json.{os.getpid()}", f"{sys.argv[2]}/{name}.json")
END
}
# valid_by_discovery [--replies] LOG...: every request and reply in them is as Google's documents say
valid_by_discovery() { discovery_documents && "$ROOT/tests/wire/discovery.py" "$DOCUMENTS" "$@"; }
