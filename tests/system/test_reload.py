"""SIGHUP: the pipeline changes while articles flow."""

from test_operate import bury
from test_pythonworker import Shouting
from room import *

SHORT = "clean = article\nexport = *\n"
LONG = "clean = article\nshout = clean\nexport = *\n"


def configure(room, pipeline):
    write(room.folder / "copydesk.ini", "[pipeline]\n" + pipeline)


def reload_broker(room, pipeline, answer):
    told = room.log("broker").count(answer)
    configure(room, pipeline)
    room.processes["broker"].send_signal(signal.SIGHUP)
    room.wait_for_log("broker", answer, told + 1)


def names(room):
    return [stage["name"] for stage in room.status()["stages"]]


def test_a_stage_comes_and_goes_while_articles_flow(folder):
    with Shouting(folder, SHORT) as room:
        room.start("broker", *QUICK)
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        equal(room.submit(articles(100, "before")).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 100)

        reload_broker(room, LONG, "the pipeline is: clean shout export")
        room.start_python()
        equal(room.submit(articles(100, "with")).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 200)
        equal(room.exported()["with7"]["shout"], "HARBOUR PLAN 7")
        equal("shout" in room.exported()["before7"], False)

        # Held up by a stage that hangs, and freed when that is taken out.
        room.processes["python"].send_signal(signal.SIGSTOP)
        equal(room.submit(articles(50, "held")).code, 0)
        room.wait_for_status(lambda status: stage_of(status, "clean")["done"] == 250)
        equal(room.status()["articles"]["live"], 50)
        reload_broker(room, SHORT, "the pipeline is: clean export")
        room.wait_for_status(lambda status: status["articles"]["complete"] == 250)
        equal(names(room), ["clean", "export"])
        room.processes["python"].send_signal(signal.SIGCONT)
        room.wait_for_log("broker", "has no stage 'shout'")

        # It comes back under its name.
        reload_broker(room, LONG, "the pipeline is: clean shout export")
        room.stop("python", signal.SIGKILL)
        room.start_python()
        equal(room.submit(articles(20, "again")).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 270)
        equal(room.exported()["again7"]["shout"], "HARBOUR PLAN 7")
        equal(len(room.exported()), 270)


def test_a_wrong_file_changes_nothing_and_is_told(folder):
    with Room(folder, SHORT) as room:
        room.start("broker", *QUICK)
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        room.wait_for_log("broker", "serves clean")
        reload_broker(room, "clean = article\nshout = cleen\nexport = *\n", "nothing has changed: [pipeline]")
        holds(room.log("broker"), "'shout' needs 'cleen', which no line above defines")
        reload_broker(room, "export = article\n", "nothing has changed")
        reload_broker(room, SHORT + "[broker]\nsegment = 1MiB\nlease = 7s\nops = 127.0.0.1:9750\n", "the pipeline is: clean export")
        for key in ("segment", "ops"):  # the lease is a flag of this broker, which goes before the file
            holds(room.log("broker"), f"broker.{key} stays as it was")
        lacks(room.log("broker"), "broker.lease stays")
        equal(names(room), ["clean", "export"])
        equal(room.submit(articles(20)).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 20)


def test_a_dead_letter_knows_its_stage_after_reload_and_restart(folder):
    with Room(folder, LONG.replace("shout", "entities")) as room:
        room.start("broker", *QUICK, "--max-deaths", "1")
        room.start("clean", "worker", "clean")
        bury(room, {"id": "poison", "text": "Mayor Anna Schmidt met Donald Trump in Washington. " * 20000})
        configure(room, "dates = article\nclean = article\nsummary = clean\nentities = clean\nexport = *\n")
        room.stop("broker", signal.SIGKILL)
        room.start("broker", *QUICK)
        until(lambda: room.run("status").code == 0, "the broker")
        equal(json.loads(room.run("dlq", "show", "poison", "--json").out)["stage"], "entities")
        configure(room, SHORT)
        room.stop("broker", signal.SIGKILL)
        room.start("broker", *QUICK)
        until(lambda: room.run("status").code == 0, "the broker")
        equal(json.loads(room.run("dlq", "list", "--json").out)["matching"], 1)
        room.start("export", "export")
        retried = room.run("dlq", "retry", "all")
        equal((retried.code, retried.err), (0, ""))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 1)


def test_up_starts_and_ends_services_with_the_pipeline(folder):
    address = f"tcp://127.0.0.1:{free_port()}"
    config = write(folder / "copydesk.ini", "[pipeline]\n" + SHORT)
    with open(folder / "up.log", "ab") as log:
        up = start("up", "--folder", str(folder / "data"), "--listen", address,
                   env={"COPYDESK_CONFIG": str(config)}, stderr=log, stdin=subprocess.DEVNULL)
    try:
        said = lambda part: until(lambda: part in (folder / "up.log").read_text(errors="replace"), part)
        said("copydesk is up: broker, clean, export")
        write(config, "[pipeline]\nclean = article\ndates = clean\nexport = *\n")
        up.send_signal(signal.SIGHUP)
        said("serves dates")
        write(config, "[pipeline]\n" + SHORT)
        up.send_signal(signal.SIGHUP)
        said("dates has left")
        write(config, "[pipeline]\nnonsense\n")
        up.send_signal(signal.SIGHUP)
        said("nothing has changed")
    finally:
        equal(stop(up), 0)


if __name__ == "__main__":
    main(globals())
