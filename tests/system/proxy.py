"""A proxy that forwards TCP connections and does to them what networks do.

    proxy = Proxy(port)         # of the broker; connect to proxy.port instead; piece=SIZE: what is passed on at once
    proxy.start()
    proxy.cut()                 # every connection is closed
    proxy.truncate(100)         # one connection is closed after 100 bytes more, wherever in a message that is
    proxy.stall(2, "up")        # for 2 s nothing reaches the broker; "down": nothing leaves it; "both"
    proxy.delay(2, 0.05)        # for 2 s every piece comes 50 ms later
    proxy.heal()                # no stall and no delay any more
"""

import random
import socket
import threading
import time

DIRECTIONS = ("up", "down")


class Pump(threading.Thread):
    """One direction of one connection."""

    def __init__(self, proxy, source, sink, direction):
        super().__init__(daemon=True)
        self.proxy, self.source, self.sink, self.direction = proxy, source, sink, direction
        self.budget = None  # bytes that still pass; None: no limit

    def pass_on(self, data):
        """True while the connection lives."""
        budget = self.budget
        if budget is None or len(data) < budget:
            self.sink.sendall(data)
            self.budget = None if budget is None else budget - len(data)
            return True
        self.sink.sendall(data[:budget])
        return False

    def run(self):
        try:
            while True:
                data = self.source.recv(self.proxy.piece)
                self.proxy.wait(self.direction)
                if not data or not self.pass_on(data):
                    break
        except OSError:
            pass
        self.proxy.close(self)


class Proxy(threading.Thread):
    def __init__(self, target, piece=65536):
        super().__init__(daemon=True)
        self.target, self.piece = target, piece
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.pumps = set()
        self.heal()

    def run(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=1)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            pumps = (Pump(self, near, far, "up"), Pump(self, far, near, "down"))
            with self.lock:
                self.pumps.update(pumps)
            for pump in pumps:
                pump.start()

    def wait(self, direction):
        """Holds a piece back as long as it has to be."""
        while (left := self.stalled_until[direction] - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        if time.monotonic() < self.delayed_until:
            time.sleep(self.delay_s)

    def close(self, pump):
        with self.lock:
            self.pumps.discard(pump)
        for end in (pump.source, pump.sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def connected(self):
        with self.lock:
            return list(self.pumps)

    def cut(self):
        for pump in self.connected():
            self.close(pump)

    def truncate(self, size):
        """False when there is no connection to be cut."""
        pumps = self.connected()
        if pumps:
            random.choice(pumps).budget = size
        return bool(pumps)

    def stall(self, seconds, direction):
        for each in DIRECTIONS if direction == "both" else (direction,):
            self.stalled_until[each] = time.monotonic() + seconds

    def delay(self, seconds, each_s):
        self.delay_s = each_s
        self.delayed_until = time.monotonic() + seconds

    def heal(self):
        self.stalled_until = dict.fromkeys(DIRECTIONS, 0.0)
        self.delay_s, self.delayed_until = 0.0, 0.0
