"""Questions that stand in a passage with their answers: who asks one to the letter is answered with what follows it."""

from collections.abc import Sequence

from windlass.metrics.texts import normalised
from windlass.predictors.language.sentences import spans

QUESTION_MARKS = ("?", "？")
MOST_SENTENCES = 6
SURE = 0.99
"""The confidence of such an answer: it is what the document says to this very question, whatever its words are."""


def answer_spans(question: str, text: str, readable: str) -> Sequence[tuple[int, int]]:
    """(start, end) of the sentences that a passage answers this question with; none where it does not ask it.

    text: of the passage; readable: the same, blank where nothing may be said.
    """
    asked = normalised(question)
    start = 0
    for line in text.splitlines(keepends=True):
        start += len(line)
        if asked and line.strip().endswith(QUESTION_MARKS) and normalised(line) == asked:
            end = _next_question(text, start)
            found = [(start + first, start + last) for first, last in spans(readable[start:end])]
            return [(first, last) for first, last in found if readable[first:last].strip()][:MOST_SENTENCES]
    return []


def _next_question(text: str, start: int) -> int:
    """Where the next question begins, else the end."""
    place = start
    for line in text[start:].splitlines(keepends=True):
        if line.strip().endswith(QUESTION_MARKS):
            return place
        place += len(line)
    return len(text)
