"""The accounts of a chaos run: what the client was told against what lies in the sinks. Pure functions and a self-test.

A **copy** is what a client handed in or a sink wrote: id, version, whether it is a kill, and its mark, a word that
stands in a member `mark` and in the last sentence of the text, so that neither mixed nor cut copies pass.
What must hold for each sink, in the words of the ledger:

    lost        the newest accepted version of a story, or a newer one, is neither in the sink nor in the dead letters
    doubled     an id and version is in the sink more than once
    altered     a copy has another mark than the one that was handed in under its id and version
    unknown     a copy that nobody handed in
    back        an older version stands behind a newer one, or anything behind a kill
    bare        a copy without the work of every stage
    early       a copy was in the sink before its embargo was over

An older version need not arrive: the newer one may overtake it, even if the client died before it was told that the
newer one is accepted.
"""

import collections
import json

Copy = collections.namedtuple("Copy", "id version kill mark")
Entry = collections.namedtuple("Entry", "copy bare")  # a line of a sink

FINDINGS = ("lost", "doubled", "altered", "unknown", "back", "bare", "early")


def copy_of(article):
    """The copy an article as handed in, or as exported, stands for."""
    kill = article.get("pubstatus") == "canceled"
    mark = article.get("mark", "")
    whole = kill or (mark and mark in article.get("text", ""))
    return Copy(article["id"], article.get("version", 1), kill, mark if whole else "")


def entry_of(line, stages):
    """What a line of a sink's file says. A kill skips the stages."""
    article = json.loads(line)
    copy = copy_of(article)
    bare = not copy.kill and any(article.get("stages", {}).get(name, {}).get("status") != "ok" for name in stages)
    return Entry(copy, bare)


def read_sink(folder, stages):
    """The lines of a sink in the order in which they were written. A torn last line, which a kill leaves until the
    sink starts again, is not yet one."""
    entries = []
    for path in [*sorted(folder.glob("articles-*.ndjson")), folder / "current.ndjson"]:
        if path.exists():
            lines = path.read_text(encoding="utf-8").split("\n")[:-1]
            entries += [entry_of(line, stages) for line in lines]
    return entries


def newest(keys):
    """Of each id the version that counts: the highest, which may be a kill."""
    heads = {}
    for id, version in keys:
        heads[id] = max(heads.get(id, 0), version)
    return heads


def lost(accepted, there):
    """(id, version) of the newest accepted versions of which neither they nor newer ones are there."""
    arrived = newest(there)
    return {(id, version) for id, version in newest(accepted).items() if arrived.get(id, 0) < version}


def goes_back(entries):
    """Ids of which an older version, or anything behind a kill, was written later."""
    seen, killed, found = {}, set(), set()
    for copy, _ in entries:
        is_again = copy.kill and copy.version == seen.get(copy.id)
        if (copy.id in killed and not is_again) or copy.version < seen.get(copy.id, 0):
            found.add(copy.id)
        seen[copy.id] = max(copy.version, seen.get(copy.id, 0))
        if copy.kill:
            killed.add(copy.id)
    return found


def audit(handed_in, accepted, entries, dead, early):
    """Findings of one sink by name. `handed_in`: (id, version) to Copy; `accepted`: those (id, version) of which the
    client was told that the broker has them; `dead`: (id, version) of the dead letters; `early`: ids that were
    seen before their time."""
    counts = collections.Counter((copy.id, copy.version) for copy, _ in entries)
    known = [copy for copy, _ in entries if (copy.id, copy.version) in handed_in]
    return {
        "lost": lost(accepted, set(counts) | dead),
        "doubled": {key for key, count in counts.items() if count > 1},
        "altered": {copy.id for copy in known if handed_in[copy.id, copy.version] != copy},
        "unknown": set(counts) - set(handed_in),
        "back": goes_back(entries),
        "bare": {copy.id for copy, bare in entries if bare},
        "early": set(early),
    }


# ---- Self-test: each mistake is planted once and must be found, and nothing else.

STAGES = ("clean", "dates")


def line(id, version=1, mark="old", **members):
    stages = {name: {"status": "ok"} for name in STAGES}
    return json.dumps({"id": id, "version": version, "mark": mark, "text": f"It ends with {mark}.", "stages": stages,
                       **members})


def kill(id, version):
    return json.dumps({"id": id, "version": version, "mark": "gone", "pubstatus": "canceled"})


def sound():
    """What is handed in, all of it accepted, and a sink in order: a story, one with two versions, a kill."""
    return [line("a"), line("b"), line("b", 2, "new"), line("c"), kill("c", 2)]


# What is wrong: the lines of the sink, and the finding.
DOCTORED = {
    "nothing": (sound(), None),
    "an older version was overtaken": ([line("a"), line("b", 2, "new"), kill("c", 2)], None),
    "a story is missing": (sound()[1:], "lost"),
    "the newest version is missing": ([line("a"), line("b"), line("c"), kill("c", 2)], "lost"),
    "a kill is missing": (sound()[:-1], "lost"),
    "a story is there twice": ([line("a"), *sound()], "doubled"),
    "a kill is there twice": ([*sound(), kill("c", 2)], "doubled"),
    "a version has the mark of another": ([line("a"), line("b"), line("b", 2), line("c"), kill("c", 2)], "altered"),
    "a text is cut": ([line("a", text="It ends wi"), *sound()[1:]], "altered"),
    "a kill became a story": ([*sound()[:-1], line("c", 2)], "altered"),
    "a story of nobody's": ([*sound(), line("z")], "unknown"),
    "a version of nobody's": ([*sound(), line("a", 7)], "unknown"),
    "an older version came last": ([line("a"), line("b", 2, "new"), line("b"), line("c"), kill("c", 2)], "back"),
    "a killed story came back": ([line("a"), *sound()[1:3], kill("c", 2), line("c")], "back"),
    "a stage did not work": ([line("a", stages={"clean": {"status": "ok"}}), *sound()[1:]], "bare"),
}


def findings_of(lines, dead=(), early=()):
    handed_in = {(copy.id, copy.version): copy for copy in (copy_of(json.loads(each)) for each in sound())}
    entries = [entry_of(each, STAGES) for each in lines]
    return [name for name, what in audit(handed_in, set(handed_in), entries, set(dead), early).items() if what]


def self_test():
    """Mistakes of the ledger itself, as sentences."""
    mistakes = []
    for about, (lines, wanted) in DOCTORED.items():
        found = findings_of(lines)
        if found != ([wanted] if wanted else []):
            mistakes.append(f"{about}: found {found}, wanted {wanted}")
    if lost({("a", 1)}, {("a", 2)}):
        mistakes.append("a version overtaken by one that was not told accepted counts as lost")
    if findings_of(sound()[1:], dead=[("a", 1)]):
        mistakes.append("a dead letter counts as lost")
    if findings_of(sound(), early=["a"]) != ["early"]:
        mistakes.append("an embargo broken is not found")
    return mistakes
