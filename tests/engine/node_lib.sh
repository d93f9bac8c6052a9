# Sourced by the tests of Node builds: real builds on the base from Debian packages with Node from npm's registry. Debian's
# part is the one that the tests of Python use, so that it is made once.
APPLICATIONS=$ROOT/tests/engine/node
BASE='apt:bookworm?python3,python3-venv,ca-certificates&node=22.23.3'

application() { # application NAME: a copy of node/NAME in ./NAME
    cp -r "$APPLICATIONS/$1" .
}

build() { # build DIR [OPTIONS]: prints the record; what pl-build says is in ./said
    pl-build --base "$BASE" --output json "$@" 2> said || { local code=$?; cat said >&2; return $code; }
}

object() { # object DIGEST: the bytes
    local hex=${1#*sha256:}
    cat "$PL_STORE/objects/${hex:0:2}/${hex:2}"
}

files() { # files RECORD: the paths of a site
    object "$(jq -r .digest <<< "$1")" | awk '$1 == "f" || $1 == "x" { print $NF }'
}

content() { # content RECORD PATH: of a site
    object "sha256:$(object "$(jq -r .digest <<< "$1")" | awk -v path="$2" '$NF == path { print $2 }')"
}

# A project without dependencies: what its script "build" runs is all there is. No two are the same: each is built anew.
project() { # project DIR SCRIPT [MORE]
    mkdir -p "$1"
    jq -n --arg script "$2" --arg id "$RANDOM$RANDOM" --argjson more "${3:-{\}}" '{name: "it", version: "1.0.0", description: $id, scripts: {build: $script}} + $more' > "$1/package.json"
    printf '{"name":"it","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"it","version":"1.0.0"}}}\n' > "$1/package-lock.json"
}
