"""Pascal VOC's XML of boxes, a file a picture; pixels count from 1, and the last one belongs to the box.

Source: Everingham et al. 2010, IJCV 88(2); the development kit's `VOCreadxml`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from windlass.errors import DataError
from windlass.kinds.boxes import BOX, LABEL, fault_of_box, is_pixel, name_of
from windlass.sources.annotations.contract import Annotated, rows
from windlass.sources.contract import RawRow, Source
from windlass.sources.readers.system_files import files_below

MAX_BYTES = 10_000_000
DECLARES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
SIDES = ("xmin", "ymin", "xmax", "ymax")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def is_voc(path: Path) -> bool:
    """The file is the annotation of a picture."""
    try:
        with path.open("rb") as file:
            return b"<annotation" in file.read(2_048)
    except OSError:
        return False


def read(source: Source, listed: frozenset[str] | None = None) -> Iterator[RawRow]:
    """A row for each XML file below the source. listed: names of those that are of this split; None: all are."""
    places = {item.stem: item for item in files_below(source.root) if item.suffix.lower() in PICTURES}
    files = [item for item in files_below(source.path) if item.suffix.lower() == ".xml" and is_voc(item)]
    chosen = [item for item in files if listed is None or item.stem in listed]
    return rows((_picture(number, item, places, source.root) for number, item in enumerate(chosen, 1)), source)


def _picture(number: int, path: Path, places: dict[str, Path], root: Path) -> Annotated:
    try:
        tree = _tree(path)
        named = Path(tree.findtext("filename") or "").stem
        found = places.get(path.stem) or places.get(named)
        if found is None:
            return Annotated(number, path.name, fault=f"picture '{named or path.stem}' does not exist below {root}")
        place = found.relative_to(root).as_posix()
        width, height = (float(tree.findtext(f"size/{side}") or 0) for side in ("width", "height"))
        return Annotated(number, place, width, height, [_thing(each) for each in tree.iter("object")])
    except (DataError, ValueError, ElementTree.ParseError) as error:
        said = error.message if isinstance(error, DataError) else f"is no annotation that can be read ({error})"
        return Annotated(number, path.name, fault=said)


def _tree(path: Path) -> ElementTree.Element:
    """Raises: DataError: it is too large, or declares what an annotation does not need."""
    content = path.read_bytes()
    if len(content) > MAX_BYTES or DECLARES.search(content):
        raise DataError("is no plain XML of at most 10 MB, expected the annotation of a picture")
    return ElementTree.fromstring(content)


def _thing(element: ElementTree.Element) -> dict[str, object]:
    label = name_of(element.findtext("name") or "")
    left, top, right, bottom = (float(element.findtext(f"bndbox/{side}") or "nan") for side in SIDES)
    box = [left - 1, top - 1, right, bottom]
    if not label:
        raise DataError("an object has no name, expected one")
    if not all(map(is_pixel, box)):
        raise DataError(f"'{label}' {fault_of_box(box)}")
    return {LABEL: label, BOX: box}


def written(picture: Annotated) -> str:
    """The XML of one picture, whole pixels."""
    objects = "".join(_object(thing[LABEL], thing[BOX]) for thing in picture.things)
    name = escape(Path(picture.place).name)
    size = f"<width>{picture.width:.0f}</width><height>{picture.height:.0f}</height><depth>3</depth>"
    return f"<annotation><filename>{name}</filename><size>{size}</size>{objects}</annotation>\n"


def _object(label: str, box: list[float]) -> str:
    left, top, right, bottom = (round(side) for side in box)  # to even: a pixel from .5 to .5 may come out as none
    sides = zip(SIDES, (left + 1, top + 1, max(right, left + 1), max(bottom, top + 1)), strict=True)
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in sides)
    return f"<object><name>{escape(label)}</name><difficult>0</difficult><bndbox>{inner}</bndbox></object>"
