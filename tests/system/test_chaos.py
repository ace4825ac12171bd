"""Nothing is lost and nothing doubled whatever is killed: each process once, in turn, then faults at random."""

import importlib.machinery
import importlib.util

from lib import *

FAULTS = os.environ.get("CHAOS_FAULTS", "200")


def chaos():
    """The program tests/system/chaos as a module."""
    path = pathlib.Path(__file__).with_name("chaos")
    loader = importlib.machinery.SourceFileLoader("chaos", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("chaos", loader))
    loader.exec_module(module)
    return module


def run_chaos(folder, *arguments):
    """Runs it to its end; what it printed is told when it failed."""
    done = subprocess.run([sys.executable, "-B", str(ROOT / "tests/system/chaos"), *arguments],
                          env=environment({"COPYDESK": os.path.abspath(PROGRAM), "TMPDIR": str(folder)}),
                          capture_output=True, check=False, timeout=290)
    text = done.stdout.decode() + done.stderr.decode()
    equal(done.returncode, 0, text)
    return text


def test_the_accounts_find_each_mistake(folder):
    holds(run_chaos(folder, "--self-test"), "each found as it is")


def test_each_process_may_be_killed_and_started_again(folder):
    module = chaos()
    room = module.Newsroom(folder, 1)
    client, watch = module.Client(room), module.Watch(room)
    try:
        room.start_all()
        client.start()
        watch.start()
        for name in list(room.processes):
            room.kill(name)
        client.stop = True
        client.join()
        client.finish()
        equal(module.account(room, client, watch), True, "the accounts")
    finally:
        client.stop = True
        room.end()


def test_faults_at_random(folder):
    print(run_chaos(folder, "--faults", FAULTS, "--seed", "7"))


if __name__ == "__main__":
    main(globals())
