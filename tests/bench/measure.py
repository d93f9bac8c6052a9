"""Running commands and timing them: peers take turns, so that whatever else the machine does hits all of them alike."""
import os, statistics, subprocess, time

NULL = os.open(os.devnull, os.O_RDWR)
ENOUGH = 10


class Failed(Exception):
    """A command ended badly; the row says so instead of a number."""


class Command:
    """argv, or a function that makes a new one for each run; `before` is done before each run and not timed; `stdin`
    names a file."""

    def __init__(self, argv, before=None, stdin=None):
        self.make = argv if callable(argv) else lambda: argv
        self.before, self.stdin = before, stdin


def output(*argv, stdin=None):
    done = subprocess.run(argv, stdin=open(stdin) if stdin else subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed("%s: %s" % (" ".join(argv)[:60], (done.stderr.strip().splitlines() or ["?"])[-1][-300:]))
    return done.stdout


def seconds(command):
    if command.before:
        command.before()
    argv = command.make()
    # What the one before has written and not waited for must not be paid for by the next one's fsync.
    subprocess.run(["sync", "-f", os.environ["HOME"]])
    source = os.open(command.stdin, os.O_RDONLY) if command.stdin else NULL
    errors = os.memfd_create("stderr")
    files = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, NULL, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
    begin = time.perf_counter()
    process = os.posix_spawnp(argv[0], argv, os.environ, file_actions=files)
    status = os.waitpid(process, 0)[1]
    took = time.perf_counter() - begin
    text = os.pread(errors, 65536, 0).decode(errors="replace")
    os.close(errors)
    if source != NULL:
        os.close(source)
    if status != 0:
        raise Failed("%s: %s" % (" ".join(argv)[:60], (text.strip().splitlines() or ["?"])[-1][-300:]))
    return took


def medians(commands, runs):
    """{name: Command} → {name: median seconds, or Failed}. One run of each that does not count, then `runs` in turn; a
    slow one has had enough after three runs and ENOUGH seconds."""
    taken = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            if isinstance(taken[name], Failed) or (len(taken[name]) >= 3 and sum(taken[name]) > ENOUGH):
                continue
            try:
                took = seconds(command)
                if turn > 0:
                    taken[name].append(took)
            except Failed as failure:
                taken[name] = failure
    return {name: each if isinstance(each, Failed) else statistics.median(each) for name, each in taken.items()}


def megabytes(*argv, stdin=None):
    """The peak resident memory of a command and the processes that it waited for, in MiB. GNU time starts it, because
    a child's peak begins with what its parent had."""
    report = os.environ["HOME"] + "/time"
    try:
        output("/usr/bin/time", "-q", "-f", "%M", "-o", report, *argv, stdin=stdin)
        return int(open(report).read()) / 1024
    finally:
        if os.path.exists(report):
            os.unlink(report)
