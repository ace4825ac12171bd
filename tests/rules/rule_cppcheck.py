"""cppcheck finds nothing: warnings, performance, portability. $CPPCHECK_CACHE is where it keeps what it knows."""

import os

import rules

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = [
    "--quiet",
    "--std=c11",
    "--language=c",
    "--platform=unix64",
    "--enable=warning,performance,portability",
    "--inline-suppr",
    f"--suppressions-list={os.path.join(HERE, 'cppcheck.txt')}",
    "--template={file}:{line}: {message} [{id}]",
    "-D__x86_64__=1",
    "-DCOPYDESK_VERSION=\"0\"",
    "-I.",
    f"-j{os.cpu_count() or 1}",
]


def rule(folder):
    cache = os.environ.get("CPPCHECK_CACHE")
    remember = []
    if cache:
        os.makedirs(cache, exist_ok=True)
        remember = [f"--cppcheck-build-dir={cache}"]
    paths = rules.files(folder, ".c", under=("proto", "common", "services"))
    _, said = rules.run_tool(["cppcheck", *OPTIONS, *remember, *paths], folder)
    yield from (line for line in said.splitlines() if line.strip())


SAMPLES = {
    "sound": ({"common/a.c": "int f(int x)\n{\n    return x + 1;\n}\n"}, None),
    "out of bounds": ({"common/a.c": "int f(void)\n{\n    int a[2] = {0};\n    return a[2];\n}\n"}, "common/a.c:4:"),
    "a leak": (
        {"common/a.c": "#include <stdlib.h>\nint f(void)\n{\n    char *a = malloc(3);\n    return a != 0;\n}\n"},
        "common/a.c:5:",
    ),
}

if __name__ == "__main__":
    rules.main(rule, SAMPLES)
