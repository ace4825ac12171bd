"""How the broker's cost grows: one thing is varied at a time, all else stays as in tests/bench/broker.

    queue     articles that wait in the broker the whole time; measured are the flow through it and how fast an urgent article,
              one of 200, gets past them
    size      KB of an article, all of it text, so that clean's section is as large again
    workers   processes of each of the four stages
    stages    in a row (graph `chain`), one worker each

Full load in every case, and except for `queue` a run at --rate for the latency. Medians of the rounds with spread.
"""
import statistics
import sys
import time

import contenders

FULL_SECS, SLOW_SECS, SLOW_LIMIT_KB = 2, 4, 64

# After this time a point has one round: on a slow machine all of it still ends within ten minutes.
ROUNDS_UNTIL_S = 360

# Sweep: values, the options of the load for one of them, and whether there is a run at the rate.
SWEEPS = {
    "queue": ((0, 1000, 10000, 100000, 300000), lambda value: ["--backlog", value, "--flash", 200], lambda value: False),
    "size": ((1, 2, 4, 8, 16, 32, 64, 128, 256), lambda value: ["--size", value * 1024, "--text", value * 1024],
             lambda value: value <= SLOW_LIMIT_KB),
    "workers": ((1, 2, 4, 8, 16, 32), lambda value: ["--workers", value], lambda value: True),
    "stages": ((1, 2, 4, 8, 16), lambda value: ["--graph", "chain", "--stages", value], lambda value: True),
}

COLUMNS = ("articles_per_s", "cpu_s_per_1000", "cpu_broker_s_per_1000", "rss_mib", "p50_ms", "p99_ms")


def measure_point(options, sweep, value, rounds):
    """Lists of values by column."""
    _, load, has_rate = SWEEPS[sweep]
    found = {}
    for _ in range(rounds):
        run = contenders.run_once("copydesk", options, [*load(value), "--n", 1, "--full-ms", FULL_SECS * 1000])
        for name in COLUMNS:
            if name in run:
                found.setdefault(name, []).append(run[name])
    if has_rate(value) and options.rate > 0:
        run = contenders.run_once("copydesk", options, [*load(value), "--rate", options.rate, "--secs", SLOW_SECS])
        for name in COLUMNS[4:]:
            found[name] = [run[name]]
    return found


def measure(options):
    """Rows (sweep, value, column, median, min, max); prints each as it comes. A point that fails is told and left out."""
    rows, begun = [], time.monotonic()
    for sweep, (values, _, _) in SWEEPS.items():
        for value in values:
            if options.only and sweep not in options.only.split(","):
                continue
            rounds = options.rounds if time.monotonic() - begun < ROUNDS_UNTIL_S else 1
            try:
                found = measure_point(options, sweep, value, rounds)
            except contenders.Failed as error:
                print(f"broker: {sweep} {value}: {error}", file=sys.stderr)
                continue
            for name, numbers in found.items():
                row = (sweep, value, name, statistics.median(numbers), min(numbers), max(numbers))
                print(f"scale.{sweep}.{value}.{name} {contenders.short(row[3])}", flush=True)
                rows.append(row)
    return rows


def write(rows, path):
    with open(path, "w", encoding="utf-8") as out:
        out.write("sweep\tvalue\tfigure\tmedian\tmin\tmax\n")
        for row in rows:
            out.write("\t".join(row[i] if isinstance(row[i], str) else contenders.short(row[i]) for i in range(6)) + "\n")
