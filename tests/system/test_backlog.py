"""A broker without workers fills up: what a queued article takes in memory, how fast a full broker is back after a
restart, and what it does when its disk limit is reached.

$COPYDESK_BACKLOG is the number of articles, 100,000 unless told. The promise is that of the full size:

    COPYDESK_BACKLOG=1000000 tests/system/test_backlog.py queued

needs 5 GB on the disk of $TMPDIR and holds the broker to 256 MB and ten seconds.
"""

from room import *

ARTICLES = int(os.environ.get("COPYDESK_BACKLOG", "100000"))
ARTICLE_BYTES = 4096
PER_ARTICLE = 190      # bytes in memory of one that waits
FLOOD_MB = 48          # of a broker that is being filled: --document-memory, and what is on its way
EMPTY_MB = 18          # of a broker without articles, and of tables that are half empty
READY_S = max(ARTICLES / 1e5, 3)  # the machine may be busy
BODY = ("The court in Hamburg ruled on Thursday that the plan may go ahead. " * 70)[:ARTICLE_BYTES - 60]


def rss_mb(process, field="VmRSS"):
    """Resident megabytes of a running process; VmHWM: the most it ever had."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) * 1024 / 1e6


def lines(first, end):
    """Articles of 4 KB as NDJSON."""
    return b"".join(b'{"id":"wire-2026-%08d","text":"%d %s"}\n' % (n, n, BODY.encode()) for n in range(first, end))


def pour(room, count):
    """Submits `count` articles as they are made; the exit code, what was said, and seconds."""
    began = time.monotonic()
    with open(room.folder / "submit.log", "ab") as log:
        process = start("submit", env=room.env, cwd=room.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                        stderr=log)
        room.processes["submit"] = process
        for first in range(0, count, 1000):
            process.stdin.write(lines(first, min(first + 1000, count)))
        process.stdin.close()
        said = process.stdout.read().decode()
        code = wait(process, 600)[0]
    return code, said, time.monotonic() - began


def folder_bytes(path):
    """What the files of a folder hold; one that goes meanwhile counts nothing."""
    total = 0
    for file in path.iterdir():
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            pass
    return total


def test_what_a_queued_article_takes(folder):
    if is_sanitized():
        skip("a sanitizer has memory of its own")
    limit_mb = EMPTY_MB + ARTICLES * PER_ARTICLE / 1e6
    with Room(folder) as room:
        broker = room.start("broker")
        room.wait_for_log("broker", "listening on")
        code, said, seconds = pour(room, ARTICLES)
        equal(code, 0, said + room.log("submit"))
        equal(room.status()["articles"]["live"], ARTICLES)
        peak_mb = rss_mb(broker, "VmHWM")
        below(peak_mb, limit_mb + FLOOD_MB, "MB at the height of the flood")
        equal(room.stop("broker"), 0)

        began = time.monotonic()
        broker = room.start("broker")
        room.wait_for_log("broker", "listening on", 2)
        ready_s = time.monotonic() - began
        equal(room.status()["articles"]["live"], ARTICLES)
        until(lambda: rss_mb(broker) < limit_mb, f"less than {limit_mb:.1f} MB after a restart", 10)
        print(f"  {ARTICLES / seconds:.0f} articles/s accepted; {peak_mb:.1f} MB at most, "
              f"{rss_mb(broker):.1f} MB after a restart of {ready_s:.2f} s", flush=True)
        below(ready_s, READY_S, "seconds to be ready again")


def test_the_disk_limit_closes_the_door_until_articles_are_complete(folder):
    count, limit = 4000, 6 << 20
    beyond = 4 << 20  # a spare segment, zeros ahead of the last batch in each of two, and a batch of what had been let in
    journal = folder / "copydesk-data/journal"
    sizes = []

    def is_complete(status):
        sizes.append(folder_bytes(journal))
        return status["articles"]["complete"] == count

    with Room(folder, "clean = article\nexport = *\n") as room:
        room.start("broker", "--disk", "6MiB", "--segment", "1MiB")
        submit = room.start("submit", "submit", "--wait", "50s", write(folder / "in.ndjson", lines(0, count)))
        full = room.wait_for_status(lambda status: "--disk" in status["door"]["state"] and status["door"]["busy"] > 0)
        equal(submit.poll(), None)
        below(full["articles"]["live"], count, "articles accepted when the door closed")
        below(folder_bytes(journal), limit + beyond, "bytes on disk when the door closed")
        room.start("clean", "worker", "clean")
        room.start("export", "export")
        room.wait_for_status(is_complete)
        below(max(sizes), limit + beyond, "bytes on disk while articles came and went")
        equal(wait(submit)[0], 0)
        equal(room.status()["door"]["state"], "open")
        equal(len(room.exported()), count)


if __name__ == "__main__":
    main(globals())
