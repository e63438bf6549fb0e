"""The network of the detector: residual convolutions, finer and finer again, and two heads at a quarter of the side.

Source: residuals: He et al. 2016, arXiv:1512.03385; the way back up: Lin et al. 2017, arXiv:1612.03144; heads: Zhou et
al. 2019, arXiv:1904.07850, with distances to the sides as in Tian et al. 2019, arXiv:1904.01355.
Shapes: B pictures, C channels, H, W of the canvas, K classes, h = H / 4, w = W / 4.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from windlass.predictors.detection.canvas import GREY, STRIDE


@dataclass(frozen=True)
class Widths:
    """Channels of the stem and of each stage, which halves the side again, and on the way back up. stem: pixels of a
    side of its places, 2 or 4."""

    down: tuple[int, ...] = (32, 64, 128)
    up: int = 32
    stem: int = 4


NARROW = Widths((16, 24, 32, 48), 32, stem=2)
"""For small pictures, of which there is less to be seen, and whose things are small."""
RARE = -4.6
"""The logit of a share of 1 %: where heat starts, so that the first steps are not all about places without a thing."""
MOST_LOG = 6.0
SPREAD = 58.0
"""Deviation of the values of photographs, about."""


def _conv(before: int, after: int, stride: int = 1, side: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, side, stride, side // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(before, after, stride)
        self.second = nn.Sequential(nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after))
        self.short: nn.Module = nn.Identity()
        if before != after or stride > 1:
            self.short = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, maps_BCHW: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.second(self.first(maps_BCHW)) + self.short(maps_BCHW))


class Pyramid(nn.Module):
    """Pixels (B, 3, H, W), 0-255 -> logits of each class and four distances in places, (B, K + 4, h, w).

    usual: half the side of a usual box, in places: where the distances start.
    """

    def __init__(self, n_classes: int, usual: float, widths: Widths) -> None:
        super().__init__()
        down, up = widths.down, widths.up
        self.stem = _conv(3, down[0], 2)
        if widths.stem == STRIDE:  # at once: of places of two pixels, half of all work would be about the first edges
            self.stem = nn.Sequential(*_conv(3, down[0], STRIDE, 7), Residual(down[0], down[0], 1))
        self.stages = nn.ModuleList(
            nn.Sequential(Residual(before, after, 2), Residual(after, after, 1)) for before, after in pairwise(down)
        )
        self.finest = 0 if widths.stem == STRIDE else 1  # which of them has places of `STRIDE` pixels
        self.laterals = nn.ModuleList(nn.Conv2d(channels, up, 1) for channels in down[self.finest :])
        self.smooth = _conv(up, up)
        self.heat = nn.Sequential(_conv(up, up), nn.Conv2d(up, n_classes, 1))
        self.sides = nn.Sequential(_conv(up, up), nn.Conv2d(up, 4, 1))
        nn.init.constant_(self.heat[-1].bias, RARE)  # type: ignore[arg-type]
        nn.init.constant_(self.sides[-1].bias, float(torch.tensor(usual).log()))  # type: ignore[arg-type]

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        maps = self.stem((pixels_BCHW - GREY) / SPREAD)
        levels = [maps]
        for stage in self.stages:
            maps = stage(maps)
            levels.append(maps)
        ways = [lateral(each) for lateral, each in zip(self.laterals, levels[self.finest :], strict=True)]
        fine = ways.pop()
        while ways:
            fine = functional.interpolate(fine, scale_factor=2.0, mode="nearest") + ways.pop()
        fine = self.smooth(fine)
        sides = self.sides(fine).float().clamp(max=MOST_LOG).exp()
        return torch.cat([self.heat(fine).float(), sides], dim=1)
