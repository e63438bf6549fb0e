"""200 planted sentences that their passages do not support, and 200 true paraphrases; half English, half Chinese.

They stand in `planted/test-en.txt` and `test-zh.txt`, written before any of the verifier was (their commit is older),
and are read for this figure alone: the verifier was developed on `planted/development-*.txt` and on the train questions
of the shared sets. A passage is its lines `S`, and each sentence about it names its trait and the lines it cites:
number, name, negation, swap, addition are planted; reordered, synonyms, shortened, voice, merged are true.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLANTED = ("number", "name", "negation", "swap", "addition")
TRUE = ("reordered", "synonyms", "shortened", "voice", "merged")
FOLDER = Path(__file__).parent / "planted"


@dataclass(frozen=True)
class Planted:
    """A sentence about a passage. passage: its name; passages: of all of its language, text by name."""

    language: str
    passage: str
    text: str
    trait: str
    quotes: tuple[str, ...]
    is_supported: bool


def read(part: str, language: str) -> tuple[dict[str, str], list[Planted]]:
    """The passages of `test` or `development` by name, and the sentences about them."""
    passages: dict[str, str] = {}
    found: list[Planted] = []
    for name, lines in _sections((FOLDER / f"{part}-{language}.txt").read_text("utf-8")):
        sentences = [line[2:] for line in lines if line.startswith("S ")]
        passages[name] = (" " if language == "en" else "").join(sentences)
        for line in lines:
            if line.startswith("S "):
                continue
            head, text = line.split(" | ", 1)
            trait, numbers = head.split()
            quotes = tuple(sentences[int(number) - 1] for number in numbers.split(","))
            is_copy = text.rstrip(".。").lower() in passages[name].lower()
            if trait not in PLANTED + TRUE or is_copy:
                raise ValueError(f"{part}-{language}.txt has '{line}', expected a known trait and no copy")
            found.append(Planted(language, name, text, trait, quotes, trait in TRUE))
    return passages, found


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    for section in text.split("# ")[1:]:
        name, *lines = section.splitlines()
        yield name, [line for line in lines if line]


if __name__ == "__main__":
    for language in ("en", "zh"):
        passages, sentences = read("test", language)
        print(language, len(passages), sum(each.is_supported for each in sentences), len(sentences))
