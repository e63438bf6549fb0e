"""Pictures that are worth a label, as a folder that annotation tools open: COCO's file, with the boxes that were found
to begin with."""

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path

from windlass.kinds import boxes, image
from windlass.outputs.worth_labelling import Question
from windlass.sources.annotations import coco
from windlass.sources.annotations.contract import Annotated
from windlass.spec import Spec
from windlass.store.files import write_bytes, write_text

PICTURES, FILE = "images", "annotations.json"


def written(found: Sequence[Question], spec: Spec, folder: Path) -> Path:
    """The file, in a folder of its own: `windlass improve --rows` reads it once its boxes are right."""
    number = 1
    while (home := folder / f"to-label-{number}").exists():
        number += 1
    name = next(iter(spec.inputs))
    pictures = [_picture(place, each, str(each.values[name]), home) for place, each in enumerate(found, 1)]
    write_text(home / FILE, json.dumps(coco.written(pictures), ensure_ascii=False, indent=1) + "\n")
    return home / FILE


def _picture(number: int, question: Question, value: str, home: Path) -> Annotated:
    from PIL import Image

    width, height = image.upright_size(value, None)
    content = base64.b64decode(value.partition(",")[2] or value)
    suffix = str(Image.open(io.BytesIO(content)).format or "png").lower()
    place = f"{PICTURES}/{question.id}.{suffix}"
    write_bytes(home / place, content)
    return Annotated(number, place, width, height, boxes.truth(question.value or "[]"))
