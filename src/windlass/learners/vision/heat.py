"""What the detector's maps should be, and how far they are from it.

Source: hot places that cool towards the borders of a box: Liu et al. 2020, arXiv:1909.00700 (TTFNet), alpha 0.54; focal
loss: Zhou et al. 2019, arXiv:1904.07850, eq. 1; generalised IoU: Rezatofighi et al. 2019, arXiv:1902.09630.
Shapes: B pictures, N boxes of all of them, K classes, h, w places; boxes (N, 4), xyxy, in places.
"""

from typing import NamedTuple

import torch
from torch.nn import functional

ALPHA, LEAST_DEVIATION = 0.54, 0.4
"""Share of a box in which it is warm, and the narrowest such, in places."""
BOX_WEIGHT, SIDE_WEIGHT = 2.0, 0.5
"""Of generalised IoU and of the sides, beside the heat."""


class Boxes(NamedTuple):
    """Of a batch. pictures, classes: (N,) int64; is_crowd: (N,) bool, where nothing is right or wrong."""

    pictures: torch.Tensor
    classes: torch.Tensor
    places: torch.Tensor
    is_crowd: torch.Tensor

    def of(self, chosen: torch.Tensor) -> "Boxes":
        return Boxes(*(part[chosen] for part in self))


def loss(maps: torch.Tensor, boxes: Boxes) -> torch.Tensor:
    """Of maps (B, K + 4, h, w) beside the right boxes."""
    n_classes = maps.shape[1] - 4
    heat, sides = maps[:, :n_classes], maps[:, n_classes:]
    single = boxes.of(~boxes.is_crowd)
    hot = _focal(heat, heat_of(single, heat.shape), _counts(boxes.of(boxes.is_crowd), heat))
    return hot + _of_sides(sides, single)


def heat_of(boxes: Boxes, shape: torch.Size) -> torch.Tensor:
    """(B, K, h, w): 1 at the place of each middle, less around it."""
    height, width = shape[2:]
    flat = torch.zeros(shape[0] * shape[1], height * width)
    if not len(boxes.classes):
        return flat.view(shape)
    middle = (boxes.places[:, :2] + boxes.places[:, 2:]) / 2
    deviation = ((boxes.places[:, 2:] - boxes.places[:, :2]) * ALPHA / 6).clamp(min=LEAST_DEVIATION)
    at = _inside(middle, width, height)
    across = torch.exp(-((torch.arange(width) - at[:, :1]) ** 2) / (2 * deviation[:, :1] ** 2))
    down = torch.exp(-((torch.arange(height) - at[:, 1:]) ** 2) / (2 * deviation[:, 1:] ** 2))
    warm = (down[:, :, None] * across[:, None, :]).flatten(1)
    which = (boxes.pictures * shape[1] + boxes.classes)[:, None].expand_as(warm)
    return flat.scatter_reduce(0, which, warm, "amax").view(shape)


def _inside(middle: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """The places of middles, (N, 2) of whole numbers as float."""
    return torch.minimum(middle.floor().clamp(min=0), torch.tensor([width - 1.0, height - 1.0]))


def _counts(crowds: Boxes, heat: torch.Tensor) -> torch.Tensor:
    """(B, K, h, w): 0 inside a crowd, 1 elsewhere."""
    weight = torch.ones_like(heat)
    for picture, number, box in zip(crowds.pictures, crowds.classes, crowds.places.round().int(), strict=True):
        left, top, right, bottom = (max(0, int(side)) for side in box)
        weight[picture, number, top:bottom, left:right] = 0
    return weight


def _focal(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    target = target.to(logits.device)
    is_hot = target > 1 - 1e-6
    share = torch.sigmoid(logits)
    hot = (1 - share) ** 2 * functional.logsigmoid(logits)
    cold = (1 - target) ** 4 * share**2 * functional.logsigmoid(-logits)
    return -(torch.where(is_hot, hot, cold) * weight).sum() / is_hot.sum().clamp(min=1)


def _of_sides(sides: torch.Tensor, boxes: Boxes) -> torch.Tensor:
    """Of the distances at the 3 x 3 places around each middle that lie inside the box."""
    if not len(boxes.classes):
        return sides.sum() * 0
    height, width = sides.shape[2:]
    steps = torch.cartesian_prod(torch.arange(-1.0, 2.0), torch.arange(-1.0, 2.0))
    middle = _inside((boxes.places[:, :2] + boxes.places[:, 2:]) / 2, width, height)
    at = (middle[:, None] + steps).view(-1, 2)
    right = boxes.places.repeat_interleave(9, dim=0)
    wanted = torch.cat([at + 0.5 - right[:, :2], right[:, 2:] - at - 0.5], dim=1)
    is_middle = (steps == 0).all(dim=1).repeat(len(middle))
    is_there = (at >= 0).all(dim=1) & (at[:, 0] < width) & (at[:, 1] < height)
    used = is_there & ((wanted > 0).all(dim=1) | is_middle)
    picture = boxes.pictures.repeat_interleave(9)[used]
    columns, rows = at[used].long().unbind(dim=1)
    found, wanted = sides[picture, :, rows, columns], wanted[used].clamp(min=0.01).to(sides.device)
    away = functional.smooth_l1_loss(found.log(), wanted.log(), beta=0.1)
    return BOX_WEIGHT * (1 - _generalised_iou(found, wanted)).mean() + SIDE_WEIGHT * away


def _generalised_iou(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Of boxes around the same place, (N, 4) distances each -> (N,)."""
    near, far = torch.minimum(one, other), torch.maximum(one, other)
    areas = [(each[:, 0] + each[:, 2]) * (each[:, 1] + each[:, 3]) for each in (near, one, other, far)]
    union = areas[1] + areas[2] - areas[0]
    return areas[0] / union - (areas[3] - union) / areas[3]
