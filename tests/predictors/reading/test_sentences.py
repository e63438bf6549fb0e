"""The sentence that holds the answer, to the letter, and what is kept of the ranker."""

from pathlib import Path

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.learners.reading.sentences import Asked, fit, holds
from windlass.predictors.reading import clues, sentences
from windlass.predictors.reading.sentences import Rarity, Retrieved, SentenceRanker

NAMES = ("Ada", "Bea", "Cleo", "Dora", "Elsa", "Fay", "Gwen", "Hope", "Ines", "Jane")


def questions() -> list[Asked]:
    """Two towns a passage: who built what and when, so that what is asked for tells the sentence."""
    found = []
    for number, name in enumerate(NAMES * 3):
        text = f"The tower of Port {name} is tall. In {1800 + number} it was finished. It was designed by {name} Moore."
        passage = Retrieved(str(number), text, 2.0)
        for question, answer in (
            ("When was the tower finished?", str(1800 + number)),
            ("Who designed it?", f"{name} Moore"),
        ):
            start = text.index(answer)
            found.append(Asked(question, [passage], [(str(number), start, start + len(answer))]))
    return found


@pytest.fixture(scope="module")
def ranker() -> SentenceRanker:
    asked = questions()
    return fit(asked, Rarity.fit([each.passages[0].text for each in asked]), rounds=20)


def test_the_sentence_that_is_asked_for_comes_first(ranker: SentenceRanker) -> None:
    """Of questions that it learned from; its place in the passage is true to the letter."""
    asked = questions()
    found = [ranker.best(each.question, each.passages)[0] for each in asked]
    right = [holds(each, one.passage, one.start, one.end) for each, one in zip(asked, found, strict=True)]
    assert np.mean(right) >= 0.95
    assert all(each.passages[0].text[one.start : one.end] == one.text for each, one in zip(asked, found, strict=True))


def test_what_is_saved_ranks_the_same(ranker: SentenceRanker, tmp_path: Path) -> None:
    """As LightGBM's text and JSON."""
    ranker.save(tmp_path)
    again = sentences.load(tmp_path)
    each = questions()[3]
    assert again.best(each.question, each.passages) == ranker.best(each.question, each.passages)


def test_a_damaged_ranker_is_refused(ranker: SentenceRanker, tmp_path: Path) -> None:
    """Neither a cut model nor counts that cannot be are opened."""
    ranker.save(tmp_path)
    model = (tmp_path / sentences.MODEL).read_text()
    (tmp_path / sentences.MODEL).write_text(model[: len(model) // 2])
    with pytest.raises(DataError, match="damaged"):
        sentences.load(tmp_path)


def test_nothing_retrieved_gives_nothing(ranker: SentenceRanker) -> None:
    """No passage, an empty one, and an empty question."""
    assert ranker.best("Who?", []) == []
    assert ranker.best("Who?", [Retrieved("a", " ")]) == []
    assert len(ranker.best("", [Retrieved("a", "One sentence.")])) == 1


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who wrote it?", "person"),
        ("何时建成？", "moment"),
        ("多少人参加？", "number"),
        ("Where is it?", "place"),
        ("为什么？", "reason"),
    ],
)
def test_what_is_asked_for_is_known_in_both_languages(question: str, kind: str) -> None:
    """By the words of the question."""
    assert clues.asked(question)[list(clues.ASKED).index(kind)] == 1
