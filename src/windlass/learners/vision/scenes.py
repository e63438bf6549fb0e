"""Pictures with their masks as the segmenter learns from them: what each pixel should be told, and crops by chance.

Shapes: H, W of a picture as it is looked at; S side of a crop; B crops.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from windlass.metrics.segmentation import NOBODY_KNOWS, Segments
from windlass.predictors.segmentation.tiles import normalised

UNKNOWN = 255
"""The class of pixels that teach nothing."""
NEAR = 5
"""Pixels of the square in which two things meet where there is a border between them."""


@dataclass(frozen=True)
class Scene:
    """A picture (H, W, 3) uint8, what is on it, and what is taught of it: targets (3, H, W) uint8, the class of each
    pixel, 0 = nothing, `UNKNOWN`; how near it is to a border between things, and to the middle of its own, 0-255."""

    picture: np.ndarray
    segments: Segments
    targets: np.ndarray


@dataclass(frozen=True)
class Changes:
    """How much crops may change. scale: the smallest and the largest; turn: degrees; light: of the whole, in
    deviations; contrast, tint: as shares; noise: in deviations. is_any_side_up: pictures have no top, as under a
    microscope: turned by any angle, and mirrored up and down, too."""

    scale: tuple[float, float] = (0.7, 1.4)
    turn: float = 12.0
    light: float = 0.3
    contrast: float = 0.25
    tint: float = 0.1
    noise: float = 0.1
    is_any_side_up: bool = False


def scene(picture: np.ndarray, segments: Segments) -> Scene:
    """What is to be learned of a picture."""
    by_pixel = segments.by_pixel
    is_unknown = (segments.classes == NOBODY_KNOWS) | segments.is_crowd
    unknown = np.concatenate([[False], is_unknown])[segments.numbers]
    by_pixel = np.where(unknown, UNKNOWN, by_pixel)
    numbers = np.where(unknown, 0, segments.numbers)
    borders, middles = borders_of(numbers), middles_of(numbers)
    return Scene(picture, segments, np.stack([by_pixel, 255 * borders, np.rint(255 * middles)]).astype(np.uint8))


def borders_of(numbers: np.ndarray) -> np.ndarray:
    """(H, W) bool: two things lie within `NEAR` pixels around it."""
    from scipy.ndimage import maximum_filter, minimum_filter

    none = np.iinfo(np.int32).max
    lowest = minimum_filter(np.where(numbers > 0, numbers, none), NEAR)
    return np.asarray((maximum_filter(numbers, NEAR) != lowest) & (lowest < none))


def middles_of(numbers: np.ndarray) -> np.ndarray:
    """(H, W) float, 0-1: how far a pixel is from the outside of its thing, as a share of that of its middle."""
    from scipy.ndimage import distance_transform_edt, find_objects

    found = np.zeros(numbers.shape)
    for number, box in enumerate(find_objects(numbers), 1):
        if box is None:
            continue
        own = numbers[box] == number
        far = distance_transform_edt(np.pad(own, 1))[1:-1, 1:-1]
        found[box][own] = (far / far.max())[own]
    return found


def crops(scenes: Sequence[Scene], side: int, changes: Changes) -> tuple[torch.Tensor, torch.Tensor]:
    """A crop of each, normalised pixels (B, 3, S, S) and targets (B, 3, S, S) float: classes whole numbers, the other
    two 0-1."""
    pixels, targets = [], []
    for each in scenes:
        grid = _grid(each.picture.shape[:2], side, changes)
        seen = torch.from_numpy(normalised(each.picture))[None]
        taught = torch.from_numpy(each.targets)[None].float()
        pixels.append(functional.grid_sample(seen, grid, padding_mode="reflection", align_corners=False))
        classes = functional.grid_sample(
            taught[:, :1], grid, mode="nearest", padding_mode="reflection", align_corners=False
        )
        others = functional.grid_sample(taught[:, 1:] / 255, grid, padding_mode="reflection", align_corners=False)
        targets.append(torch.cat([classes, others], dim=1))
    return _lit(torch.cat(pixels), changes), torch.cat(targets)


def _grid(size: tuple[int, int], side: int, changes: Changes) -> torch.Tensor:
    """Where the pixels of a crop lie on the picture, (1, S, S, 2), -1 to 1."""
    low, high = (math.log(each) for each in changes.scale)
    chance = torch.rand(5).tolist()
    scale = math.exp(low + (high - low) * chance[0])
    most = 180.0 if changes.is_any_side_up else changes.turn
    angle = math.radians(most * (2 * chance[1] - 1))
    mirror = -1.0 if chance[2] < 0.5 else 1.0
    height, width = size
    reach = [side / scale / 2 / length for length in (width, height)]
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turn = turn @ torch.diag(torch.tensor([mirror, 1.0]))
    # in pixels both axes are alike, in shares of the picture they are not
    matrix = torch.diag(torch.tensor([2 / width, 2 / height])) @ turn * (side / scale / 2)
    middle = torch.tensor([(2 * part - 1) * max(0.0, 1 - each) for part, each in zip(chance[3:], reach, strict=True)])
    theta = torch.cat([matrix, middle[:, None]], dim=1)[None]
    return functional.affine_grid(theta, [1, 1, side, side], align_corners=False)


def _lit(pixels: torch.Tensor, changes: Changes) -> torch.Tensor:
    def by_chance(most: float, n_channels: int = 1) -> torch.Tensor:
        return (torch.rand(len(pixels), n_channels, 1, 1) * 2 - 1) * most

    gain = (1 + by_chance(changes.contrast)) * (1 + by_chance(changes.tint, 3))
    noise = torch.randn_like(pixels) * by_chance(changes.noise).abs()
    return pixels * gain + by_chance(changes.light) + noise
