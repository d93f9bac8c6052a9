"""Firebase Hosting: pl-firebase-deploy beside firebase-tools, both against pl-local, each with a site of its own."""
import os, random, subprocess

from fixtures import OUT, ROOT, write
from measure import Command, medians, megabytes, output, seconds

FILES, CHANGED, FIREBASE_TOOLS = 10000, 10, "firebase-tools@15.34.2"
SETTINGS = ("FIREBASE_HOSTING_API_URL FIREBASE_API_URL FIREBASE_RESOURCEMANAGER_URL FIREBASE_SERVICE_USAGE_URL FIREBASE_FUNCTIONS_URL "
            "FIREBASE_FUNCTIONS_V2_URL CLOUD_RUN_URL CLOUD_RUN_API_URL FIREBASE_AUTH_MANAGEMENT_URL FIREBASE_IDENTITY_URL "
            "FIREBASE_TOKEN_URL").split()


def firebase_tools():
    """Installed where the tests install it."""
    script = '. "%s/tests/lib.sh"; . "%s/tests/packages.sh"; npm_packages %s; echo "$NODE_MODULES"' % (ROOT, ROOT, FIREBASE_TOOLS)
    done = subprocess.run(["bash", "-c", script, ROOT + "/tests/bench/run"], capture_output=True, text=True,
                          env={**os.environ, "OUT": OUT})
    return done.stdout.split()[-1] + "/firebase-tools/lib/bin/firebase.js" if done.returncode == 0 and done.stdout else None


class Site:
    """Pages of some kilobytes, so many of them in a folder, and their firebase.json."""

    def __init__(self, folder, name):
        self.folder, self.random, self.count = folder, random.Random(1), 0
        words = ["".join(self.random.choices("abcdefghijklmnopqrstuvwxyz", k=self.random.randint(2, 9))) for _ in range(3000)]
        for i in range(FILES):
            text = " ".join(self.random.choices(words, k=600))
            write("%s/public/%03d/page-%d.html" % (folder, i % 100, i), "<html><body><p>%d %s</p></body></html>\n" % (i, text))
        write(folder + "/firebase.json", '{"hosting": {"site": "%s", "public": "public"}}' % name)

    def edit(self):
        """New content for some files."""
        self.count += 1
        for i in range(CHANGED):
            write("%s/public/%03d/page-%d.html" % (self.folder, i % 100, i), "<p>%d of %d</p>\n" % (self.count, os.getpid()))


def environment(folder):
    """A local cloud, and both tools pointed at it."""
    os.environ["PL_LOCAL_STATE"] = folder + "/cloud"
    for line in output("pl-local", "start").splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        os.environ[name] = value.strip("'")
    url = os.environ["PL_CLOUD_URL"]
    os.environ.update({name: url for name in SETTINGS}, CI="true", XDG_CONFIG_HOME=folder + "/config", NO_UPDATE_NOTIFIER="1",
                      FIREBASE_CLI_DISABLE_ANALYTICS="1", GCE_METADATA_HOST=url.removeprefix("http://"),
                      FIREBASE_HOSTING_URL=url.replace("127.0.0.1", "localhost"), FIREBASE_REALTIME_URL="http://localhost:1")


def hosting(bench):
    before = dict(os.environ)
    folder = bench.folder + "/hosting"
    tools = firebase_tools()
    sites = {"pl": Site(folder + "/pl", "pl"), "firebase-tools": Site(folder + "/tools", "tools")}
    try:
        environment(folder)
        measure(bench, sites, tools)
    finally:
        subprocess.run(["pl-local", "stop", "-q"])
        os.environ.clear()
        os.environ.update(before)


def measure(bench, sites, tools):
    peers = ("firebase-tools",) if tools else ()
    commands = {"pl": ("pl-firebase-deploy", "--progress", "plain", sites["pl"].folder)}
    if tools:
        commands["firebase-tools"] = ("env", "-u", "GOOGLE_APPLICATION_CREDENTIALS", "node", tools, "deploy", "--only", "hosting",
                                      "--project", "pl-local", "--non-interactive", "--config", sites["firebase-tools"].folder + "/firebase.json")
        url = os.environ["PL_CLOUD_URL"]
        for name in "pl", "tools":
            output("curl", "-sf", "-X", "POST", "-H", "Authorization: Bearer owner", "-H", "Content-Type: application/json",
                   "-d", "{}", "%s/v1beta1/projects/pl-local/sites?siteId=%s" % (url, name))
    title = "hosting, %s files" % format(FILES, ",")
    first = {name: seconds(Command(argv)) for name, argv in commands.items()}
    bench.row(title + ", the first time", "ms", first["pl"], first, peers)
    took = medians({name: Command(argv, sites[name].edit) for name, argv in commands.items()}, 5)
    bench.row(title + ", %d changed" % CHANGED, "ms", took["pl"], took, peers)
    took = medians({name: Command(argv) for name, argv in commands.items()}, 5)
    bench.row(title + ", nothing changed", "ms", took["pl"], took, peers)
    use = {name: megabytes(*argv) for name, argv in commands.items()}
    bench.row(title + ", peak memory", "MiB", use["pl"], use, peers)
    bench.budget("memory: pl-firebase-deploy", "MiB", use["pl"], 64)
