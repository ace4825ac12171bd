#!/usr/bin/env python3
"""`copydesk enrich` and the command line, as a person meets them.  usage: COPYDESK=PROGRAM test_enrich.py [NAME...]"""

from lib import *

STORY = ("A dam broke near Springfield on Thursday, officials said.\n\n"
         "Mayor Jane Hopkins told reporters in Springfield that 300 people had left their homes.\n\n"
         "The National Guard sent two helicopters on Friday morning.\n")


def without_times(article):
    for stage in article.get("stages", {}).values():
        stage.pop("ms", None)
    return article


def documents(count):
    return [{"id": f"a{i}", "text": f"Story {i}. " + STORY} for i in range(count)]


# ---- The commands

def test_an_unknown_command_is_answered_with_the_nearest():
    result = run("enrch")
    equal(result.code, 2)
    equal(result.err, "copydesk: no command 'enrch'. Did you mean 'enrich'?\n")


def test_a_command_near_to_nothing_gets_the_list():
    result = run("frobnicate")
    equal(result.code, 2)
    equal(result.err, "copydesk: no command 'frobnicate'; 'copydesk help' lists them\n")


def test_help_lists_the_commands_and_explains_one():
    holds(run("help").out, "enrich")
    holds(run("help", "enrich").out, "--published-at DATE")
    equal(run("help", "enrich").out, run("enrich", "--help").out)
    equal(run("help").code, 0)
    equal(run().code, 2)


def test_version_is_one_line():
    result = run("--version")
    equal(result.code, 0)
    equal(result.out.split()[0], "copydesk")


def test_an_unknown_flag_is_answered_with_the_nearest():
    result = run("enrich", "--explane")
    equal(result.code, 2)
    equal(result.err, "copydesk: no flag '--explane'. Did you mean '--explain'?\n")


def test_flags_with_bad_values_say_what_they_take():
    for flags, part in ((["-j", "x"], "--jobs takes a number"), (["--limit", "5Q"], "--limit takes a size"),
                        (["--published-at", "yesterday"], "--published-at takes a date"), (["--only"], "--only needs"),
                        (["--json", "--card"], "exclude each other"), (["--json=1"], "--json takes no value")):
        result = run("enrich", *flags)
        equal(result.code, 2, flags)
        holds(result.err, part)


def test_an_unknown_stage_is_answered_with_the_nearest():
    result = run("enrich", "--only", "dats")
    equal(result.code, 2)
    equal(result.err, "copydesk: no stage 'dats'. Did you mean 'dates'?\n")


# ---- What is read

def test_lines_go_through_in_order_and_keep_unknown_members(folder):
    source = [{"id": "b", "text": STORY, "tweet": 1296088384842162177}, {"id": "a", "text": STORY, "x": [0.10]}]
    result = run("enrich", write(folder / "in.ndjson", ndjson(source)))
    equal(result.code, 0)
    first, second = result.articles()
    equal((first["id"], second["id"]), ("b", "a"))
    equal(first["tweet"], 1296088384842162177)
    holds(result.out, '"x":[0.1]')
    equal(first["text"], STORY)
    for stage in ("clean", "entities", "dates", "summary"):
        equal(first["stages"][stage]["status"], "ok", stage)


def test_standard_input_is_read_without_files():
    result = run("enrich", stdin=ndjson([{"id": "a", "text": STORY}]))
    equal(result.code, 0)
    equal(result.articles()[0]["id"], "a")
    equal(result.err, "")


def test_a_pretty_printed_document_is_read(folder):
    path = write(folder / "a.json", json.dumps({"id": "a", "text": STORY}, indent=2))
    result = run("enrich", path)
    equal(result.code, 0)
    equal(len(result.articles()), 1)
    equal(result.err, f"note: {path}: read 1 JSON document\n")


def test_an_array_is_read(folder):
    result = run("enrich", write(folder / "a.json", json.dumps(documents(3), indent=1)))
    equal(result.code, 0)
    equal([a["id"] for a in result.articles()], ["a0", "a1", "a2"])


def test_a_page_is_read_whatever_its_name(folder):
    page = f"<!doctype html><html><head><title>Dam breaks</title></head><body><article><h1>Dam breaks</h1>" \
           f"{''.join(f'<p>{p}</p>' for p in STORY.split(chr(10)) if p)}</article></body></html>"
    result = run("enrich", write(folder / "page.txt", page))
    equal(result.code, 0)
    article = result.articles()[0]
    equal(article["id"], "page.txt")
    equal(article["content_type"], "text/html")
    holds(article["text"], "Mayor Jane Hopkins told reporters")
    lacks(result.out, '"content":')
    holds(run("enrich", "--keep-content", folder / "page.txt").out, '"content":')


def test_a_text_is_read(folder):
    article = run("enrich", write(folder / "story.txt", STORY)).articles()[0]
    equal(article["id"], "story.txt")
    equal(article["content_type"], "text/plain")
    holds(article["text"], "National Guard")


def test_text_on_standard_input_gets_a_steady_id():
    first = run("enrich", stdin=STORY).articles()[0]["id"]
    equal(first, run("enrich", stdin=STORY).articles()[0]["id"])
    equal(first.startswith("text-"), True)


def test_windows_1252_is_converted_with_a_note(folder):
    path = write(folder / "l.txt", "Un café à Orléans. Le maire a parlé jeudi.\n".encode("latin1"))
    result = run("enrich", path)
    equal(result.code, 0)
    equal(result.err, f"note: {path}: decoded as windows-1252 (not UTF-8 at byte 6)\n")
    holds(result.articles()[0]["text"], "café à Orléans")


def test_utf16_is_converted_with_a_note(folder):
    result = run("enrich", write(folder / "w.ndjson", ndjson([{"id": "é😀", "text": "x"}]).encode("utf-16")))
    equal(result.code, 0)
    equal(result.articles()[0]["id"], "é😀")
    holds(result.err, "decoded as UTF-16LE")


def test_files_that_are_not_read_are_refused_by_name(folder):
    for content, name in ((b"%PDF-1.4\n", "a PDF"), (b"PK\x03\x04....", "a zip file"), (b"\x1f\x8b\x08", "a gzip file"),
                          (b"\x89PNG\r\n", "a PNG image"), (b"\xd0\xcf\x11\xe0", "a Word or Office file"),
                          (b"<?xml version='1.0'?><rss version='2.0'/>", "an RSS feed"), (b"a\0b\1", "binary data")):
        result = run("enrich", write(folder / "in.txt", content))
        equal(result.code, 65, name)
        holds(result.err, f"looks like {name}")
        holds(result.err, "read are NDJSON, JSON, HTML and plain text")
        equal(result.err.count("\n"), 1)


def test_missing_files_and_folders_end_with_66(folder):
    for path in (folder / "nothing", folder):
        result = run("enrich", path)
        equal(result.code, 66)
        equal(result.err.count("\n"), 1)
    good = write(folder / "a.ndjson", ndjson(documents(1)))
    result = run("enrich", folder / "nothing", good)
    equal(result.code, 1)
    equal(len(result.articles()), 1)


def test_an_empty_input_is_no_failure(folder):
    result = run("enrich", write(folder / "empty.ndjson", ""))
    equal((result.code, result.out), (0, ""))
    holds(result.err, "is empty")


# ---- Mistakes in the input

def test_a_bad_line_is_named_and_skipped(folder):
    lines = ndjson(documents(3)).splitlines()
    lines[1] = '{"id":"x","text":"a" "b"}'
    path = write(folder / "in.ndjson", "\n".join(lines) + "\n")
    result = run("enrich", path)
    equal(result.code, 1)
    equal([a["id"] for a in result.articles()], ["a0", "a2"])
    holds(result.err, f"copydesk: {path}:2:22: expected ',' or '}}' after the value, found '\"' - skipped "
                      "(--strict stops)\n")
    holds(result.err, f"3 read, 2 ok, 1 failed ({path}), ")


def test_strict_stops_at_the_first_failure(folder):
    lines = ndjson(documents(30)).splitlines()
    lines[9] = "{"
    path = write(folder / "in.ndjson", "\n".join(lines) + "\n")
    result = run("enrich", "--strict", "-j", "2", path)
    equal(result.code, 65)
    equal(len(result.articles()), 9)
    holds(result.err, f"{path}:10:")
    lacks(result.err, "skipped")


def test_a_line_over_the_limit_is_skipped_and_the_flag_named(folder):
    lines = ndjson(documents(3)).splitlines()
    lines[1] = json.dumps({"id": "big", "text": "x " * 3_000_000})
    path = write(folder / "in.ndjson", "\n".join(lines) + "\n")
    result = run("enrich", "--limit", "1M", path)
    equal(result.code, 1)
    equal(len(result.articles()), 2)
    holds(result.err, f"{path}:2: larger than 1048576 bytes; --limit SIZE allows more")


def test_hostile_json_is_refused_quickly():
    for document, part in (('{"a":' + "[" * 100_000, "nested deeper than 64 levels"),
                           ('{"a":[' + "1," * 2_000_000, "more than 1048576 values"),
                           ("{" + ",".join(f'"k{i}":1' for i in range(5000)) + "}", "more than 1024 members"),
                           ('{"id":"a","id":"b"}', "the member 'id' stands twice")):
        result = run("enrich", stdin=document + "\n")
        equal(result.code, 65, part)
        holds(result.err, part)
        below(result.seconds, 2, part)


def test_an_article_that_is_only_an_address_is_passed_on_and_said():
    result = run("enrich", stdin='{"id":"a","url":"https://example.org/a"}\n')
    equal(result.code, 1)
    equal(result.articles()[0]["stages"]["dates"]["status"], "skipped")
    holds(result.err, "standard input:1: there is no text")


def test_a_document_with_nothing_to_read_is_refused():
    result = run("enrich", stdin='{"id":"a"}\n')
    equal(result.code, 65)
    holds(result.err, "the article has none of 'content', 'text', 'url'")


# ---- Many articles

def test_the_order_is_kept_on_any_number_of_threads(folder):
    source = [{"id": f"a{i}", "text": STORY * (1 + 40 * (i % 7 == 0))} for i in range(300)]
    path = write(folder / "in.ndjson", ndjson(source))
    alone = [without_times(a) for a in run("enrich", "-j1", path).articles()]
    equal([a["id"] for a in alone], [a["id"] for a in source])
    for workers in ("2", "7"):
        result = run("enrich", "-j", workers, path)
        equal(result.code, 0)
        equal([without_times(a) for a in result.articles()] == alone, True, f"output with {workers} threads")


def test_ten_thousand_lines_stream_in_bounded_memory(folder):
    path = folder / "in.ndjson"
    with open(path, "w") as file:
        for document in documents(10_000):
            file.write(json.dumps(document | {"padding": "x" * 3000}) + "\n")
    few = write(folder / "few.ndjson", "".join(open(path).readlines()[:500]))
    # An address sanitizer keeps freed memory for a while; let that be little.
    env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"}
    with open(folder / "out.ndjson", "wb") as out:
        small = run("enrich", few, stdout=out, env=env, timeout=120)
        large = run("enrich", path, stdout=out, env=env, timeout=120)
    equal(large.code, 0)
    holds(large.err, f"10000 read, 10000 ok, 0 failed ({path}), ")
    below(large.rss_kb, small.rss_kb + 24 * 1024, "KB resident for 20 times the lines")


def test_results_come_while_the_input_is_still_open():
    process = start("enrich", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for i in range(12):  # more than run in the main thread
        process.stdin.write(ndjson([{"id": f"a{i}", "text": STORY}]).encode())
        process.stdin.flush()
        equal(json.loads(process.stdout.readline())["id"], f"a{i}")
    process.stdin.close()
    equal(wait(process)[0], 0)
    process.stdout.close()


def test_one_article_takes_less_than_a_third_of_a_second_cold(folder):
    path = write(folder / "story.txt", STORY)
    seconds = min(run("enrich", path).seconds for _ in range(3))
    below(seconds, 0.3, "seconds for one article")


# ---- The output

def test_a_reader_that_goes_away_ends_the_run_with_73(folder):
    path = write(folder / "in.ndjson", ndjson(documents(2000)))
    process = start("enrich", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    error = process.stderr.read().decode()
    process.stderr.close()
    equal(wait(process)[0], 73)
    equal(error.count("cannot write to standard output: Broken pipe; the program that read it has ended\n"), 1)


def test_a_full_disk_is_said_and_ends_with_73():
    if not os.path.exists("/dev/full"):
        skip("no /dev/full")
    with open("/dev/full", "wb") as full:
        result = run("enrich", stdin=ndjson(documents(20)), stdout=full)
    equal(result.code, 73)
    holds(result.err, "cannot write to standard output: No space left on device")


def test_an_output_file_appears_when_it_is_complete(folder):
    out = write(folder / "out.ndjson", "before\n")
    process = start("enrich", "--out", out, stdin=subprocess.PIPE)
    process.stdin.write(ndjson(documents(5)).encode())
    process.stdin.flush()
    until(lambda: len(list(folder.iterdir())) == 2, "the temporary file")
    equal(out.read_text(), "before\n")
    process.stdin.close()
    equal(wait(process)[0], 0)
    equal(len(out.read_text().splitlines()), 5)
    equal(list(folder.iterdir()), [out])


def test_a_failed_strict_run_leaves_the_old_output(folder):
    out = write(folder / "out.ndjson", "before\n")
    result = run("enrich", "--strict", "--out", out, stdin=ndjson(documents(2)) + "{\n")
    equal(result.code, 65)
    equal(out.read_text(), "before\n")
    equal(list(folder.iterdir()), [out])


def test_an_interrupted_run_leaves_the_old_output_and_no_rubbish(folder):
    for number in (signal.SIGINT, signal.SIGTERM):
        out = write(folder / "out.ndjson", "before\n")
        process = start("enrich", "--out", out, stdin=subprocess.PIPE)
        process.stdin.write(ndjson(documents(5)).encode())
        process.stdin.flush()
        until(lambda: len(list(folder.iterdir())) == 2, "the temporary file")
        equal(stop(process, number), -number)
        process.stdin.close()
        equal(out.read_text(), "before\n")
        equal(list(folder.iterdir()), [out])


def test_an_output_file_keeps_its_permissions_and_its_link(folder):
    target = write(folder / "target.ndjson", "before\n")
    target.chmod(0o640)
    (folder / "link").symlink_to(target)
    equal(run("enrich", "--out", folder / "link", stdin=ndjson(documents(2))).code, 0)
    equal(len(target.read_text().splitlines()), 2)
    equal(target.stat().st_mode & 0o777, 0o640)
    equal((folder / "link").is_symlink(), True)


def test_a_device_is_written_in_place():
    equal(run("enrich", "--out", "/dev/null", stdin=ndjson(documents(2))).code, 0)
    equal(pathlib.Path("/dev/null").is_char_device(), True)


def test_an_output_that_cannot_be_opened_ends_with_73(folder):
    result = run("enrich", "--out", folder / "no" / "out.ndjson", stdin=ndjson(documents(1)))
    equal(result.code, 73)
    holds(result.err, "cannot write ")


# ---- The flags

def test_only_runs_what_is_asked_and_what_that_needs():
    article = run("enrich", "--only", "dates", stdin=ndjson(documents(1))).articles()[0]
    equal(sorted(article["stages"]), ["clean", "dates"])


def test_published_at_resolves_relative_dates():
    article = run("enrich", "--published-at", "2020-08-19", stdin=ndjson(documents(1))).articles()[0]
    equal(article["published_at"], "2020-08-19")
    equal(article["published_at_source"], "input")
    values = {date["text"]: date["value"] for date in article["dates"]}
    equal(values.get("Thursday"), "2020-08-13", "a past Thursday seen from a Wednesday")


def test_explain_tells_why_beside_the_output():
    result = run("enrich", "--explain", stdin=ndjson(documents(1)))
    equal(result.code, 0)
    equal(len(result.articles()), 1)
    holds(result.err, "dates: ")


def test_a_data_folder_without_tables_is_named(folder):
    result = run("enrich", stdin=ndjson(documents(1)), env={"COPYDESK_DATA": str(folder)})
    equal(result.code, 78)
    holds(result.err, str(folder))


# ---- One step alone

def test_sentences_and_tokens_read_what_enrich_reads(folder):
    path = write(folder / "in.ndjson", ndjson([{"id": "a", "text": "Mr. Li left. It rained."}]))
    sentences = json.loads(run("sentences", path).out)
    equal(sentences, {"id": "a", "sentences": [{"start": 0, "end": 12}, {"start": 13, "end": 23}]})
    tokens = json.loads(run("tokens", write(folder / "in.txt", "It rained.")).out)
    equal([t["text"] for t in tokens["tokens"]], ["It", "rained", "."])
    equal(run("tokens", folder / "none").code, 66)
    result = run("sentences", write(folder / "page.html", "<html><p>Hello.</p></html>"))
    equal(result.code, 65)
    holds(result.err, "take it out first: copydesk enrich --only clean")
    equal(run("help", "tokens").code, 0)


# ---- On a terminal

def test_a_terminal_gets_a_card_in_colour(folder):
    path = write(folder / "a.ndjson", ndjson([{"id": "a", "title": "Dam breaks near Springfield", "text": STORY}]))
    shown, code = run_on_terminal("enrich", path)
    equal(code, 0)
    holds(shown, "\x1b[1mDam breaks near Springfield\x1b[0m")
    holds(shown, "PEOPLE")
    holds(shown, "SUMMARY")
    lacks(shown, '{"id"')


def test_no_color_is_honoured(folder):
    path = write(folder / "story.txt", STORY)
    lacks(run_on_terminal("enrich", path, env={"NO_COLOR": "1"})[0], "\x1b")
    lacks(run_on_terminal("enrich", "--no-color", path)[0], "\x1b")


def test_cards_fit_the_terminal(folder):
    path = write(folder / "story.txt", "Dam breaks near Springfield\n\n" + STORY + "https://example.org/" + "x" * 200)
    for columns in (40, 72, 100):
        shown, _ = run_on_terminal("enrich", "--no-color", path, columns=columns)
        below(max(len(line) for line in shown.splitlines()), columns + 1, "columns")


def test_articles_cannot_command_the_terminal():
    hostile = {"id": "a", "title": "x\u001b]0;owned\u0007\u202e y\u009b2J", "text": STORY}
    result = run("enrich", "--card", stdin=json.dumps(hostile) + "\n")
    for character in "\x1b\x07\u202e\x9b":
        lacks(result.out, character)
    holds(result.out, "x]0;owned y2J")


def test_a_terminal_without_a_file_gets_a_hint():
    shown, code = run_on_terminal("enrich", "--json", typed=b'{"id":"a","text":"x"}\n\x04')
    equal(code, 0)
    holds(shown, "reading standard input (Ctrl-D to end); try: copydesk enrich FILE")


def test_long_work_shows_its_progress_on_a_terminal(folder):
    path = write(folder / "in.ndjson", ndjson([{"id": f"a{i}", "text": STORY * 20} for i in range(3000)]))
    shown, code = run_on_terminal("enrich", "-j1", "--out", folder / "out.ndjson", path)
    equal(code, 0)
    holds(shown, " articles, ")
    holds(shown, " %")
    holds(shown, "\r\x1b[K3000 read, 3000 ok, 0 failed")


# ---- The contract

def unnamed(schema, value, path=""):
    """Members of `value` that the schema does not name, as paths."""
    if isinstance(value, list):
        return set().union(*(unnamed(schema.get("items", {}), item, path + "[]") for item in value))
    if not isinstance(value, dict):
        return set()
    if isinstance(schema.get("additionalProperties"), dict):
        return set().union(*(unnamed(schema["additionalProperties"], item, path + ".*") for item in value.values()))
    properties = schema.get("properties")
    if properties is None:
        return set()
    found = {f"{path}.{name}" for name in value if name not in properties}
    return found.union(*(unnamed(properties[name], item, f"{path}.{name}")
                         for name, item in value.items() if name in properties))


def test_everything_printed_keeps_the_schema():
    try:
        import jsonschema
    except ImportError:
        skip("no python3-jsonschema")
    schema = json.loads((ROOT / "proto" / "article.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    samples = [p for p in sorted((ROOT / "tests" / "articles").glob("*.*")) if p.suffix in (".txt", ".html", ".json")]
    for flags in ([], ["--published-at", "2020-08-19"]):
        for article in run("enrich", *flags, *samples).articles():
            errors = [f"{article['id']}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}"
                      for e in validator.iter_errors(article)]
            equal(errors, [], "against proto/article.schema.json")
            if "x_custom" not in article:  # the sample with members of its own
                equal(unnamed(schema, article), set(), f"{article['id']}: members the schema does not name")


def test_enriching_again_changes_nothing(folder):
    once = run("enrich", "--published-at", "2020-08-19", stdin=ndjson(documents(3)))
    twice = run("enrich", stdin=once.out)
    equal(twice.code, 0)
    equal([without_times(a) for a in twice.articles()], [without_times(a) for a in once.articles()])


if __name__ == "__main__":
    main(globals())
