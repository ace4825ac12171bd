#!/usr/bin/env python3
"""What the measuring tools make of samples: no broker runs here.

usage: tests/bench/selftest.py
"""
import contextlib
import io
import tempfile
import types
import unittest
import xml.etree.ElementTree as ElementTree
from importlib import machinery, util
from pathlib import Path

import contenders
import hotpath
import markdown
import plot
import scale
import utilisation

HERE = Path(__file__).resolve().parent


def load_program(name):
    """A script without a suffix as a module."""
    loader = machinery.SourceFileLoader(name, str(HERE / name))
    module = util.module_from_spec(util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


broker = load_program("broker")

SAMPLES = """\
copydesk 10/10
\tffff1 copy_folio_from_iter_atomic ([kernel.kallsyms])
\tffff2 ext4_file_write_iter ([kernel.kallsyms])
\t7f01 __pwrite64+0x4 (/lib/libc.so.6)

ZMQbg/IO/0 10/11
\tffff1 _copy_from_iter ([kernel.kallsyms])
\tffff2 unix_stream_sendmsg ([kernel.kallsyms])
\tffff3 vfs_write ([kernel.kallsyms])

ZMQbg/IO/0 10/11
\tffff1 _raw_spin_unlock_irqrestore ([kernel.kallsyms])
\tffff2 eventfd_write ([kernel.kallsyms])
\tffff3 vfs_write ([kernel.kallsyms])

copydesk 10/10
\t5501 hash128+0x10 (/bin/copydesk)

copydesk 10/10
\t7f02 __memmove_avx_unaligned_erms (/lib/libc.so.6)

copydesk 10/10
\t5502 wire_parse (/bin/copydesk)

clean 12/12
\t5503 noop_turn (/bin/bench_broker)
"""


def figures(articles_per_s):
    return {"articles_per_s": articles_per_s, "rss_mib": 60.0, "load_average": 1.0, "other_cpus": 0.0}


def comparison(transport="ipc", **rounds):
    made = broker.Comparison(types.SimpleNamespace(transport=transport, peers=True))
    made.rounds = {name: [figures(value) if value else None for value in values] for name, values in rounds.items()}
    return made


def printed(call, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        call(*arguments)
    return out.getvalue().splitlines()


class Ratios(unittest.TestCase):
    def test_are_taken_within_a_round(self):
        slow_then_fast = comparison(copydesk=[100, 800, 300], jetstream=[20, 200, 50])
        self.assertEqual(slow_then_fast.ratios("copydesk", "jetstream"), [5, 4, 6])

    def test_leave_out_a_round_in_which_one_failed(self):
        self.assertEqual(comparison(copydesk=[100, None, 300], jetstream=[20, 10, None]).ratios("copydesk", "jetstream"), [5])

    def test_print_the_median_and_the_spread(self):
        lines = printed(comparison(copydesk=[100, 800, 300], jetstream=[20, 200, 50]).show_ratios)
        self.assertEqual(lines, ["ratio.jetstream 5", "ratio.jetstream.min 4", "ratio.jetstream.max 6"])


class Targets(unittest.TestCase):
    def verdicts(self, transport, **rounds):
        return printed(comparison(transport, **rounds).show_targets, {"p99_ms": 3.5})

    def test_depend_on_the_transport(self):
        self.assertIn("target.jetstream missed", self.verdicts("ipc", copydesk=[37], jetstream=[10]))
        self.assertIn("target.jetstream met", self.verdicts("tcp", copydesk=[37], jetstream=[10]))

    def test_hold_for_memory_and_latency(self):
        lines = self.verdicts("ipc", copydesk=[37], jetstream=[10])
        self.assertIn("target.rss_mib met", lines)
        self.assertIn("target.p99_ms missed", lines)

    def test_of_who_did_not_run_are_not_told(self):
        self.assertNotIn("probe", " ".join(self.verdicts("ipc", copydesk=[37], jetstream=[10])))


class HotPath(unittest.TestCase):
    def setUp(self):
        self.processes = {process.name: process for process in hotpath.read_samples(SAMPLES.splitlines())}

    def test_threads_belong_to_their_process(self):
        self.assertEqual({name: process.total for name, process in self.processes.items()}, {"copydesk": 6, "clean": 1})

    def test_groups_go_by_the_whole_kernel_stack(self):
        groups = ("kernel file write", "socket I/O", "waiting and waking", "hashing", "copying", "parsing")
        self.assertEqual(dict(self.processes["copydesk"].groups), dict.fromkeys(groups, 1))

    def test_annotated_instructions_are_read(self):
        process = hotpath.read_annotated(["1,200 (60.0%)  /src/hash.c:hash128 [/bin/copydesk]",
                                          "  800 (40.0%)  ???:0x12 [/lib/libzmq.so.5]", "2,000 (100.0%)  PROGRAM TOTALS"])
        self.assertEqual(dict(process.groups), {"hashing": 1200, "libzmq and libuv": 800})


class Plots(unittest.TestCase):
    def draw(self, rows, name):
        with tempfile.TemporaryDirectory() as folder:
            scale.write(rows, Path(folder) / "figures.tsv")
            plot.draw(Path(folder) / "figures.tsv", folder)
            return ElementTree.parse(Path(folder) / f"{name}.svg").getroot()

    def words(self, picture):
        return [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]

    def test_a_sweep_has_a_dot_for_each_point_and_labels_zero(self):
        rows = [("queue", value, "articles_per_s", 100.0, 90.0, 110.0) for value in (0, 1000, 300000)]
        picture = self.draw(rows, "queue")
        self.assertEqual(len(list(picture.iter("{http://www.w3.org/2000/svg}circle"))), 3)
        self.assertTrue({"Queue length", "articles/s", "0", "1k", "300k"} <= set(self.words(picture)))

    def test_a_comparison_has_a_bar_for_each_contender(self):
        rows = [("peers-tcp", name, "articles_per_s", 30700.0, 30000.0, 31000.0) for name in ("copydesk", "redis_always")]
        picture = self.draw(rows, "peers-tcp")
        self.assertEqual(len(list(picture.iter("{http://www.w3.org/2000/svg}rect"))), 2)
        self.assertTrue({"Brokers side by side, tcp", "redis always", "30.7k"} <= set(self.words(picture)))

    def test_axes_begin_at_zero_unless_the_span_is_large(self):
        self.assertEqual(plot.Axis([50, 80]).at(0), 0)
        self.assertTrue(plot.Axis([1, 256]).is_log)
        self.assertAlmostEqual(plot.Axis([1, 10, 100]).at(10), 0.5)


class Markdown(unittest.TestCase):
    def test_has_a_row_for_every_contender_with_its_numbers_where_known(self):
        ipc = {"articles_per_s": [("copydesk", 41889.0, 40000.0, 43000.0)], "p50_ms": [("copydesk", 0.571, 0.571, 0.571)],
               "p99_ms": [("copydesk", 0.858, 0.858, 0.858)]}
        lines = list(markdown.table({"ipc": ipc}))
        self.assertEqual(len(lines), 2 + len(contenders.OURS) + len(contenders.PEERS))
        self.assertIn("| `copydesk` | 41,889 (40,000..43,000) |  |  | 0.57 / 0.86 |", lines[2])
        self.assertEqual({line.count("|") for line in lines}, {9})


class Runs(unittest.TestCase):
    """With a program in place of bench_broker."""

    def compare(self, script, box_s=600):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "bench_broker"
            program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            program.chmod(0o755)
            options = types.SimpleNamespace(bin=Path(folder), transport="ipc", rounds=2, n=10, full_secs=0, bytes=[],
                                            box_s=box_s)
            made = broker.Comparison(options)
            with contextlib.redirect_stderr(io.StringIO()):
                made.full(["copydesk"])
            return made

    def test_that_lose_an_article_fail(self):
        made = self.compare("echo copydesk.articles_per_s 5; exit 1")
        self.assertTrue(made.failed)
        self.assertEqual(made.values("copydesk", "articles_per_s"), [])

    def test_that_end_well_count_once_a_round(self):
        made = self.compare("echo copydesk.articles_per_s 5; echo copydesk.other_cpus 0")
        self.assertFalse(made.failed)
        self.assertEqual(made.values("copydesk", "articles_per_s"), [5, 5])

    def test_are_fewer_when_the_time_is_up(self):
        made = self.compare("echo copydesk.articles_per_s 5; echo copydesk.other_cpus 0", box_s=0)
        self.assertEqual(made.values("copydesk", "articles_per_s"), [5])


class Load(unittest.TestCase):
    def test_has_the_graph_of_the_contender_unless_told(self):
        options = types.SimpleNamespace(bin=Path("bin"))
        command = contenders.load_command("copydesk_chain", options, Path("f"), "ipc://s", [])
        self.assertEqual(command[command.index("--graph") + 1], "chain")
        command = contenders.load_command("copydesk", options, Path("f"), "ipc://s", ["--graph", "chain"])
        self.assertEqual(command.count("--graph"), 1)


class Utilisation(unittest.TestCase):
    def test_articles_are_read_from_the_worker_s_own_metrics(self):
        text = ('copydesk_articles_total{stage="busy",outcome="failed"} 3\n'
                'copydesk_articles_total{stage="busy",outcome="ok"} 2500\n')
        self.assertEqual(utilisation.articles_of(text), 2500)
        self.assertEqual(utilisation.articles_of(""), 0)

    def test_waiting_for_a_processor_is_not_idle_and_sleeping_is(self):
        before = (10.0, 100, {"1": (1.0, 0.0), "2": (5.0, 1.0)})
        after = (14.0, 2000, {"1": (1.1, 0.0), "2": (6.9, 2.9)})  # of 4 s it ran 1.9, waited 1.9, slept 0.2
        stage, idle = utilisation.shares(before, after, 1000)
        self.assertAlmostEqual(stage, 1.9 / 2.0)
        self.assertAlmostEqual(idle, 0.05)



if __name__ == "__main__":
    unittest.main()
