"""Where the time goes: samples by perf, or instructions by callgrind, as shares of one process and of groups.

A sample is put into a group by its whole kernel stack, or by the function it was in: what a copy inside a system call costs
belongs to that call.
"""
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

TOP = 15

# Group: what the functions of a kernel stack are called, first match wins.
KERNEL = (
    ("socket I/O", re.compile(r"sock_|unix_stream|tcp_|__sys_(send|recv)|inet_|skb_")),
    ("waiting and waking", re.compile(r"epoll|do_sys_poll|eventfd|futex|schedule|nanosleep|timerfd")),
    ("kernel file write", re.compile(r"fsync|fdatasync|vfs_write|vfs_writev|ext4_|writeback|jbd2|vfs_fallocate|ksys_pwrite")),
    ("kernel file read", re.compile(r"vfs_read|filemap_read|ksys_pread")),
    ("memory", re.compile(r"page_fault|mmap|munmap|madvise|brk")),
    ("kernel, other", re.compile(r"")),
)

# The same for a function outside the kernel.
USER = (
    ("copying", re.compile(r"mem(move|cpy|set|pcpy)|mempcpy")),
    ("memory", re.compile(r"^(_int_)?(malloc|free|realloc|calloc|memalign)|^cfree|unlink_chunk|malloc_consolidate|arena_get|tcache"
                          r"|sysmalloc|systrim")),
    ("hashing", re.compile(r"hash128|^mix$|crc32c|hash_")),
    ("parsing", re.compile(r"^(wire|message|record|bytes|view|json)_")),
    ("queue rules", re.compile(r"^(core|queue|handout|holding|index|history|graph|pool|journal|series|buf|map|door|session|client"
                               r"|worker|add_|held|join_line|leave_line|advance|lease|on_|noop|put_|finish|due)")),
)


def group_of(stack):
    """The group of a sample: (symbol, object) from the innermost function outwards."""
    symbol, place = stack[0]
    if "kernel" in place:
        names = " ".join(name for name, where in stack if "kernel" in where)
        return next(group for group, pattern in KERNEL if pattern.search(names))
    for group, pattern in USER:
        if pattern.search(symbol):
            return group
    if "libzmq" in place or "libuv" in place:
        return "libzmq and libuv"
    return "queue rules" if "copydesk" in place or "bench_broker" in place else "other"


class Process:
    """The samples of one process."""

    def __init__(self):
        self.name, self.total, self.symbols, self.groups = "?", 0, Counter(), Counter()

    def add(self, stack, weight=1):
        symbol, place = stack[0]
        name = symbol if symbol != "[unknown]" else Path(place).name
        self.total += weight
        self.symbols[name] += weight
        self.groups[group_of(stack)] += weight


def read_samples(lines):
    """Processes by pid from the text of `perf script -F comm,pid,tid,ip,sym,dso`."""
    processes, process, stack = {}, None, []
    for line in lines:
        head = re.match(r"^\s*(\S.*?)\s+(\d+)/(\d+)\s*$", line)
        frame = re.match(r"^\s+[0-9a-f]+ (.+) \((.*)\)\s*$", line)
        if head:
            name, pid, thread = head.groups()
            process = processes.setdefault(pid, Process())
            if pid == thread:
                process.name = name
        elif frame:
            stack.append((frame.group(1).split("+")[0], frame.group(2)))
        elif stack:
            process.add(stack)
            stack = []
    if stack:
        process.add(stack)
    return processes.values()


def by_perf(command, folder):
    """All processes that `command` starts, or None where perf is missing or not allowed."""
    if not shutil.which("perf"):
        return None
    data = str(folder / "perf.data")
    record = ["perf", "record", "-q", "-F", "1999", "-e", "cpu-clock", "-g", "-o", data, "--", *command]
    if subprocess.run(record, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return None
    script = subprocess.run(["perf", "script", "-F", "comm,pid,tid,ip,sym,dso", "-i", data], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True)
    return list(read_samples(script.stdout.splitlines()))


ANNOTATED = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S+?):(\S+)(?: \[(.*)\])?\s*$")


def read_annotated(lines):
    process = Process()
    for line in lines:
        found = ANNOTATED.match(line)
        if found:
            count, _, symbol, place = found.groups()
            process.add([(symbol, place or "copydesk")], int(count.replace(",", "")))
    return process


def by_callgrind(command, folder):
    """The same by counted instructions: slow, and blind for what the kernel does."""
    if not shutil.which("valgrind"):
        return None
    watch = ["valgrind", "-q", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/callgrind.%p"]
    subprocess.run([*watch, *command], stdout=subprocess.DEVNULL, check=True)
    processes = []
    for path in sorted(folder.glob("callgrind.*")):
        text = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=100", str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=True).stdout
        process = read_annotated(text.splitlines())
        process.name = "copydesk" if "copydesk broker" in text else "load"
        processes.append(process)
    return processes


def show(processes):
    """`profile.*` lines: shares in percent of all processes, then of the broker by group and by symbol."""
    totals = Counter()
    for process in processes:
        totals[process.name] += process.total
    for name, count in totals.most_common():
        print(f"profile.process.{name} {100 * count / sum(totals.values()):.1f}")
    broker = next(process for process in processes if process.name == "copydesk")
    for group, count in broker.groups.most_common():
        print(f"profile.group.{re.sub('[^a-z/A-Z]+', '_', group)} {100 * count / broker.total:.1f}")
    for symbol, count in broker.symbols.most_common(TOP):
        print(f"profile.symbol.{symbol} {100 * count / broker.total:.1f}")
