"""Nothing is lost and nothing doubled whatever is killed: each process once, in turn, then faults at random."""

import importlib.machinery
import importlib.util
import pathlib

from lib import *


def chaos():
    """The program tests/system/chaos as a module."""
    path = pathlib.Path(__file__).with_name("chaos")
    loader = importlib.machinery.SourceFileLoader("chaos", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("chaos", loader))
    loader.exec_module(module)
    return module


def account(module, room, client):
    """Fails unless every accepted article is in each sink once."""
    status = module.drain(room)
    equal(status["articles"]["live"], 0, "articles still under way")
    equal(status["articles"]["dead"], 0, "dead letters")
    for sink in module.SINKS:
        counts = module.delivered(room.folder / sink)
        equal({(name, 1) for name in client.accepted} - set(counts), set(), f"lost in {sink}")
        equal([key for key, count in counts.items() if count > 1], [], f"doubled in {sink}")


def test_each_process_may_be_killed_and_started_again(folder):
    module = chaos()
    room = module.Newsroom(folder, 1)
    try:
        room.start_all()
        client = module.Client(room, 1000000)
        client.start()
        for name in list(room.processes):
            room.kill(name)
        client.stop = True
        client.join()
        client.finish()
        below(0, len(client.accepted), "articles accepted")
        account(module, room, client)
    finally:
        room.end()


def test_faults_at_random(folder):
    done = subprocess.run([str(ROOT / "tests/system/chaos"), "--faults", "40", "--seed", "7"],
                          env=environment({"COPYDESK": os.path.abspath(PROGRAM), "TMPDIR": str(folder)}),
                          capture_output=True, check=False, timeout=170)
    equal(done.returncode, 0, done.stdout.decode() + done.stderr.decode())


if __name__ == "__main__":
    main(globals())
