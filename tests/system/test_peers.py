"""Peers that are strange or slow: another protocol, a taken port, a sink that hardly reads."""

import struct

from proxy import Proxy
from room import *

try:
    import zmq
except ImportError:
    zmq = None

HEADER = struct.Struct("<4sBBBBHHHHHHIQQ")  # proto/PROTOCOL.md, section 2
HELLO, ERROR, NO_STAGE, CODE, SENTENCE = 1, 10, 0xffff, 11, 4


def message(kind, major=1, role=0, fields=b""):
    return [HEADER.pack(b"CDSK", major, 0, kind, role, 40, 96, 8, 0, 0, NO_STAGE, 0, 0, 1) + fields, b""]


def field(tag, value):
    return struct.pack("<HHI", tag, 0, len(value)) + value


def memory_kb(process):
    """What a process holds now."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS:")).split()[1])


def test_a_broker_whose_port_is_taken_says_so(folder):
    with Room(folder) as room, socket.socket() as listener:
        listener.bind(("127.0.0.1", int(room.address.rsplit(":", 1)[1])))
        listener.listen()
        result = room.run("broker", "--listen", room.address)
        equal(result.code, 69)
        holds(result.err, room.address)
        holds(result.err, "is taken by another program")


def need_zmq():
    if not zmq:
        skip("no pyzmq: apt install python3-zmq")


def test_a_peer_of_another_protocol_is_answered_with_a_sentence(folder):
    need_zmq()
    with Room(folder) as room, zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        peer.linger = 0
        room.start("broker")
        peer.connect(room.address)
        peer.send_multipart(message(HELLO, major=2, role=2))
        equal(peer.poll(20000), zmq.POLLIN, "an answer")
        envelope = peer.recv_multipart()[0]
        equal((envelope[4], envelope[6]), (1, ERROR))
        holds(envelope.decode(errors="replace"), "protocol")
        holds(envelope[40:].hex(), field(CODE, struct.pack("<I", 1)).hex())


def test_a_worker_and_a_client_stop_at_a_broker_of_another_protocol(folder):
    why = "this broker speaks protocol 2.0, you speak 1.0: upgrade"
    need_zmq()
    refusal = message(ERROR, fields=field(CODE, struct.pack("<I", 1)) + field(SENTENCE, why.encode()))
    with Room(folder) as room, zmq.Context() as context, context.socket(zmq.ROUTER) as broker:
        broker.linger = 0
        broker.bind(room.address)
        path = write(folder / "in.ndjson", ndjson(articles(1)))
        for name, arguments in (("clean", ("worker", "clean")), ("submit", ("submit", path))):
            peer = room.start(name, *arguments)
            equal(broker.poll(20000), zmq.POLLIN, "a HELLO")
            broker.send_multipart([broker.recv_multipart()[0], *refusal])
            equal(wait(peer)[0], 78, name)
            holds(room.log(name), why)


class SlowSink(Room):
    """A newsroom with two sinks, one of which reads about 200 KB a second until its proxy is healed."""

    TEXT = "The court in Hamburg ruled on Thursday that the plan may go ahead. " * 120  # 8 KB

    def begin(self, *flags):
        self.start("broker", "--document-memory", "4MiB", "--segment", "4MiB", *flags)
        self.proxy = Proxy(int(self.address.rsplit(":", 1)[1]), piece=2048)
        self.proxy.start()
        self.proxy.delay(600, 0.01)
        self.start("clean", "worker", "clean")
        self.start("export", "export")
        self.start("slow", "export", "--stage", "slow", "--folder", self.folder / "slow", "--broker",
                   f"tcp://127.0.0.1:{self.proxy.port}")
        self.wait_for_log("slow", "exporting articles")

    def submit_long(self, count):
        equal(self.submit([{"id": f"a{n}", "text": self.TEXT + str(n)} for n in range(count)]).code, 0)

    def end(self, count):
        """Lets the slow sink read; it has each article once."""
        self.proxy.heal()
        status = self.wait_for_status(lambda status: status["articles"]["complete"] == count)
        equal(status["articles"]["dead"], 0)
        ids = [json.loads(line)["id"] for path in (self.folder / "slow").glob("*.ndjson")
               for line in path.read_text().splitlines()]
        equal((len(ids), len(set(ids))), (count, count))


def test_a_sink_that_reads_slowly_holds_up_nobody(folder):
    with SlowSink(folder, "clean = article\nexport = *\nslow = *\n") as room:
        room.begin()
        room.submit_long(3000)
        status = room.wait_for_status(lambda status: stage_of(status, "export")["done"] == 3000)
        below(stage_of(status, "slow")["done"], 1500, "articles the slow sink had when the other had all")
        room.end(3000)


def test_a_sink_that_reads_slowly_fills_no_memory(folder):
    if is_sanitized():
        skip("a sanitizer keeps what is freed")
    with SlowSink(folder, "clean = article\nexport = *\nslow = *\n") as room:
        room.begin("--section-memory", "8MiB")
        room.submit_long(8000)  # 64 MB, and as much again in sections
        status = room.wait_for_status(lambda status: stage_of(status, "export")["done"] > 500)
        below(stage_of(status, "slow")["done"], 4000, "articles the slow sink had when memory was looked at")
        below(memory_kb(room.processes["broker"]), 64 * 1024, "KB of memory in the broker")
        room.end(8000)


if __name__ == "__main__":
    if not zmq and python_with_zmq() not in (None, sys.executable):
        os.execv(python_with_zmq(), [python_with_zmq(), "-B", *sys.argv])
    main(globals())
