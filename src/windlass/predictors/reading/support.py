"""How well evidence supports a sentence: features of the two laid side by side, and a small trained model's probability.

Source: the kinds of fault are those of FactCC, Kryściński et al. 2020, arXiv:1910.12840 (numbers, entities, negation,
        sentences with additions); coverage and order as in Parikh et al. 2016 decomposed by hand.
Shapes: F features.
"""  # noqa: E501

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.metrics.texts import CJK
from windlass.predictors.reading.alignment import (
    COMPARING,
    PASSIVE,
    PLACES,
    SURNAMES,
    SWEEPING,
    Said,
    Synonyms,
    Token,
    matched,
    runs,
    stem,
)
from windlass.predictors.reading.quantities import Quantity
from windlass.predictors.reading.sentences import read_booster
from windlass.store.files import write_text
from windlass.store.json_files import read_json, write_json

MODEL, SETTINGS = "support.txt", "support.json"
FULL, ALIKE = 0.75, 0.85
CALENDAR = re.compile(r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?$|Internet$|I$")
NAMES = (
    "covered_quotes", "covered_passage", "worst_clause", "worst_clause_quotes", "longest_gap", "n_missing", "missing_share",  # noqa: E501
    "numbers_not_quoted", "numbers_not_there", "names_not_there", "maybe_names_not_there", "polarity_full", "polarity",
    "inverted", "inverted_voice", "replaced_known", "replaced_new", "one_clause", "one_clause_worst", "numbers_apart",
    "last_clause", "sweeping", "voice_differs", "length_ratio", "evidence_covered", "surplus", "surplus_clause", "tail_gap", "crossed", "crossed_number", "traded", "direction_differs", "agent_differs", "n_content", "n_clauses", "is_chinese", "n_quotes", "faults",  # noqa: E501
)  # fmt: skip
FAULTS = (
    "numbers_not_quoted", "names_not_there", "polarity_full", "inverted", "crossed_number", "direction_differs", "agent_differs",  # noqa: E501
)  # fmt: skip
"""Each rare, so that trees see them together first."""


@dataclass(frozen=True)
class Evidence:
    """quotes: what is cited, to the letter. passages: the whole passages that it stands in."""

    quotes: tuple[str, ...]
    passages: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A sentence beside its evidence: the features, and what faults can be named. Each tuple: words of the sentence.

    is_plain: one clause of the quotation holds each of its words, and no fault is seen: 31 % of the true sentences of the
    development set, 2 % of the others.
    """  # noqa: E501

    values: np.ndarray
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    is_negated: bool
    is_swapped: bool
    is_plain: bool


def compare(sentence: str, evidence: Evidence, synonyms: Synonyms) -> Comparison:
    """(F,) float32 of NAMES and the faults."""
    claim, quoted = Said(sentence), Said("\n".join(evidence.quotes))
    whole = Said("\n".join(evidence.passages))
    in_quotes, in_whole = (np.array(matched(claim, each, synonyms)) for each in (quoted, whole))
    clauses = np.array([token.clause for token in claim.content], np.int64)
    not_quoted = missing_numbers(claim.quantities, quoted.quantities)
    not_there = missing_numbers(claim.quantities, whole.quantities)
    names, maybe = missing_names(claim, in_whole, whole)
    full, soft = polarity(claim, quoted, synonyms)
    inverted, inverted_voice = order_faults(claim, quoted)
    known, new = replaced(claim, quoted, whole)
    best, worst, apart = one_clause(claim, quoted, synonyms)
    per_clause, per_clause_quotes = (_by_clause(values, clauses) for values in (in_whole, in_quotes))
    covered = np.array(matched(quoted, claim, synonyms))
    surplus, surplus_clause = surpluses(claim, quoted, synonyms)
    crossed, crossed_number, traded = crossings(claim, quoted, synonyms)
    wrong_agent = agent_differs(claim, quoted)
    values = {
        "covered_quotes": float(in_quotes.mean()) if len(in_quotes) else 1.0,
        "covered_passage": float(in_whole.mean()) if len(in_whole) else 1.0,
        "worst_clause": min(per_clause, default=1.0),
        "worst_clause_quotes": min(per_clause_quotes, default=1.0),
        "longest_gap": _longest_gap(in_whole) / (2 if claim.content and claim.content[0].is_cjk else 1),
        "n_missing": float((1 - in_whole).sum()),
        "missing_share": float((in_whole < FULL).mean()) if len(in_whole) else 0.0,
        "numbers_not_quoted": len(not_quoted),
        "numbers_not_there": len(not_there),
        "names_not_there": len(names),
        "maybe_names_not_there": len(maybe),
        "polarity_full": full,
        "polarity": soft,
        "inverted": inverted,
        "inverted_voice": inverted_voice,
        "replaced_known": known,
        "replaced_new": new,
        "one_clause": best,
        "one_clause_worst": worst,
        "numbers_apart": apart,
        "last_clause": per_clause[-1] if per_clause else 1.0,
        "evidence_covered": float(covered.mean()) if len(covered) else 0.0,
        "surplus": surplus,
        "surplus_clause": surplus_clause,
        "tail_gap": _tail_gap(in_whole) / (2 if claim.content and claim.content[-1].is_cjk else 1),
        "crossed": crossed,
        "crossed_number": crossed_number,
        "traded": traded,
        "agent_differs": wrong_agent,
        **_standing(claim, quoted, whole, len(evidence.quotes)),
    }
    values["faults"] = sum(values[name] > 0 for name in FAULTS)
    row = np.array([values[name] for name in NAMES], np.float32)
    return Comparison(
        row,
        tuple(sentence[slice(*each.place)] for each in not_quoted),
        tuple(name for name in names if not CJK.match(name)),
        full > 0,
        inverted > 0 or wrong_agent > 0 or crossed + crossed_number > 0 or (best < FULL and known > 1),
        not values["faults"] and not soft and min(values["covered_quotes"], worst) > 0.999,
    )


def _standing(claim: Said, quoted: Said, whole: Said, n_quotes: int) -> dict[str, float]:
    """How the two are made: lengths, voice, direction, and words such as `all` that the passages lack."""
    sweeping, known = ({match.lower() for match in SWEEPING.findall(each.text)} for each in (claim, whole))
    n_content = max(1, len(claim.content))
    return {
        "sweeping": len(sweeping - known),
        "voice_differs": float(bool(PASSIVE.search(claim.text)) != bool(PASSIVE.search(quoted.text))),
        "length_ratio": n_content / max(1, len(quoted.content)),
        "direction_differs": direction_differs(claim, quoted),
        "n_content": n_content,
        "n_clauses": len(claim.clauses),
        "is_chinese": float(any(token.is_cjk for token in claim.tokens)),
        "n_quotes": n_quotes,
    }


def missing_numbers(ours: Sequence[Quantity], theirs: Sequence[Quantity]) -> list[Quantity]:
    """Those that agree with none of the others; an ordinal `third` agrees with a third, too."""
    return [each for each in ours if not each.is_implied and not any(each.agrees(other) for other in theirs)]


def missing_names(claim: Said, found: np.ndarray, whole: Said) -> tuple[list[str], list[str]]:
    """Names of the claim that stand nowhere in the passages, and words that may be names."""
    names: list[str] = []
    maybe: list[str] = []
    content = claim.content
    for number, token in enumerate(content):
        if found[number] >= FULL:
            continue
        if token.is_cjk:
            _chinese_name(content, number, found, names, maybe)
        elif token.shown[0].isupper() and not CALENDAR.match(token.shown):
            starts = not claim.text[: token.start].strip() or claim.text[: token.start].rstrip()[-1:] in ".!?:"
            following = content[number + 1].shown if number + 1 < len(content) else ""
            (maybe if starts and not following[:1].isupper() else names).append(token.shown)
    return names, maybe


def _chinese_name(content: list[Token], number: int, found: np.ndarray, names: list[str], maybe: list[str]) -> None:
    """An unmatched character after or as a surname, or as or before the ending of a place."""
    token = content[number]
    before = content[number - 1] if number and content[number - 1].start == token.start - 1 else None
    after = content[number + 1] if number + 1 < len(content) and content[number + 1].start == token.start + 1 else None
    starts_name = token.shown in SURNAMES and after is not None and found[number + 1] < FULL
    if (
        starts_name
        or (before is not None and before.shown in SURNAMES and found[number] < 0.5)
        or (token.shown in PLACES and before is not None and found[number - 1] < FULL and found[number] < FULL)
    ):
        names.append(token.shown)
    elif after is not None and after.shown in PLACES and found[number] < 0.5:
        maybe.append(token.shown)


def polarity(claim: Said, evidence: Said, synonyms: Synonyms) -> tuple[float, float]:
    """Clauses of the claim negated unlike one of the evidence: where one holds the other nearly word for word, and others.

    The clause of the evidence is the nearest one, or one that the claim's holds wholly, as `not on Saturdays`.
    """  # noqa: E501
    full, soft = 0.0, 0.0
    parts = [(Said(evidence.text[start:end]), evidence.negatives(start, end) % 2) for start, end in evidence.clauses]
    parts = [each for each in parts if each[0].content]
    for first, last in claim.clauses:
        part = Said(claim.text[first:last])
        if not part.content or not parts:
            continue
        is_negative = claim.negatives(first, last) % 2
        there, back = (
            np.array([np.mean(matched(*pair, synonyms)) for pair in pairs])
            for pairs in ([(part, each) for each, _ in parts], [(each, part) for each, _ in parts])
        )
        differs = np.array([negative != is_negative for _, negative in parts])
        near = int(np.argmax(there))
        agreeing = Said("\n".join(each.text for (each, _), other in zip(parts, differs, strict=True) if not other))
        own = [
            differ and share >= ALIKE and np.mean(matched(each, agreeing, synonyms)) < ALIKE
            for (each, _), differ, share in zip(parts, differs, back, strict=True)
        ]
        if (differs[near] and there[near] >= ALIKE and back[near] >= 0.5) or any(own):
            full += 1
        elif differs[near]:
            soft += float(there[near])
    return full, soft


def order_faults(claim: Said, evidence: Said) -> tuple[float, float]:
    """Three neighbouring runs of the claim that stand the other way round in the evidence: in the same voice, and in another."""  # noqa: E501
    ours, theirs = claim.tokens, evidence.tokens
    found = [
        run
        for run in runs(ours, theirs)
        if any(ours[place].is_content or ours[place].form in COMPARING for place in range(run.first, run.last))
    ]
    same, other = 0.0, 0.0
    voices = [bool(PASSIVE.search(each.text)) for each in (claim, evidence)]
    for left, middle, right in zip(found, found[1:], found[2:], strict=False):
        is_turned = right.place < middle.place < left.place
        if not is_turned:
            continue
        if voices[0] == voices[1]:
            same += 1
        else:
            other += 1
    return same, other


def replaced(claim: Said, evidence: Said, whole: Said) -> tuple[float, float]:
    """Between the same words on both sides the claim has others than the evidence: known from the passage, and new ones."""  # noqa: E501
    from difflib import SequenceMatcher

    known, new = 0.0, 0.0
    theirs = [token.form for token in evidence.tokens]
    ours = claim.tokens
    for kind, first, last, start, end in SequenceMatcher(
        None, [each.form for each in ours], theirs, False
    ).get_opcodes():
        content = [token for token in ours[first:last] if token.is_content]
        if kind != "replace" or not content or not any(token.is_content for token in evidence.tokens[start:end]):
            continue
        if last - first > 8 or end - start > 8:
            continue
        if all(token.form in whole.forms for token in content):
            known += 1
        else:
            new += 1
    return known, new


def one_clause(claim: Said, evidence: Said, synonyms: Synonyms) -> tuple[float, float, float]:
    """How far single clauses of the evidence hold those of the claim: mean and worst; and numbers whose own clause of the
    evidence holds little of what the claim says beside them."""  # noqa: E501
    shares, apart = [], 0.0
    parts = [Said(evidence.text[start:end]) for start, end in evidence.clauses]
    for first, last in claim.clauses:
        part = Said(claim.text[first:last])
        if not part.content or not parts:
            continue
        near = np.array([float(np.mean(matched(part, each, synonyms))) for each in parts])
        shares.append(float(near.max()))
        for number in part.quantities:
            beside = [
                share for share, each in zip(near, parts, strict=True) if any(number.agrees(q) for q in each.quantities)
            ]
            apart += max(0.0, float(near.max()) - max(beside, default=0.0))
    return (float(np.mean(shares)), min(shares), apart) if shares else (1.0, 1.0, apart)


def surpluses(claim: Said, evidence: Said, synonyms: Synonyms) -> tuple[float, float]:
    """Words of the claim that are missing from the evidence, less those of the evidence that the claim may have retold so:
    of the whole, and of the worst clause against the nearest one."""  # noqa: E501

    def missing(ours: Said, theirs: Said) -> float:
        gaps = [1 - value for value in matched(ours, theirs, synonyms)]
        return sum(gaps) / (2 if ours.content and ours.content[0].is_cjk else 1)

    worst = 0.0
    parts = [Said(evidence.text[start:end]) for start, end in evidence.clauses]
    for first, last in claim.clauses:
        part = Said(claim.text[first:last])
        if part.content and parts:
            worst = max(
                worst,
                min(missing(part, each) - missing(each, part) for each in parts if each.content)
                if any(each.content for each in parts)
                else 0.0,
            )
    return missing(claim, evidence) - missing(evidence, claim), worst


def crossings(claim: Said, evidence: Said, synonyms: Synonyms) -> tuple[float, float, float]:
    """Clauses of the claim that give to the subject of one clause of the evidence what another says of its own: words, numbers,
    and words in exchange for such as the nearest clause has.

    The nearest clause of the evidence holds most of what is said; what only a later one has, or an earlier one where the
    nearest has another beginning of its own, belongs elsewhere.
    """  # noqa: E501
    words, numbers, traded = 0.0, 0.0, 0.0
    parts = [Said(evidence.text[start:end]) for start, end in evidence.clauses]
    for first, last in claim.clauses:
        part = Said(claim.text[first:last])
        if not part.content or not parts:
            continue
        each = [np.array(matched(part, other, synonyms)) for other in parts]
        near = int(np.argmax([values.mean() for values in each]))
        own = matched(parts[near], part, synonyms)
        begins = bool(own) and own[0] < FULL
        left = sum(value < FULL for value in own)
        for number, other in enumerate(each):
            elsewhere = float(((other >= FULL) & (each[near] < 0.5)).sum())
            traded = max(traded, min(elsewhere, left) / len(other) if number != near else 0.0)
            if number > near or (number < near and begins):
                words = max(words, elsewhere / len(other))
        spare = [q for q in parts[near].quantities if not any(q.agrees(ours) for ours in part.quantities)]
        for ours in missing_numbers(part.quantities, parts[near].quantities):
            numbers += any(ours.unit == q.unit for q in spare)
    return words, numbers, traded


BE = re.compile(r"\b(?:is|are|was|were|be|been|being|first)\s+(?!first)(?:\w+ly\s+|not\s+|never\s+)?(?P<verb>[a-z]+)")
FROM = re.compile(r"\bfrom\s+(?:the\s+|an?\s+)?(\w+)|从(\w{2})", re.IGNORECASE)
TO = re.compile(r"\b(?:to|into)\s+(?:the\s+|an?\s+)?(\w+)|(?:给|到|往|入|向)(\w{2})", re.IGNORECASE)


def direction_differs(claim: Said, evidence: Said) -> float:
    """Words after `from` in one text and after `to` in the other."""
    sides = []
    for text in (claim.text, evidence.text):
        sides.append([{stem((a or b).lower()) for a, b in pattern.findall(text)} for pattern in (FROM, TO)])
    (ours_from, ours_to), (theirs_from, theirs_to) = sides
    return float(len(ours_from & (theirs_to - theirs_from)) + len(ours_to & (theirs_from - theirs_to)))


AGENT = re.compile(
    r"\bby\s+(?:the\s+|an?\s+|its\s+|their\s+)?(?P<english>[^\W\d_]+(?:\s+[A-Z]\w+)*)|[由被](?P<chinese>[\u4e00-\u9fff]{2})"
)


def agent_differs(claim: Said, evidence: Said) -> float:
    """1 where who does it is another: after `by`, 由 or 被 in one text, and in the other there too, or before the verb."""  # noqa: E501
    ours, theirs = AGENT.search(claim.text), AGENT.search(evidence.text)
    if ours and theirs:
        named = [{token.form for token in Said(match[match.lastgroup or 0]).content} for match in (ours, theirs)]
        return float(bool(named[0] and named[1]) and not named[0] & named[1] and named[0] <= evidence.forms)
    for match, passive, active in ((ours, claim, evidence), (theirs, evidence, claim)):
        if match:
            return _acts_late(match, passive, active)
    return 0.0


def _acts_late(match: re.Match[str], passive: Said, active: Said) -> float:
    """1 where the agent of the passive stands behind the verb in the active text."""
    agent = [token.form for token in Said(match[match.lastgroup or 0]).tokens if token.is_content]
    if match.lastgroup == "english":
        verbs_before = [found.group("verb") for found in BE.finditer(passive.text[: match.start()])]
        verb = [stem(verbs_before[-1].lower())] if verbs_before else []
    else:
        verb = [token.form for token in passive.tokens if token.start >= match.end() and token.is_content][1:]
    agents, verbs = (
        [number for number, token in enumerate(active.tokens) if token.form in forms] for forms in (agent, verb)
    )
    return float(bool(agents and verbs) and min(agents) > max(verbs))


def _tail_gap(values: np.ndarray) -> int:
    """Unmatched words at the end."""
    matched_places = np.flatnonzero(values >= FULL)
    return len(values) - 1 - int(matched_places[-1]) if len(matched_places) else len(values)


def _by_clause(values: np.ndarray, clauses: np.ndarray) -> list[float]:
    return [float(values[clauses == clause].mean()) for clause in sorted(set(clauses.tolist()))]


def _longest_gap(values: np.ndarray) -> int:
    gaps = re.findall("1+", "".join("1" if value < FULL else "0" for value in values))
    return max(map(len, gaps), default=0)


@dataclass(frozen=True)
class Support:
    """booster: LightGBM's, checked. threshold: of the probability, from which a sentence is supported."""

    booster: Any
    synonyms: Synonyms
    threshold: float

    def probability(self, comparison: Comparison) -> float:
        score = float(self.booster.predict(comparison.values[None], raw_score=True, num_threads=1)[0])
        return float(1 / (1 + np.exp(-score)))

    def save(self, folder: Path) -> None:
        write_text(folder / MODEL, self.booster.model_to_string())
        synonyms = {word: sorted(others) for word, others in sorted(self.synonyms.items())}
        write_json(folder / SETTINGS, {"threshold": self.threshold, "synonyms": synonyms})


def load(folder: Path) -> Support:
    """Raises: DataError: a part is missing or damaged."""
    values: Any = read_json(folder / SETTINGS)
    try:
        threshold = float(values["threshold"])
        synonyms = {word: frozenset(map(str, others)) for word, others in values["synonyms"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{folder / SETTINGS} is damaged, expected a threshold and synonyms") from None
    if not 0 <= threshold <= 1:
        raise DataError(f"{folder / SETTINGS} has threshold {threshold}, expected 0 to 1")
    return Support(read_booster(folder / MODEL, len(NAMES)), synonyms, threshold)
