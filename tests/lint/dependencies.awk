# Reads edges.txt, then the compiler's dependency files; prints every include that edges.txt does not allow.
#
#   awk -v objects=out/obj/ -f dependencies.awk edges.txt FILE.d...

function part_of(path, parts, count) {
    count = split(path, parts, "/")
    if (parts[1] == "common") return count > 2 ? parts[1] "/" parts[2] : ""
    return count > 1 ? parts[1] : ""
}
FILENAME == ARGV[1] {
    if ($1 ~ /^[a-z]/) { known[$1] = 1; for (i = 2; i <= NF; i++) allowed[$1, $i] = 1 }
    next
}
FNR == 1 {
    source = substr(FILENAME, length(objects) + 1); sub(/\.d$/, ".c", source)
    from = part_of(source); read++
    if (!(from in known)) print "no line for " from " in edges.txt"
}
# The rules without prerequisites, for headers that go away.
/^[^ ].*:$/ { next }
{
    for (i = 1; i <= NF; i++)
        if ($i ~ /^[a-z].*\.h$/ && (to = part_of($i)) != from && !((from, to) in allowed))
            print source " includes " $i ": " from " may not use " to
}
END { if (read < 100) print "only " read + 0 " dependency files were read" }
