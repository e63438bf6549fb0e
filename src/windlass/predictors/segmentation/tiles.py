"""A picture in tiles that overlap, and their answers blended to one: one code in training and service.

Source: blending by a Hann window: Pielawski & Wählby 2020, PLoS ONE 15(3); nnU-Net takes a Gaussian: Isensee et al.
2021, Nature Methods 18.
Shapes: h, w of the picture as it is looked at, S side of a tile, C maps of the network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Array

MULTIPLE = 16
"""Of the side of a tile: the coarsest places of the network are 16 pixels wide."""
LEAST_DEVIATION = 4.0
"""Of pixels 0-255: a picture of one shade is not made of its noise alone."""
LEAST_WEIGHT = 1e-3
"""Of a tile's border: a picture's own border lies in no other tile."""
CHUNK = 4
"""Tiles of one run: more is no faster on a processor, and takes more memory."""
Network = Callable[[Array], Array]
"""(n, 3, S, S) float32 -> (n, C, S, S) float."""


@dataclass(frozen=True)
class Tiling:
    """side: of a tile; overlap: pixels that tiles share at least; longest: of the longer side of a picture as it is
    looked at."""

    side: int
    overlap: int
    longest: int

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width at which a picture of this width and height is looked at: never larger than it is."""
        scale = min(1.0, self.longest / max(size))
        return max(1, round(size[1] * scale)), max(1, round(size[0] * scale))

    def drawn(self, pixels: Array, size: tuple[int, int]) -> Array:
        """The picture as it is looked at, (h, w, 3) uint8.

        Args: pixels: as it was decoded, perhaps smaller than it is. size: width and height of the whole picture.
        """
        from PIL import Image

        height, width = self.size(size)
        if pixels.shape[:2] == (height, width):
            return pixels
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))

    def places(self, length: int) -> list[int]:
        """Where tiles begin along a side of this length, spread evenly."""
        if length <= self.side:
            return [0]
        count = -(-(length - self.overlap) // (self.side - self.overlap))
        return [int(place) for place in np.linspace(0, length - self.side, count).round()]

    def blended(self, network: Network, picture: Array) -> Array:
        """What the network gives for a picture (h, w, 3) uint8, (C, h, w) float32: the mean of the tiles, each
        weighted by how near the pixel is to its middle."""
        height, width = picture.shape[:2]
        whole = padded(normalised(picture), self.side)
        corners = [(top, left) for top in self.places(whole.shape[1]) for left in self.places(whole.shape[2])]
        weight, total = hann(self.side), np.zeros(whole.shape[1:], np.float32)
        sums: Array | None = None
        for start in range(0, len(corners), CHUNK):
            chosen = corners[start : start + CHUNK]
            batch = np.stack([whole[:, top : top + self.side, left : left + self.side] for top, left in chosen])
            for answer, (top, left) in zip(network(batch), chosen, strict=True):
                if sums is None:
                    sums = np.zeros((len(answer), *whole.shape[1:]), np.float32)
                sums[:, top : top + self.side, left : left + self.side] += answer * weight
                total[top : top + self.side, left : left + self.side] += weight
        assert sums is not None
        return np.asarray((sums / total)[:, :height, :width])


def normalised(picture: Array) -> Array:
    """(h, w, 3) uint8 -> (3, h, w) float32, mean 0 and deviation 1 over the whole picture: how light it is says
    nothing, colours stay what they are to each other."""
    pixels = picture.astype(np.float32)
    scaled = (pixels - pixels.mean()) / max(float(pixels.std()), LEAST_DEVIATION)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32)


def padded(picture: Array, side: int) -> Array:
    """(3, h, w), mirrored at the right and at the foot to a tile's side at least."""
    more = [max(0, side - length) for length in picture.shape[1:]]
    return np.pad(picture, ((0, 0), (0, more[0]), (0, more[1])), mode="symmetric") if any(more) else picture


def hann(side: int) -> Array:
    """(S, S) float32: near 1 in the middle, near 0 at the border."""
    line = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    return np.maximum(line[:, None] * line[None, :], LEAST_WEIGHT).astype(np.float32)
