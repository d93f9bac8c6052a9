"""Reads the tables of docs/from-dagger.md: prints "SECTION<tab>LINE" for each line of pl, and fails where a method has
neither a line nor a reason."""
import re
import sys

section, rows, wrong, elsewhere = "", 0, [], False
for text in open(sys.argv[1], encoding="utf-8"):
    if text.startswith("## "):
        section = text[3:].strip()
    # Tables under such a comment are run by tests/e2e/test_documentation.sh.
    elsewhere = text.startswith("<!-- rows") or (elsewhere and text != "\n")
    if elsewhere or not text.startswith("| ") or text.startswith("| Dagger |"):
        continue
    cells = re.split(r"(?<!\\)\|", text.strip().strip("|"))
    if len(cells) != 2:
        wrong.append(text)
        continue
    rows += 1
    answer = cells[1].strip().replace("\\|", "|")
    if answer.startswith("`") and answer.endswith("`") and answer.count("`") == 2:
        print(section, answer.strip("`"), sep="\t")
    elif not re.match(r"(no|not yet|no test runs it|no test reaches a web server of others)\b.*\S", answer):
        wrong.append(text)
if wrong or rows < 100:
    sys.exit("neither a line nor a reason:\n" + "".join(wrong) if wrong else f"only {rows} rows")
