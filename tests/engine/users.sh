# Sourced by tests that need other users: they are made by useradd, and are gone when the test file ends. Only root can.
#
#   add_user NAME [NO_IDS]   an ordinary user with a home below $WORK, with or without a range in /etc/subuid
#   as_user NAME COMMAND...  in an environment like that after a login, with pl's tools first in PATH
USERS=
add_user() {
    local name=$1
    [ "$(id -u)" = 0 ] || skip "making users needs root"
    chmod 711 "$WORK"
    # Their tools are copies: the repository may lie in a home that they cannot enter.
    [ -d "$WORK/bin" ] || cp -r "$OUT/bin" "$WORK/bin"
    mkdir -p "$WORK/users"; chmod 711 "$WORK/users"
    # Left over from a run that was killed.
    if getent passwd "$name" > /dev/null; then userdel -f "$name" 2> /dev/null; fi
    useradd -m -d "$WORK/users/$name" -s /bin/sh "$name"
    echo "$name" >> "$WORK/users.list"
    if [ "${2:-}" = NO_IDS ]; then
        sed -i "/^$name:/d" /etc/subuid /etc/subgid
    elif ! grep -q "^$name:" /etc/subuid; then
        usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 "$name"
    fi
}
as_user() {
    local name=$1; shift
    setpriv --reuid "$name" --regid "$name" --init-groups env -i HOME="$WORK/users/$name" LC_ALL=C.UTF-8 \
        PATH="$WORK/bin:/usr/local/bin:/usr/bin:/bin" "$@"
}
remove_users() { [ ! -e "$WORK/users.list" ] || while read -r name; do userdel "$name" 2> /dev/null; done < "$WORK/users.list"; }
ATEXIT="remove_users; $ATEXIT"
