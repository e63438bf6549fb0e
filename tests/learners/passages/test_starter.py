"""Questions that come with Windlass: their quotations are there to the letter, and few of one's own are enough."""

from dataclasses import replace

from windlass.kinds import cited
from windlass.learners.contract import Budget, Options
from windlass.learners.passages import search
from windlass.learners.passages.starter import starter_questions
from windlass.predictors import table as predictors
from windlass.records import Passage
from windlass.testing.toys import cited_toy

MANY = 10_000.0
"""Seconds, of which all documents are learned from."""


def passage(text: str) -> Passage:
    return Passage("a.md", (), 0, 0, len(text), text)


def test_every_quotation_stands_in_its_passage_and_questions_without_an_answer_are_there() -> None:
    passages, taught = starter_questions([passage("We open at nine. 我们九点开门。")], MANY)
    answered = [(gold, right) for gold, right in zip(taught.gold, taught.rights, strict=True) if gold]
    assert len(answered) > 900
    assert taught.gold.count(None) > 150
    assert all(right["quote"] in passages[min(gold)].text for gold, right in answered)
    assert all(cited.is_refusal(right) for gold, right in zip(taught.gold, taught.rights, strict=True) if not gold)
    assert len({text.strip().casefold() for text in taught.texts}) > 0.99 * len(taught.texts)


def test_they_are_of_the_languages_of_the_documents_and_as_many_as_time_allows() -> None:
    english, _ = starter_questions([passage("We open at nine.")], MANY)
    chinese, _ = starter_questions([passage("我们九点开门。")], MANY)
    assert all(each.text.isascii() or "é" in each.text or "–" in each.text or "€" in each.text or "°" in each.text
               or "£" in each.text or "’" in each.text for each in english[:20])  # fmt: skip
    assert not any(each.title.isascii() for each in chinese)
    few, taught = starter_questions([passage("We open at nine.")], 6.0)
    assert len({each.document for each in few}) == 3
    assert 0 < len(taught.texts) < 40
    assert starter_questions([passage("We open at nine.")], 0.0)[1].texts == []


def test_ten_questions_of_ones_own_give_a_reader(tmp_path) -> None:
    splits = cited_toy(tmp_path)
    splits = replace(splits, train=splits.train.head(10))
    told = []
    found = search.fit_bm25(splits, Options(tmp_path, "answer_accuracy"), Budget(12.0), lambda *said: told.append(said))
    answerer = predictors.load(found.artifact)
    assert answerer.engine.reader is not None
    assert len(answerer.engine.sureness) > 0
    alone = tmp_path / "alone"
    found = search.fit_bm25(splits, Options(alone, "answer_accuracy"), Budget(0.0), lambda *said: None)
    assert predictors.load(found.artifact).engine.reader is None
