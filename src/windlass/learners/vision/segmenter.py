"""Learns to tell what each pixel of a picture is of, and which pixels are of the same thing, from scratch.

Shapes: H, W of a picture as it is looked at; S side of a tile; C maps of the network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.kinds import image
from windlass.kinds import masks as masks_kind
from windlass.kinds.boxes import CLASSES, LABEL
from windlass.kinds.masks import APART, VOID
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.export import export
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Verdict, checksums, in_precision
from windlass.learners.vision.mask_loss import loss
from windlass.learners.vision.sampling import epoch_places
from windlass.learners.vision.scenes import Changes, Scene, crops, scene
from windlass.learners.vision.unet import UNet
from windlass.metrics import run_lengths
from windlass.metrics.measures import LOWER
from windlass.metrics.segmentation import BOUNDARY, MaskMarks, measured
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.segmentation.segmenter import VIEWS, Segmenter, fault_of_size, right_of
from windlass.predictors.segmentation.things import N_APART, Decisions, shares_of, things, whole
from windlass.predictors.segmentation.tiles import MULTIPLE, Tiling
from windlass.records import Column, Json, Manifest, Progress, Splits

LEAST_SIDE, MOST_SIDE, CROP = 64, 256, 0.75
"""Of a tile; and of its side the share that a training crop has: smaller ones are more steps in the same minutes."""
LONGEST, MOST_PIXELS = 512, 150_000_000
"""Of the longer side of a picture, and of all training pictures together, which lie in memory."""
N_GOLDEN, N_EXPORTED = 4, 2
JUDGED_SHARE = 0.04
"""Validation pictures that an epoch may have for one of its own: judging costs time."""
USUAL = Decisions(smallest=8)
PRESETS = {"default": Changes(), "any-side-up": Changes(is_any_side_up=True)}
SETTINGS = Settings(
    lr=2e-3, batch=4, epochs=10_000, patience=10_000, warmup=0.05, weight_decay=0.02, clip=5.0, average=0.99
)


@dataclass(frozen=True)
class Segmentation:
    """What the gradient loop learns. places: (m,) int, the pictures of an epoch, rare classes more than once."""

    train: Sequence[Scene]
    validation: Sequence[Scene]
    classes: tuple[str, ...]
    metric: str
    changes: Changes
    tiling: Tiling
    decided: Decisions
    places: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.zeros(len(self.places), np.int64)

    @property
    def crop(self) -> int:
        """Side of a training crop."""
        return max(LEAST_SIDE, MULTIPLE * round(CROP * self.tiling.side / MULTIPLE))

    @property
    def n_validation(self) -> int:
        return len(self.validation)

    def identity(self) -> list[Any]:
        seen = [part for each in (*self.train, *self.validation) for part in (each.picture, each.targets)]
        return [*checksums([self.places, *seen]), asdict(self.changes), asdict(self.tiling), list(self.classes)]

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        with torch.autocast(probe.device().type, enabled=False), torch.no_grad():
            chosen = [self.train[place] for place in self.places[rows].tolist()]
            pixels, targets = crops(chosen, self.crop, self.changes)
        maps = model(pixels.to(probe.device()).contiguous(memory_format=torch.channels_last))
        with torch.autocast(probe.device().type, enabled=False):
            return loss(maps.float(), targets.to(probe.device()), len(self.classes))

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        with in_precision(precision):
            value = self.marks(model).value(self.metric)
        return Verdict(-value if self.metric in LOWER else value)

    def marks(self, model: nn.Module) -> MaskMarks:
        """Of the validation pictures, as they are looked at."""
        found, n_classes = [], len(self.classes)
        for each in self.validation:
            shares = self.tiling.blended(lambda batch: shares_of(answers(model, batch), n_classes), each.picture)
            seen = things(shares, n_classes, self.decided)
            found.append(measured(seen.segments, each.segments, n_classes, self.metric == BOUNDARY))
        sizes = np.array([each.picture.shape[1::-1] for each in self.validation], int).reshape(-1, 2)
        nothing = ((),) * len(found)
        return MaskMarks(tuple(found), nothing, nothing, self.classes, sizes)


def answers(model: nn.Module, batch: np.ndarray) -> np.ndarray:
    """The maps of a batch of tiles, as the graph will give them."""
    with torch.inference_mode():
        pixels = torch.from_numpy(batch).to(probe.device())
        return np.asarray(model(pixels.contiguous(memory_format=torch.channels_last)).float().cpu().numpy())


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Raises: SpecError: no such preset. DataError: no training picture has a mask, or one is of another size."""
    torch.manual_seed(options.seed)
    changes = _preset(options.variant)
    name, output = next(iter(splits.inputs)), splits.output_column
    truth = [masks_kind.truth(value) for value in splits.train[output]]
    state = masks_kind.fit(truth, "", {})
    if not state[CLASSES]:
        raise DataError("no training picture has a mask, expected some to learn from")
    tiling = tiling_for([image.upright_size(value, splits.root) for value in splits.train[name]], truth, state[APART])
    progress("train", 0, 0, "reading pictures")
    train, validation = (
        drawn(part.to_dicts(), splits, state[CLASSES], tiling) for part in (splits.train, splits.validation)
    )
    decided = replace(USUAL, apart=state[APART])
    task = Segmentation(
        train,
        validation,
        tuple(state[CLASSES]),
        options.metric,
        changes,
        tiling,
        decided,
        epoch_places([set(each.segments.classes.tolist()) for each in train], len(validation), JUDGED_SHARE),
    )
    network = UNet(len(task.classes) + 1 + (N_APART if state[APART] else 0))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it, its types do not
    curve = loop.train(network, task, SETTINGS, options, budget, progress)
    network.to(probe.device())
    fitted = _delivered(network, task, splits, options)
    loop.clean(options)
    return replace(fitted, curve=curve)


def _preset(name: str) -> Changes:
    if (name or "default") not in PRESETS:
        message = f"preset of 'segmenter' is '{name}', expected {expected(PRESETS)}"
        raise SpecError(message, did_you_mean(name, PRESETS))
    return PRESETS[name or "default"]


def tiling_for(sizes: Sequence[tuple[int, int]], truth: Sequence[Sequence[Json]], is_apart: bool) -> Tiling:
    """Tiles about as large as the usual picture, that overlap by the largest thing where things are told apart."""
    longest = int(min(LONGEST, (MOST_PIXELS / max(1, len(sizes))) ** 0.5))
    usual = float(np.median([min(longest, max(size)) for size in sizes]))
    side = MULTIPLE * int(np.clip(usual / MULTIPLE + 0.5, LEAST_SIDE // MULTIPLE, MOST_SIDE // MULTIPLE))
    reach = [_reach(thing, longest) for each in truth for thing in each] if is_apart else []
    return Tiling(side, int(np.clip(max(reach, default=side / 4), side / 8, side / 2)), longest)


def _reach(thing: Json, longest: int) -> float:
    """Pixels of the longer side of a thing, as it is looked at."""
    height, width = masks_kind.size_of(thing)
    left, top, right, bottom = run_lengths.bounds(masks_kind.runs_of(thing[masks_kind.MASK]), height)
    return max(right - left, bottom - top) * min(1.0, longest / max(height, width))


def drawn(rows: Sequence[Mapping[str, Any]], splits: Splits, classes: Sequence[str], tiling: Tiling) -> list[Scene]:
    """The pictures of rows; things of a class that training does not know teach nothing.

    Raises: DataError: a picture cannot be read, or its masks are of another size.
    """
    name, output, found = next(iter(splits.inputs)), splits.output_column, []
    for number, row in enumerate(rows):
        pixels, size = image.read_sized(row[name], splits.root)
        known = [{**thing, LABEL: thing[LABEL] if thing[LABEL] in classes else VOID} for thing in
                 masks_kind.truth(row[output])]  # fmt: skip
        if fault := fault_of_size(known, size):
            raise DataError(f"row {number} {fault}")
        segments, picture = right_of(known, classes, size), tiling.drawn(pixels, size)
        small = whole(segments.numbers, (picture.shape[0], picture.shape[1]))
        found.append(scene(picture, segments._replace(numbers=small)))
    return found


def _delivered(network: UNet, task: Segmentation, splits: Splits, options: Options) -> Fitted:
    """Writes the graph, its manifest and golden rows, and measures on the validation pictures."""
    options.artifact.mkdir(parents=True, exist_ok=True)
    score = task.marks(network).value(options.metric) if task.n_validation else float("nan")
    network.cpu()
    seen = (task.validation or task.train)[:N_EXPORTED]
    tiles = crops(seen, task.tiling.side, Changes(scale=(1.0, 1.0)))[0].numpy()
    difference = export(network, [tiles], options.artifact)
    name, kind = next(iter(splits.inputs.items()))
    settings: Json = {
        **asdict(task.tiling),
        "views": len(VIEWS) if task.changes.is_any_side_up else 1,
        "preset": options.variant or "default",
        "training": asdict(SETTINGS),
        "largest_difference": difference,
        "parameters": sum(value.numel() for value in network.parameters()),
    }
    state = {CLASSES: list(task.classes), APART: task.decided.apart, **task.decided.as_state()}
    column = Column(splits.output_column, splits.output[splits.output_column], state)
    manifest = Manifest("segmentation", "segmenter", (Column(name, kind),), column, settings=settings)
    write_manifest(options.artifact, manifest)
    held = (splits.validation if len(splits.validation) else splits.train).head(N_GOLDEN)
    rows = [{name: image.portable(value, splits.root)} for value in held[name]]
    model = Segmenter(manifest, lambda batch: answers(network, batch), task.tiling, settings["views"])
    write_golden(options.artifact, rows, model.golden(rows))
    return Fitted(options.artifact, score)
