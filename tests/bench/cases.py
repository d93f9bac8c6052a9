"""What is measured. Each function takes the bench and adds its rows; design section 15 names the budgets."""
import itertools, json, os, subprocess, sys

from fixtures import OUT, ROOT, Edit, LocalCloud, large_tree, root_file_system, write
from measure import Command, Failed, megabytes, medians, output, seconds

TOOLS = sorted(os.listdir(OUT + "/bin"))


def build(tree, *more):
    return ("pl-build", "--progress", "plain", *more, tree)


def help_texts(bench):
    peers = ("buildah", "skopeo")
    took = medians({tool: Command((tool, "--help")) for tool in (*TOOLS, *peers, "true")}, 30)
    slowest = max(TOOLS, key=lambda tool: took[tool])
    bench.row("--help, the slowest of %d (%s)" % (len(TOOLS), slowest), "ms", took[slowest], took, (*peers, "true"))
    memory = {tool: megabytes(tool, "--help") for tool in (*TOOLS, *peers)}
    largest = max(TOOLS, key=lambda tool: memory[tool])
    bench.row("--help, peak memory (%s)" % largest, "MiB", memory[largest], memory, peers)
    bench.budget("--help of any tool", "ms", took[slowest], 0.005)
    bench.budget("--help of any tool, memory", "MiB", memory[largest], 10)


def nothing_changed(bench):
    for title, name, tree in bench.trees:
        took = medians({"pl": Command(build(tree)), "buildah bud": Command(bench.buildah.build(tree, name)),
                        "git status": Command(("git", "-C", tree, "status", "--porcelain"))}, 15)
        bench.row("nothing changed, " + title, "ms", took["pl"], took, ("buildah bud", "git status"))
        bench.budget("nothing changed, " + title, "ms", took["pl"], 0.020)
    title, _, tree = bench.trees[-1]
    python = Command(build(tree + "-python", "--base", bench.base))
    bench.row("nothing changed, %s, no Dockerfile" % title, "ms", medians({"pl": python}, 15)["pl"])


def one_line_changed(bench):
    for title, name, tree in bench.trees:
        edit = Edit(tree)
        took = medians({"pl": Command(build(tree), edit),
                        "buildah bud": Command(bench.buildah.build(tree, name), edit)}, 15)
        bench.row("one line changed, " + title, "ms", took["pl"], took, ("buildah bud",))
        bench.budget("one line changed, " + title, "ms", took["pl"], 0.025)


# ---- each step ----

STEPS, COMMAND = 10, "echo a step > /tmp/step"


def crun_bundle(bench):
    """Where crun 1.8 refuses the cgroup layout, the unified hierarchy is laid over it first."""
    bundle = bench.folder + "/bundle"
    write(bundle + "/rootfs.tar", root_file_system())
    os.makedirs(bundle + "/rootfs")
    output("tar", "-C", bundle + "/rootfs", "-xf", bundle + "/rootfs.tar")
    output("crun", "spec", "-f", bundle + "/config.json")
    config = json.load(open(bundle + "/config.json"))
    config["process"].update(terminal=False, args=["sh", "-c", COMMAND])
    config["root"]["readonly"] = False
    namespaces = config["linux"]["namespaces"]
    config["linux"]["namespaces"] = [each for each in namespaces if each["type"] not in ("network", "cgroup")]
    write(bundle + "/config.json", json.dumps(config))
    return bundle


def crun(bundle, times):
    script = ("[ ! -d /sys/fs/cgroup/unified ] || mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup\n"
              "for i in %s; do crun --cgroup-manager=disabled run -b %s bench-$$-$i < /dev/null || exit 1; done")
    return "unshare", "-m", "sh", "-c", script % (" ".join(map(str, range(times))), bundle)


def each_step(bench):
    """The time of STEPS steps more, divided by STEPS; ARG makes every one of them new in each run."""
    tree, number = bench.folder + "/steps", itertools.count(os.getpid() * 1000)
    steps = "".join("RUN %s%d\n" % (COMMAND, i) for i in range(STEPS))
    write(tree + "/Dockerfile", "FROM %s\nARG N\nRUN echo $N > /n\n%s" % (bench.base, steps))
    write(tree + "/Dockerfile.one", "FROM %s\nARG N\nRUN echo $N > /n\n" % bench.base)
    def argument():
        return "--build-arg", "N=%d" % next(number)
    one, bundle = ("--file", tree + "/Dockerfile.one"), crun_bundle(bench)
    took = medians({
        "pl": Command(lambda: build(tree, *argument())),
        "pl, one": Command(lambda: build(tree, *one, *argument())),
        "buildah": Command(lambda: bench.buildah.build(tree, "steps", *argument())),
        "buildah, one": Command(lambda: bench.buildah.build(tree, "steps", *one, *argument())),
        "crun": Command(crun(bundle, STEPS + 1)), "crun, one": Command(crun(bundle, 1)),
        "plain": Command(("sh", "-c", "".join("busybox sh -c '%s'\n" % COMMAND for _ in range(STEPS + 1)))),
        "plain, one": Command(("sh", "-c", "busybox sh -c '%s'\n" % COMMAND))}, 7)
    bare = (took["plain"] - took["plain, one"]) / STEPS
    each = {}
    for name in "pl", "buildah", "crun":
        failed = [time for time in (took[name], took[name + ", one"]) if isinstance(time, Failed)]
        each[name] = failed[0] if failed else (took[name] - took[name + ", one"]) / STEPS - bare
    each["buildah RUN"], each["crun, no layer"] = each["buildah"], each["crun"]
    bench.row("a step, beyond its command's %.1f ms" % (bare * 1e3), "ms", each["pl"], each, ("buildah RUN", "crun, no layer"))
    bench.budget("each real step, beyond its command", "ms", each["pl"], 0.010)


# ---- push ----

class Rebuild:
    """Edits one line and builds, so that exactly one small layer and the config are new."""

    def __init__(self, bench, pl):
        self.bench, self.pl, self.record = bench, pl, bench.folder + "/record"
        self.tree = bench.trees[0][2]
        self.edit = Edit(self.tree)

    def __call__(self):
        self.edit()
        if self.pl:
            write(self.record, output(*build(self.tree)))
        else:
            output(*self.bench.buildah.build(self.tree, "push"))


def push(bench):
    registry, host = bench.registry, bench.registry.host
    pl, peer = Rebuild(bench, True), Rebuild(bench, False)
    layout = "%s/push" % bench.folder
    def export():
        peer()
        output(*bench.buildah.push("push", "oci:%s:1" % layout))
    commands = {
        "pl": Command(("pl-push-image", "--repo", host + "/bench/pl", "--tag", "v1"), pl, stdin=pl.record),
        "buildah push": Command(bench.buildah.push("push", "docker://%s/bench/buildah:v1" % host), peer),
        "skopeo copy": Command(("skopeo", "copy", "-q", "--dest-tls-verify=false", "oci:%s:1" % layout,
                                "docker://%s/bench/skopeo:v1" % host), export)}
    took = medians(commands, 11)
    bench.row("push of one small layer", "ms", took["pl"], took, ("buildah push", "skopeo copy"))
    bench.budget("push of one small changed layer", "ms", took["pl"], 0.015)
    requests = {}
    for name, command in commands.items():
        before = registry.requests()
        seconds(command)
        requests[name] = registry.requests() - before
    bench.row("  its requests to docker-registry", "", requests["pl"], requests, ("buildah push", "skopeo copy"))
    requests = requests_of_a_modern_registry(bench, pl)
    bench.row("  to one that takes a blob at once", "", requests)
    bench.budget("  requests after authentication", "", requests, 3)


def requests_of_a_modern_registry(bench, rebuild):
    """docker-registry 2.8 wants two requests for a blob; Artifact Registry and pl-local want one, as the scripted
    registry of the wire tests does. Counted after the question who one is."""
    log, sources = bench.folder + "/requests.log", []
    write(log, "")
    server = subprocess.Popen([sys.executable, ROOT + "/tests/wire/registry_server.py", "single", log],
                              stdout=subprocess.PIPE, text=True)
    try:
        host = "127.0.0.1:" + server.stdout.readline().strip()
        for _ in range(2):
            rebuild()
            write(log, "")
            os.truncate(log, 0)
            output("pl-push-image", "--repo", host + "/bench/pl", "--tag", "v1", stdin=rebuild.record)
        return sum(json.loads(line)["path"] != "/v2/" for line in open(log).read().replace("\0", "").splitlines())
    finally:
        server.terminate()
        server.wait()


# ---- compression ----

def compression(bench):
    """Of this machine's own Python library, as a dependency layer would be."""
    source, pl = bench.folder + "/layer.tar", OUT + "/test/bench/compress"
    folders = [folder for folder in ("/usr/lib/python3", "/usr/lib/python3.11", "/usr/lib/python3.12",
                                     "/usr/share/perl", "/usr/lib/git-core") if os.path.isdir(folder)]
    output("tar", "-cf", source, *folders)
    size = os.path.getsize(source)
    peers = {"gzip -6": ("gzip", "-6", "-c"), "pigz -6": ("pigz", "-6", "-c")}
    took = medians({"pl": Command((pl,), stdin=source), "pl, one processor": Command(("taskset", "-c", "0", pl), stdin=source),
                    **{name: Command(argv, stdin=source) for name, argv in peers.items()}}, 3)
    speed = {name: time if isinstance(time, Failed) else size / time / 1e6 for name, time in took.items()}
    bench.row("compressing %d MB" % (size / 1e6), "MB/s", speed["pl"], speed, ("pl, one processor", *peers))
    def packed(argv):
        return subprocess.run(argv, stdin=open(source), stdout=subprocess.PIPE, check=True).stdout
    data, alone = packed((pl,)), packed(("taskset", "-c", "0", pl))
    percent = {name: 100.0 * len(packed(argv)) / size for name, argv in peers.items()}
    bench.row("  to", "%", 100.0 * len(data) / size, percent, tuple(peers))
    bench.row("  same bytes with one processor and with %d" % os.cpu_count(), "", "yes" if data == alone else "NO")
    bench.budget("compressing a layer", "MB/s", speed["pl"], 200, at_least=True)


# ---- memory ----

def memory(bench):
    tree, host = bench.folder + "/large", bench.registry.host
    large_tree(tree, 300)
    record, image = bench.folder + "/large.record", bench.folder + "/large.image"
    use = {"pl-build, 300 MB of source": megabytes(*build(tree))}
    write(record, output(*build(tree)))
    use["pl-push-image, that layer"] = megabytes("pl-push-image", "--repo", host + "/large/pl", "--tag", "v1", stdin=record)
    # A step on a base whose layer has 300 MB has it fetched and unpacked first.
    write(bench.folder + "/above/Dockerfile",
          "FROM %s/large/pl:v1\nCOPY --from=%s / /\nRUN true\n" % (host, bench.base))
    os.environ["PL_STORE"] = bench.folder + "/empty-store"
    use["pl-build, a step on that layer, not in the store"] = megabytes(*build(bench.folder + "/above"))
    del os.environ["PL_STORE"]
    many = bench.folder + "/many"
    for i in range(50000):
        write("%s/part%03d/file%05d" % (many, i % 500, i), "%d\n" % i)
    write(many + "/Dockerfile", "FROM scratch\nCOPY . /data\n")
    use["pl-build, 50,000 files"] = megabytes(*build(many))
    with LocalCloud(bench.folder + "/cloud") as cloud:
        write(image, output("pl-push-image", "--repo", "large", "--tag", "v1", stdin=record))
        use["pl-run-deploy --dry-run"] = megabytes("pl-run-deploy", "--dry-run", "--region", "us-central1", stdin=image)
        use["pl-local, after it took that layer"] = cloud.peak()
    peers = {"pl-build, 300 MB of source": megabytes(*bench.buildah.build(tree, "large")),
             "pl-push-image, that layer": megabytes(*bench.buildah.push("large", "docker://%s/large/buildah:v1" % host))}
    for title, amount in use.items():
        bench.row(title, "MiB", amount, {"buildah": peers.get(title)}, ("buildah",) if title in peers else ())
    worst = max(use, key=lambda title: use[title])
    bench.budget("memory, the most: " + worst, "MiB", use[worst], 64)
