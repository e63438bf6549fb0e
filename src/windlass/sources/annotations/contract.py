"""What annotation formats share: a picture with its boxes as a file tells them, held against the picture itself."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import boxes, image
from windlass.kinds.boxes import BESIDE, BOX, LABEL, NARROW, OVER
from windlass.metrics.measures import Array
from windlass.sources.contract import RawRow, Source

BOXES = "boxes"
"""The kind of what is answered."""
FAR = 0.1
"""Share of a picture's side by which a box reaches beyond it that is no slip of the hand any more."""
LEAST, SOME = 5, 0.1
"""Boxes from which on a file can be judged, and the share of them that cannot be meant as they are read."""

TWICE = "there twice"
TAKEN_OUT = {OVER: "cut to what lies on the picture", BESIDE: "taken out", NARROW: "taken out", TWICE: "taken out once"}
"""What is wrong with a box -> what was done."""


@dataclass(frozen=True)
class Annotated:
    """A picture as a file tells it. number: of the row; place: of the picture, below the source's root; width, height:
    as the file says, 0 = it does not; things: label and box each, in pixels; fault: why it cannot be used;
    is_labelled: somebody has said what is there, and be it nothing."""

    number: int
    place: str
    width: float = 0
    height: float = 0
    things: Sequence[dict[str, Any]] = ()
    fault: str = ""
    is_labelled: bool = True


@dataclass
class Repairs:
    """What was mended: fault -> boxes, and the first picture with such a box."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def note(self, fault: str, picture: Annotated) -> None:
        self.counts[fault] += 1
        self.first.setdefault(fault, f"row {picture.number}, {picture.place}")

    def warnings(self) -> list[str]:
        return [
            f"{count:,} {'box' if count == 1 else 'boxes'} {fault}: {TAKEN_OUT[fault]} (first: {self.first[fault]})"
            for fault, count in self.counts.most_common()
        ]


def rows(pictures: Iterable[Annotated], source: Source) -> Iterator[RawRow]:
    """A row for each picture, or why it is none; what was mended becomes warnings of the source."""
    repairs, every = Repairs(), list(pictures)
    fault = other_form(every)
    for picture in [replace(each, fault=each.fault or fault) for each in every]:
        checked = held_against(picture, source.root, repairs)
        if checked.fault:
            yield RawRow(picture.number, None, checked.fault, picture.place)
        else:
            names, things = source.names, list(checked.things) if checked.is_labelled else None
            yield RawRow(picture.number, {names.image: picture.place, names.label: things})
    source.warnings += [f"{source.path.name}: {each}" for each in repairs.warnings()]


def other_form(pictures: Sequence[Annotated]) -> str:
    """What the boxes look like, where some are impossible as they are read and every one is possible otherwise; ''
    where they are as they should be, or are a few wrong ones among others."""
    told = [(thing[BOX], each.width, each.height) for each in pictures if each.width and each.height
            for thing in each.things]  # fmt: skip
    if len(told) < LEAST:
        return ""
    sides, sizes = (
        np.array([box for box, _, _ in told], float),
        np.array([told[n][1:] for n in range(len(told))], float),
    )
    low, high = sides[:, :2], sides[:, 2:]
    is_far = (high > (1 + FAR) * sizes).any(axis=1) | (low < -FAR * sizes).any(axis=1)
    is_turned = (high < low).any(axis=1)
    wide, middle = high - low, (low + high) / 2
    corners, shares = _are_corners(low, wide, sizes), _are_corners(middle, wide, sizes)
    for impossible, possible, words in (
        (is_far, corners or shares, "left, top, right, bottom, where the format has width and height"),
        (is_turned, (low + high <= (1 + FAR / 5) * sizes).all(), "left, top, width, height, where the format has "
         "right and bottom"),
    ):  # fmt: skip
        if possible and impossible.mean() >= SOME:
            return (
                f"the file's boxes look like {words}: {int(impossible.sum()):,} of {len(told):,} cannot lie where they "
                "are said to, and all could lie so"
            )
    return ""


def _are_corners(low: Array, high: Array, sizes: Array) -> bool:
    """Each is a box on its picture, if the second two numbers are its right lower corner."""
    return bool((high > low).all() and (high <= (1 + FAR / 5) * sizes).all())


def held_against(picture: Annotated, root: Path, repairs: Repairs) -> Annotated:
    """With boxes that lie on the picture, or with a fault; a picture outside the root is not opened."""
    if picture.fault or not _is_below(picture.place, root):
        return picture
    try:
        width, height = image.upright_size(picture.place, root)
    except DataError as error:
        return replace(picture, fault=error.message)
    if fault := _of_other_size(picture, width, height) or _impossible(picture, width, height):
        return replace(picture, fault=fault)
    return replace(picture, things=_mended(picture, width, height, repairs))


def _is_below(place: str, root: Path) -> bool:
    try:
        return Path(root, place).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _of_other_size(picture: Annotated, width: int, height: int) -> str:
    said = (picture.width, picture.height)
    if not all(said) or said == (width, height):
        return ""
    words = f"is {width} x {height} upright, and its boxes are of one of {said[0]:g} x {said[1]:g}"
    if said == (height, width):
        return f"{words}: drawn on it as it lies in the file, before EXIF turned it upright?"
    return f"{words}, expected the picture that they were drawn on"


def _impossible(picture: Annotated, width: int, height: int) -> str:
    """Why the boxes cannot be meant as they are read; '' where they can."""
    for thing in picture.things:
        left, top, right, bottom = thing[BOX]
        is_far = right > (1 + FAR) * width or bottom > (1 + FAR) * height
        wide, high = right - left, bottom - top
        if is_far and left < wide <= (1 + FAR) * width and top < high <= (1 + FAR) * height:
            return (
                f"'{thing[LABEL]}' at {left:g}, {top:g} reaches to {right:g}, {bottom:g} on a picture of {width} x "
                f"{height}: are left, top, right, bottom taken for left, top, width, height?"
            )
        if right < left or bottom < top:
            return f"'{thing[LABEL]}' {boxes.fault_of_box(thing[BOX])}"
    return ""


def _mended(picture: Annotated, width: int, height: int, repairs: Repairs) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for thing in picture.things:
        box, fault = boxes.inside(thing[BOX], width, height)
        found = {**thing, BOX: [round(side, boxes.PLACES) for side in box]}
        if box and found in kept:
            box, fault = [], TWICE
        if fault:
            repairs.note(fault, picture)
        if box:
            kept.append(found)
    return kept


def classes_of(pictures: Iterable[Annotated]) -> list[str]:
    """The class names of the pictures, in alphabetical order."""
    return sorted({thing[LABEL] for picture in pictures for thing in picture.things})
