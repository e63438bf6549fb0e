"""Pictures with their masks as an annotation tool reads them, what people corrected among them."""

from collections.abc import Sequence
from pathlib import Path

from windlass.errors import SpecError, did_you_mean, expected
from windlass.kinds import masks
from windlass.kinds.boxes import CROWD
from windlass.outputs import pictures_out
from windlass.outputs.contract import Labelled
from windlass.outputs.pictures_out import Given, Written
from windlass.outputs.worth_labelling import Question
from windlass.records import Json
from windlass.sources.annotations import coco_masks
from windlass.sources.annotations.mask_writing import MASK_FORMATS, Masked
from windlass.spec import Spec
from windlass.store.files import publish


def export(folder: Path, form: str, labelled: Labelled) -> Json:
    """Writes the pictures and their masks, and gives what was written.

    Raises: SpecError: no such format. DataError: a picture cannot be read any more.
    """
    if form not in MASK_FORMATS:
        raise SpecError(f"--format is '{form}', expected {expected(MASK_FORMATS)}", did_you_mean(form, MASK_FORMATS))
    found: list[Written] = []

    def build(made: Path) -> None:
        parts: dict[str, list[Masked]] = {}
        found.extend(pictures_out.pictures(made, labelled, MASK_FORMATS[form].pictures, masks.truth))
        for each in found:
            parts.setdefault(each.split, []).append(Masked(each.place, each.size, each.things))
        MASK_FORMATS[form].write(made, parts)

    publish(folder, build)
    crowds = sum(bool(thing.get(CROWD)) for each in found for thing in each.things)
    flat = ["a pixel is of one thing: where masks overlap, the smaller one lies on top"]
    flat += [f"{crowds:,} crowds are written as ordinary things"] * bool(crowds)
    return pictures_out.summary(folder, form, found, labelled, flat if MASK_FORMATS[form].is_flat else [])


def to_label(found: Sequence[Question], spec: Spec, folder: Path) -> Path:
    """Pictures that are worth a label, with the masks that were found to begin with."""
    return pictures_out.to_label(found, spec, folder, _as_coco)


def _as_coco(given: Given) -> Json:
    return coco_masks.written([(place, size, masks.truth(value)) for place, (size, value) in given.items()])
