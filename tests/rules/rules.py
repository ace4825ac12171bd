"""What all rules share: reading the source, running, and the self-test.

A rule is a function that takes the source folder and yields "path:line: what is wrong". Its samples are small trees
of files, each with the words that the rule must say about them, or None when it must be content; so every
rule is seen to fail where it should.

    rule_NAME.py FOLDER        exit code 1 and one line per fault
    rule_NAME.py --self-test   exit code 1 when a sample is judged wrongly
"""

import os
import re
import subprocess
import sys
import tempfile

SKIPPED = 77  # exit code that ctest shows as "skipped"
SOURCE_FOLDERS = ("proto", "common", "services", "tests")


def files(folder, *endings, under=SOURCE_FOLDERS):
    """Paths of the source relative to `folder`, sorted, those with one of the endings."""
    found = []
    for top in under:
        for path, folders, names in os.walk(os.path.join(folder, top)):
            folders[:] = [name for name in folders if name not in ("build", "__pycache__")]
            found += [os.path.relpath(os.path.join(path, name), folder) for name in names if name.endswith(endings)]
    return sorted(found)


def read(folder, path):
    with open(os.path.join(folder, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def code_only(text):
    """C text with comments and the insides of strings blanked; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def run_tool(command, folder):
    """Output of a checking tool; ends the rule as skipped when the tool is not there."""
    try:
        result = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        print(f"{command[0]} is not installed")
        sys.exit(SKIPPED)
    return result.returncode, result.stdout


def self_test(rule, samples):
    faults = 0
    for name, (tree, expected) in samples.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, text in tree.items():
                os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                with open(os.path.join(folder, path), "wb") as file:
                    file.write(text if isinstance(text, bytes) else text.encode())
            said = list(rule(folder))
        if expected is None and said:
            print(f"{name}: should be content, says {said}")
            faults += 1
        elif expected is not None and not any(expected in line for line in said):
            print(f"{name}: should say '{expected}', says {said}")
            faults += 1
    print(f"{len(samples)} samples, {faults} judged wrongly")
    return 1 if faults else 0


def main(rule, samples):
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER | --self-test")
    if sys.argv[1] == "--self-test":
        sys.exit(self_test(rule, samples))
    said = list(rule(sys.argv[1]))
    for line in said:
        print(line)
    sys.exit(1 if said else 0)
