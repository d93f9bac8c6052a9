# Sourced by tests that need packages of npm or PyPI: each set is installed once for this checkout, in $OUT/test/packages.
PACKAGES=$OUT/test/packages
# install_once KIND WORDS COMMAND...: runs the command in a fresh directory unless it has succeeded before; $INSTALLED
install_once() {
    local kind=$1 words=$2; shift 2
    INSTALLED=$PACKAGES/$kind-$(printf '%s' "$words" | sha256sum | cut -c1-16)
    mkdir -p "$PACKAGES"
    (
        flock 9
        [ ! -e "$INSTALLED/done" ] || exit 0
        rm -rf "$INSTALLED"; mkdir -p "$INSTALLED"
        cd "$INSTALLED" && "$@" > install.log 2>&1 && touch done
    ) 9> "$PACKAGES/lock" || { tail -n 20 "$INSTALLED/install.log"; fail "cannot install $words"; }
}
# npm_packages NAME@VERSION...: $NODE_MODULES. No package runs a script of its own.
npm_packages() {
    install_once npm "$*" env HOME="$PACKAGES" npm_config_cache="$PACKAGES/npm-cache" \
        npm install --ignore-scripts --no-audit --no-fund --no-update-notifier "$@"
    NODE_MODULES=$INSTALLED/node_modules
}
# pip_packages NAME==VERSION...: $PYTHON. The host's pip installs them: one of its own would take as long as they do.
pip_packages() {
    install_once pip "$*" sh -c 'python3 -m venv --without-pip . && python3 -m pip --python bin/python install -q --no-compile --disable-pip-version-check --cache-dir "$0" "$@"' "$PACKAGES/pip-cache" "$@"
    PYTHON=$INSTALLED/bin/python
}
