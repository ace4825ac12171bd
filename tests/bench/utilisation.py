"""How busy a backlog keeps workers: the share of time that a worker's thread spends in the stage, and how little lies before it.

The broker has a backlog all the time; two workers of production's runtime, one thread each, serve a stage that computes for so
many microseconds an article (busy.c). What a thread does not spend in the stage it waits for work, or handles messages.
Time in the stage is the worker's own metric, copydesk_stage_duration_seconds. It counts by the clock: what else runs on
the machine prolongs an article as it does the window, but a broker that gets no processor for longer than a worker's hold
leaves it without work.

    copydesk.utilisation_1000 0.98  the less busy worker, articles of 1000 microseconds; the median of the rounds
    copydesk.stage_cpu_1000 0.97    CPU that the stage asked for over that of the whole process
    copydesk.held_1000 50           articles a worker has here, the one it works on included; the most that was seen
"""
import contextlib
import json
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import contenders
from contenders import Failed

WORKERS = 2
TIMES_US = (1000, 5000)
LEAST = 0.95
WARM_S, WINDOW_S, SAMPLES = 1.5, 4, 20
LIMIT_S = 60

PIPELINE = "[pipeline]\nbusy = article\nexport = *\n"


def cpu_s(pid):
    """User and system time of a process so far."""
    return sum(int(ticks) for ticks in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]) / 100


def value_of(text, series):
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


class Worker:
    def __init__(self, process, port):
        self.pid, self.port = process.pid, port

    def mark(self):
        """Seconds by the clock, seconds in the stage, articles, seconds of CPU: all up to now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=LIMIT_S) as answer:
            text = answer.read().decode()
        return (time.monotonic(), value_of(text, 'copydesk_stage_duration_seconds_sum{stage="busy"}'),
                value_of(text, 'copydesk_articles_total{stage="busy",outcome="ok"}'), cpu_s(self.pid))


class Bench:
    """Broker, sink and workers in a fresh folder."""

    def __init__(self, options, folder, stack):
        self.bin, self.folder, self.stack = options.bin, folder, stack
        self.address = contenders.address(folder, options.transport)
        (folder / "copydesk.ini").write_text(PIPELINE)

    def start(self, program, *words):
        return self.stack.enter_context(contenders.running([str(self.bin / program), *words, "--log-level", "warning"],
                                                           self.folder))

    def ask(self, *words, stdin=None):
        done = subprocess.run([str(self.bin / "copydesk"), *words, "--broker", self.address], input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        if done.returncode != 0:
            raise Failed(f"copydesk {words[0]} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def begin(self, count, us):
        """Everything up, with so many articles accepted before the first worker comes."""
        self.start("copydesk", "broker", "--config", "copydesk.ini", "--listen", self.address, "--journal", "journal")
        documents = (json.dumps({"id": f"a{n}", "text": f"{us} microseconds of work"}) for n in range(count))
        self.ask("submit", "-", stdin="\n".join(documents))
        self.start("copydesk", "export", "--broker", self.address, "--folder", "out")
        return [self.worker() for _ in range(WORKERS)]

    def worker(self):
        port = contenders.free_port()
        return Worker(self.start("bench_busy", "worker", "busy", "--broker", self.address, "--threads", "1", "--ops",
                                 f"127.0.0.1:{port}"), port)

    def stage(self):
        return next(row for row in json.loads(self.ask("status", "--json"))["stages"] if row["name"] == "busy")


def measure(options, us):
    """(utilisation of the less busy worker, the stage's share of CPU, most articles held by a worker)."""
    count = int((WARM_S + WINDOW_S + 3) * WORKERS * 1e6 / us)
    with tempfile.TemporaryDirectory(prefix="bench-busy.") as made, contextlib.ExitStack() as stack:
        bench = Bench(options, Path(made), stack)
        workers = bench.begin(count, us)
        time.sleep(WARM_S)
        before, held = [worker.mark() for worker in workers], 0
        for _ in range(SAMPLES):
            time.sleep(WINDOW_S / SAMPLES)
            held = max(held, bench.stage()["leased"] / WORKERS)
        passed = [[b - a for a, b in zip(mark, worker.mark())] for mark, worker in zip(before, workers)]
        if sum(bench.stage()["ready"].values()) == 0:
            raise Failed("the backlog did not last")
    clock_s, stage_s, articles, spent_s = zip(*passed)
    return min(s / c for s, c in zip(stage_s, clock_s)), sum(articles) * us / 1e6 / sum(spent_s), held


def show(options):
    good = True
    for us in TIMES_US:
        busy, cpu, held = zip(*(measure(options, us) for _ in range(options.rounds)))
        print(f"copydesk.utilisation_{us} {statistics.median(busy):.3f}\ncopydesk.stage_cpu_{us} {statistics.median(cpu):.3f}\n"
              f"copydesk.held_{us} {max(held):.0f}", flush=True)
        good = good and statistics.median(busy) >= LEAST
    print(f"target.utilisation {'met' if good else 'missed'}")
    return True
