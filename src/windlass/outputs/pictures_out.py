"""Labelled pictures that leave the house, for annotation tools: each once, as it was corrected last, by a name of its
own; and pictures that are worth a label, with what was found on them."""

import base64
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.kinds import image
from windlass.kinds.boxes import LABEL, Things
from windlass.outputs.contract import Labelled
from windlass.outputs.worth_labelling import Question
from windlass.records import Json, Row
from windlass.sources.annotations.writing import SHORT
from windlass.spec import Spec
from windlass.store.files import write_bytes, write_text

SIGNED = 12
"""Hexadecimal digits of a picture's hash, which a picture that came without a name is called by."""
Given = Mapping[str, tuple[tuple[int, int], str]]
"""The place of a picture -> its width and height, and the answer that was given, as it was kept."""
PICTURES, FILE = "images", "annotations.json"


@dataclass(frozen=True)
class Written:
    """A picture that lies in its place. place: below the folder; size: width and height; things: what is on it."""

    split: str
    place: str
    size: tuple[int, int]
    things: Things


def pictures(made: Path, labelled: Labelled, where: str, truth: Callable[[object], Things]) -> Iterator[Written]:
    """Writes the pictures below `where`, in which `{split}` stands for their split. A corrected one that is among the
    rows has what was corrected; others join the split that is learned from. Raises: DataError: one cannot be read."""
    corrected = {_signature(image.content(row[labelled.picture], labelled.root)): row for row in labelled.corrected}
    names, seen = _Names(), set[str]()
    for split, row in _every(labelled):
        content = image.content(row[labelled.picture], labelled.root)
        signature = _signature(content)
        if signature in seen and signature in corrected:
            continue
        seen.add(signature)
        place = f"{where.format(split=SHORT[split])}/{names.of(str(row[labelled.picture]), content, signature)}"
        write_bytes(made / place, content)
        value = corrected.get(signature, row)[labelled.output]
        yield Written(split, place, image.upright_size(place, made), truth(value))


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


def summary(folder: Path, form: str, found: Sequence[Written], labelled: Labelled, notes: Sequence[str]) -> Json:
    """What was written, with `text` for a person. notes: what the format cannot tell."""
    counts = Counter(each.split for each in found)
    things = Counter(thing[LABEL] for each in found for thing in each.things)
    said: Json = {
        "folder": str(folder),
        "format": form,
        "pictures": {split: counts[split] for split in counts},
        "things": dict(things.most_common()),
        "corrected": len(labelled.corrected),
        "notes": list(notes),
    }
    return {**said, "text": _as_text(said)}


def _as_text(found: Json) -> str:
    told = ", ".join(f"{split} {count:,}" for split, count in found["pictures"].items())
    things = ", ".join(f"{count:,} {name}" for name, count in list(found["things"].items())[:8]) or "nothing on them"
    corrected = f"; {found['corrected']:,} pictures as people corrected them" if found["corrected"] else ""
    notes = "".join(f"\nnote: {each}" for each in found["notes"])
    return f"{found['folder']} ({found['format']}): pictures: {told}{corrected}\n{things}{notes}"


def to_label(found: Sequence[Question], spec: Spec, folder: Path, told: Callable[[Given], Json]) -> Path:
    """COCO's file beside its pictures, in a folder of its own: `windlass improve --rows` reads it once it is right.

    told(what was given) -> the content of the file.
    """
    number = 1
    while (home := folder / f"to-label-{number}").exists():
        number += 1
    name = next(iter(spec.inputs))
    asked = {_picture(each, str(each.values[name]), home): each for each in found}
    given = {place: (image.upright_size(place, home), each.value or "[]") for place, each in asked.items()}
    write_text(home / FILE, json.dumps(told(given), ensure_ascii=False, indent=1) + "\n")
    return home / FILE


def _picture(question: Question, value: str, home: Path) -> str:
    """Writes it; gives its place."""
    from PIL import Image

    content = base64.b64decode(value.partition(",")[2] or value)
    suffix = str(Image.open(io.BytesIO(content)).format or "png").lower()
    place = f"{PICTURES}/{question.id}.{suffix}"
    write_bytes(home / place, content)
    return place
