#!/usr/bin/env python3
"""What a person does at a terminal, case by case: terminal_cases.py CASE [ARGUMENT...], in a directory with root.tar.

Each case starts a command on a pseudo-terminal of its own, as a login would, types, and looks at what appears."""
import faulthandler
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

WITHIN = 20  # seconds that anything may take


class Terminal:
    """A command of bash with a terminal. It is a session of its own, so the terminal is its controlling one."""

    def __init__(self, command, rows=24, columns=80, **environment):
        self.text, self.all = "", ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(environment)
            os.environ.setdefault("TERM", "xterm")
            os.environ.pop("CI", None)
            self.resize_of(0, rows, columns)
            os.execvp("bash", ["bash", "--norc", "-c", command])
        self.modes = None

    @staticmethod
    def resize_of(fd, rows, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.resize_of(self.fd, rows, columns)

    def read(self, wait):
        if not select.select([self.fd], [], [], wait)[0]:
            return False
        try:
            data = os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            data = ""
        self.text += data
        self.all += data
        return data != ""

    def expect(self, pattern):
        """Waits until it appears; what came before it is done with."""
        end = time.monotonic() + WITHIN
        while not (found := re.search(pattern, self.text)):
            if not self.read(max(0, end - time.monotonic())):
                sys.exit(f"no {pattern!r} in:\n{self.text}\nafter all of:\n{self.all[-2000:]}")
        before, self.text = self.text[: found.start()], self.text[found.end() :]
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

    def key(self, key, pattern):
        """The same until it takes effect: the program that it is for may not have begun."""
        end = time.monotonic() + WITHIN
        while not re.search(pattern, self.text) and time.monotonic() < end:
            self.type(key)
            again = time.monotonic() + 0.5
            while not re.search(pattern, self.text) and time.monotonic() < again:
                self.read(max(0, again - time.monotonic()))
        return self.expect(pattern)

    def line(self, text, pattern=r"[#$] "):
        """A command in the shell, up to its next prompt: what it printed."""
        self.type(text + "\n")
        self.expect(r"\r\n")
        return "\n".join(self.expect(pattern).replace("\r", "").split("\n")[:-1])

    def end(self, status=None):
        end = time.monotonic() + WITHIN
        while self.read(max(0, end - time.monotonic())):
            pass
        got = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if status is not None and got != status:
            sys.exit(f"exit status {got}, not {status}:\n{self.all}")
        return self.all.replace("\r", "")


def wait_until(what, condition):
    end = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"not within the time: {what}")
        time.sleep(0.02)


def check(condition, what):
    if not condition:
        sys.exit(f"not so: {what}")


EXEC = "pl-from rootfs:root.tar | pl-with exec --shell-on-failure "


def shell_in_the_state():
    """Files, background processes, memory, mounts, environment, directory, user: all as the step left them."""
    os.makedirs("source", exist_ok=True)
    with open("source/file", "w") as file:
        file.write("from the source\n")
    terminal = Terminal(
        EXEC + "--env HERE=yes --user 7:8 --mount-tmpfs /memory --mount-cache c=/cache --mount-secret key=env:KEY"
        " --mount-directory ./source=/source --network none -- sh -c"
        " 'echo told; echo in memory > /memory/file; echo by the step > /tmp/file; sleep 987 & exit 7'",
        KEY="value-of-the-key",
    )
    mode = os.environ.get("PL_SANDBOX")
    shown = terminal.expect("# " if mode == "single" else r"\$ ")
    for line in ("│ told", "failed with exit code 7", "command    sh -c 'echo told;", "user       7:8", "To leave it: exit"):
        check(line in shown, f"{line} in:\n{shown}")
    answers = {
        "cat /memory/file": "in memory",
        "cat /tmp/file": "by the step",
        "cat /source/file": "from the source",
        "cat /run/secrets/key; echo": "value-of-the-key",
        "echo $HERE": "yes",
        "id -u; id -g": "7\n8",
        "tty": "/dev/pts/0",
        "stty size": "24 80",
        "grep -l sleep /proc/[0-9]*/comm | wc -l": "1",
        "ls /sys/class/net": "lo",
        "test -w $(tty) && echo mine": "mine",
    }
    if mode == "single":  # with one id everybody is root
        answers["id -u; id -g"] = "0\n0"
    if mode == "chroot":  # nothing is mounted, and a terminal of the host has no name there
        for command in "tty", "ls /sys/class/net", "grep -l sleep /proc/[0-9]*/comm | wc -l", "test -w $(tty) && echo mine":
            del answers[command]
        answers["echo mine > /dev/tty"] = "mine"
    for command, answer in answers.items():
        got = terminal.line(command).replace("\x1b[6n", "")
        check(got == answer, f"{command}: {got!r}")
    terminal.type("exit 3\n")
    told = terminal.end(70)
    check("failed with exit code 7" in told.split("The shell has ended")[1], told)


def prompt_of(terminal):
    return terminal.expect("# ")


def marked(mark):
    """The processes with this in their command line, our own tools among them; this script is none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if mark.encode() in file.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def child_of(pid, name):
    for other in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{other}/stat") as file:
                stat = file.read()
        except OSError:
            continue
        if f"({name})" in stat and int(stat.rsplit(") ", 1)[1].split()[1]) == pid:
            return int(other)
    sys.exit(f"no {name} below {pid}")


def keys_and_the_window():
    """Ctrl-C, Ctrl-Z and Ctrl-D are for what runs in the shell; the window's size arrives; the exit code is the step's."""
    terminal = Terminal(EXEC + "-- sh -c 'exit 9'", rows=30, columns=100)
    prompt_of(terminal)
    terminal.type("sleep 500\n")
    terminal.expect(r"\r\n")
    terminal.key("\x03", "# ")
    terminal.type("echo is-$?; sleep 501\n")
    terminal.expect(r"is-130\r\n")
    terminal.key("\x1a", "Stopped")
    prompt_of(terminal)
    terminal.type("fg\n")
    terminal.expect(r"sleep 501\r\n")
    terminal.key("\x03", "# ")
    terminal.type("sh -c \"trap exit INT; trap 'echo size \\$(stty size)' WINCH; echo ready; while :; do sleep 0.1; done\"\n")
    terminal.expect(r"ready\r\n")
    terminal.resize(33, 111)
    terminal.expect("size 33 111")
    terminal.key("\x03", "# ")
    terminal.type("cat; echo over\n")
    terminal.expect("over\r\n")
    terminal.key("typed\n", r"typed\r\n(.*\r\n)*typed\r\n")
    terminal.key("\x04", r"over\r\n")
    prompt_of(terminal)
    terminal.type("\x04")
    told = terminal.end(70)
    check("failed with exit code 9" in told.split("The shell has ended")[1], told)


def modes_come_back():
    """However the shell or pl ends: the modes are as before, nothing is left running, nothing was stored."""
    ends = {
        "exit": lambda terminal, pl: terminal.type("exit\n"),
        "shell killed": lambda terminal, pl: terminal.type("kill -9 $$\n"),
        "SIGTERM": lambda terminal, pl: os.kill(pl, signal.SIGTERM),
        "SIGHUP": lambda terminal, pl: os.kill(pl, signal.SIGHUP),
        "SIGINT": lambda terminal, pl: os.kill(pl, signal.SIGINT),
        "SIGKILL": lambda terminal, pl: os.kill(pl, signal.SIGKILL),
    }
    codes = {"exit": "70", "shell killed": "70", "SIGTERM": "143", "SIGHUP": "129", "SIGINT": "130", "SIGKILL": "137"}
    for number, (how, end) in enumerate(ends.items()):
        mark = f"mark-{os.getpid()}-{number}"
        terminal = Terminal(f"{EXEC} -- sh -c 'echo {mark} > /made; sleep 502 & exit 8'; echo code=$?; read -r line; echo over")
        prompt_of(terminal)
        pl = child_of(terminal.pid, "pl-with")
        raw = termios.tcgetattr(terminal.fd)
        check(not raw[3] & termios.ICANON and not raw[1] & termios.OPOST, f"{how}: raw meanwhile")
        terminal.type("sleep 503 & (sleep 504 &)\n")
        prompt_of(terminal)
        end(terminal, pl)
        terminal.expect(f"code={codes[how]}\r?\n")
        wait_until(f"{how}: the modes are back", lambda: termios.tcgetattr(terminal.fd)[3] & termios.ICANON)
        after = termios.tcgetattr(terminal.fd)
        check(after[1] & termios.OPOST and after[3] & termios.ISIG and after[3] & termios.ECHO, f"{how}: all of the modes")
        wait_until(f"{how}: nothing is left running", lambda: set(marked(mark)) <= {terminal.pid})
        terminal.key("\n", r"over\r\n")
        terminal.end(0)
    mark = f"mark-{os.getpid()}-gone"
    terminal = Terminal(f"{EXEC} -- sh -c 'echo {mark}; sleep 505 & exit 8'")
    prompt_of(terminal)
    os.close(terminal.fd)
    os.waitpid(terminal.pid, 0)
    wait_until("the terminal gone: nothing is left running", lambda: marked(mark) == [])


def run(command, **options):
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=WITHIN, **options)
    return done.returncode, done.stdout, done.stderr


def no_terminal():
    """Without one the failure is as otherwise, with one line more that says why no shell is opened."""
    failing = "-- sh -c 'echo told; exit 5'"
    plain = EXEC.replace("--shell-on-failure ", "") + failing

    def comparable(text):
        return re.sub(r"\(\d.*?s\)|the full log: .*", "", text)

    code, out, err = run(plain, start_new_session=True)
    with_option, out_with, err_with = run(EXEC + failing, start_new_session=True)
    note = "pl-with │ --shell-on-failure: no shell is opened: there is no terminal\n"
    check(code == with_option == 70 and out == out_with, f"{code} {with_option}\n{out}\n{out_with}")
    check(note in err_with, err_with)
    check(comparable(err) == comparable(err_with.replace(note, "")), f"{err}\n{err_with}")
    for terminal, why in (
        (Terminal(f"export CI=true; {EXEC} {failing}"), "this is a CI job ($CI is set), in which nobody types"),
        (Terminal(f"set -m; {{ {EXEC} {failing}; }} & wait $!"), "this runs in the background of its terminal"),
    ):
        told = terminal.end(70)
        check(f"no shell is opened: {why}" in told, told)


def no_shell():
    """An image without one: said, with what to do; and a program that is not there is told as the reason."""
    subprocess.run("mkdir -p bare/bin; cp root/bin/busybox bare/bin/false; tar -cf bare.tar -C bare .", shell=True, check=True)
    told = Terminal("pl-from rootfs:bare.tar | pl-with exec --shell-on-failure -- /bin/false").end(70)
    check("no shell is opened: the image has none" in told and "pl-with file /bin/busybox /bin/" in told, told)
    check("exec /bin/false failed with exit code 1" in told.split("no shell is opened")[1], told)
    terminal = Terminal(EXEC + "-- no-such-program")
    check("failed: no-such-program was not found in the container" in prompt_of(terminal), terminal.all)
    terminal.type("exit\n")
    check("pl-with: exec no-such-program: no-such-program was not found in the container" in terminal.end(70), terminal.all)


def one_at_a_time():
    """Two chains fail at once on one terminal: the second shell comes after the first."""
    chain = EXEC + "-- sh -c 'exit 1' --"
    terminal = Terminal(f"{{ {chain} a; }} & {{ {chain} b; }} & wait")
    first = re.search("exec sh -c exit 1 -- ([ab]) failed", prompt_of(terminal))
    terminal.line("echo the first")
    check(len(re.findall("To leave it", terminal.all)) == 1, terminal.all)
    terminal.type("exit\n")
    second = re.search("exec sh -c exit 1 -- ([ab]) failed with exit code 1\r\n  command", prompt_of(terminal))
    check({first[1], second[1]} == {"a", "b"}, terminal.all)
    terminal.type("exit\n")
    terminal.end(0)


def what_runs_beside():
    """What the step left running prints on and is not held up; nothing of it comes into the shell."""
    terminal = Terminal(
        EXEC + "-- sh -c '(sleep 0.2; i=0; while [ $i -lt 20000 ]; do echo beside $i; i=$((i+1)); done; echo > /over) & exit 6'"
    )
    prompt_of(terminal)
    terminal.line("while [ ! -e /over ]; do sleep 0.1; done")
    check("beside 1" not in terminal.all.split("To leave it")[1], terminal.all)
    terminal.type("exit\n")
    terminal.expect("beside 19999")
    terminal.end(70)


def builds_and_tests():
    """pl-build of a Dockerfile, and pl-test."""
    with open("Dockerfile", "w") as file:
        file.write("FROM rootfs:root.tar AS base\nWORKDIR /app\nENV FROM_FILE=1\n"
                   "FROM base AS test\n"
                   "RUN printf '#!/bin/sh\\necho ran > /tests; exit 4\\n' > /bin/npm && chmod 755 /bin/npm\n"
                   "FROM base\nRUN echo made > made && exit 3\n")
    with open("package.json", "w") as file:
        file.write('{"name": "a", "version": "1.0.0", "scripts": {"test": "x"}}')
    with open(".dockerignore", "w") as file:
        file.write("*\n!package.json\n")
    terminal = Terminal("pl-build --shell-on-failure . | cat")
    prompt_of(terminal)
    check(terminal.line("pwd; cat made; echo $FROM_FILE").replace("\x1b[6n", "") == "/app\nmade\n1", terminal.all)
    terminal.type("exit\n")
    check("failed with exit code 3" in terminal.end().split("The shell has ended")[1], terminal.all)
    terminal = Terminal("pl-test --shell-on-failure .")
    prompt_of(terminal)
    check(terminal.line("cat /tests").replace("\x1b[6n", "") == "ran", terminal.all)
    terminal.type("exit\n")
    terminal.end(1)


def serve():
    """pl-serve --terminal: a shell or another program in a new container; its exit code; nothing is kept."""
    chain = "pl-from rootfs:root.tar | pl-with workdir /app | pl-with env A=b | "
    terminal = Terminal(chain + "pl-serve --terminal; echo code=$?")
    prompt_of(terminal)
    got = terminal.line("pwd; echo $A $PORT; tty; echo > /new; stty size").replace("\x1b[6n", "")
    check(re.fullmatch(r"/app\nb \d+\n/dev/pts/0\n24 80", got), got)
    terminal.type("exit 3\n")
    terminal.expect(r"pl-serve: the shell ended with exit code 3\r\n")
    terminal.expect("code=3")
    terminal.end(0)
    terminal = Terminal(chain + "pl-serve --terminal --network own -- sh -c 'ls /sys/class/net /new; cat'")
    terminal.expect(r"/new: No such file or directory\r\n")
    terminal.expect(r"/sys/class/net:\r\nlo\r\n")
    terminal.type("typed\n\x04")
    terminal.end(0)
    terminal = Terminal(chain + "pl-serve --terminal -- ls /sys/class/net")
    told = terminal.end(0)
    check(all(name in told for name in os.listdir("/sys/class/net")), told)
    told = Terminal(chain + "pl-serve --terminal -- no-such").end(70)
    check("no-such was not found in the container" in told, told)
    code, out, err = run(chain + "pl-serve --terminal", start_new_session=True)
    check(code == 78 and "--terminal: there is no terminal" in err and "pl-with exec" in err, f"{code} {err}")


def shown(command):
    """What stays on the screen of any command: the live part is drawn and erased again."""
    text = Terminal(command, columns=200).end(0)
    while erased := re.search(r"\x1b\[(\d+)A\x1b\[J", text):
        lines = text[: erased.start()].split("\n")
        text = "\n".join(lines[: len(lines) - 1 - int(erased[1])] + [text[erased.end() :]])
    print(text, end="")


def line(command):
    """Any command, which must succeed. The shell that it may open is left again."""
    terminal = Terminal(command)
    if command.endswith("--terminal"):
        prompt_of(terminal)
        terminal.type("exit\n")
    terminal.end(0)


def main():
    # One that hangs says where, and ends.
    faulthandler.dump_traceback_later(3 * WITHIN, exit=True)
    globals()[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
