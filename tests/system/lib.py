"""Helpers of the system tests: real processes, each test in a folder of its own, no sleeps.

    from lib import *

    def test_something_is_so(folder):
        result = run("enrich", folder / "in.ndjson")
        equal(result.code, 0)

    if __name__ == "__main__":
        main(globals())

The program under test is $COPYDESK. Tests run in the order they are written; `test_x.py NAME...` runs those whose
name contains a NAME. Exit status: 0 all passed, 1 one failed, 77 all were skipped (see skip).
"""

import inspect
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

PROGRAM = os.environ.get("COPYDESK", "build/release/bin/copydesk")
ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 60


class Skipped(Exception):
    """Raised by skip()."""


def skip(reason):
    """Ends the test: it cannot run here."""
    raise Skipped(reason)


# ---- Claims

def equal(got, wanted, about=""):
    """Fails with both values when they differ."""
    if got != wanted:
        raise AssertionError(f"{about or 'values differ'}\n  got    {got!r}\n  wanted {wanted!r}")


def holds(text, part):
    """Fails with the whole text when `part` is not in it."""
    if part not in text:
        raise AssertionError(f"not found: {part!r}\n  in {text[:2000]!r}")


def lacks(text, part):
    """Fails when `part` is in `text`."""
    if part in text:
        raise AssertionError(f"found: {part!r}\n  in {text[:2000]!r}")


def below(got, limit, about):
    """Fails when `got` is not below `limit`."""
    if not got < limit:
        raise AssertionError(f"{about}: {got}, the limit is {limit}")


# ---- Processes

class Result:
    """What a finished process said: code, out, err (text), seconds, rss_kb (largest resident size)."""

    def __init__(self, code, out, err, seconds, rss_kb):
        self.code, self.out, self.err = code, out, err
        self.seconds, self.rss_kb = seconds, rss_kb

    def articles(self):
        """Standard output as NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(extra=None):
    """The tests' environment: nothing of the caller's that changes how the program looks."""
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    env.update(extra or {})
    return env


def run(*arguments, stdin=b"", stdout=None, env=None, cwd=None, timeout=TIMEOUT_S):
    """Runs the program to its end. `stdin` is bytes, text or a file; `stdout` a file instead of a pipe."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    is_bytes = isinstance(data, bytes)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if is_bytes:
            source.write(data)
            source.seek(0)
        start = time.monotonic()
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=source if is_bytes else data,
                                   stdout=stdout or out, stderr=err, env=environment(env), cwd=cwd)
        code, rss_kb = wait(process, timeout)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return Result(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"), seconds, rss_kb)


def wait(process, timeout=TIMEOUT_S):
    """Waits for a process; its exit code (negative: the signal) and its largest resident size in KB."""
    deadline = time.monotonic() + timeout
    with_pidfd = os.pidfd_open(process.pid)
    try:
        ready, _, _ = select.select([with_pidfd], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            process.kill()
            process.wait()
            raise AssertionError(f"still running after {timeout} s: {process.args}")
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        os.close(with_pidfd)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss


def start(*arguments, env=None, cwd=None, program=PROGRAM, **options):
    """Starts the program and returns its Popen; the test stops it. Pipes are up to the caller."""
    return subprocess.Popen([program, *map(str, arguments)], env=environment(env), cwd=cwd, **options)


def run_on_terminal(*arguments, env=None, columns=80, typed=b"", timeout=TIMEOUT_S):
    """Runs the program with a terminal as its standard input, output and error; what it showed, and its exit code."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=follower, stdout=follower, stderr=follower,
                               env=environment({"COLUMNS": str(columns), **(env or {})}), start_new_session=True)
    os.close(follower)
    if typed:
        os.write(leader, typed)
    shown = b""
    deadline = time.monotonic() + timeout
    while True:
        ready, _, _ = select.select([leader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            process.kill()
            break
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    code, _ = wait(process, timeout)
    os.close(leader)
    return shown.decode(errors="replace").replace("\r\n", "\n"), code


def until(condition, about, timeout=TIMEOUT_S):
    """Waits for `condition()` to be true and returns its value; for what has no event to wait for."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {about}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def free_port():
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(process, number=signal.SIGTERM, timeout=TIMEOUT_S):
    """Sends a signal and waits for the end; the exit code."""
    process.send_signal(number)
    return wait(process, timeout)[0]


def is_sanitized():
    """Whether the program was built with the address or thread sanitizer."""
    program = pathlib.Path(PROGRAM).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def python_with_zmq():
    """A Python that has pyzmq, None when there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        found = subprocess.run([python, "-c", "import zmq"], capture_output=True, check=False)
        if found.returncode == 0:
            return python
    return None


def write(path, content):
    """Writes text or bytes and returns the path."""
    path = pathlib.Path(path)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def ndjson(documents):
    """Documents as NDJSON text."""
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)


# ---- The runner

def run_one(name, test):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="copydesk-test-"))
    begin = time.monotonic()
    outcome = "ok"
    try:
        test(*([folder] if inspect.signature(test).parameters else []))
    except Skipped as reason:
        outcome = f"skipped: {reason}"
    except Exception:  # a failed claim or a broken test: both are told with their place
        traceback.print_exc(file=sys.stdout)
        outcome = "FAILED"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{outcome:8} {name[5:].replace('_', ' ')} ({time.monotonic() - begin:.2f} s)", flush=True)
    return outcome


def main(names):
    """Runs the tests among `names` (pass globals()) and exits."""
    wanted = sys.argv[1:]
    tests = [(name, value) for name, value in names.items()
             if name.startswith("test_") and callable(value) and (not wanted or any(w in name for w in wanted))]
    outcomes = [run_one(name, test) for name, test in tests]
    failed = outcomes.count("FAILED")
    skipped = sum(outcome.startswith("skipped") for outcome in outcomes)
    print(f"{len(outcomes)} tests, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not outcomes else 77 if skipped == len(outcomes) else 0)
