"""copydesk reprocess: stored articles run again, and each sink has one of each id and version in the end."""

from room import *


def lines(room):
    """Every line of the export's files, as (id, version, rerun)."""
    return sorted((article["id"], article.get("version", 1), article.get("rerun", 0))
                  for path in (room.folder / "copydesk-data/export").glob("*.ndjson")
                  for article in map(json.loads, path.read_text().splitlines()))


def stored(room):
    return "".join(path.read_text() for path in sorted((room.folder / "copydesk-data/export").glob("*.ndjson")))


def start_all(room):
    room.start("broker", *QUICK)
    room.start("clean", "worker", "clean")
    room.start("entities", "worker", "entities")
    room.start("export", "export")


PIPELINE = "clean = article\nentities = clean\nexport = *\n"


def test_a_second_run_replaces_the_first_through_kill_9_of_everyone(folder):
    with Room(folder, PIPELINE) as room:
        start_all(room)
        room.submit(articles(20, version=2))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 20)
        file = write(folder / "stored.ndjson", stored(room))
        for name in ("clean", "entities", "export"):
            room.stop(name, signal.SIGKILL)
        again = room.run("reprocess", file)
        equal((again.code, again.err), (0, ""))
        holds(again.out, "20 read, 20 accepted (")
        equal(stage_of(room.status(), "clean")["ready"]["backfill"], 20)
        holds(room.run("reprocess", file).out, "20 read, 0 accepted, 20 duplicate")
        room.stop("broker", signal.SIGKILL)
        start_all(room)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 20)
        room.stop("export", signal.SIGKILL)
        room.start("export", "export")
        room.wait_for_log("export", "20 articles are in", times=2)
        rerun = lines(room)
        equal([(id, version) for id, version, _ in rerun], sorted((f"a{n}", 2) for n in range(20)))
        equal(min(run for _, _, run in rerun) > 0, True)
        holds(room.submit(articles(20, version=2)).out, "0 accepted, 20 duplicate")


def test_older_versions_and_killed_stories_stay_as_they_are(folder):
    with Room(folder, PIPELINE) as room:
        start_all(room)
        room.submit(articles(3))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 3)
        old = stored(room)
        room.submit([{"id": "a1", "version": 2, "text": "Newer."},
                     {"id": "a2", "version": 2, "pubstatus": "canceled"}])
        room.wait_for_status(lambda status: status["articles"]["complete"] == 5)
        again = room.run("reprocess", stdin=old)
        equal(again.code, 0)
        holds(again.out, "3 read, 1 accepted, 2 stale")
        holds(room.run("reprocess", stdin='{"id": "a2", "version": 2, "pubstatus": "canceled"}\n').out, "1 left out")


def test_only_what_the_stage_did_not_end_well_in_this_version_is_chosen(folder):
    with Room(folder, PIPELINE) as room:
        start_all(room)
        room.submit(articles(4))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 4)
        told = room.run("reprocess", "--stage", "entities", stdin=stored(room))
        holds(told.out, "4 read, 0 accepted, 4 left out")
        told = room.run("reprocess", "--older-than", "entities=999", stdin=stored(room))
        holds(told.out, "4 read, 4 accepted")
        equal(room.run("reprocess", "--stage", "quotes", stdin="").code, 2)
        equal(room.run("reprocess", "--older-than", "entities", stdin="").code, 2)


if __name__ == "__main__":
    main(globals())
