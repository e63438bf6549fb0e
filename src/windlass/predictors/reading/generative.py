"""Answers that a language model writes out of passages: what it is asked, and what is left of its text when it is verified.

The model cites passages by number; the quotation is looked up in the passage that it names, so that none can be made up.
Source: citing by number as in Gao et al. 2023, arXiv:2305.14627 (ALCE).
"""  # noqa: E501

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windlass.metrics.texts import CJK
from windlass.predictors.language.sentences import sentences
from windlass.predictors.reading.alignment import Said, Synonyms, matched
from windlass.predictors.reading.instructions import orders
from windlass.predictors.reading.sentences import Retrieved
from windlass.predictors.reading.support import Support
from windlass.predictors.reading.verifier import Citation, Dropped, Statement, Verdict, verify
from windlass.predictors.writer import Writer

PROMPT = "prompt"
"""The input of the model that writes."""
ASKED = {
    "en": "Answer the question with what the passages below say, in one to three short sentences. End each sentence "
    "with the number of its passage, such as [1]. If no passage answers, write only: {none}",
    "zh": "只根据下面的段落，用一到三个短句回答问题。每句末尾写出所依据段落的编号，例如[1]。"
    "如果没有段落能够回答，只写：{none}",
}
NONE = {"en": "No passage answers.", "zh": "没有段落能够回答。"}
WORDS = {"en": ("Question", "Passages"), "zh": ("问题", "段落")}
MOST_QUESTION, MOST_PASSAGE, MOST_TITLE = 1_000, 1_200, 80
"""Characters of each in a prompt."""
MARKS = re.compile(r"\s*(?:\[\d{1,3}(?:\s*[,，、;]\s*\d{1,3})*\]|【\d{1,3}】)")
AFTER_END = re.compile(rf"([.。!！?？]+)((?:{MARKS.pattern})+)")
TELLS_MORE = 0.15
"""Share of a sentence's words that a second quotation must add."""
MOST_WRITTEN = 12
"""Sentences of a model's text that are looked at."""


@dataclass(frozen=True)
class Shown:
    """A question beside what was retrieved for it. readable: passages without headings and orders, of the same length.
    passages: as they stand; titles: of each."""

    question: str
    readable: Sequence[Retrieved]
    passages: Sequence[Retrieved]
    titles: Sequence[str] = ()

    @property
    def language(self) -> str:
        return language_of(self.question)


def language_of(text: str) -> str:
    return "zh" if CJK.search(text) else "en"


def prompt(shown: Shown) -> str:
    """What the model is asked: the question first, since what is too long loses its end."""
    language = shown.language
    question, passages = WORDS[language]
    lines = [ASKED[language].format(none=NONE[language]), "", f"{question}: {shown.question[:MOST_QUESTION].strip()}",
             "", f"{passages}:"]  # fmt: skip
    titles = [*shown.titles, *[""] * len(shown.readable)]
    for number, (each, title) in enumerate(zip(shown.readable, titles, strict=False), 1):
        named = f"{title[:MOST_TITLE]}: " if title and not orders(title) else ""
        text = re.sub(r"[ \t]{2,}", " ", each.text).strip()
        lines.append(f"[{number}] {named}{_cut(text)}")
    return "\n".join(lines)


def _cut(text: str) -> str:
    """The beginning, to the end of its last whole sentence."""
    if len(text) <= MOST_PASSAGE:
        return text
    kept = text[:MOST_PASSAGE]
    whole = sentences(kept)[:-1]
    return kept[: kept.rfind(whole[-1]) + len(whole[-1])] if whole else kept


def statements(text: str, shown: Shown, synonyms: Synonyms) -> list[Statement]:
    """The sentences of a model's text, each with the quotations of the passages that it names; none where it says that
    nothing answers."""
    found = []
    for written in sentences(AFTER_END.sub(r"\2\1", text))[:MOST_WRITTEN]:
        said = MARKS.sub("", written).strip()
        if not re.search(r"\w", said) or _is_none(said):
            continue
        numbers = [int(number) for mark in MARKS.findall(written) for number in re.findall(r"\d+", mark)]
        cited = [each for number in dict.fromkeys(numbers) for each in _citations(said, number, shown, synonyms)]
        found.append(Statement(said, tuple(cited)))
    return found


def _is_none(said: str) -> bool:
    return said.rstrip(" .。!！") in {none.rstrip(".。") for none in NONE.values()}


def _citations(said: str, number: int, shown: Shown, synonyms: Synonyms) -> Iterable[Citation]:
    """The sentence of the passage that holds most of what is said, and a second one that adds to it."""
    if not 0 < number <= len(shown.readable):
        return [Citation(f"[{number}]", "")]
    passage = shown.readable[number - 1]
    parts, claim = sentences(passage.text), Said(said)
    if not parts or not claim.content:
        return [Citation(passage.id, "")]

    def share(quotes: Sequence[str]) -> float:
        held = matched(claim, Said("\n".join(quotes)), synonyms)
        return sum(held) / len(held)

    best = max(parts, key=lambda part: share([part]))
    others = [part for part in parts if part != best]
    second = max(others, key=lambda part: share([best, part]), default=best)
    quotes = [best, second] if share([best, second]) >= share([best]) + TELLS_MORE else [best]
    return [Citation(passage.id, quote) for quote in quotes]


@dataclass(frozen=True)
class GenerativeReader:
    """writer: answers a `prompt` with a text. support: as the verifier wants it."""

    writer: Writer
    support: Support

    def read(self, asked: Sequence[Shown]) -> list[Verdict]:
        """What is left of each text. Raises: NotReady: the model does not answer."""
        written = self.writer.write([{PROMPT: prompt(each)} for each in asked])
        return [
            verify(statements(each.text, shown, self.support.synonyms), shown.passages, self.support)
            for each, shown in zip(written, asked, strict=True)
        ]


def told(dropped: Sequence[Dropped], language: str) -> list[str]:
    """What was left out of an answer, as its evidence says it."""
    if not dropped:
        return []
    reasons = "; ".join(dict.fromkeys(each.said(language) for each in dropped))
    if language == "zh":
        return [f"略去了模型写的 {len(dropped)} 句话：{reasons}"]
    n = f"{len(dropped)} sentence{'s' * (len(dropped) != 1)}"
    return [f"{n} of the language model left out: {reasons}"]
