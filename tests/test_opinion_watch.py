"""The blueprint opinion-watch: what its README says of its data, and its whole way from a new folder to the digest."""

import csv
import importlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

import windlass
from windlass import spec
from windlass.blueprints import catalogue
from windlass.trends.command import TrendsRequest, trends
from windlass.trends.definition import load_definition
from windlass.trends.entities import Finder

TOOLS = Path(__file__).resolve().parent.parent / "tools"
HOME = catalogue.HOME / "opinion-watch"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def news():
    with (HOME / "data" / "news.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stream():
    lines = (HOME / "stream.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def test_data_and_stream_are_what_their_tool_writes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    tool = importlib.import_module("make_opinion_watch")
    tool.main(tmp_path / "data")
    assert (tmp_path / "data" / "news.csv").read_bytes() == (HOME / "data" / "news.csv").read_bytes()
    assert (tmp_path / "stream.jsonl").read_bytes() == (HOME / "stream.jsonl").read_bytes()


def test_the_sample_is_balanced_and_says_nothing_twice():
    rows = news()
    assert len({row["text"] for row in rows}) == len(rows) == 1296
    assert set(Counter((row["sentiment"], row["topic"]) for row in rows).values()) == {72}
    assert len({row["line"] for row in rows}) == 216
    assert sum(1 for row in rows if CHINESE.search(row["text"])) == 432


def test_no_choice_and_no_slot_is_left_open():
    for text in [row["text"] for row in news()] + [row["text"] for row in stream()]:
        assert not re.search(r"[{}<>|]|\ban? [aeio]\w*ly\b", text), text
        if CHINESE.search(text):
            assert not re.search(r"[a-z]", text), text


def test_the_stream_holds_no_text_of_the_sample():
    assert not {row["text"] for row in news()} & {row["text"] for row in stream()}


def test_whom_the_stream_is_about_is_found():
    definition = load_definition(HOME)
    finder = Finder(definition.entities, definition.ignore)
    found = Counter(name for row in stream() for name in finder.find(row["text"]))
    assert set(found) == set(definition.entities)
    assert all(finder.find(row["text"]) for row in stream() if row["text"])
    assert min(found.values()) > 100


def test_both_products_read_the_same_file_and_keep_the_variants_of_a_sentence_together():
    whole, topics = spec.load(HOME), spec.load(HOME / "topics")
    assert (HOME / "topics" / topics.data).resolve() == (HOME / whole.data).resolve()
    assert whole.group == topics.group == "line"
    assert {*whole.columns, *topics.columns, "line"} == set(news()[0])


def test_the_readme_says_how_to_run_and_replace_it():
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    assert "windlass new opinion-watch " in readme
    assert "## Make it yours" in readme


@pytest.mark.slow
def test_from_a_new_folder_to_the_alarm_as_the_readme_has_it(tmp_path):
    """Half a minute of training; the bank in trouble has its alarm on the day, the loud van has none."""
    folder = catalogue.copy("opinion-watch", tmp_path / "my-watch")
    for part in (folder, folder / "topics"):
        with (part / "windlass.yaml").open("a", encoding="utf-8") as file:
            file.write("learners: [linear]\n")
        windlass.Project(part).release()
    found = trends(folder, TrendsRequest(folder / "stream.jsonl")).trends
    alarms = {(event.entity, event.first) for event in found.events if event.entity}
    assert ("Harbour Bank", "2025-04-23") in alarms or ("Harbour Bank", "2025-04-24") in alarms
    assert not [name for name, _ in alarms if name == "Solstice Motors"]
    assert sum(found.reading.refused.values()) == 4
    assert found.silent == ["2025-04-13"]
    before = trends(folder, TrendsRequest(folder / "stream.jsonl", day="2025-04-22"))
    assert "No alarm." in before.digest
