"""The windows into a broker: top, trace, dlq, and stages without workers."""

import termios
import urllib.request

from room import *

PIPELINE = "clean = article\nentities = clean\nexport = *\n"


def trace(room, id):
    """What the broker tells of an article."""
    result = room.run("trace", "--json", id)
    return json.loads(result.out) if result.code == 0 else {}


def test_a_trace_follows_an_article_to_its_sink(folder):
    with Room(folder, PIPELINE) as room:
        room.start("broker")
        room.submit(articles(2))
        waiting = trace(room, "a1")
        equal((waiting["state"], waiting["stages"][0]["state"]), ("under way", "ready"))
        for stage in ("clean", "entities"):
            room.start(stage, "worker", stage, "--name", f"{stage}-one")
        room.start("export", "export", "--name", "sink-one")
        room.wait_for_status(lambda status: status["articles"]["complete"] == 2)
        ended = trace(room, "a1")
        equal(ended["state"], "complete")
        equal([(hop["stage"], hop["worker"], hop["end"]) for hop in ended["history"]],
              [("clean", "clean-one", "done"), ("entities", "entities-one", "done"), ("export", "sink-one", "done")])
        holds(room.run("trace", "a1").out, "delivered_at")
        unknown = room.run("trace", "nobody")
        equal(unknown.code, 1)
        holds(unknown.err, "no article with this id")
        room.submit(articles(1, version=2))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 3)
        equal([other["version"] for other in trace(room, "a0")["others"]], [1])


def test_a_trace_after_a_restart_knows_the_id_alone(folder):
    with Room(folder, "clean = article\nexport = *\n") as room:
        room.start("broker")
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        room.submit(articles(1))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 1)
        room.stop("broker")
        room.start("broker")
        told = until(lambda: trace(room, "a0"), "an answer")
        equal(told["state"], "ended")
        holds(told["note"], "only its id is remembered")


def test_dead_letters_are_shown_and_moved_by_reason(folder):
    with Room(folder, "clean = article\nentities = clean\nexport = *\n") as room:
        room.start("broker", *QUICK, "--max-deaths", "1")
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        sentence = "Mayor Anna Schmidt of Hamburg met Donald Trump in Washington on Thursday. "
        room.submit([{"id": "poison", "text": sentence * 20000}])
        worker = room.start("entities", "worker", "entities", "--article-timeout", "100ms")
        room.wait_for_status(lambda status: status["articles"]["dead"] == 1)
        if worker.poll() is None:
            room.stop("entities", signal.SIGKILL)
        equal(json.loads(room.run("dlq", "list", "--stage", "entities", "--json").out)["matching"], 1)
        equal(json.loads(room.run("dlq", "list", "--reason", "no such thing", "--json").out)["matching"], 0)
        shown = json.loads(room.run("dlq", "show", "poison", "--json").out)
        equal(json.loads(shown["document"])["id"], "poison")
        holds(shown["reason"], "longer than")
        equal(trace(room, "poison")["died_in"], "entities")
        equal(room.run("dlq", "show", "nobody").code, 1)
        equal(room.run("dlq", "retry", "--stage", "clean").code, 1)
        equal(room.run("dlq", "retry").code, 2)
        equal(room.run("dlq", "retry", "--stage", "quotes").code, 1)
        room.start("entities", "worker", "entities")
        equal(room.run("dlq", "retry", "--stage", "entities", "--reason", "LONGER THAN").code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 1)
        equal(list(room.exported()), ["poison"])


def bury(room, document):
    """Brings one document to the dead letters: the stage's worker dies of it."""
    worker = room.start("entities", "worker", "entities", "--article-timeout", "100ms")
    room.submit([document])
    room.wait_for_status(lambda status: status["articles"]["dead"] == 1)
    if worker.poll() is None:
        room.stop("entities", signal.SIGKILL)


def test_an_edited_dead_letter_survives_kill_9_with_its_new_document(folder):
    with Room(folder, "clean = article\nentities = clean\nexport = *\n") as room:
        room.start("broker", *QUICK, "--max-deaths", "1")
        room.start("clean", "worker", "clean")
        sentence = "Mayor Anna Schmidt of Hamburg met Donald Trump in Washington on Thursday. "
        bury(room, {"id": "poison", "version": 3, "text": sentence * 20000, "urgency": 2})
        edited = room.run("dlq", "edit", "poison", "--file", "-",
                          stdin='{"id": "poison", "version": 3,\n "text": "Mended.", "urgency": 2}')
        equal((edited.code, edited.err), (0, ""))
        holds(edited.out, "goes through the stages again")
        room.stop("broker", signal.SIGKILL)
        room.start("broker", *QUICK)
        room.start("entities", "worker", "entities")
        room.start("export", "export")
        room.wait_for_status(lambda status: status["articles"]["live"] == 0 and status["articles"]["complete"] == 1)
        equal([(article["version"], article["text"][:20]) for article in room.exported().values()], [(3, "Mended.")])
        equal(room.status()["articles"]["dead"], 0)
        again = room.submit([{"id": "poison", "version": 3, "text": sentence * 20000, "urgency": 2}])
        holds(again.out, "1 duplicate")


def test_an_edit_that_is_wrong_is_refused_and_changes_nothing(folder):
    with Room(folder, "clean = article\nentities = clean\nexport = *\n") as room:
        room.start("broker", *QUICK, "--max-deaths", "1")
        room.start("clean", "worker", "clean")
        text = "Mayor Anna Schmidt of Hamburg met Donald Trump in Washington on Thursday. " * 20000
        bury(room, {"id": "poison", "text": text})
        for wrong, sentence in (("", "is empty"), ("Mended.", "expected"), ('{"id": "poison"', "expected"),
                                ('{"id": "other", "text": "x"}', "must stay 'poison'"),
                                ('{"id": "poison", "text": "x", "version": 2}', "'version' is changed"),
                                ('{"id": "poison", "text": "x", "pubstatus": "canceled"}', "'pubstatus' is changed")):
            refused = room.run("dlq", "edit", "poison", "--file", "-", stdin=wrong)
            equal(refused.code, 65, wrong)
            holds(refused.err, sentence)
            holds(refused.err, "the dead letter is as it was")
        equal(room.run("dlq", "edit", "nobody", "--file", "-", stdin='{"id": "nobody"}').code, 1)
        equal(room.run("dlq", "edit", "poison", "--file", folder / "missing").code, 66)
        equal(room.run("dlq", "edit").code, 2)
        shown = json.loads(room.run("dlq", "show", "poison", "--json").out)
        equal(json.loads(shown["document"])["text"], text)


def test_an_editor_opens_on_a_readable_copy(folder):
    with Room(folder, "clean = article\nentities = clean\nexport = *\n") as room:
        room.start("broker", *QUICK, "--max-deaths", "1")
        room.start("clean", "worker", "clean")
        bury(room, {"id": "poison", "title": "A \u201cfine\u201d day", "text": "Mayor Anna Schmidt met Donald Trump. " * 40000})
        room.env["TMPDIR"] = str(folder)
        room.env["VISUAL"] = "true --flag"
        unchanged = room.run("dlq", "edit", "poison")
        equal(unchanged.code, 1)
        holds(unchanged.err, "nothing was changed")
        room.env["VISUAL"] = "false"
        failed = room.run("dlq", "edit", "poison")
        equal(failed.code, 73)
        kept = next(folder.glob("copydesk-*.json"))
        holds(failed.err, str(kept))
        holds(kept.read_text(), '\n  "title": "A \u201cfine\u201d day",\n')
        kept.unlink()
        room.env["VISUAL"] = "sed -i 's/\"text\": .*/\"text\": \"Short.\"/'"
        equal(room.run("dlq", "edit", "poison").code, 0)
        equal(list(folder.glob("copydesk-*.json")), [])
        room.start("entities", "worker", "entities")
        room.start("export", "export")
        room.wait_for_status(lambda status: status["articles"]["complete"] == 1)
        equal(room.exported()["poison"]["text"], "Short.")


def test_a_stage_without_workers_is_told(folder):
    port = free_port()
    with Room(folder, PIPELINE) as room:
        room.start("broker", "--ops", f"127.0.0.1:{port}")
        room.submit(articles(3))
        equal(stage_of(room.status(), "clean")["note"], "no workers")
        holds(room.run("top", "--once").out, "! stage clean: no workers")
        room.wait_for_log("broker", "stage clean: no workers for 10 s, 3 waiting")

        def ready():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return json.load(answer)
        told = until(lambda: ready() if ready()["conditions"]["workers"] != "ok" else None, "a note")
        equal(told, {"ready": True, "conditions": {"door": "ok", "workers": "stage clean: no workers, 3 waiting"}})
        room.start("clean", "worker", "clean")
        room.wait_for_log("broker", "stage clean: has a worker again")
        equal(room.log("broker").count("stage clean: no workers"), 1)


def test_top_prints_one_frame_of_eighty_columns(folder):
    with Room(folder, PIPELINE) as room:
        equal(room.run("top", "--once").code, 69)
        room.start("broker")
        room.start("clean", "worker", "clean", "--name", "a-worker-with-a-name-that-is-far-too-long-\x9b1m")
        room.submit(articles(20))
        room.wait_for_status(lambda status: stage_of(status, "clean")["done"] == 20)
        frame = room.run("top", "--once")
        equal(frame.code, 0)
        for part in ("door open", "accepted 20", "live 20", "sync p50", "STAGE", "! stage entities: no workers",
                     "a-worker-with-a-name-that-is-far"):
            holds(frame.out, part)
        lacks(frame.out, "\x1b")
        below(max(len(line) for line in frame.out.splitlines()), 81, "the widest line")


def test_top_redraws_until_q_and_puts_the_terminal_back(folder):
    with Room(folder, PIPELINE) as room:
        leader, follower = pty.openpty()
        before = termios.tcgetattr(follower)
        top = start("top", env=room.env, stdin=follower, stdout=follower, stderr=follower)
        shown = ""

        def shows(part):
            nonlocal shown
            while part not in shown:
                ready, _, _ = select.select([leader], [], [], TIMEOUT_S)
                if not ready:
                    raise AssertionError(f"never shown: {part!r} in {shown[-2000:]!r}")
                shown += os.read(leader, 65536).decode(errors="replace")
            shown = shown[shown.index(part) + len(part):]

        shows("\x1b[?1049h")
        shows("the broker is away for")
        room.start("broker")
        shows("door open")
        shows("door open")
        os.write(leader, b"q")
        shows("\x1b[?25h\x1b[?1049l")
        equal(wait(top)[0], 0)
        equal(termios.tcgetattr(follower), before)
        lacks(room.log("broker"), "operator")
        os.close(leader)
        os.close(follower)


def test_top_ends_at_sigterm_and_puts_the_terminal_back(folder):
    with Room(folder, PIPELINE) as room:
        room.start("broker")
        leader, follower = pty.openpty()
        before = termios.tcgetattr(follower)
        top = start("top", env=room.env, stdin=follower, stdout=follower, stderr=follower)
        until(lambda: termios.tcgetattr(follower) != before, "a terminal that is taken")
        equal(stop(top), 0)
        equal(termios.tcgetattr(follower), before)
        os.close(leader)
        os.close(follower)


if __name__ == "__main__":
    main(globals())
