"""An answer out of documents, each sentence with where it stands; or none: nothing there answers."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from windlass.errors import DataError, expected
from windlass.kinds import text
from windlass.kinds.contract import Kind, is_blank, is_missing, shown
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait
from windlass.records import Answer, Json

PARTS = ("text", "document", "quote")
"""Of a right answer: its words, the document that it stands in, and the sentence there; none of them: no document
answers, and the right thing is to say so."""
SYNTHETIC = "synthetic"
"""True of a question that was written from a document, and that no person has asked."""
MOST_CHARACTERS = 20_000
LENGTHS, MOST_SENTENCES = (40, 80, 160, 320, 640, 1_280), 5


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    found = _parts(value)
    if found is None:
        return f"is {shown(value)}, expected a text, or an object with {expected(PARTS)}"
    unknown = [name for name in found if name not in (*PARTS, SYNTHETIC)]
    if unknown:
        return f"has {shown(unknown[0])}, expected {expected(PARTS)}"
    for name in PARTS:
        part = found.get(name)
        if part is not None and not isinstance(part, str):
            return f"has {name} {shown(part)}, expected text"
        if part and len(part) > MOST_CHARACTERS:
            return f"has a {name} of {len(part):,} characters, expected at most {MOST_CHARACTERS:,}"
        if part and (fault := text.check(part)):
            return f"has a {name} that {fault}"
    if any(name in found for name in PARTS) and all(is_blank(str(found.get(name) or "")) for name in PARTS):
        return "is empty, expected an answer, or {} where no document answers"
    if not isinstance(found.get(SYNTHETIC, False), bool):
        return f"has {SYNTHETIC} {shown(found[SYNTHETIC])}, expected true or false"
    return None


def _parts(value: Any) -> Mapping[str, Any] | None:
    """The parts that a value names; None where it is none."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str):
        return None
    if value.lstrip()[:1] == "{":
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return {"text": value}
        return found if isinstance(found, dict) else {"text": value}
    return {"text": value}


def read(value: Any, root: Path | None) -> Json | None:
    """The parts that are said; none: it is right to refuse; None: nobody has said what is right."""
    if fault := check(value):
        raise DataError(f"answer {fault}")
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    parts = _parts(value) or {}
    found: Json = {name: said for name in PARTS if (said := text.read(parts.get(name), None))}
    return {**found, SYNTHETIC: True} if parts.get(SYNTHETIC) else found


def clean(value: Any, root: Path | None) -> str:
    return kept(read(value, root))


def kept(parts: Json | None) -> str:
    """As the table of rows keeps it: an object as JSON, '' where nobody has said."""
    return "" if parts is None else json.dumps(parts, ensure_ascii=False, sort_keys=True)


def is_refusal(parts: Mapping[str, Any]) -> bool:
    """A right answer that is none: no document answers."""
    return not any(parts.get(name) for name in PARTS)


def brief(value: Any) -> str:
    found = read(value, None) or {}
    return "no document answers" if is_refusal(found) else str(found.get("text") or found.get("quote") or found)


def learn(values: Iterable[Any]) -> Json:
    return {}


def profile(value: Mapping[str, Any] | None, state: Json) -> Profile:
    """Whether it was refused, how many sentences it has, and how long it is."""
    if value is None:
        return [MISSING] * 3
    said = str(value.get("text") or "")
    n_sentences = len(value.get("sentences") or ()) or int(bool(said))
    return [1 + (not said), 1 + min(n_sentences, MOST_SENTENCES), 1 + sum(len(said) >= bound for bound in LENGTHS)]


def traits(state: Json) -> tuple[Trait, ...]:
    return (
        Trait("refused", "rate", 0, 3, (2,)),
        Trait("number of sentences", "ordered", 1, MOST_SENTENCES + 2),
        Trait("length", "ordered", 2, len(LENGTHS) + 2),
    )


def effort(value: Any) -> int:
    found = _parts(value)
    return sum(len(said) for said in found.values() if isinstance(said, str)) if found else 0


def _answered(answer: Answer, state: Json) -> Profile:
    return profile(answer.value, state)


KIND = Kind(
    name="cited",
    forms=(),
    check=check,
    read=read,
    fit=lambda values, form, options: {},
    encode=lambda values, state: _not_encoded(),
    clean=clean,
    portable=read,
    brief=brief,
    sketch=Sketch(learn, profile, traits),
    answers=Sketch(learn, _answered, traits),
    effort=effort,
)


def _not_encoded() -> Any:
    raise DataError("a cited answer is an input, expected it as an output")
