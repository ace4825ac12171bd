"""White space belongs to clang-format."""

import os
import shutil

import rules

HERE = os.path.dirname(os.path.abspath(__file__))
STYLE = os.path.join(HERE, "..", "..", ".clang-format")


def rule(folder):
    paths = rules.files(folder, ".c", ".h")
    if not os.path.exists(os.path.join(folder, ".clang-format")):
        shutil.copy(STYLE, folder)
    if not paths:
        return
    code, said = rules.run_tool(["clang-format", "--dry-run", "-Werror", *paths], folder)
    if code != 0:
        for line in said.splitlines():
            if "error:" in line:
                yield line.replace("code should be clang-formatted [-Wclang-format-violations]", "clang-format -i mends it")


SAMPLES = {
    "as the tool writes it": ({"common/a.c": "int f(void)\n{\n    return 1;\n}\n"}, None),
    "by hand": ({"common/a.c": "int f(void) { return 1; }\n"}, "common/a.c:1:"),
}

if __name__ == "__main__":
    rules.main(rule, SAMPLES)
