"""What the measurements work on: a base image in a registry on loopback, source trees, the peers' settings."""
import gzip, hashlib, io, json, os, random, shutil, signal, socket, subprocess, tarfile, time

from measure import Failed, output

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.environ.get("OUT", ROOT + "/out")
APPLETS = "sh cat cp dd echo env head id ln ls mkdir mv rm sed sleep sort test touch tr true".split()
# Stands for Python in a base: what pl-build's plan runs succeeds and installs nothing.
PYTHON = b"""#!/bin/sh
while [ $# -gt 0 ] && [ "$1" != venv ]; do shift; done
[ $# = 0 ] || { for last; do :; done; mkdir -p "$last/bin"; cp /usr/bin/python3 "$last/bin/python"; }
"""
# The same work for both: the dependencies are a step of their own, the source comes last.
DOCKERFILE = """FROM %s
WORKDIR /app
COPY requirements.txt .
RUN cat requirements.txt > /installed
COPY . .
"""


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(data, bytes) else "w") as file:
        file.write(data)


def root_file_system():
    """The bytes of a tar: a static busybox and a python3 that does nothing."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        def add(name, kind, mode, data=b"", target=""):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(data), target
            tar.addfile(entry, io.BytesIO(data))
        for folder in "bin dev etc proc root run sys tmp usr usr/bin var var/tmp".split():
            add(folder, tarfile.DIRTYPE, 0o1777 if folder.endswith("tmp") else 0o755)
        add("bin/busybox", tarfile.REGTYPE, 0o755, open("/bin/busybox", "rb").read())
        for applet in APPLETS:
            add("bin/" + applet, tarfile.SYMTYPE, 0o777, target="busybox")
        add("usr/bin/python3", tarfile.REGTYPE, 0o755, PYTHON)
        add("etc/passwd", tarfile.REGTYPE, 0o644, b"root:x:0:0:root:/root:/bin/sh\n")
        add("etc/group", tarfile.REGTYPE, 0o644, b"root:x:0:\n")
    return out.getvalue()


def image_layout(folder, tar):
    """An OCI layout with the tag "1" whose one layer is the tar."""
    def blob(data):
        name = hashlib.sha256(data).hexdigest()
        write("%s/blobs/sha256/%s" % (folder, name), data)
        return {"digest": "sha256:" + name, "size": len(data)}
    kind = "application/vnd.oci.image."
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    config = {"architecture": machine, "os": "linux", "config": {"Env": ["PATH=/usr/bin:/bin"]},
              "history": [{"created_by": "busybox"}],
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                "config": {"mediaType": kind + "config.v1+json", **blob(json.dumps(config).encode())},
                "layers": [{"mediaType": kind + "layer.v1.tar+gzip", **blob(gzip.compress(tar, mtime=0))}]}
    top = {"mediaType": kind + "manifest.v1+json", **blob(json.dumps(manifest).encode()),
           "annotations": {"org.opencontainers.image.ref.name": "1"}}
    write(folder + "/index.json", json.dumps({"schemaVersion": 2, "manifests": [top]}))
    write(folder + "/oci-layout", '{"imageLayoutVersion":"1.0.0"}')


class Registry:
    """Debian's docker-registry on a free port of loopback; its log tells the requests."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.host = "127.0.0.1:%d" % probe.getsockname()[1]
        self.log = folder + "/registry.log"
        write(folder + "/registry.yml", "version: 0.1\nlog: {level: error}\nhttp: {addr: '%s'}\n"
              "storage: {filesystem: {rootdirectory: %s/registry}}\n" % (self.host, folder))
        self.process = subprocess.Popen(["docker-registry", "serve", folder + "/registry.yml"],
                                        stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        for _ in range(500):
            try:
                socket.create_connection(self.host.split(":")).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failed("docker-registry does not start: " + open(self.log).read()[-200:])

    def requests(self):
        """How many there were beyond the question who one is."""
        return sum("HTTP/1." in line and '/v2/ HTTP' not in line for line in open(self.log, errors="replace"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class LocalCloud:
    """pl-local for the length of a with statement; the tools find it through the environment."""

    def __init__(self, state):
        self.state = state

    def __enter__(self):
        lines = output("pl-local", "start", "--state", self.state).splitlines()
        settings = [line[len("export "):].split("=", 1) for line in lines if line.startswith("export ")]
        self.before = {name: os.environ.get(name) for name, _ in settings}
        os.environ.update({name: value.strip("'") for name, value in settings})
        return self

    def peak(self):
        """The most memory that the server itself has had, in MiB."""
        status = output("pl-local", "status", "--state", self.state)
        process = [line.split()[1] for line in status.splitlines() if line.startswith("process")][0]
        lines = open("/proc/%s/status" % process).read().splitlines()
        return [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")][0]

    def __exit__(self, *_):
        for name, value in self.before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        output("pl-local", "stop", "--state", self.state)


class Buildah:
    """buildah with the best settings that work here: the kernel's overlay and chroot isolation need the least."""

    def __init__(self, folder, base):
        self.folder = folder
        write(folder + "/probe/Dockerfile", "FROM %s\nRUN true\n" % base)
        problem = None
        for driver in "overlay", "vfs":
            self.globals = ["buildah", "--storage-driver", driver, "--root", "%s/buildah-%s" % (folder, driver),
                            "--runroot", "%s/buildah-run-%s" % (folder, driver)]
            for isolation in "chroot", "oci":
                self.isolation, self.driver = isolation, driver
                try:
                    output(*self.build(folder + "/probe", "probe"))
                    return
                except Failed as failure:
                    problem = failure
        raise problem

    def build(self, context, tag, *more):
        return (*self.globals, "bud", "--quiet", "--layers", "--tls-verify=false", "--isolation", self.isolation,
                "-t", "localhost/" + tag, *more, context)

    def push(self, tag, target):
        return (*self.globals, "push", "--quiet", "--tls-verify=false", "localhost/" + tag, target)

    def settings(self):
        version = output("buildah", "--version").split()[2]
        return "buildah %s: bud --layers --isolation %s, storage driver %s" % (version, self.isolation, self.driver)


def source_tree(folder, base, files=None):
    """The example's application, filled up with small modules to `files`; and the same without a Dockerfile beside it.
    Returns how many files there are."""
    shutil.copytree(ROOT + "/examples/shop/backend", folder,
                    ignore=shutil.ignore_patterns("__pycache__", ".venv", ".pytest_cache"))
    write(folder + "/Dockerfile", DOCKERFILE % base)
    write(folder + "/.dockerignore", ".git\n")
    have = sum(len(names) for _, _, names in os.walk(folder))
    for i in range((files or have) - have):
        write("%s/src/part%02d/module%03d.py" % (folder, i % 100, i // 100),
              "# module %d\n" % i + "".join("value_%d = %d\n" % (k, i * k) for k in range(40)))
    shutil.copytree(folder, folder + "-python", ignore=shutil.ignore_patterns("Dockerfile"))
    for command in ("init -q", "add -A", "-c user.name=bench -c user.email=bench@localhost commit -qm all"):
        output("git", "-C", folder, *command.split())
    return files or have


def large_tree(folder, megabytes):
    """Text of random words, a megabyte a file, and one file that is a third of all."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(5000)]
    text = lambda: " ".join(chance.choices(words, k=170000))[:1000000].encode()
    os.makedirs(folder)
    with open(folder + "/one.txt", "wb") as one:
        for _ in range(megabytes // 3):
            one.write(text())
    for i in range(megabytes - megabytes // 3):
        write("%s/text%03d.txt" % (folder, i), text())
    write(folder + "/Dockerfile", "FROM scratch\nCOPY . /data\n")


class Edit:
    """Changes one line of a source file, to something that was never there."""

    def __init__(self, folder):
        self.path, self.count = folder + "/src/main.py", 0
        self.text = open(self.path).read()

    def __call__(self):
        self.count += 1
        with open(self.path, "w") as file:
            file.write("%s\n# line %d of %d\n" % (self.text, self.count, os.getpid()))
