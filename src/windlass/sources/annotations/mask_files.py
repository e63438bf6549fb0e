"""Masks as pictures: one PNG a picture that says of each pixel its class, or the number of its thing.

Classes are told by a number, or by a colour of `labelmap.txt` (CVAT's); things by a number (16 bits where there are
many) or by a colour each. Where both lie side by side, a thing is of the class that most of its pixels have.
Source: VOC 2012's `SegmentationClass` and `SegmentationObject`, 255 = void; Data Science Bowl 2018.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import image, masks
from windlass.kinds.boxes import name_of
from windlass.kinds.masks import VOID
from windlass.metrics.measures import Array
from windlass.sources.contract import RawRow, Source
from windlass.sources.readers.system_files import files_below

PICTURES = ("images", "jpegimages", "imgs")
CLASS_FOLDERS = ("masks", "segmentationclass", "labels", "annotations")
THING_FOLDERS = ("instances", "segmentationobject")
"""What folders are called, in small letters: of pictures, and of masks by class and by thing."""
SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".gif")
"""Of masks: files that keep each pixel as it is."""
TAILS = ("", "_mask", "-mask", "_masks", "_seg", "_label")
"""What the name of a mask may have behind that of its picture."""
THING = "thing"
"""The class where nobody named one."""
VOC_VOID, MOST_CLASSES, MOST_THINGS = 255, 256, 65_535
BACKGROUND = frozenset({"background", "_background_", "bg", "背景"})


@dataclass(frozen=True)
class Palette:
    """names: number -> class, 0 = nothing; colours: red * 65536 + green * 256 + blue -> number; both may be empty."""

    names: Mapping[int, str]
    colours: Mapping[int, int]


@dataclass(frozen=True)
class MaskFolders:
    """Where pictures and their masks lie; None: there are none of that sort."""

    pictures: Path
    classes: Path | None
    things: Path | None
    palette: Palette


def folders_in(path: Path, home: Path | None = None) -> MaskFolders | None:
    """The folders of pictures and masks right below this one; None: they are not both there.

    Args: home: another folder where classes may be named.
    """
    found = {item.name.lower(): item for item in sorted(path.iterdir()) if item.is_dir()}
    pictures, classes, things = (
        next((found[name] for name in names if name in found), None)
        for names in (PICTURES, CLASS_FOLDERS, THING_FOLDERS)
    )
    classes = classes if classes is not None and has_masks(classes) else None
    things = things if things is not None and has_masks(things) else None
    if pictures is None or (classes is None and things is None):
        return None
    palette = palette_of(path)
    return MaskFolders(pictures, classes, things, palette if palette.names or home is None else palette_of(home))


def has_masks(folder: Path) -> bool:
    """The first file that may be a mask is one: no photograph."""
    first = next((item for item in files_below(folder) if item.suffix.lower() in SUFFIXES), None)
    return first is not None


def palette_of(path: Path) -> Palette:
    """The classes of `labelmap.txt` or `classes.txt` in the folder; none where neither is there. Raises: DataError."""
    for name in ("labelmap.txt", "classes.txt"):
        if (path / name).is_file():
            lines = (path / name).read_text(encoding="utf-8-sig", errors="replace").splitlines()
            said = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
            return _with_colours(said, path / name) if name == "labelmap.txt" else _numbered(said)
    return Palette({}, {})


def _numbered(lines: Sequence[str]) -> Palette:
    """A line a class; the first is number 0 where it is that of nothing, else 1."""
    start = 0 if lines and lines[0].lower() in BACKGROUND else 1
    named = {start + place: name_of(line) for place, line in enumerate(lines)}
    return Palette({number: name for number, name in named.items() if number > 0}, {})


def _with_colours(lines: Sequence[str], path: Path) -> Palette:
    names, colours = {}, {}
    for number, line in enumerate(lines, 1):
        name, _, rest = line.partition(":")
        try:
            red, green, blue = (int(each) for each in rest.partition(":")[0].split(","))
        except ValueError:
            raise DataError(f"{path} says '{line[:40]}', expected `name:red,green,blue`") from None
        is_nothing = name.strip().lower() in BACKGROUND
        colours[red * 65_536 + green * 256 + blue] = 0 if is_nothing else number
        names.update({} if is_nothing else {number: name_of(name)})
    return Palette(names, colours)


def read(source: Source, folders: MaskFolders) -> Iterator[RawRow]:
    """A row for each picture; one without a mask, or with one of another size, is none, and why."""
    classes, things = (_by_stem(each) for each in (folders.classes, folders.things))
    used: set[Path] = set()
    numbers: set[int] = set()
    for number, item in enumerate(_pictures(folders.pictures), 1):
        place = item.relative_to(source.root).as_posix()
        found = [_of_picture(item, folders.pictures, each) for each in (classes, things)]
        used.update(each for each in found if each is not None)
        try:
            value = _things(place, found, folders, source.root, numbers)
        except DataError as error:
            yield RawRow(number, None, error.message, place)
            continue
        yield RawRow(number, {source.names.image: place, source.names.label: value})
    source.warnings += _warnings(source, [*classes.values(), *things.values()], used, numbers)


def _warnings(source: Source, every: Sequence[Path], used: set[Path], unnamed: set[int]) -> list[str]:
    said, left = [], [item for item in every if item not in used]
    if left:
        said.append(f"{source.path.name}: {len(left):,} masks have no picture (first: {left[0].name}): left out")
    if unnamed:
        known = ", ".join(map(str, sorted(unnamed)[:8]))
        said.append(f"{source.path.name}: classes {known} have no name: `classes.txt` beside the pictures names them")
    return said


def _pictures(folder: Path) -> list[Path]:
    return [item for item in files_below(folder) if item.suffix.lower() in image.SUFFIXES]


def _by_stem(folder: Path | None) -> dict[str, Path]:
    """The masks by their place below the folder, without their ending."""
    if folder is None:
        return {}
    found = [item for item in files_below(folder) if item.suffix.lower() in SUFFIXES]
    return {item.relative_to(folder).with_suffix("").as_posix(): item for item in found}


def _of_picture(item: Path, folder: Path, masks_: Mapping[str, Path]) -> Path | None:
    stem = item.relative_to(folder).with_suffix("").as_posix()
    return next((masks_[f"{stem}{tail}"] for tail in TAILS if f"{stem}{tail}" in masks_), None)


def _things(
    place: str, found: Sequence[Path | None], folders: MaskFolders, root: Path, unnamed: set[int]
) -> list[dict[str, Any]]:
    """What is on a picture. Raises: DataError: it has no mask, or one that cannot be meant."""
    by_class, by_thing = found
    if by_class is None and by_thing is None:
        raise DataError("has no mask, expected a file of the same name in the folder of masks")
    size = image.upright_size(place, root)
    classes = None if by_class is None else numbers_of(by_class, size)
    if by_thing is None and classes is not None and classes.ndim == 2 and int(classes.max()) >= MOST_CLASSES:
        by_thing, classes = by_class, None  # more than 255 numbers are of things
    if by_thing is not None:
        return _apart(_coloured(numbers_of(by_thing, size)), classes, folders.palette, unnamed)
    assert classes is not None
    names = _names(_classes(classes, folders.palette), folders.palette, unnamed)
    return masks.of_map(names[0], names[1])


def _apart(numbers: Array, classes: Array | None, palette: Palette, unnamed: set[int]) -> list[dict[str, Any]]:
    """Each number a thing, of the class that most of its pixels have."""
    if int(numbers.max(initial=0)) > MOST_THINGS:
        raise DataError(f"has things up to number {int(numbers.max()):,}, expected at most {MOST_THINGS:,}")
    if classes is None:
        only = next(iter(palette.names.values()), THING) if len(palette.names) == 1 else THING
        return masks.of_map(numbers, dict.fromkeys(np.unique(numbers[numbers > 0]).tolist(), only))
    by_pixel, names = _names(_classes(classes, palette), palette, unnamed)
    labels: dict[int, str] = {}
    for number in np.unique(numbers[numbers > 0]).tolist():
        inside = by_pixel[numbers == number]
        known = inside[inside > 0]
        if len(known):
            labels[number] = names[int(np.bincount(known).argmax())]
    return masks.of_map(numbers, labels)


def _names(by_pixel: Array, palette: Palette, unnamed: set[int]) -> tuple[Array, dict[int, str]]:
    """The map, and number -> class: 255 is void; two-valued masks without names are of one class."""
    seen = np.unique(by_pixel[by_pixel > 0]).tolist()
    if not palette.names and len(seen) <= 1 and seen in ([], [1], [VOC_VOID]):
        return np.minimum(by_pixel, 1), {1: THING}
    names = {}
    for number in seen:
        if number == VOC_VOID and number not in palette.names:
            names[number] = VOID
        elif number in palette.names:
            names[number] = palette.names[number]
        else:
            unnamed.add(number)
            names[number] = f"class {number}"
    return by_pixel, names


def _classes(numbers: Array, palette: Palette) -> Array:
    """(H, W) int, of numbers or of colours that the palette knows. Raises: DataError."""
    if numbers.ndim == 2:
        return numbers
    coded = _codes(numbers)
    known = palette.colours or {0: 0, 0xFFFFFF: 1}
    found = np.zeros(coded.shape, int)
    for code in np.unique(coded).tolist():
        if code not in known:
            raise DataError(f"has the colour #{code:06x} on its mask, expected one of those that `labelmap.txt` names")
        found[coded == code] = known[code]
    return found


def _coloured(numbers: Array) -> Array:
    """(H, W) int: things by number, or by colour, black being none."""
    if numbers.ndim == 2:
        return numbers
    codes, found = np.unique(_codes(numbers), return_inverse=True)
    return found.reshape(numbers.shape[:2]) + (0 if codes[0] == 0 else 1)


def _codes(colours: Array) -> Array:
    parts = colours[:, :, :3].astype(int)
    return np.asarray(parts[:, :, 0] * 65_536 + parts[:, :, 1] * 256 + parts[:, :, 2])


def numbers_of(path: Path, size: tuple[int, int]) -> Array:
    """The mask's pixels as they are, (H, W) or (H, W, 3) int; of a colour table the numbers, not the colours.

    Args:   size: width and height of the picture that it must be of; looked at before anything is decoded.
    Raises: DataError.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            if opened.size != size:
                raise DataError(_of_other_size(path, opened.size, size))
            wide = opened.mode in ("1", "P", "L") or opened.mode[0] in "IF"
            pixels = np.asarray(opened if wide else opened.convert("RGB")).astype(int)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"has the mask {path.name} that cannot be read ({type(error).__name__})") from None
    is_grey = pixels.ndim == 3 and (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
    return np.asarray(pixels[..., 0] if is_grey else pixels)


def _of_other_size(path: Path, found: tuple[int, int], size: tuple[int, int]) -> str:
    words = f"has the mask {path.name} of {found[0]} x {found[1]} and is {size[0]} x {size[1]} upright"
    if found == size[::-1]:
        return f"{words}: drawn on it as it lies in the file, before EXIF turned it upright?"
    return f"{words}, expected the same size"
