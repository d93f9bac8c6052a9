"""The chain: twenty processes in a pipe, of which nothing changed, beside `podman build` of the same steps."""
import atexit, shlex, shutil, tempfile

from fixtures import write
from measure import Command, medians

# A step of pl-with, and the lines of a Dockerfile that say the same.
STEPS = [
    (("workdir", "/app"), "WORKDIR /app"),
    (("file", "requirements.txt", "/app/"), "COPY requirements.txt /app/"),
    (("exec", "--", "sh", "-c", "cat /app/requirements.txt > /installed"), 'RUN ["sh", "-c", "cat /app/requirements.txt > /installed"]'),
    (("directory", "./src", "/app/src"), "COPY src /app/src"),
    (("exec", "--", "sh", "-c", "ls /app/src > /compiled"), 'RUN ["sh", "-c", "ls /app/src > /compiled"]'),
    (("file", "settings.ini", "/etc/settings.ini"), "COPY settings.ini /etc/settings.ini"),
    (("new-file", "/etc/motd", "hello"), "COPY motd /etc/motd"),
    (("env", "PORT=8080"), "ENV PORT=8080"), (("env", "A=1"), "ENV A=1"), (("env", "B=2"), "ENV B=2"),
    (("env", "C=3"), "ENV C=3"), (("label", "a=1"), "LABEL a=1"), (("label", "b=2"), "LABEL b=2"),
    (("port", "8080"), "EXPOSE 8080"), (("volume", "/data"), "VOLUME /data"), (("stop-signal", "INT"), "STOPSIGNAL INT"),
    (("user", "1000"), "USER 1000"), (("entrypoint", "--", "sh", "-c"), 'ENTRYPOINT ["sh", "-c"]'),
    (("cmd", "--", "echo"), 'CMD ["echo"]'),
]


class Podman:
    """With the storage driver and the isolation that buildah was found to work with."""

    def __init__(self, buildah):
        self.buildah = buildah
        # podman takes no long path for what it keeps while it runs.
        place = tempfile.mkdtemp(prefix="pl-podman.", dir="/tmp")
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        self.globals = ["podman", "--storage-driver", buildah.driver, "--root", place + "/root", "--runroot", place + "/run"]

    def build(self, context):
        return (*self.globals, "build", "--quiet", "--layers", "--tls-verify=false", "--isolation", self.buildah.isolation,
                "-t", "localhost/chain", context)


def source(folder, base):
    write(folder + "/requirements.txt", "fastapi\nuvicorn\n")
    write(folder + "/settings.ini", "[a]\n")
    write(folder + "/motd", "hello")
    for i in range(50):
        write("%s/src/module%02d.py" % (folder, i), "value = %d\n" % i)
    write(folder + "/Dockerfile", "FROM %s\n%s\n" % (base, "\n".join(line for _, line in STEPS)))


def chain(bench):
    folder = bench.folder + "/chain"
    source(folder, bench.base)
    stages = [["pl-from", bench.base]] + [["pl-with", *words] for words, _ in STEPS]
    pipe = "set -o pipefail; cd %s; %s > %s/record" % (
        shlex.quote(folder), " | ".join(shlex.join([stage[0], "-q", *stage[1:]]) for stage in stages), folder)
    podman = Podman(bench.buildah)
    commands = {"pl": Command(("bash", "-c", pipe)),
                "podman build": Command(podman.build(folder)),
                "buildah bud": Command(bench.buildah.build(folder, "chain")),
                "true in each place": Command(("bash", "-c", " | ".join(["/bin/true"] * len(stages))))}
    took = medians(commands, 11)
    title = "a chain of %d stages, nothing changed" % len(stages)
    bench.row(title, "ms", took["pl"], took, ("podman build", "buildah bud", "true in each place"))
    bench.budget(title, "ms", took["pl"], 0.150)
