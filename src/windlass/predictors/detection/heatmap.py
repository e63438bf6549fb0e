"""Answers pictures with boxes, from the heat-maps of an ONNX graph."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from windlass.errors import DataError
from windlass.kinds import boxes, image
from windlass.kinds.boxes import BOX, CLASSES, COUNT_FACTOR, CROWD, HAND_OVER, LABEL, SCORE, THRESHOLDS
from windlass.metrics import counting
from windlass.metrics.box_calibration import CALIBRATION, calibrated
from windlass.metrics.costs import BoxCosts, box_costs_of
from windlass.metrics.detection import BoxMarks, Found
from windlass.metrics.measures import Array
from windlass.predictors.artifact import TOLERANCE
from windlass.predictors.contract import check_row, read_value
from windlass.predictors.detection.canvas import MULTIPLE, STRIDE, Canvas, batch_of
from windlass.predictors.detection.peaks import decoded
from windlass.predictors.networks.graph import open_graph
from windlass.predictors.networks.onnx import FILE
from windlass.records import Answer, Json, Manifest, Row

CHUNK = 8
"""Pictures of one run: more is no faster on a processor, and takes more memory."""
USUAL_THRESHOLD = 0.3
"""Where validation has not told one."""
MOST_SIDE, LEAST_SIDE = 2_048, 32
SURE, N_KEPT = 0.02, 4
"""From which score on a box of a golden row must be found again; and so many of each picture however unsure: a model
that is sure of nothing is proven, too."""
MOST_NAMED = 4
"""Boxes that the reason for a hand-over names."""
PIXELS = 250.0
"""So many pixels of difference are as bad as a score of 1: half a pixel is at the bound of `TOLERANCE`."""
Network = Callable[[Array], Array]
"""(n, 3, H, W) float32, 0-255 -> an answer each: of maps (n, K + 4, H / 4, W / 4)."""
Decode = Callable[[Array, int, Canvas], Found]
"""What an answer for so many classes says is on the canvas."""


@dataclass(frozen=True)
class Detector:
    """Finds the things of `manifest.output.state` in the one picture of a row."""

    manifest: Manifest
    network: Network
    canvas: Canvas
    decode: Decode = lambda answer, n_classes, canvas: decoded(answer, n_classes)

    @property
    def classes(self) -> list[str]:
        found: list[str] = self.manifest.output.state[CLASSES]
        return found

    @property
    def thresholds(self) -> Array:
        """(k,) of scores, from which on a box is given."""
        return np.array(self.manifest.output.state.get(THRESHOLDS) or [USUAL_THRESHOLD] * len(self.classes))

    @property
    def costs(self) -> BoxCosts | None:
        """What mistakes cost; None: that is not known."""
        return box_costs_of(self.manifest.output.state)

    @property
    def curves(self) -> list[list[float]]:
        """By which scores are probabilities; none: they stay as they are."""
        found: list[list[float]] = self.manifest.output.state.get(CALIBRATION, [])
        return found

    def found(self, rows: Sequence[Row], root: Path | None = None) -> list[Found]:
        """Boxes of all scores, in pixels of the whole pictures. Raises: DataError: a picture cannot be read."""
        return [sure_of(found, self.curves) for found, _ in self._found_sized(rows, root)]

    def _found_sized(self, rows: Sequence[Row], root: Path | None) -> list[tuple[Found, tuple[int, int]]]:
        """With scores as the network gives them, and the sizes of the pictures."""
        everything: list[tuple[Found, tuple[int, int]]] = []
        for start in range(0, len(rows), CHUNK):
            read = [self._read(row, number, root) for number, row in enumerate(rows[start : start + CHUNK], start)]
            drawn = np.stack([self.canvas.drawn(pixels, size) for pixels, size in read])
            answers = self.network(batch_of(drawn))
            for answer, (_, size) in zip(answers, read, strict=True):
                found = self.decode(answer, len(self.classes), self.canvas)
                everything.append((found._replace(boxes=self.canvas.back(found.boxes, size)), size))
        return everything

    def heat(self, row: Row, number: int = 0, root: Path | None = None) -> tuple[Array, Found]:
        """Of each class how likely a thing is centred at a place, (K, h, w) 0-1 of the whole picture; and its boxes.

        A network without maps has seen something wherever one of its boxes of any score lies.
        """
        pixels, size = self._read(row, number, root)
        answer = self.network(batch_of(self.canvas.drawn(pixels, size)[None]))[0]
        scale = self.canvas.scale(size) / STRIDE
        wide, high = (max(1, round(side * scale)) for side in size)
        found = self.decode(answer, len(self.classes), self.canvas)
        if answer.shape[1:] == (self.canvas.height // STRIDE, self.canvas.width // STRIDE):
            seen = 1 / (1 + np.exp(-answer[: len(self.classes), :high, :wide].astype(np.float64)))
        else:
            seen = _painted(found, (len(self.classes), high, wide))
        return seen, sure_of(found._replace(boxes=self.canvas.back(found.boxes, size)), self.curves)

    def _read(self, row: Row, number: int, root: Path | None) -> tuple[Array, tuple[int, int]]:
        name = self.manifest.inputs[0].name
        check_row(row, [name], number)
        found: tuple[Array, tuple[int, int]] = read_value(image.read_sized, row, name, number, root)
        return found

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        """The boxes whose score reaches the threshold of their class, the surest first; those that a person judges
        cheaper are marked."""
        return [
            replace(self.answered(self.value(found)), interval=self.count(found)) for found in self.found(rows, root)
        ]

    def count(self, found: Found) -> tuple[float, float, float] | None:
        """Between which numbers the right number of things lies, and how often; None: validation has not told it."""
        wide = self.manifest.output.state.get(COUNT_FACTOR)
        if wide is None:
            return None
        least = self.thresholds[found.classes]
        return counting.interval(int((found.scores >= least).sum()), counting.doubt(found.scores, least), wide)

    def answered(self, value: list[Json]) -> Answer:
        """The boxes, and why a person should look at some of them."""
        unsure = [thing for thing in value if thing.get(HAND_OVER)]
        if not unsure or self.costs is None:
            return Answer(value, None)
        named = ", ".join(f"{thing[LABEL]} {thing[SCORE]:.2f}" for thing in unsure[:MOST_NAMED])
        more = f" and {len(unsure) - MOST_NAMED:,} more" if len(unsure) > MOST_NAMED else ""
        price = f"{self.costs.review:g} {self.costs.unit}".rstrip()
        words = f"hand over: a person's look at a box costs {price}, a mistake is expected to cost more: {named}{more}"
        return Answer(value, None, evidence=(words,), hand_over=True)

    def value(self, found: Found) -> list[Json]:
        """As it is answered."""
        given = np.flatnonzero(found.scores >= self.thresholds[found.classes])
        sure = np.zeros(len(self.classes)) if self.costs is None else self.costs.bands[:, 1]
        return [
            {
                LABEL: self.classes[found.classes[place]],
                BOX: np.round(found.boxes[place], boxes.PLACES).tolist(),
                SCORE: round(float(found.scores[place]), 4),
                **({HAND_OVER: True} if found.scores[place] < sure[found.classes[place]] else {}),
            }
            for place in given.tolist()
        ]

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> BoxMarks:
        """Classes that the artifact does not know are there to be missed."""
        read = [boxes.truth(value) for value in truth]
        names = list(dict.fromkeys([*self.classes, *sorted({thing[LABEL] for each in read for thing in each})]))
        thresholds = np.append(self.thresholds, np.ones(len(names) - len(self.classes)))
        right = tuple(right_of(things, names) for things in read)
        found = self._found_sized(rows, root)
        sizes = np.array([size for _, size in found], int).reshape(-1, 2)
        given = tuple(sure_of(each, self.curves) for each, _ in found)
        wide = self.manifest.output.state.get(COUNT_FACTOR)
        return BoxMarks(given, right, tuple(names), thresholds, sizes, self._costs(len(names)), wide)

    def _costs(self, n_classes: int) -> BoxCosts | None:
        """Of so many classes, of which the last are unknown to it and as dear as its dearest."""
        found, n_more = self.costs, n_classes - len(self.classes)
        if found is None or not n_more:
            return found
        more = ((max(side),) * n_more for side in (found.miss, found.false_alarm))
        miss, alarm = (side + rest for side, rest in zip((found.miss, found.false_alarm), more, strict=True))
        return replace(found, miss=miss, false_alarm=alarm)

    def golden(self, rows: Sequence[Row]) -> list[list[float]]:
        """Class, score, left, top, right, bottom of each box that is at all sure, in a line; as golden rows keep it.

        Scores are the network's: how they are read as probabilities is decided afterwards.
        """
        return [flat(found) for found, _ in self._found_sized(rows, None)]

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        """The largest difference of a score, or of a side in `PIXELS`; 1 where a box is not found again."""
        pairs = zip(self._found_sized(rows, None), wanted, strict=True)
        worst = 0.0
        for (found, _), told in pairs:
            right = as_found(told)
            worst = max(worst, apart(found, right, np.full(len(self.classes), known_from(right))))
        return worst

    def gap(self, answer: Json, wanted: Any) -> float:
        """The same of one answer as the server gives it."""
        value: Any = answer.get("value")
        try:
            given = Found(
                np.array([each[BOX] for each in value], float).reshape(-1, 4),
                np.array([self.classes.index(each[LABEL]) for each in value], int),
                np.array([each[SCORE] for each in value], float),
            )
            told, every = as_found(wanted), np.arange(len(self.classes))
            right = sure_of(told, self.curves)
            known = calibrated(np.full(len(every), known_from(told)), every, self.curves)
            kept = right.scores >= self.thresholds[right.classes] - TOLERANCE  # the nearest may be given, or not
            least = np.maximum(self.thresholds, known) + TOLERANCE
            return apart(given, Found(*(part[kept] for part in right)), least)
        except (KeyError, TypeError, ValueError, IndexError):
            return math.inf


def _painted(found: Found, shape: tuple[int, int, int]) -> Array:
    """The largest score of a box at each place, (K, h, w); boxes in pixels of the canvas."""
    seen = np.zeros(shape)
    places = np.clip(np.round(found.boxes / STRIDE), 0, None).astype(int)
    for (left, top, right, bottom), number, score in zip(places, found.classes, found.scores, strict=True):
        part = seen[number, top : max(bottom, top + 1), left : max(right, left + 1)]
        np.maximum(part, score, out=part)
    return seen


def sure_of(found: Found, curves: Sequence[Sequence[float]]) -> Found:
    """With scores that are probabilities, the surest first."""
    scores = calibrated(found.scores, found.classes, curves)
    order = np.argsort(-scores, kind="stable")
    return Found(found.boxes[order], found.classes[order], scores[order])


def right_of(things: boxes.Things, classes: Sequence[str]) -> Found:
    """What is there, as it is measured; classes: of all things."""
    return Found(
        np.array([thing[BOX] for thing in things], float).reshape(-1, 4),
        np.array([classes.index(thing[LABEL]) for thing in things], int),
        np.array([float(bool(thing.get(CROWD))) for thing in things]),
    )


def flat(found: Found) -> list[float]:
    """The boxes that are at all sure, and the surest ones, six numbers each."""
    kept = found.scores >= SURE
    kept[np.argsort(-found.scores, kind="stable")[:N_KEPT]] = True
    parts = np.column_stack([found.classes[kept], found.scores[kept], found.boxes[kept]])
    return [round(float(value), 5) for value in parts.ravel()]


def as_found(values: Sequence[float]) -> Found:
    """What `flat` gave."""
    parts = np.array(values, float).reshape(-1, 6)
    return Found(parts[:, 2:], parts[:, 0].astype(int), parts[:, 1])


def known_from(told: Found) -> float:
    """The score down to which `flat` tells of all boxes."""
    return min(SURE, float(told.scores.min(initial=SURE)))


def apart(given: Found, wanted: Found, least: Array) -> float:
    """How far two lists of boxes are from each other; those whose score is hardly the least (K,) of their class need no
    partner."""
    one, other = _unlike(given, wanted, least), _unlike(wanted, given, least)
    return max(one, other)


def _unlike(given: Found, wanted: Found, least: Array) -> float:
    """Of each wanted box that is sure, from the nearest given one of its class."""
    worst = 0.0
    for box, number, score in zip(*wanted, strict=True):
        if score < least[number] + TOLERANCE:
            continue
        same = given.classes == number
        if not same.any():
            return 1.0
        gaps = np.maximum(np.abs(given.scores[same] - score), np.abs(given.boxes[same] - box).max(axis=1) / PIXELS)
        worst = max(worst, float(gaps.min()))
    return min(worst, 1.0)


def load(folder: Path, manifest: Manifest) -> Detector:
    """A graph with the input `input_0` and the output `logits`. Raises: DataError: it is damaged, or another one."""
    canvas = canvas_of(folder, manifest)
    n_answers = len(manifest.output.state[CLASSES]) + 4

    def check(given: dict[str, Any]) -> None:
        found = given.get("logits", [0, 0])[1:2]
        if found not in ([n_answers], [None]) and not isinstance(found[0], str):
            raise DataError(f"{folder / FILE} gives no 'logits' of {n_answers} maps a picture, expected them")

    return Detector(manifest, runner(folder, canvas, check), canvas)


def runner(folder: Path, canvas: Canvas, check: Callable[[dict[str, Any]], None]) -> Network:
    """What runs the graph of an artifact. check(shapes of its outputs) raises DataError where they are other ones.

    Raises: DataError.
    """

    def blank(session: Any) -> dict[str, Array]:
        read = [(item.name, item.shape[1:]) for item in session.get_inputs()]
        if read != [("input_0", [3, canvas.height, canvas.width])]:
            raise DataError(f"{folder / FILE} reads {read}, expected pictures of {canvas.width} x {canvas.height}")
        check({item.name: item.shape for item in session.get_outputs()})
        return {"input_0": np.zeros((1, 3, canvas.height, canvas.width), np.float32)}

    session = open_graph(folder / FILE, blank)

    def network(batch: Array) -> Array:
        return np.asarray(session.run(["logits"], {"input_0": batch})[0])

    return network


def canvas_of(folder: Path, manifest: Manifest) -> Canvas:
    """Of an artifact. Raises: DataError: it finds no boxes in one picture, or its sides are none."""
    width, height = (manifest.settings.get(name) for name in ("width", "height"))
    inputs = [column.kind for column in manifest.inputs]
    if manifest.output.kind != boxes.KIND.name or inputs != [image.KIND.name]:
        raise DataError(f"{folder} finds '{manifest.output.kind}' in {inputs}, expected boxes in one picture")
    if not (_is_side(width) and _is_side(height)):
        raise DataError(f"{folder} has a canvas of another size, expected multiples of {MULTIPLE} up to {MOST_SIDE:,}")
    return Canvas(width, height)


def _is_side(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and LEAST_SIDE <= value <= MOST_SIDE and value % MULTIPLE == 0
