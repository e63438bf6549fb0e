"""A pretrained detector of transformers, found by name or path, fine-tuned: DETR, RT-DETR, YOLOS and their like.

Source: Carion et al. 2020, arXiv:2005.12872 (DETR); Zhao et al. 2023, arXiv:2304.08069 (RT-DETR); Fang et al. 2021,
arXiv:2106.00666 (YOLOS). Pictures come by our own canvas, since the processors of transformers ask for torchvision.
Shapes: B pictures, H, W of the canvas, Q queries, K classes.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from windlass.errors import NotReady, SpecError
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.encoders import Source, locate
from windlass.learners.networks.training import probe
from windlass.learners.networks.training.steps import Settings
from windlass.learners.vision.changes import Changes, changed
from windlass.learners.vision.detector import Detection, Recipe, batch_boxes, canvas_for, learn
from windlass.metrics.detection import Found
from windlass.predictors.detection.canvas import STRIDE, Canvas, batch_of
from windlass.predictors.detection.queries import decoded
from windlass.records import Json, Progress, Splits

MOST_SIDE, MULTIPLE = 640, 32
"""Of a canvas: larger than from scratch, as these have learned of larger pictures; the coarsest places are 32 wide."""
SETTINGS = Settings(lr=1e-4, batch=4, epochs=1_000, patience=1_000, warmup=0.05, weight_decay=1e-4, clip=0.1, calm=0.15)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of its pixels, which most of these were taught with."""
CHANGES = Changes(mosaic=0.0)


class Queries(nn.Module):
    """Pixels (B, 3, H, W), 0-255 -> (B, Q, K + 4): the logit of each class, and where it lies as shares 0-1."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, model: nn.Module, n_classes: int, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        super().__init__()
        self.model, self.n_classes = model, n_classes
        self.register_buffer("mean", torch.tensor(mean)[:, None, None] * 255, persistent=False)
        self.register_buffer("apart", -1e9 * torch.eye(n_classes + 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None] * 255, persistent=False)

    def scaled(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = (pixels_BCHW - self.mean) / self.deviation
        return found

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        found = self.model(pixel_values=self.scaled(pixels_BCHW))
        logits_BQK = found.logits.float()
        if logits_BQK.shape[2] > self.n_classes:  # the last one stands for nothing, and they share one softmax
            others = torch.logsumexp(logits_BQK[:, :, None, :] + self.apart, dim=3)
            logits_BQK = (logits_BQK - others)[:, :, : self.n_classes]  # of p / (1 - p), each by itself
        return torch.cat([logits_BQK, found.pred_boxes.float()], dim=2)

    def loss(self, pixels_BCHW: torch.Tensor, labels: list[dict[str, torch.Tensor]]) -> torch.Tensor:
        """As the model was taught: each right box beside the query that fits best."""
        found: torch.Tensor = self.model(pixel_values=self.scaled(pixels_BCHW), labels=labels).loss
        return found


@dataclass(frozen=True)
class QueryDetection(Detection):
    """What the gradient loop learns, by the loss of the model itself; crowds are left out."""

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        assert isinstance(model, Queries)
        pictures = self.places[rows]
        pixels = torch.from_numpy(batch_of(self.train.canvases[pictures])).to(probe.device())
        with torch.no_grad():
            pixels, boxes = changed(pixels, batch_boxes([self.train.things[place] for place in pictures]), self.changes)
        boxes = boxes.of(~boxes.is_crowd)
        sides = torch.tensor([pixels.shape[3], pixels.shape[2]], dtype=torch.float32) / STRIDE
        low, high = (boxes.places / sides.repeat(2)).clamp(0, 1).split(2, dim=1)
        places = torch.cat([(low + high) / 2, high - low], dim=1).to(probe.device())
        classes = boxes.classes.to(probe.device())
        mine = [boxes.pictures == number for number in range(len(pictures))]
        labels = [{"class_labels": classes[chosen], "boxes": places[chosen]} for chosen in mine]
        with torch.autocast(probe.device().type, enabled=False):
            return model.loss(pixels, labels)

    def found(self, answer: np.ndarray) -> Found:
        height, width = self.train.canvases.shape[1:3]
        return decoded(answer, len(self.classes), Canvas(width, height))


def farthest(found: np.ndarray, wanted: np.ndarray) -> float:
    """How far any query is from the nearest one of the other: which are as likely may come in another order."""
    gaps = [np.abs(one[:, None] - other[None]).max(axis=2) for one, other in zip(found, wanted, strict=True)]
    return float(max(max(gap.min(axis=0).max(), gap.min(axis=1).max()) for gap in gaps))


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """`options.variant` is a folder or a hub name. Raises: SpecError, NotReady: no such detector."""
    if not options.variant:
        raise SpecError(
            "learner 'pretrained-detector' names no model, expected a folder or a hub name",
            "`learners: [{pretrained-detector: PekingU/rtdetr_r18vd}]`",
        )
    source = locate(options.variant)
    recipe = Recipe(
        learner="pretrained-detector",
        predictor="queries",
        settings=SETTINGS,
        network=lambda classes, train: network(source, classes),
        canvas=partial(canvas_for, most=MOST_SIDE, multiple=MULTIPLE),
        changes=CHANGES,
        task=QueryDetection,
        apart=farthest,
        described={"detector": Path(source.name).name if source.offline else source.name},
    )
    return learn(splits, options, budget, progress, recipe)


def network(source: Source, classes: tuple[str, ...]) -> Queries:
    """Raises: NotReady: it cannot be loaded. SpecError: it is no detector, or needs timm."""
    from transformers import MODEL_FOR_OBJECT_DETECTION_MAPPING, AutoConfig, AutoModelForObjectDetection
    from transformers.utils import cached_file, logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    where: dict[str, Any] = {"local_files_only": source.offline}
    names = dict(enumerate(classes))
    try:
        config = AutoConfig.from_pretrained(source.name, **where)
        if type(config) not in MODEL_FOR_OBJECT_DETECTION_MAPPING:
            raise SpecError(f"'{source.name}' is a '{config.model_type}' model, expected a detector such as RT-DETR")
        inner = getattr(getattr(config, "backbone_config", None), "model_type", "")
        if getattr(config, "use_timm_backbone", False) or inner == "timm_backbone":
            raise SpecError(f"'{source.name}' needs timm, expected a detector with its own network, such as RT-DETR")
        config.id2label, config.label2id = names, {name: number for number, name in names.items()}
        model = AutoModelForObjectDetection.from_pretrained(
            source.name, config=config, ignore_mismatched_sizes=True, use_safetensors=True, dtype=torch.float32, **where
        )
        file = cached_file(
            source.name, "preprocessor_config.json", _raise_exceptions_for_missing_entries=False, **where
        )
        said: Json = json.loads(Path(file).read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError, ImportError) as error:
        raise NotReady(
            f"detector '{source.name}' cannot be loaded ({str(error).strip()[:200]}), expected config.json and "
            "model.safetensors"
        ) from None
    mean, deviation = said.get("image_mean", IMAGENET[0]), said.get("image_std", IMAGENET[1])
    if said.get("do_normalize") is False:  # RT-DETR
        mean, deviation = (0.0,) * 3, (1.0,) * 3
    return Queries(model, len(classes), tuple(mean), tuple(deviation))
