#!/usr/bin/env python3
"""environment_values.py write: values that are hard to pass on, as --env options (NUL between them) in env.args, as env.file, and as a
service in service.json. environment_values.py compare ENVIRON: whether the environment of a process (NUL between variables) has
them all, byte for byte."""
import json
import sys

VALUES = {
    "COMMAS": ",a,b,,c,",
    "QUOTES": "it's \"quoted\" `and` $HOME ${X} \\ \\n \\\\ '\"",
    "ONLY_QUOTES": '"both ends"',
    "NEWLINES": "first\nsecond\n\nlast\n",
    "CARRIAGE": "a\r\nb\rc",
    "EQUALS": "=a==b=",
    "SPACES": "  two before, two after  ",
    "TABS": "\ta\tb\t",
    "UNICODE": "héllo Ünï עברית 日本語 🎉 \u202e e\u0301",
    "CONTROL": "\x01\x07\x1b[31mred\x1b[0m\x7f",
    "EMPTY": "",
    "JSON": '{"a":["b","c=d, e"],"f":"\\u0041"}',
    "PERCENT": "%s %n %% %41 &amp; <a> #c",
    "LONG": "".join(chr(33 + i % 90) for i in range(32 << 10)),
}


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


if sys.argv[1] == "write":
    with open("env.args", "wb") as file:
        for name, value in VALUES.items():
            file.write(b"--env\0" + f"{name}={value}".encode() + b"\0")
    with open("env.file", "wb") as file:
        for name, value in VALUES.items():
            file.write(f"{name}={quoted(value)}\n".encode())
    with open("service.json", "w", encoding="utf-8") as file:
        env = [{"name": name, "value": value} for name, value in VALUES.items()]
        json.dump({"template": {"containers": [{"env": env}]}}, file)
else:
    with open(sys.argv[2], "rb") as file:
        got = dict(item.split(b"=", 1) for item in file.read().split(b"\0") if b"=" in item)
    wrong = [name for name, value in VALUES.items() if got.get(name.encode()) != value.encode()]
    for name in wrong:
        print(f"{name}: {got.get(name.encode())!r:.200}, not {VALUES[name].encode()!r:.200}")
    sys.exit(bool(wrong))
