"""A picture: a file path in training data, a data URI or base64 from a client; measured before it is decoded."""

import base64
import binascii
import io
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import decoding
from windlass.kinds.contract import Kind, Parts, Place, is_missing, shown
from windlass.kinds.decoding import MAX_BYTES
from windlass.kinds.sketch import (
    Profile,
    Sketch,
    Trait,
    digest,
    grid_code,
    grid_scale,
    grid_width,
    learn_grid,
    signs,
    whole,
)
from windlass.records import Json

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
N_FIT = 2_000
FIT_SIDE = 128
PREVIEW_SIDE = 256
LOOKS = ("brightness", "contrast", "sharpness", "aspect", "size", "grain", "fineness")
"""References of before know the first four alone."""
N_SKETCH, THUMB_SIDE, N_DIRECTIONS, N_STEPS = 16, 8, 16, 31
COARSE, FINEST = 4, 8
"""Boxes a side that a picture comes apart into at first and at last."""


def check(value: Any) -> str | None:
    """Checks the form of the value only; the picture itself is checked by `read`."""
    if is_missing(value):
        return "is missing, expected a picture"
    if not isinstance(value, str):
        return f"is {type(value).__name__}, expected a path, or base64 in a request"
    return None


def read(value: Any, root: Path | None) -> np.ndarray:
    """The picture upright as (height, width, 3) uint8, at most 512 pixels a side.

    Raises: DataError: what is wrong with it.
    """
    return decoding.decode(*_content(value, root))


def read_sized(value: Any, root: Path | None) -> tuple[np.ndarray, tuple[int, int]]:
    """The same, and width and height of the whole picture, upright. Raises: DataError: as `read`."""
    return decoding.decode_sized(*_content(value, root))


def upright_size(value: Any, root: Path | None) -> tuple[int, int]:
    """Width and height of the whole picture, upright, from its header alone. Raises: DataError: as `read`."""
    return decoding.upright_size(*_content(value, root))


def decoding_bytes(value: Any, root: Path | None) -> int:
    """Most memory that `read` takes for this value, known from the picture's header. Raises: DataError: as `read`."""
    return decoding.decoding_bytes(*_content(value, root))


def content(value: Any, root: Path | None) -> bytes:
    """The picture's own bytes. Raises: DataError: they cannot be found, or are too many."""
    return _content(value, root)[0]


def suffix_of(content: bytes) -> str:
    """What a file of these bytes ends in, such as 'png'. Raises: DataError: no picture."""
    return decoding.form_of(content).lower().replace("jpeg", "jpg").replace("mpo", "jpg")


def _content(value: Any, root: Path | None) -> tuple[bytes, str]:
    """The picture's own bytes, and what messages call it. Raises: DataError."""
    fault = check(value)
    if fault:
        raise DataError(f"image {fault}")
    has_name = root is not None and not value.startswith("data:")
    return _bytes(value, root), f"image {shown(value)}" if has_name else "image"


def _bytes(value: str, root: Path | None) -> bytes:
    if root is None or value.startswith("data:"):
        text = value.partition(",")[2] if value.startswith("data:") else value
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise DataError("image is not base64, expected base64 or a data: URI of a picture") from None
    path = Path(root, value)
    try:
        if not path.is_file():
            raise DataError(f"image {shown(value)} does not exist, expected a file below {root}")
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"image {shown(value)} has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
        return path.read_bytes()
    except OSError as error:  # a name that is too long, or a file that may not be read
        raise DataError(
            f"image {shown(value)} cannot be read ({error.strerror}), expected a file below {root}"
        ) from None


def effort(value: Any) -> int:
    """As many characters of text as decoding takes the time of, from the size that the picture's first bytes tell.

    100 samples of PNG, TIFF or WebP a character, 400 pixels of JPEG, which is decoded small (docs/log.md).
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(_bytes(value, None)), formats=decoding.FORMATS) as picture:
            n_pixels = picture.width * picture.height
            return n_pixels // 400 if picture.format == "JPEG" else n_pixels * len(picture.getbands()) // 100
    except Exception:  # noqa: BLE001  whatever it is, `read` says what is wrong with it
        return 0


def fit(values: Iterable[np.ndarray], form: str, options: Json) -> Json:
    """pixels: side length (`size`, else the pictures' median side, 16-64), grey or colour, mean and deviation."""
    sides, sample = [], []
    for picture in islice(values, N_FIT):
        sides.append(min(picture.shape[:2]))
        sample.append(_small(picture))
    if not sample:
        raise DataError("column of images has no rows, expected at least one")
    size = int(options.get("size") or np.clip(round(float(np.median(sides)) / 4) * 4, 16, 64))
    grey = all(_is_grey(picture) for picture in sample)
    state: Json = {"form": "pixels", "size": size, "channels": 1 if grey else 3, "mean": [0.0], "deviation": [1.0]}
    pixels = encode(sample, state)
    deviation = pixels.std(axis=(0, 2, 3))
    return {
        **state,
        "mean": [round(float(mean), 6) for mean in pixels.mean(axis=(0, 2, 3))],
        "deviation": [round(max(float(value), 1e-3), 6) for value in deviation],
    }


def _small(picture: np.ndarray) -> np.ndarray:
    """The picture at no more than `FIT_SIDE` a side, so that a sample of 2,000 takes 100 MB and not 1.6 GB."""
    from PIL import Image

    if max(picture.shape[:2]) <= FIT_SIDE:
        return picture
    small = Image.fromarray(picture)
    small.thumbnail((FIT_SIDE, FIT_SIDE))
    return np.asarray(small)


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


def heaviest() -> str:
    """A black screen of 5120 x 2880: 135 KB as PNG, and all that decoding may take."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (5_120, 2_880)).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def file_of(value: Any) -> str:
    return value if isinstance(value, str) and not value.startswith("data:") else ""


def clean(value: Any, root: Path | None) -> str:
    """The whole path of a picture that can be decoded; what a client sent as a data: URI, so that it names no file."""
    read(value, root)
    if value.startswith("data:"):
        return value
    return f"data:;base64,{value}" if root is None else str(Path(root, value).resolve())


def loss(value: str) -> str:
    """What of a collected picture `read` does not keep, in words; '' = nothing."""
    try:
        return decoding.losses(_bytes(value, Path()))
    except DataError:  # of a picture that is gone by now `read` says so
        return ""


def background(state: Json) -> list[tuple[np.ndarray, float]]:
    """One picture without content: the mean grey or colour of the training pictures."""
    return [(np.broadcast_to(_mean_colour(state), (state["size"], state["size"], 3)).copy(), 1.0)]


def _mean_colour(state: Json) -> np.ndarray:
    return np.round(np.clip(np.broadcast_to(np.array(state["mean"]) * 255, 3), 0, 255)).astype(np.uint8)


def _grid(n_boxes: int) -> list[Place]:
    steps = [number / n_boxes for number in range(n_boxes + 1)]
    return [(left, top, right, foot) for top, foot in pairwise(steps) for left, right in pairwise(steps)]


def finer(value: np.ndarray, place: Place) -> list[Place]:
    """The four quarters of a box, unless it is one of the smallest."""
    left, top, right, foot = _box(place)
    if right - left < 1.5 / FINEST:
        return []
    middle, waist = (left + right) / 2, (top + foot) / 2
    upper: list[Place] = [(left, top, middle, waist), (middle, top, right, waist)]
    return [*upper, (left, waist, middle, foot), (middle, waist, right, foot)]


def _box(place: Place) -> tuple[float, float, float, float]:
    assert len(place) == 4
    return place


def without(value: np.ndarray, state: Json, places: Sequence[Place]) -> np.ndarray:
    """The picture with the mean colour of the training pictures in these boxes."""
    height, wide = value.shape[:2]
    picture = value.copy()
    for place in places:
        left, top, right, foot = _box(place)
        rows, columns = (round(top * height), round(foot * height)), (round(left * wide), round(right * wide))
        picture[rows[0] : rows[1], columns[0] : columns[1]] = _mean_colour(state)
    return picture


def spread(value: np.ndarray, state: Json, weights: np.ndarray) -> list[tuple[Place | None, float]]:
    """What each of the smallest boxes is worth, from what each pixel is: a pixel counts where its middle lies."""
    size = state["size"]
    pixels = weights.reshape(state["channels"], size, size).sum(axis=0)
    homes = np.minimum((np.arange(size) + 0.5) * FINEST // size, FINEST - 1).astype(int)
    boxes = np.zeros((FINEST, FINEST))
    np.add.at(boxes, (homes[:, None], homes[None, :]), pixels)
    return list(zip(_grid(FINEST), boxes.ravel().tolist(), strict=True))


def preview(value: np.ndarray) -> str:
    """The picture at no more than `PREVIEW_SIDE` a side, as a data: URI of a PNG."""
    from PIL import Image

    small = Image.fromarray(value)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    file = io.BytesIO()
    small.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def learn(values: Iterable[np.ndarray]) -> Json:
    """The quantiles of what `_looks` measures, and the mean thumbnail."""
    seen = [(_looks(thumb, picture), thumb) for picture in islice(values, N_FIT) for thumb in [_thumbnail(picture)]]
    looks = {name: learn_grid([found[place] for found, _ in seen], N_SKETCH) for place, name in enumerate(LOOKS)}
    mean = np.mean([thumb for _, thumb in seen], axis=0) if seen else np.full((THUMB_SIDE, THUMB_SIDE, 3), 128.0)
    return {**looks, "thumbnail": np.rint(mean).astype(int).ravel().tolist()}


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    """The picture as (8, 8, 3), 0-255."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BOX), np.float64)


def _looks(thumb: np.ndarray, picture: np.ndarray) -> tuple[float, ...]:
    """Mean and deviation of grey, mean step between pixels of grey (all 0-255), width over height; the longer side as
    it was read; and of pixels beside each other their mean bend, and their mean step as a share of that over four.

    The bend is what compression takes away and noise brings, the share what blur takes away whatever is on the
    picture: of blood cells (BCCD) each tells a picture of JPEG quality 20 or blurred by 2 pixels from all others.
    """
    grey = picture[:: max(1, len(picture) // 128), :, 1].astype(np.int16)
    coarse = grey[:, :: max(1, picture.shape[1] // 128)]
    step, fine, far = (_mean(np.abs(each)) for each in (np.diff(coarse, axis=1), np.diff(grey, axis=1),
                                                        grey[:, 4:] - grey[:, :-4]))  # fmt: skip
    bend = _mean(np.abs(np.diff(grey, n=2, axis=1)))
    aspect, side = picture.shape[1] / picture.shape[0], float(max(picture.shape[:2]))
    return float(thumb.mean()), float(coarse.std()), step, aspect, side, bend, fine / far if far else 1.0


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _known(state: Json) -> list[str]:
    return [name for name in LOOKS if name in state]


def profile(value: np.ndarray, state: Json) -> Profile:
    """The bins of its looks, and where its thumbnail less the mean one points among 16 random directions."""
    thumb = _thumbnail(value)
    looks = _looks(thumb, value)
    codes = [grid_code(look, state[name]) for look, name in zip(looks, _known(state), strict=False)]
    return [*codes, *whole((thumb.ravel() - np.array(state["thumbnail"])) @ _projection(), N_STEPS / 3_000, N_STEPS)]


@cache
def _projection() -> np.ndarray:
    """(192, 16) of +1 and -1."""
    return np.array([signs(digest(f"pixel {place}"))[:N_DIRECTIONS] for place in range(3 * THUMB_SIDE**2)])


def traits(state: Json) -> tuple[Trait, ...]:
    looks = (
        Trait(name, "ordered", place, grid_width(state[name]), scale=grid_scale(state[name]))
        for place, name in enumerate(_known(state))
    )
    return (*looks, Trait("content", "vector", len(_known(state)), N_DIRECTIONS))


KIND = Kind(
    name="image",
    forms=("pixels",),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    clean=clean,
    portable=portable,
    heaviest=heaviest,
    file_of=file_of,
    loss=loss,
    background=background,
    describe=lambda value, state: "as a whole",
    parts=Parts(lambda value: _grid(COARSE), finer, without, spread, preview, is_picture=True),
    sketch=Sketch(learn, profile, traits),
    effort=effort,
    needs=("pillow",),
)
