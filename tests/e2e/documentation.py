#!/usr/bin/env python3
"""Runs the blocks of a page of documentation as they are written, in their order, in one shell.

    documentation.py run PAGE...       run, in the current directory; documentation.sh is sourced before
    documentation.py check PAGE...     nothing is run; prints what is wrong, and of each block that is not run why
    documentation.py lines PAGE...     each pl-TOOL with its options that is written in a line of code anywhere: the tool takes them

A block is fenced and has a language. `sh` is run. `console` is run as well: a command after "$ ", and below it what it prints. Any
other language is a file or a listing. What a reader does not see stands in HTML comments before a block:

    <!-- run                  commands of the test's own, up to the end of the comment: what the page takes for granted, or what is
                              to be seen after the block
    <!-- file: PATH -->       the block is the content of this file, or (">> PATH") its end. All of makefile and yaml is such a file
    <!-- rows -->             each row of the table that follows: what is code in its second cell (rows: both: in the first, too)
    <!-- output -->           the block is what the commands before it have printed
    <!-- status: N -->        the last command ends with this code
    <!-- until: COMMAND -->   the block ends with Ctrl-C, as soon as COMMAND succeeds
    <!-- instead: SED -->     what has to be written in another way to be run here
    <!-- run by: tests/FILE -->              a test that takes the block from the page
    <!-- not run: REASON (tests/FILE) -->    what shows the same by other means

In what is to be printed, "…" stands for anything in a line, and a line "…" for any lines."""
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../..")
RUN, LISTINGS, FILES = ("sh", "console"), ("text", "json", "python", "javascript", "html"), ("makefile", "yaml")
ONE_LINE = re.compile(r"<!-- (file|output|status|until|instead|rows|not run|run by)(?:: (.*?))? -->$")


class Block:
    def __init__(self, line, language, text, settings):
        self.line, self.language, self.text, self.settings = line, language, text, settings


def read_page(path):
    """The blocks of a page in order, those of the comments (language "run") among them; and what is wrong with it."""
    blocks, wrong, settings, at = [], [], {}, 0
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    while at < len(lines):
        line, begin = lines[at], at + 1
        at += 1
        fence = re.match(r"( *)```(.*)$", line)
        if fence or line == "<!-- run":
            end, text = "-->" if not fence else fence.group(1) + "```", []
            while at < len(lines) and lines[at] != end:
                text.append(lines[at][len(fence.group(1)):] if fence else lines[at])
                at += 1
            at += 1
            if fence:
                blocks.append(Block(begin, fence.group(2), "\n".join(text) + "\n", settings))
                settings = {}
            else:
                blocks.append(Block(begin, "run", "\n".join(text) + "\n", {}))
        elif line.startswith("<!--"):
            comment = ONE_LINE.match(line)
            if not comment:
                wrong.append(f"{path}:{begin}: a comment that means nothing here: {line}")
            else:
                settings[comment.group(1)] = comment.group(2) or ""
        elif line.startswith("|") and "rows" in settings:
            rows = [line]
            while at < len(lines) and lines[at].startswith("|"):
                rows.append(lines[at])
                at += 1
            blocks.append(Block(begin, "rows", "\n".join(rows), settings))
            settings = {}
        elif line.startswith("    ") and lines[at - 2] == "" if at > 1 else False:
            wrong.append(f"{path}:{begin}: a block without a fence, which no test can find")
        elif line.strip() and settings:
            wrong.append(f"{path}:{begin}: the comment before this line belongs before a block")
            settings = {}
    return blocks, wrong


def faults(path, blocks):
    for block in blocks:
        where, settings = f"{path}:{block.line}", block.settings
        if block.language not in ("run", "rows") + RUN + LISTINGS + FILES:
            yield f"{where}: the language is one of {', '.join(RUN + LISTINGS + FILES)}"
        command = re.search(r"^(\$ |(pl|pl-[a-z-]+|make|eval|export|gcloud|for|curl) .*)", block.text, re.M)
        if block.language == "text" and command and not settings:
            yield f"{where}: a command in a block that is not run: {command.group(0)}"
        if "not run" in settings:
            test = re.search(r"\S.* \(((?:tests|\.github)/\S+)\)$", settings["not run"])
            if not test or not os.path.exists(f"{ROOT}/{test.group(1)}"):
                yield f"{where}: why it is not run, and the test that shows the same"
        elif "run by" in settings:
            with open(f"{ROOT}/{settings['run by']}", encoding="utf-8") as test:
                if f"docs/{os.path.basename(path)}" not in test.read():
                    yield f"{where}: that test does not read this page"
        elif block.language in FILES and "file" not in settings:
            yield f"{where}: nothing runs it; say which file it is, and use it"


def parts_of(block):
    """(commands, what they are to print) of a block that is run."""
    if block.language == "rows":
        cells = [re.split(r"(?<!\\)\|", row.strip("|")) for row in block.text.split("\n")[2:]]
        chosen = [cell.strip() for row in cells for cell in row[:2][0 if block.settings["rows"] == "both" else 1:]]
        return [(cell.strip("`").replace("\\|", "|") + "\n", None) for cell in chosen if re.fullmatch(r"`[^`]+`", cell)]
    if block.language != "console":
        return [(block.text, None)]
    parts = []
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            parts.append([line[2:], ""])
        elif parts:
            parts[-1][1] += line
    return parts


class Page:
    """The script of a page, and the files that it is made of."""

    def __init__(self, path, folder):
        self.path, self.folder, self.script, self.number, self.expected, self.ran = path, folder, [], 0, [], 0

    def write(self, text):
        self.number += 1
        name = f"{self.folder}/{self.number:03d}"
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def add_commands(self, block, text, printed):
        name = self.write(text)
        if "instead" in block.settings:
            subprocess.run(["sed", "-i", "-E", block.settings["instead"], name], check=True)
        self.script.append(f"at {self.path}:{block.line} {name}")
        if "until" in block.settings:
            until = self.write(block.settings["until"] + "\n")
            self.script.append(f"run_until {name} {until}")
        elif "status" in block.settings:
            self.script.append(f"code=0; . {name} > {name}.out 2>&1 || code=$?; [ $code = {block.settings['status']} ]")
        else:
            self.script.append(f". {name} > {name}.out 2>&1")
        if printed:
            self.expected.append((block, f"{name}.out", printed))

    def add(self, block):
        if "not run" in block.settings or "run by" in block.settings:
            return
        if "file" in block.settings:
            name, path = self.write(block.text), block.settings["file"]
            way, path = (">>", path[3:]) if path.startswith(">> ") else (">", path)
            self.script.append(f"mkdir -p {os.path.dirname(path) or '.'}; cat {name} {way} {path}")
            self.ran += 1
        elif "output" in block.settings:
            self.expected.append((block, f"{self.folder}/{self.number:03d}.out", block.text))
        elif block.language in RUN + ("run", "rows"):
            for text, printed in parts_of(block):
                self.add_commands(block, text, printed)
            self.ran += block.language != "run"

    def run(self):
        """Whether all of it went well."""
        begin = f". {HERE}/documentation.sh\n"
        result = subprocess.run(["bash", "-c", begin + "\n".join(self.script) + "\nat the-end\n"], check=False, stdin=subprocess.DEVNULL)
        good, skipped = result.returncode == 0, os.path.exists(f"{os.environ['WORK']}/skipped")
        for block, name, text in self.expected:
            if result.returncode == 0 and not skipped and not is_like(open(name, encoding="utf-8", errors="replace").read(), text):
                print(f"{self.path}:{block.line}: the page says\n{text}and this was printed\n{open(name, errors='replace').read()}")
                good = False
        return good


def is_like(got, wanted):
    pattern = "".join(r"(?:.*\n)*" if line == "…\n" else ".*".join(map(re.escape, line.split("…"))) for line in wanted.splitlines(keepends=True))
    return re.fullmatch(pattern, got.rstrip("\n") + "\n") is not None


def run_page(path):
    blocks, wrong = read_page(path)
    wrong += faults(path, blocks)
    if wrong:
        print("\n".join(wrong))
        return False
    name = os.path.basename(path)[:-3]
    folder = os.path.abspath(f"parts-{name}")
    os.makedirs(folder)
    page = Page(os.path.relpath(path, ROOT), folder)
    for block in blocks:
        page.add(block)
    good = page.run()
    print(f"{page.path}: {page.ran} blocks run")
    return good


def check(paths):
    bad, skipped, count = [], [], 0
    for path in paths:
        blocks, wrong = read_page(path)
        bad += wrong + list(faults(path, blocks))
        skipped += [f"{path}:{block.line}: not run: {block.settings['not run']}" for block in blocks if "not run" in block.settings]
        count += sum(block.language in RUN + FILES for block in blocks)
    print("\n".join(skipped))
    print(f"{count - len(skipped)} blocks are run, {len(skipped)} are not")
    print("\n".join(bad))
    return not bad


def lines_of_code(path):
    """The lines of blocks that are commands, or of indented ones (docs/tools), and what stands between backticks."""
    language = None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        fence = re.match(r" *```(.*)$", line)
        if fence:
            language = fence.group(1) if language is None else None
        elif language == "sh" or (language is None and line.startswith("    ")):
            yield number, line
        elif language == "console" and line.startswith("$ "):
            yield number, line[2:]
        elif language is None:
            for code in re.findall(r"`([^`]+)`", line):
                yield number, code


def commands_in(line):
    """The words of each pl-TOOL in a line, without what follows "--"."""
    for inner in re.findall(r"\$\(((?:[^()]|\([^()]*\))*)\)", line):
        yield from commands_in(inner)
    words = shlex.shlex(re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "VALUE", line), posix=True, punctuation_chars="();<>|&{}")
    words.whitespace_split = True
    command = None
    try:
        for word in words:
            if command is None and re.fullmatch(r"pl-[a-z]+(-[a-z]+)*", word):
                command = [word]
            elif command and (word == "--" or set(word) <= set("();<>|&{}")):
                yield command
                command = None
            elif command:
                command.append(word)
    except ValueError:
        return  # a line of a block that goes on in the next
    if command:
        yield command


def lines(paths):
    """An option that no tool has comes last: it is the one that the tool must complain of."""
    last, wrong, done = "--not-an-option", [], set()
    for path in paths:
        for number, line in lines_of_code(path):
            for command in commands_in(line):
                if tuple(command) in done or len(command) < 2 or command[1] == "…" or not os.path.exists(f"{os.environ['OUT']}/bin/{command[0]}"):
                    continue
                done.add(tuple(command))
                said = subprocess.run(command + [last], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True).stderr
                named_alone = command[-1].startswith("--")  # an option without its value
                if last not in said.split("\n")[0] and (not named_alone or "unknown option" in said):
                    wrong.append(f"{path}:{number}: {' '.join(command)}: {said}")
    print(f"{len(done)} commands are understood" if not wrong else "\n".join(wrong))
    return not wrong and len(done) > 100


good = check(sys.argv[2:]) if sys.argv[1] == "check" else lines(sys.argv[2:]) if sys.argv[1] == "lines" else all([run_page(path) for path in sys.argv[2:]])
sys.exit(0 if good else 1)
