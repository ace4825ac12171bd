"""proto/examples/worker.py, written from PROTOCOL.md, serves a stage of its own."""

from room import *

PIPELINE = "clean = article\nshout = clean\nexport = *\n"


class Shouting(Room):
    def start_python(self):
        python = python_with_zmq()
        if not python:
            skip("no pyzmq: apt install python3-zmq")
        arguments = [python, "-B", str(ROOT / "proto/examples/worker.py"), self.address]
        with open(self.folder / "python.log", "ab") as log:
            self.processes["python"] = subprocess.Popen(arguments, stderr=log, stdin=subprocess.DEVNULL)

    def start_all(self):
        self.start("broker", *QUICK)
        self.start("clean", "worker", "clean")
        self.start("export", "export")
        self.start_python()


def test_it_serves_its_stage_and_leaves_in_order(folder):
    with Shouting(folder, PIPELINE) as room:
        room.start_all()
        equal(room.submit(articles(200)).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 200)
        article = room.exported()["a7"]
        equal(article["shout"], "HARBOUR PLAN 7")
        equal(article["stages"]["shout"]["status"], "ok")
        equal(article["stages"]["clean"]["status"], "ok")
        equal(room.stop("python"), 0)
        room.wait_for_status(lambda status: stage_of(status, "shout")["workers"] == 0)
        equal(room.status()["articles"]["expired_leases"], 0)


def test_it_comes_back_after_the_broker_was_killed(folder):
    with Shouting(folder, PIPELINE) as room:
        room.start_all()
        room.wait_for_log("python", "serving shout")
        room.stop("broker", signal.SIGKILL)
        room.start("broker", *QUICK)
        room.submit(articles(100))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 100)
        equal(len(room.exported()), 100)


def test_what_it_held_when_it_was_killed_is_done_by_the_next(folder):
    with Shouting(folder, PIPELINE) as room:
        room.start_all()
        room.wait_for_log("python", "serving shout")
        room.processes["python"].send_signal(signal.SIGSTOP)
        room.submit(articles(100))
        room.wait_for_status(lambda status: stage_of(status, "shout")["leased"] > 0)
        room.stop("python", signal.SIGKILL)
        room.start_python()
        room.wait_for_status(lambda status: status["articles"]["complete"] == 100)
        equal(len(room.exported()), 100)


if __name__ == "__main__":
    main(globals())
