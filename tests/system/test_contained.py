"""A stage that crashes, hangs or leaks: the article that did it is named and laid aside, the others go through untouched.

The lease is long here: whatever a test sees happen soon, the worker told the broker before it ended.
"""

from room import *

POISON = os.environ.get("COPYDESK_POISON", "build/release/tests/poison")
PIPELINE = "poison = article\nexport = *\n"
BROKER = ("--lease", "60s", "--backoff", "50ms")


def is_done(room):
    return room.status().get("articles", {}).get("live") == 0


def work_off(room, *flags):
    """Starts the worker again whenever it ends, until nothing is under way; how it ended each time."""
    ends = []
    while not is_done(room):
        worker = room.start("poison", "worker", "poison", *flags, program=POISON)
        until(lambda: worker.poll() is not None or is_done(room), "an end")
        # One that has told the broker may still be about to end.
        code = room.stop("poison") if worker.poll() is None else worker.returncode
        ends += [code] if code else []
        below(len(ends), 10, "workers that ended")
    return ends


def contained(folder, word, end, reason, *flags):
    """An article with `word` ends two workers in the way of `end` and lies in the dead letters for `reason`."""
    with Room(folder, PIPELINE) as room:
        room.start("broker", *BROKER)
        room.start("export", "export")
        equal(room.submit([*articles(20), {"id": "bad", "text": word}, *articles(20, "b")]).code, 0)
        equal(work_off(room, *flags), [end, end])
        status = room.status()["articles"]
        equal({name: status[name] for name in ("complete", "dead", "expired_leases")},
              {"complete": 40, "dead": 1, "expired_leases": 0})
        for article in room.exported().values():
            equal(article["stages"]["poison"]["status"], "ok")
        letter = json.loads(room.run("dlq", "list", "--json").out)
        holds(json.dumps(letter), reason)
        holds(json.dumps(letter), '"bad"')
        holds(room.log("poison"), "stage=poison id=bad")
        equal([path.name for path in folder.rglob("core*")], [])


def test_a_crash(folder):
    contained(folder, "SEGFAULT", -signal.SIGSEGV, "the stage crashed: Segmentation fault (SIGSEGV)")


def test_a_failed_assertion(folder):
    contained(folder, "ABORT", -signal.SIGABRT, "the stage crashed: Aborted (SIGABRT)", "--threads", "3")


def test_recursion_without_end(folder):
    contained(folder, "RECURSE", -signal.SIGSEGV, "the stage crashed: Segmentation fault (SIGSEGV)")


def test_a_loop_without_end(folder):
    contained(folder, "HANG", 70, "it takes longer than 200 ms", "--article-timeout", "200ms")


def test_a_crash_of_a_stage_that_runs_along(folder):
    with Room(folder, "calm = article\npoison = calm\nexport = *\n") as room:
        room.start("broker", *BROKER)
        room.start("export", "export")
        along = room.start("calm", "worker", "calm", "--along", "poison", program=POISON)
        equal(room.submit([*articles(20), {"id": "bad", "text": "SEGFAULT"}, *articles(20, "b")]).code, 0)
        equal(wait(along)[0], -signal.SIGSEGV)
        holds(room.log("calm"), "stage=poison id=bad")
        room.start("calm", "worker", "calm", "--along", "poison", program=POISON)
        equal(work_off(room), [-signal.SIGSEGV, -signal.SIGSEGV])  # from now on by itself
        equal(room.status()["articles"]["complete"], 40)
        for article in room.exported().values():
            equal({stage["status"] for stage in article["stages"].values()}, {"ok"})
        letter = json.loads(room.run("dlq", "list", "--json").out)["dead"][0]
        equal((letter["id"], letter["stage"]), ("bad", "poison"))


def test_a_crash_of_what_looked_quick(folder):
    with Room(folder, PIPELINE) as room:
        room.start("broker", *BROKER)
        room.start("export", "export")
        worker = room.start("poison", "worker", "poison", program=POISON)
        for n in range(50):  # one by one, so that the thread with the connection works on them itself
            room.submit(articles(1, f"a{n}-"))
        room.submit([{"id": "bad", "text": "SEGFAULT"}])
        equal(wait(worker)[0], -signal.SIGSEGV)
        equal(room.status()["articles"]["expired_leases"], 0)
        row = stage_of(room.status(), "poison")
        equal(sum(row["ready"].values()) + row["delayed"], 1)


def test_a_leak_ends_in_a_fresh_start_and_no_article_suffers(folder):
    if is_sanitized():
        skip("a sanitized program has no limit of memory")
    with Room(folder, PIPELINE) as room:
        room.start("broker", *BROKER)
        room.start("export", "export")
        equal(room.submit(articles(40, text="LEAK")).code, 0)
        ends = work_off(room, "--memory", "256MiB")
        equal(set(ends), {75})
        holds(room.log("poison"), "no memory is left: leaving, to be started anew")
        equal(room.status()["articles"]["dead"], 0)
        found = room.exported()
        equal(len(found), 40)
        equal({article["stages"]["poison"]["status"] for article in found.values()}, {"ok"})


def test_up_starts_again_what_ended(folder):
    with Room(folder) as room:
        room.start("up", "up", "--listen", room.address)
        room.wait_for_log("up", "copydesk is up")
        found = subprocess.run(["pgrep", "-P", str(room.processes["up"].pid), "-f", "worker dates"],
                               capture_output=True, check=True, text=True)
        os.kill(int(found.stdout), signal.SIGSEGV)
        room.wait_for_log("up", "dates was ended by signal 11 (Segmentation fault); starting it again")
        equal(room.submit(articles(5)).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 5)
        equal(room.stop("up"), 0)


if __name__ == "__main__":
    main(globals())
