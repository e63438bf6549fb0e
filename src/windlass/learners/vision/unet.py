"""The network of the segmenter: down to an eighth of the side, back with what was seen on the way, and outlines drawn
beside the pixels themselves.

The whole side has one thin step: two of 16 channels there took 1.7 times as long (a step of training, one core), and
minutes are what a user has.
Source: Ronneberger et al. 2015, arXiv:1505.04597 (U-Net); normalised by groups: Wu & He 2018, arXiv:1803.08494.
Shapes: B tiles, C channels, S their side, M maps.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

WIDTHS = (32, 64, 128)
"""Channels at a half of the side, a quarter and an eighth."""
FINE, THIN = 16, 13
"""Channels at the whole side, and of what comes there from the half, beside the three of the picture."""
N_GROUPS = 8


def _once(before: int, after: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(before, after, side, stride, 1, bias=False)
    return nn.Sequential(conv, nn.GroupNorm(N_GROUPS, after), nn.ReLU(inplace=True))


def _twice(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(_once(before, after), _once(after, after))


class UNet(nn.Module):
    """Normalised pixels (B, 3, S, S) -> logits (B, M, S, S)."""

    def __init__(self, n_maps: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.stem = nn.Sequential(_once(3, widths[0], 4, 2), _once(widths[0], widths[0]))
        self.down = nn.ModuleList(_twice(before, after) for before, after in pairwise(widths))
        self.up = nn.ModuleList(_twice(low + high, high) for high, low in reversed(list(pairwise(widths))))
        self.thin = nn.Conv2d(widths[0], THIN, 1)
        self.fine = _once(THIN + 3, FINE)
        self.head = nn.Conv2d(FINE, n_maps, 1)

    def forward(self, tiles_BCSS: torch.Tensor) -> torch.Tensor:
        maps = self.stem(tiles_BCSS)
        seen = [maps]
        for step in self.down:
            maps = step(functional.max_pool2d(maps, 2))
            seen.append(maps)
        maps = seen.pop()
        for step in self.up:
            maps = step(torch.cat([functional.interpolate(maps, scale_factor=2.0, mode="nearest"), seen.pop()], dim=1))
        whole = functional.interpolate(self.thin(maps), scale_factor=2.0, mode="bilinear", align_corners=False)
        logits: torch.Tensor = self.head(self.fine(torch.cat([whole, tiles_BCSS], dim=1))).float()
        return logits
