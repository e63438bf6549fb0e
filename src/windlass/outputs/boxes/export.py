"""Pictures with their boxes as an annotation tool reads them, what people corrected among them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from windlass.errors import SpecError, did_you_mean, expected
from windlass.kinds import boxes, image
from windlass.kinds.boxes import CROWD
from windlass.outputs.contract import Labelled
from windlass.records import Json, Row
from windlass.sources.annotations.contract import Annotated
from windlass.sources.annotations.writing import FORMATS, SHORT, Format
from windlass.store.files import publish, write_bytes

SIGNED = 12
"""Hexadecimal digits of a picture's hash, which a picture that came without a name is called by."""


def export(folder: Path, form: str, labelled: Labelled) -> Json:
    """Writes the pictures and their boxes, and gives what was written. A corrected picture that is among the rows has
    the corrected boxes; others join the split that is learned from.

    Raises: SpecError: no such format. DataError: a picture cannot be read any more.
    """
    if form not in FORMATS:
        raise SpecError(f"--format is '{form}', expected {expected(FORMATS)}", did_you_mean(form, FORMATS))
    parts: dict[str, list[Annotated]] = {}

    def build(made: Path) -> None:
        corrected = {_signature(image.content(row[labelled.picture], labelled.root)): row for row in labelled.corrected}
        names, seen = _Names(), set[str]()
        for split, row in _every(labelled):
            content = image.content(row[labelled.picture], labelled.root)
            signature = _signature(content)
            if signature in seen and signature in corrected:
                continue
            seen.add(signature)
            name = names.of(str(row[labelled.picture]), content, signature)
            place = f"{FORMATS[form].pictures.format(split=SHORT[split])}/{name}"
            write_bytes(made / place, content)
            value = corrected.get(signature, row)[labelled.output]
            width, height = image.upright_size(place, made)
            found = Annotated(len(seen), place, width, height, boxes.truth(value))
            parts.setdefault(split, []).append(found)
        FORMATS[form].write(made, parts)

    publish(folder, build)
    every = [each for pictures in parts.values() for each in pictures]
    found: Json = {
        "folder": str(folder),
        "format": form,
        "pictures": {split: len(pictures) for split, pictures in parts.items()},
        "boxes": dict(Counter(thing[boxes.LABEL] for each in every for thing in each.things).most_common()),
        "corrected": len(labelled.corrected),
        "notes": _notes(every, FORMATS[form]),
    }
    return {**found, "text": as_text(found)}


def _every(labelled: Labelled) -> Iterator[tuple[str, Row]]:
    for split, rows in labelled.parts.items():
        yield from ((split, row) for row in rows)
    yield from (("train", row) for row in labelled.corrected)


def _signature(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _Names:
    """Names of files, each once whatever its ending, as formats tell pictures by their names without it."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, value: str, content: bytes, signature: str) -> str:
        path = Path(image.file_of(value) or f"{signature[:SIGNED]}.{image.suffix_of(content)}")
        number, stem = 1, path.stem
        while stem.casefold() in self.taken:
            number += 1
            stem = f"{path.stem}-{number}"
        self.taken.add(stem.casefold())
        return f"{stem}{path.suffix}"


def _notes(pictures: Iterable[Annotated], form: Format) -> list[str]:
    """What the format cannot tell."""
    crowds = sum(bool(thing.get(CROWD)) for each in pictures for thing in each.things)
    said = [f"{crowds:,} boxes hold several things that nobody told apart: they are written as ordinary ones"]
    return [*(said if crowds and not form.has_crowds else []),
            *(["the format has whole pixels: boxes are rounded"] if form.is_whole else [])]  # fmt: skip


def as_text(found: Json) -> str:
    """What was written, for a person."""
    pictures = ", ".join(f"{split} {count:,}" for split, count in found["pictures"].items())
    things = ", ".join(f"{count:,} {name}" for name, count in list(found["boxes"].items())[:8]) or "no box"
    corrected = f"; {found['corrected']:,} pictures as people corrected them" if found["corrected"] else ""
    notes = "".join(f"\nnote: {each}" for each in found["notes"])
    return f"{found['folder']} ({found['format']}): pictures: {pictures}{corrected}\n{things}{notes}"
