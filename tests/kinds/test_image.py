"""Pictures: every form that people have, hostile ones, and the pixels that a network sees."""

import base64
import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.kinds.decoding import LARGEST_SIDE, MAX_BYTES, MAX_PIXELS
from windlass.kinds.image import FIT_SIDE, KIND, read, read_sized, upright_size


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def pixels(picture: Image.Image, form: str = "PNG", **options) -> np.ndarray:
    """What `read` gives for the picture in that form."""
    return read(uri(encoded(picture, form, **options)), None)


def ramp(width: int = 24, height: int = 16) -> Image.Image:
    return Image.fromarray(np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8))


COLOUR = Image.merge("RGB", (ramp(), ramp().rotate(180), ramp().transpose(Image.Transpose.FLIP_TOP_BOTTOM)))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF"])
def test_a_grey_picture_has_three_equal_channels(form):
    found = pixels(ramp(), form)
    assert found.shape == (16, 24, 3)
    assert found.dtype == np.uint8
    for channel in range(3):
        assert np.array_equal(found[..., channel], np.asarray(ramp()))


@pytest.mark.parametrize(("form", "tolerance"), [("PNG", 0), ("BMP", 0), ("TIFF", 0), ("WEBP", 60), ("JPEG", 60)])
def test_a_colour_picture_keeps_its_colours(form, tolerance):
    gap = np.abs(pixels(COLOUR, form).astype(int) - np.asarray(COLOUR).astype(int))
    assert gap.mean() <= tolerance / 10
    assert gap.max() <= max(tolerance * 2, 0)


def test_transparent_parts_are_white():
    clear = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    clear.putpixel((0, 0), (0, 0, 255, 255))
    found = pixels(clear)
    assert found[0, 0].tolist() == [0, 0, 255]
    assert (found.reshape(-1, 3)[1:] == 255).all()


def test_a_half_transparent_point_is_mixed_with_white():
    assert pixels(Image.new("RGBA", (1, 1), (0, 0, 0, 51)))[0, 0].tolist() == [204] * 3


def test_a_palette_with_a_transparent_colour_is_white_there():
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putpixel((1, 0), 1)
    found = pixels(picture, "PNG", transparency=0)
    assert found[0].tolist() == [[255, 255, 255], [0, 255, 0]]


def test_grey_with_transparency_is_white_there():
    assert pixels(Image.new("LA", (1, 1), (9, 0)))[0, 0].tolist() == [255] * 3


def test_a_print_jpeg_in_four_inks_becomes_colour():
    """No ink is white, all black is black; JPEG keeps it within a few steps."""
    assert (pixels(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG") > 245).all()
    assert (pixels(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG") < 10).all()
    red = pixels(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    assert red[..., 0].min() > 200
    assert red[..., 1:].max() < 60


@pytest.mark.parametrize("brightest", [65_535, 4_095])
def test_a_picture_of_16_bits_keeps_its_shades(brightest):
    """X-rays often use 12 of the 16 bits; cut at 255 they would be white."""
    deep = np.linspace(0, brightest, 256).reshape(16, 16).astype(np.uint16)
    found = pixels(Image.fromarray(deep))[..., 0]
    assert np.abs(found.ravel().astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize(
    "values", [np.linspace(-1, 1, 256), np.full(256, 7.0), np.array([np.nan, np.inf, 0.0, 1.0] * 64)]
)
def test_a_picture_of_floats_is_read(values):
    found = pixels(Image.fromarray(values.reshape(16, 16).astype(np.float32)), "TIFF")
    assert found.shape == (16, 16, 3)


def test_a_large_16_bit_picture_is_made_smaller():
    deep = np.tile(np.linspace(0, 65_535, 1_024).astype(np.uint16), (1_024, 1))
    found = pixels(Image.fromarray(deep))
    assert found.shape == (512, 512, 3)
    assert found[0, 0, 0] < 3 < 250 < found[0, -1, 0]


def test_an_animation_is_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    found = pixels(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert found[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2_000, 1_000), (256, 512)), ((100, 1_000), (512, 51)), ((10, 10), (10, 10)), ((5_000, 1), (1, 512))],
)
def test_a_large_picture_is_made_smaller_in_proportion(size, expected):
    assert pixels(Image.new("RGB", size)).shape[:2] == expected
    assert max(expected) <= LARGEST_SIDE


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_short_is_refused(form, share):
    content = encoded(COLOUR.resize((200, 200)), form)
    with pytest.raises(DataError, match=r"^image is (broken|not a picture that can be read)"):
        read(uri(content[: int(len(content) * share)]), None)


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG whose header claims this size, whatever its body holds."""

    def chunk(word: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + word + content + struct.pack(">I", zlib.crc32(word + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8_001, 8_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1), (MAX_PIXELS + 1, 1)])
def test_a_picture_with_too_many_pixels_is_refused_from_its_header(size):
    with pytest.raises(DataError, match=rf"image has {size[0]} x {size[1]} pixels, expected at most 64 megapixels"):
        read(uri(png(*size)), None)


BOMB = """
import re, resource, sys
from pathlib import Path
from windlass.errors import DataError
from windlass.kinds import decoding

decoding.decode(Path(sys.argv[2]).read_bytes(), "image")
content = Path(sys.argv[1]).read_bytes()
used = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1)) * 1024
if sys.argv[3] == "unguarded":
    decoding.MAX_DECODED = decoding._free = 10**12
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[4]), -1))
try:
    decoding.decode(content, "image")
    print("decoded")
except DataError as error:
    print(error)
"""
MEGABYTE = 10**6


def _bomb(tmp_path: Path, how: str, room: int) -> str:
    """What became of a 150 KB PNG of 7,000 x 7,000 points in a process that may take `room` more bytes."""
    (tmp_path / "small.png").write_bytes(encoded(COLOUR))
    (tmp_path / "bomb.png").write_bytes(png(7_000, 7_000, zlib.compress(bytes(7_000 * (1 + 3 * 7_000)), 9)))
    assert (tmp_path / "bomb.png").stat().st_size < 200_000
    command = [sys.executable, "-c", BOMB, tmp_path / "bomb.png", tmp_path / "small.png", how, str(room)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_decompression_bomb_is_refused_without_memory(tmp_path):
    told = _bomb(tmp_path, "guarded", 20 * MEGABYTE)
    assert "image has 7000 x 7000 pixels as PNG, which takes 202 MB to decode, expected at most 62 MB" in told


def test_a_decompression_bomb_takes_much_memory_without_the_guard(tmp_path):
    """Control: it is a real picture, and 100 MB are not enough to decode it."""
    assert "image is broken" in _bomb(tmp_path, "unguarded", 100 * MEGABYTE)
    assert "decoded" in _bomb(tmp_path, "unguarded", 2_000 * MEGABYTE)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("not base64!", "image is not base64, expected base64 or a data: URI"),
        ("data:image/png;base64,###", "is not base64"),
        ("data:image/svg+xml,<svg/>", "is not base64"),
        ("图片", "is not base64"),
        ("abc", "is not base64"),
        ("aGVsbG8=", "image is not a picture that can be read, expected PNG, JPEG"),
        ("data:image/png;base64,", "is not a picture"),
        (None, "image is missing, expected a picture"),
        ("", "image is missing"),
        (3, "image is int, expected a path"),
        (b"x", "image is bytes, expected a path"),
        ("/etc/passwd", "is not"),
        ("../../etc/passwd", "is not base64"),
    ],
)
def test_what_is_no_picture_is_refused(value, words):
    with pytest.raises(DataError, match=words):
        read(value, None)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"P6 1 1 255 abc",
        b"\x00" * 100,
        png(0, 0),
        png(3, 3),
        png(3, 3, zlib.compress(b"x")),
    ],
)
def test_other_files_are_refused(content):
    """PostScript above all: Pillow would start Ghostscript."""
    with pytest.raises(DataError, match=r"^image is (broken|not a picture)"):
        read(uri(content), None)


def test_a_client_cannot_name_a_file(tmp_path):
    """With no root, a path is text that is not base64."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(COLOUR))
    assert read(str(path), tmp_path).shape == (16, 24, 3)
    with pytest.raises(DataError, match="image is not base64"):
        read(str(path), None)


def test_training_data_may_name_a_file_below_or_beside_the_root(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "a 图.png").write_bytes(encoded(COLOUR))
    for name in ("../a 图.png", str(tmp_path / "a 图.png")):
        assert read(name, tmp_path / "data").shape == (16, 24, 3)


@pytest.mark.parametrize("name", ["none.png", ".", "x" * 5_000, "nul\x00l", "half \ud83d"])
def test_a_file_that_cannot_be_opened_is_refused(name, tmp_path):
    with pytest.raises(DataError, match=r"^image '.*(does not exist|cannot be read)") as caught:
        read(name, tmp_path)
    str(caught.value).encode("utf-8")
    assert len(caught.value.message) < 400


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(MAX_BYTES * 40)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"image 'a\.png' has 2,097,152,000 bytes, expected at most 52,428,800"):
        read("a.png", tmp_path)
    assert peak_bytes() < 1_000_000


def peak_bytes() -> int:
    """The most memory that Python and NumPy held since `tracemalloc.start()`."""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("value", ["file", "uri", "base64"])
def test_what_a_client_would_send_reads_as_the_same_pixels(value, tmp_path):
    content = encoded(COLOUR)
    (tmp_path / "a.PNG").write_bytes(content)
    raw, root = {
        "file": ("a.PNG", tmp_path),
        "uri": (uri(content), None),
        "base64": (base64.b64encode(content).decode("ascii"), None),
    }[value]
    sent = KIND.portable(raw, root)
    assert sent.startswith("data:image/")
    assert np.array_equal(read(sent, None), read(raw, root))


def test_a_collected_picture_is_a_whole_path_or_its_own_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(COLOUR))
    assert KIND.clean("a.png", tmp_path) == str((tmp_path / "a.png").resolve())
    assert KIND.clean(uri(encoded(COLOUR)), tmp_path) == uri(encoded(COLOUR))
    with pytest.raises(DataError, match="does not exist"):
        KIND.clean("b.png", tmp_path)


def array(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"))


def test_training_pictures_have_mean_0_and_deviation_1():
    sample = [array(COLOUR), array(COLOUR.rotate(180))]
    batch = KIND.encode(sample, KIND.fit(iter(sample), "pixels", {}))
    assert batch.shape == (2, 3, 16, 16)
    assert batch.mean(axis=(0, 2, 3)) == pytest.approx([0] * 3, abs=1e-4)
    assert batch.std(axis=(0, 2, 3)) == pytest.approx([1] * 3, abs=1e-4)


@pytest.mark.parametrize(("side", "size"), [(8, 16), (28, 28), (30, 32), (63, 64), (500, 64)])
def test_the_side_is_the_pictures_own_between_16_and_64(side, size):
    assert KIND.fit([array(Image.new("L", (side, side + 40)))] * 3, "pixels", {})["size"] == size


def test_the_side_can_be_chosen():
    assert KIND.fit([array(ramp())], "pixels", {"size": 96})["size"] == 96


def test_grey_pictures_have_one_channel_and_one_coloured_makes_three():
    assert KIND.fit([array(ramp())] * 3, "pixels", {})["channels"] == 1
    assert KIND.fit([array(ramp())] * 3 + [array(COLOUR)], "pixels", {})["channels"] == 3


def test_a_model_of_grey_pictures_reads_a_coloured_one():
    state = KIND.fit([array(ramp())], "pixels", {})
    assert KIND.encode([array(COLOUR)], state).shape == (1, 1, 16, 16)


def test_a_constant_column_gives_finite_numbers():
    state = KIND.fit([array(Image.new("L", (20, 20), 9))], "pixels", {})
    assert np.isfinite(KIND.encode([array(COLOUR)], state)).all()


def test_a_column_without_pictures_is_refused():
    with pytest.raises(DataError, match="column of images has no rows, expected at least one"):
        KIND.fit([], "pixels", {})


def test_fitting_does_not_keep_large_pictures():
    """300 pictures of 512 x 512 would take 236 MB; at most 128 a side they take 15 MB."""
    tracemalloc.start()
    KIND.fit((np.full((512, 512, 3), number % 256, np.uint8) for number in range(300)), "pixels", {})
    assert FIT_SIDE == 128
    assert peak_bytes() < 100_000_000


def test_flipped_bytes_give_a_picture_or_a_refusal_and_nothing_else():
    """400 files with up to eight changed bytes; other errors would become a 500."""
    random = np.random.default_rng(0)
    contents = [encoded(COLOUR, form) for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP")]
    refused = 0
    for turn in range(400):
        content = bytearray(contents[turn % len(contents)])
        for place in random.integers(0, len(content), turn % 9):
            content[place] = random.integers(0, 256)
        try:
            assert read(uri(bytes(content)), None).shape[2] == 3
        except DataError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_and_height_are_those_of_the_upright_whole_picture(tmp_path, form, orientation):
    """5 to 8 lie on their side; what is decoded is smaller than the whole."""
    exif = Image.Exif()
    exif[274] = orientation
    Image.new("RGB", (900, 300), "white").save(tmp_path / "a", form, exif=exif)
    wanted = (300, 900) if orientation > 4 else (900, 300)
    pixels, size = read_sized("a", tmp_path)
    assert size == upright_size("a", tmp_path) == wanted
    assert (pixels.shape[1] > pixels.shape[0]) == (wanted[0] > wanted[1])
