"""Keeps of an answer only the sentences that their citations support, and says of each other one why it was dropped.

A sentence stays when it cites a passage that was retrieved, the quotation stands there to the letter, numbers, names and
negation agree with it, and the trained model finds it supported. What nothing is left of is a refusal.
"""  # noqa: E501

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from windlass.metrics.texts import CJK
from windlass.predictors.language.sentences import sentences
from windlass.predictors.reading.alignment import Said, Synonyms, matched
from windlass.predictors.reading.instructions import blanked, orders
from windlass.predictors.reading.sentences import Retrieved
from windlass.predictors.reading.support import NAMES, Comparison, Evidence, Support, compare, missing_numbers, polarity

REASONS = {
    "no citation": ("it cites no passage", "没有引用任何段落"),
    "not retrieved": ("it cites a passage that was not retrieved", "引用的段落不在检索结果中"),
    "no such quote": ("the quotation does not stand in the passage", "引文不在所引段落中"),
    "an order": ("the quotation gives orders to the assistant and is no evidence", "引文是对助手的指令，不是证据"),
    "code": ("a link, address or code does not stand in the quotation", "链接、地址或代码不在引文中"),
    "number": ("a number, date or unit does not agree with the quotation", "数字、日期或单位与引文不符"),
    "name": ("a name does not stand in the passage", "名称不在所引段落中"),
    "negation": ("it says the opposite of the quotation", "与引文的肯定或否定相反"),
    "swap": ("it says of one what the quotation says of another", "把引文中一方的内容说成了另一方"),
    "unsupported": ("the quotation does not support it", "引文不能支持这句话"),
}
"""Each reason in English and in Chinese."""
CODE = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z\d_-]{7,}\b|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|cn|example)\b",
    re.ASCII,
)
DIFFERENCES = ("number", "negation")
SHORTEST_QUOTE = 4
LIKE = 0.75
"""Share of the words of two sentences that both have, from which they speak of the same."""
LEAST_ALIKE = 0.3
"""Share of the characters in a row of the shorter of two sentences that the other has, else they are not compared."""
LEAST_HELD = 0.2
"""Share of a sentence's words that its quotations hold, below which they do not support it, whatever the passage says
beside them: the least of a true sentence of the development set is .25."""
LEAST_SHARED = 2
"""Words or signs that two sentences share, below which nothing else of them is looked at."""


@dataclass(frozen=True)
class Citation:
    """passage: its id. quote: a part of its text, to the letter."""

    passage: str
    quote: str


@dataclass(frozen=True)
class Statement:
    """A sentence of an answer, with what it cites."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class Dropped:
    """reason: a key of REASONS. words: those at fault, where they can be named."""

    statement: Statement
    reason: str
    words: tuple[str, ...] = ()

    def said(self, language: str = "en") -> str:
        """The reason in words: `en` or `zh`."""
        reason = REASONS[self.reason][language == "zh"]
        return f"{reason}{'：' if language == 'zh' else ': '}{', '.join(self.words)}" if self.words else reason


@dataclass(frozen=True)
class Conflict:
    """Two passages that say different things of the same. difference: of DIFFERENCES."""

    one: Citation
    other: Citation
    difference: str


@dataclass(frozen=True)
class Verdict:
    """What is left of an answer, and what is not, both in the answer's order; and where passages contradict it."""

    kept: tuple[Statement, ...]
    dropped: tuple[Dropped, ...]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def is_refusal(self) -> bool:
        return not self.kept


def verify(statements: Sequence[Statement], passages: Sequence[Retrieved], support: Support) -> Verdict:
    """The statements that their citations support. passages: all that were retrieved, as retrieved."""
    known = {passage.id: _Read(passage.text) for passage in passages}
    kept: list[Statement] = []
    dropped: list[Dropped] = []
    conflicts: list[Conflict] = []
    for statement in statements:
        fault = _fault(statement, known, support)
        if fault:
            dropped.append(fault)
            continue
        kept.append(statement)
        for citation in statement.citations:
            conflicts += [
                each for each in contradictions(citation, passages, support.synonyms) if each not in conflicts
            ]
    return Verdict(tuple(kept), tuple(dropped), tuple(conflicts))


@dataclass(frozen=True)
class _Read:
    """A passage whose orders are looked for once, and only where it is cited."""

    text: str

    @cached_property
    def orders(self) -> list[tuple[int, int]]:
        return orders(self.text)

    @cached_property
    def evidence(self) -> str:
        """Its text without orders, which support nothing."""
        return blanked(self.text, self.orders)


def _fault(statement: Statement, known: dict[str, _Read], support: Support) -> Dropped | None:
    """Why a statement is dropped; None: it stays."""
    if not statement.citations:
        return Dropped(statement, "no citation")
    for citation in statement.citations:
        if citation.passage not in known:
            return Dropped(statement, "not retrieved", (citation.passage,))
        text = known[citation.passage].text
        if len(citation.quote.strip()) < SHORTEST_QUOTE or citation.quote not in text:
            return Dropped(statement, "no such quote", (citation.quote,))
        if any(_overlaps(citation.quote, text, place) for place in known[citation.passage].orders):
            return Dropped(statement, "an order", (citation.quote,))
    quotes = tuple(citation.quote for citation in statement.citations)
    codes = tuple(code for code in CODE.findall(statement.text) if not any(code in quote for quote in quotes))
    if codes or orders(statement.text):
        return Dropped(statement, "code" if codes else "an order", codes)
    if any(_plain(statement.text) == _plain(part) for quote in quotes for part in (quote, *sentences(quote))):
        return None
    passages = tuple(dict.fromkeys(known[citation.passage].evidence for citation in statement.citations))
    return _disagreement(statement, compare(statement.text, Evidence(quotes, passages), support.synonyms), support)


def _overlaps(quote: str, text: str, place: tuple[int, int]) -> bool:
    start = text.find(quote)
    while start >= 0:
        if start < place[1] and place[0] < start + len(quote):
            return True
        start = text.find(quote, start + 1)
    return False


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def _disagreement(statement: Statement, comparison: Comparison, support: Support) -> Dropped | None:
    if comparison.numbers:
        return Dropped(statement, "number", comparison.numbers)
    if comparison.names:
        return Dropped(statement, "name", comparison.names)
    is_held = float(comparison.values[NAMES.index("covered_quotes")]) >= LEAST_HELD
    if not comparison.is_plain and not (is_held and support.probability(comparison) >= support.threshold):
        reason = "negation" if comparison.is_negated else "swap" if comparison.is_swapped else "unsupported"
        return Dropped(statement, reason)
    return None


def contradictions(citation: Citation, passages: Sequence[Retrieved], synonyms: Synonyms) -> list[Conflict]:
    """Sentences of other passages about the same as this quotation with another number, or negated unlike it."""
    found = []
    ours, grams = Said(citation.quote), _grams(citation.quote)
    for passage in passages:
        if passage.id == citation.passage:
            continue
        for sentence in sentences(passage.text):
            theirs = _grams(sentence)
            if len(grams & theirs) < LEAST_ALIKE * min(len(grams), len(theirs)):
                continue
            difference = _difference(ours, Said(sentence), synonyms)
            if difference:
                found.append(Conflict(citation, Citation(passage.id, sentence), difference))
    return found


def _grams(text: str) -> set[str]:
    """Pairs of characters with a Chinese one, else four letters: a look at two sentences that costs little."""
    size = 2 if CJK.search(text) else 4
    return {text[start : start + size] for start in range(len(text) - size + 1)}


def _difference(ours: Said, theirs: Said, synonyms: Synonyms) -> str:
    """`number`, `negation`, or nothing: a clause of one holds that of the other and is negated unlike it, or both have
    a number of one unit that the other lacks."""
    if not ours.content or not theirs.content or len(ours.forms & theirs.forms) < LEAST_SHARED:
        return ""
    there, here = (matched(one, other, synonyms) for one, other in ((ours, theirs), (theirs, ours)))
    shares = [sum(each) / len(each) for each in (there, here)]
    if max(shares) < LIKE or min(len(there), len(here)) < 3:
        return ""
    claim, evidence = (ours, theirs) if shares[0] >= shares[1] else (theirs, ours)
    if polarity(claim, evidence, synonyms)[0]:
        return "negation"
    missing, lacking = (missing_numbers(*pair) for pair in ((ours.quantities, theirs.quantities),
                                                            (theirs.quantities, ours.quantities)))  # fmt: skip
    return "number" if {each.unit for each in missing} & {each.unit for each in lacking} else ""
