"""The section of README that shows what was measured, from the tables that --peers --out and --scale wrote."""
import plot

SYNCED = {"copydesk": "yes", "copydesk_chain": "yes", "probe": "yes", "jetstream": "every minute", "redis_everysec": "every second",
          "redis_always": "yes", "rabbitmq_quorum": "yes", "beanstalkd": "every 50 ms"}

HEAD = ("| | articles/s, ipc run | articles/s, tcp run | CPU s/1000 | at 500/s: p50 / p99 ms | CPU s/1000 there | RSS MiB "
        "| on disk before it confirms |")


def rate(figures, name):
    for label, median, low, high in figures.get("articles_per_s", ()):
        if label == name:
            return f"{median:,.0f} ({low:,.0f}..{high:,.0f})"
    return ""


def number(figures, figure, name, digits):
    return next((f"{median:.{digits}f}" for label, median, *_ in figures.get(figure, ()) if label == name), "")


def table(runs):
    """Lines, from {"ipc": figures, "tcp": figures} as plot.read gives them; figures other than rates are those of ipc."""
    ipc, tcp = runs.get("ipc", {}), runs.get("tcp", {})
    yield HEAD
    yield "|---" * 8 + "|"
    for name, synced in SYNCED.items():
        latency = " / ".join(number(ipc, figure, name, 2) for figure in ("p50_ms", "p99_ms")).strip(" /")
        cells = (f"`{name}`", rate(ipc, name), rate(tcp, name), number(ipc, "cpu_s_per_1000", name, 3), latency,
                 number(ipc, "idle_cpu_s_per_1000", name, 2), number(ipc, "rss_mib", name, 0), synced)
        yield "| " + " | ".join(cells) + " |"


def section(folder, shown_as):
    """Table and pictures; `shown_as` is the folder as README names it."""
    runs = {}
    for transport in ("ipc", "tcp"):
        path = folder / f"peers-{transport}.tsv"
        if path.exists():
            runs[transport] = plot.read(path)[f"peers-{transport}"]
    yield from table(runs)
    for name in ("peers-ipc", *plot.SWEEPS):
        if (folder / f"{name}.svg").exists():
            title = plot.SWEEPS[name][0] if name in plot.SWEEPS else "Brokers side by side"
            yield f"\n![{title}]({shown_as}/{name}.svg)"
