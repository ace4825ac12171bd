"""A newsroom without news: every process sleeps, whatever it holds open."""

from room import *

SECONDS = 8
LIMIT_PERCENT = 0.5  # of a core; on two cores with other work 0.01 to 0.04 were seen
WAKES_LIMIT = 25     # a second; heartbeats of all peers included, 2 to 10 were seen
BOSS_LIMIT = 0.5     # the supervisor waits for the end of others and for nothing else; none was seen


def used(pid):
    """CPU seconds of all threads so far, and how often they went to sleep."""
    seconds = sleeps = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
        sleeps += int((task / "status").read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return seconds, sleeps


def test_idle_processes_use_no_processor(folder):
    with Room(folder) as room:
        room.start("up", "up", "--listen", room.address)
        room.wait_for_log("up", "copydesk is up")
        # Desks and journal have been in use, so what they leave behind counts as well.
        equal(room.submit(articles(50)).code, 0)
        room.wait_for_status(lambda status: status["articles"]["complete"] == 50)
        boss = room.processes["up"].pid
        children = subprocess.run(["pgrep", "-P", str(boss)], capture_output=True, check=True, text=True).stdout
        pids = [boss, *map(int, children.split())]
        equal(len(pids), 7)
        before = {pid: used(pid) for pid in pids}
        time.sleep(SECONDS)
        for pid in pids:
            seconds, sleeps = (now - then for now, then in zip(used(pid), before[pid]))
            name = pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:60]
            below(100 * seconds / SECONDS, LIMIT_PERCENT, f"% of a core used by {name}")
            below(sleeps / SECONDS, BOSS_LIMIT if pid == boss else WAKES_LIMIT, f"wakes a second of {name}")


if __name__ == "__main__":
    main(globals())
