"""hostile_doors.py DOOR ARCHIVES: brings every archive that tests/unit/hostile_archive.h wrote to a tool, by one door.

A case that is to be refused must end with 65, its reason and a whole store; one that is accepted must end with 0. The
canary beside it is the same afterwards. What an accepted archive unpacks to is asserted by the unit tests."""
import collections, os, subprocess, sys
from oci_layout import layout

door, folder = sys.argv[1:3]
CANARY = os.environ["CANARY"]
failures, tried = [], 0

Case = collections.namedtuple("Case", "number name reason layers")
cases = []
for line in open(folder + "/table"):
    number, name, reason = line.rstrip("\n").split("|")
    stem = folder + "/" + f"{number} {name}".replace(" ", "-").replace("/", "-")
    layers = [f"{stem}.{k}.tar" for k in (1, 2) if os.path.exists(f"{stem}.{k}.tar")]
    assert layers, stem
    cases.append(Case(number, name, reason, layers))


def run(*argv, stdin=b"", cwd=None):
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=cwd, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def canary():
    return [(path, os.stat(path).st_mode, os.stat(path).st_ctime_ns, os.stat(path).st_uid) for path in (CANARY, CANARY + "/f")] + \
        sorted(os.listdir(CANARY))


def layer(case, place):
    layout(place, case.layers)
    code, record, said = run("pl-from", "oci:" + place)
    return (code, said) if code else run("pl-export", "--path", "/", "--show", "entries", stdin=record)[::2]


def rootfs(case, place):
    code, record, said = run("pl-from", "rootfs:" + case.layers[-1])
    if code:
        return code, said
    # The tree goes to the disk, over links that lie there already and lead to the canary.
    os.makedirs(place)
    for name in ("f", "x", "y", "d", "a", "canary", "tmp"):
        os.symlink(CANARY, f"{place}/{name}")
    code, directory, said = run("pl-export", "--path", "/", stdin=record)
    if code == 0:
        run("pl-export", "--merge", place, stdin=directory)
        code, _, said = run("pl-export", place + "-new", stdin=directory)
    return code, said


def docker_archive(case, place):
    code, _, said = run("pl-from", "docker-archive:" + case.layers[-1])
    return (0 if "it has no manifest.json" in said else code), said


def add(case, place):
    os.makedirs(place)
    os.link(case.layers[-1], place + "/x.tar")
    with open(place + "/Dockerfile", "w") as out:
        out.write("FROM scratch\nADD x.tar /\n")
    code, _, said = run("pl-build", "-q", place)
    return code, said


# One case of each kind is enough where the same code unpacks as behind the first door.
SOME = "01 04 06 07 09 12 14 17 19 22 25 27 29 30 31 32 34 36 37 38 40 43 44 46 47 50 54".split()
# Where this door answers differently: a whiteout is refused outside of layers, a directory of files has no FIFO, a root
# file system of devices alone is empty, and what is no archive is copied as it is.
WHITEOUTS = "a whiteout does not belong here"
different = {"layer": {}, "rootfs": {"devices where they are not made": "the archive is empty"}, "docker_archive": {},
             "add": {"a FIFO": "neither a file nor a directory nor a link"}}
for case in cases:
    if case.number in ("24", "25", "26", "27", "22", "23", "28") and case.name != "a file in a whiteout":
        different["docker_archive"][case.name] = different["add"][case.name] = WHITEOUTS
    if case.name in ("a wrong checksum", "an empty name", "cut off in data", "a gzip member that is cut off",
                     "garbage after a gzip member", "garbage after zeros after a gzip member", "a zstd frame with a window of 2 GiB"):
        different["add"][case.name] = None
for case in cases if door == "layer" else [case for case in cases if case.number in SOME]:
    place = f"{folder}/{door}-{tried}"
    before, tried = canary(), tried + 1
    code, said = globals()[door](case, place)
    reason = different[door].get(case.name, case.reason)
    wanted = "65" if reason else "0"
    problem = None
    if reason is not None and (str(code) != wanted or (reason or "") not in said):
        problem = f"ended with {code}, not {wanted} because of \"{reason}\": {said[-600:]}"
    elif canary() != before:
        problem = "the canary has changed"
    elif os.path.isdir(os.environ["PL_STORE"] + "/tmp") and os.listdir(os.environ["PL_STORE"] + "/tmp"):
        problem = "something half-made is left"
    if problem:
        failures.append(f"{case.number} {case.name}: {problem}")
code, out, said = run("pl-cache", "verify")
if code:
    failures.append(f"the store is damaged: {out} {said}")
print("\n".join(failures) or f"{tried} archives")
sys.exit(1 if failures else 0)
