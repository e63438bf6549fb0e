"""Pictures of training, each a little other every time: mirrored, scaled, moved, lighter or darker; their boxes with
them."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from windlass.learners.vision.heat import Boxes
from windlass.predictors.detection.canvas import GREY, STRIDE

BLURRED = 8
"""Parts of a side: how coarse what things are painted over with is."""
LEAST_SEEN = 0.4
"""Share of a thing that must be left on the canvas; of less it is neither right nor wrong to find it."""


@dataclass(frozen=True)
class Changes:
    """How much may change. scale: the smallest and the largest. move: share of the side. light, contrast, tint: by how
    much, as a share. mosaic: share of pictures whose quarters are of four. erased: share of pictures whose things are
    painted over, so that nothing is there. is_any_side_up: pictures have no top, as under a microscope: mirrored up and
    down, and turned by a quarter, too."""

    scale: tuple[float, float] = (0.75, 1.35)
    move: float = 0.1
    light: float = 0.15
    contrast: float = 0.25
    tint: float = 0.08
    mosaic: float = 0.2
    erased: float = 0.0
    is_any_side_up: bool = False


NEARLY_NONE = Changes((0.95, 1.05), 0.02, 0.04, 0.06, 0.02, mosaic=0.0)
"""At the end of training, where pictures are to look as they will be: but for mirroring, which is no change at all."""


def changed(pixels: torch.Tensor, boxes: Boxes, changes: Changes) -> tuple[torch.Tensor, Boxes]:
    """Pixels (B, 3, H, W), 0-255, and boxes in places, both as seen in training."""
    pixels, boxes = _erased(*_mosaic(pixels, boxes, changes.mosaic), changes.erased)
    n_rows = len(pixels)
    low, high = torch.log(torch.tensor(changes.scale))
    size = torch.exp(low + (high - low) * torch.rand(n_rows, 1))
    mirror = torch.where(torch.rand(n_rows, 2) < 0.5, -1.0, 1.0)
    is_turned = torch.rand(n_rows) < 0.5
    if not changes.is_any_side_up:
        mirror[:, 1] = 1.0
        is_turned[:] = False
    half = torch.tensor([pixels.shape[3], pixels.shape[2]]) / 2
    turn = torch.diag_embed(size * mirror)
    turn = torch.where(is_turned[:, None, None], turn.flip(2), turn) * half / half[:, None]
    shift = (torch.rand(n_rows, 2) * 2 - 1) * (changes.move + (size - 1).abs())
    seen = _lit(_moved(pixels, turn, shift), changes)
    return seen, _moved_boxes(boxes, turn, shift, (pixels.shape[3], pixels.shape[2]))


def _moved(pixels: torch.Tensor, turn: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """A place p of the canvas, -1 to 1, comes to `turn @ p + shift`; (B, 2, 2) and (B, 2)."""
    back = torch.linalg.inv(turn)
    grid = torch.cat([back, -back @ shift[:, :, None]], dim=2)
    places = functional.affine_grid(grid, list(pixels.shape), align_corners=False).to(pixels.device)
    return functional.grid_sample(pixels - GREY, places, padding_mode="zeros", align_corners=False) + GREY


def _lit(pixels: torch.Tensor, changes: Changes) -> torch.Tensor:
    def by_chance(most: float, n_channels: int = 1) -> torch.Tensor:
        return ((torch.rand(len(pixels), n_channels, 1, 1) * 2 - 1) * most).to(pixels.device)

    gain = (1 + by_chance(changes.contrast)) * (1 + by_chance(changes.tint, 3))
    return ((pixels - GREY) * gain + GREY + 255 * by_chance(changes.light)).clamp(0, 255)


def _moved_boxes(boxes: Boxes, turn: torch.Tensor, shift: torch.Tensor, size: tuple[int, int]) -> Boxes:
    """The boxes where their pixels went."""
    whole = torch.tensor(size, dtype=torch.float32) / STRIDE
    gain, step = turn[boxes.pictures], shift[boxes.pictures]
    ends = [(((gain @ (corner / whole * 2 - 1)[:, :, None])[:, :, 0] + step + 1) / 2 * whole)
            for corner in boxes.places.split(2, dim=1)]  # fmt: skip
    places = torch.cat([torch.minimum(*ends), torch.maximum(*ends)], dim=1)
    return _cut(boxes._replace(places=places), torch.cat([torch.zeros(2), whole]))


def _cut(boxes: Boxes, area: torch.Tensor) -> Boxes:
    """What of them lies in an area (4,) or (N, 4), xyxy; hardly seen ones become crowds, unseen ones go."""
    area = area.expand_as(boxes.places)
    low = torch.minimum(torch.maximum(boxes.places[:, :2], area[:, :2]), area[:, 2:])
    high = torch.minimum(torch.maximum(boxes.places[:, 2:], area[:, :2]), area[:, 2:])
    left = (high - low).prod(dim=1) / (boxes.places[:, 2:] - boxes.places[:, :2]).prod(dim=1).clamp(min=1e-6)
    found = boxes._replace(places=torch.cat([low, high], dim=1), is_crowd=boxes.is_crowd | (left < LEAST_SEEN))
    return found.of(left > 0)


def _mosaic(pixels: torch.Tensor, boxes: Boxes, share: float) -> tuple[torch.Tensor, Boxes]:
    """Some pictures get three of their quarters from others of the batch, at the same place and size.

    Source: Bochkovskiy et al. 2020, arXiv:2004.10934, section 3.4; there the four are made smaller.
    """
    n_rows, _, height, width = pixels.shape
    chosen = (torch.rand(n_rows) < share).nonzero()[:, 0].tolist()
    if not chosen or n_rows < 4:
        return pixels, boxes
    mixed, kept = pixels.clone(), torch.ones(n_rows, dtype=torch.bool)
    kept[chosen] = False
    parts = [boxes.of(kept[boxes.pictures])]
    for row in chosen:
        across, down = (round(float(0.3 + 0.4 * torch.rand(1)) * side / STRIDE) for side in (width, height))
        others = [row, *[each for each in torch.randperm(n_rows).tolist() if each != row][:3]]
        for number, other in enumerate(others):
            left, right = (0, across) if number % 2 == 0 else (across, width // STRIDE)
            top, bottom = (0, down) if number < 2 else (down, height // STRIDE)
            window = (slice(STRIDE * top, STRIDE * bottom), slice(STRIDE * left, STRIDE * right))
            mixed[row, :, window[0], window[1]] = pixels[other, :, window[0], window[1]]
            own = _cut(boxes.of(boxes.pictures == other), torch.tensor([left, top, right, bottom], dtype=torch.float32))
            parts.append(own._replace(pictures=torch.full_like(own.pictures, row)))
    return mixed, Boxes(*(torch.cat(each) for each in zip(*parts, strict=True)))


def _erased(pixels: torch.Tensor, boxes: Boxes, share: float) -> tuple[torch.Tensor, Boxes]:
    """Some pictures have what lies around their things painted over them, and nothing is to be found there."""
    is_chosen = torch.rand(len(pixels)) < share
    if not is_chosen.any():
        return pixels, boxes
    _, _, height, width = pixels.shape
    free = torch.ones(len(pixels), 1, height, width)
    erased = boxes.of(is_chosen[boxes.pictures])
    for picture, box in zip(erased.pictures.tolist(), (erased.places * STRIDE).round().int().tolist(), strict=True):
        left, top, right, bottom = (max(0, side) for side in box)
        free[picture, :, top:bottom, left:right] = 0
    coarse = functional.adaptive_avg_pool2d(torch.cat([pixels.cpu() * free, free], dim=1), (BLURRED, BLURRED))
    whole = coarse.mean(dim=(2, 3), keepdim=True)  # where nothing is free nearby, what is free anywhere
    around = (coarse[:, :3] + 0.1 * whole[:, :3] + GREY * 1e-3) / (coarse[:, 3:] + 0.1 * whole[:, 3:] + 1e-3)
    painted = functional.interpolate(around, (height, width), mode="bilinear", align_corners=False)
    seen = torch.where(free.bool(), pixels.cpu(), painted).to(pixels.device)
    return seen, boxes.of(~is_chosen[boxes.pictures] | boxes.is_crowd)
