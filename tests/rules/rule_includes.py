"""Includes point one way: services -> stage -> common -> proto; and each library is known to few files."""

import os
import re

import rules

STAGES = ("clean", "entities", "dates", "summary")

# Layers from the bottom; a file may include its own layer and those below.
LAYERS = ("proto", "common", "stage", "services")

# Library header: who may include it. A path ending in '/' stands for a folder.
LIBRARIES = {
    "cjson/": ("common/article.c", "common/tree."),
    "cJSON.h": ("common/article.c", "common/tree."),
    "ini.h": ("common/config.c",),
    "microhttpd.h": ("common/ops.c", "services/gateway/", "services/desk/"),
    "zmq.h": ("services/",),
    "uv.h": ("services/",),
    "sqlite3.h": ("services/desk/", "services/export/"),
    "libpq-fe.h": ("services/export/",),
    "nats/": ("services/",),
    "curl/": ("services/gateway/", "services/export/"),
    "libxml/": ("services/gateway/", "services/input"),
}

# The broker's rules do no I/O: sockets, loop and files are the shell's.
PURE = ("services/broker/core", "services/broker/queue", "services/broker/graph", "services/broker/route")


def stage_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "services" and parts[1] in STAGES else None


def layer_of(path):
    if stage_of(path):
        return "stage"
    top = path.split("/")[0]
    return top if top in LAYERS else None


def judge_own(path, header):
    """What is wrong when `path` includes our own `header`, or None."""
    mine, theirs = layer_of(path), layer_of(header)
    if theirs is None:
        return None
    if LAYERS.index(theirs) > LAYERS.index(mine):
        return f"{mine} must not include {theirs}"
    if mine == "stage" and theirs == "stage" and stage_of(path) != stage_of(header):
        return "a stage must not include another stage"
    return None


def judge_library(path, header):
    for library, allowed in LIBRARIES.items():
        named = header.startswith(library) if library.endswith("/") else os.path.basename(header) == library
        if not named:
            continue
        if stage_of(path) or path.startswith(PURE):
            return f"{library} must not be known here"
        if not path.startswith(allowed):
            return f"{library} is for {', '.join(allowed)} alone"
    return None


def cycles(graph):
    """One line per header that includes itself in the end."""
    done, found = set(), []
    for start in sorted(graph):
        stack = [(start, iter(graph.get(start, ())))]
        on_path = [start]
        while stack:
            node, children = stack[-1]
            child = next(children, None)
            if child is None:
                done.add(node)
                on_path.pop()
                stack.pop()
            elif child in on_path:
                found.append(f"{node}:1: a circle of includes: {' -> '.join(on_path[on_path.index(child):] + [child])}")
            elif child in graph and child not in done:
                on_path.append(child)
                stack.append((child, iter(graph[child])))
    return found


def rule(folder):
    graph = {}
    for path in rules.files(folder, ".c", ".h", under=("proto", "common", "services")):
        text = rules.read(folder, path)
        graph[path] = []
        for match in re.finditer(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.M):
            kind, header = match.groups()
            where = f"{path}:{rules.line_of(text, match.start(2))}"
            if kind == '"' and not os.path.exists(os.path.join(folder, header)):
                yield f"{where}: no {header} from the top of the source; quote our own headers only"
                continue
            fault = judge_own(path, header) if kind == '"' else judge_library(path, header)
            if fault:
                yield f"{where}: {header}: {fault}"
            if kind == '"':
                graph[path].append(header)
    yield from cycles(graph)


SAMPLES = {
    "downwards is fine": (
        {
            "proto/a.h": "",
            "common/b.h": '#include "proto/a.h"\n#include <stdio.h>\n',
            "services/dates/dates.c": '#include "common/b.h"\n#include "services/dates/x.h"\n',
            "services/dates/x.h": "",
            "services/door.c": '#include <zmq.h>\n#include "services/dates/x.h"\n',
        },
        None,
    ),
    "common knows no service": (
        {"common/a.c": '#include "services/b.h"\n', "services/b.h": ""},
        "common/a.c:1: services/b.h: common must not include services",
    ),
    "proto knows nobody": (
        {"proto/a.c": '#include "common/b.h"\n', "common/b.h": ""},
        "proto must not include common",
    ),
    "stages are strangers": (
        {"services/dates/a.c": '\n#include "services/clean/b.h"\n', "services/clean/b.h": ""},
        "services/dates/a.c:2: services/clean/b.h: a stage must not include another stage",
    ),
    "a stage knows no broker": (
        {"services/dates/a.c": '#include "services/broker/b.h"\n', "services/broker/b.h": ""},
        "stage must not include services",
    ),
    "a stage knows no ZeroMQ": ({"services/dates/a.c": "#include <zmq.h>\n"}, "zmq.h must not be known here"),
    "the rules of the broker know no loop": (
        {"services/broker/queue.c": "#include <uv.h>\n"},
        "uv.h must not be known here",
    ),
    "cJSON is for the article alone": ({"common/a.c": "#include <cjson/cJSON.h>\n"}, "is for common/article.c, common/tree. alone"),
    "no circles": (
        {"common/a.h": '#include "common/b.h"\n', "common/b.h": '#include "common/a.h"\n'},
        "a circle of includes",
    ),
    "paths from the top": ({"common/a.c": '#include "b.h"\n', "common/b.h": ""}, "no b.h from the top"),
}

if __name__ == "__main__":
    rules.main(rule, SAMPLES)
