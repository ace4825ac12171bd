"""How busy a backlog keeps workers: whether their threads ever wait for work, what else they do, and how little lies before them.

The broker has a backlog all the time; two workers of production's runtime, one thread each, serve a stage that computes for so
many microseconds an article (busy.c).

    copydesk.utilisation_1000 0.96  CPU that the stage asked for over that of the whole worker, times the share of the time in
                                    which its busiest thread ran or wanted to: both workers, articles of 1000 microseconds
    copydesk.idle_1000 0.01         the rest of that time: it slept, though the broker had work
    copydesk.held_1000 50           articles a worker has here, the one it works on included; the most that was seen

Waiting for a processor counts as wanting to run (/proc/PID/task/TID/schedstat), so that what else is on the machine does not
count as the broker's fault, unless it keeps the broker away for longer than what a worker has here lasts. Medians of the rounds.
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
WARM_S, WINDOW_S, SAMPLES = 1.5, 4, 8
LIMIT_S = 60

PIPELINE = "[pipeline]\nbusy = article\nexport = *\n"


def thread_times(pid):
    """(seconds on a processor, seconds waiting for one) of each thread so far."""
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        ran, waited, _ = map(int, (task / "schedstat").read_text().split())
        times[task.name] = (ran / 1e9, waited / 1e9)
    return times


def articles_of(metrics):
    found = re.search(r'^copydesk_articles_total\{stage="busy",outcome="ok"\} (\d+)$', metrics, re.MULTILINE)
    return int(found[1]) if found else 0


class Worker:
    def __init__(self, process, port):
        self.pid, self.port = process.pid, port

    def mark(self):
        """The clock, articles, times of the threads: all up to now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=LIMIT_S) as answer:
            articles = articles_of(answer.read().decode())
        return time.monotonic(), articles, thread_times(self.pid)


def shares(before, after, us):
    """(the stage's share of the worker's CPU, share of the time in which its busiest thread slept)."""
    ran = {task: times[0] - before[2].get(task, (0, 0))[0] for task, times in after[2].items()}
    busiest = max(ran, key=ran.get)
    waited = after[2][busiest][1] - before[2].get(busiest, (0, 0))[1]
    stage_s = (after[1] - before[1]) * us / 1e6
    return stage_s / sum(ran.values()), max(0.0, 1 - (ran[busiest] + waited) / (after[0] - before[0]))


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
    """(utilisation, idle share, most articles held by a worker): the first two of the worse worker."""
    count = int((WARM_S + WINDOW_S + 3) * WORKERS * 1e6 / us)
    with tempfile.TemporaryDirectory(prefix="bench-busy.") as made, contextlib.ExitStack() as stack:
        bench = Bench(options, Path(made), stack)
        workers = bench.begin(count, us)
        time.sleep(WARM_S)
        before, held = [worker.mark() for worker in workers], 0
        for _ in range(SAMPLES):
            time.sleep(WINDOW_S / SAMPLES)
            held = max(held, bench.stage()["leased"] / WORKERS)
        found = [shares(mark, worker.mark(), us) for mark, worker in zip(before, workers)]
        if sum(bench.stage()["ready"].values()) == 0:
            raise Failed("the backlog did not last")
    return min(stage * (1 - idle) for stage, idle in found), max(idle for _, idle in found), held


def show(options):
    good = True
    for us in TIMES_US:
        busy, idle, held = zip(*(measure(options, us) for _ in range(options.rounds)))
        print(f"copydesk.utilisation_{us} {statistics.median(busy):.3f}\ncopydesk.idle_{us} {statistics.median(idle):.3f}\n"
              f"copydesk.held_{us} {max(held):.0f}", flush=True)
        good = good and statistics.median(busy) >= LEAST
    print(f"target.utilisation {'met' if good else 'missed'}")
    return True
