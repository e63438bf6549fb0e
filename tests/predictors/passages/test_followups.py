"""Questions of a conversation: what only the earlier ones make clear is asked with their words, where that helps."""

import pytest

from windlass.predictors.passages.followups import is_follow_up, standalone


@pytest.mark.parametrize(
    "question",
    [
        "How long does it take?",
        "And on Sundays?",
        "Why?",
        "What about children?",
        "它要多少钱？",
        "那周末呢？",
        "多少钱？",
    ],
)
def test_what_points_back_or_says_little_may_be_about_what_was_said_before(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    [
        "How long can I return a damaged parcel?",
        "Who painted the old bridge in winter?",
        "包裹损坏后多少天内可以退货？",
    ],
)
def test_what_says_what_it_is_about_stands_for_itself(question: str) -> None:
    assert not is_follow_up(question)
    assert standalone(["Something else entirely?", question], lambda texts: pytest.fail("asked")) == question


def longer_is_surer(texts: list[str]) -> list[float]:
    return [float(len(text)) for text in texts]


def test_the_topic_comes_from_the_last_question_that_stands_for_itself() -> None:
    turns = ["How do I return a damaged parcel?", "And on Sundays?", "How much does it cost?"]
    said = standalone(turns, longer_is_surer)
    assert said.startswith("How much does it cost? (return damaged parcel")
    assert "Sundays" in said
    assert standalone(["请问损坏的包裹如何退货？", "它要多少钱？"], longer_is_surer) == "它要多少钱？ (损坏 包裹 退货)"


def test_the_question_stays_as_it_is_where_the_earlier_words_do_not_help() -> None:
    turns = ["How do I return a parcel?", "How much is it?"]
    assert standalone(turns, lambda texts: [0.5, 0.5]) == "How much is it?"
    assert standalone(["Why?", "How?"], lambda texts: [0.0, 1.0]) == "How?"
    assert standalone(["How much is it?"], longer_is_surer) == "How much is it?"
