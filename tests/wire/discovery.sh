# Sourced by tests that check requests and replies against Google's discovery documents.
. "$ROOT/tests/packages.sh"

# valid_by_discovery [--replies | --answers] LOG...: every request and reply in them is as Google's documents say, which its client
# library for Python holds
valid_by_discovery() {
    pip_packages google-api-python-client==2.202.0
    "$ROOT/tests/wire/discovery.py" "$("$PYTHON" -c 'import googleapiclient; print(googleapiclient.__path__[0])')/discovery_cache/documents" "$@"
}
