"""Opens a picture file upright, and knows from its header what memory that takes before anything is decoded.

Sources: EXIF 2.32 (CIPA DC-008), tag 274 'Orientation'; JPEG: ITU-T T.81, annex B; TIFF 6.0, section 2.
Bytes per pixel of each format are Pillow's and libwebp's own, measured by benchmarks/pictures.py (docs/log.md).
"""

import ctypes
import io
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from windlass.errors import DataError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
LARGEST_SIDE = 512
"""Of what is given; larger pictures are made smaller in proportion."""
MAX_BYTES = 50 * 1024 * 1024
"""Of a file."""
MAX_PIXELS = 64_000_000
"""Photographs of 50 megapixels pass; time to decode grows with pixels, whatever the memory."""
MAX_DECODED = 62_000_000
"""Bytes that decoding one picture may take, and all large ones of this process together: a screen of 5120 x 2880 as PNG
passes, and a service grows by less than 64 MiB."""
SMALL = 4_000_000
"""Bytes below which a picture waits for no other."""
LARGE = 8_000_000
"""Bytes after which the memory is given back to the system."""
PNG_DEPTH = 24
"""Where a PNG says how many bits a colour has."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt."""
MAX_STRIPS = 20_000
MAX_SCANS = 100
"""Of a progressive JPEG (ordinary ones have 10): each scan passes over the whole picture."""
TIFF_PACKINGS = ("raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "tiff_jpeg", "jpeg", "tiff_adobe_deflate",
                 "tiff_deflate", "packbits", "tiff_raw_16")  # fmt: skip
TIFF_JPEG = 4 * 2**20
"""What libtiff's JPEG decoder was seen to hold beside a strip's planes, now and then."""
TILE = 512
"""Side of the parts that are converted one after another, so that no second copy of the picture arises."""
BITS, PHOTOMETRIC, STRIPS, ORIENTATION, SAMPLES, STRIP_ROWS = 258, 262, 273, 274, 277, 278
TILE_WIDTH, TILE_HEIGHT, TILES = 322, 323, 324
JPEG = ("JPEG", "MPO")
EXIF = b"Exif\0\0"
DROPPED = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
"""Segments of a JPEG that no pixel depends on: all of applications but JFIF's and Adobe's, and comments."""
PREMULTIPLIED = {"RGBA": "RGBa", "LA": "La"}
SAVE_SMALLER = "save it smaller, or as JPEG, which is decoded at a fraction of its size"

_turn, _changed, _free = threading.Lock(), threading.Condition(), MAX_DECODED


@dataclass(frozen=True)
class _File:
    """What Pillow is to read, and what its header said that Pillow does not tell. has_scans: not in one pass."""

    content: bytes
    orientation: int = 1
    has_scans: bool = False


def decoding_bytes(content: bytes, what: str = "image") -> int:
    """Most memory that decoding takes, in bytes, from the header alone. Raises: DataError: as `decode`."""
    with _opened(content, what) as (_, _, size):
        return size


def decode(content: bytes, what: str = "image") -> np.ndarray:
    """The picture upright as (height, width, 3) uint8, at most `LARGEST_SIDE` a side, clear parts white.

    16 and 32 bits become 8, from the darkest to the brightest point: their real range is not recorded (12 bits in 16
    are common), and Pillow would cut all above 255 to white.

    Raises: DataError: broken, of another format, or too large to be decoded; `what` is what messages call it.
    """
    return decode_sized(content, what)[0]


def decode_sized(content: bytes, what: str = "image") -> tuple[np.ndarray, tuple[int, int]]:
    """The same, and how wide and high the whole picture is, upright: what boxes on it are told in."""
    with _opened(content, what) as (picture, file, size), _room(size):
        sides = picture.size
        found, is_turned = _pixels(picture, file)
    if size > LARGE:
        give_back_memory()
    return found, sides[::-1] if is_turned else sides


def upright_size(content: bytes, what: str = "image") -> tuple[int, int]:
    """How wide and high the whole picture is, upright, from its header alone. Raises: DataError: as `decode`."""
    with _opened(content, what) as (picture, file, _):
        said = picture.info.get("exif", b"") if picture.format != "TIFF" else b""  # whose size Pillow tells upright
        is_turned = max(file.orientation, exif_orientation(said)) in ON_ITS_SIDE
        return picture.size[::-1] if is_turned else picture.size


def form_of(content: bytes, what: str = "image") -> str:
    """Which of Pillow's formats it is, such as 'PNG'. Raises: DataError: as `decode`."""
    with _opened(content, what) as (picture, _, _):
        return str(picture.format)


def losses(content: bytes) -> str:
    """What of the file is not kept in what `decode` gives, in words; '' = nothing. Raises: DataError: as `decode`."""
    with _opened(content, "image") as (picture, _, _):
        if getattr(picture, "is_animated", False):
            return "animation or a stack: its first picture alone counts"
        if picture.mode[0] in "IF":
            return "picture of more than 8 bits: from its darkest to its brightest point it becomes 256 shades"
        tags = getattr(picture, "tag_v2", {})
        depth = content[PNG_DEPTH] if picture.format == "PNG" else max(tags.get(BITS, (1,)))
        return "picture of 16 bits a colour: the upper 8 of each are kept" if depth > 8 else ""


@contextmanager
def _opened(content: bytes, what: str) -> Iterator[tuple[Any, _File, int]]:
    """The picture before it is decoded, its file, and the bytes that decoding takes, which are within the bound."""
    from PIL import Image, PngImagePlugin, UnidentifiedImageError

    if len(content) > MAX_BYTES:
        raise DataError(f"{what} has {len(content):,} bytes, expected at most {MAX_BYTES:,}")
    Image.MAX_IMAGE_PIXELS = None  # our own, smaller limits are applied below, before anything is decoded
    PngImagePlugin.MAX_TEXT_MEMORY = 4 * PngImagePlugin.MAX_TEXT_CHUNK
    try:
        file = _read_header(content)
        with Image.open(io.BytesIO(file.content), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                megapixels = MAX_PIXELS // 10**6
                raise DataError(f"{what} has {width} x {height} pixels, expected at most {megapixels} megapixels")
            size = _decoding_bytes(picture, file)
            if size > MAX_DECODED:
                raise DataError(
                    f"{what} has {width} x {height} pixels as {picture.format}, which takes {size / 10**6:,.0f} MB to "
                    f"decode, expected at most {MAX_DECODED // 10**6} MB",
                    SAVE_SMALLER,
                )
            yield picture, file, size
    except UnidentifiedImageError:
        raise DataError(f"{what} is not a picture that can be read, expected {', '.join(FORMATS)}") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, TypeError, KeyError, OverflowError) as error:
        raise DataError(f"{what} is broken ({error}), expected a whole picture") from None


@contextmanager
def _room(size: int) -> Iterator[None]:
    """Waits until the large pictures that are decoded now leave so much of `MAX_DECODED`; first come, first served."""
    global _free
    if size <= SMALL:
        yield
        return
    with _turn, _changed:
        _changed.wait_for(lambda: _free >= size)
        _free -= size
    try:
        yield
    finally:
        with _changed:
            _free += size
            _changed.notify_all()


def return_large_blocks() -> None:
    """From now on blocks of 1 MB and more go back to the system as they are freed, in a process that serves.

    glibc raises that bound to 32 MB as it goes, and `malloc_trim` does not reach what a thread has on top: 67 MiB
    stayed in a server after one picture, 5 with this. Training reuses its large blocks, so it is left as it is.
    """
    with suppress(OSError, AttributeError):  # only glibc has the call
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, 1024 * 1024)
        library.mallopt(M_TRIM_THRESHOLD, 1024 * 1024)


def give_back_memory() -> None:
    """Returns to the system what was freed: with MiniLM 29 of 264 MB of a server (docs/log.md, "serving")."""
    with suppress(OSError, AttributeError):  # only glibc has the call
        ctypes.CDLL(None).malloc_trim(0)


def _read_header(content: bytes) -> _File:
    """Raises: ValueError: a TIFF in so many strips that listing them takes more memory than the picture."""
    if content[:2] == b"\xff\xd8":
        return _read_jpeg(content)
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        counts = [count for tag, count, _ in _entries(content) if tag in (STRIPS, TILES)]
        if max(counts, default=0) > MAX_STRIPS:
            raise ValueError(f"it has {max(counts):,} strips, expected at most {MAX_STRIPS:,}")
    return _File(content)


def _read_jpeg(content: bytes) -> _File:
    """The JPEG without its applications' segments, which no pixel depends on, but for JFIF's and Adobe's."""
    kept, orientation, place, sampled = [content[:2]], 1, 2, 0
    is_bare = True
    while content[place : place + 1] == b"\xff" and place + 4 <= len(content):
        marker = content[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4])
        segment = content[place + 4 : end]
        if marker == 0xDA:
            has_scans = segment[:1] != bytes([sampled])
            return _File(content if is_bare else b"".join([*kept, content[place:]]), orientation, has_scans)
        if marker in range(0xC0, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
            sampled = segment[5] if len(segment) > 5 and marker in (0xC0, 0xC1) else 0
        if marker == 0xE1 and segment[:6] == EXIF and orientation == 1:
            orientation = exif_orientation(segment)
        if marker in DROPPED:
            is_bare = False
        else:
            kept.append(content[place:end])
        place = end
    return _File(content, orientation, has_scans=True)  # not as others write it: Pillow may still read it


def exif_orientation(exif: bytes) -> int:
    """1-8; 1, upright, where it says nothing or cannot be read."""
    body = exif.removeprefix(EXIF)
    value = next((value for tag, _, value in _entries(body) if tag == ORIENTATION), 1)
    return value if 1 <= value <= 8 else 1


def _entries(content: bytes) -> Iterator[tuple[int, int, int]]:
    """(tag, count, value) of the first directory of a TIFF; a value that is no single number is where it stands."""
    order = "little" if content[:2] == b"II" else "big"

    def number(place: int, size: int) -> int:
        return int.from_bytes(content[place : place + size], order)  # type: ignore[arg-type]

    is_big = number(2, 2) == 43
    start, n_wide, step, wide = (number(8, 8), 8, 20, 8) if is_big else (number(4, 4), 2, 12, 4)
    for place in range(start + n_wide, start + n_wide + step * number(start, n_wide), step):
        if place + step > len(content):
            return
        size = 2 if number(place + 2, 2) == 3 else wide
        yield number(place, 2), number(place + 4, wide), number(place + 4 + wide, size)


def _stored(mode: str) -> int:
    """Bytes of a pixel, as Pillow holds it."""
    return 1 if mode in ("1", "L", "P") else 2 if mode.startswith("I;16") else 4


def _decoding_bytes(picture: Any, file: _File) -> int:
    """The decoded picture, what its decoder holds beside it, and the smaller copies that become the answer."""
    beside = _BESIDE[picture.format](picture, file)
    scale = _scale(picture) if picture.format in JPEG else 1
    width, height = (math.ceil(side / scale) for side in picture.size)
    size, (across, down) = _reduction(width, height)
    is_prepared = _is_prepared(picture.mode)
    small = 4 * math.ceil(width / across) * math.ceil(height / down)
    if max(across, down) == 1 and not is_prepared:
        small = 4 * size[0] * height
    if is_prepared:
        small += 16 * min(width * height, TILE**2)
    answer = 9 * size[0] * size[1]
    return _stored(picture.mode) * width * height + 8 * height + beside + max(small, answer)


def _is_prepared(mode: str) -> bool:
    """Its parts are converted before they are made smaller."""
    return mode in PREMULTIPLIED or mode[0] in "IF"


def _beside_png(picture: Any, file: _File) -> int:
    """Two rows of up to 64 bits a pixel; an animation prepares its next frame."""
    copies = 2 * _stored(picture.mode) * picture.width * picture.height if getattr(picture, "is_animated", False) else 0
    return 2 * 8 * picture.width + copies


def _beside_jpeg(picture: Any, file: _File) -> int:
    """The coefficients of the whole picture, 2 bytes each, where they do not come in one pass."""
    kept = len(file.content)
    if not file.has_scans:
        return kept
    if file.content.count(b"\xff\xda") > MAX_SCANS:
        raise ValueError(f"it has more than {MAX_SCANS} scans")
    shares = [max(1, across) * max(1, down) for _, across, down, _ in picture.layer]
    return kept + 2 * (picture.width + 31) * (picture.height + 31) * sum(shares) // max(shares, default=1)


def _beside_webp(picture: Any, file: _File) -> int:
    """libwebp's two canvases."""
    return 8 * picture.width * picture.height


def _beside_gif(picture: Any, file: _File) -> int:
    return picture.width * picture.height


def _beside_bmp(picture: Any, file: _File) -> int:
    """A row; run lengths are read by a loop of Python, which is slow, so that they are charged for more."""
    has_runs = picture.info.get("compression") in (1, 2)
    return 4 * picture.width + (3 * picture.width * picture.height + 16 * len(file.content) if has_runs else 0)


def _beside_tiff(picture: Any, file: _File) -> int:
    """The strip or tile that is unpacked, and a copy of a picture that Pillow turns upright."""
    tags = picture.tag_v2
    packing = picture.info.get("compression", "raw")
    if packing not in TIFF_PACKINGS:
        raise ValueError(f"it is packed by {packing}, expected one of {', '.join(TIFF_PACKINGS)}")
    bits = max(tags.get(BITS, (1,))) * tags.get(SAMPLES, 1)
    longer = max(picture.size)
    strip = max(tags.get(TILE_WIDTH, 0), longer) * tags.get(TILE_HEIGHT, min(tags.get(STRIP_ROWS, longer), longer))
    is_turned = tags.get(ORIENTATION, 1) in range(2, 9)
    turned = _stored(picture.mode) * picture.width * picture.height if is_turned else 0
    if packing == "raw":
        return turned + longer * bits // 8
    of_jpeg = TIFF_JPEG + 6 * strip if "jpeg" in packing else 0
    return turned + strip * (bits // 8 + 1) + of_jpeg


_BESIDE: dict[str, Callable[[Any, _File], int]] = {
    "PNG": _beside_png, "JPEG": _beside_jpeg, "MPO": _beside_jpeg, "WEBP": _beside_webp, "GIF": _beside_gif,
    "BMP": _beside_bmp, "TIFF": _beside_tiff,
}  # fmt: skip


def _scale(picture: Any) -> int:
    """By what a JPEG is reduced while it is decoded: 1, 2, 4 or 8."""
    least = max(1, min(picture.size) // LARGEST_SIDE)
    if _stored(picture.mode) * picture.width * picture.height // least**2 > MAX_DECODED // 2:
        least = max(picture.size) // LARGEST_SIDE  # long and narrow
    return next(scale for scale in (8, 4, 2, 1) if least >= scale)


def _pixels(picture: Any, file: _File) -> tuple[np.ndarray, bool]:
    """The upright pixels, and whether the picture lay on its side."""
    from PIL import Image

    form, info = picture.format, picture.info
    if form in JPEG:
        scale = _scale(picture)
        picture.draft("RGB", (picture.width // scale, picture.height // scale))
    picture = _of_webp(picture) if form == "WEBP" else picture
    picture.load()
    said = info.get("exif", b"") if form != "TIFF" else b""  # Pillow turns that one itself
    number = max(file.orientation, exif_orientation(said))
    turn = _TURNS[number]
    small = _flat(_smaller(picture)).convert("RGB")
    upright = small if turn is None else small.transpose(getattr(Image.Transpose, turn))
    return np.asarray(upright), number in ON_ITS_SIDE


_TURNS = (None, None, "FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE",
          "ROTATE_90")  # fmt: skip
"""What makes a picture of this orientation upright."""
ON_ITS_SIDE = range(5, 9)
"""Orientations whose width is the height of the upright picture."""


def _of_webp(picture: Any) -> Any:
    """The first frame without the two copies that Pillow makes of it, which would take 16 bytes a pixel and not 12."""
    from PIL import Image

    content, _ = picture._decoder.get_next()
    picture._decoder = None
    return Image.frombuffer(picture.rawmode, picture.size, content, "raw", picture.rawmode, 0, 1)


def _smaller(picture: Any) -> Any:
    """The picture at no more than `LARGEST_SIDE` a side and 8 bits: as Pillow's `thumbnail`, without its full copies.

    16 bits and alpha are converted part by part, and what was decoded is let go before the rest is computed.
    """
    from PIL import Image

    size, (across, down) = _reduction(*picture.size)
    if picture.mode in ("1", "P") or (picture.mode[0] not in "IF" and size == picture.size):
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        return picture
    prepare = _preparation(picture)
    box = (0, 0, picture.width / across, picture.height / down)
    if prepare is None:
        small = picture.reduce((across, down)) if max(across, down) > 1 else picture
    else:
        mode = prepare(picture.crop((0, 0, 1, 1))).mode
        small = Image.new(mode, (math.ceil(box[2]), math.ceil(box[3])))
        for place in _parts(picture.size, across * max(1, TILE // across), down * max(1, TILE // down)):
            small.paste(prepare(picture.crop(place)).reduce((across, down)), (place[0] // across, place[1] // down))
    mode, info = picture.mode, picture.info
    if small is not picture:
        picture.close()
    if size != small.size:
        small = small.resize(size, Image.Resampling.BICUBIC, box)
    small.info = info
    return small.convert(mode) if mode in PREMULTIPLIED else small


def _reduction(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The size in the end, and by what whole numbers a picture is reduced at once before: to twice that, or more."""
    size = _fitted(width, height)
    return size, (max(1, width // (2 * size[0])), max(1, height // (2 * size[1])))


def _fitted(width: int, height: int) -> tuple[int, int]:
    """The size in proportion, as Pillow's `thumbnail` rounds it."""
    if max(width, height) <= LARGEST_SIDE:
        return width, height
    aspect = width / height
    if aspect <= 1:
        exact, gap = LARGEST_SIDE * aspect, lambda side: abs(aspect - side / LARGEST_SIDE)
    else:
        exact, gap = LARGEST_SIDE / aspect, lambda side: abs(aspect - LARGEST_SIDE / side) if side else 0
    side = max(1, min(math.floor(exact), math.ceil(exact), key=gap))
    return (side, LARGEST_SIDE) if aspect <= 1 else (LARGEST_SIDE, side)


def _parts(size: tuple[int, int], across: int, down: int) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of so many pixels that cover a picture of this size."""
    width, height = size
    for top in range(0, height, down):
        for left in range(0, width, across):
            yield left, top, min(width, left + across), min(height, top + down)


def _preparation(picture: Any) -> Callable[[Any], Any] | None:
    """What a part needs before it is made smaller: one shade of 8 bits, or alpha multiplied in; None: nothing."""
    from PIL import Image

    if picture.mode in PREMULTIPLIED:
        return lambda part: part.convert(PREMULTIPLIED[part.mode])
    if picture.mode[0] not in "IF":
        return None
    low, high = math.inf, -math.inf
    for place in _parts(picture.size, TILE, TILE):
        levels = _levels(picture.crop(place))
        low, high = min(low, float(levels.min())), max(high, float(levels.max()))
    is_negative = getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == 0
    darkest, span = np.float32(low), max(float(np.float32(high) - np.float32(low)), 1e-12)

    def shallow(part: Any) -> Any:
        shades = ((_levels(part) - darkest) * (255 / span)).astype(np.uint8)
        return Image.fromarray(255 - shades if is_negative else shades)

    return shallow


def _levels(part: Any) -> np.ndarray:
    """(height, width) float32, finite."""
    return np.nan_to_num(np.asarray(part, np.float32), posinf=0.0, neginf=0.0)


def _flat(picture: Any) -> Any:
    """The picture with transparent parts on white."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture
