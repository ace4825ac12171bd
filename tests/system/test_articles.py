#!/usr/bin/env python3
"""Runs every sample article through `copydesk enrich --json` and compares with its truths.

usage: test_articles.py [--show] [--unmark] [--write-golden] [NAME...]

The truths are tests/articles/NAME.expect, written by hand (tests/articles/README.md tells the form). A line
that starts with `known-gap ` is a truth which is not met yet: it is counted, and the test fails as soon as
it is met, so that the mark goes away (--unmark takes such marks away). The whole enrichment, without times, is
tests/articles/NAME.golden.json; --write-golden writes it anew, and the difference is reviewed like prose.

COPYDESK names the program; default is build/release/bin/copydesk. Exit: 0 all as expected, 1 not.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTICLES = ROOT / "tests" / "articles"
COPYDESK = os.environ.get("COPYDESK", str(ROOT / "build" / "release" / "bin" / "copydesk"))
SUFFIXES = [".txt", ".html", ".json", ".ndjson"]
TIME_LIMIT_S = 60


class Result:
    """What the program said about one article."""

    def __init__(self, run, seconds):
        self.exit = run.returncode
        self.stderr = run.stderr.decode("utf-8", "replace")
        self.seconds = seconds
        lines = run.stdout.decode("utf-8").splitlines()
        self.article = json.loads(lines[0]) if lines else {}
        self.text = self.article.get("text") or ""

    def part(self, span):
        return self.text[span["start"]:span["end"]]


def fold(text):
    """White space is no difference an editor would see; a no-break space in a search is a space."""
    return re.sub(r"\s+", " ", text).strip()


# --- one function per kind of truth: returns None, or what was found instead -----------------------------


def same(found, wanted):
    """`null` stands for a member that is absent, null or empty; several right answers between bars."""
    found = "null" if found in (None, "") else str(found)
    return None if fold(found) in map(fold, wanted.split(" | ")) else f"found: {found}"


def member(path):
    def check(result, wanted):
        return same(look_up(result.article, path), wanted)
    return check


def look_up(value, path):
    for key in path.split("."):
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = (value or {}).get(key)
    return value


def check_member(result, wanted):
    path, _, value = wanted.partition(" ")
    return same(look_up(result.article, path), value)


def check_published_day(result, wanted):
    return same((result.article.get("published_at") or "")[:10], wanted)


def paragraphs(result):
    return [part for part in re.split(r"\n{2,}", result.text) if part.strip()] or [""]


def check_body_first(result, wanted):
    first = fold(paragraphs(result)[0])
    return None if first.startswith(fold(wanted)) else f"the body starts: {first[:80]}"


def check_body_last(result, wanted):
    last = fold(paragraphs(result)[-1])
    return None if last.endswith(fold(wanted)) else f"the body ends: {last[-80:]}"


def check_body_has(result, wanted):
    return None if fold(wanted) in fold(result.text) else "not in the body"


def check_body_lacks(result, wanted):
    return "in the body" if fold(wanted) in fold(result.text) else None


def check_removed(result, wanted):
    reason, _, text = wanted.partition(": ")
    found = [r["reason"] for r in result.article.get("removed", []) if fold(text) in fold(r["text"])]
    if reason in found:
        return None
    return f"removed as {', '.join(found)}" if found else "not among the removed passages"


def check_heading(result, wanted):
    found = [fold(result.part(h)) for h in result.article.get("headings", [])]
    return None if fold(wanted) in found else f"headings: {found}"


def check_credit(result, wanted):
    name, _, role = wanted.rpartition(" ")
    found = [(c.get("name"), c.get("role")) for c in result.article.get("credits", [])]
    return None if (name, role) in found else f"credits: {found}"


def check_ednote_has(result, wanted):
    note = result.article.get("ednote") or ""
    return None if fold(wanted) in fold(note) else f"ednote: {note}"


def check_entity(result, wanted):
    """`TYPE Name xN`: exactly N mentions; `xN+`: N or more. The name is one of those the text uses."""
    kind, name, count, more = re.fullmatch(r"(\S+) (.+) x(\d+)(\+?)", wanted).groups()
    named = [e for e in result.article.get("entities", [])
             if name in {fold(e["name"]), *(fold(result.part(m)) for m in e["mentions"])}]
    for entity in named:
        mentions = len(entity["mentions"])
        if entity["type"] == kind and (mentions == int(count) or more and mentions > int(count)):
            return None
    if named:
        return "found: " + ", ".join(f"{e['type']} x{len(e['mentions'])}" for e in named)
    near = [f"{e['type']} {e['name']}" for e in result.article.get("entities", [])
            if any(name in result.part(m) or result.part(m) in name for m in e["mentions"])]
    return "near: " + ", ".join(near) if near else "no such entity"


def timex(date):
    return date["value"] + (" " + date["mod"] if date.get("mod") else "")


def check_date(result, wanted):
    """`text`, or `text -> value`, or `text -> value MOD`; further right values after `|`."""
    text, arrow, values = wanted.partition(" -> ")
    found = [d for d in result.article.get("dates", []) if fold(d["text"]) == text]
    if not found:
        near = [d["text"] for d in result.article.get("dates", []) if d["text"] in text or text in d["text"]]
        return f"near: {near}" if near else "no such expression"
    accepted = [value.strip() for value in values.split("|")]
    if not arrow or any(d["value"] in accepted or timex(d) in accepted for d in found):
        return None
    return "found: " + ", ".join(timex(d) for d in found)


def check_no_date(result, wanted):
    """No expression may lie over the text where it stands as a word of its own."""
    for hit in re.finditer(r"(?<!\w)" + re.escape(wanted) + r"(?!\w)", result.text):
        for date in result.article.get("dates", []):
            if date["start"] < hit.end() and hit.start() < date["end"]:
                return f"found: {date['text']}"
    return None


def check_summary_sentences(result, wanted):
    """`N`, or `FEWEST..MOST`."""
    fewest, _, most = wanted.partition("..")
    found = len((result.article.get("summary") or {}).get("sentences", []))
    return None if int(fewest) <= found <= int(most or fewest) else f"found: {found}"


def check_summary_has(result, wanted):
    text = (result.article.get("summary") or {}).get("text", "")
    return None if fold(wanted).lower() in fold(text).lower() else f"summary: {text[:100]}"


def check_quotes_balanced(result, _wanted):
    text = (result.article.get("summary") or {}).get("text", "")
    balanced = text.count('"') % 2 == 0 and text.count("“") == text.count("”")
    return None if text and balanced else f"summary: {text}"


def check_stages_ok(result, _wanted):
    stages = {name: stage["status"] for name, stage in result.article.get("stages", {}).items()}
    expected = {"clean", "entities", "dates", "summary"}
    return None if expected <= set(stages) and set(stages.values()) == {"ok"} else f"stages: {stages}"


def check_exit(result, wanted):
    return same(result.exit, wanted)


def check_stderr_has(result, wanted):
    return None if wanted in result.stderr else f"stderr: {result.stderr.strip()[:120]}"


def check_within_seconds(result, wanted):
    return None if result.seconds <= float(wanted) else f"took {result.seconds:.1f} s"


def check_no_carriage_returns(result, _wanted):
    return "found one" if "\r" in result.text else None


CHECKS = {
    "id": member("id"), "version": member("version"), "title": member("title"), "byline": member("byline"),
    "lang": member("lang"), "published_at": member("published_at"), "published-day": check_published_day,
    "published_source": member("published_at_source"), "modified_at": member("modified_at"),
    "pubstatus": member("pubstatus"), "embargoed_until": member("embargoed_until"),
    "urgency": member("urgency"), "signal": member("signal"), "slugline": member("slugline"),
    "dateline-place": member("dateline.place"), "dateline-date": member("dateline.date"),
    "dateline-agency": member("dateline.agency"), "member": check_member,
    "body-first": check_body_first, "body-last": check_body_last, "body-has": check_body_has,
    "body-lacks": check_body_lacks, "removed": check_removed, "heading": check_heading,
    "credit": check_credit, "ednote-has": check_ednote_has, "entity": check_entity, "date": check_date,
    "no-date": check_no_date, "summary-sentences": check_summary_sentences,
    "summary-has": check_summary_has, "summary-quotes-balanced": check_quotes_balanced,
    "stages-ok": check_stages_ok, "exit": check_exit, "stderr-has": check_stderr_has,
    "within-seconds": check_within_seconds, "no-carriage-returns": check_no_carriage_returns,
}

SETTINGS = {"file", "args", "make"}


# --- the promises that hold for every article, whatever its truths say -----------------------------------


def general_faults(result):
    """Every offset lies in the text and names what it says it names."""
    text = result.text
    for entity in result.article.get("entities", []):
        for span in entity["mentions"]:
            if not 0 <= span["start"] < span["end"] <= len(text):
                yield f"mention of {entity['name']} outside the text: {span}"
            elif text[span["start"]:span["end"]] != text[span["start"]:span["end"]].strip():
                yield f"mention with white space at its end: {result.part(span)!r}"
    for date in result.article.get("dates", []):
        if result.part(date) != date["text"]:
            yield f"date text {date['text']!r} is not what its offsets name: {result.part(date)!r}"
    for span in (result.article.get("summary") or {}).get("sentences", []):
        if not 0 <= span["start"] < span["end"] <= len(text):
            yield f"summary sentence outside the text: {span}"


# --- running ---------------------------------------------------------------------------------------------


class Truths:
    """One .expect file."""

    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.settings = {}
        self.lines = []  # (line number, known gap, kind, wanted)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            gap = line.startswith("known-gap ")
            kind, _, wanted = line.removeprefix("known-gap ").partition("=")
            if kind in SETTINGS:
                self.settings[kind] = wanted
            elif kind in CHECKS:
                self.lines.append((number, gap, kind, wanted))
            else:
                raise SystemExit(f"{path}:{number}: no truth is called '{kind}'")

    def input_file(self, folder):
        if "make" in self.settings:
            made = Path(folder) / f"{self.name}.txt"
            with open(made, "wb") as out:
                subprocess.run([str(ARTICLES / self.settings["make"])], stdout=out, check=True)
            return made
        if "file" in self.settings:
            return ARTICLES / self.settings["file"]
        for suffix in SUFFIXES:
            if (ARTICLES / (self.name + suffix)).exists():
                return ARTICLES / (self.name + suffix)
        raise SystemExit(f"{self.name}.expect: no article {self.name}.*")


def enrich(truths, folder):
    command = [COPYDESK, "enrich", "--json", *truths.settings.get("args", "").split(),
               str(truths.input_file(folder))]
    start = time.monotonic()
    run = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT_S, check=False,
                         stdin=subprocess.DEVNULL)
    return Result(run, time.monotonic() - start)


def stripped(article):
    """Without what differs between two runs: times. The path of the file is not part of the truth."""
    article = json.loads(json.dumps(article))
    for stage in article.get("stages", {}).values():
        stage.pop("ms", None)
    return article


def first_difference(wanted, found):
    """Where two texts part, with what stands around."""
    at = len(os.path.commonprefix([wanted, found]))
    line = wanted.count("\n", 0, at) + 1
    before, after = (text[max(at - 30, 0):at + 50] for text in (wanted, found))
    return f"line {line}: {before!r} is now {after!r}"


def golden_fault(truths, result, write):
    path = ARTICLES / f"{truths.name}.golden.json"
    if "make" in truths.settings or not result.article:
        return None
    found = json.dumps(stripped(result.article), indent=1, ensure_ascii=False) + "\n"
    if write:
        path.write_text(found, encoding="utf-8")
        return None
    if not path.exists():
        return f"{path.name} is missing (--write-golden makes it)"
    wanted = path.read_text(encoding="utf-8")
    if found == wanted:
        return None
    first = first_difference(wanted, found)
    return f"differs from {path.name}: {first}\n    if that is right: --write-golden"


def judge(truths, result):
    """Returns the faults, how many truths hold, and how many known gaps there are."""
    faults, held, gaps = [], 0, 0
    if result.exit < 0:
        faults.append(f"{truths.name}: killed by signal {-result.exit}")
    faults += [f"{truths.name}: {fault}" for fault in general_faults(result)]
    if not any(kind == "exit" for _, _, kind, _ in truths.lines) and result.exit != 0:
        faults.append(f"{truths.name}: exit {result.exit}: {result.stderr.strip()[:200]}")
    for number, gap, kind, wanted in truths.lines:
        wrong = CHECKS[kind](result, wanted)
        if wrong and not gap:
            faults.append(f"{truths.name}.expect:{number}: {kind}={wanted}\n    {wrong}")
        elif gap and not wrong:
            faults.append(f"{truths.name}.expect:{number}: {kind}={wanted}\n"
                          "    holds now: take `known-gap ` away (test_articles.py --unmark does)")
        held += not wrong
        gaps += bool(gap and wrong)
    return faults, held, gaps


def unmark(truths, result):
    """Takes `known-gap ` off the truths that hold now."""
    lines = truths.path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, gap, kind, wanted in truths.lines:
        if gap and not CHECKS[kind](result, wanted):
            lines[number - 1] = lines[number - 1].removeprefix("known-gap ")
    truths.path.write_text("".join(lines), encoding="utf-8")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what the program said")
    parser.add_argument("--unmark", action="store_true", help="take `known-gap ` off truths that hold now")
    parser.add_argument("--write-golden", action="store_true", help="write the golden files")
    parser.add_argument("names", nargs="*", help="only these articles")
    return parser.parse_args()


def main():
    options = parse_arguments()
    files = sorted(ARTICLES.glob("*.expect"))
    chosen = [f for f in files if not options.names or f.stem in options.names]
    total_faults, total_held, total_gaps = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for path in chosen:
            truths = Truths(path)
            result = enrich(truths, folder)
            if options.show:
                print(json.dumps(result.article, indent=1, ensure_ascii=False))
            if options.unmark:
                unmark(truths, result)
                truths = Truths(path)
            faults, held, gaps = judge(truths, result)
            fault = golden_fault(truths, result, options.write_golden)
            faults += [f"{truths.name}: {fault}"] if fault else []
            total_faults += faults
            total_held += held
            total_gaps += gaps
    for fault in total_faults:
        print(fault)
    print(f"{len(chosen)} articles: {total_held} truths hold, {total_gaps} known gaps, "
          f"{len(total_faults)} faults")
    return 1 if total_faults or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
