"""A picture on the canvas that a network looks at, and boxes there and back: one code in training and service.

Shapes: H, W of the canvas; boxes (n, 4), xyxy.
"""

from dataclasses import dataclass

import numpy as np

from windlass.metrics.measures import Array

STRIDE = 4
"""Pixels of the canvas for one place of the network's answer."""
MULTIPLE = 16
"""Of each side of a canvas: the coarsest places of the network are 16 pixels wide."""
GREY = 114
"""Of what a picture leaves free: about the mean of photographs."""


@dataclass(frozen=True)
class Canvas:
    """Sides in pixels, multiples of `MULTIPLE`."""

    width: int
    height: int

    def scale(self, size: tuple[int, int]) -> float:
        """Pixels of the canvas for one of a picture of this width and height: it fits, and touches two borders."""
        return min(self.width / size[0], self.height / size[1])

    def drawn(self, pixels: Array, size: tuple[int, int]) -> Array:
        """The picture in the upper left corner, (H, W, 3) uint8.

        Args: pixels: as it was decoded, perhaps smaller than it is. size: width and height of the whole picture.
        """
        from PIL import Image

        scale = self.scale(size)
        wide, high = (max(1, min(side, round(whole * scale))) for side, whole in zip(
            (self.width, self.height), size, strict=True))  # fmt: skip
        picture = Image.fromarray(pixels)
        if picture.size != (wide, high):
            picture = picture.resize((wide, high), Image.Resampling.BILINEAR)
        canvas = np.full((self.height, self.width, 3), GREY, np.uint8)
        canvas[:high, :wide] = np.asarray(picture)
        return canvas

    def back(self, boxes: Array, size: tuple[int, int]) -> Array:
        """Boxes of the canvas in pixels of the whole picture, cut at its borders."""
        found = boxes / self.scale(size)
        return np.clip(found, 0, np.array([*size, *size], np.float64))


def batch_of(canvases: Array) -> Array:
    """(n, H, W, 3) uint8 -> (n, 3, H, W) float32, 0-255, as the graph reads them."""
    return np.ascontiguousarray(canvases.transpose(0, 3, 1, 2), np.float32)
