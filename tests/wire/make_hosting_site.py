#!/usr/bin/env python3
"""make_hosting_site.py DIRECTORY: the files that the cases of hosting_cases.jsonl ask for, each saying its own name."""
import os, sys

PATHS = """index.html about.html 404.html app.js main.0f3a.js style.css both.html both/index.html a+b.txt
docs/index.html docs/guide.html docs/v1/index.html blog/post.html deep/a/b/c/file.txt deep/x
img/logo.png img/photo.jpg img/.hidden.png .well-known/thing percent%41.txt ünï.txt
intl/de/index.html intl/de_AT/index.html intl/ALL_ch/index.html intl/fr_ALL/about.html intl/fr/index.html intl/de/404.html
intl/de/docs/index.html""".split() + ["space name.txt"]
for path in PATHS:
    full = os.path.join(sys.argv[1], path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write("this is " + path)
