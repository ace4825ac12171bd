"""copydesk worker: serves a stage, and what becomes of its articles when it leaves, freezes, or hangs."""

import struct
import urllib.error
import urllib.request

from room import *

CLEAN_ONLY = "clean = article\nexport = *\n"


def readiness(port):
    """The status code and text of /readyz; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
    except OSError:
        return 0, ""


def test_all_stages_enrich_what_is_submitted(folder):
    with Room(folder) as room:
        room.start("broker")
        for stage in ("clean", "entities", "dates", "summary"):
            room.start(stage, "worker", stage, "--threads", "2")
        room.start("export", "export")
        equal(room.submit(articles(500)).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 500)
        found = room.exported()
        equal(len(found), 500)
        for article in found.values():
            equal({name: stage["status"] for name, stage in article["stages"].items()},
                  {"clean": "ok", "entities": "ok", "dates": "ok", "summary": "ok"})
            equal(article["stages"]["dates"]["attempt"], 1)
        holds(json.dumps(found["a7"]["dates"]), "2020-08-13")  # the document's own date reached the stage


def told(article):
    """What the stages said of an article, without what differs from run to run."""
    stages = {name: {"status": stage["status"], "version": stage["version"], "attempt": stage["attempt"]}
              for name, stage in article["stages"].items()}
    return {**article, "stages": stages}


def test_stages_that_run_along_say_the_same_as_each_alone(folder):
    others = ("entities", "dates", "summary")
    kinds = {".html": "text/html", ".txt": "text/plain"}
    documents = [{"id": path.name, "content": path.read_text(errors="replace"), "content_type": kinds[path.suffix],
                  "published_at": "2022-03-04"}
                 for path in sorted((ROOT / "tests" / "articles").iterdir())
                 if path.suffix in kinds and path.stat().st_size > 0]
    documents += articles(20) + [{"id": "blank", "content": " "}]
    found = []
    for way in ("alone", "along"):
        (folder / way).mkdir()
        with Room(folder / way) as room:
            room.start("broker")
            room.start("clean", "worker", "clean", "--along", " ".join(others if way == "along" else ()))
            if way == "alone":
                for stage in others:
                    room.start(stage, "worker", stage)
            room.start("export", "export")
            equal(room.submit(documents).code, 0)
            status = room.wait_for_status(lambda s: s["articles"]["complete"] == len(documents))
            equal({stage["done"] for stage in status["stages"]}, {len(documents)})
            found.append({name: told(article) for name, article in room.exported().items()})
    for name, article in found[0].items():
        equal(found[1][name], article, name)
    equal(len(found[1]), len(found[0]))


def test_it_drains_and_another_goes_on(folder):
    with Room(folder, CLEAN_ONLY) as room:
        room.start("broker")
        room.start("first", "worker", "clean")
        room.start("export", "export")
        room.submit(articles(3000))
        equal(room.stop("first"), 0)
        holds(room.log("first"), "drained, bye")
        room.start("second", "worker", "clean")
        status = room.wait_for_status(lambda s: s["articles"]["complete"] == 3000)
        equal(status["articles"]["expired_leases"], 0)
        equal(len(room.exported()), 3000)


def test_it_waits_for_the_broker_and_says_so(folder):
    port = free_port()
    with Room(folder, CLEAN_ONLY) as room:
        room.start("clean", "worker", "clean", "--ops", f"127.0.0.1:{port}")
        room.wait_for_log("clean", f"{room.address}: nothing listens there")
        code, why = readiness(port)
        equal(code, 503)
        holds(why, "nothing listens there")
        room.start("broker")
        until(lambda: readiness(port)[0] == 200, "ready")
        room.stop("broker", signal.SIGKILL)
        until(lambda: readiness(port)[0] == 503, "not ready again")
        room.start("broker")
        until(lambda: readiness(port)[0] == 200, "ready again")


def test_the_articles_of_a_frozen_worker_go_to_another(folder):
    with Room(folder, CLEAN_ONLY) as room:
        room.start("broker", *QUICK)
        frozen = room.start("frozen", "worker", "clean")
        room.wait_for_log("frozen", "serving clean")
        frozen.send_signal(signal.SIGSTOP)
        room.start("export", "export")
        room.submit(articles(50))
        room.start("other", "worker", "clean")
        room.wait_for_status(lambda status: status["articles"]["complete"] == 50)
        frozen.send_signal(signal.SIGCONT)
        room.wait_for_log("frozen", "serving clean", times=2)
        room.submit(articles(10, "b"))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 60)
        equal(len(room.exported()), 60)


def test_setting_the_clock_neither_loses_a_worker_nor_keeps_a_dead_one(folder):
    def set_clock(by_ms):
        with open(clock, "r+b") as file:
            file.write(struct.pack("<q", by_ms))

    clock = write(folder / "clock", bytes(8))
    with Room(folder, CLEAN_ONLY) as room:
        room.env["COPYDESK_CLOCK"] = str(clock)
        room.start("broker", *QUICK)
        first = room.start("first", "worker", "clean")
        room.wait_for_log("first", "serving clean")
        set_clock(3600000)
        room.wait_for_log("broker", "the clock jumped by 3")  # 3599999 or 3600000
        equal(room.status()["articles"]["expired_leases"], 0)
        first.send_signal(signal.SIGSTOP)
        room.submit(articles(5))
        room.wait_for_status(lambda status: stage_of(status, "clean")["leased"] == 5)
        set_clock(0)
        room.start("second", "worker", "clean")
        room.start("export", "export")
        room.wait_for_status(lambda status: status["articles"]["complete"] == 5)
        equal(len(room.exported()), 5)
        lacks(room.log("second"), "lost the broker")


def test_an_article_that_hangs_its_workers_ends_in_the_dead_letters(folder):
    sentence = "Mayor Anna Schmidt of Hamburg met Donald Trump in Washington on Thursday. "
    with Room(folder, "clean = article\nentities = clean\nexport = *\n") as room:
        room.start("broker", *QUICK)
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        room.submit([{"id": "poison", "text": sentence * 100000}, *articles(5)])
        ends = 0
        while not room.status()["articles"]["dead"]:
            worker = room.start("entities", "worker", "entities", "--article-timeout", "100ms")
            dead = until(lambda: worker.poll() is not None or room.status()["articles"]["dead"], "an end")
            ends += worker.poll() is not None
            below(ends, 10, "workers that ended")
            if worker.poll() is not None:
                equal(worker.returncode, 70)
        holds(room.log("entities"), "id=poison")
        if worker.poll() is None:
            room.stop("entities", signal.SIGKILL)
        room.start("entities", "worker", "entities")
        room.wait_for_status(lambda status: status["articles"]["complete"] == 5)
        listed = room.run("dlq", "list")
        holds(listed.out, "poison")
        holds(listed.out, "entities")


def test_it_is_back_soon_after_each_of_many_restarts_of_the_broker(folder):
    waits = []
    with Room(folder, CLEAN_ONLY) as room:
        room.start("broker")
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        write(folder / "in.ndjson", ndjson(articles(30000)))
        client = room.start("submit", "submit", "in.ndjson")
        room.wait_for_log("clean", "serving clean")
        for times in range(2, 22):
            room.stop("broker", signal.SIGKILL)
            room.start("broker")
            until(room.status, "a broker that answers")
            ready = time.monotonic()
            room.wait_for_log("clean", "serving clean", times)
            waits.append(time.monotonic() - ready)
        equal(wait(client)[0], 0)
        room.wait_for_status(lambda status: status["articles"]["live"] == 0)
        equal(len(room.exported()), 30000)
    waits.sort()
    print(f"         seconds until it served again: half within {waits[10]:.3f}, all within {waits[-1]:.3f}")
    below(waits[-1], 1.0, "seconds from a broker that answers to a worker that serves")


def own_kb(process):
    """Memory that a process shares with nobody."""
    text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def test_models_are_shared_by_threads_and_processes(folder):
    if is_sanitized():
        skip("a sanitizer has memory of its own")
    with Room(folder, "clean = article\nentities = clean\nsummary = clean entities\nexport = *\n") as room:
        room.start("broker")
        for name, threads in (("first", 1), ("second", 4)):
            room.start(name, "worker", "entities", "--threads", threads)
            room.wait_for_log(name, "serving entities")
        for name in ("first", "second"):  # the models are 11 MB
            below(own_kb(room.processes[name]), 5000, f"KB of its own, {name}")
        summary = room.start("summary", "worker", "summary")
        room.wait_for_log("summary", "serving summary")
        mapped = pathlib.Path(f"/proc/{summary.pid}/maps").read_text()
        holds(mapped, "summary.tables")
        lacks(mapped, "entities.model")  # it needs their notes, not their model


def test_wrong_stages_are_told(folder):
    with Room(folder, CLEAN_ONLY) as room:
        unknown = room.run("worker", "sumary")
        equal(unknown.code, 2)
        holds(unknown.err, "no stage 'sumary'. Did you mean 'summary'?")
        equal(room.run("worker").code, 2)
        room.start("broker")
        missing = room.run("worker", "summary")
        equal(missing.code, 78)
        holds(missing.err, "the pipeline has no stage 'summary'")


def test_a_signal_prints_its_state(folder):
    with Room(folder, CLEAN_ONLY) as room:
        room.start("broker")
        clean = room.start("clean", "worker", "clean", "--name", "w7")
        room.wait_for_log("clean", "serving clean")
        clean.send_signal(signal.SIGUSR1)
        room.wait_for_log("clean", "w7: session up, 0 waiting, 0 running")


if __name__ == "__main__":
    main(globals())
