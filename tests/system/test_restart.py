"""A rolling restart by SIGTERM under load: nobody gets an article twice for it, and nothing waits for a lease."""

import urllib.request

from room import *
from test_pythonworker import Shouting

STAGES = ("clean", "dates")
SINKS = ("export", "archive")
PIPELINE = "clean = article\ndates = clean\nexport = *\narchive = *\n"
COUNT = 6000


def delivered(port, sink):
    """How many articles a sink was handed and made durable, from its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    rows = [line for line in text.splitlines() if f'stage="{sink}"' in line and 'outcome="ok"' in line]
    return int(float(rows[0].split()[-1])) if rows else 0


def lines(folder):
    """The ids in a folder of exports. A line that is being written does not count yet."""
    return [json.loads(line)["id"] for path in sorted(folder.glob("*.ndjson"))
            for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def start_stage(room, stage):
    room.start(stage, "worker", stage, "--name", stage)


def start_sink(room, sink, port):
    room.start(sink, "export", "--stage", sink, "--folder", room.folder / sink, "--ops", f"127.0.0.1:{port}")


def restart(room, name, again):
    equal(room.stop(name), 0)
    again()


def begin_load(room, count, prefix):
    """Submits in the background; returns the process."""
    path = write(room.folder / f"{prefix}.ndjson", ndjson(articles(count, prefix)))
    with open(path, "rb") as source:
        return start("submit", env=room.env, cwd=room.folder, stdin=source, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)


def nothing_was_taken_away(room):
    status = room.status()
    equal((status["articles"]["expired_leases"], status["articles"]["refused_answers"]), (0, 0), "expired, refused")


def only_unread_articles_were_handed_out_again(room, found):
    """What came a second time was returned before it was begun: nothing was run twice."""
    again = [article["id"] for article in found
             if any(stage.get("attempt", 1) > 1 for stage in article["stages"].values())]
    for one in again[:50]:
        history = json.loads(room.run("trace", one, "--json").out)["history"]
        for stage in STAGES:
            ends = [hop["end"] for hop in history if hop["stage"] == stage]
            equal((set(ends[:-1]) - {"returned"}, ends[-1]), (set(), "done"), one)


def test_a_rolling_restart_runs_nothing_twice(folder):
    ports = {sink: free_port() for sink in SINKS}
    with Room(folder, PIPELINE) as room:
        room.start("broker")
        for stage in STAGES:
            start_stage(room, stage)
        for sink in SINKS:
            start_sink(room, sink, ports[sink])
        load = begin_load(room, COUNT, "a")
        for stage in STAGES:
            before = room.wait_for_status(lambda status: stage_of(status, stage)["done"] > 0)
            restart(room, stage, lambda: start_stage(room, stage))
            below(before["articles"]["complete"], COUNT, "articles before the restart of " + stage)
        nothing_was_taken_away(room)

        below(room.status()["articles"]["complete"], COUNT, "articles before the restart of the broker")
        restart(room, "broker", lambda: room.start("broker"))
        holds(room.log("broker"), "drained, bye")
        lacks(room.log("broker"), "the time to drain is over")
        lacks(room.log("broker"), "fell silent")
        equal(wait(load)[0], 0)
        until(lambda: all(len(lines(folder / sink)) == COUNT for sink in SINKS), "all articles in both sinks")
        nothing_was_taken_away(room)
        for sink in SINKS:
            until(lambda: delivered(ports[sink], sink) >= COUNT, "the metrics of " + sink)
            equal(delivered(ports[sink], sink), COUNT, "handed to " + sink)

        load = begin_load(room, COUNT, "b")
        for sink in SINKS:
            before = room.wait_for_status(lambda status: stage_of(status, sink)["done"] > 0)
            below(before["articles"]["complete"], 2 * COUNT, "articles before the restart of " + sink)
            restart(room, sink, lambda: start_sink(room, sink, ports[sink]))
        equal(wait(load)[0], 0)
        for sink in SINKS:
            until(lambda: len(lines(folder / sink)) == 2 * COUNT, "all articles in " + sink)
            equal(len(set(lines(folder / sink))), 2 * COUNT)
        nothing_was_taken_away(room)
        found = [json.loads(line) for path in (folder / "export").glob("*.ndjson")
                 for line in path.read_text().splitlines()]
        only_unread_articles_were_handed_out_again(room, [one for one in found if one["id"][0] == "b"])


def test_a_broker_that_leaves_waits_for_what_is_out(folder):
    with Room(folder, "clean = article\nexport = *\narchive = *\n") as room:
        broker = room.start("broker")
        start_stage(room, "clean")
        for sink in SINKS:
            start_sink(room, sink, free_port())
        room.wait_for_status(lambda status: all(stage["workers"] == 1 for stage in status["stages"]))
        room.processes["archive"].send_signal(signal.SIGSTOP)
        equal(room.submit(articles(4000, "a")).code, 0)
        room.wait_for_status(lambda status: stage_of(status, "export")["done"] == 4000)
        equal(stage_of(room.status(), "archive")["leased"] < 4000, True, "more than the sink takes at once")
        room.processes["clean"].send_signal(signal.SIGSTOP)
        equal(room.submit(articles(200, "b")).code, 0)
        room.wait_for_status(lambda status: stage_of(status, "clean")["leased"] > 0)
        broker.send_signal(signal.SIGTERM)
        room.wait_for_log("broker", "draining")
        for name in ("clean", "archive"):
            room.processes[name].send_signal(signal.SIGCONT)
        equal(wait(broker)[0], 0)
        holds(room.log("broker"), "drained, bye")
        lacks(room.log("broker"), "fell silent")
        lacks(room.log("broker"), "worker clean is gone")
        room.wait_for_log("clean", "the broker is leaving")
        below(3999, len(lines(folder / "archive")), "articles in the second sink")
        equal(sorted(lines(folder / "archive")), sorted(lines(folder / "export")))
        room.start("broker")
        until(lambda: all(len(lines(folder / sink)) == 4200 for sink in SINKS), "all articles in both sinks")
        nothing_was_taken_away(room)


def test_a_python_worker_hands_in_what_it_has_and_finds_the_next_broker(folder):
    with Shouting(folder, "clean = article\nshout = clean\nexport = *\n") as room:
        room.start("broker")
        start_stage(room, "clean")
        room.start_python()
        room.start("export", "export")
        load = begin_load(room, 500, "a")
        room.wait_for_status(lambda status: stage_of(status, "shout")["done"] > 0)
        restart(room, "broker", lambda: room.start("broker"))
        holds(room.log("broker"), "drained, bye")
        lacks(room.log("broker"), "fell silent")
        equal(wait(load)[0], 0)
        until(lambda: len(room.exported()) == 500, "all articles")
        holds(room.log("python"), "the broker is leaving; trying again")
        nothing_was_taken_away(room)


if __name__ == "__main__":
    main(globals())
