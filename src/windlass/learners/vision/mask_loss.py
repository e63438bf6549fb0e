"""How far the segmenter's maps are from what they should be.

Source: Dice beside cross-entropy: Milletari et al. 2016, arXiv:1606.04797; Isensee et al. 2021, Nature Methods 18.
Shapes: B crops, K classes, S side.
"""

import torch
from torch.nn import functional

from windlass.learners.vision.scenes import UNKNOWN

DICE_WEIGHT, BORDER_WEIGHT, MIDDLE_WEIGHT, RARE = 1.0, 1.0, 1.0, 3.0
"""Of the parts of the loss beside cross-entropy; and of a border's pixels, which are few."""
SMOOTH = 1.0
"""Pixels that each class has beside those that are there: a crop without it costs nothing where nothing is given."""


def loss(maps: torch.Tensor, targets: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Of maps (B, K + 1 or K + 3, S, S) beside targets (B, 3, S, S), as `scenes.crops` gives them."""
    logits, classes = maps[:, : n_classes + 1], targets[:, 0].round().long()
    is_known = classes != UNKNOWN
    entropy = functional.cross_entropy(logits, classes, ignore_index=UNKNOWN, reduction="sum")
    found = entropy / is_known.sum().clamp(min=1) + DICE_WEIGHT * _dice(logits, classes, is_known)
    if maps.shape[1] == n_classes + 1:
        return found
    weights = torch.stack([1 + RARE * targets[:, 1], torch.ones_like(targets[:, 1])], dim=1) * is_known[:, None]
    each = functional.binary_cross_entropy_with_logits(maps[:, n_classes + 1 :], targets[:, 1:], reduction="none")
    border, middle = ((each * weights).sum(dim=(0, 2, 3)) / is_known.sum().clamp(min=1)).unbind()
    return found + BORDER_WEIGHT * border + MIDDLE_WEIGHT * middle


def _dice(logits: torch.Tensor, classes: torch.Tensor, is_known: torch.Tensor) -> torch.Tensor:
    """1 - Dice of the classes, each over the whole batch."""
    shares = logits.softmax(dim=1)[:, 1:] * is_known[:, None]
    right = functional.one_hot(classes * is_known, logits.shape[1]).movedim(3, 1)[:, 1:] * is_known[:, None]
    shared, whole = (shares * right).sum(dim=(0, 2, 3)), (shares + right).sum(dim=(0, 2, 3))
    return 1 - ((2 * shared + SMOOTH) / (whole + SMOOTH)).mean()
