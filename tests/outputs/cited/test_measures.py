"""What cited answers are measured by: by hand on five questions; and from which confidence on they are given."""

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.kinds import cited
from windlass.kinds.sketch import Shift
from windlass.metrics.citations import NO_PASSAGE, CitedMarks, best_confidence
from windlass.outputs.cited.report import remarks
from windlass.pages.text.alarm_words import sentence
from windlass.predictors.passages.answerer import Gold, is_right
from windlass.records import Passage
from windlass.sources.guessing.written_questions import written
from windlass.watching.evidence import alarm_of


def marks() -> CitedMarks:
    """Right, wrong, refused though answerable, rightly refused, answered though nothing answers."""
    return CitedMarks(
        ranks=np.array([1, 0, 2, NO_PASSAGE, NO_PASSAGE]),
        answerable=np.array([True, True, True, False, False]),
        given=np.array([True, True, False, False, True]),
        right=np.array([True, False, False, True, False]),
        is_found=np.array([True, False, True, False, False]),
        f1=np.array([1.0, 0.2, 0.9, np.nan, np.nan]),
        confidence=np.array([0.9, 0.6, 0.4, 0.1, 0.7]),
        cites=np.array([0.5, 0.0, 0.0, 0.0, 0.0]),
        n_generated=np.array([3, 0, 0, 0, 1]),
        n_dropped=np.array([1, 0, 0, 0, 0]),
    )


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("answer_accuracy", 2 / 5),
        ("mrr", (1 + 0 + 1 / 2) / 3),
        ("recall_at_1", 1 / 3),
        ("recall_at_5", 2 / 3),
        ("answer_f1", (1 + 0.2 + 0.9) / 3),
        ("risk", 2 / 3),
        ("answered", 2 / 3),
        ("citation_precision", (0.5 + 0 + 0) / 3),
        ("citation_recall", 1 / 3),
        ("unsupported", 1 / 4),
    ],
)
def test_each_metric_by_hand(metric, value):
    assert marks().value(metric) == pytest.approx(value)


def test_where_nothing_is_answered_nothing_is_risked_and_where_nothing_ranks_nothing_is_told():
    refused = marks().of(np.array([False, False, True, True, False]))
    assert (refused.value("risk"), refused.value("answered")) == (0.0, 0.0)
    assert np.isnan(marks().of(np.array([False, False, False, True, True])).value("mrr"))


def test_the_best_confidence_gets_most_questions_right():
    confidence, is_found = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, True, False, True, False])
    answerable = np.array([True, True, False, True, False])
    assert 0.7 < best_confidence(confidence, is_found, answerable) < 0.8
    assert 0.5 < best_confidence(confidence, is_found, np.ones(5, bool)) < 0.6
    assert best_confidence(confidence[2:3], np.array([False]), np.array([False])) > 0.7


PASSAGES = [
    Passage("a.md", (), 0, 0, 44, "Returns take 30 days. We pay the way back."),
    Passage("a.md", (), 0, 44, 70, "Gift cards stay valid."),
    Passage("b.md", (), 0, 0, 21, "退货期限是三十天。"),
]


def test_the_gold_passage_is_that_of_the_quotation_then_of_the_words_then_of_the_document():
    gold = Gold(PASSAGES)
    assert gold.of({"document": "a.md", "quote": "Gift cards stay valid."}) == {1}
    assert gold.of({"document": "a.md", "text": "30 days"}) == {0}
    assert gold.of({"document": "a.md", "text": "said nowhere"}) == {0, 1}
    assert gold.of({"document": "gone.md", "text": "30 days"}) == frozenset()
    assert gold.of({}) is None
    assert gold.of({"text": "30 days"}) is None


def test_a_citation_is_right_where_it_lies_in_a_passage_that_answers():
    gold = Gold(PASSAGES)
    places = (("a.md", 0, 21), ("a.md", 44, 66), ("b.md", 0, 9))
    cites = [{"document": name, "start": start, "end": end} for name, start, end in places]
    said = {"sentences": [{"citations": cites[:2]}, {"citations": cites[2:]}]}
    assert gold.share_cited(said, frozenset({0})) == pytest.approx(1 / 3)
    assert gold.share_cited(said, frozenset({0, 2})) == pytest.approx(2 / 3)
    assert gold.share_cited(said, frozenset()) == 0
    assert gold.share_cited({}, frozenset({0})) == 0


def test_an_answer_is_right_with_the_right_words_and_a_refusal_where_nothing_answers():
    right = {"text": "30 days", "document": "a.md"}
    assert is_right({"text": "Returns take 30 days."}, right)
    assert not is_right({"text": "Gift cards stay valid."}, right)
    assert not is_right({"text": "", "refused": True}, right)
    assert is_right({"text": "", "refused": True}, {})
    assert not is_right({"text": "Returns take 30 days."}, {})
    cites = {"text": "Returns take 30 days.", "sentences": [{"citations": [{"document": "a.md"}]}]}
    assert is_right(cites, {"document": "a.md"})
    assert not is_right(cites, {"document": "b.md"})


@pytest.mark.parametrize(
    ("said", "wanted", "holds"),
    [
        ("A lunch costs 6.50 euros.", "A lunch costs 7 euros.", False),
        ("You have 25 days of leave.", "5 days", False),
        ("退货期限是二十五天。", "五天", False),
        ("5 days", "You have 25 days of leave.", False),
        ("You have 25 days of leave.", "25 days", True),
        ("Returns take thirty days from the day of delivery.", "Returns take 30 days from the day of delivery.", True),
        ("退货期限是三十天。", "三十天", True),
        ("It costs 1,000 euros a year.", "It costs 1000 euros a year.", True),
        ("25 days", "You have 25 days of leave.", True),
    ],
)
def test_another_number_is_another_answer(said, wanted, holds):
    assert is_right({"text": said}, {"text": wanted}) is holds


def test_right_answers_are_read_as_texts_and_as_objects_and_wrong_ones_refused_by_name():
    assert cited.read(" 30 days ", None) == {"text": "30 days"}
    assert cited.read('{"text": "x", "document": "a.md"}', None) == {"text": "x", "document": "a.md"}
    assert cited.read({}, None) == {}
    assert cited.is_refusal(cited.read("{}", None))
    assert cited.read("", None) is None
    assert cited.read("{no json", None) == {"text": "{no json"}
    assert cited.clean({}, None) == "{}"
    for wrong, words in (
        ({"page": 3}, "has 'page', expected one of 'text', 'document'"),
        ({"text": 3}, "has text 3, expected text"),
        (3, "is 3, expected a text, or an object"),
        ({"text": " "}, "is empty, expected an answer, or {} where no document answers"),
        ({"text": "x" * 20_001}, "has a text of 20,001 characters"),
    ):
        with pytest.raises(DataError, match="answer") as error:
            cited.read(wrong, None)
        assert words in error.value.message


def test_written_questions_are_marked_and_do_not_hold_the_numbers_of_their_answers():
    found = written(PASSAGES)
    assert all(each["answer"]["synthetic"] for each in found)
    assert {each["answer"]["document"] for each in found} <= {"a.md", "b.md"}
    assert not any(digit.isdigit() for each in found for digit in each["question"])
    pair = Passage("faq.csv", (), 0, 0, 40, "Is the shop open on Sunday?\nNo, it opens on Monday.")
    assert written([pair])[0]["question"] == "Is the shop open on Sunday?"
    assert written([pair])[0]["answer"]["text"] == "No, it opens on Monday."
    assert all(each["answer"]["quote"] in "".join(passage.text for passage in PASSAGES) for each in found)


def test_more_refusals_are_an_alarm_of_their_own_and_fewer_a_shift_like_any_other():
    more, fewer = (Shift("refused", "rate", 0.2, 0.05, 1e-6, *rates) for rates in ((0.1, 0.3), (0.3, 0.1)))
    assert (alarm_of(more), alarm_of(fewer)) == ("refusals", "data")
    assert alarm_of(Shift("length", "ordered", 0.2, 0.05, 1e-6, 1.0, 2.0)) == "drift"
    said = {"name": "refusals", "trait": "refused", "before": 0.1, "now": 0.3, "unit": "share", "p": 1e-6}
    assert sentence(said) == "answers refused: 10.0 % → 30.0 % (p < 0.0001)"


def test_who_finds_and_answers_little_or_wrongly_is_told_so():
    assert remarks(marks(), "recall_at_5") == [
        "To find a passage is not to answer: 66.7 % of the questions that a document answers get an answer, the "
        "others are refused; 66.7 % of the answers are wrong."
    ]
    assert remarks(marks(), "answer_accuracy") == []
