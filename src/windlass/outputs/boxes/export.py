"""Pictures with their boxes as an annotation tool reads them, what people corrected among them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from windlass.errors import SpecError, did_you_mean, expected
from windlass.kinds import boxes
from windlass.kinds.boxes import CROWD
from windlass.outputs import pictures_out
from windlass.outputs.contract import Labelled
from windlass.outputs.pictures_out import Given, Written
from windlass.outputs.worth_labelling import Question
from windlass.records import Json
from windlass.sources.annotations import coco
from windlass.sources.annotations.contract import Annotated
from windlass.sources.annotations.writing import FORMATS, Format
from windlass.spec import Spec
from windlass.store.files import publish


def export(folder: Path, form: str, labelled: Labelled) -> Json:
    """Writes the pictures and their boxes, and gives what was written.

    Raises: SpecError: no such format. DataError: a picture cannot be read any more.
    """
    if form not in FORMATS:
        raise SpecError(f"--format is '{form}', expected {expected(FORMATS)}", did_you_mean(form, FORMATS))
    found: list[Written] = []

    def build(made: Path) -> None:
        parts: dict[str, list[Annotated]] = {}
        found.extend(pictures_out.pictures(made, labelled, FORMATS[form].pictures, boxes.truth))
        for number, each in enumerate(found, 1):
            parts.setdefault(each.split, []).append(Annotated(number, each.place, *each.size, each.things))
        FORMATS[form].write(made, parts)

    publish(folder, build)
    return pictures_out.summary(folder, form, found, labelled, _notes(found, FORMATS[form]))


def _notes(pictures: Iterable[Written], form: Format) -> list[str]:
    """What the format cannot tell."""
    crowds = sum(bool(thing.get(CROWD)) for each in pictures for thing in each.things)
    said = [f"{crowds:,} boxes hold several things that nobody told apart: they are written as ordinary ones"]
    return [*(said if crowds and not form.has_crowds else []),
            *(["the format has whole pixels: boxes are rounded"] if form.is_whole else [])]  # fmt: skip


def to_label(found: Sequence[Question], spec: Spec, folder: Path) -> Path:
    """Pictures that are worth a label, with the boxes that were found to begin with."""
    return pictures_out.to_label(found, spec, folder, _as_coco)


def _as_coco(given: Given) -> Json:
    return coco.written(
        [Annotated(number, place, *size, boxes.truth(value)) for number, (place, (size, value)) in
         enumerate(given.items(), 1)]
    )  # fmt: skip
