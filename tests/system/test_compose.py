#!/usr/bin/env python3
"""The compose file as a user runs it: build, up, scale, submit, compare, down.

usage: test_compose.py [--keep]

Builds the image, starts the whole pipeline with three workers for entities under a project name of its own,
submits the sample articles, kills a worker while it has articles, and compares what the sink wrote with what
`copydesk enrich` says in one process: every article once, equal but for times. --keep leaves everything up
for a look. Exit: 0 passed, 1 failed, 77 no Docker here (the reason is printed).
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTICLES = ROOT / "tests" / "articles"
BASE = "debian:12-slim"
PROJECT = f"copydesktest{os.getpid()}"
IMAGE = f"{PROJECT}:latest"
SERVICES = {"broker": 1, "clean": 1, "entities": 3, "dates": 1, "summary": 1, "export": 1}
START_LIMIT_S = 90
DRAIN_LIMIT_S = 60
# what may differ between two runs of the same article
RUN_MEMBERS = ("ms", "queue_ms", "worker", "attempt")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def run(*command, check=True, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, check=False, **options)
    if check and done.returncode != 0:
        tail = (done.stdout + done.stderr).decode("utf-8", "replace").strip().splitlines()[-15:]
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n" + "\n".join(tail))
    return done.stdout.decode("utf-8", "replace")


def compose_command():
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    return skip("neither `docker compose` nor `docker-compose` is installed")


def compose(*arguments, check=True, **options):
    environment = {**os.environ, "COPYDESK_IMAGE": IMAGE, "COPYDESK_PORT": "127.0.0.1:"}
    return run(*compose_command(), "-p", PROJECT, "-f", ROOT / "docker-compose.yml", *arguments,
               check=check, env=environment, **options)


def need_docker():
    if not shutil.which("docker"):
        skip("docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        skip("no Docker engine answers")
    compose_command()


def need_base():
    """The base image: there already, pulled, or made from packages."""
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode == 0:
        return
    made = subprocess.run([ROOT / "tests" / "system" / "base-image.sh", BASE], capture_output=True, check=False)
    if made.returncode == 0:
        return
    pulled = subprocess.run(["docker", "pull", "-q", BASE], capture_output=True, check=False, timeout=300)
    if pulled.returncode != 0:
        skip(f"{BASE} can be neither made nor pulled: {made.stderr.decode().strip()}")


def containers(service):
    return compose("ps", "-q", service).split()


def health(container):
    return run("docker", "inspect", "-f", "{{.State.Health.Status}}", container).strip()


def wait_for(what, condition, limit_s):
    """Asks again until the condition holds; says what it waited for when it does not."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {limit_s} s still not: {what}")
        time.sleep(0.2)


def all_healthy():
    for service, count in SERVICES.items():
        ids = containers(service)
        if len(ids) != count or any(health(i) != "healthy" for i in ids):
            return False
    return True


def copydesk(*arguments, stdin=b"", check=True):
    """The program in a container of its own, inside the project's network."""
    return run("docker", "run", "--rm", "-i", "--network", f"{PROJECT}_inside", "--no-healthcheck",
               "-v", f"{ARTICLES}:/articles:ro", IMAGE, *arguments, input=stdin, check=check)


def sample_articles():
    """The enriched sample articles in one process: id -> article, and the raw files."""
    files = [f"/articles/{f.name}" for f in sorted(ARTICLES.iterdir())
             if f.suffix in (".txt", ".html") or f.name == "native.json"]
    files.remove("/articles/empty.txt")
    lines = copydesk("enrich", "--json", *files).splitlines()
    return {a["id"]: a for a in map(json.loads, lines)}, files


def exported():
    text = compose("exec", "-T", "export", "sh", "-c", "cat /var/lib/copydesk/export/*.ndjson || true")
    return [json.loads(line) for line in text.splitlines()]


def comparable(article):
    article = json.loads(json.dumps(article))
    article.pop("trace", None)
    article.pop("content", None)
    for stage in article.get("stages", {}).values():
        for member in RUN_MEMBERS:
            stage.pop(member, None)
    return article


def compare(expected):
    found = exported()
    ids = [a["id"] for a in found]
    doubled = {i for i in ids if ids.count(i) > 1}
    missing = set(expected) - set(ids)
    assert not missing, f"lost: {sorted(missing)}"
    assert not doubled, f"doubled: {sorted(doubled)}"
    for article in found:
        one, other = comparable(article), comparable(expected[article["id"]])
        for member in sorted(set(one) | set(other)):
            assert one.get(member) == other.get(member), (
                f"{article['id']}: {member} differs\n  pipeline: {one.get(member)}\n  enrich:   {other.get(member)}")


def check_hardening():
    for service in SERVICES:
        for container in containers(service):
            state = json.loads(run("docker", "inspect", container))[0]
            assert state["HostConfig"]["ReadonlyRootfs"], f"{service}: its root can be written"
            assert state["HostConfig"]["CapDrop"] == ["ALL"], f"{service}: keeps capabilities"
            assert state["Config"]["User"] == "10001:10001", f"{service}: runs as {state['Config']['User']}"
            if service != "broker":
                assert not any((state["NetworkSettings"]["Ports"] or {}).values()), f"{service}: publishes a port"


def test():
    compose("build")
    compose("up", "-d", "--scale", "entities=3")
    wait_for("all services healthy", all_healthy, START_LIMIT_S)
    check_hardening()
    expected, files = sample_articles()
    assert len(expected) == len(files), f"{len(files)} files gave {len(expected)} articles"
    copydesk("submit", "--broker", "tcp://broker:5750", *files)
    run("docker", "kill", containers("entities")[0])
    wait_for("all articles in the sink", lambda: len(exported()) >= len(expected), DRAIN_LIMIT_S)
    compare(expected)
    start = time.monotonic()
    compose("stop", "-t", "30")
    seconds = time.monotonic() - start
    assert seconds < 30, f"stopping took {seconds:.0f} s: a service did not heed SIGTERM"
    print(f"{len(expected)} articles through {sum(SERVICES.values())} containers, one killed: "
          f"each once, equal to enrich; stopped in {seconds:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the containers up")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # cleans up when a test runner gives up
    need_docker()
    need_base()
    try:
        test()
    except AssertionError as fault:
        print(f"failed: {fault}")
        print(compose("logs", "--tail", "20", check=False)[-4000:])
        return 1
    finally:
        if not options.keep:
            compose("down", "-v", "-t", "2", "--remove-orphans", check=False)
            run("docker", "rmi", "-f", IMAGE, check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
