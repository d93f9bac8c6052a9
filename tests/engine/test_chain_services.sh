#!/usr/bin/env bash
# A container that runs beside a command: pl-with exec --service.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

web() { # web TEXT [ARGV...]: the ref of a container that answers with it on port 8080
    local text=$1; shift
    [ $# -gt 0 ] || set -- httpd -f -p 8080 -h /www
    pl-from "$(root)" | pl-with new-file /www/index.html "$text" | pl-with port 8080 | pl-with entrypoint -- "$@" | ref
}
left() { pgrep -f "httpd -f -p 8080 -h /" | while read -r pid; do tr '\0' '\n' < "/proc/$pid/environ" | grep -qx "MARK=$1" && echo "$pid"; done; }

test_a_command_reaches_its_services() {
    one=$(web one); two=$(pl-from "$(root)" | pl-with new-file /www/index.html two | pl-with port 9090 | pl-with entrypoint -- httpd -f -p 127.0.0.1:9090 -h /www | ref)
    ask='wget -q -O - http://db:8080/; wget -q -O - http://cache:9090/; wget -q -T 3 -O - http://192.0.2.1/ || echo " alone"'
    pl-from "$(root)" | pl-with exec --service "db=$one" --service "cache=$two" --shell "$ask" > record 2> log
    equal "$(pl-export --show stdout < record)" "onetwo alone"
    # It is found again, and nothing is started; another service makes it another step.
    pl-from "$(root)" | pl-with exec --service "db=$one" --service "cache=$two" --shell "$ask" 2> log | ref > again
    equal "$(cat again)" "$(ref < record)"; absent 'start db' log
    pl-from "$(root)" | pl-with exec --service "db=$(web three)" --service "cache=$two" --shell "$ask" 2> log | pl-export --show stdout > out
    equal "$(cat out)" "threetwo alone"
}

# Each has a network of its own: the same port, twice at the same time.
test_two_projects_at_once() {
    for n in 1 2; do
        service=$(pl-from "$(root)" | pl-with env "MARK=$$-$n" | pl-with new-file /www/index.html "project $n" | pl-with port 8080 |
            pl-with entrypoint -- httpd -f -p 8080 -h /www | ref)
        pl-from "$(root)" | pl-with exec --service "db=$service" --shell 'wget -q -O - http://db:8080/' 2> "log$n" |
            pl-export --show stdout > "out$n" & pids="${pids:-} $!"
    done
    for pid in $pids; do wait "$pid"; done
    equal "$(cat out1 out2)" "project 1project 2"
    equal "$(left "$$-1") $(left "$$-2")" " "
}

test_services_that_do_not_serve() {
    pl-from "$(root)" > base
    refused 70 "the service db ended with 4 before it listened on port 8080: no disk" "" \
        pl-with exec --service "db=$(web x sh -c 'echo no disk; exit 4')" -- true < base
    refused 65 "the service db exposes no port" "pl-with port" pl-with exec --service "db=$(ref < base)" -- true < base
    gone=container:sha256:$(printf '%064d' 7)
    refused 65 "the store has no $gone" "" pl-with exec --service "db=$gone" -- true < base
    refused 64 "is no host name" "" pl-with exec --service "a.b=$gone" -- true < base
    refused 64 "--service takes NAME=REF" "" pl-with exec --service db -- true < base
    refused 64 "exclude each other" "" pl-with exec --service "db=$gone" --network host -- true < base
    # A command that fails leaves no service behind.
    service=$(pl-from "$(root)" | pl-with env "MARK=$$-3" | pl-with port 8080 | pl-with entrypoint -- httpd -f -p 8080 -h / | ref)
    refused 70 "exec false failed with exit code 1" "" pl-with exec --service "db=$service" -- false < base
    equal "$(left "$$-3")" ""
    equal "$(find "$PL_STORE/tmp" -mindepth 1 | head -3)" ""
}

# A PostgreSQL of Debian's packages and pytest, in two projects at once.
test_postgresql() {
    shared_store
    mkdir tests
    printf '%s\n' 'import psycopg2' 'def test_rows():' '    connection = psycopg2.connect(host="db", user="postgres", dbname="postgres")' \
        '    cursor = connection.cursor()' '    cursor.execute("create table items (name text)")' \
        "    cursor.execute(\"insert into items values ('one')\")" '    cursor.execute("select count(*) from items")' \
        '    assert cursor.fetchone() == (1,)' > tests/test_db.py
    base='apt:bookworm?postgresql,python3-psycopg2,python3-pytest'
    db=$(pl-from "$base" | pl-with user postgres |
        pl-with exec --shell '/usr/lib/postgresql/15/bin/initdb -A trust -D /var/lib/postgresql/data > /dev/null' |
        pl-with port 5432 | pl-with entrypoint -- /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/data -k /tmp -h 0.0.0.0 | ref)
    for n in 1 2; do
        pl-from "$base" | pl-with label "project=$n" | pl-with directory tests /tests |
            pl-with exec --no-cache --service "db=$db" -- python3 -m pytest -q -p no:cacheprovider /tests 2> "log$n" |
            pl-export --show stdout > "out$n" & pids="${pids:-} $!"
    done
    for pid in $pids; do wait "$pid" || { cat log1 log2; return 1; }; done
    contains "$(cat out1)" "1 passed"; contains "$(cat out2)" "1 passed"
}

run_tests
