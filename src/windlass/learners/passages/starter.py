"""Questions about documents that come with Windlass: what ranking, refusing and reading learn from beside a user's own,
which are few at first. All is invented: `starter-en.txt` and `starter-zh.txt`, a document after `# `, its passages after
`P `, questions after `Q ` with the quotation that answers, questions without an answer after `N `.
"""  # noqa: E501

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, zip_longest
from pathlib import Path

from windlass.learners.passages.teaching import Taught
from windlass.metrics.texts import CJK
from windlass.records import Passage

FOLDER = Path(__file__).parent
ENGLISH, CHINESE = "en", "zh"
HARDLY = 0.05
"""The share of a script's letters from which on questions in it are learned from."""
ENOUGH, ENOUGH_REFUSED = 1_000, 100
"""A user's questions from which on these teach nothing more, and nothing more of refusing. Of xquad's 856, folds by
article: R@1 .978, with these .981; best sentence .814, with these .820; answered at 5 % .925, with these .919."""
WEIGHT = 0.25
"""Of such a question against a user's own."""
PER_SECOND = 0.5
"""Documents that are learned from for each second that a candidate has."""
Written = tuple[Passage, list[tuple[str, str]], list[str]]
"""A passage, its questions with their quotations, and questions that it does not answer."""


def starter_questions(passages: Sequence[Passage], seconds: float) -> tuple[tuple[Passage, ...], Taught]:
    """Passages and what their questions teach, in the languages of the given passages; as many as the seconds allow."""
    shares = {CHINESE: _share_of_chinese(passages)}
    shares[ENGLISH] = 1 - shares[CHINESE]
    documents = [_written(language) for language, share in shares.items() if share >= HARDLY]
    alternating = [each for each in chain(*zip_longest(*documents)) if each is not None]
    written = list(chain(*alternating[: int(seconds * PER_SECOND)]))
    found = tuple(passage for passage, _, _ in written)
    taught = Taught([], [], [])
    for place, (passage, answered, unanswered) in enumerate(written):
        for question, quote in answered:
            taught.texts.append(question)
            taught.rights.append({"text": quote, "quote": quote, "document": passage.document})
            taught.gold.append(frozenset({place}))
        for question in unanswered:
            taught.texts.append(question)
            taught.rights.append({})
            taught.gold.append(None)
    return found, taught


def _share_of_chinese(passages: Sequence[Passage]) -> float:
    letters = [bool(CJK.match(letter)) for each in passages for letter in each.text if letter.isalpha()]
    return sum(letters) / max(1, len(letters))


@cache
def _written(language: str) -> tuple[tuple[Written, ...], ...]:
    """The documents of a language."""
    lines = (FOLDER / f"starter-{language}.txt").read_text(encoding="utf-8").splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("# ")]
    return tuple(
        tuple(_document(lines[start:end])) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    )


def _document(lines: Sequence[str]) -> Iterator[Written]:
    title, at = lines[0][2:], 0
    paragraphs = [place for place, line in enumerate(lines) if line.startswith("P ")]
    for start, end in zip(paragraphs, [*paragraphs[1:], len(lines)], strict=True):
        text = lines[start][2:]
        answered = [tuple(line[2:].split(" | ", 1)) for line in lines[start:end] if line.startswith("Q ")]
        unanswered = [line[2:] for line in lines[start:end] if line.startswith("N ")]
        passage = Passage(f"{title}.md", (), 0, at, at + len(text), text, title=title)
        yield passage, [(question, quote) for question, quote in answered], unanswered
        at += len(text) + 2
