"""Answers pictures with masks, from an ONNX graph that is asked tile by tile."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import image, masks
from windlass.kinds.boxes import BOX, CLASSES, CROWD, LABEL, SCORE, Things
from windlass.kinds.masks import APART, VOID
from windlass.metrics import run_lengths
from windlass.metrics.measures import Array
from windlass.metrics.segmentation import NOBODY_KNOWS, MaskMarks, Segments, measured
from windlass.predictors.contract import check_row, read_value
from windlass.predictors.networks.graph import open_graph
from windlass.predictors.networks.onnx import FILE
from windlass.predictors.segmentation.things import N_APART, Decisions, Seen, decisions_of, shares_of, things, whole
from windlass.predictors.segmentation.tiles import MULTIPLE, Network, Tiling
from windlass.records import Answer, Json, Manifest, Row

LEAST_SIDE, MOST_SIDE = 32, 1_024
AS_BAD = 2.0
"""A share of pixels that differ counts so much: a thousandth of them is at the bound of `TOLERANCE`."""
VIEWS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""A picture as it is, and mirrored: steps along its rows and columns."""


@dataclass(frozen=True)
class Segmenter:
    """Finds the things of `manifest.output.state` in the one picture of a row. n_views: of `VIEWS`, whose mean is
    taken."""

    manifest: Manifest
    network: Network
    tiling: Tiling
    n_views: int = 1

    @property
    def classes(self) -> list[str]:
        found: list[str] = self.manifest.output.state[CLASSES]
        return found

    @property
    def decided(self) -> Decisions:
        return decisions_of(self.manifest.output.state)

    def shares(self, pixels: Array, size: tuple[int, int]) -> Array:
        """Of a picture as it is looked at, (C, h, w) float32. size: width and height of the whole picture.

        Each picture is asked by itself, so that beside others it is answered as alone.
        """
        return self.tiling.blended(self._viewed, self.tiling.drawn(pixels, size))

    def _viewed(self, batch: Array) -> Array:
        seen = []
        for down, across in VIEWS[: self.n_views]:
            answer = self.network(np.ascontiguousarray(batch[:, :, ::down, ::across]))
            seen.append(shares_of(answer, len(self.classes))[:, :, ::down, ::across])
        return np.mean(seen, axis=0) if len(seen) > 1 else seen[0]

    def seen(self, row: Row, number: int, root: Path | None) -> tuple[Seen, tuple[int, int]]:
        """What is on the picture, a map of its whole size; and width and height. Raises: DataError: it cannot be
        read."""
        pixels, size = self.picture(row, number, root)
        found = things(self.shares(pixels, size), len(self.classes), self.decided)
        return found._replace(numbers=whole(found.numbers, size[::-1])), size

    def picture(self, row: Row, number: int, root: Path | None) -> tuple[Array, tuple[int, int]]:
        """As it was decoded, and width and height of the whole. Raises: DataError."""
        name = self.manifest.inputs[0].name
        check_row(row, [name], number)
        found: tuple[Array, tuple[int, int]] = read_value(image.read_sized, row, name, number, root)
        return found

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """The masks, the surest first."""
        seen = [self.seen(row, number, root)[0] for number, row in enumerate(rows)]
        return [Answer(self.value(found), None) for found in seen]

    def value(self, found: Seen) -> list[Json]:
        """As it is answered."""
        size = (found.numbers.shape[0], found.numbers.shape[1])
        return [
            {
                **masks.thing_of(self.classes[found.classes[number - 1]], runs, size),
                BOX: run_lengths.bounds(runs, size[0]),
                SCORE: round(float(found.scores[number - 1]), 4),
            }
            for number, runs in run_lengths.each_of(found.numbers)
        ]

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> MaskMarks:
        """Classes that the artifact does not know are there to be missed. Raises: DataError: a picture cannot be read,
        or its right masks are of another size."""
        read = [masks.truth(value) for value in truth]
        names = names_of(self.classes, read)
        measures, given, sizes = [], [], []
        for number, (row, things_) in enumerate(zip(rows, read, strict=True)):
            found, size = self.seen(row, number, root)
            if fault := fault_of_size(things_, size):
                raise DataError(f"row {number} {fault}")
            measures.append(measured(found.segments, right_of(things_, names, size), len(names)))
            given.append(self.value(found))
            sizes.append(size)
        return MaskMarks(tuple(measures), tuple(given), tuple(read), names, np.array(sizes, int).reshape(-1, 2))

    def golden(self, rows: Sequence[Row]) -> list[str]:
        """The answers as golden rows keep them, JSON; they are decided ones, and written again with each decision."""
        return [json.dumps(answer.value, ensure_ascii=False) for answer in self.answer(rows)]

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest, over the rows, of the share of pixels of another class, times `AS_BAD`."""
        pairs = zip(self.answer(rows), wanted, strict=True)
        return max((apart(answer.value, json.loads(right), self.classes) for answer, right in pairs), default=0.0)

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it."""
        try:
            return apart(answer["value"], json.loads(wanted), self.classes)
        except (KeyError, TypeError, ValueError, IndexError):
            return math.inf


def names_of(classes: Sequence[str], right: Sequence[Things]) -> tuple[str, ...]:
    """The known classes, then those that are only among the right ones."""
    others = {thing[LABEL] for each in right for thing in each} - {VOID}
    return tuple(dict.fromkeys([*classes, *sorted(others)]))


def fault_of_size(things: Things, size: tuple[int, int]) -> str:
    """What is wrong with masks on a picture of this width and height; '' = nothing."""
    if not things or masks.size_of(things[0]) == (size[1], size[0]):
        return ""
    height, width = masks.size_of(things[0])
    words = f"has masks of {width} x {height} pixels and a picture of {size[0]} x {size[1]}, expected the same size"
    if (width, height) == size[::-1]:
        return f"{words}: drawn on it as it lies in the file, before EXIF turned it upright?"
    return words


def right_of(things: Sequence[Mapping[str, Any]], classes: Sequence[str], size: tuple[int, int]) -> Segments:
    """What is there on a picture of this width and height, as it is measured; classes: of all things."""
    known = [NOBODY_KNOWS if thing[LABEL] == VOID else classes.index(thing[LABEL]) for thing in things]
    is_crowd = np.array([bool(thing.get(CROWD)) for thing in things], bool)
    return Segments(masks.map_of(things, size[::-1]), np.array(known, int), is_crowd)


def apart(given: Any, wanted: Any, classes: Sequence[str]) -> float:
    """How far two answers are from each other: the share of pixels that are of another class, times `AS_BAD`.

    Raises: KeyError, TypeError, ValueError, IndexError: one is no answer.
    """
    if not given and not wanted:
        return 0.0
    size = masks.size_of((given or wanted)[0])
    one, other = (right_of(each, classes, size[::-1]).by_pixel for each in (given, wanted))
    return min(1.0, AS_BAD * float((one != other).mean()))


def load(folder: Path, manifest: Manifest) -> Segmenter:
    """A graph with the input `input_0` and the output `logits`. Raises: DataError: it is damaged, or another one."""
    tiling, n_views = _settings(folder, manifest)
    state = manifest.output.state
    n_maps = len(state[CLASSES]) + 1 + (N_APART if state.get(APART) else 0)

    def blank(session: Any) -> dict[str, Array]:
        read = [(item.name, item.shape[1:]) for item in session.get_inputs()]
        if read != [("input_0", [3, tiling.side, tiling.side])]:
            raise DataError(f"{folder / FILE} reads {read}, expected tiles of {tiling.side} x {tiling.side}")
        given = {item.name: item.shape[1:2] for item in session.get_outputs()}
        if given.get("logits") not in ([n_maps], [None]) and not isinstance(given.get("logits", [0])[0], str):
            raise DataError(f"{folder / FILE} gives no 'logits' of {n_maps} maps a tile, expected them")
        return {"input_0": np.zeros((1, 3, tiling.side, tiling.side), np.float32)}

    session = open_graph(folder / FILE, blank)

    def network(batch: Array) -> Array:
        return np.asarray(session.run(["logits"], {"input_0": batch})[0])

    return Segmenter(manifest, network, tiling, n_views)


def _settings(folder: Path, manifest: Manifest) -> tuple[Tiling, int]:
    side, overlap, longest, views = (manifest.settings.get(name) for name in ("side", "overlap", "longest", "views"))
    inputs = [column.kind for column in manifest.inputs]
    if manifest.output.kind != masks.KIND.name or inputs != [image.KIND.name]:
        raise DataError(f"{folder} finds '{manifest.output.kind}' in {inputs}, expected masks in one picture")
    if not (isinstance(side, int) and LEAST_SIDE <= side <= MOST_SIDE and side % MULTIPLE == 0):
        raise DataError(f"{folder} has tiles of another size, expected multiples of {MULTIPLE} up to {MOST_SIDE:,}")
    is_sound = isinstance(overlap, int) and 0 <= overlap < side and isinstance(longest, int) and longest >= 1
    if not is_sound or views not in (1, 2, len(VIEWS)):
        raise DataError(f"{folder} has no overlap, longest side or number of views that fits, expected them")
    return Tiling(side, int(overlap or 0), int(longest or 0)), int(views or 1)
