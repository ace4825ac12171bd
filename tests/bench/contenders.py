"""The contenders of tests/bench/broker: how each is started, loaded and ended. Servers listen on loopback and keep their data
in a fresh folder; nothing is ever installed, and only what was started here is stopped.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class Failed(Exception):
    """A server that does not start or a run that does not end; its text goes to stderr."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(ready, what, process, seconds=60):
    until = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise Failed(f"{what} did not start")
        time.sleep(0.05)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(command, folder, env=None):
    """A process of its own session; at the end its whole group is gone."""
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                                   env={**os.environ, **(env or {})}, start_new_session=True)
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)


# --- servers: each yields (endpoint, pid)


@contextlib.contextmanager
def listening(name, command, folder, port, endpoint):
    with running(command, folder) as process:
        wait_until(lambda: answers(port), name, process)
        yield endpoint, process.pid


def nats(folder, _):
    port = free_port()
    command = ["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    return listening("nats-server", command, folder, port, f"nats://127.0.0.1:{port}")


def redis(sync):
    def start(folder, _):
        port = free_port()
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--appendonly", "yes",
                   "--appendfsync", sync, "--save", "", "--daemonize", "no"]
        return listening("redis-server", command, folder, port, f"127.0.0.1:{port}")
    return start


def beanstalkd(folder, _):
    port = free_port()
    command = ["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", str(folder), "-z", str(1 << 20)]
    return listening("beanstalkd", command, folder, port, f"127.0.0.1:{port}")


def erlang_machine(folder):
    """The pid of the Erlang machine whose home is `folder`: the server is started by a shell, and it is what costs."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text().startswith("beam"):
                if f"HOME={folder}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    return int(entry.name)
    return None


@contextlib.contextmanager
def rabbitmq(folder, _):
    port, names, nodes = free_port(), free_port(), free_port()
    (folder / "rabbit.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = false\nlog.file.level = warning\n")
    (folder / "plugins").write_text("[].\n")
    env = {"HOME": str(folder), "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(names),
           "RABBITMQ_NODENAME": f"bench{os.getpid()}@localhost", "RABBITMQ_CONFIG_FILE": str(folder / "rabbit.conf"),
           "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "logs"),
           "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_DIST_PORT": str(nodes),
           "RABBITMQ_CONF_ENV_FILE": "/dev/null",
           "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
    with running(["epmd", "-address", "127.0.0.1", "-port", str(names)], folder), \
            running(["/usr/lib/rabbitmq/bin/rabbitmq-server"], folder, env) as server:
        wait_until(lambda: answers(port), "rabbitmq-server", server)
        time.sleep(2)  # its start goes on for a while after it listens
        pid = erlang_machine(folder)
        if pid is None:
            raise Failed("the Erlang machine of rabbitmq-server was not found")
        try:
            yield f"127.0.0.1:{port}", pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def address(folder, transport):
    return f"ipc://{folder}/socket" if transport == "ipc" else f"tcp://127.0.0.1:{free_port()}"


@contextlib.contextmanager
def probe(folder, options):
    endpoint = address(folder, options.transport)
    with running([str(options.bin / "probe"), endpoint, str(folder / "journal")], folder) as process:
        port = endpoint.rpartition(":")[2]
        up = (folder / "socket").exists if options.transport == "ipc" else lambda: answers(int(port))
        wait_until(up, "the probe", process)
        yield endpoint, process.pid


# Name: driver, server, its program, Debian packages, its share of --n: each runs for some three seconds.
PEERS = {
    "probe": ("peer_probe", probe, "true", "libzmq3-dev", 2.0),
    "jetstream": ("peer_nats", nats, "nats-server", "nats-server libnats-dev", 0.4),
    "redis_everysec": ("peer_redis", redis("everysec"), "redis-server", "redis-server libhiredis-dev", 0.6),
    "redis_always": ("peer_redis", redis("always"), "redis-server", "redis-server libhiredis-dev", 0.25),
    "rabbitmq_quorum": ("peer_rabbitmq", rabbitmq, "rabbitmq-server", "rabbitmq-server librabbitmq-dev", 0.25),
    "beanstalkd": ("peer_beanstalkd", beanstalkd, "beanstalkd", "beanstalkd", 0.2),
}

# Name: graph, share of --n.
OURS = {"copydesk": ("product", 1.5), "copydesk_chain": ("chain", 1.5)}


def share_of(name):
    return OURS[name][1] if name in OURS else PEERS[name][4]


def missing(name, options):
    """The packages to install before `name` can run, or nothing."""
    if name in OURS:
        return None
    driver, _, program, packages, _ = PEERS[name]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if shutil.which(program, path=path) and (options.bin / driver).exists():
        return None
    return packages


def figures(command, limit_s):
    """What a measuring program printed: values by name."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=limit_s, check=False)
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name.rpartition(".")[2]: float(value) for name, value in pairs}


def load_command(name, options, folder, endpoint, load):
    """The program that starts the broker and its load."""
    graph = [] if "--graph" in load else ["--graph", OURS[name][0]]
    return [str(options.bin / "bench_broker"), "--program", str(options.bin / "copydesk"), "--endpoint", endpoint,
            "--folder", str(folder / "journal"), "--prefix", name, *graph, *load]


def run_once(name, options, load, limit_s=300):
    """Figures by name after one run under `load`, with a fresh server and a fresh folder."""
    load = [str(word) for word in load]
    with tempfile.TemporaryDirectory(prefix="bench-broker.") as made:
        folder = Path(made)
        if name in OURS:
            return figures(load_command(name, options, folder, address(folder, options.transport), load), limit_s)
        driver, server, *_ = PEERS[name]
        with server(folder, options) as (endpoint, pid):
            return figures([str(options.bin / driver), "--endpoint", endpoint, "--pid", str(pid), "--prefix", name, *load],
                           limit_s)


def short(value):
    """As a person would write it: four digits that say something."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
