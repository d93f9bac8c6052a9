# __pl_values KIND: what the pl beside the tool says there is (the table is in tools/pl/complete.h). Values are only
# ever printed, and fish quotes what it puts into the line.
function __pl_values
    set -l line (commandline -opc)
    set -l tool (command -s -- (string replace -r '^~/' "$HOME/" -- $line[1]))
    set -l front (string replace -r '[^/]*$' pl -- $tool)
    set -l word (string replace -r -- '^--[a-z-]+=' '' (commandline -ct) | string replace -ra '["\']' '')
    test -x "$front"; and $front --complete $argv[1] "$word" (string replace -r '.*/' '' -- $line[1]) $line[2..-1] 2>/dev/null </dev/null
end
