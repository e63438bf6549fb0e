"""Sentences written beside passages, with whether these support them: what the support model learns from first.

A passage is its lines `S`; each sentence about it names its trait and the lines that it cites: number, name, negation, swap
and addition are unsupported, reordered, synonyms, shortened, voice and merged are true.
"""  # noqa: E501

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.learners.reading import corruption
from windlass.learners.reading.support import Judged, fit
from windlass.predictors.reading.support import Evidence, Support
from windlass.predictors.reading.synonyms import table

UNSUPPORTED = ("number", "name", "negation", "swap", "addition")
SUPPORTED = ("reordered", "synonyms", "shortened", "voice", "merged")
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Written:
    """A sentence about a passage. passage: its text; quotes: what of it is cited."""

    language: str
    name: str
    passage: str
    text: str
    trait: str
    quotes: tuple[str, ...]

    @property
    def is_supported(self) -> bool:
        return self.trait in SUPPORTED


def read(path: Path, language: str) -> list[Written]:
    """The sentences of such a file; `language` is en or zh. Raises: ValueError: an unknown trait, or a mere copy."""
    found: list[Written] = []
    for name, lines in _sections(path.read_text("utf-8")):
        sentences = [line[2:] for line in lines if line.startswith("S ")]
        passage = (" " if language == "en" else "").join(sentences)
        for line in lines:
            if line.startswith("S "):
                continue
            head, text = line.split(" | ", 1)
            trait, numbers = head.split()
            if trait not in UNSUPPORTED + SUPPORTED or text.rstrip(".。").lower() in passage.lower():
                raise ValueError(f"{path.name} has '{line}', expected a known trait and no copy")
            quotes = tuple(sentences[int(number) - 1] for number in numbers.split(","))
            found.append(Written(language, name, passage, text, trait, quotes))
    return found


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    for section in text.split("# ")[1:]:
        name, *lines = section.splitlines()
        yield name, [line for line in lines if line]


def judged() -> list[Judged]:
    """Those of both languages; translations of one passage are held out together."""
    found = []
    for language in ("en", "zh"):
        sentences = read(FOLDER / f"written-{language}.txt", language)
        number = {name: place for place, name in enumerate(dict.fromkeys(each.name for each in sentences))}
        found += [
            Judged(each.text, Evidence(each.quotes, (each.passage,)), each.is_supported, f"written {number[each.name]}")
            for each in sentences
        ]
    return found


def fit_support(passages: Sequence[str], n_altered: int = 600, seed: int = 13) -> Support:
    """The support model, from the written sentences and so many of these passages that are altered by rule."""
    return fit([*judged(), *corruption.judged(passages, n_altered, seed)], table(), seed)
