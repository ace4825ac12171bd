"""copydesk submit: documents in, what became of each out; and what it does while the broker is away."""

from room import *


def test_the_second_time_everything_is_a_duplicate(folder):
    with Room(folder) as room:
        room.start("broker")
        first = room.submit(articles(200))
        equal(first.code, 0, first.err)
        holds(first.out, "200 read, 200 accepted (")
        second = room.submit(articles(200))
        equal(second.code, 0)
        holds(second.out, "200 read, 0 accepted, 200 duplicate (")
        equal(room.status()["articles"]["live"], 200)


def test_a_bad_line_is_named_and_the_rest_goes_on(folder):
    with Room(folder) as room:
        room.start("broker")
        lines = ndjson(articles(2)).splitlines(keepends=True)
        path = write(folder / "in.ndjson", lines[0] + '{"id": "x" "text": "y"}\n' + lines[1])
        result = room.run("submit", path)
        equal(result.code, 1)
        holds(result.err, "in.ndjson:2:12: expected ',' or '}'")
        holds(result.out, "3 read, 2 accepted, 1 not readable")


def test_a_file_that_ends_in_the_middle_of_a_document_gives_the_whole_ones(folder):
    with Room(folder) as room:
        room.start("broker")
        path = write(folder / "in.ndjson", ndjson(articles(3))[:-40])
        result = room.run("submit", path)
        equal(result.code, 1)
        holds(result.err, "in.ndjson:3:")
        holds(result.err, "not closed - skipped")
        holds(result.out, "3 read, 2 accepted, 1 not readable")


def test_a_trace_tells_each_outcome_as_it_comes(folder):
    with Room(folder) as room:
        room.start("broker")
        room.env["COPYDESK_TRACE"] = "outcome"
        room.submit(articles(2))
        result = room.submit([*articles(3), {"id": "a1", "text": "other"}])
        told = [line.split()[3:] for line in result.err.splitlines() if line.startswith("trace outcome ")]
        equal(told, [["a0", "duplicate"], ["a1", "duplicate"], ["a2", "accepted"], ["a1", "conflict"]])


def test_only_bad_input_is_65_and_no_input_66(folder):
    with Room(folder) as room:
        room.start("broker")
        equal(room.run("submit", stdin="{nonsense\n").code, 65)
        equal(room.run("submit", folder / "nowhere.ndjson").code, 66)


def test_without_a_broker_it_says_why_and_gives_up(folder):
    with Room(folder) as room:
        result = room.submit(articles(1), "--wait", "300ms")
        equal(result.code, 69)
        holds(result.err, f"{room.address}: nothing listens there")
        holds(result.err, "copydesk up")
        holds(result.out, "1 without an answer")


def test_a_name_that_does_not_resolve_is_told(folder):
    result = run("submit", "--broker", "tcp://no-such-host.invalid:5750", "--wait", "300ms",
                 stdin=ndjson(articles(1)))
    equal(result.code, 69)
    holds(result.err, "does not resolve")


def test_a_program_that_is_no_broker_is_told(folder):
    with Room(folder) as room, socket.socket() as listener:
        listener.bind(("127.0.0.1", int(room.address.rsplit(":", 1)[1])))
        listener.listen()
        result = room.submit(articles(1), "--wait", "1s")
        equal(result.code, 69)


def test_it_waits_for_a_broker_that_comes_later(folder):
    with Room(folder) as room:
        path = write(folder / "in.ndjson", ndjson(articles(50)))
        submit = room.start("submit", "submit", "--wait", "50s", path)
        room.wait_for_log("submit", "waiting for the broker")
        room.start("broker")
        equal(wait(submit)[0], 0)
        equal(room.status()["articles"]["live"], 50)


def test_versions_kills_and_conflicts(folder):
    with Room(folder) as room:
        room.start("broker")
        story = {"id": "s", "version": 2, "text": "two"}
        holds(room.submit([story]).out, "1 accepted")
        holds(room.submit([{**story, "version": 1}]).out, "1 stale")
        conflict = room.submit([{**story, "text": "other"}])
        equal(conflict.code, 1)
        holds(conflict.err, "raise 'version'")
        holds(room.submit([{"id": "s", "version": 3, "pubstatus": "canceled"}]).out, "1 accepted")
        holds(room.submit([{**story, "version": 4}]).out, "1 stale")


def test_an_embargo_that_cannot_be_read_is_not_ignored(folder):
    with Room(folder) as room:
        room.start("broker")
        result = room.submit([{"id": "s", "text": "t", "embargoed_until": "tomorrow"}])
        equal(result.code, 65)
        holds(result.err, "'embargoed_until' is 'tomorrow'")


def test_a_broker_killed_in_the_middle_loses_and_doubles_nothing(folder):
    with Room(folder) as room:
        path = write(folder / "in.ndjson", ndjson(articles(30000)))
        room.start("broker", *QUICK)
        submit = room.start("submit", "submit", path)
        room.wait_for_status(lambda status: status["door"]["accepted"] > 1000)
        room.stop("broker", signal.SIGKILL)
        room.start("broker", *QUICK)
        equal(wait(submit)[0], 0)
        equal(room.status()["articles"]["live"], 30000)


def test_a_broker_without_room_is_told(folder):
    with Room(folder) as room:
        room.start("broker", "--disk", "1kB")
        path = write(folder / "in.ndjson", ndjson(articles(3000)))
        room.start("submit", "submit", path)
        room.wait_for_log("submit", "the broker has no room now")
        room.stop("broker")
        room.start("broker")
        equal(wait(room.processes["submit"])[0], 0)
        equal(room.status()["articles"]["live"], 3000)


def test_status_without_a_broker_is_69(folder):
    with Room(folder) as room:
        result = room.run("status")
        equal(result.code, 69)
        holds(result.err, "nothing listens there")


def test_status_prints_tables(folder):
    with Room(folder) as room:
        room.start("broker")
        room.submit(articles(3))
        result = room.run("status")
        equal(result.code, 0, result.err)
        holds(result.out, "articles  live 3")
        holds(result.out, "ready flash/urgent/routine/backfill")
        holds(result.out, "0/0/3/0")


if __name__ == "__main__":
    main(globals())
