"""A follow-up is asked with the topic of the conversation; passages that contradict each other are shown."""

from typing import Any

import pytest

from windlass.predictors.passages.answerer import Answerer, Found
from windlass.predictors.passages.quoting import Sentence
from windlass.predictors.reading.sentences import Retrieved
from windlass.records import Answer, Column, Manifest, Passage
from windlass.serving.api.openai_cited import _message

TEXTS = (
    "Parcels from our warehouse are delivered in three days.",
    "Parcels from our warehouse are not delivered at all.",
)


class Parcels:
    """Is sure of questions that name a parcel."""

    passages = tuple(Passage(f"{number}.md", (), 0, 0, len(text), text) for number, text in enumerate(TEXTS))

    def find(self, questions: Any, hidden: Any = (), allowed: Any = None) -> list[Found]:
        return [
            Found([0, 1], [2.0, 1.0], [Sentence(0, 0, len(TEXTS[0]))], 0.2 + 0.7 * ("parcel" in each))
            for each in questions
        ]

    def retrieved(self, found: Found) -> list[Retrieved]:
        return [Retrieved(str(number), text) for number, text in enumerate(TEXTS)]


@pytest.fixture
def parcels() -> Answerer:
    return Answerer(
        Manifest("passages", "bm25", (Column("question", "text"),), Column("answer", "cited", {})), Parcels()
    )


def test_a_follow_up_takes_the_topic_where_an_answer_is_surer_with_it(parcels: Answerer) -> None:
    assert parcels.standalone(["Where is my parcel?", "How long does it take?"]) == "How long does it take? (parcel)"
    assert parcels.standalone(["Where is the office?", "How long does it take?"]) == "How long does it take?"


def test_a_passage_that_says_otherwise_is_shown_with_its_place(parcels: Answerer) -> None:
    value = parcels.answer([{"question": "When does a parcel come?"}])[0].value
    (conflict,) = value["conflicts"]
    assert (conflict["difference"], conflict["document"], conflict["quote"]) == ("negation", "1.md", TEXTS[1])
    message = _message(Answer(value, 0.9), "When does a parcel come?")
    assert message["content"].endswith(f"Another passage says otherwise: {TEXTS[1]}")
    assert message["annotations"][1]["file_citation"]["filename"] == "1.md"
