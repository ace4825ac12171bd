"""Tables that people edit name their source and licence, and are sorted without doubles."""

import re

import rules

SOURCE = re.compile(r"licen[cs]e|CC0|public domain|CC[- ]BY", re.I)


def judge(path, raw):
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        yield f"{path}:{raw.count(bytes([10]), 0, error.start) + 1}: not UTF-8"
        return
    head = []
    while len(head) < len(lines) and lines[len(head)].startswith("#"):
        head.append(lines[len(head)])
    if not head:
        yield f"{path}:1: no header comment with source and licence"
    elif not SOURCE.search(" ".join(head)):
        yield f"{path}:1: the header names no licence"
    if lines[-1] != "":
        yield f"{path}:{len(lines)}: no line end at the end of the file"
    before = None
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or (line == "" and number == len(lines)):
            continue
        key = line.split("\t")[0].encode()
        if before is not None and key <= before:
            yield f"{path}:{number}: {'stands twice' if key == before else 'out of order'}: {key.decode()}"
        before = key


def rule(folder):
    for path in rules.files(folder, ".txt", under=("services",)):
        if "/tables/" in path:
            with open(f"{folder}/{path}", "rb") as file:
                yield from judge(path, file.read())


AT = "services/dates/tables/a.txt"
SAMPLES = {
    "in order": ({AT: "# compiled for copydesk, CC0\na\t1\na b\nb\n"}, None),
    "no header": ({AT: "a\nb\n"}, f"{AT}:1: no header comment"),
    "no licence": ({AT: "# some words\na\n"}, f"{AT}:1: the header names no licence"),
    "out of order": ({AT: "# CC0\nb\na\n"}, f"{AT}:3: out of order: a"),
    "twice": ({AT: "# CC0\na\t1\na\t2\n"}, f"{AT}:3: stands twice: a"),
    "not UTF-8": ({AT: b"# CC0\na\n\xff\n"}, f"{AT}:3: not UTF-8"),
    "cut off": ({AT: "# CC0\na"}, "no line end at the end"),
}

if __name__ == "__main__":
    rules.main(rule, SAMPLES)
