#!/usr/bin/env python3
"""What a person does at a terminal, case by case: terminal_cases.py CASE [ARGUMENT...], in a directory with root.tar.

Each case starts a command on a pseudo-terminal of its own, as a login would, types, and looks at what appears."""
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

WITHIN = 60  # seconds that anything may take


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
                sys.exit(f"no {pattern!r} in:\n{self.text}")
        before, self.text = self.text[: found.start()], self.text[found.end() :]
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

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


def main():
    globals()[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
