"""Headers are contracts: each says what it is for, and each prototype has its comment. Nothing is left undone."""

import re

import rules

OURS = ("proto", "common", "services")
PROTOTYPE = re.compile(r"^(?!static\b|typedef\b|#|//|\s|\})[A-Za-z_][^;{}=]*\w\s*\([^;{}]*\)\s*;", re.M)
UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
GUARD = re.compile(r"#ifndef COPYDESK_\w+_H\n#define COPYDESK_\w+_H\n")


def prototypes(text):
    """Line numbers (from 0) at which prototypes begin, and the names they declare."""
    code = re.sub(r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)", lambda m: re.sub(r"[^\n]", "A", m.group(0)), text)
    code = rules.code_only(code)
    for match in PROTOTYPE.finditer(code):
        name = re.search(r"(\w+)\s*\(", match.group(0))
        yield rules.line_of(code, match.start()) - 1, name.group(1)


def is_documented(lines, at):
    """True with a comment right above, or in an unbroken run of declarations that begins with one."""
    for line in reversed(lines[:at]):
        if line.strip() == "":
            return False
        if line.lstrip().startswith("//"):
            return True
    return False


def judge_header(path, text):
    lines = text.split("\n")
    if not lines[0].startswith("//"):
        yield f"{path}:1: a header begins with what it is for"
    if not GUARD.search(text):
        yield f"{path}:1: the guard must be COPYDESK_..._H"
    for at, name in prototypes(text):
        if not is_documented(lines, at):
            yield f"{path}:{at + 1}: {name} has no comment"


def rule(folder):
    for path in rules.files(folder, ".h", under=OURS):
        yield from judge_header(path, rules.read(folder, path))
    for path in rules.files(folder, ".c", ".h", ".py", ".sh", ".txt"):
        if path.startswith("tests/rules/") or path.startswith("tests/articles/"):
            continue
        text = rules.read(folder, path)
        for match in UNDONE.finditer(text):
            yield f"{path}:{rules.line_of(text, match.start())}: {match.group(0)}: do it now or leave it out"


def header(body):
    return "// What it is for.\n#ifndef COPYDESK_A_H\n#define COPYDESK_A_H\n\n" + body + "\n#endif\n"


SAMPLES = {
    "documented": (
        {
            "common/a.h": header(
                "// Does it.\nMUST_CHECK enum status a_do(int x,\n    int y);\n\n// The same two ways.\nvoid b(void);\nvoid c(void);\n"
                "static inline int d(void)\n{\n    return f(1);\n}\n"
            )
        },
        None,
    ),
    "a prototype without a comment": ({"common/a.h": header("int a_do(int x);\n")}, "common/a.h:5: a_do has no comment"),
    "a gap ends the comment": ({"common/a.h": header("// About b.\nint b(void);\n\nint c(void);\n")}, "c has no comment"),
    "an attribute hides nothing": (
        {"common/a.h": header('__attribute__((format(printf, 1, 2))) void say(const char *f, ...);\n')},
        "say has no comment",
    ),
    "a header without a purpose": ({"common/a.h": "#ifndef COPYDESK_A_H\n#define COPYDESK_A_H\n#endif\n"}, "begins with what it is for"),
    "a header without a guard": ({"common/a.h": "// It.\n"}, "the guard must be"),
    "work left over": ({"services/a.c": "int x; // TODO later\n"}, "services/a.c:1: TODO"),
}

if __name__ == "__main__":
    rules.main(rule, SAMPLES)
