"""A newsroom for a system test: services as processes in one folder, each with its log, ended with the test.

    with Room(folder) as room:
        room.start("broker")
        room.start("clean", "worker", "clean")
        room.submit(articles(10))
        room.wait_for_status(lambda status: status["articles"]["complete"] == 10)
"""

from lib import *

QUICK = ("--lease", "1s", "--heartbeat", "200ms")  # of a broker: so that a dead worker is noticed soon


def articles(count, prefix="a", **members):
    """Short articles with a text of their own each."""
    return [{"id": f"{prefix}{n}", "title": f"Harbour plan {n}", "published_at": "2020-08-19",
             "text": f"The court in Hamburg ruled on Thursday that plan {n} may go ahead.\n\n"
                     "Mayor Anna Schmidt said work would begin in May 2021.", **members} for n in range(count)]


class Room:
    def __init__(self, folder, pipeline=None):
        self.folder, self.processes = folder, {}
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.env = {"COPYDESK_BROKER": self.address, "COPYDESK_LOG_FORMAT": "text"}
        if pipeline:
            self.env["COPYDESK_CONFIG"] = str(write(folder / "copydesk.ini", "[pipeline]\n" + pipeline))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()

    def start(self, name, *arguments, program=PROGRAM):
        """Starts a service; "broker" alone brings its own arguments, others follow the command's."""
        if name == "broker":
            arguments = ("broker", "--listen", self.address, *arguments)
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = start(*arguments, env=self.env, cwd=self.folder, stderr=log,
                                         stdin=subprocess.DEVNULL, program=program)
        return self.processes[name]

    def stop(self, name, number=signal.SIGTERM):
        """Signals a service and waits for its end; the exit code."""
        return stop(self.processes[name], number)

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_log(self, name, part, times=1):
        until(lambda: self.log(name).count(part) >= times, f"{part!r} in the log of {name}")

    def run(self, *arguments, **options):
        return run(*arguments, env=self.env, cwd=self.folder, **options)

    def submit(self, documents, *flags):
        return self.run("submit", *flags, stdin=ndjson(documents))

    def status(self):
        """What the broker says, or {} while it does not answer."""
        result = self.run("status", "--json")
        return json.loads(result.out) if result.code == 0 else {}

    def wait_for_status(self, condition):
        """Waits until `condition(status)` holds; the status."""
        def check():
            status = self.status()
            return status if status and condition(status) else None
        return until(check, "the status waited for")

    def exported(self):
        """All articles of the export's files by id. A line that is being written does not count yet."""
        found = {}
        for path in sorted((self.folder / "copydesk-data/export").glob("*.ndjson")):
            for line in path.read_text().splitlines(keepends=True):
                if not line.endswith("\n"):
                    break
                article = json.loads(line)
                found[article["id"]] = article
        return found


def stage_of(status, name):
    """The row of one stage."""
    return next(stage for stage in status["stages"] if stage["name"] == name)
