"""Questions written from passages, for documents of which nobody has asked anything yet; each is marked synthetic.

A question is a sentence without its numbers and commonest words, in its order: what somebody would type into a search
box who does not know the answer; of a pair it is its own question. They show whether passages are found; how people ask
they do not show.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from windlass.kinds.cited import SYNTHETIC
from windlass.kinds.text import CJK, SENTENCE_END, tokens
from windlass.records import Json, Passage

MOST, LEAST_WORDS, MOST_WORDS = 200, 4, 9
LEAST_CHARACTERS, MOST_CHARACTERS = 20, 400
CLAUSE = re.compile(r"[，、；：,;:（）()]")
HAS_CJK = re.compile(f"[{CJK}]")
MARKS = re.compile(r"[^\w\s-]")


def written(passages: Sequence[Passage], most: int = MOST) -> list[Json]:
    """Rows of `question` and `answer`, at most so many, evenly spread over the passages; each question once."""
    often = Counter(word for passage in passages for word in set(tokens(passage.text)))
    found: dict[str, Json] = {}
    chosen = passages[:: max(1, len(passages) // most)]
    for passage in chosen:
        asked, _, answer = passage.text.partition("\n")
        if asked.endswith(("?", "？")) and answer.strip() and "\n" not in answer:  # a pair of its own document
            found.setdefault(asked, {"question": asked, "answer": _right(answer, passage)})
            continue
        for sentence in _sentences(passage.text):
            if sentence in passage.context:  # the header of a table says nothing
                continue
            question = _asked(sentence, often, len(passages))
            if question and question not in found:
                found[question] = {"question": question, "answer": _right(sentence, passage)}
                break
    return list(found.values())[:most]


def _right(said: str, passage: Passage) -> Json:
    return {"text": said, "document": passage.document, "quote": said, SYNTHETIC: True}


def _sentences(text: str) -> Iterator[str]:
    """Those that say something, the longest first."""
    ends = [0, *(match.end() for match in SENTENCE_END.finditer(text)), len(text)]
    found = [text[start:end].strip() for start, end in pairwise(ends)]
    yield from sorted((each for each in found if len(each) * (2 if HAS_CJK.search(each) else 1) >= LEAST_CHARACTERS
                       and len(each) <= MOST_CHARACTERS), key=len, reverse=True)  # fmt: skip


def _asked(sentence: str, often: Counter[str], n_passages: int) -> str:
    """The question that the sentence answers; '' where too little is left of it."""
    if HAS_CJK.search(sentence):
        clauses = sorted(CLAUSE.split(sentence.rstrip("。！？")), key=len, reverse=True)
        clause = MARKS.sub("", clauses[0])
        return f"{clause}？" if len(clause) >= LEAST_WORDS else ""
    words = [word for word in MARKS.sub(" ", sentence).split() if not any(char.isdigit() for char in word)]
    rare = [word for word in words if often[word.lower()] <= max(2, n_passages / 4)]
    return f"{' '.join(rare[:MOST_WORDS])}?" if len(rare) >= LEAST_WORDS else ""
