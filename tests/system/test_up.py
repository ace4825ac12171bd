"""copydesk up: everything on one machine, restarted when it dies, stopped in order."""

from room import *


class Up(Room):
    """A newsroom under one supervisor."""

    def begin(self, *flags):
        process = self.start("up", "up", "--listen", self.address, *flags)
        self.wait_for_log("up", "copydesk is up:")
        return process

    def child(self, name):
        """The process id of a service."""
        children = pathlib.Path(f"/proc/{self.processes['up'].pid}/task/{self.processes['up'].pid}/children")
        for pid in children.read_text().split():
            try:
                arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            except OSError:  # it ended while we looked
                continue
            if name in arguments[1:3]:
                return int(pid)
        return 0

    def children(self):
        names = ("broker", "clean", "entities", "dates", "summary", "export")
        return [self.child(name) for name in names]


def is_gone(pid):
    """True when the process has ended, reaped or not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def test_it_enriches_and_stops_in_order(folder):
    with Up(folder) as room:
        room.begin()
        for part in ("copydesk submit", "copydesk status", "current.ndjson", room.address):
            holds(room.log("up"), part)
        equal(room.submit(articles(100)).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 100)
        children = room.children()
        equal(0 in children, False, "a service is missing")
        equal(room.stop("up"), 0)
        equal([pid for pid in children if not is_gone(pid)], [])
        equal(len(room.exported()), 100)
        log = room.log("up")
        workers = max(log.index(f"{name:8} | ", log.index("stopping:")) for name in ("clean", "summary"))
        below(workers, log.index("export: draining"), "workers drain before the export")
        below(log.index("export: draining"), log.index("broker: draining"), "the export before the broker")


def test_what_was_accepted_goes_on_after_a_restart(folder):
    with Up(folder) as room:
        room.begin()
        room.submit(articles(5000))
        equal(room.stop("up"), 0)
        room.begin()
        room.wait_for_status(lambda status: status["articles"]["live"] == 0)
        equal(len(room.exported()), 5000)


def test_a_killed_service_is_started_again(folder):
    with Up(folder) as room:
        room.begin()
        for name in ("dates", "broker", "export"):
            pid = until(lambda name=name: room.child(name), name)
            os.kill(pid, signal.SIGKILL)
            until(lambda name=name, pid=pid: room.child(name) not in (0, pid), f"{name} is back")
        room.submit(articles(50))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 50)
        holds(room.log("up"), "dates was ended by signal 9")
        equal(room.stop("up"), 0)


def test_a_taken_port_ends_it_with_the_reason(folder):
    with Up(folder) as room, socket.socket() as listener:
        listener.bind(("127.0.0.1", int(room.address.rsplit(":", 1)[1])))
        listener.listen()
        up = room.start("up", "up", "--listen", room.address)
        equal(wait(up)[0], 69)
        holds(room.log("up"), "is taken by another program")


def test_a_wrong_pipeline_ends_it_with_the_reason(folder):
    with Up(folder, "clean = artikel\nexport = *\n") as room:
        result = room.run("up", "--listen", room.address)
        equal(result.code, 78)
        holds(result.err, "[pipeline]")


def test_the_services_end_when_the_supervisor_is_killed(folder):
    with Up(folder) as room:
        room.begin()
        children = room.children()
        room.stop("up", signal.SIGKILL)
        until(lambda: all(is_gone(pid) for pid in children), "the services are gone")


def test_a_second_signal_kills_what_hangs(folder):
    with Up(folder) as room:
        up = room.begin()
        room.wait_for_log("up", "serving dates")
        hanging = until(lambda: room.child("dates"), "dates")
        os.kill(hanging, signal.SIGSTOP)
        up.send_signal(signal.SIGTERM)
        room.wait_for_log("up", "stopping:")
        equal(room.stop("up"), 1)
        equal(is_gone(hanging), True)


def test_the_time_to_drain_is_kept(folder):
    with Up(folder) as room:
        room.begin("--drain", "500ms")
        room.wait_for_log("up", "serving dates")  # a signal before that would end it, stopped or not
        os.kill(until(lambda: room.child("dates"), "dates"), signal.SIGSTOP)
        equal(room.stop("up"), 1)
        holds(room.log("up"), "the time to drain is over")


if __name__ == "__main__":
    main(globals())
