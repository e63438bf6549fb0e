"""What is looked for when a document is forgotten, and where: in text, JSON in JSON, HTML, Parquet and SQLite."""

import json
import sqlite3
from contextlib import closing

import polars as pl

from windlass.database.erasure import cites
from windlass.forgetting.traces import traces
from windlass.forgetting.words import words_of
from windlass.records import Passage
from windlass.sources.documents.forgotten import Forgotten, fates, row_digest

OWN = 'Anna\'s villa is "Rosa" in Nice. 安娜的别墅在尼斯海边。 Yes. Ask the desk for help.'


def passage(document: str, text: str, title: str = "") -> Passage:
    return Passage(document, (), 0, 0, len(text), text, title=title)


WORDS = words_of("anna.md", [passage("anna.md", OWN, "A file about Anna")], [passage("b.md", "Ask the desk for help!")])


def test_a_document_is_known_by_the_sentences_that_it_alone_has():
    assert WORDS.own == ("A file about Anna", 'Anna\'s villa is "Rosa" in Nice', "安娜的别墅在尼斯海边")
    assert (WORDS.short, WORDS.n_shared) == (("Yes",), 1)
    assert WORDS.asked[0] == "A file about Anna"
    assert len(WORDS.asked) == 5


def test_a_quotation_is_seen_however_it_is_written():
    said = 'He said: Anna\'s villa\nis "Rosa" in Nice, and left'
    nested = json.dumps({"row": json.dumps({"text": said})})
    for text in (said, json.dumps({"a": said}), nested, said.replace('"', "&quot;").replace("'", "&#x27;"),
                 json.dumps({"a": "安娜的别墅在尼斯海边"}), "Yes."):  # fmt: skip
        assert WORDS.quote(text)
    for text in ("Yes, that is so.", "Ask the desk for help.", "", "anna.md"):
        assert not WORDS.quote(text)
    assert not words_of("x.md", [], []).quote("anything")


def test_a_citation_is_seen_inside_of_json_that_is_a_text():
    assert cites(json.dumps({"correct": json.dumps({"document": "anna.md"})}), "anna.md")
    assert not cites(json.dumps({"text": "anna.md"}), "anna.md")
    assert not cites("{anna.md", "anna.md")


def test_every_file_of_the_store_is_read(tmp_path):
    """One file a form, each with a trace; and one without, a list of what was forgotten, and a folder left out."""
    sentence = 'Anna\'s villa is "Rosa" in Nice.'
    for folder in ("train", "serve", "forget"):
        (tmp_path / folder).mkdir()
    pl.DataFrame({"n": [1], "parts": [[{"text": sentence}]]}).write_parquet(tmp_path / "train" / "a.parquet")
    with closing(sqlite3.connect(tmp_path / "serve" / "log.sqlite")) as made:
        made.execute("create table t (x text)")
        made.execute("insert into t values (?)", ("x" * 4_000 + sentence,))
        made.commit()
    (tmp_path / "b.json").write_text(json.dumps({"document": "anna.md"}))
    (tmp_path / "forgotten.json").write_text(json.dumps({"document": "anna.md"}))
    (tmp_path / "c.html").write_text("nothing")
    (tmp_path / "forget" / "d.txt").write_text(sentence)
    assert traces(tmp_path, WORDS, ("forget",)) == (["b.json", "serve/log.sqlite", "train/a.parquet"], 5)


def test_rows_that_rest_on_it_are_to_be_refused_or_left_out():
    """By hand: named, known by fingerprint, written from it, said by another document as well, and not touched."""
    rights = ['{"document": "anna.md", "text": "Rosa"}', '{"text": "in Nice"}',
              '{"document": "anna.md", "synthetic": true}',
              '{"document": "anna.md", "quote": "Ask the desk for help!"}', '{"document": "b.md"}']  # fmt: skip
    rows = [{"question": str(number)} for number in range(5)]
    gone = Forgotten("anna.md", "2026-11-30T10:00:00+00:00", (), (row_digest(rows[1], rights[1]),))
    texts = {"b.md": "Ask  the desk for help!"}
    assert fates([gone], rows, rights, texts) == [
        "{}", "{}", None, '{"quote": "Ask the desk for help!"}', rights[4]
    ]  # fmt: skip
    assert fates([], rows, rights, texts) == rights
