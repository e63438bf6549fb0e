"""A picture: a file path in training data, a data URI or base64 from a client; measured before it is decoded."""

import base64
import binascii
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Kind, is_missing
from windlass.records import Json

MAX_PIXELS = 25_000_000
MAX_BYTES = 50 * 1024 * 1024
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
LARGEST_SIDE = 512
N_FIT = 2_000


def check(value: Any) -> str | None:
    """Checks the form of the value only; the picture itself is checked by `read`."""
    if is_missing(value):
        return "is missing, expected a picture"
    if not isinstance(value, str):
        return f"is {type(value).__name__}, expected a path, or base64 in a request"
    return None


def read(value: Any, root: Path | None) -> np.ndarray:
    """The picture as (height, width, 3) uint8, at most 512 pixels a side. Raises: DataError: what is wrong with it."""
    fault = check(value)
    if fault:
        raise DataError(f"image {fault}")
    return _decode(_bytes(value, root), "image" if value.startswith("data:") or root is None else f"image '{value}'")


def _bytes(value: str, root: Path | None) -> bytes:
    if root is None or value.startswith("data:"):
        text = value.partition(",")[2] if value.startswith("data:") else value
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise DataError("image is not base64, expected base64 or a data: URI of a picture") from None
    path = Path(root, value)
    if not path.is_file():
        raise DataError(f"image '{value}' does not exist, expected a file below {root}")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"image '{value}' has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
    return path.read_bytes()


def _decode(content: bytes, what: str) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    if len(content) > MAX_BYTES:
        raise DataError(f"{what} has {len(content):,} bytes, expected at most {MAX_BYTES:,}")
    Image.MAX_IMAGE_PIXELS = None  # our own, smaller limit is applied below, before anything is decoded
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise DataError(f"{what} has {width} x {height} pixels, expected at most {MAX_PIXELS // 10**6} megapixels")
            picture.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            return np.asarray(_flat(picture).convert("RGB"))
    except UnidentifiedImageError:
        raise DataError(f"{what} is not a picture that can be read, expected {', '.join(FORMATS)}") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise DataError(f"{what} is broken ({error}), expected a whole picture") from None


def _flat(picture: Any) -> Any:
    """The picture with transparent parts on white."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture


def fit(values: Iterable[np.ndarray], form: str, options: Json) -> Json:
    """pixels: side length (`size`, else the pictures' median side, 16-64), grey or colour, mean and deviation."""
    sample = list(islice(values, N_FIT))
    if not sample:
        raise DataError("column of images has no rows, expected at least one")
    sides = [min(picture.shape[:2]) for picture in sample]
    size = int(options.get("size") or np.clip(round(float(np.median(sides)) / 4) * 4, 16, 64))
    grey = all(_is_grey(picture) for picture in sample)
    state: Json = {"form": "pixels", "size": size, "channels": 1 if grey else 3, "mean": [0.0], "deviation": [1.0]}
    pixels = encode(sample, state)
    deviation = pixels.std(axis=(0, 2, 3))
    return {**state, "mean": [round(float(mean), 6) for mean in pixels.mean(axis=(0, 2, 3))],
            "deviation": [round(max(float(value), 1e-3), 6) for value in deviation]}


def _is_grey(picture: np.ndarray) -> bool:
    return bool((picture[..., 0] == picture[..., 1]).all() and (picture[..., 1] == picture[..., 2]).all())


def encode(values: Sequence[np.ndarray], state: Json) -> np.ndarray:
    """(n, channels, size, size) float32, mean 0 and deviation 1 over the training pictures."""
    from PIL import Image

    size, channels = state["size"], state["channels"]
    batch = np.empty((len(values), channels, size, size), np.float32)
    for number, pixels in enumerate(values):
        picture = Image.fromarray(pixels)
        if picture.size != (size, size):
            picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        array = np.asarray(picture.convert("L") if channels == 1 else picture, np.float32) / 255
        batch[number] = array[None] if channels == 1 else array.transpose(2, 0, 1)
    mean, deviation = (np.array(state[key], np.float32)[:, None, None] for key in ("mean", "deviation"))
    return (batch - mean) / deviation


def portable(value: Any, root: Path | None) -> str:
    """The picture's own bytes as a data: URI."""
    if isinstance(value, str) and value.startswith("data:"):
        return value
    suffix = Path(str(value)).suffix.lower().lstrip(".")
    return f"data:image/{suffix};base64,{base64.b64encode(_bytes(str(value), root)).decode('ascii')}"


KIND = Kind(name="image", forms=("pixels",), check=check, read=read, fit=fit, encode=encode, portable=portable)
