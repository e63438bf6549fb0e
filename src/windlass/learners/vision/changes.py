"""Pictures of training, each a little other every time: mirrored, scaled, moved, lighter or darker; their boxes with
them."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from windlass.learners.vision.heat import Boxes
from windlass.predictors.detection.canvas import GREY, STRIDE

LEAST_SEEN = 0.4
"""Share of a thing that must be left on the canvas; of less it is neither right nor wrong to find it."""


@dataclass(frozen=True)
class Changes:
    """How much may change. scale: the smallest and the largest. move: share of the side. light, contrast, tint: by how
    much, as a share. is_any_side_up: pictures have no top, as under a microscope: mirrored up and down, too."""

    scale: tuple[float, float] = (0.75, 1.35)
    move: float = 0.1
    light: float = 0.15
    contrast: float = 0.25
    tint: float = 0.08
    is_any_side_up: bool = False


def changed(pixels: torch.Tensor, boxes: Boxes, changes: Changes) -> tuple[torch.Tensor, Boxes]:
    """Pixels (B, 3, H, W), 0-255, and boxes in places, both as seen in training."""
    n_rows = len(pixels)
    low, high = torch.log(torch.tensor(changes.scale))
    size = torch.exp(low + (high - low) * torch.rand(n_rows, 1))
    mirror = torch.where(torch.rand(n_rows, 2) < 0.5, -1.0, 1.0)
    if not changes.is_any_side_up:
        mirror[:, 1] = 1.0
    factor = size * mirror
    shift = (torch.rand(n_rows, 2) * 2 - 1) * (changes.move + (size - 1).abs())
    seen = _lit(_moved(pixels, factor, shift), changes)
    return seen, _moved_boxes(boxes, factor, shift, (pixels.shape[3], pixels.shape[2]))


def _moved(pixels: torch.Tensor, factor: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """A place p of the canvas, -1 to 1, comes to `factor * p + shift`."""
    grid = torch.zeros(len(pixels), 2, 3)
    grid[:, 0, 0], grid[:, 1, 1] = 1 / factor[:, 0], 1 / factor[:, 1]
    grid[:, :, 2] = -shift / factor
    places = functional.affine_grid(grid, list(pixels.shape), align_corners=False).to(pixels.device)
    return functional.grid_sample(pixels - GREY, places, padding_mode="zeros", align_corners=False) + GREY


def _lit(pixels: torch.Tensor, changes: Changes) -> torch.Tensor:
    def by_chance(most: float, n_channels: int = 1) -> torch.Tensor:
        return ((torch.rand(len(pixels), n_channels, 1, 1) * 2 - 1) * most).to(pixels.device)

    gain = (1 + by_chance(changes.contrast)) * (1 + by_chance(changes.tint, 3))
    return ((pixels - GREY) * gain + GREY + 255 * by_chance(changes.light)).clamp(0, 255)


def _moved_boxes(boxes: Boxes, factor: torch.Tensor, shift: torch.Tensor, size: tuple[int, int]) -> Boxes:
    """The boxes where their pixels went, cut at the border; hardly seen ones become crowds, unseen ones go."""
    whole = torch.tensor(size, dtype=torch.float32) / STRIDE
    gain, step = factor[boxes.pictures], shift[boxes.pictures]
    ends = [((corner / whole * 2 - 1) * gain + step + 1) / 2 * whole for corner in boxes.places.split(2, dim=1)]
    low, high = torch.minimum(*ends), torch.maximum(*ends)
    cut_low, cut_high = torch.minimum(low.clamp(min=0), whole), torch.minimum(high.clamp(min=0), whole)
    left = (cut_high - cut_low).prod(dim=1) / (high - low).prod(dim=1).clamp(min=1e-6)
    found = boxes._replace(places=torch.cat([cut_low, cut_high], dim=1), is_crowd=boxes.is_crowd | (left < LEAST_SEEN))
    return found.of(left > 0)
