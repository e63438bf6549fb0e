"""How well evidence supports a sentence: features of the two laid side by side, and a small trained model's probability.

Source: the kinds of fault are those of FactCC, Kryściński et al. 2020, arXiv:1910.12840 (numbers, entities, negation,
        sentences with additions); coverage and order as in Parikh et al. 2016 decomposed by hand.
Shapes: F features.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.reading.alignment import PASSIVE, PLACES, SURNAMES, SWEEPING, Run, Said, Synonyms, Token, matched, runs
from windlass.predictors.reading.quantities import Quantity
from windlass.predictors.reading.sentences import read_booster
from windlass.store.files import write_text
from windlass.store.json_files import read_json, write_json

MODEL, SETTINGS = "support.txt", "support.json"
FULL = 0.75
NAMES = (
    "covered_quotes", "covered_passage", "worst_clause", "worst_clause_quotes", "longest_gap", "n_missing", "missing_share",
    "numbers_not_quoted", "numbers_not_there", "names_not_there", "maybe_names_not_there", "polarity_full", "polarity",
    "inverted", "inverted_voice", "replaced_known", "replaced_new", "one_clause", "one_clause_worst", "numbers_apart",
    "last_clause", "sweeping", "voice_differs", "length_ratio", "n_content", "n_clauses", "is_chinese", "n_quotes",
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """quotes: what is cited, to the letter. passages: the whole passages that it stands in."""

    quotes: tuple[str, ...]
    passages: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A sentence beside its evidence: the features, and what faults can be named. Each tuple: words of the sentence."""

    values: np.ndarray
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    is_negated: bool
    is_swapped: bool


def compare(sentence: str, evidence: Evidence, synonyms: Synonyms) -> Comparison:
    """(F,) float32 of NAMES and the faults."""
    claim, quoted = Said(sentence), Said("\n".join(evidence.quotes))
    whole = Said("\n".join(evidence.passages))
    in_quotes, in_whole = (np.array(matched(claim, each, synonyms)) for each in (quoted, whole))
    clauses = np.array([token.clause for token in claim.content], np.int64)
    n_content = max(1, len(claim.content))
    not_quoted = missing_numbers(claim.quantities, quoted.quantities)
    not_there = missing_numbers(claim.quantities, whole.quantities)
    names, maybe = missing_names(claim, in_whole, whole)
    full, soft = polarity(claim, quoted, synonyms)
    inverted, inverted_voice = order_faults(claim, quoted)
    known, new = replaced(claim, quoted, whole)
    best, worst, apart = one_clause(claim, quoted, synonyms)
    per_clause, per_clause_quotes = (_by_clause(values, clauses) for values in (in_whole, in_quotes))
    sweeping = {match.lower() for match in SWEEPING.findall(sentence)} - {
        match.lower() for match in SWEEPING.findall(whole.text)
    }
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
        "sweeping": len(sweeping),
        "voice_differs": float(bool(PASSIVE.search(sentence)) != bool(PASSIVE.search(quoted.text))),
        "length_ratio": n_content / max(1, len(quoted.content)),
        "n_content": n_content,
        "n_clauses": len(claim.clauses),
        "is_chinese": float(any(token.is_cjk for token in claim.tokens)),
        "n_quotes": len(evidence.quotes),
    }
    row = np.array([values[name] for name in NAMES], np.float32)
    return Comparison(
        row,
        tuple(sentence[slice(*each.place)] for each in not_quoted),
        tuple(names),
        full > 0,
        inverted > 0 or (best < FULL and known > 1),
    )


def missing_numbers(ours: Sequence[Quantity], theirs: Sequence[Quantity]) -> list[Quantity]:
    """Those that agree with none of the others; an ordinal `third` agrees with a third, too."""
    return [each for each in ours if not any(each.agrees(other) for other in theirs)]


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
        elif token.shown[0].isupper():
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
    if starts_name or (before is not None and before.shown in SURNAMES and found[number] < 0.5):
        names.append(token.shown)
    elif token.shown in PLACES and before is not None and found[number - 1] < FULL and found[number] < FULL:
        names.append(token.shown)
    elif after is not None and after.shown in PLACES and found[number] < 0.5:
        maybe.append(token.shown)


def polarity(claim: Said, evidence: Said, synonyms: Synonyms) -> tuple[float, float]:
    """Clauses of the claim negated unlike the clause of the evidence that is nearest: nearly word for word, and others."""
    full, soft = 0.0, 0.0
    if not evidence.clauses:
        return full, soft
    for first, last in claim.clauses:
        part = Said(claim.text[first:last])
        if not part.content:
            continue
        near = [
            (float(np.mean(matched(part, Said(evidence.text[start:end]), synonyms))), start, end)
            for start, end in evidence.clauses
        ]
        share, start, end = max(near, key=lambda each: (each[0], each[1] - each[2]))
        if claim.negatives(first, last) % 2 != evidence.negatives(start, end) % 2:
            if share >= 0.85:
                full += 1
            else:
                soft += share
    return full, soft


def order_faults(claim: Said, evidence: Said) -> tuple[float, float]:
    """Three neighbouring runs of the claim that stand the other way round in the evidence: in the same voice, and in another."""
    ours, theirs = claim.tokens, evidence.tokens
    found = [run for run in runs(ours, theirs) if any(ours[place].is_content for place in range(run.first, run.last))]
    same, other = 0.0, 0.0
    voices = [bool(PASSIVE.search(each.text)) for each in (claim, evidence)]
    for left, middle, right in zip(found, found[1:], found[2:], strict=False):
        is_turned = right.place < middle.place < left.place
        if not is_turned or not _in_one_clause(ours, theirs, (left, middle, right)):
            continue
        if voices[0] == voices[1]:
            same += 1
        else:
            other += 1
    return same, other


def _in_one_clause(ours: Sequence[Token], theirs: Sequence[Token], parts: Sequence[Run]) -> bool:
    return all(
        len({tokens[getattr(run, field)].clause for run in parts}) == 1
        for tokens, field in ((ours, "first"), (theirs, "place"))
    )


def replaced(claim: Said, evidence: Said, whole: Said) -> tuple[float, float]:
    """Between the same words on both sides the claim has others than the evidence: known from the passage, and new ones."""
    from difflib import SequenceMatcher

    known, new = 0.0, 0.0
    theirs = [token.form for token in evidence.tokens]
    ours = claim.tokens
    for kind, first, last, start, end in SequenceMatcher(None, [each.form for each in ours], theirs, False).get_opcodes():
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
    evidence holds little of what the claim says beside them."""
    shares, apart = [], 0.0
    parts = [Said(evidence.text[start:end]) for start, end in evidence.clauses]
    for first, last in claim.clauses:
        part = Said(claim.text[first:last])
        if not part.content or not parts:
            continue
        near = np.array([float(np.mean(matched(part, each, synonyms))) for each in parts])
        shares.append(float(near.max()))
        for number in part.quantities:
            beside = [share for share, each in zip(near, parts, strict=True) if any(number.agrees(q) for q in each.quantities)]
            apart += max(0.0, float(near.max()) - max(beside, default=0.0))
    return (float(np.mean(shares)), min(shares), apart) if shares else (1.0, 1.0, apart)


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
