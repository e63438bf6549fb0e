"""Pictures upright whatever the camera wrote, and hostile ones within a bound of memory that is known beforehand."""

import io
import struct
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from windlass.errors import DataError
from windlass.kinds import decoding
from windlass.kinds.decoding import MAX_DECODED, decode, decoding_bytes, exif_orientation
from windlass.kinds.image import KIND, read

MEBIBYTE = 1024 * 1024
GROWTH_MIB = 64
"""Of a service, by one hostile picture (reliability.md)."""


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def arrow(height: int = 16, width: int = 24) -> np.ndarray:
    """(height, width, 3): no turn and no flip of it is like another, and JPEG keeps it."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 255 // height, columns * 255 // width, 0 * rows], axis=2).astype(np.uint8)


STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright[:, ::-1].transpose(1, 0, 2),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: upright[::-1].transpose(1, 0, 2),
}
"""EXIF 2.32, table 4: what the first row and the first column of the file are, such as 6: the right side, the top."""


def photograph(orientation: int, form: str = "JPEG", upright: np.ndarray | None = None) -> bytes:
    """As a camera that was held so writes it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](arrow() if upright is None else upright)))
    options = {"tiffinfo": {274: orientation}} if form == "TIFF" else {"exif": exif}
    exact = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(form, {})
    return encoded(stored, form, **options, **exact)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", sorted(STORED))
def test_a_photograph_is_upright_however_the_camera_was_held(orientation, form):
    content = photograph(orientation, form)
    found = decode(content)
    assert found.shape == (16, 24, 3)
    assert np.abs(found.astype(int) - arrow()).max() <= (6 if form == "JPEG" else 0)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    assert np.abs(found.astype(int) - np.asarray(wanted)).max() <= 2


@pytest.mark.parametrize("orientation", range(2, 9))
def test_as_it_lies_in_the_file_it_is_another_picture(orientation):
    """Control: what was read before."""
    lying = np.asarray(Image.open(io.BytesIO(photograph(orientation))))
    assert lying.shape != arrow().shape or np.abs(lying.astype(int) - arrow()).max() > 100


def test_a_large_photograph_is_upright_too():
    found = decode(photograph(6, upright=np.kron(arrow(), np.ones((100, 100, 1), np.uint8))))
    assert found.shape == (341, 512, 3)
    assert found[5, 5].max() < 30
    assert found[-5, 5, 0] > 220 > 30 > found[-5, 5, 1]


def test_training_serving_and_the_heat_map_see_the_same_upright_picture(tmp_path):
    """A file of the data, the bytes that a client sends, and what the parts of an explanation lie on."""
    (tmp_path / "phone.jpg").write_bytes(photograph(6))
    trained = read("phone.jpg", tmp_path)
    served = read(KIND.portable("phone.jpg", tmp_path), None)
    assert np.array_equal(trained, served)
    assert KIND.parts is not None
    assert np.array_equal(read(KIND.parts.show(served), None), trained)


def tiff_tags(*entries: bytes, order: str = "<") -> bytes:
    """The directory of EXIF or TIFF with these entries of 12 bytes."""
    return struct.pack(f"{order}2sHLH", b"II" if order == "<" else b"MM", 42, 8, len(entries)) + b"".join(entries)


BROKEN = {
    "nothing": b"",
    "noise": b"\xff\x00\x13" * 40,
    "no directory": b"II*\0" + struct.pack("<L", 10**9),
    "a directory that is cut": tiff_tags(struct.pack("<HHLL", 274, 3, 1, 6))[:15],
    "0": tiff_tags(struct.pack("<HHLL", 274, 3, 1, 0)),
    "9": tiff_tags(struct.pack("<HHLL", 274, 3, 1, 9)),
    "65535": tiff_tags(struct.pack("<HHLL", 274, 3, 1, 65_535)),
    "a text far away": tiff_tags(struct.pack("<HHLL", 274, 2, 10**9, 10**9)),
    "more entries than bytes": b"II*\0" + struct.pack("<LH", 8, 65_535),
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_exif_is_ignored(name, form):
    picture = Image.fromarray(arrow())
    plain = decode(encoded(picture, form))
    assert np.array_equal(decode(encoded(picture, form, exif=b"Exif\0\0" + BROKEN[name])), plain)


def test_exif_is_read_in_both_byte_orders_and_without_its_mark():
    little = tiff_tags(struct.pack("<HHLL", 256, 4, 1, 9), struct.pack("<HHLL", 274, 3, 1, 6))
    big = tiff_tags(struct.pack(">HHLHH", 274, 3, 1, 8, 0), order=">")
    assert [exif_orientation(little), exif_orientation(b"Exif\0\0" + little), exif_orientation(big)] == [6, 6, 8]


def test_a_photograph_with_a_second_picture_inside_is_read():
    """As phones write portraits: MPO."""
    content = encoded(Image.fromarray(arrow()), "MPO", save_all=True, append_images=[Image.new("RGB", (24, 16), "red")])
    assert np.abs(decode(content).astype(int) - arrow()).max() < 40


def wide_png(width: int, height: int, depth: int, colour: int, bits: int) -> bytes:
    """A black PNG of a few KB; depth, colour: of its header; bits: of a pixel."""

    def chunk(word: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + word + content + struct.pack(">I", zlib.crc32(word + content))

    body = zlib.compress(bytes(height * (1 + -(-width * bits // 8))), 1)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def black(mode: str, width: int, height: int, form: str, **options) -> bytes:
    return encoded(Image.new(mode, (width, height)), form, **options)


REFUSED = {
    "25,000,000 x 1": lambda: wide_png(25_000_000, 1, 8, 2, 24),
    "1 x 25,000,000": lambda: wide_png(1, 25_000_000, 8, 0, 8),
    "16 bits, 25 megapixels": lambda: wide_png(5_000, 5_000, 16, 2, 48),
    "grey of 16 bits": lambda: wide_png(6_000, 6_000, 16, 0, 16),
    "alpha": lambda: wide_png(5_000, 4_000, 8, 6, 32),
    "float TIFF": lambda: black("F", 5_000, 5_000, "TIFF", compression="tiff_adobe_deflate"),
    "WebP": lambda: black("RGB", 2_600, 2_600, "WEBP", method=0),
    "JPEG in several passes": lambda: black("RGB", 5_000, 4_000, "JPEG", progressive=True, subsampling=0),
}
LARGEST = {
    "colour": lambda: wide_png(5_120, 2_880, 8, 2, 24),
    "colour of 16 bits": lambda: wide_png(5_120, 2_880, 16, 2, 48),
    "grey": lambda: wide_png(7_000, 7_000, 8, 0, 8),
    "grey of 16 bits": lambda: wide_png(5_000, 5_000, 16, 0, 16),
    "alpha": lambda: wide_png(4_000, 3_200, 8, 6, 32),
    "wide": lambda: wide_png(2_500_000, 1, 8, 2, 24),
    "tall": lambda: wide_png(1, 5_000_000, 8, 0, 8),
    "animated": lambda: encoded(
        Image.new("RGBA", (1_800, 1_700)),
        save_all=True,
        disposal=1,
        append_images=[Image.new("RGBA", (1_800, 1_700), "red")],
    ),
    "WebP": lambda: black("RGB", 2_048, 2_048, "WEBP", method=0),
    "WebP without loss": lambda: black("RGBA", 2_048, 2_048, "WEBP", lossless=True, method=0),
    "GIF": lambda: black("P", 5_000, 5_000, "GIF"),
    "float TIFF": lambda: black("F", 4_000, 3_200, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF in one strip": lambda: black("RGB", 3_000, 2_200, "TIFF", compression="tiff_lzw", strip_size=10**9),
    "TIFF that is turned": lambda: black("RGB", 3_000, 2_000, "TIFF", compression="tiff_lzw", tiffinfo={274: 6}),
    "TIFF of JPEG": lambda: black("RGB", 4_000, 3_000, "TIFF", compression="jpeg"),
    "JPEG in several passes": lambda: black("RGB", 4_000, 2_000, "JPEG", progressive=True, subsampling=0),
    "JPEG, long": lambda: black("RGB", 65_000, 500, "JPEG"),
}
"""Of each format about the largest that the bound admits."""  # fmt: skip
GROWTH = """
import re, sys
from pathlib import Path
from windlass.errors import DataError
from windlass.kinds import decoding

def found(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

if sys.argv[1] == "unbounded":
    decoding.MAX_DECODED = decoding._free = 10**12
for path in sys.argv[2:3]:
    decoding.decode(Path(path).read_bytes())
for path in sys.argv[3:]:
    content = Path(path).read_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    before = found("VmRSS")
    try:
        decoding.decode(content)
        told = "decoded"
    except DataError:
        told = "refused"
    print(told, round(found("VmHWM") - before, 1), round(found("VmRSS") - before, 1), flush=True)
"""


def growth(tmp_path, how: str, contents: list[bytes]) -> list[tuple[str, float, float]]:
    """(what became of it, MiB at most, MiB that stay) of each picture, one after another in one process."""
    paths = []
    for number, content in enumerate([encoded(Image.fromarray(arrow())), *contents]):
        paths.append(tmp_path / f"{number}")
        paths[-1].write_bytes(content)
    command = [sys.executable, "-c", GROWTH, how, *map(str, paths)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout
    return [(word, float(peak), float(stays)) for word, peak, stays in map(str.split, told.splitlines())]


def test_the_largest_pictures_that_pass_stay_within_the_bound(tmp_path):
    contents = {name: make() for name, make in LARGEST.items()}
    for (name, content), (told, peak, stays) in zip(
        contents.items(), growth(tmp_path, "bounded", list(contents.values())), strict=True
    ):
        said = decoding_bytes(content) / MEBIBYTE
        assert (name, told) == (name, "decoded")
        assert peak <= said + 5, (name, peak, said)  # 5: the formats' modules, and what the kernel counts late
        assert peak <= GROWTH_MIB, name
        assert stays <= 16, name


def test_larger_ones_are_refused_from_their_header(tmp_path):
    told = growth(tmp_path, "bounded", [make() for make in REFUSED.values()])
    assert [(word, peak < 12) for word, peak, _ in told] == [("refused", True)] * len(REFUSED), told


def test_without_the_bound_they_take_what_they_claim(tmp_path):
    """Control: they are real pictures."""
    for word, peak, _ in growth(tmp_path, "unbounded", [make() for make in REFUSED.values()]):
        assert word == "decoded"
        assert peak > GROWTH_MIB


@pytest.mark.parametrize(("width", "height"), [(4_032, 3_024), (8_160, 6_120)])
def test_ordinary_photographs_of_12_and_50_megapixels_pass(width, height):
    content = black("RGB", width, height, "JPEG")
    assert decoding_bytes(content) < 16_000_000
    assert decode(content).shape == (384, 512, 3)


def test_a_12_megapixel_photograph_in_several_passes_is_read():
    assert decode(black("RGB", 4_032, 3_024, "JPEG", progressive=True)).shape == (384, 512, 3)


def test_a_jpeg_that_is_said_to_come_in_one_pass_and_does_not_is_charged_for_all():
    """The first scan holds one component of three: libjpeg keeps the coefficients of the whole picture."""
    content = black("RGB", 4_000, 2_000, "JPEG")
    place = content.index(b"\xff\xda")
    split = content[:place] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + content[place + 14 :]
    assert decoding_bytes(split) - decoding_bytes(content) > 4_000 * 2_000 * 2


def test_a_jpeg_of_very_many_passes_is_refused():
    content = black("RGB", 40, 40, "JPEG", progressive=True)
    place = content.index(b"\xff\xda")
    with pytest.raises(DataError, match="more than 100 scans"):
        decode(content[:place] + 200 * b"\xff\xda\0\x08\x01\x01\0\0\0\0" + content[place:])


def test_a_tiff_of_a_million_strips_is_refused_before_they_are_listed():
    count = 1_000_000
    entries = [(256, 4, 1, 1), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, count, 200), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, count, 200)]  # fmt: skip
    content = tiff_tags(*(struct.pack("<HHLL", *entry) for entry in entries)).ljust(200 + 4 * count, b"\0")
    started = time.process_time()
    with pytest.raises(DataError, match="1,000,000 strips, expected at most 20,000"):
        decode(content)
    assert time.process_time() - started < 5


def test_a_tiff_packed_as_nobody_packs_is_refused():
    with pytest.raises(DataError, match="is packed by lzma, expected one of raw"):
        decode(black("RGB", 40, 40, "TIFF", compression="lzma"))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(2_300, 1_700), (600, 2_900), (1_500, 700)])
def test_a_large_picture_is_made_smaller_as_pillow_does(size, mode):
    """Part by part gives the same to the last bit, so that nothing that was trained on it changes."""
    noise = np.random.default_rng(1).integers(0, 256, (*size[::-1], 4), np.uint8)
    picture = Image.fromarray(noise).resize(size).convert("RGB" if mode == "CMYK" else mode).convert(mode)
    content = encoded(picture, "TIFF" if mode == "CMYK" else "PNG")
    picture.thumbnail((512, 512))
    if mode in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    assert np.array_equal(decode(content), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_a_large_picture_of_16_bits_keeps_its_shades_across_its_parts(form):
    deep = np.repeat(np.linspace(1_000, 5_000, 2_048).astype(np.uint16)[None], 1_200, axis=0)
    found = decode(encoded(Image.fromarray(deep), form))
    assert found.shape == (300, 512, 3)
    assert np.abs(found[150, :, 0].astype(int) - np.linspace(0, 255, 512)).max() <= 2


def test_a_deep_tiff_whose_zero_is_white_is_no_negative():
    deep = np.linspace(0, 65_535, 256).reshape(16, 16).astype(np.uint16)
    found = decode(encoded(Image.fromarray(deep), "TIFF", tiffinfo={262: 0}))
    assert found[0, 0, 0] == 255
    assert found[-1, -1, 0] == 0


def test_large_pictures_wait_for_each_other_and_small_ones_do_not():
    """Together they stay within the bound of one."""
    large, order = MAX_DECODED * 2 // 3, []
    is_in, may_leave = threading.Event(), threading.Event()

    def first():
        with decoding._room(large):
            is_in.set()
            may_leave.wait(60)
            order.append("first")

    def second():
        with decoding._room(large):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    is_in.wait(60)
    threads[1].start()
    with decoding._room(decoding.SMALL):
        order.append("small")
    may_leave.set()
    for thread in threads:
        thread.join(60)
    assert order == ["small", "first", "second"]
