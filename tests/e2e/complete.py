"""complete.py bash|zsh|fish PREFIX < LINES: what a real shell with the files installed below PREFIX makes of each line.

One interactive shell answers all of them. A line is "? TEXT": all that is offered behind TEXT, sorted, or "! TEXT": TEXT as
it is in the shell's line after the key TAB. "cd DIRECTORY" and "NAME=VALUE" are said to the shell. Prints "TEXT -> ANSWER".
What the shell printed beside it is an error: completing says nothing.
"""
import os, pty, re, select, subprocess, sys, time

shell, prefix = sys.argv[1:3]
share = prefix + "/share"

BASH = """PS1=; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'; bind 'set page-completions off'
show() { printf '\\n<<%s>>\\n' "$READLINE_LINE"; READLINE_LINE=; READLINE_POINT=0; }
bind -x '"\\C-g": show'; bind '"\\C-t": insert-completions'; set +o history; printf 're''ady\\n'
"""
ZSH = """PS1= RPS1= PROMPT_EOL_MARK=; unset zle_bracketed_paste; setopt no_beep no_prompt_cr
fpath=(%s/zsh/site-functions $fpath); autoload -U compinit; compinit -D -u
zle -C every complete-word _generic; zstyle ':completion:every::::' completer _all_matches _complete
zstyle ':completion:every:*' insert true; bindkey '^T' every
zstyle ':completion:*' list-prompt ''; zstyle ':completion:*' menu no; LISTMAX=0
show() { print -r -- $'\\n'"<<$BUFFER>>"; BUFFER=; zle redisplay }; zle -N show; bindkey '^G' show; print re''ady
""" % share


class Terminal:
    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execvp(argv[0], argv)
        import fcntl, struct, termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 4000, 0, 0))

    def say(self, text):
        while text:
            text = text[os.write(self.fd, text[:500].encode()) if isinstance(text, str) else 0:]

    def read_until(self, pattern):
        seen, end = "", time.time() + 60
        while time.time() < end:
            if select.select([self.fd], [], [], 1)[0]:
                seen += os.read(self.fd, 65536).decode(errors="replace")
                found = re.search(pattern, seen, re.S)
                if found:
                    return seen, found
        sys.exit("no answer within the time: %r" % seen[-3000:])


def ask_terminal(terminal, kind, text):
    terminal.say(text + ("\x14" if kind == "?" else "\t") + "\x07")
    seen, found = terminal.read_until(r"<<([^\x07]*?)>>\r?\n")
    for word in ("command not found", "syntax error", "unbound", "Terminated", "pl: ", "no such file or"):
        if word in seen:
            sys.exit("completing printed: %r" % seen)
    line = found.group(1).replace("\r", "").replace("\n", "")
    if kind == "!":
        return line
    head = re.match(r".*[ ]|", text).group(0)
    words = " ".join(sorted(set(line[len(head):].split())))
    return "" if words == text[len(head):] else words


def main():
    lines = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    if shell == "fish":
        os.environ["XDG_DATA_DIRS"] = share + ":/usr/share"
        script = []
        for line in lines:
            kind, _, text = line.partition(" ")
            if kind in "?!":
                quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
                script.append("printf '%%s -> %%s\\n' %s (complete -C %s | string replace -r '\\t.*' '' | sort -u | string join ' ')" % (quoted, quoted))
            elif kind == "cd":
                script.append(line)
            else:
                script.append("set -gx %s '%s'" % tuple(line.split("=", 1)))
        done = subprocess.run(["fish", "-c", "\n".join(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        sys.stdout.write(done.stdout)
        sys.exit(done.stderr or done.returncode)
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"] if shell == "bash" else ["zsh", "-f", "-i"])
    terminal.say(BASH if shell == "bash" else ZSH)
    if shell == "bash":
        library = "/usr/share/bash-completion/bash_completion"
        with_library = len(sys.argv) > 3
        terminal.say((". %s\n" % library if with_library else "for f in %s/bash-completion/completions/pl*; do . $f; done\n" % share))
    terminal.say("printf 're''ady %s\\n' 2\n")
    terminal.read_until(r"ready 2\r?\n")
    for line in lines:
        kind, _, text = line.partition(" ")
        if kind in "?!":
            print("%s -> %s" % (text, ask_terminal(terminal, kind, text)))
        else:
            terminal.say((line if kind == "cd" else "export " + line.split("=", 1)[0] + "='" + line.split("=", 1)[1] + "'") + "\n")
    os.close(terminal.fd)


main()
