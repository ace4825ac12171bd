#!/usr/bin/env python3
"""A copydesk worker in Python: serves the stage `shout`, which repeats the title in capitals.

usage: worker.py [ADDRESS]        default: $COPYDESK_BROKER, else tcp://127.0.0.1:5750

Needs pyzmq (python3-zmq). Put a model of your own in place of `judge`, and `shout = clean` into [pipeline] of the
broker's copydesk.ini. Work that takes longer than the broker's LEASE belongs into a thread, so that heartbeats go on.
"""
import json, os, random, signal, struct, sys, time  # noqa: E401

import zmq

STAGE, VERSION, CREDIT = "shout", "1", (64, 16 << 20)  # so many articles and bytes may be out here
HEADER, ITEM = struct.Struct("<4sBBBBHHHHHHIQQ"), struct.Struct("<QQQQqqIBBBB16s8sI8xHH")
SECTION = FIELD = struct.Struct("<HxxI")
HELLO, WELCOME, WORK, RESULT, HEARTBEAT, GOODBYE, ERROR = 1, 2, 5, 6, 8, 9, 10
DONE, REJECT, RETURN = 16, 18, 19
NAME, STAGE_NAME, STAGE_VERSION, SENTENCE, SOFTWARE, BEAT_MS, LEASE_MS = 1, 2, 3, 4, 6, 8, 9


def judge(article):
    """The work itself: the article as a dict in, our notes as a dict out."""
    return {"shout": article.get("title", "").upper()}


class Lost(Exception):
    """The session is over."""


def parse(envelope, body):
    """The two frames as (type, stage, fields, items)."""
    (magic, major, _, kind, _, at, item_len, section_len, item_count, section_count, stage, *_) = \
        HEADER.unpack_from(envelope)
    if magic != b"CDSK" or major != 1:
        raise Lost(f"the broker speaks protocol {major}, this worker 1")
    sections_at, body_at, items, fields = at + item_count * item_len, 0, [], {}
    fields_at = sections_at + section_count * section_len
    for _ in range(item_count):
        values = ITEM.unpack_from(envelope, at)
        item = {"handle": values[0], "attempt": values[6], "lane": values[7], "queue_ms": values[13], "sections": []}
        start, body_at, at = body_at, body_at + values[14], at + item_len
        for _ in range(values[15]):
            _, length = SECTION.unpack_from(envelope, sections_at)
            item["sections"].append(body[body_at:body_at + length])
            body_at, sections_at = body_at + length, sections_at + section_len
        items.append({**item, "cost": body_at - start})
    while fields_at < len(envelope):
        tag, length = FIELD.unpack_from(envelope, fields_at)
        fields[tag] = envelope[fields_at + FIELD.size:fields_at + FIELD.size + length]
        fields_at += FIELD.size + length
    return kind, stage, fields, items


def merge(sections):
    """The sections laid over each other; only `stages` is united."""
    article = {}
    for section in map(json.loads, sections):
        article.update({**section, "stages": {**article.get("stages", {}), **section.get("stages", {})}})
    return article


def answer(item):
    """Outcome and section for one article. What is wrong with an article is no reason to stop it: say so and go on."""
    start, section = time.monotonic(), {}
    state = {"status": "ok", "version": VERSION, "attempt": item["attempt"], "queue_ms": item["queue_ms"]}
    try:
        section = judge(merge(item["sections"]))
    except json.JSONDecodeError as why:
        return REJECT, f"not JSON: {why}".encode()
    except Exception as why:
        state.update(status="failed", error={"code": type(why).__name__, "message": str(why)})
    state["ms"] = round((time.monotonic() - start) * 1000, 3)
    return DONE, json.dumps({**section, "stages": {STAGE: state}}).encode()


class Session:  # from HELLO to GOODBYE, over a socket of its own
    def __init__(self, context, address):
        self.socket, self.number, self.stage, self.queue, self.over = context.socket(zmq.DEALER), 0, 0xFFFF, [], False
        for option, value in ((zmq.SNDHWM, 0), (zmq.RCVHWM, 0), (zmq.LINGER, 1000), (zmq.IMMEDIATE, 1)):
            self.socket.setsockopt(option, value)
        self.socket.connect(address)

    def send(self, kind, items=(), fields=(), role=0, credit=(0, 0)):  # items: (handle, attempt, outcome, section or None)
        self.number, self.sent = self.number + 1, time.monotonic()
        bodies = [item[3] for item in items if item[3] is not None]
        envelope = HEADER.pack(b"CDSK", 1, 0, kind, role, HEADER.size, ITEM.size, SECTION.size, len(items), len(bodies),
                               self.stage, *credit, self.number)
        for handle, attempt, outcome, section in items:
            envelope += ITEM.pack(handle, 0, 0, 0, 0, 0, attempt, 0, outcome, 0, 0, b"", b"", 0, 0, section is not None)
        envelope += b"".join(SECTION.pack(self.stage, len(body)) for body in bodies)
        envelope += b"".join(FIELD.pack(tag, len(value)) + value for tag, value in fields)
        self.socket.send_multipart([envelope, b"".join(bodies)], zmq.DONTWAIT)

    def receive(self, seconds):
        """The next message, or one of type 0 when none comes in time."""
        if not self.socket.poll(max(0, seconds) * 1000):
            return 0, 0, {}, []
        message = parse(*self.socket.recv_multipart())
        self.heard, self.over = time.monotonic(), message[0] == GOODBYE
        if message[0] == ERROR:
            raise Lost(message[2].get(SENTENCE, b"").decode())
        return message

    def greet(self):
        if not self.socket.poll(5000, zmq.POLLOUT):
            raise Lost("nothing listens there")
        me = [(NAME, f"worker.py-{os.getpid()}"), (SOFTWARE, "worker.py"), (STAGE_NAME, STAGE), (STAGE_VERSION, VERSION)]
        self.send(HELLO, role=2, credit=CREDIT, fields=[(tag, text.encode()) for tag, text in me])
        kind, self.stage, fields, _ = self.receive(5)
        if kind != WELCOME:
            raise Lost("no answer to HELLO")
        self.beat, self.lease = (struct.unpack("<I", fields[tag])[0] / 1000 for tag in (BEAT_MS, LEASE_MS))

    def step(self):
        """Takes what has come, or waits for it a little; then works on the most urgent article."""
        kind, _, _, items = self.receive(0 if self.queue else min(self.sent + self.beat - time.monotonic(), 0.5))
        self.queue = sorted(self.queue + (items if kind == WORK else []), key=lambda item: item["lane"])
        if self.queue:
            item = self.queue.pop(0)
            self.send(RESULT, [(item["handle"], item["attempt"], *answer(item))], credit=(1, item["cost"]))
        if time.monotonic() - self.sent >= self.beat:
            self.send(HEARTBEAT)
        if time.monotonic() - self.heard >= self.lease:
            raise Lost("no word from the broker")


def main(address):
    context, leaving, tries = zmq.Context(), [], 0
    signal.signal(signal.SIGTERM, lambda *_: leaving.append(True))
    while not leaving:
        session = Session(context, address)
        try:
            session.greet()
            print(f"serving {STAGE} at {address}", file=sys.stderr, flush=True)
            tries = 0
            while not leaving and not session.over:
                session.step()
            session.send(RESULT, [(item["handle"], item["attempt"], RETURN, None) for item in session.queue])
            session.send(GOODBYE)
            if session.over:
                raise Lost()
        except (Lost, zmq.Again) as why:
            print(f"{address}: {'the broker is leaving' if session.over else why}; trying again", file=sys.stderr, flush=True)
            time.sleep(min(5, 0.1 * 2 ** tries) * random.uniform(0.5, 1))
            tries = min(tries + 1, 6)
        session.socket.close()


if __name__ == "__main__":
    main((sys.argv + [os.environ.get("COPYDESK_BROKER", "tcp://127.0.0.1:5750")])[1])
