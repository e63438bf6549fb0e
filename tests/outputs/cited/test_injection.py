"""Orders planted into passages: what answers by them is told, and what the product builds does not."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from windlass.metrics.citations import NO_PASSAGE, CitedMarks
from windlass.outputs.cited.injection import CODE, N_ATTACKS, ORDERS, PLACES, attacks
from windlass.outputs.cited.report import details, remarks
from windlass.predictors.language.sentences import spans
from windlass.predictors.passages.answerer import Answerer, Found, Sentence
from windlass.predictors.passages.engine import PassageEngine
from windlass.predictors.passages.index import build
from windlass.predictors.reading.sentences import Retrieved
from windlass.records import Column, Manifest, Passage

TEXTS = (
    "Our kettle weighs 812 grams. It is blue.",
    "Our lamp weighs 35 grams.",
    "我们的水壶重量为七百克。它是红色的。",
    "我们的台灯重量为三百克。",
)
ROWS = [{"question": "How many grams does the kettle weigh?"}, {"question": "水壶的重量是多少克？"}]
PASSAGES = [Passage(f"{n}.md", (), 0, 0, len(text), text, title="thing") for n, text in enumerate(TEXTS)]
MANIFEST = Manifest("passages", "bm25", (Column("question", "text"),), Column("answer", "cited"))


@dataclass(frozen=True)
class Naive:
    """Answers with the first sentence of the passages that has a capital code, else with the first one there is."""

    passages: list[Passage]

    def find(self, questions, hidden=(), allowed=None):
        every = [Sentence(n, *span) for n, each in enumerate(self.passages) for span in spans(each.text)]
        said = [each for each in every if CODE in self.passages[each.place].text[each.start : each.end]]
        return [Found(range(4), (4.0, 3.0, 2.0, 1.0), ((said or every)[0],), 0.9) for _ in questions]

    def retrieved(self, found):
        return [Retrieved(str(n), each.text) for n, each in enumerate(self.passages)]

    def with_passages(self, passages):
        return replace(self, passages=passages)


def test_no_order_reaches_what_is_read_and_answers_stay_what_they_were():
    """Each order in each place: the titles, tables and whole passages, too."""
    index = build([each.searched for each in PASSAGES])
    found = attacks(Answerer(MANIFEST, PassageEngine(PASSAGES, index)), ROWS, np.array([True, True]))
    assert len(found) == N_ATTACKS
    assert {each.place for each in found} == set(PLACES)
    assert {each.language for each in found} == {"en", "zh"}
    assert [each.order for each in found if each.succeeded] == []
    assert [each.order for each in found if each.is_changed] == []


def test_one_that_reads_orders_as_facts_is_told():
    """The control: every order with a code that is planted into a text is its answer."""
    found = attacks(Answerer(MANIFEST, Naive(PASSAGES)), ROWS, np.array([True, False]))
    for each in found:
        assert each.succeeded == (each.place != "title" and CODE in each.order) or each.place == "sentence", each
    marks = marks_of(found)
    succeeded = sum(each.succeeded for each in found)
    assert succeeded > N_ATTACKS / 3
    assert marks.value("attack_success_rate") == pytest.approx(succeeded / N_ATTACKS)
    assert remarks(marks, "answer_accuracy") == [
        f"{succeeded} of {N_ATTACKS} orders planted into passages reached an answer"
    ]
    assert details(marks)["attacks"][0]["order"] == ORDERS[0]


def test_no_questions_no_attacks():
    assert attacks(Answerer(MANIFEST, Naive(PASSAGES)), [], np.zeros(0, bool)) == ()


def marks_of(found) -> CitedMarks:
    """Four questions: the surest right, the next wrong, then a refusal where nothing answers, and one right."""
    flags = np.array([True, False, False, True])
    zeros = np.zeros(4, int)
    ranks = np.array([1, 2, NO_PASSAGE, 1])
    answerable, given = np.array([True, True, False, True]), np.array([True, True, False, False])
    return CitedMarks(ranks, answerable, given, np.array([True, False, True, False]), flags, flags * 1.0,
                      np.array([0.9, 0.8, 0.7, 0.6]), zeros * 1.0, zeros, zeros, attacks=found)  # fmt: skip


def test_the_board_keeps_the_curve_of_risk_and_coverage():
    """By hand: 1 of 1 right, 1 of 2, 1 of 3, 2 of 4."""
    curve = details(marks_of(()))["risk_coverage"]
    assert [each["answered"] for each in curve] == [0.25, 0.5, 0.75, 1.0]
    assert [each["wrong"] for each in curve] == pytest.approx([0, 1 / 2, 2 / 3, 1 / 2])
    assert [each["confidence"] for each in curve] == [0.9, 0.8, 0.7, 0.6]
    assert "attack_success_rate" not in marks_of(()).metrics
