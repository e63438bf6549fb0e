"""The network of the segmenter: down to an eighth of the side, and back with what was seen on the way.

Source: Ronneberger et al. 2015, arXiv:1505.04597 (U-Net); normalised by groups: Wu & He 2018, arXiv:1803.08494.
Shapes: B tiles, C channels, S their side, M maps.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

WIDTHS = (16, 32, 64, 128)
"""Channels at the whole side, a half, a quarter and an eighth."""
N_GROUPS = 8


def _twice(before: int, after: int) -> nn.Sequential:
    def once(channels: int) -> list[nn.Module]:
        conv = nn.Conv2d(channels, after, 3, 1, 1, bias=False)
        return [conv, nn.GroupNorm(N_GROUPS, after), nn.ReLU(inplace=True)]

    return nn.Sequential(*once(before), *once(after))


class UNet(nn.Module):
    """Normalised pixels (B, 3, S, S) -> logits (B, M, S, S)."""

    def __init__(self, n_maps: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.down = nn.ModuleList(_twice(before, after) for before, after in pairwise((3, *widths)))
        self.up = nn.ModuleList(_twice(low + high, high) for high, low in reversed(list(pairwise(widths))))
        self.head = nn.Conv2d(widths[0], n_maps, 1)

    def forward(self, tiles_BCSS: torch.Tensor) -> torch.Tensor:
        maps, seen = tiles_BCSS, []
        for number, step in enumerate(self.down):
            maps = step(functional.max_pool2d(maps, 2) if number else maps)
            seen.append(maps)
        maps = seen.pop()
        for step in self.up:
            maps = step(torch.cat([functional.interpolate(maps, scale_factor=2.0, mode="nearest"), seen.pop()], dim=1))
        logits: torch.Tensor = self.head(maps).float()
        return logits
