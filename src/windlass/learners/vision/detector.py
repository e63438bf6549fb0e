"""Learns to find things in pictures, from scratch: a heat-map for each class, and how far the sides of a box are.

Shapes: n pictures, H, W of the canvas.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.kinds import boxes as boxes_kind
from windlass.kinds import image
from windlass.kinds.boxes import CLASSES
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.export import Apart, export, largest
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Verdict, checksums, in_precision
from windlass.learners.vision.changes import NEARLY_NONE, Changes, changed
from windlass.learners.vision.heat import Boxes, loss
from windlass.learners.vision.pyramid import NARROW, Pyramid, Widths
from windlass.learners.vision.sampling import epoch_places
from windlass.metrics.detection import BoxMarks, Found
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.detection.canvas import MULTIPLE, STRIDE, Canvas, batch_of
from windlass.predictors.detection.heatmap import Detector, right_of
from windlass.predictors.detection.peaks import decoded
from windlass.records import Column, Json, Manifest, Progress, Splits

LEAST_SIDE, SMALL, MOST_SIDE = 96, 192, 320
"""Of the longer side of a canvas; up to the middle one a narrower network is enough."""
N_GOLDEN, N_EXPORTED = 8, 2
ERASED = 0.02
"""Share of pictures that are made empty where none is."""
JUDGED_SHARE = 0.1
"""Validation pictures that an epoch may have for one of its own: judging costs time."""
PRESETS = {"default": Changes(), "any-side-up": Changes(is_any_side_up=True)}
SETTINGS = Settings(
    lr=2e-3, batch=8, epochs=1_000, patience=1_000, warmup=0.05, weight_decay=0.02, clip=10.0, average=0.995, calm=0.15
)


@dataclass(frozen=True)
class Pictures:
    """Drawn on their canvas, (n, H, W, 3) uint8, with what is on them, in pixels of the canvas."""

    canvases: np.ndarray
    things: tuple[Found, ...]

    def __len__(self) -> int:
        return len(self.things)


@dataclass(frozen=True)
class Detection:
    """What the gradient loop learns. places: (m,) int, the pictures of an epoch, rare classes more than once."""

    train: Pictures
    validation: Pictures
    classes: tuple[str, ...]
    metric: str
    changes: Changes
    places: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.zeros(len(self.places), np.int64)

    @property
    def n_validation(self) -> int:
        return len(self.validation)

    def identity(self) -> list[Any]:
        things = [part for each in (*self.train.things, *self.validation.things) for part in each]
        seen = [
            self.train.canvases,
            self.validation.canvases,
            self.places,
            np.concatenate([np.ravel(p) for p in things]),
        ]
        return [*checksums(seen), asdict(self.changes), list(self.classes)]

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        pictures = self.places[rows]
        pixels = torch.from_numpy(batch_of(self.train.canvases[pictures])).to(probe.device())
        with torch.autocast(probe.device().type, enabled=False), torch.no_grad():
            pixels, boxes = changed(pixels, batch_boxes([self.train.things[place] for place in pictures]), self.changes)
        maps = model(pixels.contiguous(memory_format=torch.channels_last))
        with torch.autocast(probe.device().type, enabled=False):
            return loss(maps.float(), boxes)

    def calmed(self) -> "Detection":
        return replace(self, changes=replace(NEARLY_NONE, is_any_side_up=self.changes.is_any_side_up))

    def found(self, answer: np.ndarray) -> Found:
        """What an answer of the network says is on its canvas."""
        return decoded(answer, len(self.classes))

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        return Verdict(self.marks(model, batch, precision).value(self.metric))

    def marks(self, model: nn.Module, batch: int, precision: str = "float32") -> BoxMarks:
        """Of the validation pictures, on their canvases."""
        found: list[Found] = []
        for start in range(0, len(self.validation), batch):
            with in_precision(precision):
                maps = answers(model, batch_of(self.validation.canvases[start : start + batch]))
            found += [self.found(each) for each in maps]
        height, width = self.validation.canvases.shape[1:3]
        sizes = np.tile([width, height], (len(found), 1))
        return BoxMarks(tuple(found), self.validation.things, self.classes, np.full(len(self.classes), 0.5), sizes)


def answers(model: nn.Module, batch: np.ndarray) -> np.ndarray:
    """The maps of a batch, as the graph will give them."""
    with torch.inference_mode():
        return np.asarray(model(torch.from_numpy(batch).to(probe.device())).float().cpu().numpy())


def batch_boxes(things: Sequence[Found]) -> Boxes:
    """The boxes of these pictures, in places of the maps."""
    counts = [len(each.classes) for each in things]
    return Boxes(
        torch.arange(len(things)).repeat_interleave(torch.tensor(counts, dtype=torch.int64)),
        torch.from_numpy(np.concatenate([each.classes for each in things]).astype(np.int64)),
        torch.from_numpy((np.concatenate([each.boxes for each in things]) / STRIDE).astype(np.float32)),
        torch.from_numpy(np.concatenate([each.scores for each in things]) > 0),
    )


@dataclass(frozen=True)
class Recipe:
    """How a detector is learned. learner, predictor: their names in the tables; network(classes, train pictures): what
    learns; canvas(sizes): what pictures are drawn on; apart: how far a graph is from the network; described: what
    the manifest says besides."""

    learner: str
    predictor: str
    settings: Settings
    network: Callable[[tuple[str, ...], Pictures], nn.Module]
    canvas: Callable[[Sequence[tuple[int, int]]], Canvas]
    changes: Changes = PRESETS["default"]
    task: type[Detection] = Detection
    apart: Apart = largest
    described: Json = field(default_factory=dict)


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Raises: SpecError: no such preset. DataError: no training picture has a box."""
    return learn(splits, options, budget, progress, replace(SCRATCH, changes=_preset(options.variant)))


def learn(splits: Splits, options: Options, budget: Budget, progress: Progress, recipe: Recipe) -> Fitted:
    """Raises: DataError: no training picture has a box."""
    torch.manual_seed(options.seed)
    output = splits.output_column
    state = boxes_kind.fit(map(boxes_kind.truth, splits.train[output]), "", {})
    classes = tuple(state[CLASSES])
    if not classes:
        raise DataError("no training picture has a box, expected some to learn from")
    name = next(iter(splits.inputs))
    canvas = recipe.canvas([image.upright_size(value, splits.root) for value in splits.train[name]])
    progress("train", 0, 0, "reading pictures")
    train, validation = (drawn(part.to_dicts(), splits, classes, canvas) for part in (splits.train, splits.validation))
    changes = recipe.changes
    if all(len(each.classes) for each in train.things):  # else there are pictures with nothing on them already
        changes = replace(changes, erased=ERASED)
    places = epoch_places([set(each.classes.tolist()) for each in train.things], len(validation), JUDGED_SHARE)
    task = recipe.task(train, validation, classes, options.metric, changes, places)
    network = recipe.network(classes, train)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it, its types do not
    curve = loop.train(network, task, recipe.settings, options, budget, progress)
    network.to(probe.device())
    fitted = _delivered(network, task, canvas, splits, options, recipe)
    loop.clean(options)
    return replace(fitted, curve=curve)


def _from_scratch(classes: tuple[str, ...], train: Pictures) -> Pyramid:
    widths = NARROW if max(train.canvases.shape[1:3]) <= SMALL else Widths()
    return Pyramid(len(classes), _usual(train), widths)


def _preset(name: str) -> Changes:
    if (name or "default") not in PRESETS:
        message = f"preset of 'detector' is '{name}', expected {expected(PRESETS)}"
        raise SpecError(message, did_you_mean(name, PRESETS))
    return PRESETS[name or "default"]


def canvas_for(sizes: Sequence[tuple[int, int]], most: int = MOST_SIDE, multiple: int = MULTIPLE) -> Canvas:
    """Of the usual shape of pictures of these widths and heights, as large as they are, within bounds."""
    longer = float(np.clip(np.median([max(size) for size in sizes]), LEAST_SIDE, most))
    aspect = float(np.median([size[0] / size[1] for size in sizes]))
    sides = (longer, longer / aspect) if aspect >= 1 else (longer * aspect, longer)
    width, height = (max(2 * multiple, multiple * int(side / multiple + 0.5)) for side in sides)
    return Canvas(width, height)


def drawn(rows: Sequence[Mapping[str, Any]], splits: Splits, classes: Sequence[str], canvas: Canvas) -> Pictures:
    """The pictures of rows; things of a class that training does not know are left out, and can only be missed."""
    name, output = next(iter(splits.inputs)), splits.output_column
    canvases = np.empty((len(rows), canvas.height, canvas.width, 3), np.uint8)
    things = []
    for number, row in enumerate(rows):
        pixels, size = image.read_sized(row[name], splits.root)
        canvases[number] = canvas.drawn(pixels, size)
        known = [thing for thing in boxes_kind.truth(row[output]) if thing[boxes_kind.LABEL] in classes]
        right = right_of(known, classes)
        things.append(right._replace(boxes=right.boxes * canvas.scale(size)))
    return Pictures(canvases, tuple(things))


def _usual(train: Pictures) -> float:
    """Half the side of a usual box, in places."""
    sides = np.concatenate([each.boxes[:, 2:] - each.boxes[:, :2] for each in train.things])
    return max(0.5, float(np.median(sides)) / 2 / STRIDE)


def _delivered(
    network: nn.Module, task: Detection, canvas: Canvas, splits: Splits, options: Options, recipe: Recipe
) -> Fitted:
    """Writes the graph, its manifest and golden rows, and measures on the validation pictures."""
    options.artifact.mkdir(parents=True, exist_ok=True)
    score = task.marks(network, recipe.settings.batch).value(options.metric) if len(task.validation) else float("nan")
    network.cpu()
    seen = task.validation if len(task.validation) else task.train
    difference = export(network, [batch_of(seen.canvases[:N_EXPORTED])], options.artifact, recipe.apart)
    name, kind = next(iter(splits.inputs.items()))
    settings: Json = {
        "width": canvas.width,
        "height": canvas.height,
        "preset": options.variant or "default",
        "training": asdict(recipe.settings),
        "largest_difference": difference,
        "parameters": sum(value.numel() for value in network.parameters()),
        **recipe.described,
    }
    column = Column(splits.output_column, splits.output[splits.output_column], {CLASSES: list(task.classes)})
    manifest = Manifest(recipe.predictor, recipe.learner, (Column(name, kind),), column, settings=settings)
    write_manifest(options.artifact, manifest)
    held = (splits.validation if len(splits.validation) else splits.train).head(N_GOLDEN)
    rows = [{name: image.portable(value, splits.root)} for value in held[name]]
    detector = Detector(
        manifest, lambda batch: answers(network, batch), canvas, lambda answer, n_classes, canvas: task.found(answer)
    )
    write_golden(options.artifact, rows, detector.golden(rows))
    return Fitted(options.artifact, score)


SCRATCH = Recipe("detector", "heatmap", SETTINGS, _from_scratch, canvas_for)
